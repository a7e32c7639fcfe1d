"""A state file is opened only on a local disk, out of other users' hands, and sound."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reconciler.model.errors import StateError
from reconciler.state.database import READING
from reconciler.state.engine import open_engine
from reconciler.state.files import Mount, mounted, refuse_shared_disk

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state goes; nothing of it is there yet, nor are its two folders."""
    return tmp_path / "project" / "kept" / "state.db"


@pytest.fixture
def kept(path: Path) -> Path:
    """A sound state file of several pages, closed."""
    engine = open_engine(path, read_only=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (name TEXT PRIMARY KEY, day TEXT NOT NULL)")
        for number in range(400):
            connection.exec_driver_sql(
                "INSERT INTO runs VALUES (?, ?)", (f"orders-{number:04}", "2024-05-01" * 4)
            )
    engine.dispose()
    assert path.stat().st_size > 8 * PAGE
    return path


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each of three umasks: one that forbids nothing, the usual one, one that forbids everything."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def runs(path: Path, *, read_only: bool) -> int:
    """Open a state file, count what is in it, close it."""
    engine = open_engine(path, read_only=read_only)
    try:
        with engine.connect() as connection:
            reading = connection.execution_options(**{READING: True})
            return int(reading.exec_driver_sql("SELECT count(*) FROM runs").scalar_one())
    finally:
        engine.dispose()


def mode(file: Path) -> int:
    return stat.S_IMODE(file.lstat().st_mode)


# Where it may lie


def mounts_at(folder: Path, kind: str, options: str = "rw") -> Callable[[], list[Mount]]:
    return lambda: [Mount(Path("/"), "ext4"), Mount(folder, kind, options)]


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    "kind",
    [
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "fakeowner",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.grpcfuse",
        "fuse.ossfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "virtiofs",
        "webdav",
    ],
)
def test_a_shared_file_system_is_refused_by_name_before_anything_is_made(
    path: Path, tmp_path: Path, kind: str, read_only: bool
) -> None:
    with pytest.raises(StateError) as raised:
        open_engine(path, read_only=read_only, mounts=mounts_at(tmp_path, kind))
    assert str(path) in raised.value.summary
    assert f"({kind} at {tmp_path})" in raised.value.summary
    assert "postgresql://" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind",
    ["apfs", "btrfs", "ext4", "fuse.fuse-overlayfs", "fuseblk", "overlay", "tmpfs", "xfs", "zfs"],
)
def test_a_local_file_system_is_welcome(path: Path, tmp_path: Path, kind: str) -> None:
    open_engine(path, read_only=False, mounts=mounts_at(tmp_path, kind)).dispose()
    assert path.exists()


def test_the_windows_disks_of_wsl_are_refused_and_the_9p_of_a_sandbox_is_not(path: Path) -> None:
    drive = path.parent
    wsl = mounts_at(drive, "9p", r"rw,noatime,aname=drvfs;path=C:\;uid=1000,trans=fd,rfd=5,wfd=5")
    with pytest.raises(StateError, match="9p at"):
        refuse_shared_disk(path, wsl())
    refuse_shared_disk(path, mounts_at(drive, "9p", "rw,trans=fd,rfdno=7,wfdno=7,aname=/")())


@pytest.mark.parametrize("kind", ["9p", "virtiofs"])
def test_the_kind_that_a_sandbox_has_for_its_root_is_welcome(path: Path, kind: str) -> None:
    refuse_shared_disk(path, [Mount(Path("/"), kind, "trans=virtio")])
    refuse_shared_disk(path, [Mount(Path("/"), kind), Mount(path.parent, kind)])


def test_a_root_on_the_network_is_refused_all_the_same(path: Path) -> None:
    with pytest.raises(StateError, match="nfs at /"):
        refuse_shared_disk(path, [Mount(Path("/"), "nfs")])


def test_the_innermost_file_system_decides(tmp_path: Path) -> None:
    share, disk = tmp_path / "share", tmp_path / "share" / "disk"
    mounts = [Mount(disk, "xfs"), Mount(Path("/"), "ext4"), Mount(share, "nfs")]
    refuse_shared_disk(disk / "state.db", mounts)
    refuse_shared_disk(tmp_path / "share-of-nobody" / "state.db", mounts)
    with pytest.raises(StateError):
        refuse_shared_disk(share / "state.db", mounts)


