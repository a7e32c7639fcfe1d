"""The decision table: one pure function from what is known of a unit to what happens to it.

The numbers in the comments are those of the table in `docs/planning.md`. The first row that matches
wins; rows 1 to 4 need a look at the service first, which `facts` carries as `listed`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.model.attempts import AttemptState
from reconciler.model.plan import STARTS, Decision, Reason
from reconciler.model.resources import OnChange, OnFailure
from reconciler.model.runs import FoundRun, Tier, UnitStatus
from reconciler.planning.absence import Absence
from reconciler.planning.history import Past


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A run without a tag of ours that might be ours all the same."""

    run_ids: tuple[str, ...]
    created_at: dt.datetime | None
    created_by: str | None

    @classmethod
    def of(cls, run: FoundRun) -> Candidate:
        """What a discovery found."""
        return cls(run_ids=run.run_ids, created_at=run.created_at, created_by=run.created_by)

    def may_follow(self, past: Past) -> bool:
        """Whether it may have been made after the attempt that matters was sent, or put on record."""
        if self.created_at is None or past.sent_after is None:
            return True
        return self.created_at > past.sent_after

    def fits(self, past: Past) -> bool:
        """Whether it was made while the call of an attempt could have made it."""
        if self.created_at is None or past.valid_until is None:
            return True
        # Its own clock may be off as far as the signature's validity allows for.
        return past.sent_at - CREATION_SKEW <= self.created_at <= past.valid_until + CREATION_SKEW

    def __str__(self) -> str:
        when = f" of {self.created_at:%Y-%m-%d %H:%M:%S} UTC" if self.created_at else ""
        return f"{self.run_ids[0]}{when}{f' by {self.created_by}' if self.created_by else ''}"


#: So many are told in a line.
CANDIDATES_TOLD = 3

