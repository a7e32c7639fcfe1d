"""The record as it stands."""

from __future__ import annotations

from reconciler.model.attempts import RecordedState
from reconciler.model.errors import StateMissing
from reconciler.wiring.workspace import Workspace


def read_state(workspace: Workspace) -> RecordedState:
    """Everything on record.

    Raises:
        StateMissing: There is no store.
    """
    store = workspace.store_to_read("state")
    if store is None:
        raise StateMissing(
            "there is no state store yet",
            hint="the first apply makes it",
        )
    try:
        return store.snapshot()
    finally:
        store.close()
