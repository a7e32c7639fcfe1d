"""What may stand where a command takes an address or units, told from the files of the project alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet, parse_date
from reconciler.specs.declaring import Declarations
from reconciler.wiring.system import SystemClock

#: The type of an item that is to be typed on, without a space after it.
OPEN = "open"
#: More single dates than this help nobody; what is typed on narrows them.
MOST_DATES = 100


def project_folder(ctx: click.Context) -> Path | None:
    """The folder that `-C` names, or the current one; None where there is no such folder."""
    found = ctx.find_root().params.get("directory")
    return found if isinstance(found, Path) else None


def addresses(ctx: click.Context, typed: str) -> list[CompletionItem[str]]:
    """The declared addresses that begin as typed."""
    return [CompletionItem(str(address)) for address in _declared(ctx, typed)]


def units(ctx: click.Context, typed: str) -> list[CompletionItem[str]]:
    """Declared addresses with an `@` to type on from; after it, the dates that the address asks for."""
    name, at, dates = typed.partition("@")
    if not at:
        return [CompletionItem(f"{address}@", type=OPEN) for address in _declared(ctx, name)]
    known = _declarations(ctx)
    try:
        address = Address.parse(name)
    except ValueError:
        return []
    wanted = DateSet() if known is None else known.dates(address)
    return [CompletionItem(f"{address}@{text}") for text in date_texts(wanted, dates)]


def date_texts(dates: DateSet, typed: str) -> list[str]:
    """The ranges and single dates of a set that begin as typed; once `FROM..` is, where that may end."""
    first, dots, _ = typed.partition("..")
    if not dots:
        singles = _few(map(str, dates.days()), typed)
        return sorted({*(text for text in dates.texts() if text.startswith(typed)), *singles})
    try:
        start = parse_date(first)
    except ValueError:
        return []
    lasts = [f"{first}..{one.last}" for one in dates if one.last >= start]
    ends = _few((f"{first}..{day}" for day in dates.days() if day >= start), typed)
    return ends or [text for text in lasts if text.startswith(typed)]


def _few(texts: Iterable[str], typed: str) -> list[str]:
    """The texts that begin as typed, unless they are too many."""
    found = list(islice((text for text in texts if text.startswith(typed)), MOST_DATES + 1))
    return found if len(found) <= MOST_DATES else []


def _declared(ctx: click.Context, typed: str) -> list[Address]:
    known = _declarations(ctx)
    every = () if known is None else known.addresses()
    return [address for address in every if str(address).startswith(typed)]


def _declarations(ctx: click.Context) -> Declarations | None:
    folder = project_folder(ctx)
    return None if folder is None else Declarations(folder, now=SystemClock().now())
