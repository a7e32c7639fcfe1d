"""Events of an apply: one line each for a person, one JSON object each for a script."""

from __future__ import annotations

from reconciler.model.dates import DateRange, DateSet
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
from reconciler.rendering.json_text import json_text
from reconciler.rendering.paint import clean
from reconciler.rendering.words import some

#: Version of the JSON Lines that `apply --json` prints; every line carries it.
EVENTS_VERSION = "1.0"


#: What happens to one call, or to runs that are adopted.
CallEvent = (
    CallSending
    | CallAccepted
    | CallRefused
    | CallUnknown
    | CallMoved
    | CallSkipped
    | RunAdopted
    | TagAltered
)


def event_line(event: Event) -> str:
    """What happened, in one line."""
    match event:
        case UnitsChanged():
            left = f"{event.remaining} of {event.total} left"
            return f"{event.address}@{event.dates}: {event.status.value} ({left})"
        case GateChanged() if event.dates:
            return f"{event.gate}: closed for {event.dates}: {clean(event.why)}"
        case GateChanged():
            return f"{event.gate}: open"
        case ReadFailed():
            return f"{event.address}: {clean(event.summary)}{_hint(event.hint)}"
        case GateUnreadable():
            return f"{clean(event.summary)}{_hint(event.hint)}"
        case CallBlocked():
            names = ", ".join(map(clean, event.blocked_by))
            why = f": {clean(event.why)}" if event.why else ""
            return f"{event.address}@{event.dates}: blocked by {names}{why}"
        case UnitsOpened():
            return f"{event.address}@{event.dates}: may start now ({_days(event.dates)})"
        case _:
            return f"{event.address}@{event.dates}: {_what(event)}"


def _what(event: CallEvent) -> str:
    match event:
        case CallSending():
            return f"sending {event.operation} ({_days(event.dates)})"
        case CallAccepted():
            runs = some(len(event.run_ids), "run")
            return f"accepted, {runs}{_request(event.request_id)}"
        case CallRefused():
            again = (
                f"; trying again in {event.retrying_in_seconds:.0f} s"
                if event.retrying_in_seconds is not None
                else ""
            )
            said = f"{clean(event.code)}: {clean(event.message)}"
            return f"refused, {said}{_request(event.request_id)}{again}"
        case CallUnknown():
            return f"outcome unknown, {clean(event.cause)}; it is not sent again"
        case CallMoved():
            return f"not sent, its units moved since planning: {clean(event.why)}"
        case CallSkipped():
            return "sent before by this plan"
        case RunAdopted():
            return f"adopted {some(len(event.run_ids), 'run')}: {_first(event.run_ids)}"
        case TagAltered():
            return (
                f"the run came back as {clean(event.seen)!r}, sent as "
                f"{clean(event.sent)!r}; outcomes unknown in this workspace now need a person (S3)"
            )


def event_json(event: Event) -> str:
    """What happened, as one line of JSON, in ASCII: nothing in it can break or steer a log."""
    return json_text(event_document(event))


def event_document(event: Event) -> dict[str, object]:
    """`{"format_version", "type", …}`: the type in snake case, then the event's fields."""
    document: dict[str, object] = {"format_version": EVENTS_VERSION, "type": _type(event)}
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        document[name] = _plain(value)
    return document


def _type(event: Event) -> str:
    name = type(event).__name__
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case DateSet():
            return list(value.texts())
        case tuple():
            return list(value)
        case DateRange():
            return [str(value)]
        case _:
            return str(getattr(value, "value", value))


def _hint(hint: str) -> str:
    return f" ({clean(hint)})" if hint else ""


def _days(dates: DateSet) -> str:
    return some(dates.count, "date")


def _request(request_id: str | None) -> str:
    return f" (request {clean(request_id)})" if request_id else ""


def _first(run_ids: tuple[str, ...]) -> str:
    more = f" and {len(run_ids) - 3} more" if len(run_ids) > 3 else ""  # noqa: PLR2004 - those shown
    return ", ".join(map(clean, run_ids[:3])) + more
