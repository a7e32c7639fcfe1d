"""Applies that are killed at any moment, again and again: each date still starts once."""

from __future__ import annotations

import datetime as dt
import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import new_database
from tests.scenario.processes import QUARANTINE_SECONDS, Checkout, starts
from tests.scenario.sandbox import Result
from tests.scenario.test_simulate_on_a_port import ended, simulate

ROOTS = range(1, 7)

#: Runs end as they begin, so that what the next apply reads does not grow from kill to kill.
WORLD = f"nodes: {json.dumps([{'id': root, 'seconds': 0} for root in ROOTS])}"

KILLS = 20
SEED = 20_200_520

FIRST = dt.date(2020, 1, 1)

#: By how much each apply is asked for more than the one before. Every third date is left out, so that
#: there are many calls, and a call that was not sent grows with the dates.
DAYS_MORE = 4


def wanted_days(days: int) -> list[dt.date]:
    return [FIRST + dt.timedelta(n) for n in range(days) if n % 3 != 2]


def declare(project: Checkout, days: int) -> None:
    """Six backfills over so many days."""
    left_out = [str(FIRST + dt.timedelta(n)) for n in range(2, days, 3)]
    end = FIRST + dt.timedelta(days - 1)
    dates = {"start": str(FIRST), "end": str(end), "except": left_out}
    for root in ROOTS:
        project.backfill(f"backfill-{root}", target={"rootNode": root}, dates=dates)


def seconds_of_an_apply(folder: Path, state: str | None) -> float:
    """How long an apply takes here that nobody kills."""
    folder.mkdir()
    with simulate(folder, world=WORLD, clock="real") as service:
        project = Checkout(folder / "project", service, state=state)
        declare(project, DAYS_MORE)
        began = time.monotonic()
        assert project.apply().code == 0
        return time.monotonic() - began


def killed_after(process: subprocess.Popen[str], seconds: float) -> Result:
    """Kill a process after so long, unless it has ended."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return ended(process)


def apply_with_kills(project: Checkout, moments: list[float]) -> None:
    """One apply for each moment; the last of them has all days declared."""
    for number, moment in enumerate(moments, start=1):
        declare(project, number * DAYS_MORE)
        project.a_minute_later()
        result = killed_after(project.start("apply", "--auto-approve"), moment)
        # One that got through may have met dates whose call an earlier one left unknown.
        assert result.code in {0, 3, -signal.SIGKILL}, result.err


def apply_alone(project: Checkout) -> Result:
    """An apply that nobody kills, and another where calls had to be proved absent first."""
    project.a_minute_later()
    applied = project.apply()
    if applied.code == 3:
        project.advance(QUARANTINE_SECONDS)
        applied = project.apply()
    return applied


@pytest.mark.parametrize("database", [lambda: None, new_database], ids=["sqlite", "postgresql"])
def test_after_twenty_killed_applies_each_date_has_started_once(
    tmp_path: Path, database: Callable[[], str | None]
) -> None:
    # Python takes the first third to start; later applies have more to do than the measured one.
    moments = random.Random(SEED)  # noqa: S311 - no secret
    lasts = seconds_of_an_apply(tmp_path / "measured", database())
    with simulate(tmp_path, world=WORLD, clock="real") as service:
        project = Checkout(tmp_path / "project", service, state=database())
        kills = [lasts * moments.uniform(0.3, 1.2) for _ in range(KILLS)]
        told = f"seed {SEED}, killed after {[round(moment, 3) for moment in kills]} s"

        apply_with_kills(project, kills)
        applied = apply_alone(project)

        assert applied.code == 0, f"{told}: {applied.err}{applied.out}"
        days = wanted_days(KILLS * DAYS_MORE)
        assert starts(project) == {f"{root} {day}": 1 for root in ROOTS for day in days}, told
        last = project.run("plan", "--json", "--detailed-exitcode")
        assert last.code == 0, f"{told}: {last.err}{last.out}"
        summary = last.json["summary"]
        assert (summary["create"], summary["rerun"], summary["adopt"]) == (0, 0, 0), told
