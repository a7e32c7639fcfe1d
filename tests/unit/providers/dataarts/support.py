"""A scripted DataArts behind `httpx.MockTransport`, and what its tests share."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo

import httpx

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Place
from reconciler.model.project import DataArtsConnection, PasswordCredentials, Secret
from reconciler.model.rangemap import RangeMap
from reconciler.model.series import Realm, Series, Subject, Tag, sorted_params
from reconciler.providers.dataarts.provider import DataArtsProvider
from reconciler.providers.signing import SigningKey
from tests.unit.providers.dataworks.support import NOW, UNPACED, FakeClock, NoJitter

KEY = SigningKey(access_key_id="example-id", access_key_secret=Secret("example-secret-canary"))
ZONE = ZoneInfo("Asia/Shanghai")
JOB = "daily_sales"

CREATE = "CreateFactorySupplementDataInstance"
LIST = "ShowFactorySupplementData"
STOP = "StopFactorySupplementDataInstance"
INSTANCES = "ListFactoryJobInstancesByName"
NODES = "ShowJobInstance"
TASK_RUNS = "ShowInstanceInfos"
TOKEN = "KeystoneCreateUserTokenByPassword"

_PATHS: Sequence[tuple[str, str, str]] = (
    (CREATE, "POST", r"/v2/p1/factory/supplement-data"),
    (LIST, "GET", r"/v2/p1/factory/supplement-data"),
    (STOP, "POST", r"/v2/p1/factory/supplement-data/(?P<name>[^/]+)/stop"),
    (INSTANCES, "GET", r"/v2/p1/factory/jobs/(?P<job>[^/]+)/instances/detail"),
    (NODES, "GET", r"/v1/p1/jobs/(?P<job>[^/]+)/instances/(?P<id>[^/]+)"),
    (TASK_RUNS, "GET", r"/v1/p1/datamap/node/(?P<task>[^/]+)/instances"),
    (TOKEN, "POST", r"/v3/auth/tokens"),
)

Reply = httpx.Response | Mapping[str, Any] | Exception
Handler = Callable[[dict[str, str]], Reply]


@dataclass
class Service:
    """Answers by operation; handlers get query, path parts and body as one. `calls` holds what came."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    date: dt.datetime | None = NOW
    clock: FakeClock | None = None

    def on(self, operation: str, handler: Handler | Mapping[str, Any]) -> None:
        self.handlers[operation] = handler if callable(handler) else lambda _: handler

    def in_turn(self, operation: str, *answers: Reply) -> None:
        """Give these answers, one a call."""
        left = list(answers)
        self.handlers[operation] = lambda _: left.pop(0)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def asked(self, operation: str) -> list[dict[str, str]]:
        return [asked for name, asked in self.calls if name == operation]

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others send meanwhile
        raw_path, _, raw_query = request.url.raw_path.decode().partition("?")
        asked = dict(parse_qsl(raw_query, keep_blank_values=True))
        operation = ""
        for name, method, pattern in _PATHS:
            found = re.fullmatch(pattern, raw_path)
            if found is not None and method == request.method:
                operation = name
                asked |= {key: unquote(value) for key, value in found.groupdict().items()}
        if request.content:
            asked["body"] = request.content.decode()
        self.calls.append((operation, asked))
        self.requests.append(request)
        answer = self.handlers[operation](asked)
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, httpx.Response):
            answer = httpx.Response(200, json=dict(answer))
        date = self.clock.now() if self.clock is not None else self.date
        if date is not None and "date" not in answer.headers:
            answer.headers["date"] = date.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return answer


def a_connection(**changes: Any) -> DataArtsConnection:
    values: dict[str, Any] = {
        "name": "hw",
        "region": "cn-north-4",
        "place": Place(file="reconciler.yaml", line=1, column=1),
        "project_id": "p1",
        "workspace": "w1",
        "instance": "i1",
        "limits": UNPACED,
    }
    return DataArtsConnection(**{**values, **changes})


USER = PasswordCredentials(
    user="example-user", domain="example-domain", password=Secret("example-password-canary")
)


def a_provider(
    service: Service,
    *,
    connection: DataArtsConnection | None = None,
    clock: FakeClock | None = None,
    signed: bool = True,
) -> DataArtsProvider:
    """With `signed`, it has a key; otherwise what the connection names."""
    return DataArtsProvider(
        connection or a_connection(),
        clock=clock or FakeClock(),
        environ={},
        transport=service.transport(),
        credentials=(lambda: KEY) if signed else None,
        jitter=NoJitter(),
    )


def a_series(*, offset: int = 0, kind: Kind = Kind.BACKFILL, root: str = JOB) -> Series:
    subject = Subject(
        realm=Realm.LIVE,
        provider="dataarts",
        region="cn-north-4",
        workspace="p1/w1",
        environment="PROD",
        kind=kind,
        root=root,
    )
    params = sorted_params({"plan": {"offsetDays": str(offset)}} if offset else {})
    return Series(subject=subject, params=params)


SERIES = a_series()


