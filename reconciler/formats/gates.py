"""Gates as JSON: what they ask, so that a saved plan can look again, and how they stood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from reconciler.formats.json_values import as_object, as_text_or_none, as_texts
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.gates import (
    FURTHEST_DAYS,
    Condition,
    DagSucceeded,
    Gate,
    GateReading,
    GateStanding,
    NothingUnfinished,
    RunsSucceeded,
    Scope,
)
from reconciler.model.rangemap import RangeMap


def gate_document(standing: GateStanding) -> dict[str, object]:
    """One gate: `state` is `open`, `closed` (on some of `dates` at least), or `not_evaluated`."""
    gate, reading = standing.gate, standing.reading
    return {
        "address": gate.address,
        "connection": gate.connection,
        "condition": _condition_document(gate.condition),
        "file": gate.place.file,
        "line": gate.place.line,
        "column": gate.place.column,
        "state": _state(reading),
        "dates": [] if reading is None else list(reading.dates.texts()),
        "closed": {} if reading is None else {str(dates): why for dates, why in reading.closed},
        "stuck": [] if reading is None else list(reading.stuck.texts()),
        "remarks": {} if reading is None else {str(dates): why for dates, why in reading.remarks},
        "problem": None if reading is None else reading.problem,
    }


def gate_of(document: Mapping[str, object]) -> GateStanding:
    """Read back what `gate_document` wrote.

    Raises:
        KeyError, TypeError, ValueError: The document is not one of ours.
    """
    gate = Gate(
        name=str(document["address"]).removeprefix("gate."),
        connection=str(document["connection"]),
        condition=_condition_of(as_object(document["condition"])),
        place=Place(
            str(document["file"]), int(str(document["line"])), int(str(document["column"]))
        ),
    )
    if document["state"] == "not_evaluated":
        return GateStanding(gate=gate)
    return GateStanding(
        gate=gate,
        reading=GateReading(
            dates=DateSet.parse(as_texts(document["dates"])),
            closed=_texts_by_date(document["closed"]),
            stuck=DateSet.parse(as_texts(document["stuck"])),
            remarks=_texts_by_date(document["remarks"]),
            problem=as_text_or_none(document["problem"]),
        ),
    )


def _state(reading: GateReading | None) -> str:
    if reading is None:
        return "not_evaluated"
    return "closed" if reading.closed else "open"


def _texts_by_date(value: object) -> RangeMap[str]:
    return RangeMap.of(
        (DateRange.parse(dates), str(text)) for dates, text in as_object(value).items()
    )


def _condition_document(condition: Condition) -> dict[str, object]:
    match condition:
        case DagSucceeded():
            return {"dag": condition.dag}
        case NothingUnfinished():
            return {"noUnfinished": condition.scope.value, "tenant": condition.tenant}
        case RunsSucceeded():
            return {
                "job": condition.job,
                "task": condition.task,
                "offsetDays": condition.offset_days,
                "days": condition.days,
            }
        case _:
            assert_never(condition)


def _condition_of(document: Mapping[str, object]) -> Condition:
    if "dag" in document:
        return DagSucceeded(dag=str(document["dag"]))
    if "noUnfinished" in document:
        return NothingUnfinished(
            scope=Scope(document["noUnfinished"]), tenant=as_text_or_none(document["tenant"])
        )
    offset, days = int(str(document["offsetDays"])), int(str(document["days"]))
    if abs(offset) > FURTHEST_DAYS or not 1 <= days <= FURTHEST_DAYS:
        raise ValueError("no such window of a gate")
    return RunsSucceeded(
        job=str(document["job"]),
        task=as_text_or_none(document["task"]),
        offset_days=offset,
        days=days,
    )
