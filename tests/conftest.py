"""Fixtures and settings of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.effort import examples
from tests.postgres import take_back_databases

pytest_plugins = ["tests.crash.tally"]

# No deadline on a busy runner, and nothing written beside the code.
settings.register_profile("reconciler", deadline=None, database=None, max_examples=examples(100))
settings.load_profile("reconciler")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _databases_taken_back() -> Iterator[None]:
    """Databases are made once and used by many tests: each takes several megabytes and a while to make."""
    yield
    take_back_databases()
