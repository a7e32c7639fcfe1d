"""The simulator's database: one SQLite file, or memory; its tables and its transactions.

Every request is one transaction that begins IMMEDIATE, so several processes may serve the same file
at the same time and each request sees everything before it. Tables:

- `settings`: name → text: access key, clocks, OBShell's RSA key.
- `advances`: when the clocks were moved, and by how much.
- `worlds`: every version of the world, as its document in JSON, and since when it holds.
- `triggers`: one row per executed create call (`runs.Trigger`); `trigger_nodes` finds them by node.
- `interventions`: what people did to instances.
- `ledger`, `requests`: the two logs that the control endpoints show; `calls`: calls per day.
- `nonces`: signature nonces already used.
- `cluster_dags`: DAGs of OBShell that came to be because someone asked for them; `cluster_operations`:
  what people did to DAGs.
- `faults`: what goes wrong on purpose, and how many requests each one has seen.
- `dataarts_runs`: one row per executed PatchData or manual run of DataArts (`dataarts.runs.Run`);
  `dataarts_run_jobs` finds them by job; `dataarts_acts`: what people did to them.
- `iam_tokens`: tokens that were issued, and until when they hold.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.model.errors import UnsupportedFormat

_FORMAT = 1
_BUSY_SECONDS = 30.0
_WAL_TRIES = 200

_TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS advances (
  seq INTEGER PRIMARY KEY, at_real_ms INTEGER NOT NULL, by_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS advances_by_time ON advances (at_real_ms);
CREATE TABLE IF NOT EXISTS worlds (
  id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS triggers (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL,
  first_date INTEGER NOT NULL, last_date INTEGER NOT NULL,
  first_dag INTEGER NOT NULL, dag_count INTEGER NOT NULL,
  first_instance INTEGER NOT NULL, instance_count INTEGER NOT NULL,
  created_work_ms INTEGER NOT NULL, created_gateway_ms INTEGER NOT NULL, plan TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS triggers_by_dag ON triggers (first_dag);
CREATE INDEX IF NOT EXISTS triggers_by_instance ON triggers (first_instance);
CREATE INDEX IF NOT EXISTS triggers_by_flow ON triggers (name) WHERE kind = 'manual';
CREATE TABLE IF NOT EXISTS trigger_nodes (
  node_id INTEGER NOT NULL, trigger_id INTEGER NOT NULL,
  PRIMARY KEY (node_id, trigger_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS interventions (
  seq INTEGER PRIMARY KEY, trigger_id INTEGER NOT NULL, place INTEGER NOT NULL,
  verb TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS interventions_by_trigger ON interventions (trigger_id);
CREATE TABLE IF NOT EXISTS ledger (
  seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, operation TEXT NOT NULL, name TEXT NOT NULL,
  parameters TEXT NOT NULL, dag_ids TEXT NOT NULL, request_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
  seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, real_ms INTEGER NOT NULL,
  operation TEXT NOT NULL, writes INTEGER NOT NULL, verdict TEXT NOT NULL, status INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS calls (day INTEGER PRIMARY KEY, calls INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cluster_dags (
  id TEXT PRIMARY KEY, began_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cluster_operations (
  seq INTEGER PRIMARY KEY, dag_id TEXT NOT NULL, node INTEGER, operator TEXT NOT NULL,
  at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS cluster_operations_by_dag ON cluster_operations (dag_id);
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY, operation TEXT NOT NULL, nth INTEGER, seen INTEGER NOT NULL,
  document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dataarts_runs (
  id INTEGER PRIMARY KEY, type INTEGER NOT NULL, project TEXT NOT NULL, workspace TEXT NOT NULL,
  name TEXT NOT NULL, first_plan_ms INTEGER NOT NULL, last_plan_ms INTEGER NOT NULL,
  first_instance INTEGER NOT NULL, instance_count INTEGER NOT NULL,
  created_work_ms INTEGER NOT NULL, created_gateway_ms INTEGER NOT NULL, plan TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS dataarts_runs_by_name ON dataarts_runs (project, workspace, name);
CREATE INDEX IF NOT EXISTS dataarts_runs_by_instance ON dataarts_runs (first_instance);
CREATE TABLE IF NOT EXISTS dataarts_run_jobs (
  job TEXT NOT NULL, run_id INTEGER NOT NULL, PRIMARY KEY (job, run_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dataarts_acts (
  seq INTEGER PRIMARY KEY, run_id INTEGER NOT NULL, place INTEGER, verb TEXT NOT NULL,
  at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS dataarts_acts_by_run ON dataarts_acts (run_id);
CREATE TABLE IF NOT EXISTS iam_tokens (
  token TEXT PRIMARY KEY, project TEXT NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
"""


class Database:
    """A connection to the file at `path`, or to memory of its own when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        # The lock replaces SQLite's own check: servers may answer from more than one thread.
        self._connection = sqlite3.connect(
            path or ":memory:",
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._durable = True
        if path is not None:
            self._write_ahead()
        self._create_tables(path)

    def close(self) -> None:
        """Close the connection; the object is of no use afterwards."""
        self._connection.close()

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """Run one transaction: committed at the end, rolled back when an exception leaves it.

        Args:
            durable: Whether the commit has to survive a power cut. Reads log themselves too, and need
                no `fsync` for that.
        """
        with self._lock:
            if durable is not self._durable:
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _write_ahead(self) -> None:
        """Turn the write-ahead log on; SQLite does not wait here when another process is at it."""
        for tries_left in reversed(range(_WAL_TRIES)):
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if not tries_left:
                    raise
                time.sleep(_BUSY_SECONDS / _WAL_TRIES)
            else:
                break
        self._connection.execute("PRAGMA synchronous = FULL")

    def _create_tables(self, path: Path | None) -> None:
        with self.transaction(durable=True) as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found > _FORMAT:
                raise UnsupportedFormat(
                    f"simulator database {path} has format {found}, this version knows up to {_FORMAT}",
                    hint="use a newer version of reconciler, or another file",
                )
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
