"""Subject, series and tag: where a unit runs, what exactly runs there, and the name that says so.

The series fingerprint is the identity of our runs: it comes from the spec alone, so that a lost store
costs a slower plan and not a second backfill. Its input is fixed within a format version; golden
vectors in the tests hold it still.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.addresses import Kind
from reconciler.model.canonical import short_digest

#: Version of the fingerprint's input; it is part of what is hashed and of the tag's prefix.
FINGERPRINT_FORMAT = 1


class Realm(enum.Enum):
    """Which world runs belong to: the real one, or a simulator's."""

    LIVE = "live"
    SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """The hours of a day that an hourly node shall run for: `HH:MM:SS`, both ends inclusive."""

    begin: str
    end: str


@dataclass(frozen=True, kw_only=True)  # no slots: the fingerprint is computed once
class Subject:
    """Where a unit runs.

    `workspace` is the projectId for a Backfill and the project's English identifier for a ManualFlow;
    `root` is the root node's id, the flow's name or the job's name.
    """

    realm: Realm
    provider: str
    region: str
    workspace: str
    environment: str
    kind: Kind
    root: str
    hours: Hours | None = None
    variant: str | None = None

    def document(self) -> dict[str, object]:
        """The JSON form that is hashed and stored."""
        return {
            "realm": self.realm.value,
            "provider": self.provider,
            "region": self.region,
            "workspace": self.workspace,
            "environment": self.environment,
            "kind": self.kind.value,
            "root": self.root,
            "hours": [self.hours.begin, self.hours.end] if self.hours else None,
            "variant": self.variant,
        }

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sixteen base32 characters that stand for this subject in the store."""
        return short_digest({"format": FINGERPRINT_FORMAT, "subject": self.document()})

    @functools.cached_property
    def home(self) -> str:
        """Sixteen base32 characters that stand for the workspace, in which one kind of runs lives."""
        document = self.document()
        names = ("realm", "provider", "region", "workspace", "environment", "kind")
        return short_digest({"format": FINGERPRINT_FORMAT, **{n: document[n] for n in names}})


#: The scope of what says which plan day a data date has (DataArts: `offsetDays`).
PLAN_SCOPE = "plan"
PLAN_OFFSET = "offsetDays"

#: Parameters by scope: a node id, `flow` for a whole manual flow, or `plan`. Sorted on both levels.
Params = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def sorted_params(params: Mapping[str, Mapping[str, str]]) -> Params:
    """Freeze parameters in canonical order; scopes without parameters say nothing and are dropped."""
    return tuple(
        (scope, tuple(sorted(values.items())))
        for scope, values in sorted(params.items())
        if values
    )


@dataclass(frozen=True, kw_only=True)  # no slots: the fingerprint is computed once
class Series:
    """What exactly runs: a subject with its nodes and parameters.

    `include` and `exclude` are sorted node ids; both are empty for a manual flow that runs whole.
    """

    subject: Subject
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    params: Params = ()

    def document(self) -> dict[str, object]:
        """The JSON form that is hashed, stored and compared field by field."""
        return {
            "subject": self.subject.document(),
            "include": list(self.include),
            "exclude": list(self.exclude),
            "params": {scope: dict(values) for scope, values in self.params},
        }

    @property
    def nodes_a_date(self) -> int:
        """About how many node instances a date makes, as far as the spec tells."""
        return max(1, len(self.include))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sixteen base32 characters; equal for specs that ask for the same work."""
        return short_digest({"format": FINGERPRINT_FORMAT, **self.document()})


def plan_offset(series: Series) -> int:
    """How many days after its data date a period is planned; 0 where nothing says so."""
    return int(dict(dict(series.params).get(PLAN_SCOPE, ())).get(PLAN_OFFSET, "0"))


def series_from_document(document: Mapping[str, object]) -> Series:
    """Read back what `Series.document` wrote.

    Raises:
        KeyError, TypeError, ValueError: The document is not one of ours.
    """
    subject = _mapping(document["subject"])
    hours = subject["hours"]
    params = _mapping(document["params"])
    return Series(
        subject=Subject(
            realm=Realm(subject["realm"]),
            provider=str(subject["provider"]),
            region=str(subject["region"]),
            workspace=str(subject["workspace"]),
            environment=str(subject["environment"]),
            kind=Kind(subject["kind"]),
            root=str(subject["root"]),
            hours=Hours(*_texts(hours)) if hours is not None else None,
            variant=None if subject["variant"] is None else str(subject["variant"]),
        ),
        include=_texts(document["include"]),
        exclude=_texts(document["exclude"]),
        params=sorted_params(
            {
                scope: {key: str(value) for key, value in _mapping(values).items()}
                for scope, values in params.items()
            }
        ),
    )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {value!r}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {value!r}")
    return tuple(map(str, value))


#: Longest run name that DataWorks takes (Source: constraint in the vendor's Java SDK).
NAME_LIMIT = 128

#: The parameter of a manual run that may carry our tag; a spec may not use it.
MARKER = "reconciler_run"

_TAG = re.compile(r"rc1-([a-z2-7]{16})-g([1-9][0-9]{0,8})-([a-z2-7]{6})(?: |\Z)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """The front of every run name we choose: `rc1-<series fp>-g<generation>-<call id>`.

    It stands first, so that a service that cuts long names cannot cut it.
    """

    series: str
    generation: int
    call_id: str

    def __str__(self) -> str:
        return f"rc1-{self.series}-g{self.generation}-{self.call_id}"

    def name(self, spec_name: str) -> str:
        """The run name to send: the tag, a space, the spec's name, cut to the limit."""
        return f"{self} {spec_name}"[:NAME_LIMIT]

    @classmethod
    def parse(cls, name: str) -> Tag | None:
        """The tag at the front of a run name, or None when the run is not one of ours."""
        found = _TAG.match(name)
        if found is None:
            return None
        return cls(series=found[1], generation=int(found[2]), call_id=found[3])
