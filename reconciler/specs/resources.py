"""One spec document to one resource: the parts that Backfill and ManualFlow share."""

from __future__ import annotations

from types import MappingProxyType

from reconciler.documents import Part, Problems, ScalarNode, quoted
from reconciler.documents.source import Positioned
from reconciler.model.addresses import Address, Kind
from reconciler.model.dates import DateSet
from reconciler.model.project import Connection
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import OnChange, OnFailure, Resource
from reconciler.specs.backfills import backfill_series, backfill_tuning
from reconciler.specs.context import Context, parse_connection_name
from reconciler.specs.crosschecks import Declaration
from reconciler.specs.dates import is_relative, parse_date_items, parse_dates
from reconciler.specs.fields import (
    integer,
    items,
    mapping,
    mapping_or_empty,
    optional_mapping,
    optional_text,
    scalar,
    text,
    texts,
    whole,
)
from reconciler.specs.manualflows import manual_flow_series
from reconciler.specs.ordering import parse_requires, parse_rollout


def parse_declaration(kind: Kind, part: Part, problems: Problems) -> Declaration | None:
    """The address a document declares; None when its name is missing or malformed."""
    name = mapping_or_empty(part.root, "metadata").get("name")
    if name is None:
        return None
    return Declaration(Address.of(kind, scalar(name).text), problems.source.place(name))


def parse_resource(
    kind: Kind, part: Part, context: Context, problems: Problems
) -> Resource | None:
    """Build the resource that a document declares.

    Args:
        kind: What the document is.
        part: What of it fits the schema of the kind; all of that is checked, even if it is not whole.
        context: The project.
        problems: Takes everything that is wrong.

    Returns:
        The resource, or None when it cannot be built.
    """
    spec = mapping_or_empty(part.root, "spec")
    _check_annotations(part, context, problems)
    connection = parse_connection_name(spec, context, problems)
    dates = _dates(part, connection, context, problems)
    build = backfill_series if kind is Kind.BACKFILL else manual_flow_series
    series = build(part, connection, problems)
    generations = _generations(part, dates, problems)
    requires, gates = parse_requires(spec, problems)
    declaration = parse_declaration(kind, part, problems)
    if connection is None or series is None or generations is None or declaration is None:
        return None
    metadata = mapping(part.root.get("metadata"))
    return Resource(
        address=Address.of(kind, text(metadata, "name")),
        connection=connection.name,
        series=series,
        generations=generations,
        place=declaration.place,
        tuning=backfill_tuning(spec),
        on_failure=OnFailure(optional_text(spec, "onFailure") or "hold"),
        max_attempts=integer(spec, "maxAttempts", 3),
        on_change=OnChange(optional_text(spec, "onChange") or "hold"),
        requires=requires,
        gates=gates,
        rollout=parse_rollout(spec),
        annotations=MappingProxyType(texts(metadata, "annotations")),
        labels=MappingProxyType(texts(metadata, "labels")),
    )


def _dates(
    part: Part, connection: Connection | None, context: Context, problems: Problems
) -> DateSet | None:
    """The desired dates; None when they cannot be told, for which a problem is or was noted."""
    spec = mapping_or_empty(part.root, "spec")
    node = optional_mapping(spec, "dates")
    if node is None:
        return None
    calendar = context.calendar(connection)
    whole = part.is_whole("spec", "dates")
    dates = parse_dates(node, spec.keys["dates"], calendar, problems, whole=whole)
    # Without a connection there is no time zone to say which day yesterday was.
    return None if connection is None and is_relative(node) else dates


def _check_annotations(part: Part, context: Context, problems: Problems) -> None:
    metadata = optional_mapping(part.root, "metadata")
    if metadata is None:
        return
    given = optional_mapping(metadata, "annotations")
    place: Positioned = part.root.keys["metadata"]
    if given is not None:
        place = metadata.keys["annotations"]
    for name in context.project.policy.require_annotations:
        found = None if given is None else given.get(name)
        if found is not None and scalar(found).text.strip():
            continue
        if part.is_whole("metadata", "annotations", name):
            problems.error(
                place,
                "missing_annotation",
                f"the project requires the annotation {quoted(name)}",
                hint=f"add {name}: … under metadata.annotations",
            )


def _generations(part: Part, dates: DateSet | None, problems: Problems) -> RangeMap[int] | None:
    """The desired generation of each date: 1, or the highest rerun request that covers it."""
    requests: list[tuple[int, DateSet]] = []
    malformed = not part.is_whole("spec", "reruns")
    for item in items(mapping_or_empty(part.root, "spec"), "reruns"):
        request = mapping(item)
        wanted = request.get("dates")
        if isinstance(wanted, ScalarNode):
            asked = dates or DateSet()
        else:
            found = parse_date_items(request, "dates", problems)
            malformed = malformed or found is None
            asked = found or DateSet()
            if dates is not None and (left := asked - dates):
                problems.warning(
                    request.keys["dates"],
                    "rerun_not_desired",
                    f"a rerun is asked for {left}, which `dates` does not hold",
                    hint="add them to `dates`, or leave the request as a record: it has no effect there",
                )
        if (generation := request.get("generation")) is not None:
            requests.append((whole(scalar(generation)), asked))
    if dates is None or malformed:
        return None
    generations = RangeMap.constant(dates, 1)
    for number, asked in sorted(requests, key=lambda pair: pair[0]):
        generations = generations.overlaid(RangeMap.constant(asked & dates, number))
    return generations