#: How far the times of runs may be off our own.
CREATION_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a discovery showed for a unit, runs on record left out.

    `own` are ids of runs that bear a tag of this very series, `other` of another series of the same
    subject, with their call ids; `foreign` are somebody else's backfill runs and `candidates` runs of a
    flow that might be ours. `*_in_flight` and `*_succeeded` say that at least one of them is or did.
    """

    own: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    other_calls: tuple[str, ...] = ()
    other_in_flight: bool = False
    other_succeeded: bool = False
    foreign: tuple[str, ...] = ()
    foreign_in_flight: bool = False
    schedule_in_flight: bool = False
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """All that decides one unit. `listed` is None when the service was not (or need not be) asked."""

    series: str
    generation: int
    past: Past | None
    listed: Listed | None = None
    absence: Absence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the spec and the provider say about all units of a resource."""

    on_failure: OnFailure = OnFailure.HOLD
    max_attempts: int = 3
    on_change: OnChange = OnChange.HOLD
    tier: Tier = Tier.S2


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision on a unit. `changed` asks for the field diff beside it; `detail` is one line.

    `blocked_by` names what keeps it from starting, where the decision is `blocked`.
    """

    decision: Decision
    reason: Reason
    detail: str = ""
    changed: bool = False
    run_ids: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()


def decide(facts: UnitFacts, rules: Rules) -> Verdict:
    """Apply the table to one unit."""
    past = facts.past
    if past is None:
        return _nothing_recorded(facts, rules)
    if past.state.never_ran or past.state is AttemptState.INTENT:
        return _never_ran(past, facts)
    if past.state is AttemptState.REQUESTED:
        return _asked_for(past, facts)
    if past.state.unresolved and past.status is None:
        return _unresolved(past, facts, rules)
    if past.series != facts.series:
        return _other_series(past, facts, rules)
    if facts.generation > past.generation:
        return _newer_generation(past, facts)
    return _same_series(past, facts, rules)


def starts(verdict: Verdict) -> bool:
    """Whether a verdict sends a call now."""
    return verdict.decision in STARTS


def needs_call(verdict: Verdict) -> bool:
    """Whether a verdict sends a call, now or once what blocks it has opened."""
    return starts(verdict) or verdict.decision is Decision.BLOCKED


def _nothing_recorded(facts: UnitFacts, rules: Rules) -> Verdict:
    listed = facts.listed or Listed()
    if listed.own:  # row 1
        return Verdict(decision=Decision.ADOPT, reason=Reason.FOUND, run_ids=listed.own)
    if listed.other:  # row 1, judged by row 15
        return _changed(
            rules,
            in_flight=listed.other_in_flight,
            run_ids=listed.other,
            keep=_kept_unseen(listed),
        )
    if listed.candidates:  # row 2
        return Verdict(
            decision=Decision.HOLD,
            reason=Reason.CANDIDATE,
            detail=f"ran already, maybe for us: {_told(listed.candidates)}",
            run_ids=_ids(listed.candidates),
        )
    if listed.foreign_in_flight:  # row 2
        return Verdict(
            decision=Decision.HOLD,
            reason=Reason.FOREIGN_IN_FLIGHT,
            detail="someone else's backfill of this node is in flight: run "
            + ", ".join(listed.foreign[:CANDIDATES_TOLD]),
            run_ids=listed.foreign,
        )
    return Verdict(decision=Decision.CREATE, reason=Reason.MISSING)  # row 3


def _kept_unseen(listed: Listed) -> Verdict:
    if not listed.other_succeeded:
        return Verdict(
            decision=Decision.HOLD,
            reason=Reason.FAILED,
            detail="ran with other params or nodes and did not succeed",
            run_ids=listed.other,
        )
    return Verdict(
        decision=Decision.NONE,
        reason=Reason.SUCCEEDED,
        detail="ran with other params or nodes, which onChange: keep accepts",
        run_ids=listed.other,
    )


def _never_ran(past: Past, facts: UnitFacts) -> Verdict:  # row 4
    found = _found_again(facts)
    if found is not None:
        return found
    detail = ""
    if past.state is AttemptState.REFUSED and past.message and not past.transient:
        detail = f"refused before: {past.code}: {past.message}"
    return Verdict(decision=Decision.CREATE, reason=Reason.NEVER_STARTED, detail=detail)


def _asked_for(past: Past, facts: UnitFacts) -> Verdict:  # row 14, by a person's recorded word
    return _found_again(facts) or Verdict(
        decision=Decision.RERUN,
        reason=Reason.REQUESTED,
        detail=f"asked for on {past.sent_at:%Y-%m-%d %H:%M} UTC: {past.message}",
    )


def _unresolved(past: Past, facts: UnitFacts, rules: Rules) -> Verdict:  # row 5
    found = _found_again(facts)
    if found is not None and found.decision is Decision.ADOPT:
        return found
    if facts.listed is not None and past.call_id in facts.listed.other_calls:
        # The spec was edited while the call was unknown, so its name bears the series of before.
        return Verdict(decision=Decision.ADOPT, reason=Reason.FOUND, run_ids=facts.listed.other)
    if facts.absence is not None and facts.absence.proved:
        return Verdict(
            decision=Decision.CREATE,
            reason=Reason.NEVER_STARTED,
            detail="the call of unknown outcome is proved not to have run",
        )
    since = f"outcome unknown since {past.sent_at:%Y-%m-%d %H:%M} UTC ({rules.tier.value})"
    why = f": {facts.absence.why}" if facts.absence is not None else ""
    listed = facts.listed.candidates if facts.listed is not None else ()
    fitting = tuple(one for one in listed if one.fits(past))
    might = f"; it might be {_told(fitting)}" if fitting else ""
    return Verdict(
        decision=Decision.UNKNOWN,
        reason=Reason.OUTCOME_UNKNOWN,
        detail=since + why + might,
        run_ids=_ids(fitting) or past.run_ids,
    )


def _told(candidates: tuple[Candidate, ...]) -> str:
    more = len(candidates) - CANDIDATES_TOLD
    told = ", ".join(f"run {one}" for one in candidates[:CANDIDATES_TOLD])
    return f"{told} and {more} more" if more > 0 else told


def _ids(candidates: tuple[Candidate, ...]) -> tuple[str, ...]:
    return tuple(run for one in candidates for run in one.run_ids)


def _found_again(facts: UnitFacts) -> Verdict | None:
    """What stands against sending another call: a run of ours off the record, or one that may be ours."""
    listed, past = facts.listed, facts.past
    if listed is None:
        return None
    if listed.own:
        return Verdict(decision=Decision.ADOPT, reason=Reason.FOUND, run_ids=listed.own)
    # The record may be an old backup: what was made since the last entry may be ours.
    later = tuple(one for one in listed.candidates if past is None or one.may_follow(past))
    if later:
        return Verdict(
            decision=Decision.HOLD,
            reason=Reason.CANDIDATE,
            detail=f"ran since, maybe for us: {_told(later)}",
            run_ids=_ids(later),
        )
    return None


def _same_series(past: Past, facts: UnitFacts, rules: Rules) -> Verdict:  # rows 6 to 13
    ids = past.run_ids
    if past.gone and past.in_flight:  # row 12
        return Verdict(
            decision=Decision.HOLD,
            reason=Reason.LOST_SIGHT,
            detail="it had not ended when the service forgot it",
            run_ids=ids,
        )
    match past.status:
        case None | UnitStatus.CREATED | UnitStatus.RUNNING:  # row 6
            return Verdict(decision=Decision.WAIT, reason=Reason.IN_FLIGHT, run_ids=ids)
        case UnitStatus.SUCCESS:  # rows 7 and 13
            return Verdict(decision=Decision.NONE, reason=Reason.SUCCEEDED, run_ids=ids)
        case UnitStatus.HOLLOW:  # row 8
            return Verdict(
                decision=Decision.HOLD,
                reason=Reason.HOLLOW,
                detail="it succeeded, but an included node was only skipped; "
                "add a `reruns` entry to run it again",
                run_ids=ids,
            )
        case UnitStatus.FAILURE:  # row 9
            return _failed(past, facts, rules)
        case UnitStatus.NOT_RUN:  # row 10
            return _behind_failed(past, facts, rules)
        case UnitStatus.STOPPED:  # row 11
            return Verdict(
                decision=Decision.HOLD,
                reason=Reason.STOPPED,
                detail="we stopped it; add a `reruns` entry to run it again",
                run_ids=ids,
            )


def _failed(past: Past, facts: UnitFacts, rules: Rules) -> Verdict:
    if rules.on_failure is OnFailure.RERUN and past.spent < rules.max_attempts:
        return _found_again(facts) or Verdict(
            decision=Decision.RERUN,
            reason=Reason.FAILED,
            detail=f"attempt {past.spent + 1} of {rules.max_attempts}",
            run_ids=past.run_ids,
        )
    detail = (
        f"failed {past.spent} of {rules.max_attempts} times"
        if rules.on_failure is OnFailure.RERUN
        else "repair it in the console, add a `reruns` entry, or resolve it"
    )
    return Verdict(
        decision=Decision.HOLD, reason=Reason.FAILED, detail=detail, run_ids=past.run_ids
    )


def _behind_failed(past: Past, facts: UnitFacts, rules: Rules) -> Verdict:
    if rules.on_failure is OnFailure.RERUN and past.spent < rules.max_attempts:
        return _found_again(facts) or Verdict(
            decision=Decision.RERUN,
            reason=Reason.BEHIND_FAILED,
            detail="an earlier date of its call failed first",
            run_ids=past.run_ids,
        )
    return Verdict(
        decision=Decision.HOLD,
        reason=Reason.BEHIND_FAILED,
        detail="an earlier date of its call failed; repair that in the console, or resolve it",
        run_ids=past.run_ids,
    )


def _newer_generation(past: Past, facts: UnitFacts) -> Verdict:  # row 14
    if past.in_flight and not past.gone:
        return Verdict(
            decision=Decision.WAIT,
            reason=Reason.PREVIOUS_IN_FLIGHT,
            detail=f"generation {past.generation} is still in flight",
            run_ids=past.run_ids,
        )
    return _found_again(facts) or Verdict(
        decision=Decision.RERUN,
        reason=Reason.REQUESTED,
        detail=f"generation {facts.generation} was asked for",
        run_ids=past.run_ids,
    )


def _other_series(past: Past, facts: UnitFacts, rules: Rules) -> Verdict:  # row 15
    verdict = _changed(
        rules,
        in_flight=past.in_flight and not past.gone,
        run_ids=past.run_ids,
        keep=_same_series(past, facts, rules),
    )
    if starts(verdict) and verdict.reason is Reason.CHANGED:
        return _found_again(facts) or verdict
    return verdict


def _changed(rules: Rules, *, in_flight: bool, run_ids: tuple[str, ...], keep: Verdict) -> Verdict:
    if in_flight:
        return Verdict(
            decision=Decision.WAIT,
            reason=Reason.PREVIOUS_IN_FLIGHT,
            detail="it still runs with the params or nodes of before the edit",
            changed=True,
            run_ids=run_ids,
        )
    match rules.on_change:
        case OnChange.HOLD:
            return Verdict(
                decision=Decision.HOLD,
                reason=Reason.CHANGED,
                detail="edited after it ran: revert, or set onChange to rerun or keep",
                changed=True,
                run_ids=run_ids,
            )
        case OnChange.RERUN:
            return Verdict(
                decision=Decision.RERUN, reason=Reason.CHANGED, changed=True, run_ids=run_ids
            )
        case OnChange.KEEP:
            return Verdict(
                decision=keep.decision,
                reason=keep.reason,
                detail=keep.detail,
                changed=True,
                run_ids=keep.run_ids,
            )
