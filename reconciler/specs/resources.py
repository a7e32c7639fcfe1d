"""One spec document to one resource: the parts that Backfill and ManualFlow share."""

from __future__ import annotations

from types import MappingProxyType

from reconciler.documents import MapNode, Problems, ScalarNode, quoted
from reconciler.documents.source import Positioned
from reconciler.model.addresses import Address, Kind
from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import OnChange, OnFailure, Resource
from reconciler.specs.backfills import backfill_series, backfill_tuning
from reconciler.specs.context import Context, parse_connection_name
from reconciler.specs.dates import parse_date_items, parse_dates
from reconciler.specs.fields import (
    integer,
    items,
    mapping,
    optional_mapping,
    optional_text,
    scalar,
    texts,
    whole,
)
from reconciler.specs.manualflows import manual_flow_series
from reconciler.specs.unsupported import note_unsupported


def parse_resource(
    kind: Kind, top: MapNode, context: Context, problems: Problems
) -> Resource | None:
    """Build the resource that a document declares.

    Args:
        kind: What the document is.
        top: Its root, which fits the schema of the kind.
        context: The project.
        problems: Takes everything that is wrong.

    Returns:
        The resource, or None when it cannot be built.
    """
    metadata, spec = mapping(top.get("metadata")), mapping(top.get("spec"))
    _check_annotations(metadata, top.keys["metadata"], context, problems)
    _check_supported(spec, problems)
    connection = parse_connection_name(spec, context, problems)
    if connection is None:
        return None
    dates = parse_dates(
        mapping(spec.get("dates")), spec.keys["dates"], context.calendar(connection), problems
    )
    build = backfill_series if kind is Kind.BACKFILL else manual_flow_series
    series = build(spec, connection, problems)
    generations = _generations(spec, dates, problems)
    tuning = backfill_tuning(spec)
    if series is None or generations is None:
        return None
    name = scalar(metadata.get("name"))
    return Resource(
        address=Address.of(kind, name.text),
        connection=connection.name,
        series=series,
        generations=generations,
        place=problems.source.place(name),
        tuning=tuning,
        on_failure=OnFailure(optional_text(spec, "onFailure") or "hold"),
        max_attempts=integer(spec, "maxAttempts", 3),
        on_change=OnChange(optional_text(spec, "onChange") or "hold"),
        annotations=MappingProxyType(texts(metadata, "annotations")),
        labels=MappingProxyType(texts(metadata, "labels")),
    )


def check_reachable(top: MapNode, context: Context, problems: Problems) -> None:
    """Check what can be checked of a document that does not fit its schema."""
    spec = top.get("spec")
    if isinstance(spec, MapNode):
        _check_supported(spec, problems)
        if isinstance(spec.get("connection"), ScalarNode):
            parse_connection_name(spec, context, problems)


def _check_supported(spec: MapNode, problems: Problems) -> None:
    for key in ("requires", "rollout"):
        if key in spec.entries:
            note_unsupported(problems, spec.keys[key], f"`{key}`")


def _check_annotations(
    metadata: MapNode, at: ScalarNode, context: Context, problems: Problems
) -> None:
    required = context.project.policy.require_annotations
    if not required:
        return
    given = optional_mapping(metadata, "annotations")
    place: Positioned = at if given is None else metadata.keys["annotations"]
    for name in required:
        found = None if given is None else given.get(name)
        if not isinstance(found, ScalarNode) or not found.text.strip():
            problems.error(
                place,
                "missing_annotation",
                f"the project requires the annotation {quoted(name)}",
                hint=f"add {name}: … under metadata.annotations",
            )


def _generations(spec: MapNode, dates: DateSet | None, problems: Problems) -> RangeMap[int] | None:
    """The desired generation of each date: 1, or the highest rerun request that covers it."""
    requests: list[tuple[int, DateSet]] = []
    malformed = False
    for item in items(spec, "reruns"):
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
                    hint="the request has no effect there",
                )
        requests.append((whole(scalar(request.get("generation"))), asked))
    if dates is None or malformed:
        return None
    generations = RangeMap.constant(dates, 1)
    for generation, asked in sorted(requests, key=lambda pair: pair[0]):
        generations = generations.overlaid(RangeMap.constant(asked & dates, generation))
    return generations
