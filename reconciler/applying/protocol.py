"""The create protocol: the only place from which a create call leaves.

    begin    durable intent, under the fence, no other attempt open on these units
    prepare  sign once, with a nonce of its own
    sent     compare-and-set intent → sent, durable, under the fence
    create   one request, no retry and no redirect anywhere below
    settle   classify the answer and record it
    confirm  read the run back by id

A crash before `sent` has sent nothing: the intent is voided by whoever takes the lock next. A crash after
it leaves `sent`, which is treated as unknown until the service has been asked. Nothing but a proved
refusal clears an attempt.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.calls import Prepared, WireCall
from reconciler.model.errors import FenceLost, OutcomeUnrecorded, ProviderError, StateError
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.remedies import plain_id
from reconciler.model.runs import Observation
from reconciler.model.seams import Clock
from reconciler.model.state import Intent, Lease
from reconciler.ports import Provider, StateStore

#: Pauses after which an outcome is offered to the store again: it may be back by then.
SETTLE_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What one call needs to go through the protocol."""

    store: StateStore
    lease: Lease
    provider: Provider
    clock: Clock


async def send_once(
    sending: Sending, intent: Intent, wire: WireCall
) -> tuple[Attempt, CreateOutcome]:
    """Take one call from intent to a recorded outcome.

    Raises:
        OutcomeUnrecorded: The request is out, and the store did not take down what became of it.
        StateError: The store did not take an earlier step; nothing was sent.
        ProviderError: There are no credentials to sign with; nothing was sent.
    """
    store, lease = sending.store, sending.lease
    attempt = store.begin(lease, intent)
    try:
        prepared = sending.provider.prepare(wire)
    except ProviderError as error:
        refused = Refused(code=error.code, message=error.summary, transient=False)
        store.settle(lease, attempt.id, refused)
        raise
    store.mark_sent(lease, attempt.id, prepared)
    # A request that may have left is awaited and recorded even if we are cancelled meanwhile.
    sent = asyncio.ensure_future(_send_and_settle(sending, attempt, prepared))
    try:
        return attempt, await asyncio.shield(sent)
    except asyncio.CancelledError:
        await sent
        raise


async def _send_and_settle(
    sending: Sending, attempt: Attempt, prepared: Prepared
) -> CreateOutcome:
    outcome = await sending.provider.create(prepared)
    for pause in (*SETTLE_AGAIN_SECONDS, None):
        try:
            sending.store.settle(sending.lease, attempt.id, outcome)
        except StateError as error:
            if pause is None or isinstance(error, FenceLost):
                raise _unrecorded(attempt, outcome, error) from error
            await sending.clock.sleep(pause)
        else:
            break
    return outcome


def _unrecorded(attempt: Attempt, outcome: CreateOutcome, error: StateError) -> OutcomeUnrecorded:
    """What a person has to know when the store would not take it."""
    unit = f"{attempt.address}@{attempt.dates}"
    hint = "the next apply looks for its run"
    match outcome:
        case Accepted(run_ids=ids):
            became = f"was accepted as run {', '.join(ids)}"
            command = f"reconciler resolve {unit} --run-id {plain_id(ids[0])} --reason TEXT"
            hint += f"; where runs bear no name: {command}"
        case Refused(code=code):
            became = f"was refused ({code})"
        case Unknown(cause=cause):
            became = f"is of unknown outcome ({cause})"
        case _:
            assert_never(outcome)
    return OutcomeUnrecorded(
        f"attempt {attempt.id} for {unit} {became}, and the state store did not take that "
        f"down: {error.summary}",
        hint=hint,
    )


async def confirm(sending: Sending, attempt: Attempt, accepted: Accepted) -> Observation | None:
    """Read an accepted call's run back by its id, and record the handle under which it is followed.

    Returns:
        What was seen, or None when it could not be read, which is left to the next observation.
    """
    ran = replace(attempt, state=AttemptState.ACCEPTED, run_ids=accepted.run_ids)
    try:
        seen = await sending.provider.confirm(ran)
    except ProviderError:
        return None
    group = seen.run_group or ran.run_group
    sending.store.observe([replace(ran, run_group=group)], at=sending.clock.now())
    return seen
