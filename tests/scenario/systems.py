"""A project with all three systems, each with an embedded simulator of its own on the same world."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.model.project import SimulatorEndpoint
from reconciler.simulator import AccessKey, Simulator
from reconciler.wiring.embedded import open_embedded
from tests.scenario.sandbox import Sandbox, send
from tests.simulator.dataarts.studio import signed

CONNECTIONS = """
    ob:
      provider: obshell
      {endpoint}
    hw:
      provider: dataarts
      region: cn-north-4
      projectId: p1
      workspace: w1
      instance: i1
      {endpoint}
"""

#: The job that lands the source of most backfills here.
LANDING = '{name: etl-dli2dws, task: "937987"}'


class Systems(Sandbox):
    """Connections `prod` (DataWorks), `ob` (OBShell) and `hw` (DataArts)."""

    def __init__(self, root: Path, *, world: str = "{}", clock: str = "x3600") -> None:
        self.clock = clock
        endpoint = f"endpoint: simulator\n      simulator: {{world: world.yaml, clock: {clock}}}"
        super().__init__(
            root, world=world, endpoint=endpoint + CONNECTIONS.format(endpoint=endpoint).rstrip()
        )

    def gate(self, name: str, **spec: Any) -> None:
        self.document(f"gate-{name}.yaml", "Gate", name, spec)

    def quiet_gate(self) -> None:
        """Nothing unfinished in the cluster."""
        self.gate("quiet", connection="ob", obshell={"noUnfinished": "cluster"})

    def landed_gate(self) -> None:
        """Open for the dates whose source landed on the day after."""
        self.gate("landed", connection="hw", dataarts={"task": "937987", "job": "etl-dli2dws"})

    def job(self, name: str = "sales", **spec: Any) -> None:
        """Write a backfill of a DataArts job on 2020-05-20..2020-05-31 unless said otherwise."""
        self.backfill(name, **{"connection": "hw", "target": {"job": "daily_sales"}, **spec})

    def simulator(self, name: str) -> contextlib.AbstractContextManager[Simulator]:
        endpoint = SimulatorEndpoint(world="world.yaml", clock=self.clock)
        return open_embedded(endpoint, name, self.root)

    def asked(self, name: str) -> Counter[str]:
        """How often each operation of a system was asked for."""
        with self.simulator(name) as simulator:
            return Counter(entry["operation"] for entry in simulator.requests())

    def faults_on(self, name: str, *faults: Mapping[str, Any]) -> None:
        with self.simulator(name) as simulator:
            simulator.put_faults(faults)

    def advance_on(self, name: str, seconds: float) -> None:
        with self.simulator(name) as simulator:
            simulator.advance(seconds)

    def ranges(self) -> list[str]:
        """The dates of each create that DataWorks executed, in order."""
        wires = [entry["parameters"] for entry in self.ledger()]
        return [f"{one['StartBizDate'][:10]}..{one['EndBizDate'][:10]}" for one in wires]

    def patch_by_hand(self, name: str, first: str, last: str, job: str = "daily_sales") -> int:
        """A PatchData that somebody else starts; the HTTP status of its answer."""
        with self.simulator("hw") as simulator:
            key = AccessKey(id=simulator.access_key_id, secret=simulator.access_key_secret)
            body = {
                "name": name,
                "job_name": job,
                "start_date": f"{first}T00:00:00 +08",
                "end_date": f"{last}T23:59:59 +08",
                "parallel": 1,
            }
            request = signed(
                "POST",
                "/v2/p1/factory/supplement-data",
                {},
                json.dumps(body).encode(),
                {"workspace": "w1", "content-type": "application/json"},
                date=dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ"),
                key=key,
            )
            return asyncio.run(send(simulator, request)).status_code

    def patches(self) -> list[dict[str, Any]]:
        """Every PatchData that DataArts executed."""
        with self.simulator("hw") as simulator:
            return simulator.ledger()


def world(*, dags: str = "", jobs: str = "", more: str = "") -> str:
    """A world with these DAGs and jobs."""
    return f"obshell: {{dags: [{dags}]}}\ndataarts: {{jobs: [{jobs}]{more}}}\n"
