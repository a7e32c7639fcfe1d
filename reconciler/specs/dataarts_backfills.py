"""What is particular to a Backfill on DataArts: its job, and the day its job's plan names."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

from reconciler.documents import MapNode, Part, Problems, quoted
from reconciler.model.addresses import Kind
from reconciler.model.project import DataArtsConnection
from reconciler.model.series import PLAN_OFFSET, PLAN_SCOPE, Series, Subject, sorted_params
from reconciler.specs.fields import (
    integer,
    mapping_or_empty,
    optional_integer,
    optional_text,
    scalar,
    text,
)

#: PatchData runs at most this many periods at once (Source: DataArts API reference).
MOST_PARALLEL = 5

#: Names that a path of the API would take for something else.
_NO_JOB = re.compile(r"/|\A\.+\Z")

_ONE_HOUR = dt.timedelta(hours=1)

#: What other systems have and PatchData has not: by field of the spec, and of its target.
_FOREIGN = ("params", "hours", "alerts")
_FOREIGN_TARGET = ("rootNode", "includeNodes", "excludeNodes")


def dataarts_series(
    part: Part, connection: DataArtsConnection | None, problems: Problems
) -> Series | None:
    """What a Backfill runs on DataArts; None when it cannot be told, which is or was noted."""
    spec = mapping_or_empty(part.root, "spec")
    target = mapping_or_empty(spec, "target")
    _check_fields(spec, target, problems)
    _check_job(part, spec, target, problems)
    if connection is None:
        return None
    _check_zone(spec, connection, problems)
    if "job" not in target.entries or not part.is_whole():
        return None
    offset = integer(target, "planOffsetDays", 0)
    return Series(
        subject=Subject(
            realm=connection.realm,
            provider=connection.provider,
            region=connection.region,
            workspace=connection.home,
            environment="",
            kind=Kind.BACKFILL,
            root=text(target, "job"),
            variant=optional_text(spec, "variant"),
        ),
        # Another offset means other runs for the same data date, so it is part of what runs.
        params=sorted_params({PLAN_SCOPE: {PLAN_OFFSET: str(offset)}} if offset else {}),
    )


def _check_fields(spec: MapNode, target: MapNode, problems: Problems) -> None:
    for node, names in ((spec, _FOREIGN), (target, _FOREIGN_TARGET)):
        for name in names:
            if name in node.entries:
                problems.error(
                    node.keys[name],
                    "not_on_dataarts",
                    f"PatchData knows no `{name}`",
                    hint="remove it; a backfill on DataArts has target: {job: NAME}",
                )
    parallelism = optional_integer(spec, "parallelism")
    if parallelism is not None and parallelism > MOST_PARALLEL:
        problems.error(
            scalar(spec.get("parallelism")),
            "out_of_bounds",
            f"PatchData runs at most {MOST_PARALLEL} periods at once, not {parallelism}",
            hint=f"write {MOST_PARALLEL} or less",
        )


def _check_job(part: Part, spec: MapNode, target: MapNode, problems: Problems) -> None:
    if "job" in target.entries and _NO_JOB.search(text(target, "job")):
        problems.error(
            scalar(target.get("job")),
            "not_carried",
            f"no path can carry the job name {quoted(text(target, 'job'))}",
            hint="a name holds no slash, and is not made of dots alone",
        )
    if "job" not in target.entries and part.is_whole("spec", "target"):
        problems.error(
            spec.keys["target"],
            "missing_key",
            'spec.target needs "job" on a dataarts connection',
            hint="for example job: etl-dli2dws",
        )


def _check_zone(spec: MapNode, connection: DataArtsConnection, problems: Problems) -> None:
    """The wire writes an offset in whole hours; a zone that never has one cannot be written."""
    moment = dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo(connection.timezone))
    offset = moment.utcoffset() or dt.timedelta()
    if offset % _ONE_HOUR:
        problems.error(
            scalar(spec.get("connection")),
            "timezone",
            f"the time zone {connection.timezone} of the connection lies between whole hours, "
            "and PatchData takes whole hours only",
            hint=f"give the connection the zone that the job is planned in, at {connection.place}",
        )
