"""The state store on SQLAlchemy Core: reading snapshots, and writing under a lease."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, insert, inspect, select, update
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.calls import Prepared
from reconciler.model.canonical import canonical_json
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import StateError, StateMissing, UnsupportedFormat
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.plan import Adoption
from reconciler.model.seams import IdSource
from reconciler.model.series import Series, series_from_document
from reconciler.model.state import Actor, Intent, JournalEntry, Lease, LockInfo
from reconciler.state import journal as journal_table
from reconciler.state import lock
from reconciler.state.codec import (
    attempt_columns,
    attempt_of_row,
    coverage_text,
    run_ids_text,
    to_millis,
)
from reconciler.state.schema import FORMAT, attempt, metadata, series, stack, usage
from reconciler.state.transitions import move

#: How long a lease lasts unless it is renewed.
LEASE_MILLIS = 60_000


class SqlStore:
    """One project's state in one database.

    Reads are snapshots. Writes take the `Lease` of their holder and fail with `FenceLost` once it has
    been taken over; observations take none, since they add nothing that a call could rest on alone.
    """

    def __init__(self, engine: Engine, *, stack_id: str, actor: Actor, ids: IdSource) -> None:
        """Use an open engine; `stack_id` is the project's name."""
        self._engine = engine
        self._stack_id = stack_id
        self._actor = actor
        self._ids = ids

    def create(self, *, plan_id: str | None = None) -> None:
        """Make the tables and this project's row, unless they are there. Idempotent.

        `plan_id` names the plan for whose apply the store is made: made without a store, that plan
        belongs to this one.
        """
        with self._writing() as connection:
            metadata.create_all(connection)
            known = connection.execute(
                select(stack.c.stack_id).where(stack.c.stack_id == self._stack_id)
            ).first()
            if known is None:
                lineage = self._ids.token(26)
                connection.execute(
                    insert(stack).values(
                        stack_id=self._stack_id, lineage=lineage, format=FORMAT, serial=0, fence=0
                    )
                )
                self._note(connection, fence=0, event="created", data={"plan": plan_id})

    def check(self) -> None:
        """Make sure that the store is whole, ours, and of a format we know.

        Raises:
            StateMissing: No store, or none of this project.
            UnsupportedFormat: A newer version wrote it.
            StateError: The file is damaged or no database.
        """
        with self._reading() as connection:
            if not inspect(connection).has_table(stack.name):
                raise StateMissing("there is no state store yet")
            row = connection.execute(
                select(stack.c.format).where(stack.c.stack_id == self._stack_id)
            ).first()
        if row is None:
            raise StateMissing(f"the state store holds nothing of project {self._stack_id}")
        if row.format > FORMAT:
            raise UnsupportedFormat(
                f"the state store has format {row.format}; this version knows up to {FORMAT}",
                hint="upgrade reconciler",
            )

    def snapshot(self) -> RecordedState:
        """Everything on record, as of one moment."""
        with self._reading() as connection:
            head = connection.execute(
                select(stack.c.lineage, stack.c.serial).where(stack.c.stack_id == self._stack_id)
            ).one()
            rows = connection.execute(
                select(attempt)
                .where(attempt.c.stack_id == self._stack_id)
                .order_by(attempt.c.number)
            ).mappings()
            attempts = tuple(map(attempt_of_row, rows))
            known = {
                row.fingerprint: series_from_document(json.loads(row.document))
                for row in connection.execute(select(series))
            }
        return RecordedState(
            lineage=head.lineage, serial=head.serial, attempts=attempts, series=known
        )

    def journal(self) -> tuple[JournalEntry, ...]:
        """All entries of the journal, oldest first."""
        with self._reading() as connection:
            return tuple(journal_table.entries(connection, self._stack_id))

    def created_for(self) -> str | None:
        """The id of the plan for whose apply the store was made, or None."""
        first = next(iter(self.journal()), None)
        plan_id = first.data.get("plan") if first is not None else None
        return str(plan_id) if plan_id else None

    def lock_info(self) -> LockInfo | None:
        """Who holds the lock, or None."""
        with self._reading() as connection:
            return lock.current(connection, self._stack_id)

    def acquire(self) -> Lease:
        """Take the lock; intents that a holder before us left behind have sent nothing and become void.

        Raises:
            LockHeld: Someone else has it.
        """
        with self._writing() as connection:
            lease = lock.acquire(
                connection,
                stack_id=self._stack_id,
                lock_id=self._ids.token(12),
                holder=self._actor.who,
                ttl_millis=LEASE_MILLIS,
            )
            left = connection.execute(
                select(attempt.c.attempt_id).where(
                    attempt.c.stack_id == self._stack_id,
                    attempt.c.state == AttemptState.INTENT.value,
                )
            ).scalars()
            for attempt_id in left.all():
                move(connection, attempt_id, AttemptState.VOID, {})
                self._note(
                    connection, fence=lease.fence, event="void", data={"attempt": attempt_id}
                )
        return lease

    def renew(self, lease: Lease) -> None:
        """Prolong the lease."""
        with self._writing() as connection:
            lock.renew(connection, stack_id=self._stack_id, lease=lease, ttl_millis=LEASE_MILLIS)

    def release(self, lease: Lease) -> None:
        """Give the lock back."""
        with self._writing() as connection:
            lock.release(connection, stack_id=self._stack_id, lease=lease)

    def begin(self, lease: Lease, intent: Intent) -> Attempt:
        """Record a call about to be made, before anything is signed.

        Raises:
            StateError: Another attempt on these units may still run, or this very call already went out.
        """
        with self._guarded(lease) as connection:
            self._refuse_overlap(connection, intent)
            self._refuse_second_send(connection, intent)
            self._know_series(connection, intent.series)
            begun = Attempt(
                id=self._ids.token(20),
                number=self._next_number(connection),
                address=intent.address,
                connection=intent.connection,
                operation=intent.operation,
                subject=intent.series.subject.fingerprint,
                series=intent.series.fingerprint,
                generation=intent.generation,
                dates=intent.dates,
                call_id=intent.call_id,
                plan_id=intent.plan_id,
                name=intent.name,
                state=AttemptState.INTENT,
                serial=intent.serial,
                created_at=intent.created_at,
            )
            self._insert(connection, begun, lease)
            self._note(
                connection,
                fence=lease.fence,
                event="intent",
                data={
                    "attempt": begun.id,
                    "unit": f"{begun.address}@{begun.dates}",
                    "call": begun.call_id,
                    "plan": begun.plan_id,
                    "operation": begun.operation,
                    "name": begun.name,
                },
            )
        return begun

    def mark_sent(self, lease: Lease, attempt_id: str, prepared: Prepared) -> None:
        """Record, durably, that a signed request is about to leave.

        Raises:
            StateError: The intent was voided meanwhile: the request must be dropped.
        """
        with self._guarded(lease) as connection:
            move(
                connection,
                attempt_id,
                AttemptState.SENT,
                {
                    "signed_at": to_millis(prepared.signed_at),
                    "valid_until": to_millis(prepared.valid_until),
                    "request_digest": prepared.request_digest,
                },
            )
            self._note(connection, fence=lease.fence, event="sent", data={"attempt": attempt_id})

    def settle(self, lease: Lease, attempt_id: str, outcome: CreateOutcome) -> None:
        """Record what became of a call."""
        state, columns = _outcome_columns(outcome)
        with self._guarded(lease) as connection:
            move(connection, attempt_id, state, columns)
            self._note(
                connection,
                fence=lease.fence,
                event=state.value,
                data={"attempt": attempt_id, **{k: v for k, v in columns.items() if v}},
            )

    def adopt(
        self, lease: Lease, adoption: Adoption, of_series: Series, *, at: dt.datetime, plan_id: str
    ) -> None:
        """Record a run of ours that was found: the attempt that sent it, or a new one if none is known.

        What became of its dates is left to the next observation, which also checks for hollow success.
        """
        hull = adoption.run.dates.hull
        assert hull is not None  # noqa: S101 - a found run has dates
        with self._guarded(lease) as connection:
            open_attempt = self._open_attempt(connection, adoption)
            if open_attempt is not None:
                state, columns = _outcome_columns(
                    Accepted(run_ids=adoption.run.run_ids, request_id=open_attempt.request_id)
                )
                move(
                    connection,
                    open_attempt.id,
                    state,
                    {**columns, "run_group": adoption.run.run_group},
                )
                attempt_id = open_attempt.id
            else:
                attempt_id = self._insert_adopted(
                    connection, adoption, of_series, hull, at=at, plan_id=plan_id, lease=lease
                )
            self._note(
                connection,
                fence=lease.fence,
                event="adopted",
                data={
                    "attempt": attempt_id,
                    "unit": f"{adoption.address}@{hull}",
                    "name": adoption.run.name,
                    "run_ids": list(adoption.run.run_ids),
                },
            )

    def mark_absent(self, lease: Lease, attempt_id: str, proof: str) -> None:
        """Record that a call of unknown outcome is proved not to have run."""
        with self._guarded(lease) as connection:
            move(connection, attempt_id, AttemptState.ABSENT, {})
            self._note(
                connection,
                fence=lease.fence,
                event="absent",
                data={"attempt": attempt_id, "proof": proof},
            )

    def observe(self, attempts: Iterable[Attempt], *, at: dt.datetime) -> None:
        """Record how far attempts are, as planning worked it out; the serial does not move.

        An observation older than the one on record is dropped.
        """
        moment = to_millis(at)
        with self._writing() as connection:
            for seen in attempts:
                connection.execute(
                    update(attempt)
                    .where(attempt.c.attempt_id == seen.id)
                    .where(
                        attempt.c.state.in_(
                            [AttemptState.ACCEPTED.value, AttemptState.PARTIAL.value]
                        )
                    )
                    .where(attempt.c.observed_at.is_(None) | (attempt.c.observed_at <= moment))
                    .values(
                        state=seen.state.value,
                        run_ids=run_ids_text(seen.run_ids),
                        run_group=seen.run_group,
                        coverage=coverage_text(seen.coverage),
                        observed_at=moment,
                    )
                )

    def count_calls(self, connection_name: str, day: dt.date, calls: int) -> None:
        """Add to a connection's count of API calls on a day."""
        key = {"stack_id": self._stack_id, "connection": connection_name, "day": day.isoformat()}
        with self._writing() as connection:
            where = [usage.c[name] == value for name, value in key.items()]
            counted = connection.execute(
                update(usage).where(*where).values(calls=usage.c.calls + calls)
            ).rowcount
            if not counted:
                connection.execute(insert(usage).values(**key, calls=calls))

    def calls_on(self, connection_name: str, day: dt.date) -> int:
        """How many API calls were counted for a connection on a day."""
        with self._reading() as connection:
            found = connection.execute(
                select(usage.c.calls).where(
                    usage.c.stack_id == self._stack_id,
                    usage.c.connection == connection_name,
                    usage.c.day == day.isoformat(),
                )
            ).scalar()
        return int(found or 0)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _database_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _database_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _guarded(self, lease: Lease) -> Iterator[Connection]:
        with self._writing() as connection:
            lock.guard(connection, stack_id=self._stack_id, lease=lease)
            yield connection

    def _note(
        self, connection: Connection, *, fence: int, event: str, data: dict[str, object]
    ) -> None:
        journal_table.append(
            connection,
            stack_id=self._stack_id,
            fence=fence,
            at=lock.database_now(connection),
            actor=self._actor,
            event=event,
            data=data,
        )

    def _refuse_overlap(self, connection: Connection, intent: Intent) -> None:
        rows = connection.execute(
            select(attempt).where(
                attempt.c.stack_id == self._stack_id,
                attempt.c.subject == intent.series.subject.fingerprint,
                attempt.c.start_date < intent.dates.end.isoformat(),
                attempt.c.end_date > intent.dates.start.isoformat(),
            )
        ).mappings()
        for other in map(attempt_of_row, rows):
            open_dates = _may_still_run(other) & DateSet((intent.dates,))
            if open_dates:
                raise StateError(
                    f"{intent.address}@{open_dates}: attempt {other.id} "
                    f"({other.state.value}) may still run there",
                    hint="run plan again",
                )

    def _refuse_second_send(self, connection: Connection, intent: Intent) -> None:
        rows = connection.execute(
            select(attempt).where(
                attempt.c.stack_id == self._stack_id, attempt.c.call_id == intent.call_id
            )
        ).mappings()
        if any(not other.state.never_ran for other in map(attempt_of_row, rows)):
            raise StateError(f"call {intent.call_id} has been sent before; it is never sent twice")

    def _know_series(self, connection: Connection, of_series: Series) -> None:
        known = connection.execute(
            select(series.c.fingerprint).where(series.c.fingerprint == of_series.fingerprint)
        ).first()
        if known is None:
            connection.execute(
                insert(series).values(
                    fingerprint=of_series.fingerprint,
                    document=canonical_json(of_series.document()),
                )
            )

    def _next_number(self, connection: Connection) -> int:
        highest = connection.execute(
            select(func.max(attempt.c.number)).where(attempt.c.stack_id == self._stack_id)
        ).scalar()
        return int(highest or 0) + 1

    def _insert(self, connection: Connection, new: Attempt, lease: Lease) -> None:
        connection.execute(
            insert(attempt).values(
                **attempt_columns(new), stack_id=self._stack_id, fence=lease.fence
            )
        )

    def _open_attempt(self, connection: Connection, adoption: Adoption) -> Attempt | None:
        rows = connection.execute(
            select(attempt).where(
                attempt.c.stack_id == self._stack_id, attempt.c.call_id == adoption.call_id
            )
        ).mappings()
        return next(
            (
                known
                for known in map(attempt_of_row, rows)
                if known.series == adoption.series and known.state.unresolved
            ),
            None,
        )

    def _insert_adopted(
        self,
        connection: Connection,
        adoption: Adoption,
        of_series: Series,
        hull: DateRange,
        *,
        at: dt.datetime,
        plan_id: str,
        lease: Lease,
    ) -> str:
        self._know_series(connection, of_series)
        found = adoption.run
        new = Attempt(
            id=self._ids.token(20),
            number=self._next_number(connection),
            address=adoption.address,
            connection=adoption.connection,
            operation="adopt",
            subject=of_series.subject.fingerprint,
            series=of_series.fingerprint,
            generation=adoption.generation,
            dates=hull,
            call_id=adoption.call_id,
            plan_id=plan_id,
            name=found.name or "",
            state=AttemptState.ACCEPTED,
            adopted=True,
            created_at=at,
            signed_at=found.created_at,
            run_ids=found.run_ids,
            run_group=found.run_group,
        )
        self._insert(connection, new, lease)
        return new.id


def _may_still_run(known: Attempt) -> DateSet:
    """The dates of an attempt on which nothing else may be started."""
    whole = DateSet((known.dates,))
    if known.state.never_ran:
        return DateSet()
    if known.state in {AttemptState.ACCEPTED, AttemptState.PARTIAL}:
        settled = known.coverage.where(lambda seen: seen.gone or not seen.status.in_flight)
        return whole - settled
    return whole


def _outcome_columns(outcome: CreateOutcome) -> tuple[AttemptState, dict[str, object]]:
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


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise StateError(f"the state database refused: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StateError(f"the state database failed: {error}") from error
