"""Things that go wrong on purpose.

A fault waits for requests of one operation and spoils the `nth` one since the list was put in place,
or every one. Faults and what they have seen are kept in the database: a restart does not repeat them.
"""

from __future__ import annotations

import enum
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.documents import Problems, plain, read_documents
from reconciler.model.errors import InputError

_FIELDS = frozenset({"operation", "nth", "effect", "seconds", "status", "code", "body"})
_LONGEST_DELAY = 3600.0
_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599
_BODILESS = frozenset({204, 205, 304})
_EXAMPLE = "for example [{operation: RunCycleDagNodes, nth: 2, effect: drop}]"


class Effect(enum.Enum):
    """What happens to the request or its answer."""

    EXECUTE_THEN_DROP = "execute_then_drop"  # executed; the connection closes without an answer
    DROP = "drop"  # not executed; the connection closes without an answer
    DELAY = "delay"  # executed at once; the answer comes `seconds` later
    HTTP = "http"  # not executed; answered with `status`, and `code` or `body`
    THROTTLE = "throttle"  # not executed; answered with 429 and `code`
    RESET_MID_BODY = "reset_mid_body"  # executed; the connection is reset within the answer
    GARBAGE = "garbage"  # executed; the answer is `body` instead of what it should be


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; `nth` counts from 1, None means every request. Unset fields have an effect's default."""

    operation: str
    effect: Effect
    nth: int | None = None
    seconds: float = 0.0
    status: int | None = None
    code: str = ""
    body: str | None = None


class FaultError(ValueError):
    """A list of faults is wrong."""


def parse_faults(value: object) -> tuple[Fault, ...]:
    """Read a list of faults from plain data.

    Raises:
        FaultError: It is none; the text names the entry and what is wrong with it.
    """
    if not isinstance(value, list):
        raise FaultError("a list of faults is expected")
    return tuple(_fault(item, f"faults[{place}]") for place, item in enumerate(value))


def load_faults(path: Path) -> tuple[Fault, ...]:
    """Read a file with a list of faults, as YAML or JSON; an empty file has none.

    Raises:
        InputError: It is no such list.
        OSError: It cannot be read.
    """
    read = read_documents(path.read_bytes(), str(path))
    problems = Problems(read.source)
    problems.found.extend(read.diagnostics)
    faults: tuple[Fault, ...] = ()
    for document in read.documents:
        try:
            faults += parse_faults(plain(document.root))
        except FaultError as err:
            problems.error(document.root, "bad_fault", str(err), hint=_EXAMPLE)
    if problems.found:
        raise InputError(problems.found)
    return faults


def replace_faults(connection: sqlite3.Connection, faults: Sequence[Fault]) -> None:
    """Put a list in place of the one before; counting starts again."""
    connection.execute("DELETE FROM faults")
    connection.executemany(
        "INSERT INTO faults (operation, nth, seen, document) VALUES (?, ?, 0, ?)",
        [(fault.operation, fault.nth, json.dumps(_document(fault))) for fault in faults],
    )


def take_fault(connection: sqlite3.Connection, operation: str) -> Fault | None:
    """Count a request of `operation`; the first fault in the list that it runs into."""
    rows = connection.execute(
        "UPDATE faults SET seen = seen + 1 WHERE operation = ? RETURNING id, nth, seen, document",
        (operation,),
    ).fetchall()
    for _, nth, seen, document in sorted(rows):
        if nth is None or nth == seen:
            return _fault(json.loads(document), "stored fault")
    return None


def _document(fault: Fault) -> dict[str, Any]:
    return {
        "operation": fault.operation,
        "effect": fault.effect.value,
        "seconds": fault.seconds,
        "code": fault.code,
        **{
            name: value
            for name, value in (("nth", fault.nth), ("status", fault.status), ("body", fault.body))
            if value is not None
        },
    }


def _fault(item: object, place: str) -> Fault:
    if not isinstance(item, Mapping):
        raise FaultError(f"{place}: a mapping is expected")
    unknown = sorted(map(str, item.keys() - _FIELDS))
    if unknown:
        raise FaultError(f"{place}: unknown field {', '.join(unknown)}")
    effects = [effect.value for effect in Effect]
    if item.get("effect") not in effects:
        raise FaultError(f"{place}.effect: one of {', '.join(effects)} is expected")
    operation = _text(item, "operation", place)
    if not operation:
        raise FaultError(f"{place}.operation: the name of an operation is expected")
    return Fault(
        operation=operation,
        effect=Effect(item["effect"]),
        nth=_number(item, "nth", place, low=1, high=2**31),
        seconds=_seconds(item, place),
        status=_status(item, place),
        code=_text(item, "code", place),
        body=_text(item, "body", place) if "body" in item else None,
    )


def _text(item: Mapping[str, Any], name: str, place: str) -> str:
    value = item.get(name, "")
    if not isinstance(value, str):
        raise FaultError(f"{place}.{name}: text is expected")
    return value


def _number(item: Mapping[str, Any], name: str, place: str, *, low: int, high: int) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise FaultError(f"{place}.{name}: a whole number from {low} to {high} is expected")
    return value


def _status(item: Mapping[str, Any], place: str) -> int | None:
    status = _number(item, "status", place, low=_LOWEST_STATUS, high=_HIGHEST_STATUS)
    if status in _BODILESS:
        raise FaultError(f"{place}.status: {status} has no body, and a fault's answer has one")
    return status


def _seconds(item: Mapping[str, Any], place: str) -> float:
    value = item.get("seconds", 0)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise FaultError(f"{place}.seconds: a number is expected")
    if not 0 <= value <= _LONGEST_DELAY:
        raise FaultError(f"{place}.seconds: a number from 0 to {_LONGEST_DELAY:.0f} is expected")
    return float(value)
