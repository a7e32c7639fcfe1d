"""The record as JSON: what `state pull` prints.

Keys: `format_version`, `lineage`, `serial`, `series` (documents by fingerprint) and `attempts`, each with
its columns as the store holds them; times are RFC 3339 in UTC, coverage is a list of ranges, `took` is in
seconds, or null where nothing is known.
"""

from __future__ import annotations

import datetime as dt

from reconciler.formats.durations import took_document
from reconciler.model.attempts import Attempt, RecordedState

#: Version of the document.
FORMAT_VERSION = "1.0"


def state_document(recorded: RecordedState) -> dict[str, object]:
    """The document of a snapshot."""
    return {
        "format_version": FORMAT_VERSION,
        "lineage": recorded.lineage,
        "serial": recorded.serial,
        "series": {key: one.document() for key, one in sorted(recorded.series.items())},
        "attempts": [_attempt(one) for one in recorded.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "number": attempt.number,
        "address": str(attempt.address),
        "connection": attempt.connection,
        "operation": attempt.operation,
        "subject": attempt.subject,
        "series": attempt.series,
        "generation": attempt.generation,
        "dates": str(attempt.dates),
        "call_id": attempt.call_id,
        "plan_id": attempt.plan_id,
        "name": attempt.name,
        "state": attempt.state.value,
        "serial": attempt.serial,
        "adopted": attempt.adopted,
        "created_at": _time(attempt.created_at),
        "signed_at": _time(attempt.signed_at),
        "valid_until": _time(attempt.valid_until),
        "code": attempt.code,
        "message": attempt.message,
        "transient": attempt.transient,
        "request_id": attempt.request_id,
        "run_ids": list(attempt.run_ids),
        "run_group": attempt.run_group,
        "coverage": [
            {"dates": str(dates), "status": seen.status.value, "gone": seen.gone}
            for dates, seen in attempt.coverage
        ],
        "took": None if attempt.took is None else took_document(attempt.took),
    }


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
