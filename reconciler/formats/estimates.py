"""Estimates as JSON; times are whole seconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from reconciler.formats.durations import took_document, took_of
from reconciler.formats.json_values import as_number, as_object, as_texts
from reconciler.model.addresses import Address
from reconciler.model.estimates import Basis, Estimate


def estimate_document(estimate: Estimate) -> dict[str, object]:
    """One estimate, with what it rests on."""
    return {
        "address": str(estimate.address),
        "dates": estimate.dates,
        "in_turn": estimate.in_turn,
        "least_seconds": estimate.least,
        "average_seconds": estimate.average,
        "most_seconds": estimate.most,
        "basis": estimate.basis.value,
        "took": took_document(estimate.took),
        "last_sent": estimate.last_sent.isoformat(),
        "ran_for": [str(address) for address in estimate.ran_for],
        "ran_for_count": estimate.ran_for_count,
    }


def estimate_of(item: Mapping[str, object]) -> Estimate:
    """Read one; what follows from the rest is not read but worked out.

    Raises:
        KeyError, TypeError, ValueError: It is no estimate.
    """
    return Estimate(
        address=Address.parse(str(item["address"])),
        dates=as_number(item["dates"]),
        in_turn=as_number(item["in_turn"]),
        basis=Basis(item["basis"]),
        took=took_of(as_object(item["took"])),
        last_sent=dt.date.fromisoformat(str(item["last_sent"])),
        ran_for=tuple(Address.parse(text) for text in as_texts(item["ran_for"])),
        ran_for_count=as_number(item["ran_for_count"]),
    )
