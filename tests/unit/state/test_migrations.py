"""A store of an older format is read as it is, and upgraded whole, behind a backup, or not at all."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Inspector, inspect

from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.dates import DateSet
from reconciler.model.durations import Took
from reconciler.model.errors import LockHeld, StateError
from reconciler.model.runs import UnitStatus
from reconciler.model.state import Closing, Ruling
from reconciler.state.engine import open_engine
from reconciler.state.schema import FORMAT
from reconciler.state.store import SqlStore
from tests.builders import at
from tests.unit.state.calls import the_attempt
from tests.unit.state.databases import KINDS, Database, PostgresDatabase, SqliteDatabase
from tests.unit.state.format1.old_stores import (
    OLD_STATES,
    STATES_IN_2,
    STATES_IN_3,
    everything,
    looked_into,
    make_old_store,
    rows_of,
)

S = AttemptState
ROOT = Path(__file__).parents[3]
OLD_TABLES = {"stack", "series", "attempt", "journal", "usage"}


@pytest.fixture
def old(database: Database) -> SqlStore:
    """A store of format 1, in which two projects lived."""
    make_old_store(database)
    return database.store()


def states_of(store: SqlStore) -> tuple[tuple[str, str], ...]:
    return tuple((str(one.dates), one.state.value) for one in store.snapshot().attempts)


def backups_of(database: Database) -> list[str]:
    """The suffixes of the backups that there are."""
    if isinstance(database, SqliteDatabase):
        folder, name = database.path.parent, database.path.name
        return [file.name.removeprefix(name) for file in folder.glob(f"{name}.*")]
    known = looked_into(database).get_table_names()
    return [name.removeprefix("stack") for name in known if name.startswith("stack_")]


# Reading.


def test_an_old_store_is_read_as_it_is(database: Database, old: SqlStore) -> None:
    before = everything(database)
    reader = database.store(read_only=True)
    reader.check()
    assert states_of(reader) == OLD_STATES
    recorded = reader.snapshot()
    assert {one.series for one in recorded.attempts} == recorded.series.keys()
    assert (recorded.serial, len(reader.journal()), reader.created_for()) == (21, 23, "plan-1")
    assert reader.every_attempt() == recorded.attempts
    assert reader.calls_on("prod", dt.date(2024, 6, 1)) == 18
    assert reader.verify() == old.verify() == ()
    assert everything(database) == before


# Upgrading.


def test_an_upgrade_keeps_every_row(database: Database, old: SqlStore) -> None:
    before, known = everything(database), old.snapshot()
    old.upgrade()
    old.check()
    assert old.snapshot() == known
    for table in ("attempt", "series", "usage"):
        assert [row[: len(before[table][0])] for row in rows_of(database, table)] == before[table]
    kept = [row for row in rows_of(database, "journal") if row in before["journal"]]
    assert kept == before["journal"]
    stacks = [(*row[:2], 1, *row[3:9]) for row in rows_of(database, "stack")]
    assert stacks == before["stack"], "all of it but the format"


def unnamed(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Attempts as they are after the upgrade: without the name that manual runs never bore."""
    return [
        replace(one, name="") if one.operation == "CreateManualDag" else one for one in attempts
    ]


def test_an_upgrade_brings_every_project_to_the_format(database: Database, old: SqlStore) -> None:
    other = database.store(project="other")
    known = (unnamed(other.snapshot().attempts), other.journal())
    old.upgrade()
    assert database.raw("SELECT DISTINCT format FROM stack") == [(FORMAT,)]
    other.check()
    *before, last = other.journal()
    assert (unnamed(other.snapshot().attempts), tuple(before)) == known
    assert last.event == "upgraded"
    assert other.verify() == ()
    assert other.upgrade() is None


def test_an_upgrade_is_told(database: Database, old: SqlStore) -> None:
    told = old.journal()
    backup = old.upgrade()
    *before, last = old.journal()
    assert tuple(before) == told
    data: dict[str, object] = {"format": FORMAT, "backup": backup, "attempts": []}
    assert (last.event, last.data) == ("upgraded", data)
    assert last.fence >= before[-1].fence
    assert old.verify() == ()
    assert len(backups_of(database)) == 1


