"""A plan in which every decision, reason and optional field occurs, for those who write and show plans."""

from __future__ import annotations

import dataclasses
import datetime as dt

from reconciler.model.addresses import Address, Kind
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.durations import Took
from reconciler.model.estimates import Basis, Estimate
from reconciler.model.gates import (
    DagSucceeded,
    Gate,
    GateReading,
    GateStanding,
    NothingUnfinished,
    RunsSucceeded,
    Scope,
)
from reconciler.model.plan import (
    Action,
    Adoption,
    Call,
    Decision,
    FieldChange,
    Heading,
    Plan,
    Reason,
    Summary,
)
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Order, Rollout
from reconciler.model.runs import Tier, UnitStatus
from reconciler.model.series import Hours, Realm, Tag
from tests.builders import a_found_run, a_resource, a_series, a_subject, at, dates

ORDERS = Address.of(Kind.BACKFILL, "orders-currency-fix")
USERS = Address.of(Kind.BACKFILL, "users-2020")
CLOSE = Address.of(Kind.MANUAL_FLOW, "month-close")

SERIES = a_series(
    subject=a_subject(hours=Hours("00:00:00", "01:00:00"), realm=Realm.LIVE, variant="eu"),
    include=("1234", "74324"),
    exclude=("99",),
    params={"74324": {"key1": "val1", "schlüssel": "wert"}},
)
FLOW = a_series(subject=a_subject(kind=Kind.MANUAL_FLOW, root="test_flow"), include=())


def an_action(
    address: Address,
    decision: Decision,
    reason: Reason,
    when: str,
    detail: str = "",
    *,
    tier: Tier = Tier.S2,
    changes: tuple[FieldChange, ...] = (),
    run_ids: tuple[str, ...] = (),
    blocked_by: tuple[str, ...] = (),
) -> Action:
    """One decision on dates written `A..B,C`."""
    return Action(
        address=address,
        decision=decision,
        dates=dates(*when.split(",")),
        reason=reason,
        tier=tier,
        detail=detail,
        changes=changes,
        run_ids=run_ids,
        blocked_by=blocked_by,
    )


def a_call(
    address: Address = ORDERS, when: str = "2020-05-20..2020-05-24", call_id: str = "abcdef"
) -> Call:
    """One create call of `SERIES`."""
    tag = Tag(series=SERIES.fingerprint, generation=1, call_id=call_id)
    return Call(
        id=call_id,
        address=address,
        connection="prod",
        operation="RunCycleDagNodes",
        dates=dates(when),
        generation=1,
        series=SERIES.fingerprint,
        name=tag.name(address.name),
        serial=True,
        parameters={"Name": tag.name(address.name), "NodeParameters": '{"k": "ü"}'},
        spec_digest="5" * 64,
        facts_digest="f" * 64,
    )


