"""Drift: what people did in the console and others started, told without writing anything down."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.model.project import SimulatorEndpoint
from reconciler.schema_files import read_schema
from reconciler.simulator import Simulator
from reconciler.wiring.embedded import open_embedded
from tests.scenario.sandbox import Sandbox, decisions
from tests.simulator.harness import backfill_parameters

EMBEDDED = "endpoint: simulator\n      simulator: {world: world.yaml, clock: manual}"
WHOLE = "2020-05-20..2020-05-31"
ADDRESS = "backfill.orders"
LONG = 86400
PURGED = 40 * 86400

#: Every node fails on one date, runs for an hour, or both.
FAILS = "{layout: LAYOUT, nodes: [{id: 1, seconds: 3600, fail: [2020-05-22]}]}"
SOUND = "{layout: LAYOUT, nodes: [{id: 1, seconds: 3600}]}"


class Console(Sandbox):
    """A project whose runs stand still unless time is advanced, and people who sign calls by hand."""

    def __init__(self, root: Path, *, world: str = SOUND, layout: str = "per-date") -> None:
        self._layout = layout
        super().__init__(root, world=world, endpoint=EMBEDDED)

    def world(self, text: str) -> None:
        super().world(text.replace("LAYOUT", self._layout))

    def _simulator(self) -> AbstractContextManager[Simulator]:
        endpoint = SimulatorEndpoint(world="world.yaml", clock="manual")
        return open_embedded(endpoint, "prod", self.root)

    def instances(self, *dates: str) -> list[int]:
        """The node instances of backfills on some dates, oldest first."""
        found: list[int] = []
        for date in dates:
            day = f"{date} 00:00:00"
            answer = self.call(
                "ListInstances",
                ProjectEnv="PROD",
                ProjectId=112345,
                PageSize=100,
                BeginBizdate=day,
                EndBizdate=day,
            )
            found.extend(row["InstanceId"] for row in answer["Data"]["Instances"][::-1])
        return found

    def act(self, action: str, *dates: str) -> None:
        """Restart instances, or mark them as succeeded."""
        for instance in self.instances(*dates):
            self.call(action, ProjectEnv="PROD", InstanceId=instance)

    def backfill_by_hand(self, first: str, last: str) -> int:
        """A backfill of the same node that bears somebody else's name; the id of its first DAG."""
        answer = self.call("RunCycleDagNodes", **backfill_parameters(first, last))
        first_dag: int = answer["Data"][0]
        return first_dag

    def done(self, world: str = SOUND, seconds: int = 40 * 3600) -> None:
        """Start everything, let it end, and put on record how it ended."""
        self.world(world)
        self.backfill()
        assert self.apply().code == 0
        self.advance(seconds)
        self.run("status")

    def purge(self, world: str, *, says_so: bool) -> None:
        """Let the service forget all runs; it says so, or shows nothing of what is old by its clock."""
        if says_so:
            self.world(world.replace("{", "{strict: true, ", 1))
        self.advance(PURGED)

    def drift(self, *words: str) -> list[dict[str, Any]]:
        """What drifted, as JSON."""
        result = self.run("drift", "--json", *words)
        assert result.code == 0, result.err
        jsonschema.Draft202012Validator(read_schema("drift")).validate(result.json)
        found: list[dict[str, Any]] = result.json["drift"]
        return found

    def kinds(self) -> dict[str, list[str]]:
        """The dates that drifted, by kind."""
        found: dict[str, list[str]] = {}
        for one in self.drift():
            found.setdefault(one["kind"], []).extend(one["dates"])
        return found

    def lose_the_store(self) -> None:
        for file in (self.root / ".reconciler").glob("state.db*"):
            file.unlink()


@pytest.fixture(params=["per-date", "single"])
def console(tmp_path: Path, request: pytest.FixtureRequest) -> Console:
    return Console(tmp_path / "project", layout=request.param)


def test_without_a_store_or_a_run_nothing_drifted(console: Console) -> None:
    console.backfill()
    result = console.run("drift", "--detailed-exitcode")
    assert (result.code, result.err) == (0, "")
    assert "no difference" in result.out
    assert not list((console.root / ".reconciler").glob("state.db*"))


def test_what_nobody_touched_has_not_drifted(console: Console) -> None:
    console.done()
    console.flow()
    assert console.apply().code == 0
    console.advance(LONG)
    console.run("status")
    result = console.run("drift", "--detailed-exitcode")
    assert result.code == 0, result.out
    assert decisions(console.plan()).keys() == {"none succeeded"}


@pytest.mark.parametrize("seconds", [1, 3601, 40 * 3600])
@pytest.mark.parametrize("world", [SOUND, FAILS])
def test_a_run_that_goes_its_way_has_not_drifted(
    console: Console, world: str, seconds: int
) -> None:
    console.done(world, seconds=0)
    assert decisions(console.plan()) == {"wait in_flight": [WHOLE]}
    console.advance(seconds)
    assert console.run("drift", "--detailed-exitcode").code == 0


