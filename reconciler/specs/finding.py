"""Finding and opening files of the project, and nothing outside it.

A pull request chooses these files, so: patterns are relative and stay inside; folders are walked and
files opened relative to open folders, never following a link; only regular files are opened, and no
more of one is read than a document may have. A link where a spec should be is an error and not skipped,
since a spec that silently vanishes is worse than one that is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from re import Pattern
from re import compile as compile_pattern

from reconciler.documents.decoding import FILE_LIMIT
from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.visibility import INVISIBLE

#: Most folders below one another, and most bytes of spec text in a project.
FOLDER_DEPTH = 40
TOTAL_LIMIT = 10 * 1024 * 1024

#: What to do where a file or folder cannot be read, and about a pattern that is refused.
READABLE = "see that it is there, and that we may read it"
INSIDE = "name files of the project, for example specs/**/*.yaml"

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a FIFO put in place of a file would wait for a writer.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Segment = Pattern[str] | None
"""A part of a pattern between slashes; None stands for `**`."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that was read: its path relative to the root, and at most one byte over the limit."""

    file: str
    data: bytes


def shown(path: str) -> str:
    """A path as it may be printed: undecodable bytes and invisible characters escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).translate(
        {9: "\\t", 10: "\\n", 13: "\\r"}
    )


def file_problem(file: str, code: Code, summary: str, hint: str) -> Diagnostic:
    """A problem of a file as a whole."""
    return Diagnostic(
        severity=Severity.ERROR, code=code, summary=summary, hint=hint, place=Place(file)
    )


def parse_pattern(pattern: str) -> tuple[Segment, ...] | str:
    """Cut a pattern into segments.

    Returns:
        The segments, or why the pattern is refused.
    """
    if pattern.startswith(("/", "~")):
        return "must be relative to the project"
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if ".." in parts:
        return "must stay inside the project"
    if not parts:
        return "names no file"
    if "\0" in pattern:
        return "holds a NUL character"
    segments: list[Segment] = []
    for part in parts:
        if part != "**":
            # As in a shell, a wildcard matches no hidden name: those are caches, environments, `.git`.
            visible = "" if part.startswith(".") else r"(?!\.)"
            segments.append(compile_pattern(visible + translate(part)))
        elif not segments or segments[-1] is not None:
            segments.append(None)  # `**/**` says no more than `**`.
    return tuple(segments)


class Finder:
    """Walks a project once for all its patterns. Iterate `files`; then `diagnostics` is complete."""

    def __init__(
        self,
        root: Path,
        patterns: Sequence[tuple[Segment, ...]],
        *,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._root = root
        self._patterns = frozenset(patterns)
        self._ignored = ignored
        self._total = 0
        self._full = False

    def files(self) -> Iterator[FoundFile]:
        """Each matching file once, by path."""
        try:
            folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            self._note(
                ".", "unreadable", f"the project folder cannot be read: {error.strerror}", READABLE
            )
            return
        yield from self._walk(folder, "", self._patterns, 0)

    def _walk(
        self, folder: int, path: str, patterns: frozenset[tuple[Segment, ...]], depth: int
    ) -> Iterator[FoundFile]:
        """Walk an open folder, closing it at the end; `patterns` are what may match below it."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(
                    (entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in entries
                )
            for name, mode in found:
                if self._full:
                    return
                rest, is_file = _advance(patterns, name)
                if stat.S_ISDIR(mode):
                    if rest:
                        yield from self._enter(folder, name, f"{path}{name}", rest, depth)
                elif is_file or (rest and stat.S_ISLNK(mode)):
                    yield from self._visit(folder, name, f"{path}{name}", mode, is_file=is_file)
        except OSError as error:
            self._note(
                shown(path) or ".", "unreadable", f"cannot be read: {error.strerror}", READABLE
            )
        finally:
            os.close(folder)

    def _visit(
        self, folder: int, name: str, path: str, mode: int, *, is_file: bool
    ) -> Iterator[FoundFile]:
        """Read an entry that is no folder, or say why not."""
        if path in self._ignored:
            return
        if stat.S_ISLNK(mode):
            if is_file or self._leads_to_folder(folder, name):
                self._note(
                    shown(path),
                    "symbolic_link",
                    "this is a symbolic link, and specs are never read through one",
                    "put the file itself here",
                )
        elif not stat.S_ISREG(mode):
            self._note(
                shown(path), "not_a_file", "this is not a regular file", "move it out of the way"
            )
        elif (data := self._read(folder, name, path)) is not None:
            yield FoundFile(path, data)

    def _enter(
        self,
        folder: int,
        name: str,
        path: str,
        patterns: frozenset[tuple[Segment, ...]],
        depth: int,
    ) -> Iterator[FoundFile]:
        if depth == FOLDER_DEPTH:
            self._note(
                shown(path),
                "too_deep",
                f"folders are nested more than {FOLDER_DEPTH} levels deep",
                "move the specs up",
            )
            return
        try:
            inner = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
        except OSError as error:
            self._note(shown(path), "unreadable", f"cannot be read: {error.strerror}", READABLE)
            return
        yield from self._walk(inner, f"{path}/", patterns, depth + 1)

    @staticmethod
    def _leads_to_folder(folder: int, name: str) -> bool:
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=folder).st_mode)
        except OSError:
            return False

    def _read(self, folder: int, name: str, path: str) -> bytes | None:
        if shown(path) != path:
            self._note(
                shown(path),
                "file_name",
                "the file's name holds characters that cannot be shown",
                "rename it",
            )
            return None
        try:
            data = read_regular(name, folder)
        except OSError as error:
            self._note(path, "unreadable", f"cannot be read: {error.strerror}", READABLE)
            return None
        self._total += len(data)
        if self._total > TOTAL_LIMIT:
            self._full = True
            self._note(
                path,
                "project_too_large",
                f"the specs hold more than {TOTAL_LIMIT // 1024 // 1024} MiB in all",
                "split the project",
            )
            return None
        return data

    def _note(self, file: str, code: Code, summary: str, hint: str) -> None:
        self.diagnostics.append(file_problem(file, code, summary, hint))


