"""Whatever decisions rest upon is known to be damaged when it is read, in a row or between rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Boolean, Integer, event

from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.errors import StateError, StateMissing
from reconciler.model.runs import UnitStatus
from reconciler.model.state import Actor, Lease
from reconciler.state.postgres import open_postgres
from reconciler.state.schema import attempt, stack, tag
from reconciler.state.seals import EMPTY, summed, total
from reconciler.state.store import SqlStore
from tests.builders import a_series, at
from tests.fakes.seams import SequentialIds
from tests.unit.state.calls import (
    ACCEPTED,
    UNKNOWN,
    WEEK,
    a_prepared,
    a_word,
    an_adoption,
    an_intent,
    call_in,
    expire,
    observe,
)
from tests.unit.state.databases import PROJECT, Database, SqliteDatabase

DAY = dt.date(2024, 6, 1)


@pytest.fixture
def lived(database: Database, store: SqlStore) -> SqlStore:
    """A store with a row of every kind, each of which was written more than once where that can be."""
    lease, known = call_in(AttemptState.UNKNOWN, database, store)
    store.mark_absent(lease, known, DateSet.parse(["2024-05-02"]), "a listing")
    store.rule(lease, a_word(known, "2024-05-01"))
    store.adopt(lease, an_adoption("2024-07-01"), a_series(), at=at(1), plan_id="plan-1")
    accepted = store.begin(lease, an_intent("2024-08-01", call_id="callbb")).id
    store.mark_sent(lease, accepted, a_prepared())
    store.settle(lease, accepted, ACCEPTED)
    observe(store, accepted, seen={"2024-08-01": UnitStatus.RUNNING})
    observe(store, accepted, seen={"2024-08-01": UnitStatus.SUCCESS}, when=at(70))
    store.begin(lease, an_intent("2024-09-01", call_id="callcc"))
    store.note_tags(lease, "home", survives=True, name="rc1-x")
    store.note_tags(lease, "home", survives=False, name="cut")
    store.count_calls("prod", DAY, 3)
    store.count_calls("prod", DAY, 4)
    expire(database)
    store.unlock(store.acquire().id, reason=None)
    return store


def test_what_was_written_by_every_path_matches_its_seals(
    database: Database, lived: SqlStore
) -> None:
    for _ in range(2):
        assert lived.verify() == ()
        assert lived.calls_on("prod", DAY) == 7
        lived.release(lived.acquire())
    assert database.store(read_only=True).snapshot() == lived.snapshot()


def test_two_projects_have_a_sum_each(database: Database, lived: SqlStore) -> None:
    other = database.store(project="other")
    other.create()
    lease = other.acquire()
    other.begin(lease, an_intent())
    assert other.verify() == lived.verify() == ()
    assert len(other.snapshot().attempts) == 1


_LOCK = {"lease_id", "holder", "held_since", "lease_until"}


def _other_value(database: Database, table: str, column: str, where: str) -> object:
    ((value,),) = database.raw(f"SELECT {column} FROM {table} WHERE {where}")  # noqa: S608 - our names
    kind = {"attempt": attempt, "tag": tag, "stack": stack}[table].c[column].type
    if isinstance(kind, Boolean):
        return not value
    if isinstance(kind, Integer):
        return (value or 0) + 1
    return f"{value}x"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("attempt", one.name) for one in attempt.c if one.name not in {"state", "stack_id"}),
        *(("tag", one.name) for one in tag.c if one.name != "stack_id"),
        *(("stack", one.name) for one in stack.c if one.name not in {*_LOCK, "stack_id"}),
    ],
)
def test_any_other_value_in_any_column_is_refused(
    database: Database, lived: SqlStore, table: str, column: str
) -> None:
    where = "attempt_id = (SELECT MIN(attempt_id) FROM attempt)" if table == "attempt" else "1 = 1"
    value = {"start_date": "2024-04-01", "end_date": "2031-01-01", "series": "other"}.get(column)
    if column == "series":
        database.raw("INSERT INTO series VALUES ('other', '{}')")
    other = value or _other_value(database, table, column, where)
    database.raw(f"UPDATE {table} SET {column} = ? WHERE {where}", other)  # noqa: S608 - our names
    for read in (SqlStore.snapshot, SqlStore.every_attempt):
        with pytest.raises(StateError) as raised:
            read(lived)
        if column != "format":
            assert "is damaged" in str(raised.value)
            assert "restore a backup" in raised.value.hint


def test_a_generation_read_as_another_is_refused_by_the_attempts_name(
    database: Database, store: SqlStore
) -> None:
    _, one = call_in(AttemptState.ACCEPTED, database, store)
    database.raw("UPDATE attempt SET generation = 0")
    with pytest.raises(StateError, match=f"attempt {one} does not match its seal"):
        store.snapshot()


_WRITES: dict[str, Callable[[SqlStore, str], object]] = {
    "settle": lambda store, one: store.settle(store.acquire(), one, ACCEPTED),
    "overlap": lambda store, _: store.begin(store.acquire(), an_intent(call_id="callbb")),
    "again": lambda store, _: store.begin(store.acquire(), an_intent("2025-01-01")),
    "rule": lambda store, one: store.rule(store.acquire(), a_word(one)),
    "absent": lambda store, one: store.mark_absent(
        store.acquire(), one, DateSet.parse([WEEK]), "x"
    ),
}


@pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES)
def test_nothing_is_written_upon_a_damaged_row(
    database: Database, store: SqlStore, write: Callable[[SqlStore, str], object]
) -> None:
    lease, one = call_in(AttemptState.UNKNOWN, database, store)
    store.release(lease)
    database.raw("UPDATE attempt SET generation = 7")
    before = database.raw("SELECT * FROM attempt")
    with pytest.raises(StateError, match="does not match its seal"):
        write(store, one)
    assert database.raw("SELECT * FROM attempt") == before


@pytest.mark.parametrize("table", ["attempt", "tag"])
def test_a_row_that_is_missing_is_missed(database: Database, lived: SqlStore, table: str) -> None:
    database.raw(f"DELETE FROM {table}")  # noqa: S608 - our names
    with pytest.raises(StateError, match="does not add up"):
        lived.snapshot()
    assert any("does not add up" in line for line in lived.verify())


def test_a_row_that_came_back_as_it_once_was_is_noticed(
    database: Database, store: SqlStore
) -> None:
    """As from an older page of the file: its seal is right, and it says too little."""
    lease = store.acquire()
    one = store.begin(lease, an_intent()).id
    store.mark_sent(lease, one, a_prepared())
    columns = "state, signed_at, valid_until, request_digest, code, message, request_id, seal"
    (older,) = database.raw(f"SELECT {columns} FROM attempt")  # noqa: S608 - our names
    store.settle(lease, one, UNKNOWN)
    assign = ", ".join(f"{name} = ?" for name in columns.split(", "))
    database.raw(f"UPDATE attempt SET {assign}", *older)  # noqa: S608 - our names
    with pytest.raises(StateError, match="older than the others"):
        store.snapshot()


def test_a_series_that_is_not_what_its_fingerprint_stands_for_is_refused(
    database: Database, store: SqlStore
) -> None:
    store.begin(store.acquire(), an_intent())
    database.raw("UPDATE series SET document = REPLACE(document, '1234', '1235')")
    with pytest.raises(StateError, match="does not match its fingerprint"):
        store.snapshot()


def test_a_count_of_calls_that_was_altered_is_refused(database: Database, lived: SqlStore) -> None:
    database.raw("UPDATE usage SET calls = 0")
    for use in (
        lambda: lived.calls_on("prod", DAY),
        lambda: lived.count_calls("prod", DAY, 1),
    ):
        with pytest.raises(StateError, match="usage prod 2024-06-01 does not match its seal"):
            use()
    lived.snapshot()  # no plan rests on it


def test_a_format_that_reads_as_an_older_one_does_not_do_away_with_the_seals(
    database: Database, lived: SqlStore
) -> None:
    for version in (0, 1, 2, 3):
        database.raw("UPDATE stack SET format = ?", version)
        for use in (SqlStore.check, SqlStore.snapshot, SqlStore.acquire, SqlStore.verify):
            with pytest.raises(StateError, match="damaged"):
                use(lived)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("DELETE FROM journal WHERE seq >= 3", r"entries 3 to \d+ are missing at the end"),
        ("DELETE FROM journal", r"entries 1 to \d+ are missing at the end"),
        ("UPDATE journal SET seq = seq + 1 WHERE event = 'unlocked'", "were added behind"),
    ],
)
def test_a_journal_that_lost_its_end_is_missed_for_good(
    database: Database, lived: SqlStore, edit: str, said: str
) -> None:
    database.raw(edit)
    assert any(re.search(said, line) for line in lived.verify())
    if "UPDATE" not in edit:
        lived.note_tags(lived.acquire(), "elsewhere", survives=True, name="rc1-x")
        assert any("are missing" in line for line in lived.verify())


@pytest.mark.parametrize(
    "damage", ["lease_until = NULL", "lease_until = 9223372036854775807", "held_since = NULL"]
)
def test_a_lock_nobody_can_read_is_a_state_error_and_can_be_ended(
    database: Database, store: SqlStore, damage: str
) -> None:
    lease = store.acquire()
    database.raw(f"UPDATE stack SET {damage} WHERE stack_id = ?", PROJECT)  # noqa: S608
    for use in (SqlStore.lock_info, SqlStore.acquire):
        with pytest.raises(StateError, match="the lock cannot be read"):
            use(store)
    store.release(lease)
    assert store.acquire().fence == lease.fence + 1


def test_a_sum_takes_rows_in_any_order_and_gives_them_back() -> None:
    seals = ["0" * 31 + "1", "f" * 32, "8" * 32]
    assert total(seals) == total(reversed(seals)) != total(seals[1:])
    step_by_step = EMPTY
    for seal in seals:
        step_by_step = summed(step_by_step, added=seal, removed=EMPTY)
    assert step_by_step == total(seals)
    assert summed(step_by_step, added=EMPTY, removed=seals[1]) == total([seals[0], seals[2]])
    assert total([]) == EMPTY


def test_a_project_that_no_look_up_finds_is_no_new_project(tmp_path: Path) -> None:
    """A letter in the index of the table is enough; the row itself is whole."""
    database = SqliteDatabase(tmp_path)
    database.store().create()
    index = "sqlite_autoindex_stack_1"
    ((page,),) = database.raw("SELECT rootpage FROM sqlite_master WHERE name = ?", index)
    database.close()
    content = bytearray(database.path.read_bytes())
    content[content.index(PROJECT.encode(), (page - 1) * 4096)] ^= 1
    database.path.write_bytes(content)
    again = SqliteDatabase(tmp_path)
    with pytest.raises(StateError, match="missing from index") as raised:
        again.store().check()
    assert not isinstance(raised.value, StateMissing)
    again.close()


def test_a_disk_that_is_full_is_no_damage(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    store = database.store()
    store.create()
    lease = store.acquire()
    event.listen(
        store._database.engine,
        "begin",
        lambda one: one.exec_driver_sql("PRAGMA max_page_count = 1"),
    )
    with pytest.raises(StateError, match="full") as raised:
        _fill(store, lease)
    assert raised.value.hint.startswith("make room on its disk")
    assert store.verify() == ()
    database.close()


def _fill(store: SqlStore, lease: Lease) -> None:
    for number in range(100):
        day = dt.date(2024, 1, 1) + dt.timedelta(days=number)
        store.begin(lease, an_intent(str(day), call_id=f"call{number:02}"))


def test_a_server_that_is_gone_is_no_damage() -> None:
    url = "postgresql://ann@127.0.0.1:1/state"
    actor = Actor(who="ann@host", command="apply")
    engine = open_postgres(url, read_only=False)
    store = SqlStore(engine, stack_id=PROJECT, actor=actor, ids=SequentialIds())
    with pytest.raises(StateError) as raised:
        store.snapshot()
    assert raised.value.hint.startswith("see that its server can be reached")
    store.close()
