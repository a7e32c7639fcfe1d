"""`policy.freezes`: periods in which nothing is started."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from reconciler.documents import MapNode, Problems, quoted
from reconciler.model.project import Freeze
from reconciler.specs.fields import items, mapping, optional_text, scalar, text


def parse_freezes(policy: MapNode, problems: Problems) -> Iterator[Freeze]:
    """The freezes of a policy; what is wrong with one is noted."""
    for node in map(mapping, items(policy, "freezes")):
        start, end = _moment(node, "from", problems), _moment(node, "until", problems)
        if start is None or end is None:
            continue
        if end <= start:
            problems.error(
                scalar(node.get("until")),
                "freeze",
                "the freeze ends before it begins",
                hint="write the earlier moment as `from`",
            )
        yield Freeze(start=start, end=end, reason=optional_text(node, "reason") or "")


def _moment(node: MapNode, key: str, problems: Problems) -> dt.datetime | None:
    """An aware moment, as RFC 3339 writes it; None, with a problem noted, if it is none."""
    written = text(node, key)
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problems.error(
            scalar(node.get(key)),
            "moment",
            f"{quoted(written)} is not a time with its offset",
            hint="write it as 2026-11-10T00:00+08:00",
        )
        return None
    return moment