def read_inside(root: Path, path: str) -> bytes:
    """Read a regular file of the project, as `read_regular` does, through no link on the way.

    Args:
        root: The project's folder.
        path: Below it, with slashes.

    Raises:
        OSError: It is missing, outside, reached through a link, no regular file, or cannot be read.
    """
    *folders, name = _inner_parts(path)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            outer = folder
            folder = os.open(part, _FOLDER_FLAGS, dir_fd=outer)
            os.close(outer)
        return read_regular(name, folder)
    finally:
        os.close(folder)


def _inner_parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts or not parts:
        raise OSError(0, "it is not inside the project")
    return parts


def read_regular(name: str, folder: int) -> bytes:
    """Read a regular file in an open folder: all of it, or one byte more than a document may have.

    Raises:
        OSError: It is missing, a link, no regular file, or cannot be read.
    """
    handle = os.open(name, _FILE_FLAGS, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(FILE_LIMIT + 1)


def _advance(
    patterns: frozenset[tuple[Segment, ...]], name: str
) -> tuple[frozenset[tuple[Segment, ...]], bool]:
    """What is left of the patterns below an entry called `name`, and whether the entry itself matches."""
    rest: set[tuple[Segment, ...]] = set()
    is_file = False
    for pattern in patterns:
        todo = [pattern]
        while todo:
            head, *tail = todo.pop()
            if head is None:
                if not name.startswith("."):
                    rest.add((None, *tail))
                if tail:
                    todo.append(tuple(tail))
                elif not name.startswith("."):
                    is_file = True
            elif head.match(name):
                if tail:
                    rest.add(tuple(tail))
                else:
                    is_file = True
    return frozenset(rest), is_file
