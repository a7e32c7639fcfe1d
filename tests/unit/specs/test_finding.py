from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.specs.finding import Finder, parse_pattern

TREE = ["a.yaml", "b.yml", "x/a.yaml", "x/y/a.yaml", "x/y/z/b.yaml", "x/.h/a.yaml", ".h.yaml"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.yaml"], ["a.yaml"]),
        (["**/*.yaml"], ["a.yaml", "x/a.yaml", "x/y/a.yaml", "x/y/z/b.yaml"]),
        (["x/**/*.yaml"], ["x/a.yaml", "x/y/a.yaml", "x/y/z/b.yaml"]),
        (["x/**/**/a.yaml"], ["x/a.yaml", "x/y/a.yaml"]),
        (["x/*/*.yaml"], ["x/y/a.yaml"]),
        (["x/**"], ["x/a.yaml", "x/y/a.yaml", "x/y/z/b.yaml"]),
        (["*.yaml", "a.*", "**/a.yaml"], ["a.yaml", "x/a.yaml", "x/y/a.yaml"]),
        (["x/.h/*.yaml", ".h.yaml"], [".h.yaml", "x/.h/a.yaml"]),
        (["[ab].y?ml"], ["a.yaml"]),
        (["./x//a.yaml"], ["x/a.yaml"]),
        (["a.yaml/*.yaml", "nope/*.yaml"], []),
    ],
)
def test_patterns_find_each_file_once_in_order(
    tmp_path: Path, patterns: list[str], expected: list[str]
) -> None:
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    parsed = [item for item in map(parse_pattern, patterns) if not isinstance(item, str)]
    assert len(parsed) == len(patterns)
    finder = Finder(tmp_path, parsed)
    found = {item.file: item.data.decode() for item in finder.files()}
    assert list(found) == expected
    assert list(found.values()) == expected
    assert not finder.diagnostics


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".",
        "/",
        "/etc/*.yaml",
        "../x.yaml",
        "specs/../../x.yaml",
        "x/..",
        "~/x.yaml",
        "a\0b",
        "..",
        "**/../x",
    ],
)
def test_patterns_that_lead_out_or_nowhere_are_refused(pattern: str) -> None:
    assert isinstance(parse_pattern(pattern), str)
