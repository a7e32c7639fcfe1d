"""The vendors' own clients, unmodified, against a served simulator: the referees of its wire format."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.simulator import AccessKey
from tests.simulator.serving import Served, serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # The vendors' packages warn about themselves.
    from alibabacloud_tea_openapi.utils import Utils

    from tests.simulator.sdk_clients import MAKERS, Client, Refused

THREE_DATES = {
    "Name": "rc1-abc 补数 a+b*c~d%e",
    "ProjectEnv": "PROD",
    "RootNodeId": 1,
    "IncludeNodeIds": "1,2",
    "StartBizDate": "2020-05-20 00:00:00",
    "EndBizDate": "2020-05-22 00:00:00",
    "Parallelism": False,
    "NodeParams": json.dumps({"1": "k=值 k2=${yyyy-mm-dd}"}, ensure_ascii=False),
}
MANUAL = {
    "ProjectName": "test_project",
    "FlowName": "test_flow",
    "Bizdate": "2018-12-12 00:00:00",
    "DagPara": "k=值*~+%/",
    "NodePara": json.dumps({"10": 'test=${yyyy-mm-dd} q="a b"'}),
}
WORLD = """
nodes: [{id: 1, name: orders_root}, {id: 2, parents: [1]}]
flows: [{project: test_project, name: test_flow, nodes: [{id: 10, name: first}, {id: 11, parents: [10]}]}]
"""


every_client = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Tea client applies proxies to loopback too."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    world = tmp_path_factory.mktemp("world") / "world.yaml"
    world.write_text(WORLD)
    with serving(world=world) as one:
        yield one


def make(maker: Callable[..., Client], served: Served, **more: Any) -> Client:
    return maker(**{"port": served.port, "key": served.key, **more})


def ask(client: Client, action: str, **parameters: Any) -> Any:
    """A 2020 call that succeeds; its `Data`."""
    answer = client("2020-05-18", action, {"ProjectEnv": "PROD", **parameters})
    assert answer["Success"] is True, answer
    return answer["Data"]


@every_client
@pytest.mark.parametrize("token", [None, "CAISdummySTS+token/with==chars~1"], ids=["key", "sts"])
def test_a_backfill_from_creation_to_success(
    maker: Callable[..., Client], token: str | None, served: Served
) -> None:
    client = make(maker, served, token=token)
    dag_ids = ask(client, "RunCycleDagNodes", **THREE_DATES)
    assert len(dag_ids) == 3
    dag = ask(client, "GetDag", DagId=dag_ids[0])
    assert (dag["Name"], dag["Status"], dag["Type"]) == (
        THREE_DATES["Name"],
        "RUNNING",
        "SUPPLY_DATA",
    )
    dags = ask(client, "ListDags", OpSeq=dag["OpSeq"])["Dags"]
    assert [one["Status"] for one in dags] == ["RUNNING", "CREATED", "CREATED"]
    served.advance(360)
    dags = ask(client, "ListDags", OpSeq=dag["OpSeq"])["Dags"]
    assert [(one["DagId"], one["Status"]) for one in dags] == [(n, "SUCCESS") for n in dag_ids]


@every_client
def test_rows_of_a_listing(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served)
    dag_ids = ask(client, "RunCycleDagNodes", **THREE_DATES)
    found = ask(
        client,
        "ListInstances",
        ProjectId=112345,
        NodeId=1,
        BeginBizdate="2020-05-20 00:00:00",
        EndBizdate="2020-05-22 00:00:00",
        OrderBy="CREATE_TIME_DESC",
        PageNumber=1,
        PageSize=3,
    )
    rows = found["Instances"]
    assert [row["DagId"] for row in rows] == dag_ids[::-1]
    assert {row["NodeName"] for row in rows} == {"orders_root"}
    assert {row["ParamValues"] for row in rows} == {"k=值 k2=${yyyy-mm-dd}"}
    assert rows[-1]["Bizdate"] == 1589904000000
    assert found["TotalCount"] >= 3


@every_client
def test_a_running_instance_is_stopped(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served)
    dag_id, *_ = ask(client, "RunCycleDagNodes", **THREE_DATES)
    found = ask(client, "ListInstances", ProjectId=1, DagId=dag_id, Status="RUNNING")
    (row,) = found["Instances"]
    assert ask(client, "StopInstance", InstanceId=row["InstanceId"]) is True
    assert ask(client, "GetDag", DagId=dag_id)["Status"] == "FAILURE"
    assert ask(client, "RestartInstance", InstanceId=row["InstanceId"]) is True
    assert ask(client, "GetDag", DagId=dag_id)["Status"] == "RUNNING"


@every_client
def test_a_manual_run_through_the_2018_api(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served)
    created = client("2018-06-01", "CreateManualDag", MANUAL)
    assert created["ReturnCode"] == "0"
    dag_id = created["ReturnValue"]
    served.advance(60)
    parameters = {"ProjectName": "test_project", "DagId": dag_id}
    found = client("2018-06-01", "SearchManualDagNodeInstance", parameters)
    assert (found["Success"], found["ErrCode"]) == (True, "0")
    rows = found["Data"]["NodeInsInfo"]
    assert [(row["NodeName"], row["Status"], row["DagType"]) for row in rows] == [
        ("first", 6, 5),
        ("node_11", 4, 5),
    ]
    assert rows[0]["ParaValue"] == 'k=值*~+%/ test=${yyyy-mm-dd} q="a b"'
    assert rows[0]["Bizdate"] == "1544544000000"


@every_client
def test_a_wrong_secret_is_refused(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served, key=AccessKey(id=served.key.id, secret="wrong"))
    with pytest.raises(Refused) as caught:
        ask(client, "GetDag", DagId=1)
    # The classic client recognises this code and gives it a name of its own.
    assert caught.value.code in {"SignatureDoesNotMatch", "InvalidAccessKeySecret"}


@every_client
def test_an_unknown_key_is_refused(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served, key=AccessKey(id="nobody", secret=served.key.secret))
    with pytest.raises(Refused, match=r"InvalidAccessKeyId\.NotFound"):
        ask(client, "GetDag", DagId=1)


@every_client
def test_a_bad_parameter_is_refused(maker: Callable[..., Client], served: Served) -> None:
    client = make(maker, served)
    before = len(served.control("GET", "ledger"))
    with pytest.raises(Refused, match="InvalidParameter"):
        ask(client, "RunCycleDagNodes", **{**THREE_DATES, "StartBizDate": "2020-05-20"})
    assert len(served.control("GET", "ledger")) == before


@every_client
def test_an_unknown_id_is_refused_inside_the_answer(
    maker: Callable[..., Client], served: Served
) -> None:
    answer = make(maker, served)("2020-05-18", "GetDag", {"ProjectEnv": "PROD", "DagId": 1})
    assert (answer["Success"], answer["ErrorCode"]) == (False, "Invalid.Dag.NotExists")


@pytest.mark.parametrize("maker", [MAKERS["tea-acs3"], MAKERS["tea-v2"]], ids=["acs3", "v2"])
def test_a_replayed_nonce_is_refused(
    maker: Callable[..., Client], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Utils, "get_nonce", staticmethod(lambda: "always-the-same"))
    client = make(maker, served)
    codes = []
    for _ in range(2):
        try:
            ask(client, "ListDags", OpSeq=1)
        except Refused as refused:
            codes.append(refused.code)
    assert codes[-1] == "SignatureNonceUsed"


@pytest.mark.parametrize("maker", [MAKERS["tea-acs3"], MAKERS["tea-v2"]], ids=["acs3", "v2"])
def test_a_stale_timestamp_is_refused(
    maker: Callable[..., Client], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Utils, "get_timestamp", staticmethod(lambda: "2020-01-01T00:00:00Z"))
    with pytest.raises(Refused, match=r"InvalidTimeStamp\.Expired"):
        ask(make(maker, served), "ListDags", OpSeq=1)
