"""How long runs took. All times are whole seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.rangemap import RangeMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long some runs took, one for each date, by the service's own times.

    However many `dates` there are (at least one), it holds the shortest, the longest and the sum.
    """

    dates: int
    least: int
    most: int
    total: int

    def __post_init__(self) -> None:
        """Refuse what no runs can have taken.

        Raises:
            ValueError: There is no date, a time is negative, or the sum is out of bounds.
        """
        bounds = (self.dates * self.least, self.total, self.dates * self.most)
        if self.dates < 1 or self.least < 0 or list(bounds) != sorted(bounds):
            raise ValueError(f"no runs took: {self}")

    @classmethod
    def of(cls, durations: RangeMap[int]) -> Took | None:
        """Of the seconds that each date took; None if there is none."""
        if not durations:
            return None
        seconds = [one for _, one in durations]
        return cls(
            dates=durations.dates.count,
            least=min(seconds),
            most=max(seconds),
            total=sum(dates.count * one for dates, one in durations),
        )

    @property
    def average(self) -> int:
        """What a date took on average, rounded."""
        return self.average_of(1)

    def average_of(self, number: int) -> int:
        """What `number` dates one after another take on average, rounded."""
        return (2 * number * self.total + self.dates) // (2 * self.dates)


def joined(parts: Iterable[Took | None]) -> Took | None:
    """All of them as one; None if there is none."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return Took(
        dates=sum(part.dates for part in known),
        least=min(part.least for part in known),
        most=max(part.most for part in known),
        total=sum(part.total for part in known),
    )
