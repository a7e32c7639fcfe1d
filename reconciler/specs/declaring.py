"""What a project declares, told without its environment: for shells that complete what is typed.

A wrong spec still has a name, and a project file that lacks a variable still says where specs lie. So
this reads as much as can be read, says nothing of the rest, and asks for no variable and no credential.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from reconciler.documents import (
    Document,
    ListNode,
    MapNode,
    Node,
    Problems,
    ScalarNode,
    fitting_part,
    read_documents,
)
from reconciler.model.addresses import Address
from reconciler.model.dates import ONE_DAY, DateSet
from reconciler.model.errors import InputError
from reconciler.specs.connections import DEFAULT_ZONE
from reconciler.specs.dates import Calendar, parse_dates
from reconciler.specs.fields import optional_mapping, optional_text
from reconciler.specs.finding import Finder, parse_pattern
from reconciler.specs.loading import declared_address
from reconciler.specs.project_file import DEFAULT_PATTERNS, PROJECT_FILE, read_project_file


class Declarations:
    """The resources that the specs below a folder declare. Each question reads the files anew."""

    def __init__(self, root: Path, *, now: dt.datetime) -> None:
        self._root = root
        self._now = now
        self._project = _project_spec(root)

    def addresses(self) -> tuple[Address, ...]:
        """Every address that a document declares, sorted, each once."""
        return tuple(sorted({address for address, _ in self._documents()}))

    def dates(self, wanted: Address) -> DateSet:
        """The dates an address asks for; empty where nothing can be told."""
        found = DateSet()
        for address, document in self._documents():
            if address == wanted and isinstance(document.root, MapNode):
                found |= self._dates_of(address, document.root, Problems(document.source))
        return found

    def _documents(self) -> Iterator[tuple[Address, Document]]:
        parsed = (parse_pattern(text) for text in self._patterns())
        patterns = [item for item in parsed if not isinstance(item, str)]
        finder = Finder(self._root, patterns, ignored=frozenset({PROJECT_FILE}))
        for found in finder.files() if patterns else ():
            for document in read_documents(found.data, found.file).documents:
                address = declared_address(document.root)
                if isinstance(address, Address):
                    yield address, document

    def _patterns(self) -> tuple[str, ...]:
        if self._project is None:
            return ()
        given = self._project.get("specs")
        if not isinstance(given, ListNode):
            return DEFAULT_PATTERNS
        return tuple(item.text for item in given.items if isinstance(item, ScalarNode))

    def _dates_of(self, address: Address, root: MapNode, problems: Problems) -> DateSet:
        spec = optional_mapping(fitting_part(root, address.prefix).root, "spec")
        node = None if spec is None else optional_mapping(spec, "dates")
        if spec is None or node is None:
            return DateSet()
        zone = self._zone(optional_text(spec, "connection"))
        calendar = Calendar(yesterday=self._now.astimezone(zone).date() - ONE_DAY)
        return parse_dates(node, spec.keys["dates"], calendar, problems) or DateSet()

    def _zone(self, connection: str | None) -> zoneinfo.ZoneInfo:
        found = _inner(_inner(self._project, "connections"), connection or "").get("timezone")
        try:
            return zoneinfo.ZoneInfo(found.text if isinstance(found, ScalarNode) else DEFAULT_ZONE)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return zoneinfo.ZoneInfo(DEFAULT_ZONE)


def _project_spec(root: Path) -> MapNode | None:
    """The `spec` of the project file, empty where the file is that wrong; None without a file."""
    try:
        documents = read_project_file(root).documents
    except InputError:
        return None
    return _inner(documents[0].root if documents else None, "spec")


def _inner(node: Node | None, key: str) -> MapNode:
    """The mapping at `key` of a mapping, or an empty one."""
    found = node.get(key) if isinstance(node, MapNode) else None
    return found if isinstance(found, MapNode) else MapNode(1, 1, {}, {})
