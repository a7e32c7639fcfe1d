"""Looking at a condition: one read, and one of the agent's status where the answer alone proves nothing."""

from __future__ import annotations

from reconciler.model.errors import NotFound, ProviderError, Unavailable
from reconciler.model.gates import DagSucceeded, NothingUnfinished, Scope
from reconciler.providers.obshell.api import Api
from reconciler.providers.obshell.failures import PROVIDER
from reconciler.providers.obshell.gates import Verdict, judge_dag, judge_unfinished
from reconciler.providers.obshell.wire import Status

#: `obState` of a database that can be asked.
AVAILABLE = 3

#: What an agent is called that belongs to a cluster.
CLUSTER_AGENT = "CLUSTER AGENT"

#: Agents that list their own tasks only, and need no database for it.
_WITHOUT_CLUSTER = {"SINGLE", "MASTER", "FOLLOWER", "TAKE OVER MASTER", "TAKE OVER FOLLOWER"}


async def look_at_dag(api: Api, condition: DagSucceeded) -> Verdict:
    """Judge one DAG.

    "Not found" is believed only while the database is available: without it, the agent answers so for
    every DAG (OBShell server source 61ee147).

    Raises:
        ProviderError: It could not be read.
    """
    try:
        dag = await api.get_dag(condition.dag)
    except NotFound as error:
        await _make_sure(api, f"the agent answers 'not found' for DAG {condition.dag}", error)
        return Verdict(
            closed=f"there is no DAG {condition.dag}: the agent does not know it", stuck=True
        )
    return judge_dag(dag)


async def look_at_unfinished(api: Api, condition: NothingUnfinished) -> Verdict:
    """Judge a list of unfinished DAGs.

    The agent puts the list of everything together from several, and leaves out, with no word, what it
    could not read. So it is believed to be empty only while the database is available (OBShell server
    source, agent/executor/task/dag.go, 2025).

    Raises:
        ProviderError: It could not be read.
    """
    verdict = judge_unfinished(await api.list_unfinished(condition.scope), condition.tenant)
    if condition.scope is Scope.ALL and verdict.closed is None:
        await _make_sure(api, "the agent lists nothing unfinished", None)
    return verdict


async def _make_sure(api: Api, what: str, cause: ProviderError | None) -> None:
    """Ask the agent whether it could know.

    Raises:
        Unavailable: It could not, or does not say.
    """
    try:
        status = await api.get_status()
    except ProviderError as error:
        raise _doubtful(
            f"{what}, and does not tell whether its database is available", error
        ) from error
    if not _can_know(status, found_missing=cause is not None):
        raise _doubtful(
            f"{what}, but its database is not available (obState {status.ob_state})", cause
        ) from cause


def _can_know(status: Status, *, found_missing: bool) -> bool:
    if status.ob_state == AVAILABLE:
        return True
    return not found_missing and status.identity in _WITHOUT_CLUSTER


def _doubtful(summary: str, cause: ProviderError | None) -> Unavailable:
    return Unavailable(
        summary,
        provider=PROVIDER,
        operation="get_status",
        status=None if cause is None else cause.status,
        hint="it is read again with the next look",
    )
