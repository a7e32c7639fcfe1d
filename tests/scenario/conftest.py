"""Sandboxes for scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenario.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / "project")


@pytest.fixture
def sandbox_of(tmp_path: Path) -> Callable[..., Sandbox]:
    return lambda **how: Sandbox(tmp_path / "project", **how)
