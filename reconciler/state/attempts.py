"""Rows of the `attempt` table: reading and writing them in a caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, func, select, text

from reconciler.model.attempts import BY_HAND, Attempt, AttemptState, UnitRecord
from reconciler.model.canonical import canonical_json
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import AGAIN, StateMoved, UnitsTaken
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.seams import IdSource
from reconciler.model.series import Series
from reconciler.model.state import Closing, Intent
from reconciler.state.codec import (
    Unsound,
    attempt_columns,
    attempt_of_row,
    run_ids_text,
    series_of_row,
    stamp_of,
)
from reconciler.state.record import Record, Row
from reconciler.state.schema import attempt, series
from reconciler.state.transitions import move

#: Length of an attempt's id, in base32 characters.
ATTEMPT_ID_LENGTH = 20

#: Attempts in these states have runs that can be observed; an observation moves between them.
_OBSERVABLE = {AttemptState.ACCEPTED.value, AttemptState.PARTIAL.value}

_SUCCEEDED = {UnitStatus.SUCCESS, UnitStatus.HOLLOW}

#: What an observation writes.
_OBSERVED = ("state", "run_ids", "run_group", "coverage", "took")

#: A person has spoken: nothing of ours is waited for any more.
_CLOSED = {AttemptState.SETTLED, AttemptState.REQUESTED, AttemptState.FORGOTTEN}


def attempts_of_rows(rows: Iterable[Row]) -> tuple[Attempt, ...]:
    """Attempts by number, and those that were split by date by date."""
    found = map(attempt_of_row, rows)
    return tuple(sorted(found, key=lambda one: (one.number, one.dates.start)))


def all_series(connection: Connection, attempts: Iterable[Attempt]) -> dict[str, Series]:
    """What every fingerprint on record stands for.

    Raises:
        Unsound: One cannot be read, or that of an attempt is missing.
    """
    rows = connection.execute(select(series)).mappings()
    known = {one.fingerprint: one for one in map(series_of_row, rows)}
    for one in attempts:
        if one.series not in known:
            raise Unsound(f"series {one.series} of attempt {one.id} is missing")
    return known


def attempt_by_id(record: Record, attempt_id: str) -> Attempt:
    """One attempt.

    Raises:
        StateError: There is none of that id.
    """
    return attempt_of_row(_row_of(record, attempt_id))


def _row_of(record: Record, attempt_id: str) -> Row:
    found = record.rows(attempt, attempt.c.attempt_id == attempt_id)
    if not found:
        raise StateMoved(f"there is no attempt {attempt_id}", hint=AGAIN)
    return found[0]


def attempts_of_call(record: Record, call_id: str) -> tuple[Attempt, ...]:
    """Every try of one call."""
    return attempts_of_rows(record.rows(attempt, attempt.c.call_id == call_id))


def insert_attempt(record: Record, new: Attempt) -> None:
    """Write a new attempt, under the fence of whoever writes it."""
    record.insert(attempt, {**attempt_columns(new), "fence": record.head.fence})


def write_observation(record: Record, seen: Attempt, *, moment: int) -> None:
    """Write how far an attempt is, unless what is on record is not what `seen` was made of any more.

    `moment` is for people: the clocks of those who observe may differ, so that no order follows from it.
    """
    for row in record.rows(attempt, attempt.c.attempt_id == seen.id):
        # Without a stamp it was made in this process, and has just been sent.
        made_of_this = stamp_of(row) == seen.stamp if seen.stamp else row["observed_at"] is None
        if made_of_this and row["state"] in _OBSERVABLE:
            columns = attempt_columns(seen)
            changing = {name: columns[name] for name in _OBSERVED}
            record.change(attempt, row, {**changing, "observed_at": moment})


def mark_stopped(record: Record, attempt_id: str, dates: DateSet) -> None:
    """Write that runs of an attempt were stopped, over what may have been seen of it meanwhile.

    A failure is what a stop looks like to whoever reads the service; a success came before it.
    """
    row = _row_of(record, attempt_id)
    known = attempt_of_row(row)
    succeeded = known.coverage.where(lambda seen: seen.status in _SUCCEEDED)
    marks = RangeMap.constant(dates - succeeded, UnitRecord(UnitStatus.STOPPED))
    stopped = replace(known, coverage=known.coverage.overlaid(marks))
    record.change(attempt, row, {"coverage": attempt_columns(stopped)["coverage"]})


def next_number(record: Record) -> int:
    """The number of the next attempt, from 1."""
    highest = record.connection.execute(
        select(func.max(attempt.c.number)).where(attempt.c.stack_id == record.stack_id)
    ).scalar()
    return int(highest or 0) + 1


def know_series(connection: Connection, of_series: Series) -> None:
    """Write down what a fingerprint stands for, once."""
    document = canonical_json(of_series.document())
    # Another project in the same database may be writing it at this moment.
    connection.execute(
        text(
            "INSERT INTO series (fingerprint, document) VALUES (:fingerprint, :document) "
            "ON CONFLICT (fingerprint) DO NOTHING"
        ),
        {"fingerprint": of_series.fingerprint, "document": document},
    )


def refuse_overlap(record: Record, intent: Intent) -> None:
    """Refuse an intent on units where something may still run.

    Raises:
        UnitsTaken: Naming the attempt in the way.
    """
    rows = record.rows(
        attempt,
        attempt.c.subject == intent.series.subject.fingerprint,
        attempt.c.start_date < intent.dates.end.isoformat(),
        attempt.c.end_date > intent.dates.start.isoformat(),
    )
    for other in map(attempt_of_row, rows):
        open_dates = _may_still_run(other) & DateSet((intent.dates,))
        if open_dates:
            raise UnitsTaken(
                f"{intent.address}@{open_dates}: attempt {other.id} ({other.state.value}) "
                "may still run there",
                hint="run plan again",
            )


def refuse_second_send(record: Record, intent: Intent) -> None:
    """Refuse a call that went out before and is not proved to have done nothing.

    Raises:
        UnitsTaken: It did.
    """
    tries = attempts_of_call(record, intent.call_id)
    if any(not other.state.never_ran for other in tries):
        raise UnitsTaken(
            f"call {intent.call_id} has been sent before; it is never sent twice",
            hint="run plan again",
        )


def _may_still_run(known: Attempt) -> DateSet:
    """The dates of an attempt on which nothing else may be started."""
    whole = DateSet((known.dates,))
    if known.state.never_ran or known.state in _CLOSED:
        return DateSet()
    if known.state in {AttemptState.ACCEPTED, AttemptState.PARTIAL}:
        settled = known.coverage.where(lambda seen: seen.gone or not seen.status.in_flight)
        return whole - settled
    return whole


def close_dates(
    record: Record, known: Attempt, closing: Closing, *, ids: IdSource
) -> tuple[str, ...]:
    """Give some dates of an attempt another state; the others stay as they are.

    An attempt's dates are one range, so what is left of it, and what leaves it, may become attempts of
    their own: the same call, told apart by date.

    Returns:
        The ids of the attempt and of those that were made of it.

    Raises:
        UnitsTaken: What became of the call on some of the dates does not allow it, or they are not its.
    """
    whole = DateSet((known.dates,))
    allowed = _unclear(known)
    if closing.state is AttemptState.FORGOTTEN:
        forgotten = known.state is AttemptState.FORGOTTEN
        allowed = DateSet() if forgotten else whole - _may_still_run(known)
    if not closing.dates or closing.dates - allowed:
        raise UnitsTaken(
            f"attempt {known.id} ({known.state.value}) cannot become {closing.state.value} "
            f"on {closing.dates}",
            hint=AGAIN,
        )
    left = whole - closing.dates
    if not left:
        closed = _closed(known, known.dates, closing)
        columns = attempt_columns(closed)
        names = ("run_ids", "run_group", "coverage", "code", "message")
        changing = {name: columns[name] for name in names}
        move(record, known.id, closing.state, changing)
        return (known.id,)
    first, *others = left.ranges
    pieces = [_part(known, dates) for dates in others]
    pieces.extend(_closed(known, dates, closing) for dates in closing.dates)
    touched = [known.id]
    for piece in pieces:
        # The number stays: what is split off was not sent later than what came after it.
        sibling = replace(piece, id=ids.token(ATTEMPT_ID_LENGTH))
        insert_attempt(record, sibling)
        touched.append(sibling.id)
    columns = attempt_columns(_part(known, first))
    changing = {name: columns[name] for name in ("start_date", "end_date", "coverage", "took")}
    record.change(attempt, _row_of(record, known.id), changing)
    return tuple(touched)


def _part(known: Attempt, dates: DateRange) -> Attempt:
    coverage = known.coverage.restricted(DateSet((dates,)))
    # How long its dates took is not known one by one, so no part of them has it.
    return replace(known, dates=dates, coverage=coverage, took=None)


def _closed(known: Attempt, dates: DateRange, closing: Closing) -> Attempt:
    part = replace(_part(known, dates), state=closing.state)
    if closing.state is AttemptState.FORGOTTEN:
        return part
    if closing.run is not None:
        run = closing.run
        return replace(
            part,
            run_ids=run.run_ids,
            run_group=run.run_group,
            coverage=RangeMap(),
            code=None,
            message=None,
        )
    # It had no runs on these dates that we know of; what a person saw is all there is.
    seen = closing.seen
    coverage = part.coverage if seen is None else RangeMap.constant(DateSet((dates,)), seen)
    closed = replace(part, run_ids=(), run_group=None, coverage=coverage)
    return closed if closing.why is None else replace(closed, code=BY_HAND, message=closing.why)


def _unclear(known: Attempt) -> DateSet:
    """The dates of an attempt on which nobody knows what became of it."""
    match known.state:
        case AttemptState.SENT | AttemptState.UNKNOWN:
            return DateSet((known.dates,))
        case AttemptState.PARTIAL:
            return DateSet((known.dates,)) - known.coverage.dates
        case _:
            return DateSet()


def settle_found(
    record: Record, known: Attempt, run_ids: tuple[str, ...], run_group: str | None
) -> None:
    """Record that an unresolved attempt's runs were found; ids that were known stay known."""
    both = tuple(dict.fromkeys((*known.run_ids, *run_ids)))
    state, columns = outcome_columns(Accepted(run_ids=both, request_id=known.request_id))
    move(record, known.id, state, {**columns, "run_group": run_group or known.run_group})


