"""Fixtures and settings of every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.effort import examples

# No deadline on a busy runner, and nothing written beside the code.
settings.register_profile("reconciler", deadline=None, database=None, max_examples=examples(100))
settings.load_profile("reconciler")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
