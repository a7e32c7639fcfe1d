"""What can be taken out of the model: the guards of the code, and what the code takes for granted."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Guard(enum.Enum):
    """What keeps a create from leaving twice: where the code does it, and what happens without it.

    The places are files below `reconciler/`, each with a text that stands there.
    """

    RECORD_FIRST = (
        ("applying/protocol.py:attempt = store.begin(lease, intent)",),
        "an attempt is put on record after its request was sent",
    )
    SENT_FIRST = (
        ("applying/protocol.py:store.mark_sent(lease, attempt.id, prepared)",),
        "an attempt is marked as sent after its request was sent",
    )
    SENT_SURVIVES = (
        ("state/store.py:def acquire", "state/transitions.py:AttemptState.VOID: frozenset"),
        "whoever takes the lock voids what is marked as sent, too",
    )
    SILENCE_IS_UNKNOWN = (
        ("providers/channel.py:def classify_failure",),
        "no answer is taken for a refusal",
    )
    UNLISTED_IS_UNKNOWN = (
        ("providers/dataworks/outcomes.py:def _failed", "providers/dataworks/codes.py:_TABLE"),
        "any answer that says it failed is taken for a refusal",
    )
    REPLAYED_IS_UNKNOWN = (
        ("providers/dataworks/outcomes.py:if family is CodeFamily.REPLAYED",),
        "a used nonce is taken for a refusal",
    )
    SENT_ONCE = (
        ("providers/channel.py:async def create",),
        "the client sends a create without an answer again, signed anew",
    )
    EXPIRY = (
        ("providers/dataworks/signing.py:VALIDITY",),
        "a request is accepted whenever it arrives",
    )
    FENCE = (
        ("state/store.py:def _guarded", "state/lock.py:def guard"),
        "a holder whose lock was taken over goes on writing",
    )
    FENCE_OF_SENT = (
        ("state/store.py:self._guarded(lease, Durable.SENT)",),
        "a holder whose lock was taken over may still mark its intent as sent",
    )
    COMPARE_AND_SET = (
        ("state/transitions.py:def move", "state/transitions.py:AttemptState.SENT: frozenset"),
        "an intent is marked as sent whatever has become of it",
    )
    OVERLAP = (
        ("state/attempts.py:def refuse_overlap", "state/store.py:def begin"),
        "an intent is recorded beside an attempt that may still run",
    )
    SECOND_SEND = (
        ("state/attempts.py:def refuse_second_send",),
        "an intent is recorded for a call that went out before",
    )
    SKIP_SENT_CALLS = (
        ("applying/engine.py:def _sent_before",),
        "a call that an earlier apply of the same plan sent is not skipped",
    )
    SECOND_LOOK = (
        ("applying/engine.py:async def _checked", "applying/checking.py:def moved"),
        "what a plan was decided on is not looked at again",
    )
    DISCOVERY = (
        ("planning/situation.py:def dates_to_discover", "applying/checking.py:await discover("),
        "where no attempt may have run, nothing is listed before a create",
    )
    QUARANTINE = (
        ("planning/absence.py:if listing.began_at < quarantine_ends",),
        "absence is believed while the signature is valid",
    )
    LAG = (
        ("planning/absence.py:quarantine_ends = valid_until + lag",),
        "absence is believed as soon as the signature has expired",
    )
    SERVER_CLOCK = (
        ("providers/channel.py:began_at = None if answer.server_time is None",),
        "our own clock, which may be wrong, says when the quarantine has ended",
    )
    COMPLETE = (
        ("applying/gathering.py:def _incomplete", "planning/absence.py:if not listing.complete"),
        "a listing that lacks rows is believed",
    )
    TAGS_SHOWN = (
        ("planning/absence.py:if not listing.shows_tags",),
        "a listing that shows no names of ours proves that nothing ran",
    )
    NAMELESS_HELD = (
        ("planning/absence.py:if tier is Tier.S3",),
        "a listing without names proves that a run without a name is absent",
    )
    CANDIDATES_HELD = (
        ("planning/deciding.py:if listed.candidates:", "planning/deciding.py:def _found_again"),
        "runs that may be ours hold nothing",
    )
    ANSWER_AFTER_EXPIRY = (
        ("usecases/resolve.py:async def _still_valid",),
        "a person may say that nothing ran while a late copy can still be executed",
    )

    @property
    def where(self) -> tuple[str, ...]:
        """The code that is the guard: each a file below `reconciler/`, a colon and what to look for."""
        where: tuple[str, ...] = self.value[0]
        return where

    @property
    def without(self) -> str:
        """What happens once it is taken out."""
        without: str = self.value[1]
        return without


class Assumption(enum.Enum):
    """What the code takes for granted, and the model with it; the value says what happens otherwise."""

    WAIT_AFTER_LOSS = "a store is put back, and applied on, while requests are still under way"
    NONCE_SPENT = (
        "a request that was refused leaves its nonce unused, and a copy of it is executed"
    )
    USED_BEFORE_EXPIRED = (
        "a copy of an executed request is refused as expired, and its apply hears only that"
    )
    NAMELESS_LISTED = "runs without a name are missing from a listing, and from the record as well"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is explored: the tier, what may happen how often, and what is taken out.

    Applies are `unattended`, which plan under the lock, or `attended`, which plan before it; others may
    come from a plan file. `finished` says that a run on record may have ended, so that it no longer keeps
    other attempts from beginning. `named` is false for a service that returns runs without the names we
    gave, before anybody has noticed. A request is delivered up to `copies` times, and a refused call is
    tried again up to `tries` times.
    """

    tier: str = "S2"
    named: bool = True
    applies: int = 3
    crashes: int = 2
    people: int = 0
    tries: int = 0
    copies: int = 2
    units: int = 1
    unattended: bool = True
    attended: bool = True
    finished: bool = True
    backups: int = 0
    restores: int = 0
    plan_files: int = 0
    without: frozenset[Guard] = frozenset()
    broken: frozenset[Assumption] = frozenset()

    def has(self, guard: Guard) -> bool:
        """Whether a guard is in its place."""
        return not self.without or guard not in self.without

    def assumes(self, assumption: Assumption) -> bool:
        """Whether an assumption holds."""
        return not self.broken or assumption not in self.broken
