"""The state store on SQLAlchemy Core: reading snapshots, and writing under a lease."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, insert, inspect, select, update

from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.calls import Prepared
from reconciler.model.dates import DateSet
from reconciler.model.errors import StateMissing, UnsupportedFormat
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.plan import Adoption
from reconciler.model.seams import IdSource
from reconciler.model.series import Series
from reconciler.model.state import (
    Actor,
    Closing,
    Intent,
    JournalEntry,
    Lease,
    LockInfo,
    Ruling,
    attempts_named,
)
from reconciler.model.steps import Durable, Steps, Unwatched
from reconciler.state import journal as journal_table
from reconciler.state import lock, migrations
from reconciler.state.adopting import record_found, settle_tries
from reconciler.state.attempts import (
    ATTEMPT_ID_LENGTH,
    all_attempts,
    all_series,
    attempt_by_id,
    close_dates,
    every_attempt,
    insert_attempt,
    know_series,
    next_number,
    outcome_columns,
    outcome_data,
    refuse_overlap,
    refuse_second_send,
    rests_on_record,
    standing_of,
)
from reconciler.state.codec import (
    coverage_text,
    run_ids_text,
    to_millis,
)
from reconciler.state.counters import add_calls, calls_on, set_tags, surviving_tags
from reconciler.state.database import Database
from reconciler.state.rulings import write_ruling
from reconciler.state.schema import FORMAT, attempt, metadata, stack
from reconciler.state.transitions import move
from reconciler.state.verifying import verify

#: How long a lease lasts unless it is renewed.
LEASE_MILLIS = 60_000

#: The first format that knows which workspaces return our tags whole.
_FORMAT_WITH_TAGS = 2

#: Attempts in these states have runs that can be observed; an observation moves between them.
_OBSERVABLE = (AttemptState.ACCEPTED, AttemptState.PARTIAL)


class SqlStore:
    """One project's state in one database.

    Reads are snapshots. Writes take the `Lease` of their holder and fail with `FenceLost` once it has
    been taken over; observations take none, since they add nothing that a call could rest on alone.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        stack_id: str,
        actor: Actor,
        ids: IdSource,
        steps: Steps | None = None,
    ) -> None:
        """Use an open engine; `stack_id` is the project's name. `steps` is told of each durable step."""
        self._database = Database(engine, steps or Unwatched())
        self._stack_id = stack_id
        self._actor = actor
        self._ids = ids

    def create(self, *, plan_id: str | None = None) -> None:
        """Make the tables and this project's row, unless they are there. Idempotent.

        Tables of other projects may be there in an older format; they are upgraded first.

        `plan_id` names the plan for whose apply the store is made: made without a store, that plan
        belongs to this one.
        """
        self.upgrade()
        with self._database.writing(Durable.CREATE_STORE) as connection:
            lock.make_alone(connection)
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
        with self._database.reading() as connection:
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
        with self._database.reading() as connection:
            head = connection.execute(
                select(stack.c.lineage, stack.c.serial, stack.c.format).where(
                    stack.c.stack_id == self._stack_id
                )
            ).one()
            attempts = all_attempts(connection, self._stack_id)
            known = all_series(connection)
            tags = (
                surviving_tags(connection, self._stack_id)
                if head.format >= _FORMAT_WITH_TAGS
                else {}
            )
        return RecordedState(
            lineage=head.lineage,
            serial=head.serial,
            attempts=attempts,
            series=known,
            tags_survive=tags,
        )

    def upgrade(self) -> str | None:
        """Bring a store of an older format to this version's, after a backup.

        Returns:
            Where the backup lies, or None when nothing had to be done.

        Raises:
            StateError: It failed; the store is as it was.
        """
        return migrations.upgrade(self._database, self._actor)

    def journal(self) -> tuple[JournalEntry, ...]:
        """All entries of the journal, oldest first."""
        with self._database.reading() as connection:
            return tuple(journal_table.entries(connection, self._stack_id))

    def every_attempt(self) -> tuple[Attempt, ...]:
        """Every attempt, also those that a snapshot leaves out because they are forgotten."""
        with self._database.reading() as connection:
            return every_attempt(connection, self._stack_id)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the journal and the record, one line each; empty when nothing is."""
        with self._database.reading() as connection:
            entries = tuple(journal_table.entries(connection, self._stack_id))
            return tuple(
                verify(self._stack_id, entries, every_attempt(connection, self._stack_id))
            )

    def created_for(self) -> str | None:
        """The id of the plan for whose apply the store was made, or None."""
        first = next(iter(self.journal()), None)
        plan_id = first.data.get("plan") if first is not None else None
        return str(plan_id) if plan_id else None

    def lock_info(self) -> LockInfo | None:
        """Who holds the lock, or None."""
        with self._database.reading() as connection:
            return lock.current(connection, self._stack_id)

    def acquire(self) -> Lease:
        """Take the lock; intents that a holder before us left behind have sent nothing and become void.

        Raises:
            LockHeld: Someone else has it.
        """
        with self._database.writing(Durable.ACQUIRE) as connection:
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
        with self._database.writing(Durable.RENEW) as connection:
            lock.renew(connection, stack_id=self._stack_id, lease=lease, ttl_millis=LEASE_MILLIS)

    def release(self, lease: Lease) -> None:
        """Give the lock back."""
        with self._database.writing(Durable.RELEASE) as connection:
            lock.release(connection, stack_id=self._stack_id, lease=lease)

    def begin(self, lease: Lease, intent: Intent) -> Attempt:
        """Record a call about to be made, before anything is signed.

        Raises:
            StateError: Another attempt on these units may still run, or this very call already went out.
        """
        with self._guarded(lease, Durable.INTENT) as connection:
            refuse_overlap(connection, self._stack_id, intent)
            refuse_second_send(connection, self._stack_id, intent)
            know_series(connection, intent.series)
            begun = Attempt(
                id=self._ids.token(ATTEMPT_ID_LENGTH),
                number=next_number(connection, self._stack_id),
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
            insert_attempt(connection, self._stack_id, begun, fence=lease.fence)
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
        with self._guarded(lease, Durable.SENT) as connection:
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
        state, columns = outcome_columns(outcome)
        with self._guarded(lease, Durable.SETTLE) as connection:
            move(connection, attempt_id, state, columns)
            self._note(
                connection,
                fence=lease.fence,
                event=state.value,
                data={"attempt": attempt_id, **outcome_data(outcome)},
            )

    def adopt(
        self, lease: Lease, adoption: Adoption, of_series: Series, *, at: dt.datetime, plan_id: str
    ) -> None:
        """Record a run of ours that was found: the attempt that sent it, or a new one if none is known.

        What became of its dates is left to the next observation, which also checks for hollow success.
        """
        with self._guarded(lease, Durable.ADOPT) as connection:
            touched = settle_tries(connection, self._stack_id, adoption) or record_found(
                connection,
                self._stack_id,
                adoption,
                of_series,
                at=at,
                plan_id=plan_id,
                ids=self._ids,
                fence=lease.fence,
            )
            data: dict[str, object] = {
                "attempts": list(touched),
                "units": [f"{adoption.address}@{text}" for text in adoption.run.dates.texts()],
                "name": adoption.run.name,
                "run_ids": list(adoption.run.run_ids),
            }
            self._note(connection, fence=lease.fence, event="adopted", data=data)

    def mark_absent(self, lease: Lease, attempt_id: str, dates: DateSet, proof: str) -> None:
        """Record that a call of unknown outcome is proved not to have run on some of its dates."""
        with self._guarded(lease, Durable.ABSENT) as connection:
            known = attempt_by_id(connection, attempt_id)
            closing = Closing(attempt_id=attempt_id, dates=dates, state=AttemptState.ABSENT)
            touched = close_dates(
                connection, self._stack_id, known, closing, ids=self._ids, fence=lease.fence
            )
            data: dict[str, object] = {
                "attempts": list(touched),
                "dates": list(dates.texts()),
                "proof": proof,
            }
            self._note(connection, fence=lease.fence, event="absent", data=data)

    def rule(self, lease: Lease, ruling: Ruling) -> None:
        """Record what a person decided, all of it or nothing.

        Raises:
            StateError: An attempt has moved on since they looked.
        """
        with self._guarded(lease, Durable.RULING) as connection:
            touched = write_ruling(
                connection, self._stack_id, ruling, ids=self._ids, fence=lease.fence
            )
            data = {
                **ruling.data,
                "units": list(ruling.units),
                "reason": ruling.reason,
                "attempts": list(touched),
            }
            self._note(connection, fence=lease.fence, event=ruling.event, data=data)

    def unlock(self, lock_id: str, *, reason: str | None) -> None:
        """End somebody's lock, who can write nothing any more from then on.

        Raises:
            StateError: Nobody holds a lock of that id.
        """
        with self._database.writing(Durable.UNLOCK) as connection:
            holder = lock.current(connection, self._stack_id)
            fence = lock.break_open(connection, stack_id=self._stack_id, lock_id=lock_id)
            data: dict[str, object] = {
                "lock": lock_id,
                "holder": holder.holder if holder is not None else None,
                "reason": reason,
            }
            self._note(connection, fence=fence, event="unlocked", data=data)

    def note_tags(self, lease: Lease, home: str, *, survives: bool, name: str) -> None:
        """Record whether a name of ours was read back whole in a workspace (`Subject.home`).

        Once one came back altered, none is believed there any more.
        """
        with self._guarded(lease, Durable.TAGS) as connection:
            now = lock.database_now(connection)
            if not set_tags(connection, self._stack_id, home, survives=survives, now=now):
                return
            data: dict[str, object] = {"home": home, "survives": survives, "name": name}
            self._note(connection, fence=lease.fence, event="tags", data=data)

    def observe(self, attempts: Iterable[Attempt], *, at: dt.datetime) -> None:
        """Record how far attempts are, as planning worked it out; the serial does not move.

        An observation older than the one on record is dropped, and so is one that was made of an attempt
        which has changed since it was read: the next one starts from what is there.
        """
        moment = to_millis(at)
        with self._database.writing(Durable.OBSERVE) as connection:
            lock.queue(connection, self._stack_id)
            for seen in attempts:
                if seen.state not in _OBSERVABLE or not rests_on_record(connection, seen):
                    continue
                connection.execute(
                    update(attempt)
                    .where(attempt.c.attempt_id == seen.id)
                    .where(attempt.c.state.in_([state.value for state in _OBSERVABLE]))
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
        with self._database.writing(Durable.COUNT) as connection:
            lock.queue(connection, self._stack_id)
            add_calls(connection, self._stack_id, connection_name, day, calls)

    def calls_on(self, connection_name: str, day: dt.date) -> int:
        """How many API calls were counted for a connection on a day."""
        with self._database.reading() as connection:
            return calls_on(connection, self._stack_id, connection_name, day)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _guarded(self, lease: Lease, step: Durable) -> Iterator[Connection]:
        with self._database.writing(step) as connection:
            lock.guard(connection, stack_id=self._stack_id, lease=lease)
            yield connection

    def _note(
        self, connection: Connection, *, fence: int, event: str, data: dict[str, object]
    ) -> None:
        touched = attempts_named(data)
        if touched:
            data = {**data, "became": standing_of(connection, touched)}
        journal_table.append(
            connection,
            stack_id=self._stack_id,
            fence=fence,
            at=lock.database_now(connection),
            actor=self._actor,
            event=event,
            data=data,
        )
