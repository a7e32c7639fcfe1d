"""Parameters: their source text, and what the wire can carry of it.

The services take `k1=v1 k2=v2`, so a space or a control character anywhere, or a `=` in a key, would
arrive as something else. Empty values are refused too: no documentation says what `k=` does.
"""

from __future__ import annotations

from reconciler.documents import MapNode, Problems, ScalarNode, quoted
from reconciler.specs.fields import mapping, scalar

FLOW_SCOPE = "flow"


def parse_params(node: MapNode, problems: Problems) -> dict[str, str]:
    """Names and values of one scope, as they will be sent."""
    params: dict[str, str] = {}
    for key, found in node.entries.items():
        value = scalar(found)
        _check_key(node.keys[key], problems)
        _check_value(key, value, problems)
        params[key] = value.text
    return params


def parse_node_params(node: MapNode, problems: Problems) -> dict[str, dict[str, str]]:
    """Parameters by node id."""
    return {
        node_id: parse_params(mapping(item), problems) for node_id, item in node.entries.items()
    }


def _check_key(node: ScalarNode, problems: Problems) -> None:
    if _is_carried(node.text) and "=" not in node.text:
        return
    problems.error(
        node,
        "not_carried",
        f"the parameter name {quoted(node.text)} cannot be sent",
        hint="a name holds no space, no control character and no `=`",
    )


def _check_value(key: str, node: ScalarNode, problems: Problems) -> None:
    if not node.text:
        problems.error(
            node,
            "not_carried",
            f"the parameter {quoted(key)} has an empty value, which cannot be sent",
            hint="give it a value, or remove it",
        )
    elif not _is_carried(node.text):
        problems.error(
            node,
            "not_carried",
            f"the value of {quoted(key)} cannot be sent: it holds a space or a control character",
            hint="write it without: parameters travel as `name=value name=value`",
        )


def _is_carried(text: str) -> bool:
    # Every kind of Unicode space is unprintable to Python, except the plain one.
    return text.isprintable() and " " not in text