def test_a_new_project_among_old_ones_upgrades_them_first(
    database: Database, old: SqlStore
) -> None:
    database.store(project="third").create()
    assert database.raw("SELECT DISTINCT format FROM stack") == [(FORMAT,)]
    old.check()
    assert old.upgrade() is None
    assert len(backups_of(database)) == 1


def test_what_older_versions_split_off_without_a_word_is_told_by_the_upgrade(
    database: Database, old: SqlStore
) -> None:
    database.raw(
        "UPDATE attempt SET attempt_id = 'split-off' WHERE attempt_id = ?",
        old.snapshot().attempts[0].id,
    )
    before = old.verify()
    assert any("knows nothing of it" in line for line in before)
    old.upgrade()
    assert "split-off" in old.journal()[-1].attempts
    assert not any("knows nothing of it" in line for line in old.verify())


def test_upgrading_again_does_nothing(database: Database, old: SqlStore) -> None:
    old.upgrade()
    known, backups = everything(database), backups_of(database)
    assert old.upgrade() is None
    assert (everything(database), backups_of(database)) == (known, backups)


def test_a_store_of_this_format_needs_no_upgrade(database: Database, store: SqlStore) -> None:
    known = everything(database)
    assert store.upgrade() is None
    assert (everything(database), backups_of(database)) == (known, [])


def test_an_upgraded_store_is_made_like_a_new_one(
    database: Database, old: SqlStore, tmp_path: Path
) -> None:
    old.upgrade()
    fresh = KINDS[_kind(database)](tmp_path / "fresh")
    fresh.store().create()
    made, expected = shape(looked_into(database)), shape(looked_into(fresh))
    fresh.close()
    assert {name: one for name, one in made.items() if "_format" not in name} == expected
    if isinstance(database, SqliteDatabase):
        assert database.raw("PRAGMA integrity_check") == [("ok",)]
        assert database.raw("PRAGMA foreign_key_check") == []


def _kind(database: Database) -> str:
    return next(name for name, kind in KINDS.items() if isinstance(database, kind))


def shape(database: Inspector) -> dict[str, object]:
    """What each table is made of, in words that can be compared."""
    return {table: _made_of(database, table) for table in database.get_table_names()}


def _made_of(database: Inspector, table: str) -> dict[str, object]:
    columns = database.get_columns(table)
    indexes = {str(one["name"]): one for one in database.get_indexes(table)}
    checks = {str(one["name"]): one["sqltext"] for one in database.get_check_constraints(table)}
    return {
        "columns": [
            (one["name"], str(one["type"]), one["nullable"], one["default"]) for one in columns
        ],
        "key": database.get_pk_constraint(table),
        "references": database.get_foreign_keys(table),
        "unique": database.get_unique_constraints(table),
        "indexes": indexes,
        "checks": {name: "".join(sql.split()) for name, sql in checks.items()},
    }


def test_the_old_store_is_not_made_like_a_new_one(
    database: Database, old: SqlStore, tmp_path: Path
) -> None:
    """What the comparison above would see, had nothing been done."""
    old.check()
    fresh = KINDS[_kind(database)](tmp_path / "fresh")
    fresh.store().create()
    made, expected = shape(looked_into(database)), shape(looked_into(fresh))
    fresh.close()
    assert expected.keys() - made.keys() == {"tag"}
    differing = {table for table in made if made[table] != expected[table]}
    assert differing == {"attempt", "stack", "usage"}


# What an upgraded store can do.


