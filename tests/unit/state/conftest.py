"""The database every test of the store runs on, once per kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.state.store import SqlStore
from tests.unit.state.databases import KINDS, Database


@pytest.fixture(params=sorted(KINDS))
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
