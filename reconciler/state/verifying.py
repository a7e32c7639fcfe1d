"""Can the journal be believed? Its chain of hashes, and whether the record tells the same story.

Whoever can write to the database can also write a whole new chain: keep a copy of the last hash elsewhere
(`history --json` prints it) to notice that. Short of it, an edited, removed or inserted entry breaks the
chain, and one that was lost at its end is missed; an attempt that was removed or slipped in, or whose state
or dates were edited, disagrees with its last entry. What observations write (runs, how far they are) is not
in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.attempts import Attempt
from reconciler.model.state import JournalEntry
from reconciler.state.attempts import standing
from reconciler.state.head import GENESIS, Head
from reconciler.state.journal import hash_of


def verify(
    stack_id: str, head: Head, entries: Iterable[JournalEntry], attempts: Iterable[Attempt]
) -> Iterator[str]:
    """What is wrong, one line each; nothing when all is well.

    Args:
        stack_id: Whose journal it is.
        head: Says what its last entry is.
        entries: All of it, oldest first.
        attempts: All on record, forgotten ones too.
    """
    known = tuple(entries)
    yield from _broken_links(stack_id, known)
    if head.sealed:
        yield from _broken_end(head, known)
    last: dict[str, JournalEntry] = {}
    for entry in known:
        last.update(dict.fromkeys(entry.attempts, entry))
    yield from _disagreements(last, attempts)


def _broken_links(stack_id: str, entries: tuple[JournalEntry, ...]) -> Iterator[str]:
    previous, expected = GENESIS, 1
    for entry in entries:
        if entry.seq != expected:
            yield f"entries {expected} to {entry.seq - 1} are missing"
        if entry.prev_hash != previous:
            yield f"entry {entry.seq} does not follow the one before it"
        if hash_of(stack_id, entry) != entry.hash:
            yield f"entry {entry.seq} ({entry.event}) was edited"
        previous, expected = entry.hash, entry.seq + 1


def _broken_end(head: Head, entries: tuple[JournalEntry, ...]) -> Iterator[str]:
    last = entries[-1] if entries else None
    seq = last.seq if last is not None else 0
    if seq < head.journal_seq:
        yield f"entries {seq + 1} to {head.journal_seq} are missing at the end"
    elif seq > head.journal_seq:
        yield f"entries {head.journal_seq + 1} to {seq} were added behind the last one"
    elif last is not None and last.hash != head.journal_hash:
        yield f"entry {seq} is not the one that was written last"


def _disagreements(last: Mapping[str, JournalEntry], attempts: Iterable[Attempt]) -> Iterator[str]:
    on_record = set()
    for attempt in attempts:
        on_record.add(attempt.id)
        entry = last.get(attempt.id)
        dates = attempt.dates
        stands = standing(attempt.state.value, dates.start.isoformat(), dates.end.isoformat())
        if entry is None:
            yield f"attempt {attempt.id} is on record, and the journal knows nothing of it"
        elif entry.became.get(attempt.id, stands) != stands:
            told = entry.became[attempt.id]
            yield f"attempt {attempt.id} is {stands} on record; the journal last says {told}"
    for attempt_id in sorted(last.keys() - on_record):
        yield f"attempt {attempt_id} is in the journal, and gone from the record"
