"""Bounded concurrency for reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

#: Reads of one connection that may be on their way at once.
READS_AT_ONCE = 8


async def map_bounded(
    function: Callable[[T], Awaitable[U]], items: Iterable[T], *, at_once: int = READS_AT_ONCE
) -> list[U]:
    """Apply `function` to each item, a few at a time; results in the order of the items.

    The first failure cancels the rest and is raised as it is, not as a group.
    """
    gate = asyncio.Semaphore(at_once)

    async def run(item: T) -> U:
        async with gate:
            return await function(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(item)) for item in items]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
