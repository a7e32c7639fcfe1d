"""A store as it would be, had something else been written in the first place: seals and sums fit."""

from __future__ import annotations

from pathlib import Path

from reconciler.state.engine import open_engine
from reconciler.state.sealing import seal_everything


def rewrite(path: Path, statement: str) -> None:
    """Run a statement on a SQLite store, and seal all rows anew."""
    engine = open_engine(path, read_only=False)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
            seal_everything(connection)
    finally:
        engine.dispose()