def test_of_two_file_systems_at_one_place_the_later_one_covers_the_other(path: Path) -> None:
    automatic, real = Mount(path.parent, "autofs"), Mount(path.parent, "nfs4")
    refuse_shared_disk(path, [real, automatic])
    with pytest.raises(StateError):
        refuse_shared_disk(path, [automatic, real])


def test_a_link_to_a_shared_folder_is_followed(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "kept").symlink_to(share)
    with pytest.raises(StateError, match="nfs"):
        open_engine(
            tmp_path / "kept" / "state.db", read_only=False, mounts=mounts_at(share, "nfs")
        )
    assert list(share.iterdir()) == []


def test_where_nothing_is_known_of_file_systems_we_go_on(path: Path) -> None:
    open_engine(path, read_only=False, mounts=list).dispose()
    assert path.exists()


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="no mount table to read")
def test_this_machine_says_what_its_root_is() -> None:
    assert [mount.kind for mount in mounted() if mount.point == Path("/")]


# Who may touch it


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_for_its_owner_only_under_any_umask(path: Path) -> None:
    engine = open_engine(path, read_only=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (name TEXT)")
        modes = {file.name: mode(file) for file in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-shm": 0o600, "state.db-wal": 0o600}
    assert (mode(path.parent), mode(path.parent.parent)) == (0o700, 0o700)
    engine.dispose()


def test_a_folder_that_was_there_keeps_its_mode(kept: Path) -> None:
    kept.parent.chmod(0o755)
    assert runs(kept, read_only=False) == 400
    assert mode(kept.parent) == 0o755


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o755])
def test_a_file_that_others_may_read_is_closed_to_them_when_opened_for_writing(
    kept: Path, bits: int
) -> None:
    kept.chmod(bits)
    assert runs(kept, read_only=False) == 400
    assert mode(kept) == 0o600


def test_so_is_a_log_left_by_a_crash(kept: Path) -> None:
    log = kept.with_name("state.db-wal")
    log.touch()
    log.chmod(0o644)
    open_engine(kept, read_only=False).dispose()
    assert mode(log) == 0o600


def test_reading_changes_no_mode_and_no_byte(kept: Path) -> None:
    kept.chmod(0o644)
    before = kept.read_bytes()
    assert runs(kept, read_only=True) == 400
    assert (mode(kept), kept.read_bytes()) == (0o644, before)


