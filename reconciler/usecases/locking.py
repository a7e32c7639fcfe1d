"""Holding the state lock: waiting for it, and prolonging its lease while it is needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.applying.engine import Stop
from reconciler.model.errors import FenceLost, LockHeld, StateError
from reconciler.model.seams import Clock
from reconciler.model.state import Lease
from reconciler.ports import StateStore

_LOG = logging.getLogger(__name__)

#: How often a lease is prolonged, and how often a held lock is tried again.
HEARTBEAT_SECONDS = 20.0
LOCK_RETRY_SECONDS = 1.0


@asynccontextmanager
async def locked(
    store: StateStore, clock: Clock, *, wait_seconds: float = 0.0, stop: Stop | None = None
) -> AsyncIterator[Lease]:
    """Hold the lock, and prolong its lease while the context lasts.

    Args:
        store: Whose lock it is.
        clock: For the heartbeat.
        wait_seconds: How long to wait for whoever has it.
        stop: Ends the waiting early.

    Raises:
        LockHeld: Someone else had it for as long as we were to wait.
    """
    lease = await _acquire(store, clock, wait_seconds, stop)
    heart = asyncio.create_task(_beat(store, clock, lease))
    try:
        yield lease
    finally:
        heart.cancel()
        _give_back(store, lease)


def _give_back(store: StateStore, lease: Lease) -> None:
    """End the lease; what became of the work under it is more important than that it could not be."""
    try:
        store.release(lease)
    except StateError as error:
        _LOG.warning("the lock was not given back, and ends by itself: %s", error.summary)


async def _acquire(
    store: StateStore, clock: Clock, wait_seconds: float, stop: Stop | None
) -> Lease:
    give_up = clock.monotonic() + wait_seconds
    while True:
        try:
            return store.acquire()
        except LockHeld:
            if clock.monotonic() >= give_up or (stop is not None and stop.is_set()):
                raise
            await clock.sleep(LOCK_RETRY_SECONDS)


async def _beat(store: StateStore, clock: Clock, lease: Lease) -> None:
    while True:
        await clock.sleep(HEARTBEAT_SECONDS)
        try:
            store.renew(lease)
        except FenceLost:
            return  # the next guarded write says so where it matters
        except StateError:
            continue  # a busy database: the lease outlasts a missed beat
