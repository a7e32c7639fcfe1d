"""What differs between two series, field by field. The only user of deepdiff."""

from __future__ import annotations

from reconciler.model.plan import FieldChange
from reconciler.model.series import Series


def series_changes(before: Series, after: Series) -> tuple[FieldChange, ...]:
    """The fields that a spec's edit changed, sorted by path.

    Paths read `NODE.KEY` for a node's parameters, `flow.KEY` for a flow's, `includeNodes` and
    `excludeNodes` for node sets. Subjects are equal by construction and are not compared.
    """
    from deepdiff import DeepDiff  # noqa: PLC0415 - heavy, and most plans change nothing

    found = DeepDiff(_fields(before), _fields(after), view="tree", verbose_level=2)
    changes = {
        level.path(output_format="list")[0]: (level.t1, level.t2)
        for levels in found.values()
        for level in levels
    }
    return tuple(
        FieldChange(path=str(path), before=_text(old), after=_text(new))
        for path, (old, new) in sorted(changes.items())
    )


def _fields(series: Series) -> dict[str, str]:
    fields = {f"{scope}.{key}": value for scope, values in series.params for key, value in values}
    fields["includeNodes"] = ",".join(series.include)
    fields["excludeNodes"] = ",".join(series.exclude)
    return fields


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