def test_a_failed_date_that_was_restarted_is_told_and_so_are_the_dates_behind_it(
    console: Console,
) -> None:
    console.done(FAILS)
    assert decisions(console.plan())["hold failed"] == ["2020-05-22"]
    console.world(SOUND)
    console.act("RestartInstance", "2020-05-22")
    assert console.kinds() == {"repaired": ["2020-05-22..2020-05-31"]}
    console.advance(LONG)
    assert console.kinds() == {"repaired": ["2020-05-22..2020-05-31"]}


def test_a_failed_date_that_was_marked_as_succeeded_is_told(console: Console) -> None:
    console.done(FAILS)
    console.act("SetSuccessInstance", "2020-05-22")
    found = console.drift()
    assert [(one["address"], one["kind"]) for one in found] == [(ADDRESS, "repaired")]
    assert found[0]["dates"] == ["2020-05-22..2020-05-31"]


def test_a_repair_that_failed_again_has_changed_nothing(console: Console) -> None:
    console.done(FAILS)
    console.act("RestartInstance", "2020-05-22")
    assert console.kinds().keys() == {"repaired"}
    console.advance(LONG)
    assert console.drift() == []


def test_a_success_that_was_restarted_runs_again_breaks_or_is_as_before(console: Console) -> None:
    console.done()
    console.world(FAILS)
    console.act("RestartInstance", "2020-05-21", "2020-05-22")
    assert console.kinds() == {"restarted": ["2020-05-21..2020-05-22"]}
    console.advance(LONG)
    assert console.kinds() == {"broken": ["2020-05-22"]}
    console.world(SOUND)
    console.act("RestartInstance", "2020-05-22")
    console.advance(LONG)
    assert console.drift() == []


def test_once_a_repair_is_on_record_it_is_drift_no_more(console: Console) -> None:
    console.done(FAILS)
    console.world(SOUND)
    console.act("RestartInstance", "2020-05-22")
    console.advance(LONG)
    assert console.run("plan").code == 0
    assert console.kinds().keys() == {"repaired"}, "a plan records nothing"
    assert console.run("status").code == 0
    assert console.drift() == []
    assert decisions(console.plan()) == {"none succeeded": [WHOLE]}


def test_a_success_that_broke_is_told_as_long_as_it_counts_as_done(console: Console) -> None:
    console.done()
    console.world(FAILS)
    console.act("RestartInstance", "2020-05-22")
    console.advance(LONG)
    assert console.kinds() == {"broken": ["2020-05-22"]}
    assert decisions(console.plan("--refresh", "full"))["hold failed"] == ["2020-05-22"]
    assert console.apply().code == 0
    assert decisions(console.plan()) == {"none succeeded": [WHOLE]}
    assert console.kinds() == {"broken": ["2020-05-22"]}


@pytest.mark.parametrize("ended", [False, True])
def test_a_strangers_backfill_of_the_same_dates_is_foreign(console: Console, ended: bool) -> None:
    console.done()
    run = console.backfill_by_hand("2020-05-30", "2020-06-02")
    console.advance(LONG if ended else 1)
    (one,) = console.drift()
    assert (one["kind"], one["dates"]) == ("foreign", ["2020-05-30..2020-05-31"])
    assert str(run) in one["run_ids"]


def test_a_strangers_run_of_the_same_flow_is_foreign(console: Console) -> None:
    console.flow()
    assert console.apply().code == 0
    console.advance(LONG)
    console.run("status")
    console.flow_by_hand("2020-05-31")
    console.flow_by_hand("2020-05-30")
    (one,) = console.drift()
    assert one == {
        "address": "manualflow.close",
        "dates": ["2020-05-31"],
        "kind": "foreign",
        "run_ids": [str(dag) for dag in console.ledger()[1]["dag_ids"]],
    }


def test_our_own_runs_of_a_lost_store_are_unrecorded(console: Console) -> None:
    console.done()
    console.lose_the_store()
    (one,) = console.drift()
    assert (one["kind"], one["dates"]) == ("unrecorded", [WHOLE])
    assert one["run_ids"] == [str(dag) for dag in console.ledger()[0]["dag_ids"]]
    assert console.apply("--wait").code == 0
    assert console.drift() == []


def test_forgotten_units_are_unrecorded(console: Console) -> None:
    console.done()
    assert console.run("state", "forget", f"{ADDRESS}@{WHOLE}").code == 0
    assert console.kinds() == {"unrecorded": [WHOLE]}


