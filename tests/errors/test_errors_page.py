"""The page of errors holds every code there is, and what it shows of each is what is really printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from reconciler.model.codes import Code
from tests.errors import decisions, planfiles, planning, programs, reading, services, specs, stores
from tests.errors.page import Section, contents, messages, pattern_of, read_page
from tests.errors.scenes import Scene

SECTIONS = read_page()
SHOWN = {code: shown for section in SECTIONS for code, shown in section.shown}
SCENES: tuple[Scene, ...] = (
    *reading.SCENES,
    *specs.SCENES,
    *services.SCENES,
    *planning.SCENES,
    *planfiles.SCENES,
    *stores.SCENES,
    *decisions.SCENES,
    *programs.SCENES,
)


def _codes(union: Any) -> Iterator[str]:
    for item in get_args(union):
        yield from [item] if isinstance(item, str) else _codes(item)


CODES = sorted(_codes(Code))


def test_each_code_stands_once_on_the_page_and_nothing_else_does() -> None:
    documented = [code for section in SECTIONS for code in section.codes]
    assert sorted(documented) == CODES
    assert contents() == documented


def test_each_code_happens_in_one_scene() -> None:
    assert sorted(code for scene in SCENES for code in scene.codes) == CODES


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.codes[0])
def test_a_section_says_something_and_shows_each_of_its_codes(section: Section) -> None:
    assert len(section.prose) > 40
    assert [code for code, _ in section.shown] == list(section.codes)


@pytest.mark.parametrize("scene", SCENES, ids=lambda one: f"{one.play.__module__[13:]}-{one.name}")
def test_what_happens_is_printed_as_the_page_says(tmp_path: Path, scene: Scene) -> None:
    happened = [(code, text.replace(f"{tmp_path}/", "")) for code, text in scene.play(tmp_path)]
    assert sorted(code for code, _ in happened) == sorted(scene.codes)
    otherwise = [
        printed
        for code, printed in happened
        if not any(
            told == code and pattern_of(SHOWN.get(code, "")).fullmatch(message)
            for told, message in messages(printed)
        )
    ]
    assert not otherwise, "\n".join(otherwise)
