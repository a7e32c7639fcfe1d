"""Judging DAGs: what opens a gate, what closes it, and in which words.

State and operator are read together: the official helpers look at the state alone, and take a DAG that was
rolled back for one that succeeded.

Source: OBShell server source 61ee147 (2026-05).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.providers.obshell.wire import Dag


class MaintenanceType(enum.IntEnum):
    """What a DAG keeps others away from. Others (none, a proxy) are no tenant's."""

    GLOBAL = 2
    TENANT = 3


#: What the server is known to send: not bootstrapped, none, global, tenant, proxy.
_KNOWN_TYPES = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a gate is closed, in one line; or what to know of it though it is open.

    A gate that is `stuck` opens only after a person has done something.
    """

    closed: str | None = None
    stuck: bool = False
    remark: str | None = None


_UNDER_WAY = {
    ("PENDING", "RUN"): "is queued",
    ("READY", "RUN"): "is queued",
    ("RUNNING", "RUN"): "is running",
    ("READY", "RETRY"): "is being retried",
    ("RUNNING", "RETRY"): "is being retried",
    ("READY", "ROLLBACK"): "is being rolled back",
    ("RUNNING", "ROLLBACK"): "is being rolled back",
    ("READY", "CANCEL"): "is being cancelled",
    ("RUNNING", "CANCEL"): "is being cancelled",
}
_FAILED = {"CANCEL": "was cancelled", "ROLLBACK": "failed to roll back"}


def judge_dag(dag: Dag) -> Verdict:
    """Whether a DAG did what it is for."""
    match dag.state, dag.operator:
        case "SUCCEED", "RUN":
            passed = ", ".join(dag.passed_nodes)
            return Verdict(
                remark=f"waived: of {_title(dag)} an operator passed {passed}, which was not executed"
                if passed
                else None
            )
        case "SUCCEED", "PASS":
            return Verdict(
                remark=f"waived: {_title(dag)}: an operator passed it, it was not executed"
            )
        case _:
            return Verdict(closed=_described(dag), stuck=_has_ended(dag))


def judge_unfinished(dags: Sequence[Dag], tenant: str | None) -> Verdict:
    """Whether nothing is unfinished; with `tenant`, nothing of its own or of the whole cluster."""
    counted = [dag for dag in dags if tenant is None or _concerns(dag, tenant)]
    if not counted:
        return Verdict()
    # A failed one stays until a person acts, so it is the one to name.
    first = next((dag for dag in counted if dag.state == "FAILED"), counted[0])
    parts = [_described(first)]
    if first.state == "FAILED":
        parts.append("it stays unfinished until it gets RETRY, ROLLBACK or PASS in OBShell")
    if tenant is not None and not _tells_maintenance(first):
        parts.append("the server does not tell whose it is, so it counts for every tenant")
    if len(counted) > 1:
        parts.append(f"and {len(counted) - 1} more unfinished")
    return Verdict(closed="; ".join(parts), stuck=first.state == "FAILED")


def _has_ended(dag: Dag) -> bool:
    """Whether a DAG stays as it is until a person acts."""
    return dag.state in {"FAILED", "SUCCEED"}


def _concerns(dag: Dag, tenant: str) -> bool:
    if not _tells_maintenance(dag) or dag.maintenance_type == MaintenanceType.GLOBAL:
        return True
    return dag.maintenance_type == MaintenanceType.TENANT and dag.maintenance_key == tenant


def _tells_maintenance(dag: Dag) -> bool:
    if dag.maintenance_type == MaintenanceType.TENANT:
        return dag.maintenance_key is not None
    return dag.maintenance_type in _KNOWN_TYPES


def _described(dag: Dag) -> str:
    """Where a DAG stands that has not succeeded."""
    said = f"({dag.state}/{dag.operator})"
    match dag.state:
        case "SUCCEED" if dag.operator == "ROLLBACK":
            return f"{_title(dag)} was rolled back: it is undone {said}"
        case "FAILED":
            what = _FAILED.get(dag.operator, "failed")
            return f"{_title(dag)} {what} {said}{_stage(dag)}{_failing_node(dag)}"
        case _ if (verb := _UNDER_WAY.get((dag.state, dag.operator))) is not None:
            return f"{_title(dag)} {verb} {said}{_stage(dag)}{_since(dag)}"
        case _:
            return f"{_title(dag)} is in a state that is not known to be good {said}{_stage(dag)}"


def _title(dag: Dag) -> str:
    return f"DAG {dag.id} ({dag.name})"


def _stage(dag: Dag) -> str:
    return (
        ""
        if dag.stage is None or dag.max_stage is None
        else f", stage {dag.stage}/{dag.max_stage}"
    )


def _since(dag: Dag) -> str:
    return "" if dag.started_at is None else f", since {dag.started_at:%Y-%m-%d %H:%M %z}"


def _failing_node(dag: Dag) -> str:
    if dag.failed_node is None:
        return ""
    log = " | ".join(dag.failed_node.lines)
    return f", in node {dag.failed_node.name}" + (f": {log}" if log else "")
