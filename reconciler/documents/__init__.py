"""YAML text to values that know their place, and JSON Schema checks whose answers name that place.

Owns reading: bytes to text, text to nodes, nodes against a schema. Knows no kind of document; what a
node means is up to the caller. Nothing here opens a file or reads the environment.
"""

from __future__ import annotations

from reconciler.documents.nodes import Document, ListNode, MapNode, Node, ScalarNode, plain
from reconciler.documents.pruning import Part, fitting_part
from reconciler.documents.reading import ReadDocuments, read_documents
from reconciler.documents.source import Problems, Source
from reconciler.documents.suggesting import listed, quoted, some_of, suggestion
from reconciler.documents.validating import check_schema

__all__ = [
    "Document",
    "ListNode",
    "MapNode",
    "Node",
    "Part",
    "Problems",
    "ReadDocuments",
    "ScalarNode",
    "Source",
    "check_schema",
    "fitting_part",
    "listed",
    "plain",
    "quoted",
    "read_documents",
    "some_of",
    "suggestion",
]