def test_an_upgraded_store_takes_what_people_decide(old: SqlStore) -> None:
    old.upgrade()
    lease = old.acquire()
    ids = {(str(one.dates), one.state): one.id for one in old.snapshot().attempts}
    settled, forgotten = ids["2024-05-15", S.UNKNOWN], ids["2024-05-21", S.VOID]
    success = UnitRecord(UnitStatus.SUCCESS)
    closings = (
        Closing(
            attempt_id=settled,
            dates=DateSet.parse(["2024-05-15"]),
            state=S.SETTLED,
            seen=success,
        ),
        Closing(
            attempt_id=forgotten, dates=DateSet.parse(["2024-05-21"]), state=S.FORGOTTEN, seen=None
        ),
    )
    ruling = Ruling(event="resolved", units=(), reason=None, at=at(0), closings=closings)
    old.rule(lease, ruling)
    old.note_tags(lease, "home", survives=True, name="rc1-x orders")
    states = {one.id: one.state for one in old.every_attempt()}
    assert (states[settled], states[forgotten]) == (S.SETTLED, S.FORGOTTEN)
    assert old.snapshot().tags_survive == {"home": True}
    assert old.verify() == ()


def test_in_an_upgraded_store_several_tries_may_share_a_number(old: SqlStore) -> None:
    old.upgrade()
    (sent,) = [one for one in old.snapshot().attempts if one.state is S.SENT]
    old.mark_absent(old.acquire(), sent.id, DateSet.parse(["2024-05-23"]), "a listing")
    numbers = [one.number for one in old.snapshot().attempts]
    assert len(numbers) == len(set(numbers)) + 1
    assert the_attempt(old, sent.id).state is S.SENT
    assert old.verify() == ()


def test_an_upgraded_store_refuses_states_that_nobody_knows(
    database: Database, old: SqlStore
) -> None:
    old.upgrade()
    with pytest.raises(Exception, match="attempt_state"):
        database.raw("UPDATE attempt SET state = 'eaten'")


# Older versions that are still at work.


def test_while_an_older_version_holds_the_lock_nothing_is_upgraded(
    database: Database, old: SqlStore
) -> None:
    far = 4_000_000_000_000
    database.raw("UPDATE stack SET lease_until = ? WHERE holder = 'bob@host'", far)
    with _left_alone(database), pytest.raises(LockHeld, match="bob@host"):
        old.upgrade()
    assert backups_of(database) == []


def test_a_store_is_not_written_to_before_it_is_upgraded(
    database: Database, old: SqlStore
) -> None:
    with _left_alone(database), pytest.raises(StateError, match="still has format 1"):
        old.acquire()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stack SET serial = serial WHERE stack_id = 'data-platform'",
        "UPDATE stack SET serial = serial + 1 WHERE fence = 2 AND lock_id = 'xalenzsnpycp'",
        "UPDATE stack SET fence = fence + 1, lock_id = 'x' WHERE stack_id = 'nobody'",
        "UPDATE stack SET lease_until = 2 WHERE fence = 2 AND lock_id = 'x'",
    ],
)
def test_what_an_older_version_starts_every_write_with_fails_after_an_upgrade(
    database: Database, old: SqlStore, statement: str
) -> None:
    """It knows no seals; following runs, it writes what it sees long after it gave the lock back."""
    database.raw(statement)
    old.upgrade()
    with pytest.raises(Exception, match=r"serial|lock_id"):
        database.raw(statement)
    assert old.verify() == ()


# From format 2.


def test_a_store_of_format_2_is_read_as_it_is_and_upgraded_whole(database: Database) -> None:
    make_old_store(database, version=2)
    reader = database.store(read_only=True)
    known, journal = reader.snapshot(), reader.journal()
    assert states_of(reader) == STATES_IN_2
    assert known.tags_survive == {"home-1": True, "home-2": False}
    assert (known.serial, len(journal), reader.verify()) == (32, 34, ())
    assert reader.calls_on("prod", dt.date(2024, 6, 1)) == 18
    assert S.FORGOTTEN in {one.state for one in reader.every_attempt()}
    before = everything(database)

    store = database.store()
    backup = store.upgrade()

    assert store.snapshot() == known
    assert store.journal()[:-1] == journal
    assert (store.journal()[-1].event, store.journal()[-1].data["backup"]) == ("upgraded", backup)
    assert store.verify() == database.store(project="other").verify() == ()
    after = everything(database)
    for table in ("attempt", "series", "usage", "tag"):
        assert [row[: len(before[table][0])] for row in after[table]] == before[table]
    assert len(backups_of(database)) == 1
    assert store.upgrade() is None


