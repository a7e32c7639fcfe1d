"""Scenes that attacks are planted in: each is made once, and copied for a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile.corpus.case import Case
from tests.hostile.stage import Stage

Staged = Callable[[Case], Stage]


@pytest.fixture(scope="session")
def scenes() -> dict[Callable[[Stage], None], Stage]:
    return {}


@pytest.fixture
def staged(
    scenes: dict[Callable[[Stage], None], Stage],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Staged]:
    """The scene of a case, before its attack."""
    made: list[Stage] = []

    def stage(case: Case) -> Stage:
        if case.scene not in scenes:
            scene = Stage(tmp_path_factory.mktemp("scene") / "project")
            case.scene(scene)
            scenes[case.scene] = scene
        made.append(scenes[case.scene].copied_to(tmp_path / "project"))
        return made[-1]

    yield stage
    for one in made:
        one.close()
