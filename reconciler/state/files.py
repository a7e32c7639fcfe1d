"""What holds of a state file before SQLite may use it: a local disk, nobody else's hands, sound pages."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.errors import StateDamaged, StateUnavailable, StateUnsafe

# SQLite coordinates processes by POSIX locks on the file and, in WAL mode, by memory that they map from
# the `-shm` file: "WAL does not work over a network filesystem" (https://sqlite.org/wal.html), and where
# locks do not lock, two processes corrupt the file (https://sqlite.org/howtocorrupt.html, 2.1). It fails
# silently, so that two runners could each hold the lease and start the same backfill: this is refused, not
# warned of.

#: Other machines write here too, and no machine sees another's mapped memory.
_NETWORK = frozenset(
    {
        "afpfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb2",
        "smb3",
        "smbfs",
        "webdav",
    }
)

#: FUSE clients of the same, and of object stores, which have no locks at all. Linux says `fuse.NAME`.
_NETWORK_FUSE = frozenset(
    {
        "blobfuse",
        "blobfuse2",
        "ceph",
        "ceph-fuse",
        "cosfs",
        "curlftpfs",
        "davfs",
        "davfs2",
        "gcsfuse",
        "glusterfs",
        "goofys",
        "juicefs",
        "mount-s3",
        "mountpoint-s3",
        "ossfs",
        "ossfs2",
        "rclone",
        "s3fs",
        "smbnetfs",
        "sshfs",
    }
)

# A host's folder inside a virtual machine: Docker Desktop and Podman on macOS (virtiofs, before that gRPC
# FUSE; Docker Desktop calls its layer on top `fakeowner`), and Windows' disks in WSL 2 (9p, or virtiofs).
# Concurrent WAL writers corrupted a store there within a minute, where ext4 in the same machine stayed
# sound (https://github.com/NousResearch/hermes-agent/issues/110848; for WSL 2's 9p
# https://github.com/gsd-build/gsd-2/issues/5106). Yet gVisor and Kata Containers show a sandbox's own root
# as 9p or virtiofs: nobody else is behind that, and its own kernel keeps the locks. So the kind that `/`
# has is let through, and so is gVisor's 9p elsewhere; WSL's 9p is known by its option `aname=drvfs`.
# Overlays, tmpfs and unknown FUSE file systems are local as far as anyone can tell.
_HOST_FOLDER = frozenset({"virtiofs", "fuse.virtiofs", "fuse.grpcfuse", "grpcfuse", "fakeowner"})
_WINDOWS_IN_9P = "aname=drvfs"

#: SQLite makes these beside the file and trusts what it finds in them.
_COMPANIONS = ("-wal", "-shm", "-journal")

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

#: What to do where the file system keeps us out.
ELSEWHERE = "see that we may read and write there, or name another file in the state URL"

#: What to do about a damaged store.
DAMAGED = (
    "restore a backup, or move it away: the next apply finds our backfills by their names and "
    "records them again"
)

#: Answers of SQLite that mean damage; others, such as a lock that is held, mean something else.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system in the folder tree: where, of what type, mounted with what options."""

    point: Path
    kind: str
    options: str = ""


#: Tells what is mounted, a mount that covers another one later than that; empty where it cannot be told.
MountTable = Callable[[], Iterable[Mount]]


def mounted() -> tuple[Mount, ...]:
    """What the system says is mounted; nothing on a platform that does not say."""
    import psutil  # noqa: PLC0415 - only needed here

    try:  # without `all`, network file systems are left out
        found = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error, NotImplementedError):
        return ()
    return tuple(Mount(Path(each.mountpoint), each.fstype, each.opts) for each in found)


def refuse_shared_disk(path: Path, mounts: Iterable[Mount]) -> None:
    """Refuse a file on a file system on which SQLite's locks or shared memory do not work.

    Raises:
        StateError: Its folder lies on one.
    """
    known = tuple(mounts)
    folder = path.parent.resolve()
    under = _mount_of(folder, known)
    root = _mount_of(Path("/"), known)
    if under is None or not _is_shared(under, root):
        return
    raise StateUnsafe(
        f"the state file {path} would lie on a shared file system ({under.kind} at {under.point}), "
        "where SQLite's locks cannot be relied on",
        hint="write state: postgresql://… in reconciler.yaml, or sqlite:///FILE on a local disk",
    )


def _mount_of(folder: Path, mounts: Iterable[Mount]) -> Mount | None:
    best: Mount | None = None
    for mount in mounts:
        deeper = best is None or len(mount.point.parts) >= len(best.point.parts)
        if deeper and folder.is_relative_to(mount.point):
            best = mount
    return best