@pytest.mark.parametrize("version", [2, 3])
def test_a_store_of_an_older_format_becomes_like_a_new_one(
    database: Database, tmp_path: Path, version: int
) -> None:
    make_old_store(database, version=version)
    database.store().upgrade()
    fresh = KINDS[_kind(database)](tmp_path / "fresh")
    fresh.store().create()
    made, expected = shape(looked_into(database)), shape(looked_into(fresh))
    fresh.close()
    assert {name: one for name, one in made.items() if "_format" not in name} == expected


def test_the_backup_of_a_format_2_server_holds_its_workspaces_as_well(tmp_path: Path) -> None:
    database = PostgresDatabase(tmp_path)
    make_old_store(database, version=2)
    before = everything(database)
    database.store().upgrade()
    (suffix,) = backups_of(database)
    for table in (*OLD_TABLES, "tag"):
        assert rows_of(database, f"{table}{suffix}") == before[table]
    database.close()


# From format 3.


def test_a_store_of_format_3_is_read_as_it_is_and_upgraded_whole(database: Database) -> None:
    make_old_store(database, version=3)
    reader = database.store(read_only=True)
    known, journal = reader.snapshot(), reader.journal()
    assert states_of(reader) == STATES_IN_3
    assert {one.took for one in reader.every_attempt()} == {None}
    assert (known.serial, len(journal), reader.verify()) == (19, 20, ())
    assert reader.calls_on("prod", dt.date(2024, 6, 1)) == 18
    before = everything(database)

    store = database.store()
    with pytest.raises(StateError, match="still has format 3"):
        store.acquire()
    store.upgrade()

    assert store.snapshot() == known
    assert store.journal()[:-1] == journal
    assert store.verify() == database.store(project="other").verify() == ()
    after = everything(database)
    width = len(before["attempt"][0]) - 1  # all but the seal, which covers one column more
    assert [row[:width] for row in after["attempt"]] == [row[:width] for row in before["attempt"]]
    assert (after["tag"], after["usage"]) == (before["tag"], before["usage"])
    accepted = next(one for one in known.attempts if one.state is S.ACCEPTED)
    took = Took(dates=7, least=55, most=80, total=400)
    store.observe([replace(accepted, took=took)], at=at(90))
    assert the_attempt(store, accepted.id).took == took
    assert store.verify() == ()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE attempt SET generation = 0",
        "DELETE FROM tag",
        "UPDATE usage SET calls = 0",
        "UPDATE stack SET writes = 0 WHERE stack_id = 'other'",
    ],
)
def test_a_damaged_store_is_not_sealed_anew(database: Database, damage: str) -> None:
    """Afterwards nothing would tell any more that it was."""
    make_old_store(database, version=3)
    database.raw(damage)
    before = everything(database)
    with pytest.raises(StateError, match="is damaged"):
        database.store().upgrade()
    assert everything(database) == before
    assert backups_of(database) == []


def test_while_format_3_holds_the_lock_nothing_is_upgraded(database: Database) -> None:
    make_old_store(database, version=3)
    database.raw("UPDATE stack SET lease_until = 4000000000000 WHERE holder = 'bob@host'")
    before = everything(database)
    with pytest.raises(LockHeld, match="bob@host"):
        database.store().upgrade()
    assert everything(database) == before


# The backup.


