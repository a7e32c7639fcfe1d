"""The systems whose backfills are tried: what differs between them for a project, a fault and the judge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: One thing that can run, as the ledger and the record both name it: `1234 2020-05-20` is a root node (or
#: the name of a job) and a data date, `test_flow 2020-05-31` a manual flow and its business date.
Work = str


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system, and how the simulator's ledger tells of it.

    Attributes:
        name: What a connection calls it, and a world the part that is about it, if it has one.
        create: The operation that starts a backfill.
        connection: The settings of a connection but its endpoint; `{number}` is the project's own.
        target: The field of a spec's target.
        root: What a project's own target is called, of which `{number}` is part.
        wire: What a create's parameters call the target, the first day and the last.
        names_runs: Whether the id of a run is the name that we gave it.
        expired: What becomes of a request whose signature is too old.
    """

    name: str
    create: str
    connection: str
    target: str
    root: str
    wire: tuple[str, str, str]
    names_runs: bool = False
    expired: str

    def root_of(self, number: int) -> str:
        """The root, as work names it, of a project's own target."""
        return self.root.format(number=number)

    def target_of(self, number: int) -> Mapping[str, object]:
        """The target of a spec that starts it."""
        root = self.root_of(number)
        return {self.target: int(root) if root.isdigit() else root}

    def started(self, entry: Mapping[str, Any]) -> list[Work]:
        """What an entry of the ledger started, a create of this system: one for each of its days."""
        root, *ends = (entry["parameters"][name] for name in self.wire)
        first, last = (dt.date.fromisoformat(end[:10]) for end in ends)
        return [f"{root} {first + dt.timedelta(n)}" for n in range((last - first).days + 1)]

    def given_out(self, entry: Mapping[str, Any]) -> list[str]:
        """The run ids that our store may know from it."""
        return [entry["name"]] if self.names_runs else [str(run) for run in entry["dag_ids"]]


DATAWORKS = System(
    name="dataworks",
    create="RunCycleDagNodes",
    connection="""\
      provider: dataworks
      region: cn-shanghai
      project: test_project
      projectId: 112345""",
    target="rootNode",
    root="{number}",
    wire=("RootNodeId", "StartBizDate", "EndBizDate"),
    expired="InvalidTimeStamp.Expired",
)

#: Projects share no workspace: a listing shows all of one, and tags of others would prove what ours do not.
DATAARTS = System(
    name="dataarts",
    create="CreateFactorySupplementDataInstance",
    connection="""\
      provider: dataarts
      region: cn-north-4
      projectId: 0123456789abcdef0123456789abcdef
      workspace: workspace-{number}""",
    target="job",
    root="job-{number}",
    wire=("job_name", "start_date", "end_date"),
    names_runs=True,
    expired="APIG.0301",
)

SYSTEMS = (DATAWORKS, DATAARTS)

_BY_CREATE = {system.create: system for system in SYSTEMS}


def system_of(entry: Mapping[str, Any]) -> System | None:
    """The system whose create of a backfill an entry of the ledger is; None if it is another call."""
    return _BY_CREATE.get(entry["operation"])


def instant_world(*numbers: int) -> Mapping[str, object]:
    """A world in which the targets of these numbers, on whichever system, end as they begin."""
    return {
        "nodes": [{"id": number, "seconds": 0} for number in numbers],
        "dataarts": {
            "jobs": [{"name": DATAARTS.root_of(number), "seconds": 0} for number in numbers]
        },
    }
