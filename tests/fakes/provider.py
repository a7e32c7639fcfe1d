"""A provider without a network: it executes creates in memory, or answers as it was told to.

What it leaves out on purpose: wire formats, signatures, pages, limits. Its listings are complete and
instant unless a test says otherwise, and a run goes on only when a test moves it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.calls import CheckReport, Prepared, StopReport, WireCall
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import ProviderError, Unavailable
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Tuning
from reconciler.model.runs import (
    Discovery,
    FoundRun,
    KnownRuns,
    NodeFailure,
    Observation,
    Origin,
    Tier,
    UnitStatus,
)
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Tag
from tests.builders import a_wire

#: How long a signature of the fake service is accepted, skew included.
VALIDITY = dt.timedelta(minutes=16)

#: What was signed longer ago than this is not sent, as the port asks of every provider.
SEND_WITHIN = dt.timedelta(seconds=5)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing a provider was asked: the method, what about (root, name or run id), and when."""

    method: str
    about: str
    at: float


@dataclasses.dataclass(slots=True, kw_only=True)
class FakeRun:
    """A run of the fake service. `later` holds what it will look like, by monotonic time, ascending."""

    id: str
    name: str
    root: str
    dates: DateRange
    created_at: dt.datetime
    coverage: RangeMap[UnitStatus]
    gone: bool = False
    later: deque[tuple[float, RangeMap[UnitStatus]]] = dataclasses.field(default_factory=deque)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How one create goes: whether the service executes it, and what we are told (None: its run)."""

    outcome: CreateOutcome | None = None
    executes: bool = True


class FakeProvider:
    """One connection to a service that lives in this object.

    Attributes:
        log: Everything it was asked, in order.
        runs: What the service runs, by id; tests move them.
        found: Runs of other people that listings show, too.
        hollow: Dates on which an included node was only skipped.
        tier_of: The tier of every operation.
        lists: Whether listings are complete.
        refuses_to_sign: What `prepare` raises, by run name; None stands for every name.
        unreadable: What a method raises for a root, by `(method, root)`; the root of `confirm` is a name.
        on_prepare: Called with the wire call as it is signed.
        on_create: Called with the prepared call as its request leaves.
        held: While set, answers are held back until `release`.
        flying, most_flying: Requests out now, and the most there ever were at once.
    """

    def __init__(self, clock: Clock, *, ids_from: int = 1) -> None:
        """An empty service on a clock; its runs are numbered from `ids_from`."""
        self._clock = clock
        self._next = ids_from
        self._scripts: dict[str | None, deque[Script]] = defaultdict(deque)
        self._gate = asyncio.Event()
        self._gate.set()
        self.log: list[Asked] = []
        self.runs: dict[str, FakeRun] = {}
        self.found: list[FoundRun] = []
        self.hollow = DateSet()
        self.tier_of = Tier.S2
        self.lists = True
        self.refuses_to_sign: dict[str | None, ProviderError] = {}
        self.unreadable: dict[tuple[str, str], ProviderError] = {}
        self.on_prepare: Callable[[WireCall], None] = lambda _: None
        self.on_create: Callable[[Prepared], None] = lambda _: None
        self.flying = 0
        self.most_flying = 0

    # What tests say beforehand ────────────────────────────────────────────────────────────────────

    def script(self, *scripts: Script | CreateOutcome, root: str | None = None) -> None:
        """Say how the next creates go, in order, for one root or (None) for any.

        An outcome alone stands for a create that is executed if, and only if, it is `Accepted`.
        """
        for one in scripts:
            if isinstance(one, Script):
                self._scripts[root].append(one)
            else:
                executes = isinstance(one, Accepted)
                self._scripts[root].append(
                    Script(outcome=None if executes else one, executes=executes)
                )

    def fail(self, method: str, root: str, error: ProviderError | None = None) -> None:
        """Let reads of a root fail."""
        self.unreadable[(method, root)] = error or unavailable(method)

    def hold(self) -> None:
        """Keep answers back."""
        self._gate.clear()

    def release(self) -> None:
        """Let all answers through."""
        self._gate.set()

    def move(self, status: UnitStatus, *, run_id: str | None = None) -> None:
        """Bring one run, or all of them, to one status on all its dates."""
        for run in self.runs.values():
            if run_id in {None, run.id}:
                run.coverage = RangeMap.constant(DateSet((run.dates,)), status)

    def move_later(self, run_id: str, when: float, status: UnitStatus) -> None:
        """Bring a run to a status once the clock's monotonic time is `when`."""
        run = self.runs[run_id]
        run.later.append((when, RangeMap.constant(DateSet((run.dates,)), status)))

    # What tests ask afterwards ────────────────────────────────────────────────────────────────────

    def asked(self, method: str) -> list[str]:
        """What a method was asked about, in order."""
        return [one.about for one in self.log if one.method == method]

    def times(self, method: str) -> list[float]:
        """When a method was asked, in seconds of the clock."""
        return [one.at for one in self.log if one.method == method]

    @property
    def executed(self) -> list[str]:
        """`root@dates` of every create the service executed, in order."""
        return [f"{run.root}@{run.dates}" for run in self.runs.values()]

    # The port ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def calls_made(self) -> int:
        """API calls sent so far; signing and pacing are none."""
        return sum(one.method not in {"prepare", "turn"} for one in self.log)

    def tier(self, kind: Kind, *, tags_survive: bool | None = None) -> Tier:
        """The same for all kinds, and S3 once a tag came back altered."""
        del kind
        if tags_survive is False:
            return Tier.S3
        return self.tier_of

    def run_name(self, tag: Tag, spec_name: str) -> str:
        return tag.name(spec_name)

    def wire_call(self, series: Series, dates: DateRange, name: str, tuning: Tuning) -> WireCall:
        """A call with every input visible."""
        return a_wire("prod", series, dates, name, tuning)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign at this moment."""
        name = call.parameters["Name"]
        self._note("prepare", name)
        self.on_prepare(call)
        refusal = self.refuses_to_sign.get(name) or self.refuses_to_sign.get(None)
        if refusal is not None:
            raise refusal
        now = self._clock.now()
        return Prepared(
            operation=call.operation,
            request=call,
            request_digest=f"digest of {name}",
            signed_at=now,
            valid_until=now + VALIDITY,
        )

    async def take_create_turn(self, operation: str) -> None:
        """There are no limits, but other tasks get a turn."""
        self._note("turn", operation)
        await asyncio.sleep(0)

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Execute, hold the answer while told to, and answer as scripted."""
        call = prepared.request
        assert isinstance(call, WireCall)
        if self._clock.now() - prepared.signed_at > SEND_WITHIN:
            return Refused(code="not_sent", message="signed too long ago", transient=True)
        self._note("create", call.parameters["Name"])
        self.on_create(prepared)
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        root = call.parameters["RootNodeId"]
        queue = self._scripts[root] or self._scripts[None]
        script = queue.popleft() if queue else Script()
        run = self._execute(call) if script.executes else None
        try:
            await self._gate.wait()
        finally:
            self.flying -= 1
        if script.outcome is not None:
            return script.outcome
        assert run is not None, "a create that is not executed needs an outcome"
        return Accepted(run_ids=(run.id,), request_id=f"request-{run.id}")

    async def confirm(self, attempt: Attempt) -> Observation:
        """The run's group, as read back by id."""
        self._note("confirm", attempt.name)
        self._raise_if_unreadable("confirm", attempt.name)
        (run_id,) = attempt.run_ids
        return Observation(
            attempt_id=attempt.id,
            coverage=RangeMap(),
            run_group=f"group-{run_id}",
            name=self.runs[run_id].name,
        )

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """How far the attempts' runs are now."""
        return tuple([self._observation(one, series[one.series]) for one in attempts])

    async def discover(
        self, series: Series, dates: DateSet, *, known_runs: KnownRuns
    ) -> Discovery:
        """Every run on the root, ours and theirs, that covers one of `dates`."""
        root = series.subject.root
        self._note("discover", root)
        self._raise_if_unreadable("discover", root)
        listed = [self._as_found(run) for run in self.runs.values() if run.root == root]
        listed = [run for run in (*listed, *self.found) if run.dates & dates]
        return Discovery(
            dates=dates,
            found=tuple(run for run in listed if not _is_on_record(run, known_runs)),
            complete=self.lists,
            began_at=self._clock.now(),
            shows_tags=any(
                run.tag is not None and not _is_on_record(run, known_runs) for run in listed
            ),
        )

    async def hollow_dates(self, attempt: Attempt, series: Series, dates: DateSet) -> DateSet:
        """Those that a test named."""
        self._note("hollow_dates", attempt.id)
        self._raise_if_unreadable("hollow_dates", series.subject.root)
        return self.hollow & dates

    async def find_run(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """One run by its id, wherever it runs."""
        del series, dates
        self._note("find_run", run_id)
        listed = [self._as_found(run) for run in self.runs.values()]
        return next((run for run in (*listed, *self.found) if run_id in run.run_ids), None)

    async def stop(self, attempt: Attempt, series: Series, dates: DateSet) -> StopReport:
        """Stop nothing: no test of the core asks for it."""
        raise NotImplementedError

    async def failures(
        self, attempt: Attempt, series: Series, dates: DateSet
    ) -> tuple[NodeFailure, ...]:
        """Tell of no node: no test of the core asks for one."""
        raise NotImplementedError

    async def server_time(self) -> dt.datetime:
        """The clock it shares with everybody."""
        return self._clock.now()

    async def check(self) -> CheckReport:
        """All is well."""
        self._note("check", "")
        return CheckReport(sound=True, lines=("reachable",))

    def _note(self, method: str, about: str) -> None:
        self.log.append(Asked(method=method, about=about, at=self._clock.monotonic()))

    def _raise_if_unreadable(self, method: str, root: str) -> None:
        error = self.unreadable.get((method, root))
        if error is not None:
            raise error

    def _execute(self, call: WireCall) -> FakeRun:
        wire = call.parameters
        dates = DateRange.parse(f"{wire['StartBizDate']}..{wire['EndBizDate']}")
        run = FakeRun(
            id=str(self._next),
            name=wire["Name"],
            root=wire["RootNodeId"],
            dates=dates,
            created_at=self._clock.now(),
            coverage=RangeMap.constant(DateSet((dates,)), UnitStatus.CREATED),
        )
        self._next += 1
        self.runs[run.id] = run
        return run

    def _observation(self, attempt: Attempt, series: Series) -> Observation:
        self._note("observe", attempt.name)
        self._raise_if_unreadable("observe", series.subject.root)
        runs = [self.runs[run_id] for run_id in attempt.run_ids if run_id in self.runs]
        for run in runs:
            while run.later and run.later[0][0] <= self._clock.monotonic():
                run.coverage = run.later.popleft()[1]
        return Observation(
            attempt_id=attempt.id,
            coverage=_together(run.coverage for run in runs if not run.gone),
            gone=not runs or all(run.gone for run in runs),
        )

    def _as_found(self, run: FakeRun) -> FoundRun:
        return FoundRun(
            origin=Origin.BACKFILL,
            run_ids=(run.id,),
            coverage=run.coverage,
            name=run.name,
            tag=Tag.parse(run.name),
            run_group=f"group-{run.id}",
            created_at=run.created_at,
        )


def unavailable(operation: str = "GetDag") -> Unavailable:
    """What a read raises while the service is down."""
    return Unavailable("the service is down", provider="fake", operation=operation)


def _together(maps: Iterable[RangeMap[UnitStatus]]) -> RangeMap[UnitStatus]:
    return RangeMap.of(item for one in maps for item in one)


def _is_on_record(run: FoundRun, known: KnownRuns) -> bool:
    return all(not run.dates - known.get(run_id, DateSet()) for run_id in run.run_ids)
