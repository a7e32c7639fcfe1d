"""`dates` of a spec: which data dates it asks for, resolved at one moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.documents import MapNode, Problems, ScalarNode
from reconciler.documents.source import Positioned
from reconciler.model.dates import MIN_DATE, ONE_DAY, DateRange, DateSet, parse_date
from reconciler.specs.fields import scalar, scalars, value_text, whole
from reconciler.specs.recurrence import dates_of_rule, parse_rule

_RELATIVE_END = "yesterday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What bounds data dates: the last complete one, and the earliest the project allows."""

    yesterday: dt.date
    earliest: dt.date | None = None


def parse_dates(
    node: MapNode, at: Positioned, calendar: Calendar, problems: Problems, *, whole: bool = True
) -> DateSet | None:
    """Resolve a `dates` node.

    Args:
        node: What of it fits the schema.
        at: The place of its key.
        calendar: What bounds the dates.
        problems: Takes everything that is wrong.
        whole: Nothing of the node is lost. Otherwise what it seems to lack is not a problem.

    Returns:
        The dates, or None when something is wrong or lost. They are empty only for relative forms that
        yield nothing today, which is a warning: tomorrow they may yield something.
    """
    before = len(problems.found)
    chosen = _chosen(node, at, calendar, problems, whole=whole)
    exceptions = parse_date_items(node, "except", problems)
    rule = _rule(node, problems)
    if not whole or chosen is None or exceptions is None or len(problems.found) > before:
        return None
    if rule is not None and (hull := chosen.hull) is not None:
        kept = _recurring(scalar(node.get("rrule")), rule, hull, problems)
        if kept is None:
            return None
        chosen &= kept
    chosen -= exceptions
    if not chosen:
        _note_empty(node, at, problems)
        return DateSet() if is_relative(node) else None
    return chosen


def parse_date_items(node: MapNode, key: str, problems: Problems) -> DateSet | None:
    """The set that a list of dates and ranges `A..B` names; None when one is malformed."""
    ranges = [_range(item, problems) for item in scalars(node, key)]
    good = [item for item in ranges if item is not None]
    return DateSet.of(good) if len(good) == len(ranges) else None


def is_relative(node: MapNode) -> bool:
    """Whether a `dates` node yields other dates on another day."""
    end = node.get("end")
    return "last" in node.entries or (end is not None and scalar(end).value == _RELATIVE_END)


def _chosen(
    node: MapNode, at: Positioned, calendar: Calendar, problems: Problems, *, whole: bool
) -> DateSet | None:
    """What `start`+`end`, `list` or `last` name, before exceptions and rules.

    All that is there is looked at, so that a wrong date is told even where the form is wrong too.
    """
    formed = _check_form(node, at, problems, whole=whole)
    found = []
    if "last" in node.entries:
        found.append(_last(scalar(node.get("last")), calendar, problems))
    if "list" in node.entries:
        found.append(_list(node, calendar, problems))
    if "start" in node.entries or "end" in node.entries:
        found.append(_span(node, calendar, problems))
    return found[0] if formed and found else None


def _check_form(node: MapNode, at: Positioned, problems: Problems, *, whole: bool) -> bool:
    """Whether the dates are given in exactly one way."""
    forms: list[str] = [key for key in ("start", "list", "last") if key in node.entries]
    if "end" in node.entries and "start" not in node.entries:
        forms.insert(0, "end")
    if len(forms) == 1 and forms != ["end"] and ("start" not in forms or "end" in node.entries):
        if forms == ["list"] and "rrule" in node.entries:
            problems.error(
                node.keys["rrule"],
                "dates_form",
                "a rule needs `start` and `end`, or `last`, not a list",
                hint="remove the rule, or the list",
            )
        return True
    if len(forms) > 1 or whole:
        problems.error(
            at if len(forms) < 2 else node.keys[forms[1]],  # noqa: PLR2004 - the second of two forms
            "dates_form",
            "dates need `start` and `end`, or `list`, or `last`, and one of these only",
            hint="for example {start: 2020-05-20, end: 2020-05-31}",
        )
    return False


def _last(node: ScalarNode, calendar: Calendar, problems: Problems) -> DateSet | None:
    first = calendar.yesterday - (whole(node) - 1) * ONE_DAY
    if first < MIN_DATE:
        problems.error(
            node, "date", f"`last` reaches back before {MIN_DATE}", hint="ask for fewer days"
        )
        return None
    chosen = DateRange.inclusive(first, calendar.yesterday)
    _check_bounds(chosen, node, node, calendar, problems)
    return DateSet((chosen,))


