"""A store is made once, opened only if it is whole and ours, and kept from other people's eyes."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from reconciler.model.errors import StateError, StateMissing, UnsupportedFormat
from reconciler.state.engine import open_engine
from reconciler.state.location import PostgresServer, SqliteFile, state_location
from reconciler.state.postgres import open_postgres
from reconciler.state.store import SqlStore
from tests.unit.state.calls import an_intent
from tests.unit.state.databases import PROJECT, Database, PostgresDatabase, SqliteDatabase


def test_a_new_store_is_empty_and_has_a_lineage(database: Database) -> None:
    store = database.store()
    store.create()
    store.check()
    recorded = store.snapshot()
    assert (recorded.serial, recorded.attempts, dict(recorded.series)) == (0, (), {})
    assert recorded.lineage


def test_creating_again_changes_nothing(database: Database) -> None:
    store = database.store()
    store.create(plan_id="plan-1")
    before = (store.snapshot(), store.journal())
    store.create(plan_id="plan-2")
    assert (store.snapshot(), store.journal()) == before
    assert store.created_for() == "plan-1"


def test_a_store_made_for_no_plan_says_so(store: SqlStore) -> None:
    assert store.created_for() is None


def test_there_is_no_store_before_it_is_created(database: Database) -> None:
    with pytest.raises(StateMissing):
        database.store().check()


def test_two_projects_share_a_database_and_nothing_else(database: Database) -> None:
    ours, theirs = database.store(), database.store(project="other")
    ours.create()
    with pytest.raises(StateMissing, match="nothing of project other"):
        theirs.check()
    theirs.create()
    lease = ours.acquire()
    ours.begin(lease, an_intent())
    other = theirs.acquire()  # not held: a lock is a project's own
    assert theirs.snapshot().attempts == ()
    assert theirs.snapshot().lineage != ours.snapshot().lineage
    theirs.begin(other, an_intent())
    assert len(ours.snapshot().attempts) == 1


def test_a_newer_format_is_refused_by_name(database: Database, store: SqlStore) -> None:
    database.raw("UPDATE stack SET format = 99")
    with pytest.raises(UnsupportedFormat, match="99"):
        store.check()


_READS: dict[str, Callable[[SqlStore], object]] = {
    "check": SqlStore.check,
    "snapshot": SqlStore.snapshot,
    "journal": SqlStore.journal,
    "acquire": SqlStore.acquire,
    "create": SqlStore.create,
}


@pytest.mark.parametrize("read", _READS.values(), ids=_READS)
@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    "content",
    [b"garbage, and more than a header of it" * 40, b"SQLite format 3\0" + b"\xff" * 4096],
)
def test_a_damaged_file_is_a_clear_state_error(
    tmp_path: Path, content: bytes, read_only: bool, read: Callable[[SqlStore], object]
) -> None:
    database = SqliteDatabase(tmp_path)
    database.path.parent.mkdir()
    database.path.write_bytes(content)
    if read_only and read in {SqlStore.acquire, SqlStore.create}:
        return
    store = database.store(read_only=read_only)
    with pytest.raises(StateError) as raised:
        read(store)
    database.close()
    assert "sqlalche" not in str(raised.value).lower()
    assert database.path.read_bytes() == content, "a damaged file must be left to its owner"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"lease_id TEXT", b"lease_\xccd TEXT"),  # no text
        (b"lease_id TEXT", b"lease_ed TEXT"),
        (b"TABLE stack (", b"TABLE stuck ("),
        (b"tablestackstack", b"tablestuckstuck"),
        (b"format INTEGER", b"fermat INTEGER"),
    ],
)
def test_a_schema_in_which_a_letter_changed_is_a_clear_state_error(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    database = SqliteDatabase(tmp_path)
    database.store().create()
    database.close()
    content = database.path.read_bytes()
    assert content.count(before) == 1
    database.path.write_bytes(content.replace(before, after))
    again = SqliteDatabase(tmp_path)
    with pytest.raises(StateError) as raised:
        again.store().check()
    assert not isinstance(raised.value, StateMissing), "a damaged store must not look like none"
    again.close()


def test_a_file_of_another_application_is_refused(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.store()
    database.raw("CREATE TABLE note (text TEXT)")
    with pytest.raises(StateError, match="has no table stack, but note") as raised:
        database.store().check()
    assert not isinstance(raised.value, StateMissing)
    database.close()


def test_a_project_whose_row_alone_is_missing_is_no_new_project(
    database: Database, store: SqlStore
) -> None:
    if isinstance(database, SqliteDatabase):
        database.raw("DELETE FROM stack")
    else:
        database.raw("ALTER TABLE journal DROP CONSTRAINT journal_stack_id_fkey")
        database.raw("DELETE FROM stack")
    with pytest.raises(StateError, match=f"the row of project {PROJECT} is missing") as raised:
        store.check()
    assert not isinstance(raised.value, StateMissing)


@pytest.mark.parametrize("table", ["attempt", "series", "journal"])
def test_a_store_without_one_of_its_tables_is_a_state_error(
    database: Database, store: SqlStore, table: str
) -> None:
    database.raw(
        f"DROP TABLE {table}" + (" CASCADE" if isinstance(database, PostgresDatabase) else "")
    )
    with pytest.raises(StateError):
        store.snapshot() if table != "journal" else store.journal()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE attempt SET run_ids = 'no json'",
        "UPDATE attempt SET coverage = '[[1]]'",
        'UPDATE attempt SET coverage = \'[["2024-05-01", "eaten", false]]\'',
        "UPDATE attempt SET address = 'nonsense'",
        "UPDATE attempt SET start_date = 'a', end_date = 'b'",
        "UPDATE series SET document = '{}'",
        "UPDATE series SET document = 'no json'",
    ],
)
def test_a_record_nobody_can_read_is_a_state_error(
    database: Database, store: SqlStore, damage: str
) -> None:
    store.begin(store.acquire(), an_intent())
    database.raw(damage)
    with pytest.raises(StateError):
        store.snapshot()


@pytest.mark.parametrize("value", ["no json", "[]", "7"])
def test_a_damaged_journal_is_a_state_error(
    database: Database, store: SqlStore, value: str
) -> None:
    database.raw("UPDATE journal SET data = ?", value)
    with pytest.raises(StateError):
        store.journal()


def test_a_journal_with_rows_of_another_table_is_a_state_error(tmp_path: Path) -> None:
    """As when a page was copied over another: texts where numbers belong."""
    database = SqliteDatabase(tmp_path)
    store = database.store()
    store.create()
    for column in ("seq", "at", "fence"):
        before = database.raw(f"SELECT {column} FROM journal")[0][0]  # noqa: S608 - our names
        database.raw(f"UPDATE journal SET {column} = 'text'")  # noqa: S608 - our names
        for read in (SqlStore.journal, SqlStore.verify):
            with pytest.raises(StateError, match="journal entry"):
                read(store)
        database.raw(f"UPDATE journal SET {column} = ?", before)  # noqa: S608 - our names
    database.close()


def test_reading_a_file_that_is_not_there_is_a_state_error(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.path.parent.mkdir()
    with pytest.raises(StateError):
        database.store(read_only=True).snapshot()
    assert not database.path.exists()


def test_a_folder_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made"):
        open_engine(tmp_path / "file" / "kept" / "state.db", read_only=False)


def test_a_read_only_store_refuses_to_write(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    reader = database.store(read_only=True)
    with pytest.raises(StateError):
        reader.begin(lease, an_intent())
    assert store.snapshot().attempts == ()


def test_what_a_store_holds_is_for_its_owner_only(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    store = database.store()
    store.create()
    store.begin(store.acquire(), an_intent())
    files = sorted(database.path.parent.iterdir())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    assert modes == {"state.db": 0o600, "state.db-shm": 0o600, "state.db-wal": 0o600}
    assert stat.S_IMODE(database.path.parent.stat().st_mode) == 0o700
    database.close()


def test_every_commit_is_durable(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "state.db", read_only=False)
    for _ in range(2):  # what holds for the first connection holds for every later one
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        engine.dispose()


def test_a_write_transaction_keeps_other_writers_out_from_its_start(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    database.store().create()
    engine = open_engine(database.path, read_only=False)
    rival = sqlite3.connect(database.path, timeout=0, isolation_level=None)
    with engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        rival.execute("BEGIN IMMEDIATE")
    rival.execute("BEGIN IMMEDIATE")  # free again
    rival.close()
    engine.dispose()
    database.close()


@pytest.mark.parametrize("name", ["a b", "50%", "a%20b", "what?", "#1", "ünï", "a&mode=ro"])
def test_a_project_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    database = SqliteDatabase(tmp_path / name)
    (tmp_path / name).mkdir()
    store = database.store()
    store.create()
    store.acquire()
    assert database.path.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert database.store(read_only=True).lock_info() is not None
    database.close()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///.reconciler/state.db", "root/.reconciler/state.db"),
        ("sqlite:////srv/state.db", "/srv/state.db"),
    ],
)
def test_a_state_url_names_a_file(url: str, path: str) -> None:
    assert state_location(url, Path("root")) == SqliteFile(Path(path))


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:s3cr3t@host/db"]
)
def test_other_state_urls_are_refused_without_quoting_them(url: str) -> None:
    with pytest.raises(StateError) as raised:
        state_location(url, Path("root"))
    assert "s3cr3t" not in str(raised.value) + raised.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:s3cr3t@db/state", "postgresql://u@db/state"),
        ("postgres:///state?host=/run/postgresql", "postgresql:///state"),
        ("postgresql://db/state?user=u&password=s3cr3t", "postgresql://db/state"),
        ("postgresql://u@db:5432/state?sslpassword=s3cr3t", "postgresql://u@db:5432/state"),
        ("postgresql://u:s3cr3t%40@[::1]:5432,b:1/state", "postgresql://u@[::1]:5432,b:1/state"),
        ("postgresql://u:s3:cr3t?#@db", "postgresql://u@db"),
        ("postgresql://", "postgresql://"),
    ],
)
def test_a_postgresql_url_is_left_to_libpq_and_its_password_never_shown(
    url: str, shown: str
) -> None:
    location = state_location(url, Path("root"))
    assert isinstance(location, PostgresServer)
    assert location.url == url
    assert str(location) == shown
    assert "s3cr3t" not in f"{location} {location!r}"


@pytest.mark.parametrize("password", ["s3cr3t/x", "s3cr3t@x", "s3/cr3t@", "s/3?cr3t"])
def test_a_password_that_libpq_would_take_for_a_host_is_refused_unseen(password: str) -> None:
    with pytest.raises(StateError) as raised:
        state_location(f"postgresql://u:{password}@db/state", Path("root"))
    assert "malformed" in str(raised.value)
    assert "cr3t" not in f"{raised.value} {raised.value!r}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cr3t%zz@127.0.0.1:1/state",
        "postgresql://u:s3cr3t@127.0.0.1:1/state?nonsense=1",
        "postgresql://u:s3cr3t@127.0.0.1:1/s3cr3t",
        "postgresql://127.0.0.1:1/state?password=s3cr3t%zz",
        "postgresql://u:s3cr3t@127.0.0.1:99999/state",
    ],
)
def test_what_libpq_says_of_a_url_has_no_password(url: str) -> None:
    engine = open_postgres(url, read_only=True)
    with pytest.raises(DBAPIError) as raised, engine.connect():
        pass
    seen: BaseException | None = raised.value
    while seen is not None:
        assert "s3cr3t" not in f"{seen} {seen!r}"
        seen = seen.__cause__ or seen.__context__
