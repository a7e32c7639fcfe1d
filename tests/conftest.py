"""Fixtures and settings of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.effort import examples
from tests.postgres import drop_databases

pytest_plugins = ["tests.crash.tally"]

# No deadline on a busy runner, and nothing written beside the code.
settings.register_profile("reconciler", deadline=None, database=None, max_examples=examples(100))
settings.load_profile("reconciler")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _databases_dropped() -> Iterator[None]:
    """Leave no database behind: each takes several megabytes, and there are hundreds of them."""
    yield
    drop_databases()
