"""Events against the schema that documents them."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.events import (
    CallAccepted,
    CallBlocked,
    CallMoved,
    CallRefused,
    CallSending,
    CallSkipped,
    CallUnknown,
    Event,
    GateChanged,
    GateUnreadable,
    ReadFailed,
    RunAdopted,
    TagAltered,
    UnitsChanged,
    UnitsOpened,
)
from reconciler.model.runs import UnitStatus
from reconciler.rendering.events import event_document, event_line
from reconciler.schema_files import read_schema
from tests.builders import dates, span

ORDERS = Address.parse("backfill.orders")
WHEN = dates("2024-05-01..2024-05-02", "2024-05-04")
ID = "abcdef"

EVENTS: tuple[Event, ...] = (
    CallSending(address=ORDERS, dates=WHEN, call_id=ID, operation="RunCycleDagNodes"),
    CallAccepted(address=ORDERS, dates=WHEN, call_id=ID, run_ids=("1",), request_id=None),
    CallRefused(
        address=ORDERS,
        dates=WHEN,
        call_id=ID,
        code="Throttling",
        message="slow",
        request_id="r",
        retrying_in_seconds=0.5,
    ),
    CallUnknown(address=ORDERS, dates=WHEN, call_id=ID, cause="no answer"),
    CallMoved(address=ORDERS, dates=WHEN, call_id=ID, why="now running"),
    CallSkipped(address=ORDERS, dates=WHEN, call_id=ID),
    CallBlocked(address=ORDERS, dates=WHEN, call_id=ID, blocked_by=("freeze",)),
    GateChanged(gate="gate.quiet", dates=WHEN, why="one task is running"),
    GateChanged(gate="gate.quiet", dates=DateSet(), why=""),
    GateUnreadable(gate="gate.quiet", summary="gate.quiet could not be read", hint="try"),
    UnitsOpened(address=ORDERS, dates=WHEN),
    RunAdopted(address=ORDERS, dates=WHEN, run_ids=("1", "2")),
    TagAltered(address=ORDERS, dates=WHEN, call_id=ID, sent="a", seen="b"),
    UnitsChanged(
        address=ORDERS, dates=span(0, 2), status=UnitStatus.SUCCESS, remaining=1, total=4
    ),
    ReadFailed(address=ORDERS, summary="no answer", hint=""),
)

#: What the commands themselves print beside these.
BY_COMMANDS = {"planned", "finished", "status"}


def test_every_event_there_is_stands_in_the_schema_and_the_other_way_round() -> None:
    assert {type(event) for event in EVENTS} == set(typing.get_args(Event))
    schema: Any = read_schema("event")
    told = {str(event_document(event)["type"]) for event in EVENTS}
    assert told | BY_COMMANDS == set(schema["$defs"])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_fits_the_schema(event: Event) -> None:
    Draft202012Validator(dict(read_schema("event"))).validate(event_document(event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_one_line_that_names_the_resource(event: Event) -> None:
    line = event_line(event)
    assert line.startswith(("backfill.orders", "gate.quiet"))
    assert "\n" not in line
