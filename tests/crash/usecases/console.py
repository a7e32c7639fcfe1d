"""What people do in the service's own console: they start runs, of which nobody told us."""

from __future__ import annotations

import datetime as dt

import httpx

from reconciler.simulator import AccessKey, Simulator
from tests.crash.usecases.specs import ROOTS
from tests.simulator.harness import signed_request


async def start_by_hand(
    simulator: Simulator, name: str, date: str, *, now: dt.datetime, nonce: str
) -> str:
    """Start a run of a resource's node or flow on a date.

    Returns:
        Its id.
    """
    day = f"{date} 00:00:00"
    if name in ROOTS:
        root = str(ROOTS[name])
        action, version = "RunCycleDagNodes", "2020-05-18"
        call = {"Name": f"by-hand {name}", "ProjectEnv": "PROD", "RootNodeId": root,
                "IncludeNodeIds": root, "StartBizDate": day, "EndBizDate": day,
                "Parallelism": "false"}  # fmt: skip
    else:
        action, version = "CreateManualDag", "2018-06-01"
        call = {"ProjectName": "test_project", "FlowName": "test_flow", "Bizdate": day}
    request = signed_request(
        action,
        call,
        version=version,
        date=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        nonce=nonce,
        key=AccessKey(id=simulator.access_key_id, secret=simulator.access_key_secret),
    )
    async with httpx.AsyncClient(transport=simulator.transport()) as client:
        answer = await client.send(request)
    assert answer.status_code == 200, answer.text
    return str(simulator.ledger()[-1]["dag_ids"][0])
