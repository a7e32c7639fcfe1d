"""Running several awaitables at once, within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

#: Reads on their way at once; pacing per connection is the provider's.
READS_AT_ONCE = 8


async def each(
    items: Iterable[T],
    work: Callable[[T], Awaitable[U]],
    *,
    at_once: int = READS_AT_ONCE,
    telling: type[BaseException] | None = None,
) -> list[U]:
    """Apply `work` to every item, at most `at_once` of them at a time.

    Returns:
        The results, in the order of the items.

    Raises:
        BaseException: The first one that `work` raised, as it is, or the first of kind `telling` if there
            is one; work in progress is cancelled then.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> U:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except BaseExceptionGroup as failures:
        told = (one for one in failures.exceptions if telling and isinstance(one, telling))
        raise next(told, failures.exceptions[0]) from None
    return [task.result() for task in tasks]
