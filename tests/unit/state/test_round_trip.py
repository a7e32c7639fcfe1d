"""What is written is what is read, field by field."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.durations import Took
from reconciler.model.outcomes import Accepted, Refused, Unknown
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Hours, Series
from reconciler.state.codec import (
    attempt_columns,
    attempt_of_row,
    from_millis,
    to_millis,
)
from reconciler.state.store import SqlStore
from tests.builders import NOON, a_series, a_subject, ranges
from tests.effort import examples
from tests.unit.state.calls import a_prepared, an_intent, the_attempt
from tests.unit.state.databases import SqliteDatabase

#: Any text a database takes: no half characters, and no NUL, which PostgreSQL refuses.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
moments = st.datetimes(  # naive bounds are what hypothesis takes
    dt.datetime(1970, 1, 1),  # noqa: DTZ001 - see above
    dt.datetime(9000, 1, 1),  # noqa: DTZ001 - see above
).map(lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000, tzinfo=dt.UTC))
records = st.builds(UnitRecord, st.sampled_from(UnitStatus), gone=st.booleans())
coverages = st.lists(st.tuples(ranges(), records), max_size=5).map(
    lambda items: RangeMap.of(
        (dates, record)
        for index, (dates, record) in enumerate(items)
        if not any(dates.intersection(other) for other, _ in items[:index])
    )
)
names = st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True)
times = st.lists(st.integers(0, 2**53), min_size=1, max_size=4).map(
    lambda seconds: Took(
        dates=len(seconds), least=min(seconds), most=max(seconds), total=sum(seconds)
    )
)
attempts = st.builds(
    Attempt,
    id=names,
    number=st.integers(1, 2**53),
    address=st.builds(Address.of, st.sampled_from(Kind), names),
    connection=texts,
    operation=texts,
    subject=texts,
    series=texts,
    generation=st.integers(1, 10**9),
    dates=ranges(),
    call_id=texts,
    plan_id=texts,
    name=texts,
    state=st.sampled_from(AttemptState),
    serial=st.booleans(),
    adopted=st.booleans(),
    created_at=moments,
    signed_at=st.none() | moments,
    valid_until=st.none() | moments,
    code=st.none() | texts,
    message=st.none() | texts,
    transient=st.booleans(),
    request_id=st.none() | texts,
    run_ids=st.lists(texts, max_size=4).map(tuple),
    run_group=st.none() | texts,
    coverage=coverages,
    took=st.none() | times,
)


@given(attempts)
def test_an_attempt_is_read_as_it_was_written(attempt: Attempt) -> None:
    assert attempt_of_row(attempt_columns(attempt)) == attempt


@given(attempts)
@settings(max_examples=1)
def test_every_field_of_an_attempt_has_a_column(attempt: Attempt) -> None:
    renamed = {"id": "attempt_id", "serial": "serial_call"}
    fields = {field.name for field in dataclasses.fields(Attempt)} - {"dates", "stamp"}
    assert attempt_columns(attempt).keys() == {
        *(renamed.get(name, name) for name in fields),
        "start_date",
        "end_date",
    }


@given(st.integers(0, 2**45))
def test_a_moment_is_read_as_it_was_written(millis: int) -> None:
    assert to_millis(from_millis(millis)) == millis


@given(
    st.builds(
        a_series,
        subject=st.builds(
            a_subject,
            root=texts,
            kind=st.sampled_from(Kind),
            variant=st.none() | names,
            hours=st.none() | st.just(Hours("00:00:00", "01:00:00")),
        ),
        include=st.lists(names, max_size=3).map(tuple),
        exclude=st.lists(names, max_size=3).map(tuple),
        params=st.dictionaries(names, st.dictionaries(names, texts, max_size=3), max_size=3),
    )
)
@settings(max_examples=examples(20))
def test_a_series_on_record_is_the_one_that_was_sent(series: Series) -> None:
    with _a_store() as store:
        store.begin(store.acquire(), an_intent(series=series))
        recorded = store.snapshot()
        assert recorded.series == {series.fingerprint: series}
        assert recorded.series[series.fingerprint].fingerprint == recorded.attempts[0].series


@given(
    outcome=st.one_of(
        st.builds(
            Accepted,
            run_ids=st.lists(texts, min_size=1, max_size=3).map(tuple),
            request_id=st.none() | texts,
        ),
        st.builds(
            Refused,
            code=texts,
            message=texts,
            transient=st.booleans(),
            request_id=st.none() | texts,
        ),
        st.builds(Unknown, cause=texts, code=st.none() | texts, request_id=st.none() | texts),
    ),
    seen=coverages,
    took=st.none() | times,
)
@settings(max_examples=examples(20))
def test_an_outcome_and_what_is_seen_survive_the_database(
    outcome: Accepted | Refused | Unknown, seen: RangeMap[UnitRecord], took: Took | None
) -> None:
    with _a_store() as store:
        lease = store.acquire()
        begun = store.begin(lease, an_intent())
        prepared = a_prepared()
        store.mark_sent(lease, begun.id, prepared)
        store.settle(lease, begun.id, outcome)
        expected = dataclasses.replace(
            begun, signed_at=prepared.signed_at, valid_until=prepared.valid_until,
            request_id=outcome.request_id,
        )  # fmt: skip
        match outcome:
            case Accepted():
                expected = dataclasses.replace(
                    expected, state=AttemptState.ACCEPTED, run_ids=outcome.run_ids, coverage=seen,
                    took=took,
                )  # fmt: skip
                store.observe([expected], at=NOON)
            case Refused():
                expected = dataclasses.replace(
                    expected, state=AttemptState.REFUSED, code=outcome.code,
                    message=outcome.message, transient=outcome.transient,
                )  # fmt: skip
            case Unknown():
                expected = dataclasses.replace(
                    expected, state=AttemptState.UNKNOWN, code=outcome.code,
                    message=outcome.cause,
                )  # fmt: skip
        assert the_attempt(store, begun.id) == expected
        hashes = [(entry.prev_hash, entry.hash) for entry in store.journal()]
        assert all(one[1] == other[0] for one, other in itertools.pairwise(hashes))


@contextmanager
def _a_store() -> Iterator[SqlStore]:
    """A store of its own for each example; fixtures last for a whole test."""
    with tempfile.TemporaryDirectory() as folder:
        database = SqliteDatabase(Path(folder))
        store = database.store()
        store.create()
        try:
            yield store
        finally:
            database.close()
