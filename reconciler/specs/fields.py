"""Reading fields of nodes that a schema has already judged.

Each accessor trusts the shape the schema promises; a caller that skipped the schema gets a TypeError.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from reconciler.documents import ListNode, MapNode, Node, ScalarNode

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


def mapping(node: Node | None) -> MapNode:
    """A mapping that must be there."""
    if not isinstance(node, MapNode):
        raise TypeError("expected a mapping")
    return node


def optional_mapping(node: MapNode, key: str) -> MapNode | None:
    """The mapping at `key`, or None."""
    found = node.get(key)
    return None if found is None else mapping(found)


def mapping_or_empty(node: MapNode, key: str) -> MapNode:
    """The mapping at `key`, or one without entries."""
    found = optional_mapping(node, key)
    return MapNode(node.line, node.column, {}, {}) if found is None else found


def scalar(node: Node | None) -> ScalarNode:
    """A scalar that must be there."""
    if not isinstance(node, ScalarNode):
        raise TypeError("expected a scalar")
    return node


def text(node: MapNode, key: str) -> str:
    """The text at `key`, which must be there."""
    return value_text(scalar(node.get(key)))


def optional_text(node: MapNode, key: str) -> str | None:
    """The text at `key`, or None."""
    found = node.get(key)
    return None if found is None else value_text(scalar(found))


def value_text(node: ScalarNode) -> str:
    """What a scalar says as text: its value where that is a text, else its source."""
    return node.value if isinstance(node.value, str) else node.text


def integer(node: MapNode, key: str, default: int) -> int:
    """The whole number at `key`, or `default`."""
    found = node.get(key)
    return default if found is None else whole(scalar(found))


def optional_integer(node: MapNode, key: str) -> int | None:
    """The whole number at `key`, or None."""
    found = node.get(key)
    return None if found is None else whole(scalar(found))


def whole(node: ScalarNode) -> int:
    """The whole number a scalar holds; digits in quotes count where the schema lets them pass."""
    if node.value is None:
        raise TypeError("expected a number")
    return int(node.value)


def number(node: MapNode, key: str, default: float) -> float:
    """The number at `key`, or `default`."""
    found = node.get(key)
    if found is None:
        return default
    value = scalar(found).value
    if value is None:
        raise TypeError("expected a number")
    return float(value)


def items(node: MapNode, key: str) -> tuple[Node, ...]:
    """The items of the list at `key`; empty when there is none."""
    found = node.get(key)
    if found is None:
        return ()
    if not isinstance(found, ListNode):
        raise TypeError("expected a list")
    return found.items


def scalars(node: MapNode, key: str) -> Iterator[ScalarNode]:
    """The scalars of the list at `key`."""
    return map(scalar, items(node, key))


def texts(node: MapNode, key: str) -> dict[str, str]:
    """The mapping at `key` as text to text, sorted by key; empty when there is none."""
    found = optional_mapping(node, key)
    if found is None:
        return {}
    return {name: scalar(found.entries[name]).text for name in sorted(found.entries)}


def duration(node: MapNode, key: str, default: dt.timedelta) -> dt.timedelta:
    """The duration at `key`, such as `7d`, or `default`."""
    found = optional_text(node, key)
    if found is None:
        return default
    match = _DURATION.fullmatch(found)
    if match is None:
        raise TypeError("expected a duration")
    return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
