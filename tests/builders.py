"""Values with defaults, so that a test states only what matters to it.

Every builder returns a frozen value of `reconciler.model` or `reconciler.planning`. Dates are written the
way people write them (`2024-05-01` or `2024-05-01..2024-05-03`); moments are minutes after `NOON`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from hypothesis import strategies as st

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, RecordedState, UnitRecord
from reconciler.model.calls import WireCall
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Place
from reconciler.model.gates import Gate, GateRef, GateStanding, NothingUnfinished, Scope
from reconciler.model.plan import Action, Decision, Plan
from reconciler.model.project import Freeze, Policy
from reconciler.model.rangemap import RangeMap, overlay
from reconciler.model.resources import OnChange, OnFailure, Requirement, Resource, Rollout, Tuning
from reconciler.model.runs import Discovery, FoundRun, Observation, Origin, Tier, UnitStatus
from reconciler.model.series import Hours, Realm, Series, Subject, Tag, sorted_params
from reconciler.planning.absence import Absence
from reconciler.planning.deciding import Candidate, Listed, Rules, UnitFacts
from reconciler.planning.facts import Service
from reconciler.planning.history import Past
from reconciler.planning.planner import Making
from reconciler.planning.situation import Situation

#: The moment tests count from.
NOON = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
#: How long the service of `a_situation` may take to list a call.
LAG = dt.timedelta(minutes=3)
#: The first of the data dates that random tests draw from.
FIRST = dt.date(2024, 5, 1)


def at(minutes: float) -> dt.datetime:
    """A moment, in minutes after `NOON`."""
    return NOON + dt.timedelta(minutes=minutes)


def dates(*texts: str) -> DateSet:
    """Data dates from `A` and `A..B` texts."""
    return DateSet.parse(texts)


def day(number: int) -> dt.date:
    """The data date `number` days after `FIRST`."""
    return FIRST + dt.timedelta(days=number)


def span(first: int, last: int) -> DateRange:
    """The data dates from `day(first)` to `day(last)`, both included."""
    return DateRange.inclusive(day(first), day(last))


def a_subject(
    *,
    root: str = "1234",
    kind: Kind = Kind.BACKFILL,
    variant: str | None = None,
    hours: Hours | None = None,
    realm: Realm = Realm.SIMULATOR,
    workspace: str = "112345",
    environment: str = "PROD",
) -> Subject:
    """Where units run: one node of a DataWorks workspace."""
    return Subject(
        realm=realm,
        provider="dataworks",
        region="cn-shanghai",
        workspace=workspace,
        environment=environment,
        kind=kind,
        root=root,
        hours=hours,
        variant=variant,
    )


def a_series(
    *,
    subject: Subject | None = None,
    include: tuple[str, ...] = ("1234",),
    exclude: tuple[str, ...] = (),
    params: Mapping[str, Mapping[str, str]] | None = None,
) -> Series:
    """What runs: the root node without parameters."""
    return Series(
        subject=subject or a_subject(),
        include=include,
        exclude=exclude,
        params=sorted_params(params or {}),
    )


def a_resource(
    name: str = "orders",
    when: str | Mapping[str, int] = "2024-05-01..2024-05-05",
    *,
    series: Series | None = None,
    connection: str = "prod",
    parallelism: int = 1,
    on_failure: OnFailure = OnFailure.HOLD,
    on_change: OnChange = OnChange.HOLD,
    max_attempts: int = 3,
    line: int = 1,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    requires: Iterable[str] = (),
    gates: Iterable[str] = (),
    rollout: Rollout | None = None,
) -> Resource:
    """A declared resource.

    `when` holds texts of dates joined by commas, all at generation 1, or texts with a generation each.
    """
    wanted = dict.fromkeys(when.split(","), 1) if isinstance(when, str) else when
    series = series or a_series()
    return Resource(
        address=Address.of(series.subject.kind, name),
        connection=connection,
        series=series,
        generations=RangeMap.of(
            (DateRange.parse(text), generation) for text, generation in wanted.items()
        ),
        place=Place("specs/all.yaml", line),
        tuning=Tuning(parallelism=parallelism),
        on_failure=on_failure,
        max_attempts=max_attempts,
        on_change=on_change,
        annotations=annotations or {},
        labels=labels or {},
        requires=tuple(map(Requirement.parse, requires)),
        gates=tuple(map(GateRef, gates)),
        rollout=rollout or Rollout(),
    )


def an_attempt(
    number: int = 1,
    when: str = "2024-05-01..2024-05-05",
    *,
    state: AttemptState = AttemptState.ACCEPTED,
    seen: Mapping[str, UnitStatus | UnitRecord] | UnitStatus | None = None,
    series: Series | None = None,
    generation: int = 1,
    name: str = "orders",
    serial: bool = True,
    adopted: bool = False,
    minutes: float | None = None,
    call_id: str | None = None,
    code: str | None = None,
    message: str | None = None,
    transient: bool = False,
    run_ids: tuple[str, ...] | None = None,
) -> Attempt:
    """A call on record.

    `seen` is one status for all dates, or a status by text of dates. It was signed `minutes` after `NOON`
    (its number, unless given); an adopted run was never signed here and was created then.
    """
    series = series or a_series()
    whole = DateRange.parse(when)
    statuses = {when: seen} if isinstance(seen, UnitStatus) else (seen or {})
    moment = at(number if minutes is None else minutes)
    signed = None if adopted or state is AttemptState.INTENT else moment
    call_id = call_id or f"call{number:a>2}".translate(_BASE32)
    unsent = state in {AttemptState.INTENT, AttemptState.VOID}
    if run_ids is None:
        run_ids = (f"run-{number}",) if state in _WITH_RUNS else ()
    return Attempt(
        id=f"attempt-{number}",
        number=number,
        address=Address.of(series.subject.kind, name),
        connection="prod",
        operation="RunCycleDagNodes",
        subject=series.subject.fingerprint,
        series=series.fingerprint,
        generation=generation,
        dates=whole,
        call_id=call_id,
        plan_id="plan-0",
        name=Tag(series=series.fingerprint, generation=generation, call_id=call_id).name(name),
        state=state,
        serial=serial,
        adopted=adopted,
        created_at=moment,
        signed_at=signed,
        valid_until=None if unsent or signed is None else signed + dt.timedelta(minutes=16),
        code=code,
        message=message,
        transient=transient,
        run_ids=run_ids,
        coverage=RangeMap.of(
            (DateRange.parse(text), one if isinstance(one, UnitRecord) else UnitRecord(one))
            for text, one in statuses.items()
        ),
    )


#: Digits that base32 does not have.
_BASE32 = str.maketrans("0189", "zyxw")
_WITH_RUNS = {AttemptState.ACCEPTED, AttemptState.PARTIAL}


def an_observation(
    attempt: Attempt,
    seen: Mapping[str, UnitStatus] | UnitStatus | None = None,
    *,
    gone: bool = False,
    run_ids: tuple[str, ...] = (),
    run_group: str | None = None,
) -> Observation:
    """What the service says of an attempt's runs: one status for all its dates, or one by text."""
    statuses = {str(attempt.dates): seen} if isinstance(seen, UnitStatus) else (seen or {})
    return Observation(
        attempt_id=attempt.id,
        coverage=RangeMap.of((DateRange.parse(text), one) for text, one in statuses.items()),
        gone=gone,
        run_ids=run_ids,
        run_group=run_group,
    )


