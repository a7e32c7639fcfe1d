from __future__ import annotations

import datetime as dt

import pytest

from reconciler.model.runs import Discovery, Tier
from reconciler.planning.absence import OLDEST_PROVABLE, Absence, judge_absence
from tests.builders import LAG, a_discovery, at

SENT, VALID = at(0), at(16)
ENDS = VALID + LAG


def judged(
    listing: Discovery | None = None,
    *,
    valid_until: dt.datetime | None = VALID,
    tier: Tier = Tier.S2,
    sent_at: dt.datetime = SENT,
) -> Absence:
    return judge_absence(
        sent_at=sent_at, valid_until=valid_until, listing=listing, lag=LAG, tier=tier
    )


@pytest.mark.parametrize("tier", [Tier.S0, Tier.S1, Tier.S2])
def test_absence_is_proved_when_everything_holds(tier: Tier) -> None:
    assert judged(a_discovery(minutes=19), tier=tier) == Absence(proved=True)


def test_runs_without_a_name_are_for_a_person() -> None:
    absence = judged(a_discovery(minutes=19), tier=Tier.S3)
    assert not absence.proved
    assert "a person must look" in absence.why


def test_nothing_is_proved_without_a_listing() -> None:
    assert judged() == Absence(proved=False, why="the service was not asked")


def test_nothing_is_proved_while_the_signature_has_no_known_end() -> None:
    assert "not on record" in judged(a_discovery(minutes=999), valid_until=None).why


def test_nothing_is_proved_before_a_late_copy_would_be_listed() -> None:
    absence = judged(a_discovery(minutes=18.9))
    assert not absence.proved
    assert absence.not_before == ENDS
    assert "12:19:00 UTC" in absence.why


def test_an_incomplete_listing_proves_nothing() -> None:
    absence = judged(a_discovery(minutes=19, complete=False))
    assert "completely" in absence.why
    assert absence.not_before is None


def test_a_listing_that_never_showed_our_runs_proves_nothing() -> None:
    assert "runs of ours" in judged(a_discovery(minutes=19, shows_tags=False)).why


def test_an_attempt_of_25_days_may_have_been_purged() -> None:
    listing = a_discovery(minutes=19)
    old = listing.began_at - OLDEST_PROVABLE
    assert judged(listing, sent_at=old + dt.timedelta(seconds=1)).proved
    assert "purged" in judged(listing, sent_at=old).why
