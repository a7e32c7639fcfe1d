"""Whether a workspace returns our names whole: believed once read back, never again once altered."""

from __future__ import annotations

from reconciler.state.store import SqlStore
from tests.unit.state.databases import Database
from tests.unit.state.format1.old_stores import make_old_store, rows_of

HOME = "simulator/dataworks/cn-shanghai/112345"
NAME = "rc1-ohkmx72kv5tyevsc-g1-callaa orders"


def test_nothing_is_known_of_a_workspace_at_first(store: SqlStore) -> None:
    assert store.snapshot().tags_survive == {}


def test_a_name_that_came_back_is_recorded_and_told(store: SqlStore) -> None:
    lease = store.acquire()
    for home, survives in ((HOME, True), ("elsewhere", False)):
        store.note_tags(lease, home, survives=survives, name=NAME)
        entry = store.journal()[-1]
        assert (entry.event, entry.fence) == ("tags", lease.fence)
        assert entry.data == {"home": home, "survives": survives, "name": NAME}
    assert store.snapshot().tags_survive == {HOME: True, "elsewhere": False}
    assert store.verify() == ()


def test_a_name_that_comes_back_altered_ends_the_belief(store: SqlStore) -> None:
    lease = store.acquire()
    store.note_tags(lease, HOME, survives=True, name=NAME)
    store.note_tags(lease, HOME, survives=False, name="cut")
    assert store.snapshot().tags_survive == {HOME: False}
    assert [entry.data["survives"] for entry in store.journal()[1:]] == [True, False]
    assert store.verify() == ()


def test_once_altered_no_name_is_believed_any_more(store: SqlStore) -> None:
    lease = store.acquire()
    store.note_tags(lease, HOME, survives=False, name="cut")
    told = store.journal()
    store.note_tags(lease, HOME, survives=True, name=NAME)
    assert store.snapshot().tags_survive == {HOME: False}
    assert store.journal() == told


def test_what_is_known_already_is_not_told_again(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    for home, survives in (("whole", True), ("altered", False)):
        store.note_tags(lease, home, survives=survives, name=NAME)
    known = (store.journal(), rows_of(database, "tag"))
    for home, survives in (("whole", True), ("altered", False)):
        store.note_tags(lease, home, survives=survives, name="another name")
    assert (store.journal(), rows_of(database, "tag")) == known


def test_two_workspaces_are_two_matters(store: SqlStore) -> None:
    lease = store.acquire()
    store.note_tags(lease, HOME, survives=True, name=NAME)
    store.note_tags(lease, f"{HOME}6", survives=True, name=NAME)
    store.note_tags(lease, HOME, survives=False, name="cut")
    assert store.snapshot().tags_survive == {HOME: False, f"{HOME}6": True}


def test_two_projects_learn_for_themselves(database: Database, store: SqlStore) -> None:
    other = database.store(project="other")
    other.create()
    store.note_tags(store.acquire(), HOME, survives=False, name="cut")
    assert other.snapshot().tags_survive == {}
    other.note_tags(other.acquire(), HOME, survives=True, name=NAME)
    assert other.snapshot().tags_survive == {HOME: True}
    assert store.snapshot().tags_survive == {HOME: False}


def test_a_store_of_the_first_format_knows_of_no_workspace(database: Database) -> None:
    make_old_store(database)
    assert database.store(read_only=True).snapshot().tags_survive == {}
