"""The state store on SQLAlchemy Core: reading snapshots, and writing under a lease."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.calls import Prepared
from reconciler.model.dates import DateSet
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
    all_series,
    attempt_by_id,
    attempts_of_rows,
    close_dates,
    insert_attempt,
    know_series,
    next_number,
    outcome_columns,
    outcome_data,
    refuse_overlap,
    refuse_second_send,
    standing_of,
    write_observation,
)
from reconciler.state.codec import to_millis
from reconciler.state.counters import add_calls, calls_on, set_tags, surviving_tags
from reconciler.state.database import Database
from reconciler.state.head import make_head, refuse_nothing
from reconciler.state.record import Record
from reconciler.state.rulings import write_ruling
from reconciler.state.schema import attempt, metadata, stack, tag
from reconciler.state.transitions import move
from reconciler.state.verifying import verify

#: How long a lease lasts unless it is renewed.
LEASE_MILLIS = 60_000

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
                make_head(connection, self._stack_id, self._ids.token(26))
                with Record.writing(connection, self._stack_id) as record:
                    self._note(record, event="created", data={"plan": plan_id})

    def check(self) -> None:
        """Make sure that the store is whole, ours, and of a format we know.

        Raises:
            StateMissing: No store, or none of this project.
            UnsupportedFormat: A newer version wrote it.
            StateError: The file is damaged or no database.
        """
        with self._database.reading() as connection:
            refuse_nothing(connection)
            Record.reading(connection, self._stack_id)

    def snapshot(self) -> RecordedState:
        """Everything on record, as of one moment.

        Raises:
            StateError: Something of it is damaged or missing.
        """
        with self._reading() as record:
            found = record.everything()
            attempts = attempts_of_rows(found[attempt])
            return RecordedState(
                lineage=record.head.lineage,
                serial=record.head.writes,
                attempts=tuple(one for one in attempts if one.state is not AttemptState.FORGOTTEN),
                series=all_series(record.connection, attempts),
                tags_survive=surviving_tags(found.get(tag, ())),
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
        with self._reading() as record:
            return attempts_of_rows(record.everything()[attempt])

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the journal and the record, one line each; empty when nothing is."""
        with self._reading() as record:
            entries = tuple(journal_table.entries(record.connection, self._stack_id))
            found = record.everything_unchecked()
            attempts = attempts_of_rows(found[attempt])
            return (
                *verify(self._stack_id, record.head, entries, attempts),
                *record.problems(found),
            )

    def created_for(self) -> str | None:
        """The id of the plan for whose apply the store was made, or None."""
        first = next(iter(self.journal()), None)
        plan_id = first.data.get("plan") if first is not None else None
        return str(plan_id) if plan_id else None

    def lock_info(self) -> LockInfo | None:
        """Who holds the lock, or None."""
        with self._reading() as record:
            return lock.current(record.lock)

    def acquire(self) -> Lease:
        """Take the lock; intents that a holder before us left behind have sent nothing and become void.

        Raises:
            LockHeld: Someone else has it.
        """
        with self._writing(Durable.ACQUIRE) as record:
            lease = lock.acquire(
                record,
                lock_id=self._ids.token(12),
                holder=self._actor.who,
                ttl_millis=LEASE_MILLIS,
            )
            for left in record.rows(attempt, attempt.c.state == AttemptState.INTENT.value):
                attempt_id = str(left["attempt_id"])
                move(record, attempt_id, AttemptState.VOID, {})
                self._note(record, event="void", data={"attempt": attempt_id})
        return lease

    def renew(self, lease: Lease) -> None:
        """Prolong the lease."""
        with self._writing(Durable.RENEW) as record:
            lock.renew(record, lease=lease, ttl_millis=LEASE_MILLIS)

    def release(self, lease: Lease) -> None:
        """Give the lock back."""
        with self._writing(Durable.RELEASE) as record:
            lock.release(record, lease=lease)

    def begin(self, lease: Lease, intent: Intent) -> Attempt:
        """Record a call about to be made, before anything is signed.

        Raises:
            StateError: Another attempt on these units may still run, or this very call already went out.
        """
        with self._guarded(lease, Durable.INTENT) as record:
            refuse_overlap(record, intent)
            refuse_second_send(record, intent)
            know_series(record.connection, intent.series)
            begun = Attempt(
                id=self._ids.token(ATTEMPT_ID_LENGTH),
                number=next_number(record),
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
            insert_attempt(record, begun)
            self._note(
                record,
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
        with self._guarded(lease, Durable.SENT) as record:
            move(
                record,
                attempt_id,
                AttemptState.SENT,
                {
                    "signed_at": to_millis(prepared.signed_at),
                    "valid_until": to_millis(prepared.valid_until),
                    "request_digest": prepared.request_digest,
                },
            )
            self._note(record, event="sent", data={"attempt": attempt_id})

    def settle(self, lease: Lease, attempt_id: str, outcome: CreateOutcome) -> None:
        """Record what became of a call."""
        state, columns = outcome_columns(outcome)
        with self._guarded(lease, Durable.SETTLE) as record:
            move(record, attempt_id, state, columns)
            self._note(
                record,
                event=state.value,
                data={"attempt": attempt_id, **outcome_data(outcome)},
            )

    def adopt(
        self, lease: Lease, adoption: Adoption, of_series: Series, *, at: dt.datetime, plan_id: str
    ) -> None:
        """Record a run of ours that was found: the attempt that sent it, or a new one if none is known.

        What became of its dates is left to the next observation, which also checks for hollow success.
        """
        with self._guarded(lease, Durable.ADOPT) as record:
            touched = settle_tries(record, adoption) or record_found(
                record, adoption, of_series, at=at, plan_id=plan_id, ids=self._ids
            )
            data: dict[str, object] = {
                "attempts": list(touched),
                "units": [f"{adoption.address}@{text}" for text in adoption.run.dates.texts()],
                "name": adoption.run.name,
                "run_ids": list(adoption.run.run_ids),
            }
            self._note(record, event="adopted", data=data)

    def mark_absent(self, lease: Lease, attempt_id: str, dates: DateSet, proof: str) -> None:
        """Record that a call of unknown outcome is proved not to have run on some of its dates."""
        with self._guarded(lease, Durable.ABSENT) as record:
            known = attempt_by_id(record, attempt_id)
            closing = Closing(attempt_id=attempt_id, dates=dates, state=AttemptState.ABSENT)
            touched = close_dates(record, known, closing, ids=self._ids)
            data: dict[str, object] = {
                "attempts": list(touched),
                "dates": list(dates.texts()),
                "proof": proof,
            }
            self._note(record, event="absent", data=data)

    def rule(self, lease: Lease, ruling: Ruling) -> None:
        """Record what a person decided, all of it or nothing.

        Raises:
            StateError: An attempt has moved on since they looked.
        """
        with self._guarded(lease, Durable.RULING) as record:
            touched = write_ruling(record, ruling, ids=self._ids)
            data = {
                **ruling.data,
                "units": list(ruling.units),
                "reason": ruling.reason,
                "attempts": list(touched),
            }
            self._note(record, event=ruling.event, data=data)

    def unlock(self, lock_id: str, *, reason: str | None) -> None:
        """End somebody's lock, who can write nothing any more from then on.

        Raises:
            StateError: Nobody holds a lock of that id.
        """
        with self._writing(Durable.UNLOCK) as record:
            holder = lock.current(record.lock)
            lock.break_open(record, lock_id=lock_id)
            data: dict[str, object] = {
                "lock": lock_id,
                "holder": holder.holder if holder is not None else None,
                "reason": reason,
            }
            self._note(record, event="unlocked", data=data)

    def note_tags(self, lease: Lease, home: str, *, survives: bool, name: str) -> None:
        """Record whether a name of ours was read back whole in a workspace (`Subject.home`).

        Once one came back altered, none is believed there any more.
        """
        with self._guarded(lease, Durable.TAGS) as record:
            now = lock.database_now(record.connection)
            if not set_tags(record, home, survives=survives, now=now):
                return
            data: dict[str, object] = {"home": home, "survives": survives, "name": name}
            self._note(record, event="tags", data=data)

    def observe(self, attempts: Iterable[Attempt], *, at: dt.datetime) -> None:
        """Record how far attempts are, as planning worked it out; the serial does not move.

        One that was made of an attempt which has changed since it was read is dropped: the next one
        starts from what is there.
        """
        with self._writing(Durable.OBSERVE) as record:
            for seen in attempts:
                if seen.state in _OBSERVABLE:
                    write_observation(record, seen, moment=to_millis(at))

    def count_calls(self, connection_name: str, day: dt.date, calls: int) -> None:
        """Add to a connection's count of API calls on a day."""
        with self._writing(Durable.COUNT) as record:
            add_calls(record, connection_name, day, calls)

    def calls_on(self, connection_name: str, day: dt.date) -> int:
        """How many API calls were counted for a connection on a day."""
        with self._reading() as record:
            return calls_on(record, connection_name, day)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _reading(self) -> Iterator[Record]:
        with self._database.reading() as connection:
            yield Record.reading(connection, self._stack_id)

    @contextmanager
    def _writing(self, step: Durable) -> Iterator[Record]:
        with (
            self._database.writing(step) as connection,
            Record.writing(connection, self._stack_id) as record,
        ):
            yield record

    @contextmanager
    def _guarded(self, lease: Lease, step: Durable) -> Iterator[Record]:
        with self._writing(step) as record:
            lock.guard(record, lease=lease)
            yield record

    def _note(self, record: Record, *, event: str, data: dict[str, object]) -> None:
        touched = attempts_named(data)
        if touched:
            data = {**data, "became": standing_of(record.connection, touched)}
        journal_table.append(
            record,
            at=lock.database_now(record.connection),
            actor=self._actor,
            event=event,
            data=data,
        )
