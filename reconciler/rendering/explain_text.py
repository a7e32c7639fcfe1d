"""What is known of a unit, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.addresses import UnitRange
from reconciler.model.attempts import BY_HAND, Attempt, AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.resources import Resource
from reconciler.model.runs import NodeFailure
from reconciler.rendering.layout import COLUMNS, columns, hanging, indent_of
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.times_text import took_text
from reconciler.rendering.words import some


def render_explanation(
    unit: UnitRange,
    resource: Resource | None,
    attempts: Iterable[Attempt],
    failures: Mapping[str, Sequence[NodeFailure]],
    upcoming: Iterable[tuple[str, str, Sequence[str]]],
    paint: Paint,
    *,
    width: int = COLUMNS,
) -> str:
    """The text in lines that fit; ends with a newline.

    `failures` are by attempt; `upcoming` holds dates, in words what the next plan does, and the commands
    that decide, where a person must.
    """
    lines = [paint(str(unit), Role.STRONG)]
    lines.extend(_desired(unit, resource))
    shown = [
        line
        for attempt in attempts
        for line in (
            *attempt_lines(attempt, unit, paint),
            *_failure_lines(failures.get(attempt.id, ())),
        )
    ]
    lines.extend(shown or ["  no attempt on record"])
    for dates, words, commands in upcoming:
        lines.append(f"  next plan: {dates}: {clean(words)}")
        lines.extend(
            indent_of(command, most=10, width=width) + paint(command, Role.STRONG)
            for command in commands
        )
    return "\n".join(_fitted(lines, width)) + "\n"


def _fitted(lines: Iterable[str], width: int) -> Iterator[str]:
    """The lines, those that are too long broken, except what a person copies and what a log holds."""
    for line in lines:
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if columns(line) <= width or text.startswith(("reconciler ", "| ", "\x1b")):
            yield line
        else:
            yield from hanging(" " * indent, text, width=width)


def _desired(unit: UnitRange, resource: Resource | None) -> Iterator[str]:
    if resource is None:
        yield "  not declared by any spec"
        return
    wanted = resource.dates & DateSet((unit.dates,))
    yield f"  declared at {resource.place}, connection {resource.connection}"
    yield f"  desired: {wanted or 'none of these dates'}, series {resource.series.fingerprint}"


def _failure_lines(failures: Sequence[NodeFailure]) -> Iterator[str]:
    for one in failures:
        yield f"    {one.date}: node {_node(one)} failed, instance {clean(one.instance_id)}"
        if one.log_problem:
            yield f"      its log could not be read: {clean(one.log_problem)}"
        yield from (f"      | {clean(line)}" for line in one.log)


def _node(one: NodeFailure) -> str:
    if one.node_id and one.node_name:
        return f"{clean(one.node_id)} ({clean(one.node_name)})"
    return clean(one.node_id or one.node_name or "without a name")


def attempt_lines(attempt: Attempt, unit: UnitRange, paint: Paint) -> Iterator[str]:
    """All that is known of one attempt on some units."""
    when = attempt.signed_at or attempt.created_at
    how = "adopted" if attempt.adopted else attempt.operation
    did = "signed" if attempt.signed_at else "recorded"
    yield paint(
        f"  attempt {attempt.number}: {how} {attempt.dates}, {attempt.state.value}", Role.STRONG
    )
    yield f"    {did} {when:%Y-%m-%d %H:%M:%S} UTC"
    yield f"    for {attempt.address}, generation {attempt.generation}, series {attempt.series}"
    if attempt.name:
        yield f"    name {clean(attempt.name)!r}"
    if attempt.plan_id:
        yield f"    plan {clean(attempt.plan_id)}"
    if attempt.request_id:
        yield f"    request id {clean(attempt.request_id)}"
    if attempt.run_ids:
        ids = ", ".join(map(clean, attempt.run_ids[:5]))
        more = f" and {len(attempt.run_ids) - 5} more" if len(attempt.run_ids) > 5 else ""  # noqa: PLR2004 - the five shown
        yield f"    {some(len(attempt.run_ids), 'run')}: {ids}{more}"
    if attempt.took is not None:
        yield f"    {took_text(attempt.took)}"
    if attempt.code == BY_HAND:
        yield f"    a person said so: {clean(attempt.message or 'no reason given')}"
    elif attempt.code or attempt.message:
        said = ": ".join(clean(part) for part in (attempt.code, attempt.message) if part)
        yield f"    what was said of it: {said}"
    for dates, seen in attempt.coverage.restricted(DateSet((unit.dates,))):
        if attempt.state is AttemptState.SETTLED and seen.gone:
            yield f"    {dates}: nobody knows what became of it"
            continue
        gone = ", since forgotten by the service" if seen.gone else ""
        yield f"    {dates}: {seen.status.value}{gone}"
