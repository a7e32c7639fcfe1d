"""Our tag as a parameter of a manual run, which bears no name: `reconciler_run=<tag>`.

A flow parameter comes back in the `ParaValue` of the run's instances (2018-06-01) and in their
`ParamValues` (2020-05-18, ListInstances). That it does so also where no node uses it is not documented,
so it is believed only once it was read back.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.series import MARKER, Tag
from reconciler.providers.dataworks.wire_answers import Instance


def marker_of(name: str) -> tuple[str, str]:
    """The parameter that marks the run of a call, from the call's name: its tag alone."""
    return MARKER, name.partition(" ")[0]


def marker_in(rows: Iterable[Instance]) -> str | None:
    """What stands in our parameter in any of a run's rows; None where none has it."""
    for row in rows:
        for pair in (row.parameters or "").split():
            key, equals, value = pair.partition("=")
            if equals and key == MARKER:
                return value
    return None


def tag_in(rows: Iterable[Instance]) -> Tag | None:
    """The tag that marks a run, or None when it bears none of ours."""
    marker = marker_in(rows)
    return None if marker is None else Tag.parse(marker)
