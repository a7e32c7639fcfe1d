"""The service's status words, matched without regard to case, as what they mean to us.

Job instances have one vocabulary, PatchData another; what a PatchData that failed says is not documented,
so everything that looks like it is taken. A word that nobody told us of is not an end.

Source: DataArts Studio reference and SDK 3.1.219; CANCLE is the SDK's spelling.
"""

from __future__ import annotations

import enum
import re


class RunStatus(enum.Enum):
    """What a status word says."""

    ACTIVE = "active"
    """It may still change; also words we do not know, and what waits for a person."""
    WAITING = "waiting"
    """It has not begun; where the run it belongs to has ended, it never will."""
    SUCCESS = "success"
    WAIVED = "waived"
    """Success by a person's word: set by hand, or its failure ignored."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        """Whether it does not change by itself any more."""
        return self not in {RunStatus.ACTIVE, RunStatus.WAITING}

    @property
    def good(self) -> bool:
        """Whether it counts as success."""
        return self in {RunStatus.SUCCESS, RunStatus.WAIVED}


_INSTANCES: dict[str, RunStatus] = {
    "waiting": RunStatus.WAITING,
    "success": RunStatus.SUCCESS,
    "forcesuccess": RunStatus.WAIVED,
    "ignoresuccess": RunStatus.WAIVED,
    "fail": RunStatus.FAILED,
    "failed": RunStatus.FAILED,
    "manualstop": RunStatus.CANCELLED,
    "skipbydepend": RunStatus.SKIPPED,
    "skip": RunStatus.SKIPPED,
}

_PATCHES: tuple[tuple[re.Pattern[str], RunStatus], ...] = (
    (re.compile(r"SUCCESS"), RunStatus.SUCCESS),
    (re.compile(r"FAIL(ED|URE)?"), RunStatus.FAILED),
    (re.compile(r"CANC(EL|LE|ELL?ED)|(MANUAL[-_])?STOP(PED)?"), RunStatus.CANCELLED),
)

_SEPARATORS = re.compile(r"[-_ ]")


def instance_status(word: str, *, waived: bool = False) -> RunStatus:
    """The status of a job instance or node; `waived` says that a flag beside the word waives a failure."""
    status = _INSTANCES.get(_SEPARATORS.sub("", word).lower(), RunStatus.ACTIVE)
    return RunStatus.WAIVED if waived and status is RunStatus.SUCCESS else status


def patch_status(word: str) -> RunStatus:
    """The status of a PatchData."""
    upper = word.strip().upper()
    return next(
        (status for pattern, status in _PATCHES if pattern.fullmatch(upper)), RunStatus.ACTIVE
    )
