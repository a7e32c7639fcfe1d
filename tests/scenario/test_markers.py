"""Manual runs that bear our tag as a parameter: found again by it, once the service has shown it back."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenario import faulty
from tests.scenario.faulty import Door
from tests.scenario.processes import QUARANTINE_SECONDS, InProcess, Service, simulate, starts
from tests.scenario.sandbox import EMBEDDED, Result, Sandbox, decisions

CREATE = "CreateManualDag"
CLOCK = "clock: x3600}"
MARKED = f"{EMBEDDED}\n      markers: true"
TAG = r"rc1-[a-z2-7]{16}-g1-[a-z2-7]{6}"
FIRST, SECOND = "2020-05-30", "2020-05-31"
EXECUTED = ["execute_then_drop", "reset_mid_body", "garbage"]


@pytest.fixture
def marked(sandbox_of: Callable[..., Sandbox]) -> Sandbox:
    """A project whose connection marks manual runs."""
    return sandbox_of(endpoint=MARKED)


def wants(sandbox: Sandbox, *dates: str) -> None:
    sandbox.flow(dates={"list": list(dates)})


def believed(sandbox: Sandbox) -> None:
    """Run the flow once, so that its marker was read back."""
    wants(sandbox, FIRST)
    applied = sandbox.apply("--wait")
    assert applied.code == 0, applied.err


def lose(sandbox: Sandbox, effect: str) -> None:
    """Ask for one date more, and lose the answer to its create."""
    wants(sandbox, FIRST, SECOND)
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": effect}])
    lost = sandbox.apply()
    assert lost.code == 3, lost.out + lost.err
    assert "outcome unknown" in lost.out


def tier(sandbox: Sandbox) -> str:
    """The one tier of all actions of a plan."""
    (found,) = {action["tier"] for action in sandbox.plan()["actions"]}
    return str(found)


def lose_the_store(sandbox: Sandbox) -> None:
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()


def mark(sandbox: Sandbox, *, markers: bool) -> None:
    """Say of the connection whether it marks runs, and change nothing else."""
    file = sandbox.root / "reconciler.yaml"
    text = re.sub(r"\n *markers: \w+", "", file.read_text())
    assert CLOCK in text
    file.write_text(text.replace(CLOCK, f"{CLOCK}\n      markers: {str(markers).lower()}"))


def params_sent(sandbox: Sandbox) -> list[str]:
    return [entry["parameters"].get("DagPara", "") for entry in sandbox.ledger()]


# A service that returns what it was given ───────────────────────────────────────────────────────────


def test_the_marker_is_sent_beside_the_flows_own_params(marked: Sandbox) -> None:
    marked.flow(params={"flow": {"zone": "eu", "a": "1"}, "nodes": {"7": {"k": "v"}}})
    assert marked.apply("--wait").code == 0
    (entry,) = marked.ledger()
    wire = entry["parameters"]
    assert re.fullmatch(f"a=1 reconciler_run={TAG} zone=eu", wire["DagPara"])
    assert json.loads(wire["NodePara"]) == {"7": "k=v"}
    (attempt,) = marked.run("state", "pull").json["attempts"]
    assert f"reconciler_run={attempt['name'].partition(' ')[0]} " in wire["DagPara"]


def test_each_date_bears_a_tag_of_its_own(marked: Sandbox) -> None:
    wants(marked, FIRST, SECOND)
    assert marked.apply("--wait").code == 0
    sent = params_sent(marked)
    assert len(set(sent)) == len(sent) == 2
    assert all(re.fullmatch(f"reconciler_run={TAG}", one) for one in sent)


def test_the_plan_shows_the_marker_that_will_be_sent(marked: Sandbox) -> None:
    wants(marked, FIRST)
    plan = marked.root / "saved.json"
    assert marked.run("plan", "--out", str(plan)).code == 0
    (call,) = json.loads(plan.read_text())["calls"]
    assert marked.apply(str(plan)).code == 0
    assert params_sent(marked) == [call["parameters"]["DagPara"]]


def test_a_marker_is_believed_from_the_moment_it_came_back(marked: Sandbox) -> None:
    wants(marked, FIRST)
    assert tier(marked) == "S3"
    assert marked.apply("--wait").code == 0
    assert tier(marked) == "S2"
    wants(marked, FIRST, SECOND)
    assert tier(marked) == "S2"


def test_without_markers_a_flow_stays_what_nobody_can_find_again(sandbox: Sandbox) -> None:
    believed(sandbox)
    assert tier(sandbox) == "S3"
    lose(sandbox, "drop")
    sandbox.advance(QUARANTINE_SECONDS)
    assert decisions(sandbox.plan())["unknown outcome_unknown"] == [SECOND]
    assert sandbox.apply().code == 3
    assert params_sent(sandbox) == [""]


@pytest.mark.parametrize("effect", EXECUTED)
def test_a_marked_run_whose_answer_was_lost_is_adopted_by_the_next_apply(
    marked: Sandbox, effect: str
) -> None:
    believed(marked)
    lose(marked, effect)

    assert decisions(marked.plan())["adopt found"] == [SECOND]
    assert marked.apply("--wait").code == 0

    assert decisions(marked.plan()) == {"none succeeded": [f"{FIRST}..{SECOND}"]}
    assert starts(marked) == {f"test_flow {FIRST}": 1, f"test_flow {SECOND}": 1}


@pytest.mark.parametrize("effect", EXECUTED)
def test_even_the_first_marked_run_is_found_again_and_then_believed(
    marked: Sandbox, effect: str
) -> None:
    wants(marked, FIRST)
    marked.faults([{"operation": CREATE, "nth": 1, "effect": effect}])
    assert marked.apply().code == 3
    assert tier(marked) == "S3"
    assert marked.apply("--wait").code == 0
    assert tier(marked) == "S2"
    assert starts(marked) == {f"test_flow {FIRST}": 1}


def test_a_marked_call_that_never_ran_is_sent_once_more_when_that_is_proved(
    marked: Sandbox,
) -> None:
    believed(marked)
    lose(marked, "drop")
    assert decisions(marked.plan())["unknown outcome_unknown"] == [SECOND]
    assert marked.apply().code == 3
    assert starts(marked) == {f"test_flow {FIRST}": 1}

    marked.advance(QUARANTINE_SECONDS)

    assert decisions(marked.plan())["create never_started"] == [SECOND]
    assert marked.apply("--wait").code == 0
    assert starts(marked) == {f"test_flow {FIRST}": 1, f"test_flow {SECOND}": 1}


def test_the_first_marked_call_is_not_proved_absent_before_a_marker_came_back(
    marked: Sandbox,
) -> None:
    wants(marked, FIRST)
    marked.faults([{"operation": CREATE, "nth": 1, "effect": "drop"}])
    assert marked.apply().code == 3
    marked.advance(QUARANTINE_SECONDS)
    assert decisions(marked.plan()) == {"unknown outcome_unknown": [FIRST]}
    assert marked.apply().code == 3
    assert marked.ledger() == []


def test_marked_runs_survive_a_lost_store(marked: Sandbox) -> None:
    wants(marked, FIRST, SECOND)
    assert marked.apply("--wait").code == 0
    lose_the_store(marked)
    plan = marked.plan()
    assert decisions(plan) == {"adopt found": [f"{FIRST}..{SECOND}"]}
    assert {action["tier"] for action in plan["actions"]} == {"S3"}

    assert marked.apply("--wait").code == 0

    assert decisions(marked.plan()) == {"none succeeded": [f"{FIRST}..{SECOND}"]}
    assert tier(marked) == "S2"
    assert starts(marked) == {f"test_flow {FIRST}": 1, f"test_flow {SECOND}": 1}


def test_marked_runs_of_an_edited_spec_are_not_taken_for_strangers(marked: Sandbox) -> None:
    believed(marked)
    lose_the_store(marked)
    marked.flow(dates={"list": [FIRST]}, params={"flow": {"k": "v"}})
    assert decisions(marked.plan()) == {"hold changed": [FIRST]}
    assert marked.apply("--wait").code == 3
    assert len(marked.ledger()) == 1


@pytest.mark.parametrize("before", [False, True])
def test_switching_markers_on_or_off_runs_nothing_again(sandbox: Sandbox, before: bool) -> None:
    mark(sandbox, markers=before)
    wants(sandbox, FIRST)
    assert sandbox.apply("--wait").code == 0

    mark(sandbox, markers=not before)

    assert decisions(sandbox.plan("--refresh", "full")) == {"none succeeded": [FIRST]}
    wants(sandbox, FIRST, SECOND)
    assert sandbox.apply("--wait").code == 0
    one, other = sandbox.run("state", "pull").json["attempts"]
    assert one["series"] == other["series"]
    assert [bool(sent) for sent in params_sent(sandbox)] == [before, not before]
    assert tier(sandbox) == ("S3" if before else "S2")


# A service that does not ────────────────────────────────────────────────────────────────────────────


class Forgetful(Door):
    """Passes everything on, and rewrites our marker in the answers' `fields` while there are any."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        """Forget nothing yet."""
        self.fields: frozenset[str] = frozenset()
        self.becomes = ""
        super().__init__(upstream)

    def forgets(self, *fields: str, becomes: str = "") -> None:
        self.fields, self.becomes = frozenset(fields), becomes

    def serve(self, client: socket.socket, number: int) -> None:  # noqa: ARG002 - all are alike
        while request := faulty._read_message(client):
            with socket.create_connection(self.upstream) as upstream:
                upstream.sendall(request)
                client.sendall(self._rewritten(faulty._read_message(upstream)))

    def _rewritten(self, answer: bytes) -> bytes:
        head, body = faulty._parted(answer)
        if not self.fields or b"reconciler_run" not in body:
            return answer
        body = json.dumps(self._without(json.loads(body))).encode()
        return re.sub(rb"(?i)(content-length: *)\d+", rb"\g<1>%d" % len(body), head) + body

    def _without(self, value: Any) -> Any:
        match value:
            case dict():
                return {name: self._field(name, one) for name, one in value.items()}
            case list():
                return [self._without(one) for one in value]
            case _:
                return value

    def _field(self, name: str, value: Any) -> Any:
        if name in self.fields and isinstance(value, str):
            return re.sub(r"reconciler_run=\S*", self.becomes, value).strip()
        return self._without(value)