def _is_shared(mount: Mount, root: Mount | None) -> bool:
    kind = mount.kind.lower()
    if kind in _NETWORK or kind.removeprefix("fuse.") in _NETWORK_FUSE:
        return True
    if root is not None and root.kind.lower() == kind:
        return False
    return kind in _HOST_FOLDER or (kind == "9p" and _WINDOWS_IN_9P in mount.options)


def refuse_unsafe(path: Path) -> None:
    """Refuse a file that another user of this machine may have written, or may write; change nothing.

    A file that is not there is no danger.

    Raises:
        StateError: The file, or one that SQLite keeps beside it, is no regular file, another user's, or
            open to others' writing; or anyone may put files into its folder.
    """
    _refuse_open_folder(path.parent)
    for file in _files(path):
        _inspect(file)


def make_private(path: Path) -> None:
    """Make the file, and the folders above it, for its owner only, or refuse what is there.

    What others may merely read is closed to them.

    Raises:
        StateError: As `refuse_unsafe`; or the file cannot be made.
    """
    try:
        _make_folders(path.parent)
        _make_file(path)
        refuse_unsafe(path)
        for file in _files(path):
            _close_to_readers(file)
    except OSError as error:
        raise StateUnavailable(
            f"the state file {path} cannot be made: {error.strerror}", hint=ELSEWHERE
        ) from error


def _files(path: Path) -> tuple[Path, ...]:
    return (path, *(path.with_name(path.name + end) for end in _COMPANIONS))


def _make_folders(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):  # `mkdir(parents=True)` leaves the upper ones to the umask
        try:
            each.mkdir(mode=0o700)
        except FileExistsError:
            continue  # another process was faster, or a file is in the way: the next step tells
        each.chmod(0o700)


def _make_file(path: Path) -> None:
    # O_EXCL follows no link at the end of the path. A file that exists is never opened, here or below:
    # closing it would drop the locks that this process's connections hold on it
    # (https://sqlite.org/howtocorrupt.html, 2.2).
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(made, 0o600)
    finally:
        os.close(made)


def _refuse_open_folder(folder: Path) -> None:
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateUnavailable(
            f"the folder {folder} cannot be read: {error.strerror}", hint=ELSEWHERE
        ) from error
    if mode & stat.S_IWOTH:  # sticky or not: a `-wal` that is not there yet can be planted
        raise StateUnsafe(
            f"anyone may put files beside the state file: {folder} has mode {_shown(mode)}",
            hint=f"chmod o-w {folder}, or keep the state in a folder of its own",
        )


def _inspect(file: Path) -> os.stat_result | None:
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateUnavailable(
            f"the state file {file} cannot be read: {error.strerror}", hint=ELSEWHERE
        ) from error
    if not stat.S_ISREG(found.st_mode):
        link = stat.S_ISLNK(found.st_mode)
        raise StateUnsafe(
            f"the state file {file} is {'a symbolic link' if link else 'no regular file'}",
            hint="name the file that it leads to in the state URL" if link else "move it away",
        )
    us = os.geteuid()
    if us not in {0, found.st_uid}:
        raise StateUnsafe(
            f"the state file {file} belongs to another user (uid {found.st_uid}; we are {us})",
            hint=f"if you trust what it says: chown {us} {file}",
        )
    if found.st_mode & _OTHERS_WRITE:
        raise StateUnsafe(
            f"others may write to the state file {file}: it has mode {_shown(found.st_mode)}",
            hint=f"if you trust what it says: chmod 600 {file}",
        )
    return found


def _close_to_readers(file: Path) -> None:
    found = _inspect(file)
    if found is not None and found.st_mode & _OTHERS:
        file.chmod(0o600)


def _shown(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"


def check_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Let SQLite walk all its pages, and hold its indexes against its tables (`PRAGMA integrity_check`).

    It finds torn, missing and mixed-up pages, and rows that no look-up would find. Pages have no
    checksums, so that it cannot find a letter changed within a text: that is what seals are for. A store of
    10,000 attempts and 40,000 journal entries (19 MB) takes 55 ms.

    Raises:
        StateError: The file is damaged.
        sqlite3.Error: It could not be looked at, for instance because of a lock.
    """
    try:
        ((verdict,), *_) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGE:
            raise
        raise _damaged(path, str(error)) from error
    if verdict != "ok":
        raise _damaged(path, verdict)


def _damaged(path: Path, reason: str) -> StateDamaged:
    return StateDamaged(
        f"the state file {path} is damaged: {' '.join(reason.split())}",
        hint=DAMAGED,
    )
