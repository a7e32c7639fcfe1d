"""Checking a document against a shipped schema."""

from __future__ import annotations

import functools

from reconciler.documents.accepting import Check, compile_schema
from reconciler.documents.nodes import Document
from reconciler.documents.source import Problems
from reconciler.schema_files import read_schema


@functools.cache
def _check(kind: str) -> Check:
    schema = read_schema(kind)
    try:
        return compile_schema(dict(schema), schema)
    except ValueError:
        # A schema with rarer keywords, read once a run, always goes to the full validator.
        return lambda _: False


def check_schema(document: Document, kind: str, problems: Problems) -> bool:
    """Check a document against the schema of `kind` and note everything that does not fit.

    Returns:
        Whether it fits.

    Raises:
        LookupError: There is no such schema.
    """
    if _check(kind)(document.root):
        return True
    # jsonschema takes a tenth of a second to import, and a right document never needs it.
    from reconciler.documents.explaining import explain  # noqa: PLC0415

    before = len(problems.found)
    explain(document.root, kind, problems)
    return len(problems.found) == before