ALL = ("ParaValue", "ParamValues")


@contextmanager
def behind(folder: Path) -> Iterator[tuple[Forgetful, InProcess]]:
    """A marked project whose service stands behind a forgetful door."""
    with simulate(folder) as service:
        _, _, port = service.url.rpartition(":")
        with Forgetful(("127.0.0.1", int(port.rstrip("/")))) as door:
            project = InProcess(folder / "project", through(door, service))
            project.connection("markers: true")
            yield door, project


def through(door: Forgetful, service: Service) -> Service:
    """The same service, reached by the door."""
    keys = service.keys
    return Service(
        service.process,
        {
            "url": f"http://127.0.0.1:{door.port}",
            "access_key_id": keys["SIM_ID"],
            "access_key_secret": keys["SIM_SECRET"],
        },
    )


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[tuple[Forgetful, InProcess]]:
    with behind(tmp_path) as opened:
        yield opened


def altered(applied: Result) -> list[Mapping[str, Any]]:
    return [event for event in applied.events if event["type"] == "tag_altered"]


@pytest.mark.parametrize(
    ("becomes", "seen"),
    [("", ""), ("run=x", ""), ("reconciler_run=", ""), ("reconciler_run=rc1-cut", "rc1-cut")],
)
def test_a_marker_that_does_not_come_back_is_told_and_never_believed(
    forgetful: tuple[Forgetful, InProcess], becomes: str, seen: str
) -> None:
    door, project = forgetful
    door.forgets(*ALL, becomes=becomes)
    wants(project, FIRST)

    applied = project.apply("--json")

    assert applied.code == 0, applied.err
    (event,) = altered(applied)
    assert event["address"] == "manualflow.close"
    assert event["dates"] == [FIRST]
    assert re.fullmatch(f"{TAG} close", event["sent"])
    assert event["seen"] == seen
    assert tier(project) == "S3"


