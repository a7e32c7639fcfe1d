"""Our tag as a flow parameter: how it is sent, and what is believed of what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.resources import Tuning
from reconciler.model.runs import Tier
from reconciler.model.series import MARKER, NAME_LIMIT, Series, Tag, sorted_params
from reconciler.providers.dataworks.markers import marker_in, marker_of, tag_in
from reconciler.providers.dataworks.vocabulary import InstanceStatus
from reconciler.providers.dataworks.wire_answers import Instance
from tests.unit.providers.dataworks.support import (
    Service,
    a_connection,
    a_name,
    a_provider,
    a_row,
    a_series,
    an_attempt,
    lists,
    ok,
)

MANUAL = a_series(Kind.MANUAL_FLOW)
TAG = Tag(series=MANUAL.fingerprint, generation=12, call_id="abcdef")
DAY = DateRange.parse("2024-05-01")
DATES = DateSet((DAY,))
SEARCH = "SearchManualDagNodeInstance"


def rows(*texts: str | None) -> list[Instance]:
    return [
        Instance(
            id=str(number),
            dag_id="9",
            node_id=None,
            status=InstanceStatus.RUNNING,
            date=None,
            task_type=None,
            dag_type=None,
            created_at=None,
            created_by=None,
            parameters=text,
        )
        for number, text in enumerate(texts)
    ]


# What is sent ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spec", ["close", "月末", "x" * NAME_LIMIT])
def test_the_marker_is_the_tag_alone(spec: str) -> None:
    assert marker_of(TAG.name(spec)) == (MARKER, str(TAG))


def test_the_marker_can_be_carried_as_a_parameter() -> None:
    name, value = marker_of(TAG.name("close"))
    assert not any(char.isspace() or char == "=" for char in name + value)
    assert tag_in(rows(f"{name}={value}")) == TAG


def wire(series: Series, *, markers: bool) -> dict[str, str]:
    provider = a_provider(Service(), connection=a_connection(markers=markers))
    return dict(provider.wire_call(series, DAY, TAG.name("close"), Tuning()).parameters)


def test_a_flow_without_params_of_its_own_bears_the_marker() -> None:
    assert wire(MANUAL, markers=True) == {
        **wire(MANUAL, markers=False),
        "DagPara": f"reconciler_run={TAG}",
    }


def test_the_marker_stands_beside_the_flows_own_params_and_touches_no_nodes() -> None:
    params = sorted_params({"flow": {"zone": "eu", "a": "1"}, "7": {"k": "v"}})
    series = a_series(Kind.MANUAL_FLOW, params=params)
    plain, marked = wire(series, markers=False), wire(series, markers=True)
    assert plain.pop("DagPara") == "a=1 zone=eu"
    assert marked.pop("DagPara") == f"a=1 reconciler_run={TAG} zone=eu"
    assert plain == marked


def test_a_backfill_bears_its_name_and_no_marker() -> None:
    provider = a_provider(Service(), connection=a_connection(markers=True))
    call = provider.wire_call(a_series(), DAY, TAG.name("orders"), Tuning())
    assert MARKER not in str(call.parameters)


@pytest.mark.parametrize(
    ("markers", "survive", "tier"),
    [
        (False, None, Tier.S3),
        (False, True, Tier.S3),
        (False, False, Tier.S3),
        (True, None, Tier.S3),
        (True, True, Tier.S2),
        (True, False, Tier.S3),
    ],
)
def test_a_marker_is_believed_once_one_was_read_back_whole(
    markers: bool, survive: bool | None, tier: Tier
) -> None:
    provider = a_provider(Service(), connection=a_connection(markers=markers))
    assert provider.tier(Kind.MANUAL_FLOW, tags_survive=survive) is tier


@pytest.mark.parametrize(("survive", "tier"), [(None, Tier.S2), (True, Tier.S2), (False, Tier.S3)])
@pytest.mark.parametrize("markers", [True, False])
def test_a_backfills_name_is_believed_until_one_was_altered(
    markers: bool, survive: bool | None, tier: Tier
) -> None:
    provider = a_provider(Service(), connection=a_connection(markers=markers))
    assert provider.tier(Kind.BACKFILL, tags_survive=survive) is tier


# What comes back ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("texts", "marker"),
    [
        ((), None),
        ((None,), None),
        (("",), None),
        ((" \t\n ",), None),
        (("a=1 b=2",), None),
        (("reconciler_run",), None),
        (("reconciler_run reconciler_run",), None),
        (("reconciler_run=",), ""),
        (("reconciler_run==x",), "=x"),
        (("reconciler_run=x=y",), "x=y"),
        (("xreconciler_run=x reconciler_runs=x RECONCILER_RUN=x",), None),
        (("=reconciler_run=x",), None),
        (("a=reconciler_run=x",), None),
        ((" a=1   reconciler_run=x\tb=2",), "x"),
        (("a=1\nreconciler_run=x\r\n",), "x"),
        (("reconciler_run=x reconciler_run=y",), "x"),
        ((None, "a=1", "reconciler_run=x"), "x"),
        (("reconciler_run=x", "reconciler_run=y"), "x"),
        (("reconciler_run=x\x00y",), "x\x00y"),
        (("😀=1 reconciler_run=😀",), "😀"),
        (("a=1," * 100_000 + " reconciler_run=x",), "x"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_the_marker_is_what_stands_in_our_own_parameter(
    texts: tuple[str | None, ...], marker: str | None
) -> None:
    assert marker_in(rows(*texts)) == marker


@pytest.mark.parametrize(
    "value",
    [
        "",
        "null",
        "${reconciler_run}",
        str(TAG)[:-1],
        f"{TAG}x",
        f" {TAG}",
        f"'{TAG}'",
        f'"{TAG}"',
        f"{TAG},b=2",
        f"{TAG}\x00",
        str(TAG).upper(),
        str(TAG).replace("rc1", "rc2"),
        str(TAG).replace("-g12-", "-g0-"),
        str(TAG).replace("-g12-", "-g1\uff12-"),
        str(TAG).replace("-g12-", "-g9999999999-"),
        f"x{TAG}",
        "9" * 100_000,
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_no_tag_is_read_from_a_marker_that_is_not_whole(value: str) -> None:
    assert tag_in(rows(f"reconciler_run={value}")) is None


def test_a_tag_elsewhere_than_in_our_parameter_is_none_of_ours() -> None:
    assert (
        tag_in(rows(f"{TAG}", f"run={TAG}", f"reconciler_run:{TAG}", f"a=1,{MARKER}={TAG}"))
        is None
    )


def test_the_tag_of_a_run_is_read_from_whichever_row_has_it() -> None:
    assert tag_in(rows(None, "a=1", f"reconciler_run={TAG} b=2", "c=3")) == TAG


# What is made of it ─────────────────────────────────────────────────────────────────────────────────


def searched(*texts: str | None) -> Service:
    service = Service()
    found = [
        a_row(n, 9, "2024-05-01", "x", Status=4, DagType=5, ParaValue=text)
        for n, text in enumerate(texts, start=1)
    ]
    service.on(SEARCH, ok({"NodeInsInfo": found}))
    return service


async def name_seen(service: Service, *, markers: bool = True) -> str | None:
    provider = a_provider(service, connection=a_connection(markers=markers))
    return (await provider.confirm(an_attempt(MANUAL, "2024-05-01", run_ids=("9",)))).name


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ((f"k=v reconciler_run={TAG}",), str(TAG)),
        ((None, f"reconciler_run={TAG}"), str(TAG)),
        (("k=v",), ""),
        ((None,), ""),
        (("reconciler_run=",), ""),
        (("reconciler_run=cut",), "cut"),
    ],
    ids=str,
)
async def test_a_marked_run_read_back_has_the_name_its_marker_gives_it(
    texts: tuple[str | None, ...], name: str
) -> None:
    assert await name_seen(searched(*texts)) == name


@pytest.mark.anyio
async def test_a_run_without_rows_yet_says_nothing_of_its_name() -> None:
    assert await name_seen(searched()) is None


@pytest.mark.anyio
async def test_without_markers_a_manual_run_has_no_name() -> None:
    assert await name_seen(searched(f"reconciler_run={TAG}"), markers=False) is None


def a_listed(dag_id: int, **row: Any) -> dict[str, Any]:
    return a_row(dag_id, dag_id, "2024-05-01", "RUNNING", DagType="BUSINESS_PROCESS_DAG", **row)


@pytest.mark.anyio
async def test_listed_runs_are_ours_by_their_markers() -> None:
    other = a_name(a_series(Kind.MANUAL_FLOW, params=sorted_params({"flow": {"k": "v"}})))
    service = Service()
    listed = [
        a_listed(1, ParamValues=f"k=v reconciler_run={TAG}"),
        a_listed(2, ParamValues=f"reconciler_run={other.partition(' ')[0]}"),
        a_listed(3, ParamValues="reconciler_run=cut"),
        a_listed(4),
    ]
    service.on("ListInstances", lists(listed))
    provider = a_provider(service, connection=a_connection(markers=True))
    seen = await provider.discover(MANUAL, DATES, known_runs={})
    tags = {run.run_ids[0]: run.tag for run in seen.found}
    assert tags == {"1": TAG, "2": Tag.parse(other), "3": None, "4": None}
    assert seen.shows_tags


@pytest.mark.anyio
@pytest.mark.parametrize("text", [None, "k=v", "reconciler_run=cut", f"run={TAG}"])
async def test_a_listing_without_a_whole_marker_has_not_shown_that_it_would_show_ours(
    text: str | None,
) -> None:
    service = Service()
    service.on("ListInstances", lists([a_listed(1, ParamValues=text), a_listed(2)]))
    provider = a_provider(service, connection=a_connection(markers=True))
    seen = await provider.discover(MANUAL, DATES, known_runs={"1": DATES})
    assert not seen.shows_tags
    assert [run.run_ids for run in seen.found] == [("2",)]


@pytest.mark.anyio
async def test_a_marker_on_a_run_on_record_shows_that_listings_show_markers() -> None:
    service = Service()
    service.on("ListInstances", lists([a_listed(1, ParamValues=f"reconciler_run={TAG}")]))
    seen = await a_provider(service).discover(MANUAL, DATES, known_runs={"1": DATES})
    assert (seen.found, seen.shows_tags) == ((), True)
