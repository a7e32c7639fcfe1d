"""A project in a temporary folder, its commands, and the simulator behind it as the outside oracle."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.cli.main import run
from reconciler.model.project import SimulatorEndpoint
from reconciler.simulator import AccessKey, Simulator
from reconciler.wiring.embedded import open_embedded
from tests.scenario.backfilled import DATAWORKS, Work, system_of
from tests.simulator.harness import signed_request

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: sandbox}}
spec:
  specs: ["specs/*.yaml"]
  connections:
    prod:
{connection}
      {endpoint}
  policy: {policy}
"""

EMBEDDED = "endpoint: simulator\n      simulator: {world: world.yaml, clock: x3600}"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """What it printed, wherever its lines were broken."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Sandbox:
    """A project folder with the embedded simulator; its clock runs 3600 times as fast."""

    def __init__(
        self, root: Path, *, world: str = "{}", policy: str = "{}", endpoint: str = EMBEDDED
    ) -> None:
        self.root = root
        (root / "specs").mkdir(parents=True)
        self.configure(DATAWORKS.connection, endpoint, policy=policy)
        self.world(world)

    def configure(self, connection: str, endpoint: str, *, policy: str = "{}") -> None:
        """Write the project file."""
        text = PROJECT.format(connection=connection, endpoint=endpoint, policy=policy)
        (self.root / "reconciler.yaml").write_text(text)

    def world(self, text: str) -> None:
        (self.root / "world.yaml").write_text(text)

    def spec(self, file: str, text: str) -> None:
        (self.root / "specs" / file).write_text(text)

    def backfill(self, name: str = "orders", file: str | None = None, **spec: Any) -> None:
        """Write a backfill of node 1 on 2020-05-20..2020-05-31 unless said otherwise."""
        body = {
            "connection": "prod",
            "target": {"rootNode": 1},
            "dates": {"start": "2020-05-20", "end": "2020-05-31"},
            **spec,
        }
        self.document(file or f"{name}.yaml", "Backfill", name, body)

    def flow(self, name: str = "close", **spec: Any) -> None:
        """Write a manual flow for 2020-05-31 unless said otherwise."""
        body = {
            "connection": "prod",
            "target": {"flow": "test_flow"},
            "dates": {"list": ["2020-05-31"]},
            **spec,
        }
        self.document(f"{name}.yaml", "ManualFlow", name, body)

    def document(self, file: str, kind: str, name: str, spec: Mapping[str, Any]) -> None:
        document = {
            "apiVersion": "reconciler/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
        self.spec(file, json.dumps(document, indent=1))

    def run(self, *words: str) -> Result:
        """Run one command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["-C", str(self.root), *words])
        return Result(int(code), out.getvalue(), err.getvalue())

    def plan(self, *words: str) -> dict[str, Any]:
        """The plan as JSON; the command must succeed."""
        result = self.run("plan", "--json", *words)
        assert result.code == 0, result.err
        plan: dict[str, Any] = result.json
        return plan

    def apply(self, *words: str) -> Result:
        return self.run("apply", "--auto-approve", *words)

    def ledger(self) -> list[dict[str, Any]]:
        """Every create the service executed, told by the service itself."""
        with self._simulator() as simulator:
            return simulator.ledger()

    def requests(self) -> list[dict[str, Any]]:
        with self._simulator() as simulator:
            return simulator.requests()

    def faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        with self._simulator() as simulator:
            simulator.put_faults(faults)

    def advance(self, seconds: float) -> None:
        with self._simulator() as simulator:
            simulator.advance(seconds)

    def call(self, action: str, version: str = "2020-05-18", /, **parameters: object) -> Any:
        """One signed call that has nothing to do with us; its decoded answer."""
        with self._simulator() as simulator:
            key = AccessKey(id=simulator.access_key_id, secret=simulator.access_key_secret)
            stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            request = signed_request(action, parameters, version=version, date=stamp, key=key)
            response = asyncio.run(send(simulator, request))
        assert response.status_code == 200, response.text
        return response.json()

    def flow_by_hand(self, date: str) -> None:
        """A run of the same flow that we know nothing of."""
        self.call(
            "CreateManualDag",
            "2018-06-01",
            ProjectName="test_project",
            FlowName="test_flow",
            Bizdate=f"{date} 00:00:00",
        )

    def _simulator(self) -> contextlib.AbstractContextManager[Simulator]:
        endpoint = SimulatorEndpoint(world="world.yaml", clock="x3600")
        return open_embedded(endpoint, "prod", self.root)


async def send(simulator: Simulator, request: httpx.Request) -> httpx.Response:
    """Send one request to a simulator."""
    async with httpx.AsyncClient(transport=simulator.transport()) as client:
        request.extensions["timeout"] = httpx.Timeout(10.0).as_dict()
        return await client.send(request)


def decisions(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """The dates of a plan's actions by `decision reason`."""
    found: dict[str, list[str]] = {}
    for action in plan["actions"]:
        found.setdefault(f"{action['decision']} {action['reason']}", []).extend(action["dates"])
    return found


def executed_dates(ledger: Sequence[Mapping[str, Any]]) -> list[Work]:
    """Every target and date that a service started, once per start; the dates of DataArts are plan days."""
    started: list[Work] = []
    for entry in ledger:
        system, wire = system_of(entry), entry["parameters"]
        started += (
            [f"{wire['FlowName']} {wire['Bizdate'][:10]}"]
            if system is None
            else system.started(entry)
        )
    return started


def given_out(entry: Mapping[str, Any]) -> list[str]:
    """The ids by which our store may know the runs of an entry of the ledger."""
    system = system_of(entry)
    if system is None:
        return [str(run) for run in entry["dag_ids"]]
    return system.given_out(entry)