def test_once_a_marker_was_lost_what_is_unknown_is_left_to_a_person_for_good(
    forgetful: tuple[Forgetful, InProcess],
) -> None:
    door, project = forgetful
    door.forgets(*ALL)
    believed(project)
    lose_through(project, "execute_then_drop")
    project.advance(QUARANTINE_SECONDS)

    shown = project.plan()

    assert decisions(shown)["unknown outcome_unknown"] == [SECOND]
    assert tier(project) == "S3"
    assert [run for action in shown["actions"] for run in action["run_ids"]], "a candidate"
    assert project.apply().code == 3
    assert starts(project) == {f"test_flow {FIRST}": 1, f"test_flow {SECOND}": 1}


def test_a_service_that_stops_returning_markers_loses_our_trust(
    forgetful: tuple[Forgetful, InProcess],
) -> None:
    door, project = forgetful
    believed(project)
    assert tier(project) == "S2"
    door.forgets(*ALL)
    wants(project, FIRST, SECOND)
    applied = project.apply("--json")
    assert len(altered(applied)) == 1
    assert tier(project) == "S3"
    door.forgets()
    wants(project, "2020-05-29", FIRST, SECOND)
    assert altered(project.apply("--json")) == []
    assert tier(project) == "S3"


@pytest.mark.parametrize("effect", ["drop", "execute_then_drop"])
def test_where_listings_do_not_show_markers_nothing_is_proved_absent(
    forgetful: tuple[Forgetful, InProcess], effect: str
) -> None:
    door, project = forgetful
    door.forgets("ParamValues")
    believed(project)
    lose_through(project, effect)
    project.advance(QUARANTINE_SECONDS)
    assert decisions(project.plan())["unknown outcome_unknown"] == [SECOND]
    assert project.apply().code == 3
    assert set(starts(project).values()) == {1}


