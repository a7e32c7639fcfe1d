"""What a plan file can hold that we never wrote, on its way from one job to the next.

The digest binds a plan to itself, and anybody can compute it: those who forge a plan are taken to have
done so. What is forged may be shown, harmlessly, and starts nothing that the specs do not ask for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.model.canonical import digest
from tests.hostile.corpus.case import CONTRACT, PLAN_REFUSED, Case, Surface, Threat
from tests.hostile.corpus.texts import ALL_AT_ONCE as _EVERYTHING
from tests.hostile.costs import MIB
from tests.hostile.stage import Stage, everywhere

#: Half a character has no digest: a plan that holds one is refused.
ALL_AT_ONCE = _EVERYTHING.replace("\ud800", "")

#: Changes the document of a plan in its place.
Edit = Callable[[dict[str, Any]], object]

_COMMANDS = ("show p.json", "apply p.json")
_MORE = ("show p.json --json", "apply p.json --wait --json")


def _saved(stage: Stage) -> None:
    """A plan of one call, and a second one of a manual flow."""
    stage.backfill(dates={"list": ["2020-05-20", "2020-05-21"]}, params={1: {"k": "v"}}, reruns=[])
    stage.flow()
    assert stage.run("plan", "--out", "p.json").code == 0


def _path(stage: Stage) -> Path:
    return stage.root / "p.json"


def _document(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_path(stage).read_text())
    return found


def _starts_nothing(stage: Stage) -> None:
    assert stage.ledger() == []


def _starts_only_what_is_declared(stage: Stage) -> None:
    for entry in stage.ledger():
        wire = entry["parameters"]
        if entry["operation"] == "RunCycleDagNodes":
            assert wire["RootNodeId"] == "1"
            assert wire["StartBizDate"][:10] >= "2020-05-20"
            assert wire["EndBizDate"][:10] <= "2020-05-21"
            assert json.loads(wire["NodeParams"]) == {"1": "k=v"}
        else:
            assert (wire["FlowName"], wire["Bizdate"][:10]) == ("test_flow", "2020-05-31")


def _edited(edit: Edit, *, signed: bool) -> Callable[[Stage], None]:
    def plant(stage: Stage) -> None:
        document = _document(stage)
        edit(document)
        if signed:
            document.pop("digest")
            document["digest"] = digest(document)
        _path(stage).write_text(json.dumps(document, sort_keys=True, indent=2))

    return plant


def _written(content: bytes) -> Callable[[Stage], None]:
    def plant(stage: Stage) -> None:
        _path(stage).write_bytes(content)

    return plant


def _with_calls(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Edit:
    """Other calls, counted as they are."""

    def edit(document: dict[str, Any]) -> None:
        document["calls"] = change(document["calls"])
        document["summary"]["calls"] = len(document["calls"])

    return edit


def _put(where: str, value: object) -> Edit:
    """Put a value at a path such as `calls.0.dates`."""
    *parents, last = where.split(".")

    def edit(document: dict[str, Any]) -> None:
        found: Any = document
        for key in parents:
            found = found[int(key)] if isinstance(found, list) else found[key]
        if isinstance(found, list):
            found[int(last)] = value
        else:
            found[last] = value

    return edit


def _everywhere(name: str, value: object) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        document.update(everywhere(name, value)(document))

    return edit


def _all_texts(document: dict[str, Any]) -> None:
    """Words of people and services, in whatever place a reader sees them."""
    for name in ("root", "owner", "reason", "connection", "environment"):
        for heading in document["resources"]:
            heading[name] = ALL_AT_ONCE
    for action in document["actions"]:
        action["detail"] = ALL_AT_ONCE
        action["changes"] = [{"path": ALL_AT_ONCE, "before": ALL_AT_ONCE, "after": ALL_AT_ONCE}]
        action["run_ids"] = [ALL_AT_ONCE] * 3
        action["blocked_by"] = [ALL_AT_ONCE]
    document["diagnostics"] = [
        {
            "severity": "warning",
            "code": ALL_AT_ONCE,
            "summary": ALL_AT_ONCE,
            "detail": ALL_AT_ONCE,
            "file": ALL_AT_ONCE,
            "line": 3,
            "column": 4,
            "address": ALL_AT_ONCE,
            "hint": ALL_AT_ONCE,
        }
    ]
    for name in ("project", "tool_version"):
        document[name] = ALL_AT_ONCE


#: Edited by somebody who does not know of the digest.
_CARELESS: dict[str, Edit] = {
    "other dates": _everywhere("dates", ["2021-01-01"]),
    "other parameters": _put("calls.0.parameters", {"RootNodeId": "2"}),
    "another project": _put("project", "other"),
    "later expiry": _put("expires_at", "2999-01-01T00:00:00Z"),
    "no digest": lambda document: document.pop("digest"),
    "digest is null": _put("digest", None),
    "digest is a list": _put("digest", [[]]),
    "digest of nothing": _put("digest", digest({})),
    "one key more": _put("zzz", 1),
    "half a character": _put("project", "\ud800"),
    "huge number": _put("serial", 10**4000),
}

#: Forged with the digest that belongs to it.
_FORGED: dict[str, Edit] = {
    "all texts": _all_texts,
    "other dates in a call": _put("calls.0.dates", ["2021-01-01"]),
    "another node": _put("calls.0.parameters.RootNodeId", "2"),
    "another parameter": _put("calls.0.parameters.NodeParams", '{"1": "k=w"}'),
    "one parameter more": _put("calls.0.parameters.Region", "evil"),
    "an endpoint": _put("calls.0.parameters.Endpoint", "http://127.0.0.1:1"),
    "another operation": _put("calls.0.operation", "DeleteEverything"),
    "operation with escapes": _put("calls.0.operation", ALL_AT_ONCE),
    "another connection": _put("calls.0.connection", "hw"),
    "no such connection": _put("calls.0.connection", ALL_AT_ONCE),
    "another name": _put("calls.0.name", "rc1-forged"),
    "call of another resource": _put("calls.0.address", "backfill.other"),
    "address with escapes": _put("calls.0.address", f"backfill.{ALL_AT_ONCE}"),
    "series of nobody": _put("calls.0.series", "0" * 40),
    "generation 2": _put("calls.0.generation", 2),
    "generation -1": _put("calls.0.generation", -1),
    "batch -1": _put("calls.0.batch", -1),
    "expired": _put("expires_at", "2020-01-01T00:00:00Z"),
    "made tomorrow": _put("created_at", "2999-01-01T00:00:00Z"),
    "of no time": _put("created_at", "::error::"),
    "of another project": _put("project", "other"),
    "of another store": _put("lineage", ALL_AT_ONCE),
    "of another serial": _put("serial", 7),
    "serial in Arabic digits": _put("serial", "\u0661"),
    "serial is huge": _put("serial", 10**4000),
    "serial is text": _put("serial", ALL_AT_ONCE),
    "format of tomorrow": _put("format_version", "9.0"),
    "format with escapes": _put("format_version", ALL_AT_ONCE),
    "format is a list": _put("format_version", [[ALL_AT_ONCE]]),
    "decision of nobody": _put("actions.0.decision", ALL_AT_ONCE),
    "reason of nobody": _put("actions.0.reason", ALL_AT_ONCE),
    "dates of nobody": _put("actions.0.dates", [ALL_AT_ONCE]),
    "dates backwards": _put("calls.0.dates", ["2020-05-21..2020-05-20"]),
    "dates of 10,000 years": _put("calls.0.dates", ["0001-01-01..9999-12-31"]),
    "dates are a number": _put("calls.0.dates", 1),
    "calls are missing": lambda document: document.pop("calls"),
    "calls are a mapping": _put("calls", {}),
    "call twice": _with_calls(lambda calls: [*calls, calls[0]]),
    "call twice, renamed": _with_calls(lambda calls: [*calls, {**calls[0], "id": "aaaaaa"}]),
    "many calls": _with_calls(lambda calls: calls * 500),
    "one call too many": lambda document: document["calls"].append(document["calls"][0]),
    "actions are null": _put("actions", None),
    "summary of somebody else": _put("summary", {"create": 0, "zzz": 1}),
    "summary that flatters": _put("summary.create", 0),
    "no summary": lambda document: document.pop("summary"),
    "series of another shape": _put("series", {"x": {}}),
    "desired of another shape": _put("desired", [{"x": 1}]),
    "gates of another shape": _put("gates", [{"address": ALL_AT_ONCE}]),
}  # fmt: skip

#: No plans at all.
_FILES = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[1]",
    "NUL": b"\x00" * 1000,
    "YAML": b"format_version: 1.0\n",
    "no text": b'{"format_version": "\xff"}',
    "UTF-16": '{"format_version": "1.0"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"format_version": "1.0"}',
    "deep lists": b"[" * 200_000,
    "deep plan": b'{"format_version": "1.0", "actions": ' + b"[" * 900 + b"]" * 900 + b"}",
    "not a number": b'{"format_version": "1.0", "serial": NaN}',
    "huge number": b'{"format_version": "1.0", "serial": ' + b"9" * 100_000 + b"}",
    "same key twice": b'{"format_version": "1.0", "format_version": "2.0"}',
    "many keys": b"{" + b",".join(b'"k%d": 1' % n for n in range(50_000)) + b"}",
    "escapes": b'{"format_version": "\\u001b[2J\\n::error::owned"}',
    "half a character": b'{"format_version": "\\ud800"}',
    "one long text": b'{"format_version": "' + b"x" * MIB + b'"}',
    "HTML": b"<html>::error::</html>",
}


def _too_large(stage: Stage) -> None:
    with _path(stage).open("wb") as file:
        file.truncate(10 * 1024 * MIB)


def _link(target: str) -> Callable[[Stage], None]:
    def plant(stage: Stage) -> None:
        _path(stage).unlink()
        _path(stage).symlink_to(target)

    return plant


CASES = (
    *(
        Case(
            id=f"plan: {name}, edited",
            threat=Threat.PLANS,
            surface=Surface.PLAN,
            scene=_saved,
            plant=_edited(edit, signed=False),
            commands=_COMMANDS,
            more=_MORE,
            codes=PLAN_REFUSED,
            holds=_starts_nothing,
        )
        for name, edit in _CARELESS.items()
    ),
    *(
        Case(
            id=f"plan: {name}, forged",
            threat=Threat.TERMINALS if name == "all texts" else Threat.PLANS,
            surface=Surface.PLAN,
            scene=_saved,
            plant=_edited(edit, signed=True),
            commands=("show p.json", "apply p.json --json"),
            more=("show p.json --json", "apply p.json"),
            codes=CONTRACT,
            holds=_starts_only_what_is_declared,
        )
        for name, edit in _FORGED.items()
    ),
    *(
        Case(
            id=f"plan: {name} instead",
            threat=Threat.BOMBS,
            surface=Surface.PLAN,
            scene=_saved,
            plant=_written(content),
            commands=_COMMANDS,
            more=_MORE,
            codes=PLAN_REFUSED,
            holds=_starts_nothing,
        )
        for name, content in _FILES.items()
    ),
    Case(
        id="plan: a huge file instead",
        threat=Threat.BOMBS,
        surface=Surface.PLAN,
        scene=_saved,
        plant=_too_large,
        commands=_COMMANDS,
        more=_MORE,
        codes=PLAN_REFUSED,
    ),
    *(
        Case(
            id=f"plan: a link to {target}",
            threat=Threat.SECRETS,
            surface=Surface.PLAN,
            scene=_saved,
            plant=_link(target),
            commands=_COMMANDS,
            more=_MORE,
            codes=PLAN_REFUSED,
            holds=_starts_nothing,
        )
        for target in (
            "../outside.yaml",
            "/proc/self/environ",
            "nowhere",
            "p.json",
            ".",
            "/dev/zero",
        )
    ),
)
