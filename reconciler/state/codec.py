"""Rows to values and back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import RowMapping

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.canonical import canonical_json
from reconciler.model.dates import DateRange
from reconciler.model.durations import Took
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Series, series_from_document

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


def to_millis(moment: dt.datetime) -> int:
    """Milliseconds since 1970 UTC, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> dt.datetime:
    """The aware UTC moment of a number of milliseconds since 1970."""
    return _EPOCH + millis * _MILLISECOND


class Unsound(Exception):
    """Something on record is damaged; the text says what. `Database` says where, and what to do."""


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Say which record is damaged, whatever reading it raises."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Unsound(f"{what} cannot be read") from error


def coverage_text(coverage: RangeMap[UnitRecord]) -> str:
    """The JSON of a coverage, one element per stretch."""
    return canonical_json(
        [[str(dates), record.status.value, record.gone] for dates, record in coverage]
    )


def run_ids_text(run_ids: tuple[str, ...]) -> str:
    """The JSON of a run's ids."""
    return canonical_json(list(run_ids))


def attempt_columns(attempt: Attempt) -> dict[str, object]:
    """The columns of `attempt` that say what it is and how far it is."""
    return {
        "attempt_id": attempt.id,
        "number": attempt.number,
        "address": str(attempt.address),
        "connection": attempt.connection,
        "operation": attempt.operation,
        "subject": attempt.subject,
        "series": attempt.series,
        "generation": attempt.generation,
        "start_date": attempt.dates.start.isoformat(),
        "end_date": attempt.dates.end.isoformat(),
        "call_id": attempt.call_id,
        "plan_id": attempt.plan_id,
        "name": attempt.name,
        "state": attempt.state.value,
        "serial_call": attempt.serial,
        "adopted": attempt.adopted,
        "created_at": to_millis(attempt.created_at),
        "signed_at": _maybe_millis(attempt.signed_at),
        "valid_until": _maybe_millis(attempt.valid_until),
        "code": attempt.code,
        "message": attempt.message,
        "transient": attempt.transient,
        "request_id": attempt.request_id,
        "run_ids": run_ids_text(attempt.run_ids),
        "run_group": attempt.run_group,
        "coverage": coverage_text(attempt.coverage),
        "took": _took_text(attempt.took),
    }


def attempt_of_row(row: RowMapping | Mapping[str, object]) -> Attempt:
    """The attempt of one row of the `attempt` table.

    Raises:
        Unsound: It cannot be read.
    """
    cell: Mapping[str, object] = dict(row)
    with readable(f"attempt {cell['attempt_id']}"):
        return _attempt_of(cell)


def series_of_row(row: RowMapping | Mapping[str, object]) -> Series:
    """The series of one row of the `series` table.

    Raises:
        Unsound: It cannot be read, or is not what its fingerprint stands for.
    """
    fingerprint = str(row["fingerprint"])
    with readable(f"series {fingerprint}"):
        series = series_from_document(json.loads(str(row["document"])))
    if series.fingerprint != fingerprint:
        raise Unsound(f"series {fingerprint} does not match its fingerprint")
    return series


def _attempt_of(cell: Mapping[str, object]) -> Attempt:
    return Attempt(
        id=str(cell["attempt_id"]),
        number=integer(cell["number"]),
        address=Address.parse(str(cell["address"])),
        connection=str(cell["connection"]),
        operation=str(cell["operation"]),
        subject=str(cell["subject"]),
        series=str(cell["series"]),
        generation=integer(cell["generation"]),
        dates=DateRange(
            dt.date.fromisoformat(str(cell["start_date"])),
            dt.date.fromisoformat(str(cell["end_date"])),
        ),
        call_id=str(cell["call_id"]),
        plan_id=str(cell["plan_id"]),
        name=str(cell["name"]),
        state=AttemptState(cell["state"]),
        serial=bool(cell["serial_call"]),
        adopted=bool(cell["adopted"]),
        created_at=from_millis(integer(cell["created_at"])),
        signed_at=_maybe_moment(cell["signed_at"]),
        valid_until=_maybe_moment(cell["valid_until"]),
        code=_maybe_text(cell["code"]),
        message=_maybe_text(cell["message"]),
        transient=bool(cell["transient"]),
        request_id=_maybe_text(cell["request_id"]),
        run_ids=tuple(json.loads(str(cell["run_ids"]))),
        run_group=_maybe_text(cell["run_group"]),
        coverage=_coverage(str(cell["coverage"])),
        # Older formats do not have it.
        took=_took(cell.get("took")),
        stamp=stamp_of(cell),
    )


def stamp_of(cell: Mapping[str, object]) -> str:
    """What an observation rests on: state, dates, runs and what was seen of them."""
    names = ("state", "start_date", "end_date", "run_ids", "run_group", "coverage")
    return "|".join(str(cell[name]) for name in names)


def _coverage(text: str) -> RangeMap[UnitRecord]:
    return RangeMap.of(
        (DateRange.parse(dates), UnitRecord(UnitStatus(status), gone))
        for dates, status, gone in json.loads(text)
    )


def _took_text(took: Took | None) -> str | None:
    if took is None:
        return None
    return canonical_json([took.dates, took.least, took.most, took.total])


def _took(text: object) -> Took | None:
    if text is None:
        return None
    dates, least, most, total = map(integer, json.loads(str(text)))
    return Took(dates=dates, least=least, most=most, total=total)


def integer(value: object) -> int:
    """A cell that has to be a whole number.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, int):
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _maybe_text(value: object) -> str | None:
    return None if value is None else str(value)


def _maybe_millis(moment: dt.datetime | None) -> int | None:
    return None if moment is None else to_millis(moment)


def _maybe_moment(value: object) -> dt.datetime | None:
    return None if value is None else from_millis(integer(value))
