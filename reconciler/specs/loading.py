"""Loading every spec of a project, with every problem of every file in one pass."""

from __future__ import annotations

import datetime as dt
import itertools
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from reconciler.documents import (
    Document,
    MapNode,
    Node,
    Part,
    Problems,
    ScalarNode,
    Source,
    check_schema,
    fitting_part,
    listed,
    quoted,
    read_documents,
    suggestion,
)
from reconciler.model.addresses import Address, Kind
from reconciler.model.diagnostics import Diagnostic, Place, Severity, has_errors, in_order
from reconciler.model.gates import Gate, GateRef
from reconciler.model.project import Project, SimulatorEndpoint
from reconciler.model.resources import Resource
from reconciler.specs.context import Context
from reconciler.specs.crosschecks import Declaration, check_conflicts, check_names
from reconciler.specs.finding import (
    INSIDE,
    READABLE,
    Finder,
    FoundFile,
    Segment,
    file_problem,
    parse_pattern,
    shown,
)
from reconciler.specs.gates import parse_gate, parse_gate_declaration
from reconciler.specs.requirements import check_requirements
from reconciler.specs.resources import parse_declaration, parse_resource

_GATE = "Gate"
_KINDS = (*(kind.value for kind in Kind), _GATE)
#: After this many problems the rest of a file is left for the next time.
FILE_PROBLEM_LIMIT = 100
#: So many problems between specs are told.
CROSSING_PROBLEM_LIMIT = 100
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The resources and gates that are right, by address, and the diagnostics of all, by place."""

    resources: tuple[Resource, ...]
    gates: Mapping[str, Gate]
    diagnostics: tuple[Diagnostic, ...]


def load_specs(project: Project, *, now: dt.datetime, paths: Sequence[str] = ()) -> Loaded:
    """Load the specs of a project.

    Args:
        project: What `load_project` returned.
        now: The aware moment at which relative dates are resolved.
        paths: Files, folders or patterns to load instead of the project's own, relative to its root. The
            other specs are read all the same: they may declare what these require, or ask for the same.

    Returns:
        What could be loaded and everything that is wrong; what a spec holds never raises.
    """
    context = Context(project, now)
    ignored = _other_files(project)
    chosen, others = _Read(context), _Read(context)
    chosen.read(paths or project.specs, only_these=bool(paths), ignored=ignored)
    if paths:
        others.read(project.specs, only_these=False, ignored=ignored | chosen.sources.keys())
    # Problems of the others alone are not what was asked for.
    alone = frozenset(_crossing(others) if paths else ())
    own = _first(item for item in _crossing(chosen, others) if item not in alone)
    sources = {**others.sources, **chosen.sources}
    diagnostics = [*chosen.diagnostics, *(_with_excerpt(item, sources) for item in own)]
    if not chosen.sources and not diagnostics:
        diagnostics.append(_nothing(project, paths))
    return Loaded(
        resources=tuple(sorted(chosen.sound, key=lambda one: (one.address, one.place))),
        gates=MappingProxyType(dict(sorted(chosen.gates.items()))),
        diagnostics=in_order(diagnostics),
    )


def _crossing(*reads: _Read) -> Iterator[Diagnostic]:
    """What is wrong across specs."""
    named = [item for read in reads for item in read.named]
    # A spec that is wrong elsewhere still has a name and dates, which may be wrong too.
    declared = [item for read in reads for item in read.declared]
    yield from check_names(named)
    yield from check_conflicts(declared)
    # What the others declare is not known where one of them cannot be read.
    all_known = not any(has_errors(read.diagnostics) for read in reads[1:])
    yield from check_requirements(declared, named if all_known else [])


def _first(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The first of very many problems across specs."""
    told = list(itertools.islice(found, CROSSING_PROBLEM_LIMIT + 1))
    if len(told) > CROSSING_PROBLEM_LIMIT:
        told[-1] = _cut(told[-1], "more is wrong between the specs than is told here")
    return told


class _Read:
    """What is read of some files of a project, and everything that is wrong in them."""

    def __init__(self, context: Context) -> None:
        self.sources: dict[str, Source] = {}
        self.named: list[Declaration] = []
        self.declared: list[Resource] = []
        self.sound: list[Resource] = []
        self.gates: dict[str, Gate] = {}
        self.diagnostics: list[Diagnostic] = []
        self._context = context

    def read(self, patterns: Sequence[str], *, only_these: bool, ignored: frozenset[str]) -> None:
        """Read every file that matches; with `only_these`, a path may also name a folder or a file."""
        project = self._context.project
        parsed = _patterns(project, patterns, self.diagnostics, may_be_paths=only_these)
        finder = Finder(Path(project.root), parsed, ignored=ignored)
        for found in finder.files():
            self._take(found)
        self.diagnostics.extend(finder.diagnostics)

    def _take(self, found: FoundFile) -> None:
        read = read_documents(found.data, found.file)
        self.sources[found.file] = read.source
        of_file = list(read.diagnostics)
        for document in read.documents:
            problems = Problems(read.source)
            parsed = _parse(document, self._context, problems)
            if problems.found:
                address = declared_address(document.root)
                named_so = None if address is None else str(address)
                of_file.extend(replace(item, address=named_so) for item in problems.found)
            if parsed.declaration is not None:
                self.named.append(parsed.declaration)
            if parsed.gate is not None:
                self.gates.setdefault(parsed.gate.name, parsed.gate)
            if parsed.resource is not None:
                self.declared.append(parsed.resource)
                if not has_errors(problems.found):
                    self.sound.append(parsed.resource)
            if len(of_file) >= FILE_PROBLEM_LIMIT:
                why = "the rest of this file was not checked: there are too many problems before"
                of_file.append(_cut(of_file[-1], why))
                break
        self.diagnostics.extend(of_file)


