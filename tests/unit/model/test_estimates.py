"""How long addresses run, each alone and together."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from graphlib import CycleError
from typing import Any

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.model.durations import Took
from reconciler.model.estimates import Basis, Estimate, Lasting, together
from tests.builders import a_resource

A, B = (Address.of(Kind.BACKFILL, name) for name in "ab")


def an_estimate(address: Address, least: int, most: int, *, in_turn: int = 1) -> Estimate:
    return Estimate(
        address=address,
        dates=3,
        in_turn=in_turn,
        basis=Basis.SERIES,
        took=Took(dates=2, least=least, most=most, total=least + most),
        last_sent=dt.date(2024, 5, 1),
        ran_for=(address,),
        ran_for_count=1,
    )


def test_what_goes_one_after_another_takes_its_time_each() -> None:
    estimate = an_estimate(A, 10, 41, in_turn=3)
    assert (estimate.least, estimate.average, estimate.most) == (30, 77, 123)


@pytest.mark.parametrize(
    "changes",
    [{"in_turn": 0}, {"in_turn": 4}, {"ran_for": ()}, {"ran_for_count": 0}],
    ids=str,
)
def test_an_estimate_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"one after another|are named"):
        dataclasses.replace(an_estimate(A, 10, 40), **changes)


# Together.


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ([["a"], ["b"]], Lasting(20, 60)),
        ([["a"], ["b", "backfill.a"]], Lasting(30, 100)),
        ([["a"], ["b", "backfill.a@date"]], Lasting(20, 100)),
        # What has nothing to start, or was never timed, takes no time, and passes on what it waits for.
        ([["a"], ["x", "backfill.a"], ["b", "backfill.x"]], Lasting(30, 100)),
        ([["b", "backfill.elsewhere"]], Lasting(20, 60)),
    ],
)
def test_addresses_run_at_once_unless_one_requires_the_other(
    specs: Sequence[Sequence[str]], expected: Lasting
) -> None:
    resources = [a_resource(name, requires=requires) for name, *requires in specs]
    timed = [an_estimate(A, 10, 40), an_estimate(B, 10, 30, in_turn=2)]
    assert together(timed, resources) == expected


def test_what_requires_itself_never_ends() -> None:
    with pytest.raises(CycleError):
        together([], [a_resource("a", requires=["backfill.a"])])
