"""A plan that is applied again: what became of the calls that an earlier apply of it left unknown."""

from __future__ import annotations

from dataclasses import replace

from reconciler.applying.checking import Known
from reconciler.applying.gathering import discover
from reconciler.applying.lines import Line
from reconciler.model.dates import DateSet
from reconciler.model.plan import Adoption, Call
from reconciler.model.series import Series


async def find_sent(
    call: Call, unclear: DateSet, series: Series, known: Known, line: Line
) -> Adoption | None:
    """Look for the run of a call by its tag, for the dates on which its outcome is unknown.

    Returns:
        How it is to be recorded; None while it is not listed, or cannot be read.
    """
    listing = await discover(
        call.address,
        series,
        unclear,
        line=line,
        recorded=known.recorded,
        on_record=known.runs,
        unreadable={},
    )
    if listing is None:
        return None
    for run in listing.found:
        if run.tag is not None and run.tag.call_id == call.id:
            return Adoption(
                address=call.address,
                connection=call.connection,
                series=call.series,
                generation=call.generation,
                call_id=call.id,
                run=replace(run, coverage=run.coverage.restricted(unclear)),
            )
    return None