def _other_files(project: Project) -> frozenset[str]:
    """Files that a wide pattern may match although they are no specs."""
    worlds = (
        item.endpoint.world
        for item in project.connections.values()
        if isinstance(item.endpoint, SimulatorEndpoint) and item.endpoint.world is not None
    )
    return frozenset((project.file, *map(posixpath.normpath, worlds)))


def _patterns(
    project: Project, given: Sequence[str], diagnostics: list[Diagnostic], *, may_be_paths: bool
) -> list[tuple[Segment, ...]]:
    patterns = []
    for text in given:
        parsed = parse_pattern(text)
        if isinstance(parsed, str):
            summary = f"the path {quoted(text)} {parsed}"
            diagnostics.append(file_problem(project.file, "path", summary, INSIDE))
        elif not may_be_paths or _WILDCARD.search(text):
            patterns.append(parsed)
        else:
            patterns.extend(_of_path(Path(project.root), text, diagnostics))
    return patterns


def _of_path(
    root: Path, path: str, diagnostics: list[Diagnostic]
) -> Iterator[tuple[Segment, ...]]:
    """The patterns of a path without wildcards: the file, or every YAML file in the folder."""
    try:
        is_folder = stat.S_ISDIR((root / path).lstat().st_mode)
    except OSError as error:
        summary = f"cannot be read: {error.strerror}"
        diagnostics.append(file_problem(shown(path), "unreadable", summary, READABLE))
        return
    for text in (f"{path}/**/*.yaml", f"{path}/**/*.yml") if is_folder else (path,):
        parsed = parse_pattern(text)
        if not isinstance(parsed, str):
            yield parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """What a document declares and, where it is right enough to tell, the resource or gate itself."""

    declaration: Declaration | None = None
    resource: Resource | None = None
    gate: Gate | None = None


def _parse(document: Document, context: Context, problems: Problems) -> _Parsed:
    root = document.root
    if not isinstance(root, MapNode):
        problems.error(
            root,
            "wrong_type",
            "a spec must be a mapping (`key: value`)",
            hint="begin with apiVersion: reconciler/v1",
        )
        return _Parsed()
    declared = root.get("kind")
    if not isinstance(declared, ScalarNode):
        problems.error(
            root, "missing_key", 'the document needs "kind"', hint=f"for example kind: {_KINDS[0]}"
        )
        return _Parsed()
    if declared.text not in _KINDS:
        problems.error(
            declared,
            "unknown_kind",
            f"there is no kind {quoted(declared.text)} of spec",
            hint=suggestion(declared.text, _KINDS)
            or f"the kinds are {listed(_KINDS, last='and')}",
        )
        return _Parsed()
    schema = declared.text.lower()
    fits = check_schema(document, schema, problems)
    part = Part(root) if fits else fitting_part(root, schema)
    if declared.text == _GATE:
        return _Parsed(
            declaration=parse_gate_declaration(part, problems),
            gate=parse_gate(part, context, problems),
        )
    kind = Kind(declared.text)
    resource = parse_resource(kind, part, context, problems)
    return _Parsed(declaration=parse_declaration(kind, part, problems), resource=resource)


def declared_address(root: Node) -> Address | GateRef | None:
    """The address a document means to declare, as far as it can be told, whatever else is wrong in it."""
    if not isinstance(root, MapNode):
        return None
    kind, metadata = root.get("kind"), root.get("metadata")
    name = metadata.get("name") if isinstance(metadata, MapNode) else None
    if not isinstance(kind, ScalarNode) or not isinstance(name, ScalarNode):
        return None
    address = f"{kind.text.lower()}.{name.text}"
    try:
        return GateRef.parse(address) if kind.text == _GATE else Address.parse(address)
    except ValueError:
        return None


def _with_excerpt(item: Diagnostic, sources: Mapping[str, Source]) -> Diagnostic:
    if item.place is None or item.place.file not in sources:
        return item
    return replace(item, excerpt=sources[item.place.file].excerpt(item.place.line))


def _cut(last: Diagnostic, why: str) -> Diagnostic:
    return replace(
        last,
        code="many_problems",
        summary=why,
        detail="",
        hint="solve those first",
        address=None,
    )


def _nothing(project: Project, paths: Sequence[str]) -> Diagnostic:
    looked = listed(list(map(quoted, paths or project.specs)), last="and")
    return Diagnostic(
        severity=Severity.WARNING,
        code="no_specs",
        summary="no spec file was found",
        place=Place(project.file),
        hint=f"see what is there: you named {looked}"
        if paths
        else f"put specs where spec.specs looks for them: {looked}",
    )
