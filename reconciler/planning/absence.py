"""When may we believe that a call of unknown outcome never ran?

Only a proof counts: the signature can no longer be accepted, a complete listing begun after that does
not show the call, and such listings demonstrably show our runs. Anything less stays unknown.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.model.runs import Discovery, Tier

#: Older attempts may have been purged by the service (about 30 days), so a listing proves nothing.
OLDEST_PROVABLE = dt.timedelta(days=25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Whether absence is proved; if not, why, and from when on it may be."""

    proved: bool
    why: str = ""
    not_before: dt.datetime | None = None


def judge_absence(
    *,
    sent_at: dt.datetime,
    valid_until: dt.datetime | None,
    listing: Discovery | None,
    lag: dt.timedelta,
    tier: Tier,
) -> Absence:
    """Judge a unit whose call is not in `listing`.

    Args:
        sent_at: When the call was signed.
        valid_until: When the service stops accepting its signature, skew included.
        listing: A discovery that covers the unit and does not show the call, or None.
        lag: How long an accepted call may take to be listed.
        tier: Of the operation; S3 runs cannot be told apart in a listing.
    """
    if tier is Tier.S3:
        return Absence(proved=False, why="its runs carry no name of ours, so a person must look")
    if listing is None:
        return Absence(proved=False, why="the service was not asked")
    if valid_until is None:
        return Absence(proved=False, why="its signature's validity is not on record")
    quarantine_ends = valid_until + lag
    if listing.began_at < quarantine_ends:
        return Absence(
            proved=False,
            why=f"a late copy may still arrive or be listed until {quarantine_ends:%H:%M:%S} UTC",
            not_before=quarantine_ends,
        )
    if not listing.complete:
        return Absence(proved=False, why="the service's listing could not be read completely")
    if not listing.shows_tags:
        return Absence(
            proved=False, why="this listing has not been shown to return runs of ours at all"
        )
    if listing.began_at - sent_at >= OLDEST_PROVABLE:
        return Absence(proved=False, why="it is so old that the service may have purged it")
    return Absence(proved=True)
