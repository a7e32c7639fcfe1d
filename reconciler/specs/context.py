"""What turning one spec into a resource needs to know of the project."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

from reconciler.documents import MapNode, Problems, quoted, suggestion
from reconciler.model.dates import ONE_DAY
from reconciler.model.project import Connection, Project
from reconciler.specs.dates import Calendar
from reconciler.specs.fields import scalar, value_text
from reconciler.specs.unsupported import note_unsupported


@dataclass(frozen=True)  # no slots: calendars are worked out once
class Context:
    """The project, and the aware moment at which relative dates are resolved."""

    project: Project
    now: dt.datetime

    def calendar(self, connection: Connection) -> Calendar:
        """The bounds of data dates on a connection."""
        return self._calendars[connection.timezone]

    @functools.cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {
            zone: Calendar(
                yesterday=self.now.astimezone(zoneinfo.ZoneInfo(zone)).date() - ONE_DAY,
                earliest=self.project.policy.earliest_date,
            )
            for zone in {item.timezone for item in self.project.connections.values()}
        }


def parse_connection_name(
    spec: MapNode, context: Context, problems: Problems
) -> Connection | None:
    """The connection a spec names; None, with a problem noted, when it cannot be used."""
    node = scalar(spec.get("connection"))
    name = value_text(node)
    project = context.project
    if (found := project.connections.get(name)) is not None:
        return found
    if name in project.unsupported:
        provider = project.unsupported[name]
        note_unsupported(
            problems,
            node,
            f"running specs on {quoted(name)}, a connection of provider {provider},",
            "name a dataworks connection",
        )
        return None
    known = (*project.connections, *project.unsupported)
    problems.error(
        node,
        "unknown_connection",
        f"{project.file} has no connection {quoted(name)}",
        hint=suggestion(name, known)
        or (f"it has {', '.join(sorted(known))}" if known else "it has none at all"),
    )
    return None
