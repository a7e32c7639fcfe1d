"""From a script that breaks the promise to a short one that still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from tests.crash.simulation.script import Act, Declare, Episode, Process, Rerun, Script

#: So often a script is played to find a shorter one, at most.
PLAYS = 400


def minimised(script: Script, breaks: Callable[[Script], bool], *, plays: int = PLAYS) -> Script:
    """The shortest script that greedy simplification leads to; `breaks` plays one."""
    left = count(plays, -1)
    while True:
        for simpler in _simpler(script):
            if next(left) <= 0:
                return script
            if breaks(simpler):
                script = simpler
                break
        else:
            return script


def _simpler(script: Script) -> Iterator[Script]:
    """Scripts with one thing less, the largest things first."""
    acts = script.acts
    for place in reversed(range(len(acts))):
        yield replace(script, acts=acts[:place] + acts[place + 1 :])
    for place, act in enumerate(acts):
        for one in _simpler_acts(act):
            yield replace(script, acts=(*acts[:place], one, *acts[place + 1 :]))
    plain = Script()
    for field in ("listing_lag", "markers", "layout"):
        if getattr(script, field) != getattr(plain, field):
            yield replace(script, **{field: getattr(plain, field)})


def _simpler_acts(act: Act) -> Iterator[Act]:
    match act:
        case Episode(processes=processes, hitches=hitches, lost_reads=lost_reads):
            for place in range(len(processes) if len(processes) > 1 else 0):
                yield replace(act, processes=processes[:place] + processes[place + 1 :])
            for place in range(len(hitches)):
                yield replace(act, hitches=hitches[:place] + hitches[place + 1 :])
            if lost_reads:
                yield replace(act, lost_reads=frozenset())
            for place, process in enumerate(processes):
                for one in _simpler_processes(process):
                    yield replace(
                        act, processes=(*processes[:place], one, *processes[place + 1 :])
                    )
        case Declare(days=days) | Rerun(days=days) if len(days) > 1:
            for day in sorted(days):
                yield replace(act, days=days - {day})
        case _:
            pass


def _simpler_processes(process: Process) -> Iterator[Process]:
    plain = Process(process.command)
    for field in ("dies", "pause", "skew", "starts"):
        if getattr(process, field) != getattr(plain, field):
            yield replace(process, **{field: getattr(plain, field)})
