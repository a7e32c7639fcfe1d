from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.documents import Problems, check_schema, read_documents
from reconciler.model.project import SimulatorEndpoint
from reconciler.model.series import Realm
from reconciler.specs import load_project, load_specs

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "specs").rglob("*.yaml"))
_SCHEMA_LINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def test_the_example_project_loads_without_a_word() -> None:
    project = load_project(ROOT / "specs", {})
    loaded = load_specs(project, now=dt.datetime(2026, 11, 21, tzinfo=dt.UTC))
    assert loaded.diagnostics == ()
    assert {str(item.address): str(item.dates) for item in loaded.resources} == {
        "backfill.clicks-night": "2020-06-01..2020-06-02, 2020-06-09",
        "backfill.ledger-month-end": (
            "2020-01-31, 2020-02-29, 2020-03-31, 2020-04-30, 2020-05-31, 2020-06-30"
        ),
        "backfill.orders-currency-fix": "2020-05-20..2020-05-24, 2020-05-26..2020-05-31",
        "backfill.orders-report-rebuild": "2020-05-20..2020-05-24, 2020-05-26..2020-05-31",
        "backfill.sales-by-store": "2020-06-01..2020-06-07",
        "backfill.sales-report": "2020-06-01..2020-06-07",
        "manualflow.month-close": "2020-06-30",
    }
    assert sorted(loaded.gates) == ["sales-landed", "warehouse-quiet"]
    for connection in project.connections.values():
        assert isinstance(connection.endpoint, SimulatorEndpoint)
        assert connection.realm is Realm.SIMULATOR


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_each_example_names_its_schema_and_fits_it(path: Path) -> None:
    named = _SCHEMA_LINE.match(path.read_text())
    assert named is not None
    schema = (path.parent / named[1]).resolve()
    assert schema.is_file()
    read = read_documents(path.read_bytes(), path.name)
    problems = Problems(read.source, list(read.diagnostics))
    for document in read.documents:
        check_schema(document, schema.name.removesuffix(".schema.json"), problems)
    assert problems.found == []


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, datetime as dt; from pathlib import Path\n"
        "from reconciler.specs import load_project, load_specs\n"
        "heavy = {'httpx', 'sqlalchemy', 'deepdiff', 'dateutil', 'jsonschema', 'cryptography'}\n"
        "assert not heavy & sys.modules.keys()\n"
        "project = load_project(Path('reconciler/templates'), {})\n"
        "assert load_specs(project, now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).resources\n"
        "assert not heavy & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
