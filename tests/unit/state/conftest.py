"""The database every test of the store runs on, once per kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.state.store import SqlStore
from tests.unit.state.databases import KINDS, Database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that holds rules, not SQL, may name in `TRIED_ON` the kinds that are enough for it."""
    if "database" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "TRIED_ON", sorted(KINDS))
        metafunc.parametrize("database", kinds, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    database = KINDS[request.param](tmp_path)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SqlStore:
    """A store that was just created."""
    store = database.store()
    store.create()
    return store