def a_name(series: Series = SERIES, call_id: str = "abcdef") -> str:
    return str(Tag(series=series.fingerprint, generation=1, call_id=call_id))


def an_attempt(
    dates: str,
    *,
    series: Series = SERIES,
    name: str | None = None,
    run_ids: Sequence[str] | None = None,
    coverage: RangeMap[UnitRecord] | None = None,
    serial: bool = True,
) -> Attempt:
    name = name or a_name(series)
    return Attempt(
        id="a1",
        number=1,
        address=Address.of(Kind.BACKFILL, "orders"),
        connection="hw",
        operation=CREATE,
        subject=series.subject.fingerprint,
        series=series.fingerprint,
        generation=1,
        dates=DateRange.parse(dates),
        call_id="abcdef",
        plan_id="p1",
        name=name,
        state=AttemptState.ACCEPTED,
        serial=serial,
        created_at=NOW,
        signed_at=NOW,
        run_ids=(name,) if run_ids is None else tuple(run_ids),
        coverage=coverage or RangeMap(),
    )


def ms(text: str) -> int:
    """A local time `2024-05-01T09:00` as epoch milliseconds."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def a_patch(
    name: str,
    first: str,
    last: str,
    status: str,
    *,
    submitted: str = "2024-05-20T10:00",
    **more: Any,
) -> dict[str, Any]:
    return {
        "name": name,
        "job_list": [JOB],
        "status": status,
        "parallel": 1,
        "type": 0,
        "user_name": "somebody",
        "start_date": ms(f"{first}T00:00"),
        "end_date": ms(f"{last}T23:59") + 59_000,
        "submitted_date": ms(submitted),
        "supplement_data_run_time": None,
        "supplement_data_instance_time": None,
        **more,
    }


def patches(rows: Sequence[Mapping[str, Any]]) -> Handler:
    """ShowFactorySupplementData over fixed rows, newest first; `name` takes parts of names."""

    def answer(asked: dict[str, str]) -> Reply:
        found = [row for row in rows if asked.get("name", "") in row["name"]]
        found.sort(key=lambda row: int(row["submitted_date"]), reverse=True)
        page, size = int(asked["page"]), int(asked["size"])
        return {
            "msg": "success",
            "success": True,
            "total": len(found),
            "rows": found[page * size : (page + 1) * size],
        }

    return answer


def an_instance(
    number: int, planned: str, status: str, *, submitted: str = "2024-05-20T10:00", **more: Any
) -> dict[str, Any]:
    return {
        "job_name": JOB,
        "instance_id": number,
        "job_instance_name": f"P_{JOB}_{number}",
        "instance_type": 5,
        "status": status,
        "plan_time": ms(planned),
        "submit_time": ms(submitted),
        "force_success": False,
        "ignore_success": False,
        **more,
    }


def instances(rows: Sequence[Mapping[str, Any]]) -> Handler:
    """ListFactoryJobInstancesByName over fixed rows, both bounds of its window excluded."""

    def answer(asked: dict[str, str]) -> Reply:
        low, high = int(asked["min_plan_time"]), int(asked["max_plan_time"])
        found = [
            row
            for row in rows
            if low < row["plan_time"] < high
            and str(row["instance_type"]) == asked["instance_type"]
        ]
        page, size = int(asked["offset"]), int(asked["limit"])
        return {"total": len(found), "instances": found[page * size : (page + 1) * size]}

    return answer


def a_task_run(number: int, planned: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "taskId": 937987,
        "taskName": "etl-dli2dws",
        "jobName": "ETL_Job_dli2dws",
        "taskRunningLogId": number,
        "status": status,
        "type": "ETLJob",
        "planTime": ms(planned),
        "submitTime": ms(planned),
        "startTime": ms(planned),
        "endTime": 0,
        "failCount": -1,
        "inputRowCount": -1,
        "forceSuccess": 0,
        "speed": 0.0,
        "runningData": '{"a": {}}',
        **more,
    }


def relay(document: Mapping[str, Any], status: int = 200) -> dict[str, Any]:
    return {"status_code": status, "body": json.dumps(document), "header_map": {}}


def task_runs(rows: Sequence[Mapping[str, Any]], *, by_page: bool = False) -> Handler:
    """ShowInstanceInfos over fixed rows, its offset counting rows or pages."""

    def answer(asked: dict[str, str]) -> Reply:
        low, high = int(asked["start_time"]), int(asked["end_time"])
        found = [row for row in rows if low < row["planTime"] < high]
        offset, size = int(asked["offset"]), int(asked["limit"])
        first = offset * size if by_page else offset
        page = found[first : first + size]
        return relay({"msg": "success", "success": True, "total": len(found), "rows": page})

    return answer


def error(status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
    body = {"error_code": code, "error_msg": message}
    return httpx.Response(status, json=body, headers={"x-request-id": "r-1", **headers})


def a_token(value: str, expires_at: dt.datetime) -> httpx.Response:
    return httpx.Response(
        201,
        json={"token": {"expires_at": f"{expires_at:%Y-%m-%dT%H:%M:%S}.855000Z", "methods": []}},
        headers={"x-subject-token": value},
    )