def test_the_backup_of_a_file_lies_beside_it_and_is_the_old_store(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    make_old_store(database)
    before = everything(database)
    backup = Path(database.store().upgrade() or "")
    assert backup.parent == database.path.parent
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        for table, rows in before.items():
            found = copy.execute(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 - our names
            assert found.fetchall() == rows
    copied = inspect(open_engine(backup, read_only=True))
    assert set(copied.get_table_names()) == OLD_TABLES
    database.close()


def test_the_backup_of_a_file_can_be_put_back(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    make_old_store(database)
    known = everything(database)
    backup = Path(database.store().upgrade() or "")
    database.close()
    backup.rename(database.path)
    again = SqliteDatabase(tmp_path)
    assert everything(again) == known
    assert states_of(again.store(read_only=True)) == OLD_STATES
    assert again.store().upgrade() is not None
    again.close()


def test_the_backup_of_a_server_is_a_copy_of_every_table(tmp_path: Path) -> None:
    database = PostgresDatabase(tmp_path)
    make_old_store(database)
    before = everything(database)
    backup = database.store().upgrade()
    (suffix,) = backups_of(database)
    assert backup == f"tables *{suffix}"
    for table in OLD_TABLES:
        assert rows_of(database, f"{table}{suffix}") == before[table]
    database.close()


# When it fails.

_UNIQUE = "UNIQUE (stack_id, number), \n"


def test_a_table_that_is_not_as_made_is_left_alone(database: Database) -> None:
    make_old_store(database, before=_UNIQUE)
    with _left_alone(database), pytest.raises(StateError):
        database.store().upgrade()


def test_a_file_with_other_states_than_ours_is_left_alone(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    make_old_store(database, before="'void','absent')", after="'void','absent','paused')")
    with _left_alone(database), pytest.raises(StateError, match="not as this tool made it"):
        database.store().upgrade()
    database.close()


def test_a_failure_at_the_end_undoes_all_of_it(database: Database, old: SqlStore) -> None:
    database.raw("CREATE TABLE tag (in_the_way TEXT, of_ours TEXT)")
    with _left_alone(database), pytest.raises(StateError, match="tag"):
        old.upgrade()
    database.raw("DROP TABLE tag")
    assert old.upgrade() is not None
    assert states_of(old) == OLD_STATES
    assert old.verify() == ()


def test_a_file_that_cannot_be_backed_up_is_left_alone(tmp_path: Path) -> None:
    """Its name leaves no room for a backup's; being root, which no mode stops, is no help there."""
    database = SqliteDatabase(tmp_path)
    database.path = database.path.with_name("s" * 240)
    make_old_store(database)
    with _left_alone(database), pytest.raises(StateError, match="cannot be written") as raised:
        database.store().upgrade()
    assert "not upgraded" in str(raised.value)
    assert "File name too long" in str(raised.value)
    assert backups_of(database) == []
    database.close()


def test_a_server_that_cannot_be_backed_up_is_left_alone(tmp_path: Path) -> None:
    database = PostgresDatabase(tmp_path)
    make_old_store(database)
    database.raw("DROP TABLE usage")
    with _left_alone(database), pytest.raises(StateError, match="usage"):
        database.store().upgrade()
    assert backups_of(database) == []
    database.close()


@contextmanager
def _left_alone(database: Database) -> Iterator[None]:
    """Whatever happens here, an old store is as it was: rows, tables, and readable."""
    before = (everything(database), shape(looked_into(database)))
    yield
    assert (everything(database), shape(looked_into(database))) == before
    reader = database.store(read_only=True)
    reader.check()
    assert states_of(reader) == OLD_STATES
    assert reader.verify() == ()


# Two at once.

_UPGRADES = """
import json, sys

store.check()
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(store.upgrade()), flush=True)
"""


def test_of_processes_that_upgrade_at_once_one_does_it(database: Database, old: SqlStore) -> None:
    code = database.opening_code() + _UPGRADES
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    try:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        for rival in rivals:  # all of them set off before any answer is read
            assert rival.stdin is not None
            rival.stdin.write("go\n")
            rival.stdin.flush()
        answers = [json.loads(rival.communicate(timeout=60)[0]) for rival in rivals]
    finally:
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert sorted(answer is None for answer in answers) == [False, True, True]
    assert len(backups_of(database)) == 1
    assert [entry.event for entry in old.journal()].count("upgraded") == 1
    assert states_of(old) == OLD_STATES
    assert old.verify() == ()
