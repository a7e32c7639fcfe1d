"""Diagnostics as JSON: the shape shared by plan files and `validate --format json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Place, Severity


def diagnostic_document(item: Diagnostic) -> dict[str, object]:
    """One diagnostic: severity, code, summary, detail, file, line, column, address, hint."""
    return {
        "severity": item.severity.value,
        "code": item.code,
        "summary": item.summary,
        "detail": item.detail,
        "file": item.place.file if item.place else None,
        "line": item.place.line if item.place else None,
        "column": item.place.column if item.place else None,
        "address": item.address,
        "hint": item.hint,
    }


def diagnostic_of(document: Mapping[str, object]) -> Diagnostic:
    """Read back what `diagnostic_document` wrote.

    Raises:
        KeyError, ValueError: The document is not one of ours.
    """
    file, line, column = document["file"], document["line"], document["column"]
    placed = isinstance(file, str) and isinstance(line, int) and isinstance(column, int)
    return Diagnostic(
        severity=Severity(document["severity"]),
        # A newer version may know codes that are not in our list.
        code=cast("Code", str(document["code"])),
        summary=str(document["summary"]),
        detail=str(document["detail"]),
        place=Place(str(file), int(str(line)), int(str(column))) if placed else None,
        address=None if document["address"] is None else str(document["address"]),
        hint=str(document["hint"]),
    )
