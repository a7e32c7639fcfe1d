"""`reconciler init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.output import Terminal, answer
from reconciler.usecases.init import write_project
from reconciler.wiring.workspace import open_workspace


@click.command(epilog="\b\nExamples:\n  reconciler init\n  reconciler init backfills")
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path()
)
@click.pass_obj
def command(terminal: Terminal, folder: Path) -> None:
    """Write a commented project (specs, CI examples, .gitignore) and its state store.

    Refuses to overwrite anything. The project uses the embedded simulator until you say otherwise.
    """
    root = terminal.root / folder
    for path in write_project(root):
        answer(f"wrote {path}")
    open_workspace(root, os.environ).store_to_write("init", create=True).close()
    where = "" if root == Path() else f" -C {root}"
    answer(f"Next: reconciler{where} plan")
