"""History: what the journal says, and whether it can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.errors import NO_STORE_YET, StateMissing
from reconciler.model.state import JournalEntry
from reconciler.usecases.selection import Selection
from reconciler.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Entries of the journal, oldest first, and what is wrong with it (empty when nothing is)."""

    entries: tuple[JournalEntry, ...]
    problems: tuple[str, ...]


def read_history(workspace: Workspace, selection: Selection, *, verify: bool) -> History:
    """The journal, or what it says of some addresses; verified as a whole if asked to.

    Raises:
        StateMissing: There is no store.
        StateError: It cannot be read.
    """
    store = workspace.store_to_read("history")
    if store is None:
        raise StateMissing("there is no state store yet", hint=NO_STORE_YET)
    try:
        entries = store.journal()
        problems = store.verify() if verify else ()
        if selection.targets:
            addresses = {one.id: one.address for one in store.every_attempt()}
            selection.ensure_matches(addresses.values())
            meant = {attempt_id for attempt_id, address in addresses.items() if selection(address)}
            entries = tuple(one for one in entries if meant & one.attempts)
    finally:
        store.close()
    return History(entries=entries, problems=problems)