def a_found_run(
    when: str = "2024-05-01..2024-05-05",
    *,
    status: UnitStatus = UnitStatus.RUNNING,
    series: Series | None = None,
    generation: int = 1,
    call_id: str = "foundy",
    origin: Origin = Origin.BACKFILL,
    run_ids: tuple[str, ...] = ("found-1",),
    minutes: float = 0,
) -> FoundRun:
    """A run that discovery came across: somebody else's, unless a `series` is given."""
    tag = (
        Tag(series=series.fingerprint, generation=generation, call_id=call_id) if series else None
    )
    return FoundRun(
        origin=origin,
        run_ids=run_ids,
        coverage=RangeMap.of((DateRange.parse(text), status) for text in when.split(",")),
        name=tag.name("orders") if tag else "by hand",
        tag=tag,
        run_group="group-" + run_ids[0],
        created_at=at(minutes),
        created_by="1822",
    )


def a_discovery(
    *found: FoundRun,
    when: str = "2024-05-01..2024-05-05",
    complete: bool = True,
    minutes: float = 60,
    shows_tags: bool = True,
) -> Discovery:
    """A complete listing begun an hour after `NOON`, which has shown runs of ours."""
    return Discovery(
        dates=DateSet.parse(when.split(",")),
        found=found,
        complete=complete,
        began_at=at(minutes),
        shows_tags=shows_tags,
    )


def a_record(
    *attempts: Attempt, series: Iterable[Series] = (), lineage: str | None = "lineage-1"
) -> RecordedState:
    """What the store holds: attempts by number, and the series they are of."""
    return RecordedState(
        lineage=lineage,
        serial=len(attempts),
        attempts=tuple(sorted(attempts, key=lambda attempt: attempt.number)),
        series={item.fingerprint: item for item in (a_series(), *series)},
    )


