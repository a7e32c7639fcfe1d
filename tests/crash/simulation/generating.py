"""Scripts drawn from seeds: the same seed, the same history."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.crash.mortal import At
from tests.crash.simulation.people import TARGETS
from tests.crash.simulation.script import (
    Act,
    BackUp,
    Command,
    Declare,
    Edit,
    Episode,
    Hitch,
    LoseStore,
    Pause,
    Process,
    Remove,
    Rerun,
    Restore,
    Script,
    Trouble,
    Wait,
)

#: Around sending, where it matters most, and what is rare; an apply that starts two calls reaches some 60
#: points in all.
_HOT = tuple(
    f"{step}.*" for step in ("intent", "sent", "create", "settle", "adopt", "absent", "ruling")
)
_STEPS = 90

_COMMANDS = {
    Command.APPLY: 55,
    Command.APPLY_SAVED: 12,
    Command.PLAN: 12,
    Command.STATUS: 5,
    Command.UNLOCK: 8,
    Command.RESOLVE: 8,
}

_SKEWS = (0.0,) * 6 + (-90.0, 90.0, -3600.0, 3600.0, 400 * 86_400.0)
_PAUSE_SECONDS = (3.0, 8.0, 70.0, 400.0, 1300.0, 4000.0)
_WAITS = (5.0, 70.0, 400.0, 1500.0, 86_400.0)
_LAGS = (0, 0, 5, 60, 170)


def script_of(seed: int) -> Script:
    """The history of one seed."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    acts: list[Act] = [_declare(draw, name) for name in draw.sample(list(TARGETS), k=2)]
    acts.append(_episode(draw))
    acts.extend(_act(draw) for _ in range(draw.randint(3, 9)))
    return Script(
        tuple(acts),
        listing_lag=draw.choice(_LAGS),
        markers=draw.random() < 0.5,
        layout=draw.choice(("per-date", "single")),
    )


def _act(draw: random.Random) -> Act:
    name = draw.choice(list(TARGETS))
    kinds = ("work", "declare", "rerun", "edit", "remove", "wait", "back up", "restore", "lose")
    match draw.choices(kinds, weights=(56, 10, 8, 4, 3, 8, 5, 3, 3))[0]:
        case "work":
            return _episode(draw)
        case "declare":
            return _declare(draw, name)
        case "rerun":
            return Rerun(name, _days(draw))
        case "edit":
            return Edit(name)
        case "remove":
            return Remove(name)
        case "wait":
            return Wait(draw.choice(_WAITS))
        case "back up":
            return BackUp()
        case "restore":
            return Restore()
        case _:
            return LoseStore()


def _declare(draw: random.Random, name: str) -> Declare:
    return Declare(name, _days(draw))


def _days(draw: random.Random) -> frozenset[int]:
    """One to six days among ten, so that what is asked for overlaps."""
    return frozenset(draw.sample(range(11, 21), k=draw.randint(1, 6)))


def _episode(draw: random.Random) -> Episode:
    return Episode(
        seed=draw.randrange(10_000),
        processes=tuple(_process(draw) for _ in range(draw.choice((1, 1, 2, 2, 3, 4)))),
        hitches=tuple(_hitches(draw)),
        lost_reads=frozenset(n for n in range(1, 30) if draw.random() < 0.02),
    )


def _hitches(draw: random.Random) -> Iterator[Hitch]:
    for nth in range(1, 8):
        if draw.random() < 0.3:
            late = draw.choice((0.5, 30.0, 61.0, 200.0, 880.0, 1100.0, 4000.0))
            yield Hitch(nth, draw.choice(list(Trouble)), late)


def _process(draw: random.Random) -> Process:
    (command,) = draw.choices(list(_COMMANDS), weights=list(_COMMANDS.values()))
    dies = _at(draw) if draw.random() < 0.35 else None
    pause = None
    if dies is None and draw.random() < 0.3:
        pause = Pause(_at(draw), draw.choice(_PAUSE_SECONDS))
    return Process(
        command,
        starts=draw.choice((0.0, 0.0, 0.3, 5.0, 65.0, 130.0)),
        skew=draw.choice(_SKEWS),
        dies=dies,
        pause=pause,
    )


def _at(draw: random.Random) -> At:
    """Any of the steps that a process takes, or one of the first around sending."""
    if draw.random() < 0.5:
        return At("*", draw.randint(1, _STEPS))
    return At(draw.choice(_HOT), draw.randint(1, 6))
