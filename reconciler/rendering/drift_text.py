"""Drift for a person and for a script."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.drift import Drift, DriftKind
from reconciler.rendering.layout import COLUMNS, hanging
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.words import some

#: Version of `drift --json`.
DRIFT_VERSION = "1.0"

_WORDS = {
    DriftKind.REPAIRED: "had not succeeded by the record; was repaired or runs again",
    DriftKind.RESTARTED: "had succeeded; runs again",
    DriftKind.BROKEN: "had succeeded; has failed since",
    DriftKind.VANISHED: "was in flight; the service knows it no more",
    DriftKind.UNRECORDED: "bears our tag and is not on record; adopted where a spec asks for just that",
    DriftKind.FOREIGN: "someone else's run; if it is meant to count, see `reconciler adopt --help`",
}


def render_drift(
    drifts: Sequence[Drift], *, reads: int, paint: Paint, width: int = COLUMNS, unread: int = 0
) -> str:
    """One entry a stretch of units, in lines that fit; ends with a newline.

    `unread` is how many problems kept something from being read.
    """
    lines: list[str] = []
    for one in drifts:
        runs = ", ".join(map(clean, one.run_ids[:3]))
        more = f" and {len(one.run_ids) - 3} more" if len(one.run_ids) > 3 else ""  # noqa: PLR2004 - those shown
        kind = one.kind.value
        told = f"{one.address}@{one.dates}: {_WORDS[one.kind]} (run {runs}{more})"
        first, *rest = hanging(f"  {kind}  ", told, width=width)
        lines += [first.replace(kind, paint(kind, Role.PROBLEM), 1), *rest]
    found = some(len(drifts), "difference") if drifts else "no difference"
    if unread:
        found += " in what could be read; not all of it could"
    lines.append(f"{paint('Drift:', Role.STRONG)} {found}. {some(reads, 'API call')} made.")
    return "\n".join(lines) + "\n"


def drift_document(drifts: Sequence[Drift], *, reads: int) -> dict[str, object]:
    """`drift --json`."""
    return {
        "format_version": DRIFT_VERSION,
        "drift": [
            {
                "address": str(one.address),
                "dates": list(one.dates.texts()),
                "kind": one.kind.value,
                "run_ids": list(one.run_ids),
            }
            for one in drifts
        ],
        "reads": reads,
    }
