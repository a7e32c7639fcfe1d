"""Which gates stand before the calls of a plan, and whether they let one through."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.dates import MAX_DATE, MIN_DATE, DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.gates import GateReading, GateStanding
from reconciler.model.plan import Call, Plan
from reconciler.planning.blocking import Block, by_gate

#: Dates so far from a call's own are looked at with them: further ones may cost a read of their own.
NEARBY_DAYS = dt.timedelta(days=30)


class Guards:
    """The gates of a plan's calls."""

    def __init__(self, plan: Plan) -> None:
        """Collect, for each gate, the dates of all calls behind it that nothing else is known to block."""
        self._resources = {one.address: one for one in plan.desired if one.gates}
        self._dates: dict[str, DateSet] = defaultdict(DateSet)
        for call in plan.calls:
            if not call.blocked_by:
                for name in self._names(call):
                    self._dates[name] |= call.dates

    def _names(self, call: Call) -> tuple[str, ...]:
        resource = self._resources.get(call.address)
        return () if resource is None else tuple(ref.name for ref in resource.gates)

    def wanted(self, call: Call) -> dict[str, DateSet]:
        """The gates of a call, each with the dates for which to look at it.

        Those of other calls that are not far away are among them, so that one look serves several.
        """
        around = DateSet.of(_widened(item) for item in call.dates)
        return {name: (self._dates[name] & around) | call.dates for name in self._names(call)}

    def closed(self, call: Call, readings: Mapping[str, GateReading]) -> tuple[Block, ...]:
        """What keeps a call back: one block for each gate that is closed on some of its dates."""
        resource = self._resources.get(call.address)
        if resource is None:
            return ()
        found = (
            by_gate(resource, ref, readings.get(ref.name)).restricted(call.dates)
            for ref in resource.gates
        )
        return tuple(blocks.items[0][1] for blocks in found if blocks)


def _widened(dates: DateRange) -> DateRange:
    return DateRange(
        max(MIN_DATE, dates.start - NEARBY_DAYS), min(MAX_DATE, dates.end + NEARBY_DAYS)
    )


def unread_gates(gates: Iterable[GateStanding]) -> Iterator[Diagnostic]:
    """An error for each gate that could not be read."""
    for one in gates:
        if one.reading is not None and one.reading.problem is not None:
            yield Diagnostic(
                severity=Severity.ERROR,
                code="gate_unreadable",
                summary=f"{one.gate.address} could not be read, so it is closed: {one.reading.problem}",
                address=one.gate.address,
                place=one.gate.place,
                hint="see what it asks for, and its connection in reconciler.yaml: "
                f"`reconciler check` asks {one.gate.connection} once",
            )
