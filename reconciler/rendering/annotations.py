"""Diagnostics as GitHub workflow commands, which show up beside the lines of a pull request.

Source: GitHub's "Workflow commands" documentation; values escape %, CR and LF, properties : and , too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from reconciler.model.diagnostics import Diagnostic
from reconciler.rendering.paint import clean


def render_annotations(diagnostics: Iterable[Diagnostic], folder: str = ".") -> str:
    """One workflow command a line; empty for no diagnostics.

    `folder` is the project's, as seen from the root of the checkout: GitHub looks for files from there.
    """
    return "".join(_annotation(item, folder) for item in diagnostics)


def _annotation(item: Diagnostic, folder: str) -> str:
    properties: dict[str, str] = {"title": item.code}
    if item.place is not None:
        properties = {
            "file": posixpath.normpath(posixpath.join(folder, item.place.file)),
            "line": str(item.place.line),
            "col": str(item.place.column),
            **properties,
        }
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = ". ".join(part for part in (item.summary, item.detail, item.hint) if part)
    return f"::{item.severity.value} {written}::{_value(message)}\n"


def _value(text: str) -> str:
    return clean(text).replace("%", "%25")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
