"""A scripted DataWorks behind `httpx.MockTransport`, and the seams a provider needs."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Place
from reconciler.model.project import DataWorksConnection, Limits, Secret
from reconciler.model.series import Realm, Series, Subject, Tag
from reconciler.providers.dataworks.provider import DataWorksProvider
from reconciler.providers.signing import SigningKey

NOW = dt.datetime(2024, 6, 1, 12, 0, 0, tzinfo=dt.UTC)
KEY = SigningKey(
    access_key_id="example-id",
    access_key_secret=Secret("example-secret-canary"),
    security_token=Secret("example-token-canary"),
)
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
UNPACED = Limits(read_qps=0, write_qps=0)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class FakeIds:
    """`n1`, `n2`, … padded to the asked length."""

    def __init__(self) -> None:
        self.count = 0

    def token(self, length: int) -> str:
        self.count += 1
        return f"n{self.count}".ljust(length, "x")


class NoJitter:
    """Always the longest wait."""

    def uniform(self, _low: float, high: float, /) -> float:
        return high


Handler = Callable[[dict[str, str]], "httpx.Response | Mapping[str, Any] | Exception"]


@dataclass
class Service:
    """Answers by operation; each handler gets the decoded parameters. `calls` holds what came."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    date: dt.datetime | None = NOW

    def on(self, operation: str, handler: Handler | Mapping[str, Any]) -> None:
        self.handlers[operation] = handler if callable(handler) else lambda _: handler

    def in_turn(
        self, operation: str, *answers: httpx.Response | Mapping[str, Any] | Exception
    ) -> None:
        """Give these answers, one a call."""
        left = list(answers)
        self.handlers[operation] = lambda _: left.pop(0)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others send meanwhile
        operation = request.headers["x-acs-action"]
        raw = request.content or request.url.query
        parameters = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        self.calls.append((operation, parameters))
        self.requests.append(request)
        answer = self.handlers[operation](parameters)
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, httpx.Response):
            answer = httpx.Response(200, json=dict(answer))
        if self.date is not None and "date" not in answer.headers:
            answer.headers["date"] = self.date.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return answer


def a_connection(**changes: Any) -> DataWorksConnection:
    values: dict[str, Any] = {
        "name": "prod",
        "region": "cn-shanghai",
        "place": Place(file="reconciler.yaml", line=1, column=1),
        "project": "test_project",
        "project_id": "112345",
        "limits": UNPACED,
    }
    return DataWorksConnection(**{**values, **changes})


def a_provider(
    service: Service,
    *,
    connection: DataWorksConnection | None = None,
    clock: FakeClock | None = None,
) -> DataWorksProvider:
    return DataWorksProvider(
        connection or a_connection(),
        clock=clock or FakeClock(),
        ids=FakeIds(),
        environ={},
        transport=service.transport(),
        credentials=lambda: KEY,
        jitter=NoJitter(),
    )


def a_series(kind: Kind = Kind.BACKFILL, **changes: Any) -> Series:
    subject = Subject(
        realm=Realm.LIVE,
        provider="dataworks",
        region="cn-shanghai",
        workspace="112345" if kind is Kind.BACKFILL else "test_project",
        environment="PROD",
        kind=kind,
        root="1234" if kind is Kind.BACKFILL else "test_flow",
        hours=changes.pop("hours", None),
    )
    include = ("1234", "74324") if kind is Kind.BACKFILL else ()
    return Series(subject=subject, **{"include": include, **changes})


def a_name(series: Series, call_id: str = "abcdef") -> str:
    return Tag(series=series.fingerprint, generation=1, call_id=call_id).name("orders")


