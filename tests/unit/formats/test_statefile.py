"""`state pull`: the record as JSON, whole."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given

from reconciler.formats.statefile import state_document
from reconciler.model.attempts import Attempt, AttemptState, RecordedState, UnitRecord
from reconciler.model.durations import Took
from reconciler.model.runs import UnitStatus
from reconciler.model.series import series_from_document
from tests.builders import a_record, a_series, an_attempt, attempts_of


def the_only_attempt(recorded: RecordedState) -> dict[str, Any]:
    """How one attempt is written."""
    attempts = state_document(recorded)["attempts"]
    assert isinstance(attempts, list)
    (written,) = attempts
    assert isinstance(written, dict)
    return written


def test_an_empty_store_is_a_document() -> None:
    assert state_document(RecordedState(lineage="l", serial=3)) == {
        "format_version": "1.0",
        "lineage": "l",
        "serial": 3,
        "series": {},
        "attempts": [],
    }


def test_every_field_of_an_attempt_is_written() -> None:
    written = the_only_attempt(a_record(an_attempt()))
    # The stamp is how this process knows what the store held.
    assert set(written) == {field.name for field in dataclasses.fields(Attempt)} - {"stamp"}


def test_an_attempt_is_written_in_words() -> None:
    attempt = an_attempt(
        2,
        "2024-05-01..2024-05-03",
        seen={
            "2024-05-01": UnitStatus.SUCCESS,
            "2024-05-02..2024-05-03": UnitRecord(UnitStatus.RUNNING, gone=True),
        },
    )
    written = the_only_attempt(a_record(attempt))
    assert written["dates"] == "2024-05-01..2024-05-03"
    assert written["state"] == "accepted"
    assert written["signed_at"] == "2024-06-01T12:02:00Z"
    assert written["coverage"] == [
        {"dates": "2024-05-01", "status": "success", "gone": False},
        {"dates": "2024-05-02..2024-05-03", "status": "running", "gone": True},
    ]


def test_how_long_dates_took_is_written_in_seconds() -> None:
    attempt = dataclasses.replace(an_attempt(), took=Took(dates=5, least=55, most=80, total=311))
    assert the_only_attempt(a_record(attempt))["took"] == {
        "dates": 5,
        "least_seconds": 55,
        "average_seconds": 62,
        "most_seconds": 80,
        "total_seconds": 311,
    }
    assert the_only_attempt(a_record(an_attempt()))["took"] is None


def test_what_was_never_sent_has_no_times() -> None:
    written = the_only_attempt(a_record(an_attempt(state=AttemptState.INTENT)))
    assert written["signed_at"] is None
    assert written["valid_until"] is None


def test_series_are_written_so_that_they_can_be_read() -> None:
    series = a_series(params={"1": {"k": "v"}})
    document = state_document(a_record(series=[series]))
    written = document["series"]
    assert isinstance(written, dict)
    assert series_from_document(written[series.fingerprint]) == series
    assert list(written) == sorted(written)


@given(attempts_of((a_series(),)))
def test_any_record_is_json(attempts: tuple[Attempt, ...]) -> None:
    document = state_document(a_record(*attempts))
    assert json.loads(json.dumps(document)) == document