def a_situation(
    *resources: Resource,
    recorded: RecordedState | None = None,
    discoveries: Mapping[Address, Discovery] | None = None,
    tier: Tier = Tier.S2,
    selected: Callable[[Address], bool] = lambda _: True,
    unreadable: Mapping[Address, Diagnostic] | None = None,
    freeze: Freeze | None = None,
    gates: Iterable[GateStanding] = (),
) -> Situation:
    """What a plan is made from: connection `prod`, an empty store, nothing listed."""
    services = {
        (connection, kind): Service(tier=tier, lag=LAG)
        for connection in ("prod", *(one.connection for one in resources))
        for kind in Kind
    }
    return Situation(
        resources=resources,
        recorded=recorded or a_record(),
        services=services,
        discoveries=discoveries or {},
        unreadable=unreadable or {},
        selected=selected,
        freeze=freeze,
        gates={one.gate.name: one for one in gates},
    )


def a_gate(name: str = "quiet", *, connection: str = "ob") -> Gate:
    """A gate on a cluster."""
    condition = NothingUnfinished(scope=Scope.CLUSTER)
    return Gate(name=name, connection=connection, condition=condition)


def a_making(*, policy: Policy | None = None, reads: int = 0) -> Making:
    """What a new plan is given besides its situation."""
    return Making(
        plan_id="plan-1",
        project="data-platform",
        tool_version="0.0.0",
        as_of=at(120),
        created_at=at(120),
        policy=policy or Policy(),
        reads=reads,
        token=a_token(),
        run_name=lambda _, tag, spec: tag.name(spec),
        wire=a_wire,
    )


def a_token() -> Callable[[int], str]:
    """A source of base32 texts that counts: `aaaaaa`, `aaaaab`, …"""
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    made = 0

    def token(length: int) -> str:
        nonlocal made
        left, text = made, ""
        for _ in range(length):
            left, digit = divmod(left, len(alphabet))
            text = alphabet[digit] + text
        made += 1
        return text

    return token


def a_wire(
    connection: str, series: Series, when: DateRange, name: str, tuning: Tuning
) -> WireCall:
    """Spell a call with every input visible."""
    return WireCall(
        operation="RunCycleDagNodes",
        parameters={
            "Connection": connection,
            "RootNodeId": series.subject.root,
            "StartBizDate": str(when.start),
            "EndBizDate": str(when.last),
            "Name": name,
            "Parallelism": str(tuning.parallelism > 1).lower(),
        },
    )


def a_past(
    *,
    state: AttemptState = AttemptState.ACCEPTED,
    status: UnitStatus | None = None,
    series: Series | None = None,
    generation: int = 1,
    gone: bool = False,
    spent: int = 0,
    code: str | None = None,
    message: str | None = None,
    transient: bool = False,
    call_id: str = "pastaa",
    run_ids: tuple[str, ...] = ("run-1",),
) -> Past:
    """The attempt that matters for a unit: accepted, nothing seen of it yet."""
    return Past(
        attempt="attempt-1",
        call_id=call_id,
        address=Address.of(Kind.BACKFILL, "orders"),
        state=state,
        series=(series or a_series()).fingerprint,
        generation=generation,
        status=status,
        gone=gone,
        spent=spent,
        sent_at=at(1),
        sent_after=at(1),
        valid_until=at(17),
        run_ids=run_ids,
        code=code,
        message=message,
        transient=transient,
    )


def unit_facts_of(
    past: Past | None = None,
    *,
    generation: int = 1,
    listed: Listed | None = None,
    absence: Absence | None = None,
    series: Series | None = None,
) -> UnitFacts:
    """All that decides one unit."""
    return UnitFacts(
        series=(series or a_series()).fingerprint,
        generation=generation,
        past=past,
        listed=listed,
        absence=absence,
    )


def rules(
    *,
    on_failure: OnFailure = OnFailure.HOLD,
    max_attempts: int = 3,
    on_change: OnChange = OnChange.HOLD,
    tier: Tier = Tier.S2,
) -> Rules:
    """What holds for all units of a resource; the defaults are those of a spec."""
    return Rules(on_failure=on_failure, max_attempts=max_attempts, on_change=on_change, tier=tier)


def decisions(plan: Plan, name: str = "orders") -> dict[str, Decision]:
    """The decision on each stretch of one address, by text of its dates."""
    return {
        str(action.dates): action.decision
        for action in plan.actions
        if action.address.name == name
    }


