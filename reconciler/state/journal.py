"""The journal: append-only, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import Connection, RowMapping, insert, select

from reconciler.model.canonical import canonical_json
from reconciler.model.state import Actor, JournalEntry
from reconciler.state.codec import from_millis, integer, readable, to_millis
from reconciler.state.record import Record
from reconciler.state.schema import journal


def append(record: Record, *, at: int, actor: Actor, event: str, data: dict[str, object]) -> None:
    """Add one entry in the caller's transaction. `at` is in milliseconds since 1970 UTC.

    It follows the last one that was ever written, whether that is still there or not: an entry that was
    lost is missed for good.
    """
    head = record.head
    entry = JournalEntry(
        seq=head.journal_seq + 1,
        at=from_millis(at),
        fence=head.fence,
        who=actor.who,
        command=actor.command,
        git_commit=actor.git_commit,
        event=event,
        data=data,
        prev_hash=head.journal_hash,
        hash="",
    )
    columns = _columns(record.stack_id, entry)
    head.journal_seq, head.journal_hash = entry.seq, hash_of(record.stack_id, entry)
    record.connection.execute(insert(journal).values(**columns, hash=head.journal_hash))


def entries(connection: Connection, stack_id: str) -> Iterator[JournalEntry]:
    """All entries, oldest first.

    Raises:
        Unsound: Somebody damaged one.
    """
    rows = connection.execute(
        select(journal).where(journal.c.stack_id == stack_id).order_by(journal.c.seq)
    ).mappings()
    return map(_entry, rows)


def _entry(row: RowMapping) -> JournalEntry:
    with readable(f"journal entry {row['seq']}"):
        return JournalEntry(
            seq=integer(row["seq"]),
            at=from_millis(integer(row["at"])),
            fence=integer(row["fence"]),
            who=str(row["who"]),
            command=str(row["command"]),
            git_commit=row["git_commit"],
            event=str(row["event"]),
            data=_document(row["data"]),
            prev_hash=str(row["prev_hash"]),
            hash=str(row["hash"]),
        )


def _document(text: object) -> dict[str, object]:
    data = json.loads(str(text))
    if not isinstance(data, dict):
        raise TypeError(f"expected an object, got {data!r}")
    return data


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
