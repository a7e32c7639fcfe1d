"""`${env:NAME}` in the project file, the only file in which it means anything."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.documents import ListNode, MapNode, Node, Problems, ScalarNode, quoted

_REFERENCE = re.compile(r"\$\{env:([^}]*)\}?")
_WHOLE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def substitute(node: Node, environ: Mapping[str, str], problems: Problems) -> Node:
    """Replace each reference in a text value; keys are left alone.

    Returns:
        The same tree with new values. The source text of each scalar stays, so that a message which
        quotes it shows the reference and never the value.
    """
    if isinstance(node, MapNode):
        entries = {key: substitute(item, environ, problems) for key, item in node.entries.items()}
        return node._replace(entries=entries)
    if isinstance(node, ListNode):
        return node._replace(
            items=tuple(substitute(item, environ, problems) for item in node.items)
        )
    if not isinstance(node.value, str) or "${env:" not in node.value:
        return node
    return _substitute_text(node, node.value, environ, problems)


def _substitute_text(
    node: ScalarNode, text: str, environ: Mapping[str, str], problems: Problems
) -> ScalarNode:
    def look_up(found: re.Match[str]) -> str:
        name = found[1]
        if not _WHOLE.fullmatch(found[0]):
            problems.error(
                node,
                "malformed",
                "a reference to an environment variable is malformed",
                hint="write ${env:NAME}, with letters, digits and underscores in the name",
            )
            return found[0]
        value = environ.get(name, "")
        if not value:
            problems.error(
                node,
                "missing_variable",
                f"the environment variable {quoted(name)} is {'empty' if name in environ else 'not set'}",
                hint=f"set {name}",
            )
            return found[0]
        if _CONTROL.search(value):
            problems.error(
                node,
                "malformed",
                f"the value of the environment variable {quoted(name)} holds a control character",
                hint="a line end at its end is the usual cause",
            )
        return value

    return node._replace(value=_REFERENCE.sub(look_up, text))
