"""The record as it stands."""

from __future__ import annotations

from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import NO_STORE_YET, InputError, StateMissing
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
            hint=NO_STORE_YET,
        )
    try:
        return store.snapshot()
    finally:
        store.close()


def read_attempts(workspace: Workspace, address: str) -> list[Attempt]:
    """Every attempt on record for an address, or for a pattern of addresses.

    Raises:
        InputError: There is none.
        StateMissing: There is no store.
    """
    recorded = read_state(workspace)
    attempts = [one for one in recorded.attempts if one.address.matches(address)]
    if not attempts:
        raise InputError(
            [
                Diagnostic(
                    severity=Severity.ERROR,
                    code="not_on_record",
                    summary=f"nothing is on record for {address}",
                    hint="see what is, with `reconciler state list`",
                )
            ]
        )
    return attempts
