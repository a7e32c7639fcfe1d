"""What a shell is told when somebody presses TAB.

A script of ours, one for each shell (`reconciler completion`), starts us with `_RECONCILER_COMPLETE` set
to the shell's name and the line so far as arguments. The answer is a line for each candidate: how to
take it, the text itself, a few words about it, with tabs between.

Only the files of the project are read: no network, no state store, no credential. What cannot be told is
left out without a word, since whoever types sees only the candidates.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from click.shell_completion import CompletionItem, ShellComplete

from reconciler.cli.candidates import OPEN
from reconciler.cli.main import cli
from reconciler.cli.shell_words import Typed, cut

#: The environment variable that asks for candidates, and the shells that may ask.
VARIABLE = "_RECONCILER_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

#: Texts that no shell reads anything into; others are never offered.
_PLAIN = re.compile(r"[A-Za-z0-9@%_+=,./-]+", re.ASCII)
#: More files than this help nobody.
_MOST_FILES = 1000


def answer_shell(shell: str, arguments: Sequence[str]) -> None:
    """Print the candidates; nothing that goes wrong says so.

    Args:
        shell: One of `SHELLS`.
        arguments: For bash the line up to the cursor and its `COMP_WORDBREAKS`; for the others the command,
            the complete words after it, and the current word as it was typed.
    """
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
        lines = candidates(_typed(shell, arguments))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


def candidates(typed: Typed) -> list[str]:
    """The answer to what was typed, one line a candidate."""
    if typed.redirects:
        return ["file\t\t"]
    return [
        f"{item.type}\t{item.value[typed.kept :]}\t{item.help or ''}"
        for item in _items(typed)
        if item.type in {"file", "dir"} or _PLAIN.fullmatch(item.value)
    ]


def _typed(shell: str, arguments: Sequence[str]) -> Typed:
    if shell == "bash":
        line, breaks = arguments
        return cut(line, breaks)
    *words, current = arguments
    return Typed(words=tuple(words), current=cut(current).current)


def _items(typed: Typed) -> Iterator[CompletionItem[str]]:
    arguments = [*_expanded(typed.arguments)]
    option, equals, value = typed.current.partition("=")
    joined = equals if option.startswith("--") else ""
    found = ShellComplete(cli, {}, "reconciler", VARIABLE).get_completions(
        [*arguments, option] if joined else arguments, value if joined else typed.current
    )
    folder = _folder(arguments)
    before = f"{option}=" if joined else ""
    for item in found:
        if item.type not in {"file", "dir"}:
            yield CompletionItem(f"{before}{item.value}", type=item.type, help=item.help)
        elif not joined and (folder == Path() or arguments[-1:] == ["-C"]):
            # The shell knows best how to write the names of its own files.
            yield CompletionItem("", type=item.type)
        else:
            yield from _files(folder, before, str(item.value), only_folders=item.type == "dir")


def _expanded(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments, with the home folder put in where a folder is named."""
    for before, word in pairwise(("", *arguments)):
        in_home = before == "-C" and (word == "~" or word.startswith("~/"))
        yield os.path.expanduser(word) if in_home else word  # noqa: PTH111 - it may be no path


def _folder(arguments: Sequence[str]) -> Path:
    """The folder that relative paths are meant from."""
    named = [word for before, word in pairwise(arguments) if before == "-C"]
    return Path(named[-1]) if named else Path()


def _files(
    folder: Path, before: str, typed: str, *, only_folders: bool
) -> Iterator[CompletionItem[str]]:
    """Files and folders below `folder` that begin as typed, by name."""
    head, slash, tail = typed.rpartition("/")
    with os.scandir(folder / f"{head}{slash}") as entries:
        names = sorted(entry.name for entry in entries if entry.name.startswith(tail))
    for name in names[:_MOST_FILES]:
        if (name.startswith(".") and not tail) or (name.startswith("-") and not head):
            continue
        text = f"{before}{head}{slash}{name}"
        if _is_folder(folder / f"{head}{slash}{name}"):
            yield CompletionItem(f"{text}/", type=OPEN)
        elif not only_folders:
            yield CompletionItem(text)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False
