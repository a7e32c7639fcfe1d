"""The plan as JSON: what `plan --json` prints, `plan --out` saves, `show --json` repeats.

Canonical (sorted keys), checked against `schemas/plan.schema.json` by the tests, and bound to itself by
`digest`: SHA-256 over the canonical JSON of everything else. Times are RFC 3339 in UTC; data dates are
`A` or `A..B`, inclusive.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from reconciler.formats.diagnostics import diagnostic_document, diagnostic_of
from reconciler.formats.estimates import estimate_document, estimate_of
from reconciler.formats.gates import gate_document, gate_of
from reconciler.formats.json_values import as_object, as_objects, as_text_or_none, as_texts
from reconciler.formats.resources import resource_document, resource_of
from reconciler.model.addresses import Address
from reconciler.model.canonical import digest
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import NotAPlan, PlanEdited, UnsupportedFormat
from reconciler.model.plan import (
    STARTS,
    Action,
    Adoption,
    Call,
    Decision,
    FieldChange,
    Heading,
    Plan,
    Reason,
    Summary,
)
from reconciler.model.rangemap import RangeMap
from reconciler.model.remedies import remedies
from reconciler.model.runs import FoundRun, Origin, Tier, UnitStatus
from reconciler.model.series import Tag, series_from_document

#: Version of the document; a reader takes the same major version and no newer minor one.
FORMAT_VERSION = "1.0"
#: What to do with a file that is no plan.
MAKE_ONE = "make a plan: reconciler plan --out FILE"

#: How much of a file that is no plan a message repeats.
QUOTE_LIMIT = 80

_PLAN_ID = re.compile(r"[0-9a-z-]{1,64}", re.ASCII)
_STARTING = STARTS | {Decision.BLOCKED}
#: What is shared is counted with its owner.
_COUNTED = tuple(one for one in Decision if one is not Decision.SHARED)

Document = Mapping[str, object]


def plan_document(plan: Plan) -> dict[str, object]:
    """The JSON document of a plan, digest included."""
    document: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "plan_id": plan.id,
        "tool_version": plan.tool_version,
        "created_at": _time(plan.created_at),
        "expires_at": _time(plan.expires_at),
        "as_of": _time(plan.as_of),
        "project": plan.project,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "summary": dataclasses.asdict(plan.summary),
        "actions": [_action_document(action) for action in plan.actions],
        "calls": [_call_document(call) for call in plan.calls],
        "adoptions": [_adoption_document(adoption) for adoption in plan.adoptions],
        "series": {key: series.document() for key, series in plan.series.items()},
        "resources": [_heading_document(heading) for heading in plan.headings],
        "desired": [resource_document(resource) for resource in plan.desired],
        "gates": [gate_document(standing) for standing in plan.gates],
        "estimates": [estimate_document(estimate) for estimate in plan.estimates],
        "diagnostics": [diagnostic_document(item) for item in plan.diagnostics],
    }
    return {**document, "digest": digest(document)}


def plan_text(plan: Plan) -> str:
    """The plan as text: one document, indented, keys sorted, a newline at the end."""
    document = plan_document(plan)
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def parse_plan(text: str) -> Plan:
    """Read a saved plan and check its digest.

    Raises:
        PlanRefused: Not a plan, or edited since it was written.
        UnsupportedFormat: Written by a newer version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAPlan("this file is not a plan: it is not JSON", hint=MAKE_ONE) from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise NotAPlan("this file is not a plan: it has no format_version", hint=MAKE_ONE)
    if document["format_version"] != FORMAT_VERSION:
        raise UnsupportedFormat(
            f"this plan has format {_cut(repr(document['format_version']))}; "
            f"this version reads {FORMAT_VERSION}",
            hint="make the plan again with the version that applies it",
        )
    stated = document.pop("digest", None)
    try:
        sound = stated == digest(document)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise PlanEdited(
            "this plan was edited after it was written: its digest does not match",
            hint="make a new plan",
        )
    try:
        return _plan_of(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAPlan(f"this file is not a plan: {_cut(str(error))}", hint=MAKE_ONE) from error


def _cut(text: str) -> str:
    return text if len(text) <= QUOTE_LIMIT else f"{text[: QUOTE_LIMIT - 1]}…"


def _plan_of(document: Document) -> Plan:
    series = {
        key: series_from_document(as_object(value))
        for key, value in as_object(document["series"]).items()
    }
    if any(key != one.fingerprint for key, one in series.items()):
        raise ValueError("a series does not match its fingerprint")
    lineage = document["lineage"]
    desired = tuple(resource_of(item, series) for item in as_objects(document["desired"]))
    # Whoever works with a plan follows what requires what.
    TopologicalSorter(
        {one.address: [ref.address for ref in one.requires] for one in desired}
    ).prepare()
    calls = tuple(_call_of(item) for item in as_objects(document["calls"]))
    adoptions = tuple(_adoption_of(item) for item in as_objects(document["adoptions"]))
    _check_calls(calls)
    named = {call.series for call in calls} | {adoption.series for adoption in adoptions}
    if not named <= series.keys():
        raise ValueError("it does not hold the series of a call")
    actions = tuple(_action_of(item) for item in as_objects(document["actions"]))
    summary = Summary(
        **{key: int(str(value)) for key, value in as_object(document["summary"]).items()}
    )
    _check_told(calls, actions, summary)
    plan_id = str(document["plan_id"])
    if not _PLAN_ID.fullmatch(plan_id):
        raise ValueError("its id is none of ours")
    return Plan(
        id=plan_id,
        tool_version=str(document["tool_version"]),
        project=str(document["project"]),
        lineage=None if lineage is None else str(lineage),
        serial=int(str(document["serial"])),
        created_at=_moment(document["created_at"]),
        as_of=_moment(document["as_of"]),
        expires_at=_moment(document["expires_at"]),
        summary=summary,
        actions=actions,
        calls=calls,
        adoptions=adoptions,
        series=series,
        desired=desired,
        gates=tuple(gate_of(item) for item in as_objects(document["gates"])),
        headings=tuple(_heading_of(item) for item in as_objects(document["resources"])),
        estimates=tuple(estimate_of(item) for item in as_objects(document["estimates"])),
        diagnostics=tuple(diagnostic_of(item) for item in as_objects(document["diagnostics"])),
    )


def _check_calls(calls: Sequence[Call]) -> None:
    """Refuse calls that stand in each other's way, as no plan of ours does."""
    if len({call.id for call in calls}) < len(calls):
        raise ValueError("two of its calls have the same id")
    ranges: dict[Address, list[tuple[DateRange, str]]] = defaultdict(list)
    for call in calls:
        (dates,) = call.dates
        ranges[call.address].append((dates, call.id))
    for of_address in ranges.values():
        RangeMap.of(of_address)


def _check_told(calls: Sequence[Call], actions: Sequence[Action], summary: Summary) -> None:
    """Refuse a plan that starts what it does not tell, or counts otherwise than it tells."""
    started: dict[Address, list[DateRange]] = defaultdict(list)
    for action in actions:
        if action.decision in _STARTING:
            started[action.address].extend(action.dates)
    told = {address: DateSet.of(dates) for address, dates in started.items()}
    for call in calls:
        if call.dates - told.get(call.address, DateSet()):
            raise ValueError(
                "one of its calls is for dates of which no action says that they start"
            )
    counted = Counter[str]()
    for action in actions:
        counted[action.decision.value] += action.dates.count
    summed = {one.value: getattr(summary, one.value) for one in _COUNTED}
    if summed != {name: counted[name] for name in summed} or summary.calls != len(calls):
        raise ValueError("its summary does not count what it holds")


def _heading_document(heading: Heading) -> dict[str, object]:
    return {**dataclasses.asdict(heading), "address": str(heading.address)}


def _heading_of(item: Document) -> Heading:
    return Heading(
        address=Address.parse(str(item["address"])),
        **{
            key: str(item[key]) for key in ("connection", "environment", "root", "owner", "reason")
        },
    )


def _action_document(action: Action) -> dict[str, object]:
    return {
        "address": str(action.address),
        "decision": action.decision.value,
        "dates": list(action.dates.texts()),
        "count": action.dates.count,
        "reason": action.reason.value,
        "changes": [dataclasses.asdict(change) for change in action.changes],
        "detail": action.detail,
        "tier": action.tier.value,
        "run_ids": list(action.run_ids),
        "blocked_by": list(action.blocked_by),
        "commands": list(remedies(action)),
    }


def _action_of(item: Document) -> Action:
    return Action(
        address=Address.parse(str(item["address"])),
        decision=Decision(item["decision"]),
        dates=DateSet.parse(as_texts(item["dates"])),
        reason=Reason(item["reason"]),
        changes=tuple(
            FieldChange(
                path=str(change["path"]),
                before=as_text_or_none(change["before"]),
                after=as_text_or_none(change["after"]),
            )
            for change in as_objects(item["changes"])
        ),
        detail=str(item["detail"]),
        tier=Tier(item["tier"]),
        run_ids=as_texts(item["run_ids"]),
        blocked_by=as_texts(item["blocked_by"]),
    )


def _call_document(call: Call) -> dict[str, object]:
    return {
        "id": call.id,
        "address": str(call.address),
        "connection": call.connection,
        "operation": call.operation,
        "dates": list(call.dates.texts()),
        "generation": call.generation,
        "series": call.series,
        "name": call.name,
        "serial": call.serial,
        "parameters": dict(call.parameters),
        "spec_digest": call.spec_digest,
        "facts_digest": call.facts_digest,
        "batch": call.batch,
        "blocked_by": list(call.blocked_by),
    }


def _call_of(item: Document) -> Call:
    return Call(
        id=str(item["id"]),
        address=Address.parse(str(item["address"])),
        connection=str(item["connection"]),
        operation=str(item["operation"]),
        dates=DateSet.parse(as_texts(item["dates"])),
        generation=int(str(item["generation"])),
        series=str(item["series"]),
        name=str(item["name"]),
        serial=bool(item["serial"]),
        parameters={key: str(value) for key, value in as_object(item["parameters"]).items()},
        spec_digest=str(item["spec_digest"]),
        facts_digest=str(item["facts_digest"]),
        batch=int(str(item["batch"])),
        blocked_by=as_texts(item["blocked_by"]),
    )


def _adoption_document(adoption: Adoption) -> dict[str, object]:
    run = adoption.run
    return {
        "address": str(adoption.address),
        "connection": adoption.connection,
        "series": adoption.series,
        "generation": adoption.generation,
        "call_id": adoption.call_id,
        "name": run.name,
        "run_ids": list(run.run_ids),
        "run_group": run.run_group,
        "created_at": _time(run.created_at) if run.created_at else None,
        "created_by": run.created_by,
        "coverage": {str(dates): status.value for dates, status in run.coverage},
    }


def _adoption_of(item: Document) -> Adoption:
    name = str(item["name"])
    created_at = item["created_at"]
    return Adoption(
        address=Address.parse(str(item["address"])),
        connection=str(item["connection"]),
        series=str(item["series"]),
        generation=int(str(item["generation"])),
        call_id=str(item["call_id"]),
        run=FoundRun(
            origin=Origin.BACKFILL,
            run_ids=as_texts(item["run_ids"]),
            coverage=RangeMap.of(
                (DateRange.parse(dates), UnitStatus(status))
                for dates, status in as_object(item["coverage"]).items()
            ),
            name=name,
            tag=Tag.parse(name),
            run_group=as_text_or_none(item["run_group"]),
            created_at=None if created_at is None else _moment(created_at),
            created_by=as_text_or_none(item["created_by"]),
        ),
    )


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(value: object) -> dt.datetime:
    moment = dt.datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return moment
