"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from reconciler.cli.candidates import addresses, units
from reconciler.cli.output import Terminal
from reconciler.model.addresses import Address, UnitRange
from reconciler.usecases.selection import Selection
from reconciler.wiring.workspace import Workspace, open_workspace

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType[float]):
    """`90`, `90s`, `15m`, `2h` or `1d`, as seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds, not negative."""
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd]?)", str(value), re.ASCII)
        if found is None:
            self.fail(f"{value!r} is not a duration; write 90s, 15m, 2h or 1d", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "s"]


class Units(click.ParamType[UnitRange]):
    """`ADDR@DATE` or `ADDR@FROM..TO`."""

    name = "unit"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> UnitRange:
        """Units of one address."""
        try:
            return UnitRange.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Declared units."""
        del param
        return units(ctx, incomplete)


class OneAddress(click.ParamType[Address]):
    """`backfill.NAME` or `manualflow.NAME`."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """An address without wildcards."""
        try:
            return Address.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Declared addresses."""
        del param
        return addresses(ctx, incomplete)


class Addresses(click.ParamType[str]):
    """An address, or a shell-style pattern of addresses."""

    name = "addresses"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Declared addresses."""
        del param
        return addresses(ctx, incomplete)


class Said(click.ParamType[str]):
    """A reason for the journal: one line that says something."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The text without blanks around it."""
        text = str(value).strip()
        if not text or not text.isprintable():
            self.fail("a reason is one line of text, and not empty", param, ctx)
        return text


#: As they are written in every usage line.
UNIT_METAVAR = "ADDR@DATE[..DATE]"


def reasoned(*, required: bool) -> Callable[[Decorated], Decorated]:
    """Add `--reason`."""
    return click.option(
        "--reason", type=Said(), required=required, help="Why, for the journal: one line."
    )


def selecting(function: Decorated) -> Decorated:
    """Add `--target` and `--exclude`."""
    function = click.option(
        "--exclude",
        "excludes",
        type=Addresses(),
        metavar="ADDR",
        multiple=True,
        help="Leave these addresses out.",
    )(function)
    return click.option(
        "--target",
        "targets",
        type=Addresses(),
        metavar="ADDR",
        multiple=True,
        help="Only these addresses; shell-style patterns such as 'backfill.orders-*'.",
    )(function)


def selection(targets: tuple[str, ...], excludes: tuple[str, ...]) -> Selection:
    """What `--target` and `--exclude` select."""
    return Selection(targets=targets, excludes=excludes)


def workspace_of(terminal: Terminal) -> Workspace:
    """The project in the folder the command runs in."""
    return open_workspace(terminal.root, os.environ)
