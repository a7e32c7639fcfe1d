"""What a service, or somebody who may name things there, can answer with.

Text goes where the service puts text of its own or of its users; numbers, lists and whole answers are put
where they do not belong. Every command goes on, or ends with an error of ours.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.corpus.case import Case, Surface, Threat
from tests.hostile.corpus.texts import ALL_AT_ONCE, TEXTS
from tests.hostile.stage import Change, Stage, answer, everywhere

_AFTER = ("state pull", "history", "history --json")


@dataclass(frozen=True, slots=True)
class _Scene:
    """What stands on the stage when the answer is spoilt, and who asks."""

    prepare: Callable[[Stage], None]
    commands: tuple[str, ...]
    more: tuple[str, ...]


def _declared(stage: Stage) -> None:
    """A backfill that never ran."""
    stage.backfill(dates={"list": ["2020-05-20", "2020-05-21"]})


def _flow(stage: Stage) -> None:
    stage.flow()


def _job(stage: Stage) -> None:
    stage.job(dates={"list": ["2020-05-20", "2020-05-21"]})


def _applied(stage: Stage) -> None:
    """A backfill of which one date failed."""
    stage.world("nodes: [{id: 1, name: root, fail: [2020-05-21]}]")
    _declared(stage)
    assert stage.run("apply", "--auto-approve").code == 0
    stage.advance(3600)


def _flow_applied(stage: Stage) -> None:
    stage.world(
        "flows: [{project: test_project, name: test_flow, nodes: [{id: 9, name: n, fail: [2020-05-31]}]}]"
    )
    _flow(stage)
    assert stage.run("apply", "--auto-approve").code == 0
    stage.advance(3600)


def _job_applied(stage: Stage) -> None:
    stage.world("dataarts: {jobs: [{name: daily_sales, fail: [2020-05-21]}]}")
    _job(stage)
    assert stage.run("apply", "--auto-approve").code == 0
    stage.advance_on("hw", 3600)


def _gated(stage: Stage) -> None:
    stage.world(
        "obshell: {dags: [{id: '11', name: Upgrade, nodes: "
        "[{name: Install, seconds: 1, fail: true, logs: [no space left]}]}]}\n"
        'dataarts: {jobs: [{name: etl-dli2dws, task: "937987"}]}'
    )
    stage.quiet_gate()
    stage.landed_gate()
    stage.gate("dag", connection="ob", obshell={"dag": "11"})
    stage.backfill(requires=["gate.quiet", "gate.landed", "gate.dag"])
    stage.advance_on("ob", 60)


FRESH = _Scene(
    _declared,
    ("apply --auto-approve", "status"),
    (*_AFTER, "plan --json", "apply --auto-approve --json", "state show backfill.orders"),
)
FLOW = _Scene(_flow, ("apply --auto-approve --json", "status"), (*_AFTER, "plan"))
JOB = _Scene(_job, ("apply --auto-approve", "status"), (*_AFTER, "plan --json"))
RAN = _Scene(
    _applied,
    ("status --json", "explain backfill.orders@2020-05-21"),
    ("drift", "drift --json", "plan", "plan --json", "check", "state show backfill.orders"),
)
FLOW_RAN = _Scene(
    _flow_applied, ("status", "explain manualflow.close@2020-05-31"), ("drift", "plan")
)
JOB_RAN = _Scene(
    _job_applied, ("status", "explain backfill.sales@2020-05-21"), ("drift", "plan --json")
)
GATES = _Scene(
    _gated, ("plan", "check"), ("plan --json", "status", "explain backfill.orders@2020-05-20")
)

#: Texts of the service or of its users: scene, operation, name of the field.
FIELDS = (
    (FRESH, "RunCycleDagNodes", "RequestId"),
    (FRESH, "RunCycleDagNodes", "Message"),
    (FRESH, "GetDag", "Name"),
    (FRESH, "GetDag", "CreateUser"),
    (FRESH, "GetDag", "Status"),
    (FRESH, "GetDag", "OpSeq"),
    (FRESH, "ListInstances", "RequestId"),
    (RAN, "ListInstances", "NodeName"),
    (RAN, "ListInstances", "CreateUser"),
    (RAN, "ListInstances", "ParamValues"),
    (RAN, "ListInstances", "Status"),
    (RAN, "ListInstances", "TaskType"),
    (RAN, "ListInstances", "DagType"),
    (RAN, "ListInstances", "Bizdate"),
    (RAN, "ListInstances", "NodeId"),
    (RAN, "ListInstances", "ErrorMessage"),
    (RAN, "GetInstanceLog", "Data"),
    (RAN, "ListDags", "Name"),
    (RAN, "ListDags", "Status"),
    (RAN, "ListDags", "CreateTime"),
    (RAN, "ListDags", "DagId"),
    (FLOW, "CreateManualDag", "RequestId"),
    (FLOW, "CreateManualDag", "ReturnErrorSolution"),
    (FLOW, "CreateManualDag", "ReturnValue"),
    (FLOW_RAN, "SearchManualDagNodeInstance", "NodeName"),
    (FLOW_RAN, "SearchManualDagNodeInstance", "CreateUser"),
    (FLOW_RAN, "SearchManualDagNodeInstance", "ParaValue"),
    (FLOW_RAN, "SearchManualDagNodeInstance", "Status"),
    (JOB, "GET /v2/p1/factory/supplement-data", "name"),
    (JOB, "GET /v2/p1/factory/supplement-data", "user_name"),
    (JOB, "GET /v2/p1/factory/supplement-data", "status"),
    (JOB, "GET /v2/p1/factory/supplement-data", "job_list"),
    (JOB_RAN, "GET /v2/p1/factory/jobs", "status"),
    (JOB_RAN, "GET /v2/p1/factory/jobs", "instance_id"),
    (JOB_RAN, "GET /v1/p1/jobs", "nodeName"),
    (JOB_RAN, "GET /v1/p1/jobs", "logPath"),
    (JOB_RAN, "GET /v1/p1/jobs", "status"),
    (GATES, "GET /api/v1/task", "name"),
    (GATES, "GET /api/v1/task", "state"),
    (GATES, "GET /api/v1/task", "operator"),
    (GATES, "GET /api/v1/task", "task_logs"),
    (GATES, "GET /api/v1/task", "id"),
    (GATES, "GET /api/v1/status", "version"),
    (GATES, "GET /api/v1/status", "identity"),
    (GATES, "GET /api/v1/secret", "public_key"),
    (GATES, "GET /v1/p1/datamap", "status"),
    (GATES, "GET /v1/p1/datamap", "body"),
)  # fmt: skip


def _error(text: str) -> Change:
    """What each of the systems calls an error."""
    dataworks = {"Code": text, "Message": text, "RequestId": text, "HostId": text}
    dataarts = {"error_code": text, "error_msg": text, "request_id": text}
    obshell = {
        "successful": False,
        "error": {"errCode": text, "message": text, "subErrors": [text]},
        "traceId": text,
    }
    return answer(400, {**dataworks, **dataarts, **obshell})


#: Answers that are none: whatever the operation is.
NO_ANSWERS: dict[str, Change] = {
    "HTML": answer(502, b"<html><script>alert(1)</script>::error::x ##[error]y</html>"),
    "HTML that says OK": answer(200, b"<html>\n::error::owned\n</html>"),
    "nothing": answer(200, b""),
    "null": answer(200, None),
    "a list": answer(200, [1, 2]),
    "a text": answer(200, "\x1b[2J::error::owned"),
    "a number": answer(200, 10**40),
    "not a number": answer(200, b'{"Success": true, "Data": NaN}'),
    "infinite": answer(200, b'{"Success": true, "Data": [1e999]}'),
    "half a document": answer(200, b'{"Success": true, "Da'),
    "two documents": answer(200, b'{"Success": true}{"Success": true}'),
    "very deep": answer(200, b'{"Data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep objects": answer(200, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a number of a million digits": answer(200, b'{"Success": true, "Data": [' + b"9" * 10**6 + b"]}"),
    "many keys": answer(200, {f"k{n}": n for n in range(50_000)}),
    "same key twice": answer(200, b'{"Success": false, "Success": true, "Data": [1], "Data": [2]}'),
    "too large": answer(200, b'{"Data": "' + b"x" * (9 * 1024 * 1024) + b'"}'),
    "no UTF-8": answer(200, b'{"Data": "\xff\xfe"}'),
    "UTF-16": answer(200, '{"Success": true}'.encode("utf-16")),
    "half a character": answer(200, b'{"Success": false, "ErrorCode": "\\ud800", "Message": "\\udfff"}'),
    "gzip bomb": answer(200, gzip.compress(b"0" * 64 * 1024 * 1024, 9), Content_Encoding="gzip"),
    "unknown encoding": answer(200, b"x", Content_Encoding="\x1b[2Jbr"),
    "redirect": answer(302, b"", Location="http://127.0.0.1:1/"),
    "redirect elsewhere": answer(307, b"", Location="https://evil.example/?"),
    "authentication": answer(401, b"", WWW_Authenticate='Basic realm="\x1b[2J"'),
    "a date of long ago": answer(200, {"Success": True}, Date="Mon, 01 Jan 0001 00:00:00 GMT"),
    "a date far ahead": answer(403, {"Code": "x"}, Date="Fri, 31 Dec 9999 23:59:59 GMT"),
    "a date that is none": answer(200, {"Success": True}, Date="::error::"),
    "wait for ever": answer(429, {"Code": "Throttling"}, Retry_After="999999999"),
    "wait for less than nothing": answer(429, {"Code": "Throttling"}, Retry_After="-1"),
    "wait until a date": answer(503, {"Code": "x"}, Retry_After="\x1b[2J"),
    "teapot": answer(418, {"Code": "Teapot", "Message": "short and stout"}),
}  # fmt: skip

_ENTRANCES = (
    (FRESH, "RunCycleDagNodes"),
    (FRESH, "ListInstances"),
    (RAN, "ListDags"),
    (JOB, "POST /v2/p1/factory/supplement-data"),
    (GATES, "GET /api/v1/task"),
)

#: Values that are none of a field's type.
NO_VALUES: dict[str, object] = {
    "null": None,
    "a list": [[]],
    "an object": {"a": {"b": []}},
    "a fraction": 1.5,
    "negative": -1,
    "huge": 10**300,
    "true": True,
    "empty": "",
}

_TYPED = (
    (FRESH, "RunCycleDagNodes", "Data"),
    (FRESH, "GetDag", "DagId"),
    (RAN, "ListInstances", "TotalCount"),
    (RAN, "ListInstances", "Instances"),
    (RAN, "ListDags", "Bizdate"),
    (FLOW, "CreateManualDag", "ReturnValue"),
    (JOB, "GET /v2/p1/factory/supplement-data", "total"),
    (JOB, "GET /v2/p1/factory/supplement-data", "start_date"),
    (GATES, "GET /api/v1/task", "data"),
)


def _case(
    name: str,
    scene: _Scene,
    operation: str,
    change: Change,
    *,
    threat: Threat,
    is_rare: bool = False,
) -> Case:
    return Case(
        id=f"reply: {name}",
        threat=threat,
        surface=Surface.REPLY,
        scene=scene.prepare,
        plant=lambda stage: stage.spoil(operation, change),
        commands=scene.commands,
        more=scene.more,
        is_rare=is_rare,
    )


CASES = (
    *(
        _case(
            f"everything in {field} of {operation}",
            scene,
            operation,
            everywhere(field, ALL_AT_ONCE),
            threat=Threat.TERMINALS,
        )
        for scene, operation, field in FIELDS
    ),
    *(
        _case(
            f"everything as an error of {operation}",
            scene,
            operation,
            _error(ALL_AT_ONCE),
            threat=Threat.RUNNERS,
        )
        for scene, operation in _ENTRANCES
    ),
    *(
        _case(
            f"{name} as an error",
            FRESH,
            "RunCycleDagNodes",
            _error(text),
            threat=threat,
            is_rare=name != "very long",
        )
        for threat, named in TEXTS.items()
        for name, text in named.items()
    ),
    # Each answer once, and each operation in turn; `make soak` tries every pair.
    *(
        _case(
            f"{name} to {operation}",
            scene,
            operation,
            change,
            threat=Threat.BOMBS,
            is_rare=number % len(_ENTRANCES) != turn,
        )
        for turn, (scene, operation) in enumerate(_ENTRANCES)
        for number, (name, change) in enumerate(NO_ANSWERS.items())
    ),
    *(
        _case(
            f"{name} as {field} of {operation}",
            scene,
            operation,
            everywhere(field, value),
            threat=Threat.BOMBS,
            is_rare=number != turn % len(NO_VALUES),
        )
        for turn, (scene, operation, field) in enumerate(_TYPED)
        for number, (name, value) in enumerate(NO_VALUES.items())
    ),
)