def an_attempt(
    series: Series,
    dates: str,
    *,
    run_ids: Sequence[str] = ("1",),
    run_group: str | None = None,
    age: dt.timedelta = dt.timedelta(hours=1),
    id: str = "a1",  # noqa: A002 - the field's name
) -> Attempt:
    return Attempt(
        id=id,
        number=1,
        address=Address.of(series.subject.kind, "orders"),
        connection="prod",
        operation="RunCycleDagNodes",
        subject=series.subject.fingerprint,
        series=series.fingerprint,
        generation=1,
        dates=DateRange.parse(dates),
        call_id="abcdef",
        plan_id="p1",
        name=a_name(series),
        state=AttemptState.ACCEPTED,
        created_at=NOW - age,
        signed_at=NOW - age,
        run_ids=tuple(run_ids),
        run_group=run_group,
    )


def midnight_ms(date: str, zone: dt.tzinfo = SHANGHAI) -> int:
    return int(dt.datetime.fromisoformat(date).replace(tzinfo=zone).timestamp() * 1000)


def a_dag(dag_id: int, date: str, status: str, name: str, *, group: int = 77) -> dict[str, Any]:
    return {
        "DagId": dag_id,
        "OpSeq": group,
        "Name": name,
        "Status": status,
        "Type": "SUPPLY_DATA",
        "Bizdate": midnight_ms(date),
        "CreateTime": midnight_ms("2024-06-01"),
        "CreateUser": "somebody",
    }


def a_row(instance_id: int, dag_id: int, date: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "InstanceId": instance_id,
        "DagId": dag_id,
        "NodeId": 1234,
        "Status": status,
        "DagType": "SUPPLY_DATA",
        "TaskType": "NORMAL(0)",
        "Bizdate": midnight_ms(date),
        "CreateTime": midnight_ms("2024-06-01"),
        "CreateUser": "somebody",
        **changes,
    }


def ok(data: Any) -> dict[str, Any]:
    return {"Success": True, "RequestId": "r-1", "HttpStatusCode": 200, "Data": data}


def refusal(code: str, message: str = "no") -> dict[str, Any]:
    return {"Success": False, "RequestId": "r-1", "ErrorCode": code, "ErrorMessage": message}


def gateway_error(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"Code": code, "Message": "no", "RequestId": "r-1", "HostId": "h", "Recommend": "u"}
    return httpx.Response(status, content=json.dumps(body), headers=headers)


def lists(rows: Sequence[Mapping[str, Any]]) -> Handler:
    """ListInstances over fixed rows: filters, dates and pages as the service has them."""

    @functools.cache
    def selected(filters: tuple[tuple[str, str], ...], first: int, last: int) -> list[Any]:
        return [
            row
            for row in rows
            if first <= row["Bizdate"] <= last
            and all(str(row[name]) == value for name, value in filters)
        ]

    def answer(asked: dict[str, str]) -> Mapping[str, Any]:
        first, last = 0, 10**15
        if "BeginBizdate" in asked:
            first = midnight_ms(asked["BeginBizdate"][:10])
            last = midnight_ms(asked["EndBizdate"][:10])
        filters = tuple((name, asked[name]) for name in ("NodeId", "DagId") if name in asked)
        found = selected(filters, first, last)
        size, number = int(asked["PageSize"]), int(asked["PageNumber"])
        page = found[(number - 1) * size : number * size]
        return ok(
            {"PageNumber": number, "PageSize": size, "TotalCount": len(found), "Instances": page}
        )

    return answer


def knows_dags(service: Service, *dags: Mapping[str, Any]) -> None:
    """GetDag and ListDags over fixed DAGs; unknown ids are refused."""
    by_id = {str(dag["DagId"]): dag for dag in dags}
    by_group: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for dag in dags:
        by_group[str(dag["OpSeq"])].append(dag)
    service.on(
        "GetDag",
        lambda asked: (
            ok(by_id[asked["DagId"]])
            if asked["DagId"] in by_id
            else refusal("Invalid.Dag.NotExists")
        ),
    )
    service.on("ListDags", lambda asked: ok({"Dags": by_group[asked["OpSeq"]]}))