def test_reading_makes_neither_file_nor_folder(path: Path, tmp_path: Path) -> None:
    open_engine(path, read_only=True).dispose()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused_and_left_alone(
    kept: Path, bits: int, end: str, read_only: bool
) -> None:
    file = kept.with_name(kept.name + end)
    file.touch()
    file.chmod(bits)
    with pytest.raises(StateError, match=f"others may write .* mode {bits:04o}") as raised:
        open_engine(kept, read_only=read_only)
    assert f"chmod 600 {file}" in raised.value.hint
    assert mode(file) == bits


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_of_another_user_is_refused(
    kept: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    owner = kept.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(
        StateError, match=f"another user .uid {owner}; we are {owner + 1}"
    ) as raised:
        open_engine(kept, read_only=read_only)
    assert f"chown {owner + 1} {kept}" in raised.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_may_use_the_file_of_any_user(kept: Path) -> None:
    os.chown(kept, 12345, -1)
    assert runs(kept, read_only=False) == 400


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("target", ["elsewhere.db", "not-there.db"])
def test_a_symbolic_link_is_refused_and_not_followed(
    path: Path, target: str, read_only: bool
) -> None:
    path.parent.mkdir(parents=True)
    (path.parent / "elsewhere.db").touch(mode=0o600)
    path.symlink_to(target)
    with pytest.raises(StateError, match="symbolic link"):
        open_engine(path, read_only=read_only)
    assert not (path.parent / "not-there.db").exists()


def test_a_link_planted_as_the_log_is_refused(kept: Path) -> None:
    kept.with_name("state.db-wal").symlink_to("/dev/null")
    with pytest.raises(StateError, match="symbolic link"):
        open_engine(kept, read_only=False)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_refused(
    path: Path, make: Callable[[Path], None], read_only: bool
) -> None:
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(StateError, match="no regular file"):
        open_engine(path, read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("bits", [0o777, 0o1777])
def test_a_folder_into_which_anyone_may_put_files_is_refused(
    kept: Path, bits: int, read_only: bool
) -> None:
    kept.parent.chmod(bits)
    with pytest.raises(StateError, match="anyone may put files") as raised:
        open_engine(kept, read_only=read_only)
    assert f"chmod o-w {kept.parent}" in raised.value.hint


def test_opening_again_drops_no_lock_of_this_process(kept: Path) -> None:
    engine = open_engine(kept, read_only=False)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM runs")
        open_engine(kept, read_only=False).dispose()  # looks at the file, and connects to nothing
        leave_wal = f"import sqlite3; c = sqlite3.connect({str(kept)!r}, timeout=0); "
        leave_wal += "c.execute('PRAGMA journal_mode = DELETE')"  # needs the file for itself
        rival = subprocess.run(
            [sys.executable, "-c", leave_wal], capture_output=True, text=True, check=False
        )
    engine.dispose()
    assert "database is locked" in rival.stderr


# Whether it is sound


def refused_as_damaged(path: Path, *, read_only: bool) -> None:
    content = path.read_bytes()
    engine: Engine = open_engine(path, read_only=read_only)
    for _ in range(2):  # it stays refused: nothing is remembered of a check that failed
        with pytest.raises(StateError, match="is damaged") as raised, engine.connect():
            pass
        assert str(path) in raised.value.summary
        assert "restore a backup" in raised.value.hint
    engine.dispose()
    assert path.read_bytes() == content, "a damaged file must be left to its owner"


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("size", [2, 15, 50, 100, 512, PAGE - 1, PAGE, 3 * PAGE + 7, 7 * PAGE])
def test_a_truncated_file_is_refused(kept: Path, size: int, read_only: bool) -> None:
    os.truncate(kept, size)
    refused_as_damaged(kept, read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("bit", [0, 1, 3, 7])
def test_a_page_of_the_wrong_kind_is_refused_wherever_it_is(
    kept: Path, bit: int, read_only: bool
) -> None:
    sound = kept.read_bytes()
    for start in range(0, len(sound), PAGE):
        kind = start or 100  # the first page begins with the file's own header
        torn = bytearray(sound)
        torn[kind] ^= 1 << bit
        kept.write_bytes(torn)
        refused_as_damaged(kept, read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("content", [b"\0" * PAGE, b"garbage" * 999, b"SQLite format 3\0" * 512])
def test_what_is_no_database_is_refused(path: Path, content: bytes, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o600)
    refused_as_damaged(path, read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("content", [b"", b"S"])  # SQLite itself leaves one byte in a new file
def test_an_empty_file_is_an_empty_database(path: Path, content: bytes, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o600)
    engine = open_engine(path, read_only=read_only)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    engine.dispose()


def test_a_file_is_looked_at_once_and_not_for_each_connection(kept: Path) -> None:
    engine = open_engine(kept, read_only=True)
    engine.connect().close()
    engine.dispose()
    torn = bytearray(kept.read_bytes())
    torn[-PAGE] ^= 1
    kept.write_bytes(torn)
    engine.connect().close()
    engine.dispose()
    refused_as_damaged(kept, read_only=True)


def test_a_store_in_use_elsewhere_is_looked_at_without_waiting_for_its_writer(kept: Path) -> None:
    with closing(sqlite3.connect(kept, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM runs")
        assert runs(kept, read_only=True) == 400
        assert runs(kept, read_only=False) == 400
        writer.execute("ROLLBACK")


def test_a_write_is_logged_flushed_and_held_to_its_foreign_keys(kept: Path) -> None:
    engine = open_engine(kept, read_only=False)
    with engine.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
