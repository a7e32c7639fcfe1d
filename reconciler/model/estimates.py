"""How long runs to come may take. All times are whole seconds."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from reconciler.model.addresses import Address
from reconciler.model.durations import Took
from reconciler.model.resources import Resource


class Basis(enum.Enum):
    """Which runs on record an estimate rests on."""

    SERIES = "series"
    """Runs of the very same work."""
    SUBJECT = "subject"
    """Runs in the same place, with other nodes or params: none of the same work is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long what a plan starts for one address would run, if it ran like what is on record.

    It starts `dates`, of which `in_turn` have to go one after another. What they wait for before they start
    is not in it. `took` is how long dates on record took; the last of their calls was sent on `last_sent`
    (UTC). They ran for `ran_for_count` addresses, of which the first few stand in `ran_for`.
    """

    address: Address
    dates: int
    in_turn: int
    basis: Basis
    took: Took
    last_sent: dt.date
    ran_for: tuple[Address, ...]
    ran_for_count: int

    def __post_init__(self) -> None:
        """Refuse an order of dates, or a basis, that cannot be.

        Raises:
            ValueError: More dates than there are, or fewer than one, go one after another; or more
                addresses are named than there are.
        """
        if not 1 <= self.in_turn <= self.dates:
            raise ValueError(f"{self.in_turn} of {self.dates} dates cannot go one after another")
        if not 1 <= len(self.ran_for) <= self.ran_for_count:
            raise ValueError(f"{len(self.ran_for)} of {self.ran_for_count} addresses are named")

    @property
    def least(self) -> int:
        """If each date took as long as the shortest on record."""
        return self.in_turn * self.took.least

    @property
    def average(self) -> int:
        """If each date took as long as those on record on average."""
        return self.took.average_of(self.in_turn)

    @property
    def most(self) -> int:
        """If each date took as long as the longest on record."""
        return self.in_turn * self.took.most


@dataclass(frozen=True, slots=True)
class Lasting:
    """From how long to how long something lasts."""

    least: int
    most: int


def together(estimates: Iterable[Estimate], resources: Iterable[Resource]) -> Lasting:
    """How long several addresses run in all: at once, or after those that they require.

    What requires the same date of another may run beside it as soon as its first dates are done, or only
    when all of them are.

    Args:
        estimates: At most one for each address.
        resources: Those that may have to wait for others, and those others. Their `requires` have no
            cycle.

    Raises:
        graphlib.CycleError: They have.
    """
    requires = {one.address: one.requires for one in resources}
    alone = {one.address: Lasting(one.least, one.most) for one in estimates}
    graph = {name: [ref.address for ref in refs] for name, refs in requires.items()}
    ends: dict[Address, Lasting] = {}
    for address in TopologicalSorter({**dict.fromkeys(alone, ()), **graph}).static_order():
        own = alone.get(address, Lasting(0, 0))
        refs = requires.get(address, ())
        after = [ends[ref.address].least for ref in refs if not ref.same_date]
        beside = [ends[ref.address].least for ref in refs]
        latest = [ends[ref.address].most for ref in refs]
        ends[address] = Lasting(
            least=max(own.least + max(after, default=0), *beside, 0),
            most=own.most + max(latest, default=0),
        )
    return Lasting(
        least=max((one.least for one in ends.values()), default=0),
        most=max((one.most for one in ends.values()), default=0),
    )
