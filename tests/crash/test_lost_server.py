"""A PostgreSQL server that goes away in the middle of a transaction: clear errors, and nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.crash.damage.interposing import Trap, interposed
from tests.crash.damage.servers import OwnServer, own_server
from tests.crash.oracle import judge, record_of
from tests.crash.tally import Tally
from tests.effort import cases
from tests.postgres import new_database
from tests.scenario.sandbox import Result, Sandbox, decisions

SUITE = "damage"

#: What `make test` tries of the steps that `make soak` tries all of: before, between and after the call.
TRIED = ("intent.written", "sent.durable", "settle.begin", "settle.written")

APPLY = ("apply", "--auto-approve", "--wait")


def sandbox_at(root: Path, url: str) -> Sandbox:
    """A project with a backfill and a flow, and its state in a database."""
    sandbox = Sandbox(root)
    project = root / "reconciler.yaml"
    project.write_text(project.read_text().replace("spec:\n", f'spec:\n  state: "{url}"\n', 1))
    sandbox.backfill(dates={"list": ["2020-05-20", "2020-05-22"]})
    sandbox.flow()
    return sandbox


def terminate_all(url: str) -> None:
    """End every connection to a database but our own, as an administrator may, or a failover."""
    name = make_url(url).database
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )


def test_a_server_that_goes_away_at_any_step_costs_an_error_and_never_a_run(
    tmp_path: Path, tally: Tally
) -> None:
    points = _points(tmp_path / "watched")
    assert set(TRIED) <= set(points)
    told: dict[str, int] = {}
    for number, point in enumerate(cases(list(TRIED), soak=points)):
        url = new_database()
        act = partial(terminate_all, url)
        told[point] = _goes_away(tmp_path / f"{number}", url, point, act, tally)
    assert set(told.values()) > {0}, "no apply noticed that its server was gone"


def test_a_server_that_stops_at_once_and_comes_back_costs_no_run(
    tmp_path: Path, tally: Tally, server: OwnServer
) -> None:
    for number, point in enumerate(("intent.written", "sent.durable", "settle.written")):
        url = server.new_database()
        _goes_away(tmp_path / f"{number}", url, point, server.crash_and_restart, tally)


def test_while_a_server_is_gone_an_outcome_is_told_and_found_again_later(
    tmp_path: Path, tally: Tally, server: OwnServer
) -> None:
    url = server.new_database()
    sandbox = sandbox_at(tmp_path / "project", url)
    with interposed(Trap("settle.begin", server.crash)):
        applied = sandbox.run(*APPLY)
    _clear(applied, {3})
    for run in (run for entry in sandbox.ledger() for run in entry["dag_ids"]):
        assert re.search(rf"was accepted as run (\d+, )*{run}\b", applied.err), applied.err
    assert "did not take that down" in applied.err
    assert "the lock was not given back" in applied.err
    for words in (("plan",), ("status",), APPLY):
        _clear(sandbox.run(*words), {1})
    server.start()
    _converges(sandbox, url, tally)


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


def _points(root: Path) -> list[str]:
    """The durable points that an apply reaches, each once."""
    trap = Trap()
    with interposed(trap):
        assert sandbox_at(root, new_database()).run(*APPLY).code == 0
    durable = [one for one in trap.reached_points if one.count(".") == 1]
    return list(dict.fromkeys(durable))


def _goes_away(root: Path, url: str, point: str, act: Callable[[], object], tally: Tally) -> int:
    sandbox = sandbox_at(root, url)
    trap = Trap(point, act)
    with interposed(trap):
        applied = sandbox.run(*APPLY)
    assert point in trap.reached_points
    _clear(applied, {0, 1, 3})
    _converges(sandbox, url, tally)
    return applied.code


def _clear(result: Result, codes: set[int]) -> None:
    assert result.code in codes, result.err
    assert "this is a bug" not in result.err
    assert "Traceback" not in result.err
    if result.code == 1:
        assert "error[" in result.err
        assert "help: " in result.err


def _converges(sandbox: Sandbox, url: str, tally: Tally) -> None:
    """Once a lease that was left behind has run out; a manual run may need a person's word."""
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT to_regclass('stack')").fetchone()
        if made != (None,):
            connection.execute("UPDATE stack SET lease_until = 1")
    sandbox.advance(20 * 60)
    again = sandbox.run(*APPLY)
    _clear(again, {0, 3})
    ledger, recorded = sandbox.ledger(), record_of(sandbox.root)
    found = judge(ledger, recorded)
    tally.count(found)
    assert not found, str(found)
    left = {one.partition(" ")[0] for one in decisions(sandbox.plan())}
    assert left <= {"none", "unknown", "hold"}, left
    assert again.code == 0 or left & {"unknown", "hold"}
    assert sandbox.run("history", "--verify").code == 0
