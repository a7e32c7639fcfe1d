"""The journal for a person."""

from __future__ import annotations

from reconciler.model.state import JournalEntry
from reconciler.rendering.history_text import render_history
from reconciler.rendering.paint import Paint
from tests.builders import at


def an_entry(event: str, **data: object) -> JournalEntry:
    return JournalEntry(
        seq=32,
        at=at(0),
        fence=1,
        who="ann@host",
        command="apply",
        git_commit=None,
        event=event,
        data=data,
        prev_hash="",
        hash="",
    )


def told(event: str, **data: object) -> list[str]:
    first, *rest = render_history([an_entry(event, **data)], Paint()).splitlines()
    assert first == f"   32  {at(0):%Y-%m-%d %H:%M:%S} UTC  {event}  ann@host, apply"
    return [line.strip() for line in rest]


def test_how_an_attempt_stands_is_told_with_both_ends_of_its_dates() -> None:
    assert told("accepted", attempt="a1", became={"a1": "accepted 2020-06-01/2020-07-01"}) == [
        "attempt a1; now accepted 2020-06-01..2020-06-30"
    ]


def test_of_several_attempts_each_is_named() -> None:
    became = {"a1": "absent 2020-06-01/2020-06-02", "a2": "forgotten 2020-06-02/2020-06-05"}
    assert told("resolved", attempts=["a1", "a2"], became=became) == [
        "attempts a1, a2; now a1 absent 2020-06-01, a2 forgotten",
        "2020-06-02..2020-06-04",
    ]


def test_what_is_no_range_of_dates_is_told_as_it_is() -> None:
    for odd in ("sent 2020-13-01/2020-07-01", "sent 2020-07-02/2020-07-01", "sent"):
        assert told("sent", became={"a1": odd}) == [f"now {odd}"]
    assert told("created") == []