def test_runs_of_a_colleagues_spec_with_other_params_are_unrecorded(
    console: Console, tmp_path: Path
) -> None:
    theirs = colleague_of(console, tmp_path / "theirs")
    theirs.backfill("theirs", params={"1": {"k": "v"}}, dates={"list": ["2020-05-25"]})
    assert theirs.apply().code == 0
    console.backfill()
    (one,) = console.drift()
    assert (one["address"], one["kind"], one["dates"]) == (ADDRESS, "unrecorded", ["2020-05-25"])


def colleague_of(console: Console, root: Path) -> Console:
    """Another project folder with a store of its own, and the same service behind it."""
    theirs = Console(root, layout=console._layout)
    shared = console.root / ".reconciler" / "simulator"
    shared.mkdir(parents=True)
    (root / ".reconciler").mkdir()
    (root / ".reconciler" / "simulator").symlink_to(shared)
    return theirs


def test_runs_of_a_spec_that_is_gone_are_still_read(console: Console) -> None:
    console.done()
    (console.root / "specs" / "orders.yaml").unlink()
    console.backfill("elsewhere", target={"rootNode": 2})
    console.act("RestartInstance", "2020-05-22")
    assert console.drift() == [], "nobody declares it, and it had ended"


@pytest.mark.parametrize("says_so", [True, False])
def test_a_run_in_flight_that_the_service_forgot_has_vanished(
    console: Console, says_so: bool
) -> None:
    console.done(SOUND, seconds=1)
    assert decisions(console.plan()) == {"wait in_flight": [WHOLE]}
    console.purge(SOUND, says_so=says_so)
    assert console.kinds() == {"vanished": [WHOLE]}


@pytest.mark.parametrize("says_so", [True, False])
def test_what_had_ended_when_the_service_forgot_it_has_not_drifted(
    console: Console, says_so: bool
) -> None:
    console.done(FAILS)
    assert decisions(console.plan()).keys() == {
        "none succeeded",
        "hold failed",
        "hold behind_failed",
    }
    console.purge(FAILS, says_so=says_so)
    assert console.drift() == []


def test_an_empty_answer_about_a_young_run_is_not_taken_for_vanished(console: Console) -> None:
    project = console.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("region:", "listingLag: 41d\n      region:", 1))
    console.done(SOUND, seconds=1)
    console.advance(PURGED)
    assert console.drift() == []


def test_drift_is_told_to_people_scripts_and_exit_codes(console: Console) -> None:
    console.done()
    console.world(FAILS)
    console.act("RestartInstance", "2020-05-22")
    console.advance(LONG)
    told = console.run("drift")
    assert (told.code, told.err) == (0, "")
    assert f"broken {ADDRESS}@2020-05-22: had succeeded; has failed since (run" in told.told
    assert "Drift: 1 difference." in told.out
    assert console.run("drift", "--detailed-exitcode").code == 2
    result = console.run("drift", "--json", "--detailed-exitcode")
    assert result.code == 2
    document = result.json
    assert set(document) == {"format_version", "drift", "reads"}
    (one,) = document["drift"]
    assert one == {
        "address": ADDRESS,
        "dates": ["2020-05-22"],
        "kind": "broken",
        "run_ids": [str(dag) for dag in console.ledger()[0]["dag_ids"]],
    }
    assert isinstance(document["reads"], int)


WHAT_HAPPENED: Mapping[str, Callable[[Console], object]] = {
    "nothing": lambda _: None,
    "restarted": lambda console: console.act("RestartInstance", "2020-05-22"),
    "foreign": lambda console: console.backfill_by_hand("2020-05-30", "2020-05-31"),
    "purged": lambda console: console.purge(SOUND, says_so=True),
    "forgotten": lambda console: console.run("state", "forget", f"{ADDRESS}@{WHOLE}"),
}


@pytest.mark.parametrize("what", WHAT_HAPPENED)
def test_drift_writes_nothing_starts_nothing_and_counts_its_reads(
    console: Console, what: str
) -> None:
    console.done()
    WHAT_HAPPENED[what](console)
    store, ledger, requests = stored(console), console.ledger(), len(console.requests())

    result = console.run("drift", "--json")

    assert result.code == 0, result.err
    assert bool(result.json["drift"]) is (what not in {"nothing", "purged"})
    assert stored(console) == store
    assert console.ledger() == ledger
    assert result.json["reads"] == len(console.requests()) - requests > 0
    assert console.run("history", "--verify").code == 0


def stored(console: Console) -> list[str]:
    """All that the store holds, as SQL."""
    uri = f"file:{console.root / '.reconciler' / 'state.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as store:
        return list(store.iterdump())


@pytest.mark.parametrize("operation", ["ListDags", "ListInstances"])
def test_what_cannot_be_read_is_an_error_and_no_drift(console: Console, operation: str) -> None:
    console.done()
    console.faults([{"operation": operation, "effect": "http", "status": 403}])
    result = console.run("drift", "--json", "--detailed-exitcode")
    assert result.code == 1
    assert f"the runs of {ADDRESS} could not be read" in result.err
    assert result.json["drift"] == []
