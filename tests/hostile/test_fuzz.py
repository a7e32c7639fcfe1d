"""Any content of a spec file is read, or refused with its place, at little cost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reconciler.rendering.annotations import render_annotations
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.specs import Loaded
from tests.effort import cases
from tests.hostile.costs import measured
from tests.hostile.fuzzing import hostile_spec
from tests.hostile.judging import CPU_SECONDS, GROWN_BY, judge_text
from tests.unit.specs.spec_files import load

#: 5,000 specs in `make test`. A seed that fails is told, and makes the same spec anywhere.
ROUNDS, SPECS = 10, cases(500, soak=10_000)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_any_spec_is_read_or_refused_with_its_place(number: int, tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "specs").mkdir()
    refused = 0
    with measured() as cost:
        for count in range(SPECS):
            refused += _try_out(f"{number}-{count}", tmp_path)
    assert cost.grown_by < GROWN_BY
    assert SPECS / 2 < refused < SPECS, "nearly all are wrong, and some are right"


def _try_out(seed: str, root: Path) -> bool:
    data = hostile_spec(seed)
    path = root / "specs" / "x.yaml"
    path.write_bytes(data)
    began = time.process_time()
    try:
        loaded = load(root)
        _judge(loaded)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {data!r}") from error
    assert time.process_time() - began < CPU_SECONDS, f"seed {seed}: {data!r}"
    return bool(loaded.diagnostics)


def _judge(loaded: Loaded) -> None:
    for item in loaded.diagnostics:
        assert item.place is not None
        assert item.place.file == "specs/x.yaml"
        assert min(item.place.line, item.place.column) >= 1
        assert item.excerpt is None or len(item.excerpt) <= 200
    judge_text(render_diagnostics(loaded.diagnostics))
    for line in render_annotations(loaded.diagnostics).splitlines():
        judge_text(line.removeprefix("::"))
