"""The journal: append-only, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import Connection, RowMapping, insert, select

from reconciler.model.canonical import canonical_json
from reconciler.model.state import Actor, JournalEntry
from reconciler.state.codec import from_millis, readable, to_millis
from reconciler.state.schema import journal

#: What the first entry is chained to.
GENESIS = "0" * 64


def append(
    connection: Connection,
    *,
    stack_id: str,
    fence: int,
    at: int,
    actor: Actor,
    event: str,
    data: dict[str, object],
) -> None:
    """Add one entry in the caller's transaction. `at` is in milliseconds since 1970 UTC."""
    last = connection.execute(
        select(journal.c.seq, journal.c.hash)
        .where(journal.c.stack_id == stack_id)
        .order_by(journal.c.seq.desc())
        .limit(1)
    ).first()
    seq, prev_hash = (last.seq + 1, last.hash) if last else (1, GENESIS)
    entry = JournalEntry(
        seq=seq,
        at=from_millis(at),
        fence=fence,
        who=actor.who,
        command=actor.command,
        git_commit=actor.git_commit,
        event=event,
        data=data,
        prev_hash=prev_hash,
        hash="",
    )
    columns = _columns(stack_id, entry)
    connection.execute(insert(journal).values(**columns, hash=hash_of(stack_id, entry)))


def entries(connection: Connection, stack_id: str) -> Iterator[JournalEntry]:
    """All entries, oldest first.

    Raises:
        StateError: Somebody damaged one.
    """
    rows = connection.execute(
        select(journal).where(journal.c.stack_id == stack_id).order_by(journal.c.seq)
    ).mappings()
    return map(_entry, rows)


def _entry(row: RowMapping) -> JournalEntry:
    with readable(f"journal entry {row['seq']}"):
        return JournalEntry(
            seq=row["seq"],
            at=from_millis(row["at"]),
            fence=row["fence"],
            who=row["who"],
            command=row["command"],
            git_commit=row["git_commit"],
            event=row["event"],
            data=json.loads(row["data"]),
            prev_hash=row["prev_hash"],
            hash=row["hash"],
        )


def hash_of(stack_id: str, entry: JournalEntry) -> str:
    """The hash that belongs to an entry: over all of it but the hash itself."""
    return hashlib.sha256(canonical_json(_columns(stack_id, entry)).encode()).hexdigest()


def _columns(stack_id: str, entry: JournalEntry) -> dict[str, object]:
    return {
        "stack_id": stack_id,
        "seq": entry.seq,
        "at": to_millis(entry.at),
        "fence": entry.fence,
        "who": entry.who,
        "command": entry.command,
        "git_commit": entry.git_commit,
        "event": entry.event,
        "data": canonical_json(entry.data),
        "prev_hash": entry.prev_hash,
    }
