"""`reconciler.yaml`: connections, credentials, where state lives, policy."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from reconciler.documents import (
    Document,
    MapNode,
    Problems,
    ReadDocuments,
    check_schema,
    read_documents,
)
from reconciler.documents.decoding import Position
from reconciler.model.dates import parse_date
from reconciler.model.diagnostics import Place, Severity, has_errors
from reconciler.model.errors import InputError
from reconciler.model.project import Connection, Policy, Project, UnsetVariable
from reconciler.specs.connections import Declared, parse_connection
from reconciler.specs.environment import substitute
from reconciler.specs.fields import (
    duration,
    mapping,
    optional_integer,
    optional_mapping,
    optional_text,
    scalar,
    scalars,
    text,
    value_text,
)
from reconciler.specs.finding import INSIDE, READABLE, file_problem, parse_pattern, read_regular
from reconciler.specs.freezes import parse_freezes

PROJECT_FILE = "reconciler.yaml"
#: Where specs lie unless the project file says otherwise.
DEFAULT_PATTERNS = ("specs/**/*.yaml",)

_STATE_SCHEMES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")


def load_project(root: Path, environ: Mapping[str, str]) -> Project:
    """Read the project file in `root`.

    Args:
        root: The folder of the project.
        environ: Environment variables, for `${env:NAME}`.

    Raises:
        InputError: The file is missing or wrong; carries every problem in it.
    """
    read = read_project_file(root)
    problems = Problems(read.source, list(read.diagnostics))
    document = _only(read, problems)
    project = None if document is None else _parse(root, document, environ, problems)
    if project is None or has_errors(problems.found):
        raise InputError(problems.found)
    return project


def read_project_file(root: Path) -> ReadDocuments:
    """The documents of the project file in `root`, of which one is expected.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            data = read_regular(PROJECT_FILE, folder)
        finally:
            os.close(folder)
    except FileNotFoundError:
        raise InputError(
            [
                file_problem(
                    PROJECT_FILE,
                    "no_project",
                    f"there is no {PROJECT_FILE} here",
                    "run `reconciler init`, or name the project's folder with -C",
                )
            ]
        ) from None
    except OSError as error:
        summary = f"cannot be read: {error.strerror}"
        raise InputError([file_problem(PROJECT_FILE, "unreadable", summary, READABLE)]) from error
    return read_documents(data, PROJECT_FILE, guarded=True)


def _only(read: ReadDocuments, problems: Problems) -> Document | None:
    """The file's only document; anything else is noted."""
    if len(read.documents) > 1:
        problems.error(
            read.documents[1].root,
            "one_document",
            "the project file holds one document only",
            hint="remove the others; specs stand in files of their own",
        )
    elif not read.documents and not read.diagnostics:
        problems.error(
            Position(), "empty", "the project file is empty", hint="run `reconciler init`"
        )
    return read.documents[0] if read.documents else None


def _parse(
    root: Path, document: Document, environ: Mapping[str, str], problems: Problems
) -> Project | None:
    variables = Problems(problems.source)
    substituted = substitute(document.root, environ, variables)
    fits = check_schema(Document(document.source, substituted.root), "project", problems)
    # A value that could not be replaced fits nothing; saying so once is enough.
    known = {(item.place, Severity.ERROR) for item in variables.found}
    problems.found[:] = [
        item for item in problems.found if (item.place, item.severity) not in known
    ]
    problems.found.extend(variables.found)
    if not fits or variables.found:
        return None
    top = mapping(substituted.root)
    spec = mapping(top.get("spec"))
    connections = _connections(optional_mapping(spec, "connections"), substituted.unset, problems)
    state = spec.get("state")
    state_unset = None if state is None else substituted.unset.get(problems.source.place(state))
    return Project(
        name=text(mapping(top.get("metadata")), "name"),
        root=os.fspath(root),
        file=PROJECT_FILE,
        specs=_patterns(spec, problems),
        state="" if state_unset else _state(spec, problems),
        state_unset=state_unset,
        connections=connections,
        policy=_policy(optional_mapping(spec, "policy"), problems),
    )


def _patterns(spec: MapNode, problems: Problems) -> tuple[str, ...]:
    if spec.get("specs") is None:
        return DEFAULT_PATTERNS
    patterns = []
    for item in scalars(spec, "specs"):
        if isinstance(reason := parse_pattern(value_text(item)), str):
            problems.error(item, "path", f"the pattern {reason}", hint=INSIDE)
        patterns.append(value_text(item))
    return tuple(patterns)


def _state(spec: MapNode, problems: Problems) -> str:
    found = optional_text(spec, "state")
    if found is None:
        return "sqlite:///.reconciler/state.db"
    if not found.startswith(_STATE_SCHEMES) or found in _STATE_SCHEMES:
        problems.error(
            scalar(spec.get("state")),
            "state",
            "the state store is not a URL of a kind that is known",
            hint="write sqlite:///PATH or postgresql://USER@HOST/DATABASE",
        )
    return found


def _connections(
    node: MapNode | None, unset: Mapping[Place, UnsetVariable], problems: Problems
) -> Mapping[str, Connection]:
    if node is None:
        return MappingProxyType({})
    return MappingProxyType(
        {
            name: parse_connection(
                Declared(
                    name=name,
                    place=problems.source.place(node.keys[name]),
                    node=mapping(item),
                    unset=unset,
                    problems=problems,
                )
            )
            for name, item in sorted(node.entries.items())
        }
    )


def _policy(node: MapNode | None, problems: Problems) -> Policy:
    if node is None:
        return Policy()
    return Policy(
        max_dates=optional_integer(node, "maxDates"),
        max_calls=optional_integer(node, "maxCalls"),
        require_annotations=tuple(map(value_text, scalars(node, "requireAnnotations"))),
        earliest_date=_earliest(node, problems),
        plan_expiry=_expiry(node, problems),
        freezes=tuple(parse_freezes(node, problems)),
    )


def _earliest(node: MapNode, problems: Problems) -> dt.date | None:
    found = node.get("earliestDate")
    if found is None:
        return None
    try:
        return parse_date(value_text(scalar(found)))
    except ValueError as error:
        problems.error(scalar(found), "date", str(error), hint="write it as 2020-05-20")
        return None


def _expiry(node: MapNode, problems: Problems) -> dt.timedelta:
    expiry = duration(node, "planExpiry", Policy().plan_expiry)
    if not dt.timedelta(minutes=1) <= expiry <= dt.timedelta(days=365):
        problems.error(
            scalar(node.get("planExpiry")),
            "out_of_bounds",
            "planExpiry must be from 1m to 365d",
            hint="for example 7d",
        )
    return expiry
