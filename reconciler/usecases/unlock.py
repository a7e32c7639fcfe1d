"""Unlock: end a lock that somebody left behind."""

from __future__ import annotations

from reconciler.wiring.workspace import Workspace


def unlock(workspace: Workspace, lock_id: str, *, reason: str | None) -> None:
    """End the lock of that id; whoever held it can write, and so send, nothing more.

    Raises:
        StateError: There is no store, or nobody holds a lock of that id.
    """
    store = workspace.store_to_write("unlock", create=False)
    try:
        store.unlock(lock_id, reason=reason)
    finally:
        store.close()