def a_plan(**changes: object) -> Plan:
    """The plan, with some fields replaced."""
    plan = Plan(
        id="planaaaaaaaaaaaa",
        tool_version="0.0.0",
        project="data-platform",
        lineage="lineage-1",
        serial=7,
        created_at=at(0),
        as_of=at(0) - dt.timedelta(milliseconds=1),
        expires_at=at(7 * 24 * 60),
        summary=Summary(
            create=11,
            rerun=30,
            adopt=1,
            wait=2,
            blocked=3,
            hold=2,
            unknown=1,
            none=91,
            released=4,
            calls=4,
            reads=12,
            node_instances=123,
        ),
        actions=(
            an_action(
                ORDERS,
                Decision.CREATE,
                Reason.MISSING,
                "2020-05-20..2020-05-24,2020-05-26..2020-05-31",
            ),
            an_action(
                ORDERS,
                Decision.SHARED,
                Reason.SHARED,
                "2020-06-01",
                "the same units as backfill.a, counted there",
            ),
            an_action(USERS, Decision.NONE, Reason.SUCCEEDED, "2020-01-01..2020-03-31"),
            an_action(
                USERS,
                Decision.RERUN,
                Reason.CHANGED,
                "2020-04-01..2020-04-30",
                changes=(
                    FieldChange(path="74324.key2", before="val", after="val2"),
                    FieldChange(path="74324.key3", before=None, after="new"),
                    FieldChange(path="exclude", before="9", after=None),
                ),
                run_ids=("1", "2"),
            ),
            an_action(USERS, Decision.ADOPT, Reason.FOUND, "2020-05-01", run_ids=("found-1",)),
            an_action(USERS, Decision.WAIT, Reason.IN_FLIGHT, "2020-05-02..2020-05-03"),
            an_action(
                USERS,
                Decision.BLOCKED,
                Reason.MISSING,
                "2020-05-04..2020-05-06",
                "opens when gate.ob-quiet does",
                blocked_by=("gate.ob-quiet", "rollout"),
            ),
            an_action(
                USERS, Decision.HOLD, Reason.FAILED, "2020-05-07..2020-05-08", "node 3 failed"
            ),
            an_action(
                USERS,
                Decision.RELEASED,
                Reason.RELEASED,
                "2020-05-09..2020-05-12",
                "no longer declared",
            ),
            an_action(
                CLOSE,
                Decision.UNKNOWN,
                Reason.OUTCOME_UNKNOWN,
                "2018-12-12",
                "outcome unknown since 10:02",
                tier=Tier.S3,
            ),
        ),
        calls=(
            a_call(),
            a_call(when="2020-05-26..2020-05-31", call_id="abcdeg"),
            a_call(USERS, "2020-04-01..2020-04-30", "abcdeh"),
            dataclasses.replace(
                a_call(USERS, "2020-05-04..2020-05-06", "abcdei"),
                blocked_by=("gate.ob-quiet", "rollout"),
                batch=2,
                serial=False,
            ),
        ),
        adoptions=(
            Adoption(
                address=USERS,
                connection="prod",
                series=SERIES.fingerprint,
                generation=2,
                call_id="foundy",
                run=a_found_run(
                    "2020-05-01..2020-05-02,2020-05-04",
                    status=UnitStatus.RUNNING,
                    series=SERIES,
                    generation=2,
                ),
            ),
        ),
        series={
            one.fingerprint: one for one in sorted((SERIES, FLOW), key=lambda one: one.fingerprint)
        },
        desired=(
            a_resource(
                "users-2020",
                {"2020-05-01": 2, "2020-05-04..2020-05-06": 1},
                series=SERIES,
                requires=("backfill.rates@date", "manualflow.month-close"),
                gates=("ob-quiet", "landed"),
                rollout=Rollout(canary=1, max_active_dates=5, order=Order.NEWEST),
            ),
        ),
        gates=(
            GateStanding(
                gate=Gate(
                    name="landed",
                    connection="hw",
                    condition=RunsSucceeded(job="etl-dli2dws", task="937987"),
                    place=Place("specs/gates.yaml", 3, 12),
                ),
                reading=GateReading(
                    dates=dates("2020-05-04..2020-05-06"),
                    closed=RangeMap.of([(DateRange.parse("2020-05-05"), "a run failed")]),
                    stuck=dates("2020-05-05"),
                    remarks=RangeMap.of([(DateRange.parse("2020-05-04"), "success was forced")]),
                ),
            ),
            GateStanding(
                gate=Gate(
                    name="ob-quiet",
                    connection="ob",
                    condition=NothingUnfinished(scope=Scope.CLUSTER, tenant="orders"),
                ),
                reading=GateReading.unreadable(dates("2020-05-04..2020-05-06"), "no answer"),
            ),
            GateStanding(
                gate=Gate(
                    name="scaled",
                    connection="ob",
                    condition=DagSucceeded(dag="22130706433028869"),
                )
            ),
        ),
        headings=(
            Heading(
                address=ORDERS,
                connection="prod",
                environment="PROD",
                root="root 1234",
                owner="growth-data",
                reason="rates were wrong in May",
            ),
            Heading(
                address=USERS,
                connection="prod",
                environment="PROD",
                root="root 1234",
                owner="",
                reason="a reason that is far too long to stand beside an address in a plan",
            ),
        ),
        estimates=(
            Estimate(
                address=USERS,
                dates=33,
                in_turn=30,
                basis=Basis.SUBJECT,
                took=Took(dates=91, least=55, most=190, total=8190),
                last_sent=dt.date(2020, 5, 18),
                ran_for=(ORDERS, USERS),
                ran_for_count=2,
            ),
        ),
        diagnostics=(
            Diagnostic(
                severity=Severity.ERROR,
                code="read_unavailable",
                summary="cannot be read",
                detail="GetDag",
                address="backfill.x",
                hint="try again",
            ),
            Diagnostic(
                severity=Severity.WARNING,
                code="schedule_in_flight",
                summary="a daily run",
                hint="apply later",
                place=Place("specs/a.yaml", 3, 5),
            ),
        ),
    )
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]  # fields by name
