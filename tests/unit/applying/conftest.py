"""The rig every test of applying works with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.applying.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An empty store, an empty service."""
    rig = Rig(tmp_path)
    yield rig
    rig.close()