def _list(node: MapNode, calendar: Calendar, problems: Problems) -> DateSet | None:
    good: list[DateRange] = []
    for item in scalars(node, "list"):
        found = _range(item, problems)
        if found is not None:
            _check_bounds(found, item, item, calendar, problems)
            good.append(found)
    return DateSet.of(good)


def _span(node: MapNode, calendar: Calendar, problems: Problems) -> DateSet | None:
    start = _edge(node, "start", calendar, problems)
    end = _edge(node, "end", calendar, problems)
    if start is None or end is None:
        # What there is of the two can still lie out of bounds.
        for found, key in ((start, "start"), (end, "end")):
            if found is not None:
                at = scalar(node.get(key))
                _check_bounds(DateRange.inclusive(found, found), at, at, calendar, problems)
        return None
    start_node, end_node = scalar(node.get("start")), scalar(node.get("end"))
    if start > end and end_node.value == _RELATIVE_END:
        return DateSet()
    if start > end:
        problems.error(
            end_node,
            "date",
            f"the end {end} lies before the start {start}",
            hint="write the earlier one as `start`",
        )
        return None
    chosen = DateRange.inclusive(start, end)
    _check_bounds(chosen, start_node, end_node, calendar, problems)
    return DateSet((chosen,))


def _edge(node: MapNode, key: str, calendar: Calendar, problems: Problems) -> dt.date | None:
    """The date at `start` or `end`; None when there is none or it is malformed."""
    if key not in node.entries:
        return None
    found = scalar(node.get(key))
    if key == "end" and found.value == _RELATIVE_END:
        return calendar.yesterday
    return _date(found, problems)


def _check_bounds(
    dates: DateRange, start: ScalarNode, end: ScalarNode, calendar: Calendar, problems: Problems
) -> None:
    if dates.last > calendar.yesterday:
        problems.error(
            end,
            "date_not_complete",
            f"{dates.last} is not complete yet: the last complete data date is {calendar.yesterday}",
            hint="end there, or write `end: yesterday`",
        )
    if calendar.earliest is not None and dates.start < calendar.earliest:
        problems.error(
            start,
            "earliest_date",
            f"{dates.start} lies before {calendar.earliest}, the project's earliestDate",
            hint="begin there, or change policy.earliestDate in reconciler.yaml",
        )


def _rule(node: MapNode, problems: Problems) -> str | None:
    """The recurrence rule in canonical form, or None: there is none, or it is malformed."""
    found = node.get("rrule")
    if found is None:
        return None
    try:
        return parse_rule(value_text(scalar(found)), moving="last" in node.entries)
    except ValueError as error:
        _note_rule(scalar(found), error, problems)
        return None


def _recurring(
    node: ScalarNode, rule: str, within: DateRange, problems: Problems
) -> DateSet | None:
    try:
        return dates_of_rule(rule, within)
    except ValueError as error:
        _note_rule(node, error, problems)
        return None


def _note_rule(node: ScalarNode, error: ValueError, problems: Problems) -> None:
    problems.error(
        node,
        "rrule",
        f"not a usable rule: {error}",
        hint="for example FREQ=MONTHLY;BYMONTHDAY=-1",
    )


def _note_empty(node: MapNode, at: Positioned, problems: Problems) -> None:
    summary = "these dates are empty: no data date is left"
    if is_relative(node):
        problems.warning(
            at,
            "no_dates",
            f"{summary} today",
            hint="leave it if other days will have some; otherwise widen them",
        )
    else:
        problems.error(at, "no_dates", summary, hint="widen them, or remove the spec")


def _range(node: ScalarNode, problems: Problems) -> DateRange | None:
    try:
        return DateRange.parse(value_text(node))
    except ValueError as error:
        hint = "write 2020-05-20, or a range as 2020-05-20..2020-05-31"
        problems.error(node, "date", str(error), hint=hint)
        return None


def _date(node: ScalarNode, problems: Problems) -> dt.date | None:
    try:
        return parse_date(value_text(node))
    except ValueError as error:
        problems.error(node, "date", str(error), hint="write it as 2020-05-20")
        return None
