"""The lease lock with its fence, on the database's clock.

Whoever acquires it raises the fence; every write transaction of a holder starts with `guard`, which
matches only while that fence is the current one. A holder that was paused past its lease is thereby
fenced out: its writes fail, and it must stop sending.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text, update

from reconciler.model.errors import FenceLost, LockHeld, StateError
from reconciler.model.state import Lease, LockInfo
from reconciler.state.codec import from_millis
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


def queue(connection: Connection, stack_id: str) -> None:
    """Let no other process write to this project's state until this transaction ends.

    What is read after this in the transaction cannot move under it. SQLite's writers queue anyway.
    """
    connection.execute(
        update(stack).where(stack.c.stack_id == stack_id).values(serial=stack.c.serial)
    )


def database_now(connection: Connection) -> int:
    """The database's clock, in milliseconds since 1970 UTC."""
    return int(connection.execute(text(_NOW[connection.dialect.name])).scalar_one())


def acquire(
    connection: Connection, *, stack_id: str, lock_id: str, holder: str, ttl_millis: int
) -> Lease:
    """Take the lock if nobody holds it or the holder's lease has run out.

    Raises:
        LockHeld: Someone holds it; the message says who and until when.
    """
    now = database_now(connection)
    taken = connection.execute(
        update(stack)
        .where(stack.c.stack_id == stack_id)
        .where(stack.c.holder.is_(None) | (stack.c.lease_until < now))
        .values(
            fence=stack.c.fence + 1,
            lock_id=lock_id,
            holder=holder,
            held_since=now,
            lease_until=now + ttl_millis,
        )
        .returning(stack.c.fence)
    ).scalar()
    if taken is None:
        raise _held(current(connection, stack_id))
    return Lease(id=lock_id, fence=taken)


def renew(connection: Connection, *, stack_id: str, lease: Lease, ttl_millis: int) -> None:
    """Prolong a lease.

    Raises:
        FenceLost: It is no longer ours.
    """
    held = connection.execute(
        update(stack)
        .where(stack.c.stack_id == stack_id, stack.c.fence == lease.fence)
        .where(stack.c.lock_id == lease.id)
        .values(lease_until=database_now(connection) + ttl_millis)
    ).rowcount
    if not held:
        raise _lost()


def release(connection: Connection, *, stack_id: str, lease: Lease) -> None:
    """End a lease; one that was taken over is left to its new holder."""
    connection.execute(
        update(stack)
        .where(stack.c.stack_id == stack_id, stack.c.fence == lease.fence)
        .where(stack.c.lock_id == lease.id)
        .values(lock_id=None, holder=None, held_since=None, lease_until=None)
    )


def break_open(connection: Connection, *, stack_id: str, lock_id: str) -> int:
    """End somebody's lease; the raised fence keeps that holder from writing anything more.

    Returns:
        The fence as it is now.

    Raises:
        StateError: Nobody holds a lock of that id.
    """
    fence = connection.execute(
        update(stack)
        .where(stack.c.stack_id == stack_id, stack.c.lock_id == lock_id)
        .values(
            fence=stack.c.fence + 1,
            serial=stack.c.serial + 1,
            lock_id=None,
            holder=None,
            held_since=None,
            lease_until=None,
        )
        .returning(stack.c.fence)
    ).scalar()
    if fence is None:
        info = current(connection, stack_id)
        raise StateError(
            f"there is no lock {lock_id}" if info else "nobody holds the lock",
            hint=f"lock {info.id} is held by {info.holder}"
            if info
            else "there is nothing to unlock",
        )
    return int(fence)


def guard(connection: Connection, *, stack_id: str, lease: Lease) -> None:
    """Start a write of the holder: raise the serial, provided the fence still stands.

    Raises:
        FenceLost: Someone took the lock over; nothing of the transaction may be kept.
    """
    held = connection.execute(
        update(stack)
        .where(stack.c.stack_id == stack_id, stack.c.fence == lease.fence)
        .where(stack.c.lock_id == lease.id)
        .values(serial=stack.c.serial + 1)
    ).rowcount
    if not held:
        raise _lost()


def current(connection: Connection, stack_id: str) -> LockInfo | None:
    """Who holds the lock, or None."""
    row = connection.execute(select(stack).where(stack.c.stack_id == stack_id)).mappings().first()
    if row is None or row["holder"] is None:
        return None
    return LockInfo(
        id=row["lock_id"],
        holder=row["holder"],
        since=from_millis(row["held_since"]),
        expires=from_millis(row["lease_until"]),
    )


def _held(info: LockInfo | None) -> LockHeld:
    if info is None:  # it was given back this very moment
        return LockHeld("the state is locked by someone", hint="try again")
    return LockHeld(
        f"the state is locked by {info.holder} since {info.since:%Y-%m-%d %H:%M:%S} UTC",
        hint=f"wait for it to end (apply: --lock-timeout); a lock left behind ends by itself at "
        f"{info.expires:%H:%M:%S} UTC, or with: reconciler unlock {info.id}",
    )


def _lost() -> FenceLost:
    return FenceLost(
        "another process took over the state lock; nothing more was sent",
        hint="run the command again: it continues from what is on record",
    )
