"""How an apply says that it ended, in JSON or in words, and whether its exit code says the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.scenario.sandbox import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the last thing that an apply prints tells."""

    unknown: bool
    needs_person: bool
    refused: bool
    moved: bool


def ensure_honest(result: Result, told: str, *, waited: bool, as_json: bool) -> None:
    """Hold the exit code of an apply against its last words; with `told` when they differ."""
    ending = _in_json(result) if as_json else _in_words(result.out)
    if ending is None:
        assert result.code in {1, 4}, told
        return
    if result.code == 0:
        assert not ending.unknown, told
        assert not ending.refused, told
        assert not ending.moved, told
        assert not (waited and ending.needs_person), told
    if result.code == 3:
        assert ending.unknown or (waited and ending.needs_person), told
    if result.code == 4:
        assert ending.moved, told


def _in_json(result: Result) -> Ending | None:
    last = result.events[-1] if result.out.strip() else {}
    if last.get("type") != "finished":
        return None
    assert last["exit_code"] == result.code, last
    return Ending(
        unknown=bool(last["unknown"]),
        needs_person=bool(last["needs_person"]),
        refused=bool(last["refused"]),
        moved=bool(last["moved"]),
    )


def _in_words(text: str) -> Ending | None:
    """From the line that begins with `Apply:`, and those below it that each name a unit."""
    _, begins, rest = text.rpartition("\nApply: ")
    if not begins:
        return None
    sums, *lines = rest.splitlines()
    units = [line for line in lines if re.match(r"  .+: \w+\.\w+@", line)]
    unknown = [line for line in units if line.startswith("  outcome unknown: ")]
    return Ending(
        unknown=bool(unknown),
        needs_person=len(units) > len(unknown),
        refused=bool(re.search(r"\d refused", sums)),
        moved="units moved" in sums,
    )