def the_action(plan: Plan, decision: Decision) -> Action:
    """The one action of a plan with this decision."""
    (action,) = (action for action in plan.actions if action.decision is decision)
    return action


def applied(recorded: RecordedState, plan: Plan, *, status: UnitStatus) -> RecordedState:
    """The record after applying a plan on paper: each call is accepted, each run ends with `status`.

    Units whose absence the plan had proved are marked absent first, as an apply would.
    """
    attempts = list(recorded.attempts)
    number = max((one.number for one in attempts), default=0)
    later = max((one.created_at for one in attempts), default=NOON) + dt.timedelta(days=1)
    subjects = {key: one.subject.fingerprint for key, one in recorded.series.items()}
    subjects |= {key: one.subject.fingerprint for key, one in plan.series.items()}
    planned = [
        (call.address, call.id, call.series, call.generation, call.dates, call.name, False)
        for call in plan.calls
    ] + [
        (one.address, one.call_id, one.series, one.generation, one.run.dates, "", True)
        for one in plan.adoptions
    ]
    for address, call_id, series, generation, when, name, adopted in planned:
        for piece in when:
            number += 1
            attempts.append(
                Attempt(
                    id=f"applied-{number}",
                    number=number,
                    address=address,
                    connection="prod",
                    operation="RunCycleDagNodes",
                    subject=subjects[series],
                    series=series,
                    generation=generation,
                    dates=piece,
                    call_id=call_id,
                    plan_id=plan.id,
                    name=name,
                    state=AttemptState.ACCEPTED,
                    adopted=adopted,
                    created_at=later,
                    signed_at=None if adopted else later,
                    run_ids=(f"applied-{number}",),
                    coverage=RangeMap.constant(DateSet((piece,)), UnitRecord(status)),
                )
            )
    return RecordedState(
        lineage=recorded.lineage,
        serial=recorded.serial + 1,
        attempts=tuple(attempts),
        series={**recorded.series, **plan.series},
    )


# ── Random values ────────────────────────────────────────────────────────────────────────────────────


def ranges(window: int = 12) -> st.SearchStrategy[DateRange]:
    """Ranges within the first `window` days."""
    return st.tuples(st.integers(0, window - 1), st.integers(0, window - 1)).map(
        lambda ends: span(min(ends), max(ends))
    )


def date_sets(window: int = 12) -> st.SearchStrategy[DateSet]:
    """Sets within the first `window` days; each subset is as likely as another."""
    return st.integers(0, 2**window - 1).map(
        lambda bits: DateSet.of_dates(day(n) for n in range(window) if bits >> n & 1)
    )


def range_maps(
    values: st.SearchStrategy[str], window: int = 12
) -> st.SearchStrategy[RangeMap[str]]:
    """Maps within the first `window` days."""
    return st.lists(st.tuples(ranges(window), values), max_size=5).map(overlay)


_LIVE_STATES = (AttemptState.ACCEPTED, AttemptState.ACCEPTED, AttemptState.ACCEPTED)
_STATES = (*_LIVE_STATES, *AttemptState)


@st.composite
def attempts_of(
    draw: st.DrawFn,
    series: tuple[Series, ...],
    *,
    window: int = 6,
    max_size: int = 4,
    states: tuple[AttemptState, ...] = _STATES,
) -> tuple[Attempt, ...]:
    """A random record: attempts that overlap, of some of `series`, in any state, partly seen."""
    made = []
    for number in range(1, draw(st.integers(0, max_size)) + 1):
        one = draw(st.sampled_from(series))
        state = draw(st.sampled_from(states))
        whole = draw(ranges(window))
        seen: dict[str, UnitStatus | UnitRecord] = {}
        if state in _WITH_RUNS:
            for date in whole.days():
                status = draw(st.sampled_from((None, *UnitStatus)))
                if status is not None:
                    seen[str(date)] = UnitRecord(status, gone=draw(st.booleans()))
        made.append(
            an_attempt(
                number,
                str(whole),
                state=state,
                seen=seen,
                series=one,
                generation=draw(st.integers(1, 3)),
                serial=draw(st.booleans()),
                minutes=draw(st.integers(0, 30)),
                adopted=state in _WITH_RUNS and draw(st.booleans()),
                name=draw(st.sampled_from(("orders", "old-orders"))),
            )
        )
    return tuple(made)


def a_candidate(
    run_id: str = "maybe",
    *,
    created_at: dt.datetime | None = None,
    created_by: str | None = None,
) -> Candidate:
    """A run without a tag that might be ours."""
    return Candidate(run_ids=(run_id,), created_at=created_at, created_by=created_by)
