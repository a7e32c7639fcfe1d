"""The protocol with guards taken out, each in the smallest setting that shows what the guard is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.crash.model.guards import Assumption, Guard, Setting

_TWO = Setting(applies=2, crashes=1)

#: Without any of these alone, a create is executed twice.
ALONE: dict[Guard, Setting] = {
    Guard.RECORD_FIRST: _TWO,
    Guard.SENT_FIRST: _TWO,
    Guard.SENT_SURVIVES: _TWO,
    Guard.SILENCE_IS_UNKNOWN: _TWO,
    Guard.UNLISTED_IS_UNKNOWN: _TWO,
    Guard.REPLAYED_IS_UNKNOWN: _TWO,
    Guard.SENT_ONCE: _TWO,
    Guard.EXPIRY: _TWO,
    Guard.FENCE: _TWO,
    Guard.SECOND_LOOK: _TWO,
    Guard.DISCOVERY: replace(_TWO, restores=1),
    Guard.QUARANTINE: _TWO,
    Guard.LAG: _TWO,
    Guard.SERVER_CLOCK: _TWO,
    Guard.COMPLETE: _TWO,
    Guard.TAGS_SHOWN: replace(_TWO, named=False),
    Guard.NAMELESS_HELD: replace(_TWO, tier="S3"),
    Guard.CANDIDATES_HELD: replace(_TWO, tier="S3", restores=1),
    Guard.ANSWER_AFTER_EXPIRY: replace(_TWO, tier="S3", people=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Guards that cover for each other: each of them is enough, and without all of them it goes wrong."""

    guards: tuple[Guard, ...]
    setting: Setting


_ONE_PLAN_FILE = replace(_TWO, unattended=False, attended=False, plan_files=1)

TOGETHER = {
    "a voided intent is not sent": Together(
        guards=(Guard.FENCE_OF_SENT, Guard.COMPARE_AND_SET), setting=_TWO
    ),
    "nothing begins beside a run in flight": Together(
        guards=(Guard.FENCE, Guard.OVERLAP), setting=replace(_TWO, finished=False)
    ),
    "a plan file is applied once": Together(
        guards=(Guard.SKIP_SENT_CALLS, Guard.SECOND_LOOK, Guard.SECOND_SEND),
        setting=_ONE_PLAN_FILE,
    ),
}

#: A plan made under the lock holds until the lock is lost, and the fence then refuses the intent.
COVERED_BY_THE_LOCK = replace(_TWO, attended=False, without=frozenset({Guard.SECOND_LOOK}))

#: Where what is assumed does not hold, neither does the promise.
ASSUMED: dict[Assumption, Setting] = {
    Assumption.WAIT_AFTER_LOSS: replace(_TWO, restores=1),
    Assumption.NONCE_SPENT: _TWO,
    Assumption.USED_BEFORE_EXPIRED: _TWO,
    Assumption.NAMELESS_LISTED: replace(_TWO, tier="S3", restores=1),
}


def without(setting: Setting, *guards: Guard) -> Setting:
    """The same setting with guards taken out."""
    return replace(setting, without=frozenset(guards))
