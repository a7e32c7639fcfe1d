"""Desired resources as JSON, as far as a plan needs them to judge later whether its calls may start."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.formats.json_values import as_number_or_none, as_object, as_texts
from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Place
from reconciler.model.gates import GateRef, is_gate
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import (
    OnChange,
    OnFailure,
    Order,
    Requirement,
    Resource,
    Rollout,
)
from reconciler.model.series import Series


def resource_document(resource: Resource) -> dict[str, object]:
    """One resource: what decides on its units, and what they wait for. Tuning and notes are left out."""
    rollout = resource.rollout
    return {
        "address": str(resource.address),
        "connection": resource.connection,
        "series": resource.series.fingerprint,
        "generations": {str(dates): number for dates, number in resource.generations},
        "file": resource.place.file,
        "line": resource.place.line,
        "column": resource.place.column,
        "on_failure": resource.on_failure.value,
        "max_attempts": resource.max_attempts,
        "on_change": resource.on_change.value,
        "requires": [str(one) for one in (*resource.gates, *resource.requires)],
        "rollout": {
            "canary": rollout.canary,
            "max_dates_per_call": rollout.max_dates_per_call,
            "max_active_dates": rollout.max_active_dates,
            "stop_after_failures": rollout.stop_after_failures,
            "order": rollout.order.value,
        },
    }


def resource_of(document: Mapping[str, object], series: Mapping[str, Series]) -> Resource:
    """Read back what `resource_document` wrote; `series` are by fingerprint.

    Raises:
        KeyError, TypeError, ValueError: The document is not one of ours.
    """
    rollout = as_object(document["rollout"])
    required = as_texts(document["requires"])
    return Resource(
        address=Address.parse(str(document["address"])),
        connection=str(document["connection"]),
        series=series[str(document["series"])],
        generations=RangeMap.of(
            (DateRange.parse(dates), int(str(number)))
            for dates, number in as_object(document["generations"]).items()
        ),
        place=Place(
            str(document["file"]), int(str(document["line"])), int(str(document["column"]))
        ),
        on_failure=OnFailure(document["on_failure"]),
        max_attempts=int(str(document["max_attempts"])),
        on_change=OnChange(document["on_change"]),
        requires=tuple(Requirement.parse(one) for one in required if not is_gate(one)),
        gates=tuple(GateRef.parse(one) for one in required if is_gate(one)),
        rollout=Rollout(
            canary=int(str(rollout["canary"])),
            max_dates_per_call=as_number_or_none(rollout["max_dates_per_call"]),
            max_active_dates=as_number_or_none(rollout["max_active_dates"]),
            stop_after_failures=int(str(rollout["stop_after_failures"])),
            order=Order(rollout["order"]),
        ),
    )
