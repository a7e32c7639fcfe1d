"""JSON as it is printed: in ASCII, and nothing in it is a command to a CI runner."""

from __future__ import annotations

import json

from reconciler.rendering.paint import RUNNER_COMMAND


def json_text(document: object, *, indent: int | None = None) -> str:
    """A document with sorted keys, on one line unless it is indented."""
    text = json.dumps(document, sort_keys=True, indent=indent)
    # In JSON, these can only stand within a text, where any character may be written as an escape.
    return RUNNER_COMMAND.sub(r"#\\u0023", text) if "##" in text else text
