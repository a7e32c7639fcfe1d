"""What may happen to the files of a store, as functions of their content, each with a name."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash.damage.project import STORE, Files, LivedIn

PAGE = 4096
WAL, SHM = f"{STORE}-wal", f"{STORE}-shm"

#: Offsets in a write-ahead log: its own header, and that of each of its frames.
_WAL_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True, slots=True)
class Case:
    """Files of the store as they are found. `rolled_back` says that they may be a sound, older store."""

    name: str
    files: Files
    rolled_back: bool = False


def bit_flips(project: LivedIn, dice: random.Random, number: int) -> Iterator[Case]:
    """One bit of the file, anywhere; half of them where there is anything but zeros."""
    whole = project.newer[STORE]
    used = [offset for offset, byte in enumerate(whole) if byte]
    for _ in range(number):
        offset = dice.choice(used) if dice.random() < 0.8 else dice.randrange(len(whole))
        yield Case(*_flipped(STORE, whole, offset, dice.randrange(8)))


def _flipped(name: str, content: bytes, offset: int, bit: int) -> tuple[str, Files]:
    changed = bytearray(content)
    changed[offset] ^= 1 << bit
    return f"bit {bit} of byte {offset} of {name}", {name: bytes(changed)}


def truncations(project: LivedIn, dice: random.Random, number: int) -> Iterator[Case]:
    """The file ends early: at every page, and anywhere."""
    whole = project.newer[STORE]
    ends = list(range(0, len(whole), PAGE))
    ends += [dice.randrange(len(whole)) for _ in range(max(0, number - len(ends)))]
    for end in ends:
        # SQLite takes an empty file for a new one, and so do we: it is as if the store was lost.
        yield Case(f"cut to {end} bytes", {STORE: whole[:end]}, rolled_back=end == 0)


def pages(project: LivedIn, dice: random.Random, number: int) -> Iterator[Case]:
    """Pages full of zeros, changed places, twice there, or as they were before."""
    whole, older = project.newer[STORE], project.older[STORE]
    count = len(whole) // PAGE
    kinds: list[Callable[[], tuple[str, bytes]]] = [
        lambda: _zeroed(whole, dice.randrange(count)),
        lambda: _swapped(whole, dice.randrange(count), dice.randrange(count)),
        lambda: _copied(whole, dice.randrange(count), dice.randrange(count)),
        lambda: _stale(whole, older, dice.randrange(count)),
        lambda: _torn(whole, older, dice.randrange(count), dice.randrange(1, 8) * 512),
    ]
    for place in range(number):
        name, content = kinds[place % len(kinds)]()
        yield Case(name, {STORE: content})


def _page(content: bytes, number: int) -> bytes:
    return content[number * PAGE : (number + 1) * PAGE]


def _with(content: bytes, number: int, page: bytes) -> bytes:
    return content[: number * PAGE] + page + content[(number + 1) * PAGE :]


def _zeroed(content: bytes, number: int) -> tuple[str, bytes]:
    return f"page {number} zeroed", _with(content, number, bytes(PAGE))


def _swapped(content: bytes, one: int, other: int) -> tuple[str, bytes]:
    swapped = _with(_with(content, one, _page(content, other)), other, _page(content, one))
    return f"pages {one} and {other} swapped", swapped


def _copied(content: bytes, source: int, target: int) -> tuple[str, bytes]:
    return f"page {source} over page {target}", _with(content, target, _page(content, source))


def _stale(content: bytes, older: bytes, number: int) -> tuple[str, bytes]:
    stale = _page(older, number) or _page(content, number)
    return f"page {number} as it was before", _with(content, number, stale)


def _torn(content: bytes, older: bytes, number: int, at: int) -> tuple[str, bytes]:
    stale = _page(older, number) or _page(content, number)
    torn = _page(content, number)[:at] + stale[at:]
    return f"page {number} torn at {at}, then as it was before", _with(content, number, torn)


def write_ahead_logs(project: LivedIn, dice: random.Random, number: int) -> Iterator[Case]:
    """The log that is not written back yet: cut, altered, gone, of another time; and garbage for `-shm`."""
    main, log, shm = (project.in_wal[name] for name in (STORE, WAL, SHM))
    older = project.older[STORE]
    frames = (len(log) - _WAL_HEADER) // (PAGE + _FRAME_HEADER)
    kinds: list[Callable[[], tuple[str, Files]]] = [
        lambda: _log_cut(log, dice.randrange(len(log))),
        lambda: _log_cut(log, _WAL_HEADER + dice.randrange(frames) * (PAGE + _FRAME_HEADER)),
        lambda: _flipped(WAL, log, dice.randrange(len(log)), dice.randrange(8)),
        lambda: _flipped(WAL, log, dice.randrange(_WAL_HEADER), dice.randrange(8)),
        lambda: ("garbage for a log", {WAL: dice.randbytes(dice.randrange(1, 3 * PAGE))}),
        lambda: ("garbage for an index of the log", {SHM: dice.randbytes(len(shm))}),
        lambda: _flipped(SHM, shm, dice.randrange(200), dice.randrange(8)),
    ]
    yield Case("the log is gone", {STORE: main, SHM: shm}, rolled_back=True)
    yield Case("log and index are gone", {STORE: main}, rolled_back=True)
    yield Case("the log of before, over what is newer", {STORE: project.newer[STORE], WAL: log})
    yield Case("a file of before, with the log", {STORE: older, WAL: log}, rolled_back=True)
    for place in range(number - 4):
        name, changed = kinds[place % len(kinds)]()
        files = {STORE: main, WAL: log, SHM: shm, **changed}
        yield Case(name, files, rolled_back=WAL in changed)


def _log_cut(log: bytes, end: int) -> tuple[str, Files]:
    return f"the log cut to {end} bytes", {WAL: log[:end]}


def other_files(project: LivedIn) -> Iterator[Case]:
    """Something else where the store was."""
    yield Case("an empty file", {STORE: b""}, rolled_back=True)
    yield Case("a text", {STORE: b"state: gone\n" * 40})
    yield Case("the simulator's database", {STORE: project.newer["simulator/prod.db"]})
    with tempfile.TemporaryDirectory() as folder:
        for name, table in (("notes", "note (text TEXT)"), ("a stack", "stack (a INTEGER)")):
            file = Path(folder) / name
            connection = sqlite3.connect(file)
            connection.execute(f"CREATE TABLE {table}")
            connection.close()
            yield Case(f"another application's database: {name}", {STORE: file.read_bytes()})
