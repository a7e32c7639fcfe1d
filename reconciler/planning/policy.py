"""What the project's policy says of a plan's size."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.plan import Summary
from reconciler.model.project import Policy


def policy_diagnostics(
    summary: Summary, policy: Policy, *, enforced: bool = True
) -> Iterator[Diagnostic]:
    """An error, or else a warning, for each bound the plan exceeds; a plan is never cut to fit."""
    dates = summary.create + summary.rerun + summary.blocked
    bounds: tuple[tuple[Code, str, int | None, int, str], ...] = (
        ("policy_max_dates", "maxDates", policy.max_dates, dates, "data dates"),
        ("policy_max_calls", "maxCalls", policy.max_calls, summary.calls, "create calls"),
    )
    for code, name, bound, value, what in bounds:
        if bound is not None and value > bound:
            yield Diagnostic(
                severity=Severity.ERROR if enforced else Severity.WARNING,
                code=code,
                summary=f"the plan would start {value} {what}; policy.{name} allows {bound}",
                hint=f"narrow the specs, use --target, or raise policy.{name} in reconciler.yaml",
            )
