"""The guards of "never twice", each as the text that takes it out and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard: in `file`, `text` put in place of `by` takes it out; `tests` are what pytest is given."""

    name: str
    file: str
    text: str
    by: str
    tests: tuple[str, ...]

    def break_in(self, project: Path) -> None:
        """Take the guard out of a copy of the project.

        Raises:
            ValueError: The text is not there, or not once: the guard has moved.
        """
        path = project / self.file
        source = path.read_text(encoding="utf-8")
        if source.count(self.text) != 1:
            raise ValueError(f"{self.name}: {self.file} does not hold this once: {self.text!r}")
        path.write_text(source.replace(self.text, self.by), encoding="utf-8")


GUARDS = (
    Guard(
        name="quarantine",
        file="reconciler/planning/absence.py",
        text="    if listing.began_at < quarantine_ends:",
        by="    if False:",
        tests=("tests/unit/planning/test_absence.py", "tests/scenario/test_listing_lag.py"),
    ),
    Guard(
        name="listing lag",
        file="reconciler/planning/absence.py",
        text="    quarantine_ends = valid_until + lag",
        by="    quarantine_ends = valid_until",
        tests=("tests/unit/planning/test_absence.py",),
    ),
    Guard(
        name="completeness check",
        file="reconciler/providers/dataworks/listing.py",
        text="        if settled and len(seen) == total == len({row.id for row in seen}):",
        by="        if True:",
        tests=("tests/unit/providers/dataworks/test_listing.py",),
    ),
    Guard(
        name="completeness check, DataArts",
        file="reconciler/providers/dataarts/listing.py",
        text="        if totals == {len(seen)} and len({row.name for row in seen}) == len(seen):",
        by="        if True:",
        tests=("tests/unit/providers/dataarts/test_discovering.py",),
    ),
    Guard(
        name="refusal list",
        file="reconciler/providers/dataworks/outcomes.py",
        text="    if family in _REFUSING and _refusing_status(envelope.status):",
        by="    if True:",
        tests=("tests/unit/providers/dataworks/test_outcomes.py",),
    ),
    Guard(
        name="refusal list, DataArts",
        file="reconciler/providers/dataarts/outcomes.py",
        text="    if family in _REFUSING and _refusing_status(envelope.status):",
        by="    if True:",
        tests=("tests/unit/providers/dataarts/test_outcomes.py",),
    ),
    Guard(
        name="server clock",
        file="reconciler/providers/dataworks/discovering.py",
        text="            began_at=listing.began_at or self._clock.now(),\n            shows_tags=any",
        by="            began_at=self._clock.now(),\n            shows_tags=any",
        tests=("tests/unit/providers/dataworks/test_discovering.py",),
    ),
    Guard(
        name="server clock, DataArts",
        file="reconciler/providers/dataarts/discovering.py",
        text="            began_at=listing.began_at or self._clock.now(),\n            shows_tags=any",
        by="            began_at=self._clock.now(),\n            shows_tags=any",
        tests=("tests/unit/providers/dataarts/test_discovering.py",),
    ),
    Guard(
        name="validity from server",
        file="reconciler/providers/channel.py",
        text="        latest_start = signed_at if server_now is None else max(signed_at, server_now)",
        by="        latest_start = signed_at",
        tests=("tests/unit/providers/dataworks/test_gateway.py",),
    ),
    Guard(
        name="no retry of creates",
        file="reconciler/providers/channel.py",
        text="            answer = await self._send(Exchange.CREATE, prepared.operation, signed.request)\n"
        "        except",
        by="            try:\n"
        "                answer = await self._send(Exchange.CREATE, prepared.operation, signed.request)\n"
        "            except TransportFailure:\n"
        "                answer = await self._send(Exchange.CREATE, prepared.operation, signed.request)\n"
        "        except",
        tests=("tests/unit/providers/dataworks/test_gateway.py",),
    ),
    Guard(
        name="sent before sending",
        file="reconciler/applying/protocol.py",
        text="    store.mark_sent(lease, attempt.id, prepared)\n",
        by="",
        tests=("tests/unit/applying/test_protocol.py",),
    ),
    Guard(
        name="second look",
        file="reconciler/applying/engine.py",
        text="        why = moved(checked, call)\n",
        by="        why = None\n",
        tests=("tests/unit/applying/test_engine.py",),
    ),
    Guard(
        name="read-back",
        file="reconciler/applying/engine.py",
        text="        survives = Tag.parse(name) == tag\n",
        by="        survives = True\n",
        tests=("tests/unit/applying/test_tags.py",),
    ),
    Guard(
        name="compare-and-set",
        file="reconciler/state/transitions.py",
        text='        if row["state"] in allowed:\n',
        by="        if True:\n",
        tests=("tests/unit/state/test_transitions.py",),
    ),
    Guard(
        name="overlap check",
        file="reconciler/state/store.py",
        text="            refuse_overlap(record, intent)\n",
        by="",
        tests=("tests/unit/state/test_calls.py",),
    ),
    Guard(
        name="plan once",
        file="reconciler/state/store.py",
        text="            refuse_second_send(record, intent)\n",
        by="",
        tests=("tests/unit/state/test_calls.py", "tests/unit/applying/test_protocol.py"),
    ),
    Guard(
        name="fence",
        file="reconciler/state/lock.py",
        text="    _refuse_lost(record, lease)\n    record.head.writes += 1\n",
        by="    record.head.writes += 1\n",
        tests=("tests/unit/state/test_lock.py",),
    ),
    Guard(
        name="durability",
        file="reconciler/state/engine.py",
        text='"PRAGMA synchronous = FULL"',
        by='"PRAGMA synchronous = NORMAL"',
        tests=("tests/unit/state/test_opening.py",),
    ),
    Guard(
        name="seals",
        file="reconciler/state/record.py",
        text="            if not is_whole(table, row, version=self.head.format):\n",
        by="            if False:\n",
        tests=("tests/unit/state/test_seals.py", "tests/crash/test_damaged_files.py"),
    ),
)