def outcome_columns(outcome: CreateOutcome) -> tuple[AttemptState, dict[str, object]]:
    """The state an outcome leads to, and the columns that say what was answered."""
    match outcome:
        case Accepted():
            return AttemptState.ACCEPTED, {
                "run_ids": run_ids_text(outcome.run_ids),
                "request_id": outcome.request_id,
            }
        case Refused():
            return AttemptState.REFUSED, {
                "code": outcome.code,
                "message": outcome.message,
                "transient": outcome.transient,
                "request_id": outcome.request_id,
            }
        case Unknown():
            return AttemptState.UNKNOWN, {
                "code": outcome.code,
                "message": outcome.cause,
                "request_id": outcome.request_id,
            }


def outcome_data(outcome: CreateOutcome) -> dict[str, object]:
    """What an outcome says, for the journal; what it does not say is left out."""
    _, columns = outcome_columns(outcome)
    said = {name: value for name, value in columns.items() if value}
    if isinstance(outcome, Accepted):
        said["run_ids"] = list(outcome.run_ids)
    return said


def standing_of(connection: Connection, attempt_ids: Iterable[str]) -> dict[str, str]:
    """How attempts stand, for the journal and whoever verifies it: state and dates, by id."""
    rows = connection.execute(
        select(attempt.c.attempt_id, attempt.c.state, attempt.c.start_date, attempt.c.end_date)
        .where(attempt.c.attempt_id.in_(tuple(attempt_ids)))
        .order_by(attempt.c.attempt_id)
    )
    return {row.attempt_id: standing(row.state, row.start_date, row.end_date) for row in rows}


def standing(state: str, start: str, end: str) -> str:
    """State and dates in one text. An accepted call becomes partial, and back, without a word."""
    known = AttemptState.ACCEPTED.value if state == AttemptState.PARTIAL.value else state
    return f"{known} {start}/{end}"
