"""Observed state: what a provider says of runs, translated into our words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.series import Tag


class UnitStatus(enum.Enum):
    """How far a unit's run is."""

    CREATED = "created"
    RUNNING = "running"
    SUCCESS = "success"
    HOLLOW = "hollow"
    """Succeeded, but an included node was only skipped."""
    FAILURE = "failure"
    NOT_RUN = "not_run"
    """Never started, because an earlier date of its serial call failed."""
    STOPPED = "stopped"
    """Ended because we stopped it."""

    @property
    def in_flight(self) -> bool:
        """Whether it may still change without anybody's doing."""
        return self in {UnitStatus.CREATED, UnitStatus.RUNNING}


class Tier(enum.Enum):
    """How well an operation's runs can be found again (S0 best): see the README's promises."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


#: Runs on record by id, each with the dates it is on record for.
KnownRuns = Mapping[str, DateSet]


def is_known(known: KnownRuns, run_id: str, date: dt.date | None) -> bool:
    """Whether a run is on record for a date; where the service does not tell one, for any."""
    dates = known.get(run_id)
    return dates is not None and (date is None or date in dates)


class Origin(enum.Enum):
    """Who starts runs of a kind."""

    BACKFILL = "backfill"
    SCHEDULE = "schedule"
    MANUAL = "manual"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one attempt's runs look like now.

    `coverage` holds each date the service showed; dates of the attempt it did not show are absent from
    it. `gone` is true when the service answered that it no longer knows the run. `run_ids` and
    `run_group` (DataWorks: OpSeq) may add to what was known. `name` is the run's name as read back, or
    None where runs bear no name of ours. `took` is how many whole seconds each date that succeeded took,
    where the service tells it of that date alone.
    """

    attempt_id: str
    coverage: RangeMap[UnitStatus]
    gone: bool = False
    run_ids: tuple[str, ...] = ()
    run_group: str | None = None
    name: str | None = None
    took: RangeMap[int] = field(default_factory=RangeMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRun:
    """A run that discovery came across, ours (`tag`) or somebody else's.

    One FoundRun stands for all runs that share a name and a group; `coverage` maps its dates to statuses.
    """

    origin: Origin
    run_ids: tuple[str, ...]
    coverage: RangeMap[UnitStatus]
    name: str | None = None
    tag: Tag | None = None
    run_group: str | None = None
    created_at: dt.datetime | None = None
    created_by: str | None = None

    @property
    def dates(self) -> DateSet:
        """The data dates it runs for."""
        return self.coverage.dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What a listing over one subject showed.

    `dates` were asked for; the listing `began_at` this moment of the service's own clock. Only a
    `complete` one (every page read, under the service's row limit) can prove that a run is absent.
    `shows_tags` says that it returned at least one run with a tag of ours, so that tags survive there.
    It is not `possible` where the connection does not name what the service needs to be asked.
    """

    dates: DateSet
    found: tuple[FoundRun, ...]
    complete: bool
    began_at: dt.datetime
    shows_tags: bool = False
    possible: bool = True

    def joined(self, other: Discovery) -> Discovery:
        """This listing and one of other dates of the same subject, as one.

        A run that both show is in it twice, each time with the dates that were asked for.
        """
        return Discovery(
            dates=self.dates | other.dates,
            found=tuple(
                dataclasses.replace(run, coverage=part)
                for listing in (self, other)
                for run in listing.found
                if (part := run.coverage.restricted(listing.dates))
            ),
            complete=self.complete and other.complete,
            began_at=min(self.began_at, other.began_at),
            shows_tags=self.shows_tags or other.shows_tags,
            possible=self.possible and other.possible,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFailure:
    """One node of a run that failed on a data date, as the service tells it.

    `log` is the end of what the node printed, or empty with `log_problem` saying why.
    """

    date: dt.date
    node_id: str | None
    node_name: str | None
    instance_id: str
    log: tuple[str, ...] = ()
    log_problem: str = ""
