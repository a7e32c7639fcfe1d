from __future__ import annotations

import json
import re

import pytest

from reconciler.cli.main import run
from reconciler.schema_files import read_schema, schema_kinds


@pytest.mark.parametrize("kind", schema_kinds())
def test_every_schema_is_printed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", kind]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == read_schema(kind)
    assert printed.err == ""


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--help"]) == 0
    words = set(re.findall(r"[a-z]+", capsys.readouterr().out))
    assert words.issuperset(schema_kinds())
