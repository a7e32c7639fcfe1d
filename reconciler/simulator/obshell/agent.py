"""What the agent tells about itself, to everyone.

Its state, and the members of the git information, are guesses.
"""

from __future__ import annotations

from typing import Any

from reconciler.simulator.cluster import MaintenanceType
from reconciler.simulator.generic_ids import HERE
from reconciler.simulator.obshell import keys
from reconciler.simulator.obshell.call import Call
from reconciler.simulator.obshell.catalogue import every_dag
from reconciler.simulator.obshell.envelope import moment

_ADDRESS = {"ip": HERE.ip, "port": HERE.port}
_IDENTITY = {"identity": "CLUSTER AGENT"}
_VERSION = "4.5.0.0"
_RUNNING = 2
_PID = 1
_SQL_PORT = 2881
_AVAILABLE, _NO_CONNECTION = 3, 1


def get_time(call: Call) -> object:
    """The agent's time: the gateway clock."""
    return moment(call.session.gateway_ms)


def get_info(call: Call) -> object:
    """Who the agent is."""
    return {
        **_process(call),
        "homePath": "/home/admin/oceanbase",
        "obVersion": f"{_VERSION}-1",
        "architecture": "x86_64",
        **_ADDRESS,
        "zone": "zone1",
        **_IDENTITY,
        "version": _VERSION,
        "isObproxyAgent": False,
        "security": True,
        "supportedAuth": ["v2"],
    }


def get_git_info(call: Call) -> object:  # noqa: ARG001 - one signature for all handlers
    """What the agent was built from."""
    return {"branch": "simulator", "commitId": "", "shortCommitId": "", "commitTime": ""}


def get_secret(call: Call) -> object:
    """The public key for headers."""
    return {**_ADDRESS, "public_key": keys.public_key(call.session.connection)}


def get_status(call: Call) -> object:
    """How the agent and its OceanBase server are."""
    available = call.session.world.cluster.database_available
    return {
        "agent": {**_ADDRESS, **_IDENTITY},
        "state": _RUNNING,
        "version": _VERSION,
        "pid": _PID,
        "startAt": _started_ns(call),
        "port": HERE.port,
        "obState": _AVAILABLE if available else _NO_CONNECTION,
        "sqlPort": _SQL_PORT,
        "underMaintenance": any(
            dag.is_unfinished and dag.plan.lock.type is MaintenanceType.GLOBAL
            for dag in every_dag(call.session)
        ),
    }


def _process(call: Call) -> dict[str, Any]:
    return {"pid": _PID, "state": _RUNNING, "startAt": _started_ns(call)}


def _started_ns(call: Call) -> int:
    """When the simulator's state began, in nanoseconds since the epoch."""
    return call.session.worlds[0].from_ms * 1_000_000
