"""What turning one spec into a resource needs to know of the project."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

from reconciler.documents import MapNode, Part, Problems, quoted, some_of, suggestion
from reconciler.model.dates import ONE_DAY
from reconciler.model.project import Connection, OBShellConnection, Project
from reconciler.specs.dates import Calendar
from reconciler.specs.fields import mapping_or_empty, scalar, value_text

#: Where a day is complete first.
_EASTERNMOST = dt.timezone(dt.timedelta(hours=14))


@dataclass(frozen=True)  # no slots: calendars are worked out once
class Context:
    """The project, and the aware moment at which relative dates are resolved."""

    project: Project
    now: dt.datetime

    def calendar(self, connection: Connection | None) -> Calendar:
        """The bounds of data dates on a connection; where it has no zone or is not known, the widest."""
        if connection is None or isinstance(connection, OBShellConnection):
            return self._widest
        return self._calendars[connection.timezone]

    @functools.cached_property
    def _widest(self) -> Calendar:
        return self._calendar(_EASTERNMOST)

    @functools.cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {
            zone: self._calendar(zoneinfo.ZoneInfo(zone))
            for zone in {
                item.timezone
                for item in self.project.connections.values()
                if not isinstance(item, OBShellConnection)
            }
        }

    def _calendar(self, zone: dt.tzinfo) -> Calendar:
        return Calendar(
            yesterday=self.now.astimezone(zone).date() - ONE_DAY,
            earliest=self.project.policy.earliest_date,
        )


def parse_connection_name(
    spec: MapNode, context: Context, problems: Problems
) -> Connection | None:
    """The connection a spec names; None when it names none or, with a problem noted, an unusable one."""
    if spec.get("connection") is None:
        return None
    node = scalar(spec.get("connection"))
    name = value_text(node)
    project = context.project
    if (found := project.connections.get(name)) is not None:
        return found
    known = tuple(project.connections)
    problems.error(
        node,
        "unknown_connection",
        f"{project.file} has no connection {quoted(name)}",
        hint=suggestion(name, known)
        or (f"it has {some_of(sorted(known))}" if known else "it has none at all"),
    )
    return None


def note_runs_nothing(part: Part, connection: OBShellConnection, problems: Problems) -> None:
    """Note that a spec wants to run something where nothing can be run."""
    problems.error(
        scalar(mapping_or_empty(part.root, "spec").get("connection")),
        "wrong_provider",
        f"the connection {quoted(connection.name)} is one of obshell, which serves gates and runs nothing",
        hint="name a connection with provider: dataworks or dataarts",
    )
