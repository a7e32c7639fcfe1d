"""Text to nodes, from the parser's event stream.

No YAML object is ever constructed: events become nodes in a loop with its own stack, so that depth and
size are judged while reading, before anything deep or large exists. (The parser's own composer recurses
in C and would end the process on a few ten thousand brackets.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.documents.composing import Composer, Unreadable
from reconciler.documents.decoding import Position, decode
from reconciler.documents.nodes import Document
from reconciler.documents.source import Problems, Source
from reconciler.model.diagnostics import Diagnostic

#: libyaml's parser where PyYAML was built with it: some twenty times as fast as the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: The parser's words for frequent mistakes, in ours.
_SYNTAX = {
    "mapping values are not allowed in this context": (
        "a second `:` on this line, or a wrong indentation",
        "put a text that holds `: ` in quotes",
    ),
    "could not find expected ':'": ("a key without `:`", "write `key: value`"),
    "did not find expected key": (
        "this does not continue the mapping before it",
        "check the indentation, and quotes or brackets left open above",
    ),
    "did not find expected '-' indicator": (
        "this does not continue the list before it",
        "check the indentation",
    ),
    "did not find expected ',' or ']'": (
        "a `,` or the closing `]` is missing",
        "write a list as `[a, b]`",
    ),
    "did not find expected ',' or '}'": (
        "a `,` or the closing `}` is missing",
        "write a mapping as `{a: b, c: d}`",
    ),
    "found character that cannot start any token": (
        "no value can start with this character",
        "put the text in quotes",
    ),
    "found unexpected end of stream": ("a quote is not closed", "close it where the text ends"),
}
_OTHERWISE = "put texts with special characters in quotes, and check the indentation"


@dataclass(frozen=True, slots=True)
class ReadDocuments:
    """The readable documents of one file, in order, and what is wrong with the rest."""

    source: Source
    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_documents(data: bytes, file: str, *, guarded: bool = False) -> ReadDocuments:
    """Read every document of one YAML file.

    Args:
        data: The file's bytes: UTF-8, with or without a byte order mark, any line ends.
        file: Its path for messages.
        guarded: The file may hold secrets; see `Source`.

    Returns:
        Documents that can be checked further; empty ones are left out, and so are those with an alias,
        a tag or another construct that is refused. Never raises for what the bytes hold.
    """
    problems = decode(data, file, guarded=guarded)
    if problems.found:
        return ReadDocuments(problems.source, (), tuple(problems.found))
    composer = Composer(problems)
    try:
        _compose(composer, problems.source.text)
    except Unreadable:
        pass  # The composer has said why.
    except yaml.YAMLError as error:
        _explain(error, problems)
    source = problems.source
    return ReadDocuments(
        source,
        tuple(Document(source, root) for root in composer.roots),
        tuple(problems.found),
    )


def _compose(composer: Composer, text: str) -> None:
    parser = _Loader(text)
    next_event, take = parser.get_event, composer.take
    try:
        while (event := next_event()) is not None:
            take(event)
    finally:
        parser.dispose()


def _explain(error: yaml.YAMLError, problems: Problems) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    at = Position(mark.line + 1, mark.column + 1) if mark is not None else Position()
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    summary, hint = _SYNTAX.get(problem, (problem, _OTHERWISE))
    if _character(problems.source.text, at) == "\t":
        summary, hint = "a tab where YAML allows spaces only", "indent with spaces"
    problems.error(at, "yaml_syntax", f"not valid YAML: {summary}", hint=hint)


def _character(text: str, at: Position) -> str:
    lines = text.splitlines()
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    return line[at.column - 1 : at.column]
