"""The lease lock with its fence, on the database's clock.

Whoever acquires it raises the fence; every write transaction of a holder starts with `guard`, which
matches only while that fence is the current one. A holder that was paused past its lease is thereby
fenced out: its writes fail, and it must stop sending.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from sqlalchemy import Connection, func, select, text, update

from reconciler.model.errors import AGAIN, FenceLost, LockHeld, NoSuchLock
from reconciler.model.state import Lease, LockInfo
from reconciler.state.codec import from_millis, integer, readable
from reconciler.state.head import Lock
from reconciler.state.record import Record
from reconciler.state.schema import stack

_NOW = {
    "sqlite": "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgresql": "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}

#: Any number of ours: names the making of the tables among PostgreSQL's advisory locks.
_MAKING = 7_265_636_001


def make_alone(connection: Connection) -> None:
    """Let no other process make the tables until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MAKING)))


def database_now(connection: Connection) -> int:
    """The database's clock, in milliseconds since 1970 UTC."""
    return int(connection.execute(text(_NOW[connection.dialect.name])).scalar_one())


def refuse_held(lock: Lock, *, now: int) -> None:
    """Refuse to go on while somebody holds a lock whose lease has not run out.

    Raises:
        LockHeld: The message says who, and until when.
    """
    held = current(lock)
    if held is not None and held.expires >= from_millis(now):
        raise _held(held)


def acquire(record: Record, *, lock_id: str, holder: str, ttl_millis: int) -> Lease:
    """Take the lock if nobody holds it or the holder's lease has run out.

    Raises:
        LockHeld: Someone holds it; the message says who and until when.
    """
    now = database_now(record.connection)
    refuse_held(record.lock, now=now)
    record.head.fence += 1
    taken = Lock(lease_id=lock_id, holder=holder, held_since=now, lease_until=now + ttl_millis)
    _write(record, taken)
    return Lease(id=lock_id, fence=record.head.fence)


def renew(record: Record, *, lease: Lease, ttl_millis: int) -> None:
    """Prolong a lease.

    Raises:
        FenceLost: It is no longer ours.
    """
    _refuse_lost(record, lease)
    until = database_now(record.connection) + ttl_millis
    _write(record, replace(record.lock, lease_until=until))


def release(record: Record, *, lease: Lease) -> None:
    """End a lease; one that was taken over is left to its new holder."""
    if _holds(record, lease):
        _write(record, Lock())


def break_open(record: Record, *, lock_id: str) -> None:
    """End somebody's lease; the raised fence keeps that holder from writing anything more.

    Raises:
        StateError: Nobody holds a lock of that id.
    """
    if record.lock.lease_id != lock_id:
        info = current(record.lock)
        raise NoSuchLock(
            f"there is no lock {lock_id}" if info else "nobody holds the lock",
            hint=f"see whose it is now: lock {info.id} is held by {info.holder}"
            if info
            else "run what was refused again: there is nothing to unlock",
        )
    record.head.fence += 1
    record.head.writes += 1
    _write(record, Lock())


def guard(record: Record, *, lease: Lease) -> None:
    """Start a write of the holder: raise the serial, provided the fence still stands.

    Raises:
        FenceLost: Someone took the lock over; nothing of the transaction may be kept.
    """
    _refuse_lost(record, lease)
    record.head.writes += 1


def current(lock: Lock) -> LockInfo | None:
    """Who holds the lock, or None.

    Raises:
        Unsound: It cannot be told.
    """
    if lock.holder is None:
        return None
    with readable("the lock"):
        return LockInfo(
            id=str(lock.lease_id),
            holder=str(lock.holder),
            since=from_millis(integer(lock.held_since)),
            expires=from_millis(integer(lock.lease_until)),
        )


def _holds(record: Record, lease: Lease) -> bool:
    return (record.head.fence, record.lock.lease_id) == (lease.fence, lease.id)


def _refuse_lost(record: Record, lease: Lease) -> None:
    if not _holds(record, lease):
        raise _lost()


def _write(record: Record, lock: Lock) -> None:
    record.connection.execute(
        update(stack).where(stack.c.stack_id == record.stack_id).values(**asdict(lock))
    )


def _held(info: LockInfo) -> LockHeld:
    return LockHeld(
        f"the state is locked by {info.holder} since {info.since:%Y-%m-%d %H:%M:%S} UTC",
        hint=f"wait for it to end (apply: --lock-timeout); if that process is gone, its lock ends by "
        f"itself at {info.expires:%H:%M:%S} UTC, or now with: reconciler unlock {info.id}",
    )


def _lost() -> FenceLost:
    return FenceLost(
        "another process took over the state lock; nothing more was sent",
        hint=AGAIN,
    )
