"""Addresses: the stable printable names of resources and units."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.model.dates import DateRange

_NAME = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether a text may name a resource or a gate: lower-case letters, digits, dashes, 63 at most."""
    return _NAME.fullmatch(text) is not None


class Kind(enum.Enum):
    """What a spec may declare that has runs."""

    BACKFILL = "Backfill"
    MANUAL_FLOW = "ManualFlow"

    @property
    def prefix(self) -> str:
        """The first part of an address of this kind."""
        return self.value.lower()


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """`backfill.NAME` or `manualflow.NAME`."""

    prefix: str
    name: str

    @classmethod
    def of(cls, kind: Kind, name: str) -> Address:
        """The address of a resource of `kind`."""
        return cls(kind.prefix, name)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse an address without wildcards.

        Raises:
            ValueError: The kind is not known or the name is malformed.
        """
        prefix, _, name = text.partition(".")
        if prefix not in {kind.prefix for kind in Kind} or not is_name(name):
            raise ValueError(f"{text!r} is not an address; write backfill.NAME or manualflow.NAME")
        return cls(prefix, name)

    @property
    def kind(self) -> Kind:
        """What stands at this address."""
        return next(kind for kind in Kind if kind.prefix == self.prefix)

    def matches(self, pattern: str) -> bool:
        """Whether a shell-style pattern, such as `backfill.orders-*`, covers this address."""
        return fnmatchcase(str(self), pattern)

    def __str__(self) -> str:
        return f"{self.prefix}.{self.name}"


@dataclass(frozen=True, slots=True)
class UnitRange:
    """Units of one resource: `ADDR@DATE` or `ADDR@FROM..TO`."""

    address: Address
    dates: DateRange

    @classmethod
    def parse(cls, text: str) -> UnitRange:
        """Parse a unit or a range of units.

        Raises:
            ValueError: The address, the separator or the dates are malformed.
        """
        address, at, dates = text.partition("@")
        if not at:
            raise ValueError(f"{text!r} names no date; write {text}@YYYY-MM-DD or {text}@FROM..TO")
        return cls(Address.parse(address), DateRange.parse(dates))

    def __str__(self) -> str:
        return f"{self.address}@{self.dates}"
