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

from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.calls import WireCall
from reconciler.model.errors import ProviderError
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused
from reconciler.model.runs import Observation
from reconciler.model.seams import Clock
from reconciler.model.state import Intent, Lease
from reconciler.ports import Provider, StateStore


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
        StateError: The store did not take a step; a request is out only if it took `sent`.
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
    request = asyncio.ensure_future(sending.provider.create(prepared))
    try:
        outcome = await asyncio.shield(request)
    except asyncio.CancelledError:
        # A request that may have left is awaited and recorded, and only then are we cancelled.
        store.settle(lease, attempt.id, await request)
        raise
    store.settle(lease, attempt.id, outcome)
    return attempt, outcome


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
