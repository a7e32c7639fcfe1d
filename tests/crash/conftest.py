"""What several suites of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.stage import CLOCK
from tests.scenario.processes import Service, simulate


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all projects of a module, on an accelerated clock."""
    with simulate(tmp_path_factory.mktemp("simulator"), clock=CLOCK) as served:
        yield served