def lose_through(project: InProcess, effect: str) -> None:
    """As `lose`, where the simulator is served."""
    wants(project, FIRST, SECOND)
    project.service.faults({"operation": CREATE, "nth": 1, "effect": effect})
    assert project.apply().code == 3


# What was sent without a marker ─────────────────────────────────────────────────────────────────────


def test_an_unmarked_call_is_never_proved_absent_by_a_listing_of_marks(sandbox: Sandbox) -> None:
    wants(sandbox, FIRST)
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "execute_then_drop"}])
    assert sandbox.apply().code == 3
    mark(sandbox, markers=True)
    wants(sandbox, FIRST, SECOND)
    assert sandbox.apply("--wait").code == 3
    sandbox.advance(QUARANTINE_SECONDS)

    assert sandbox.apply("--wait").code == 3

    assert decisions(sandbox.plan())["unknown outcome_unknown"] == [FIRST]
    assert len(sandbox.ledger()) == 2


def test_after_a_lost_store_an_unmarked_run_is_still_a_candidate(sandbox: Sandbox) -> None:
    wants(sandbox, FIRST)
    assert sandbox.apply("--wait").code == 0
    mark(sandbox, markers=True)
    wants(sandbox, FIRST, SECOND)
    assert sandbox.apply("--wait").code == 0
    lose_the_store(sandbox)

    for _ in range(2):
        assert sandbox.apply("--wait").code == 3

    assert decisions(sandbox.plan())["hold candidate"] == [FIRST]
    assert len(sandbox.ledger()) == 2


def test_marks_that_listings_leave_out_let_nothing_run_again(tmp_path: Path) -> None:
    with behind(tmp_path) as (door, project):
        door.forgets("ParamValues")
        believed(project)
        project.advance(QUARANTINE_SECONDS)
        assert project.run("state", "forget", f"manualflow.close@{FIRST}").code == 0
        assert project.apply("--wait").code == 3
        assert decisions(project.plan()) == {"hold candidate": [FIRST]}
        assert sum(starts(project).values()) == 1


def test_a_plan_from_before_the_markers_has_moved(sandbox: Sandbox) -> None:
    wants(sandbox, FIRST)
    plan = sandbox.root / "before.json"
    assert sandbox.run("plan", "--out", str(plan)).code == 0
    mark(sandbox, markers=True)
    applied = sandbox.run("apply", str(plan))
    assert applied.code == 4, applied.err
    assert "it is not the call that its spec asks for" in " ".join(applied.err.split())
    assert sandbox.ledger() == []
    wants(sandbox, FIRST, SECOND)
    assert sandbox.apply("--wait").code == 0
    assert tier(sandbox) == "S2"
