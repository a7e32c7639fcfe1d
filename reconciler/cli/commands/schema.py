"""`reconciler schema`."""

from __future__ import annotations

import click

from reconciler.cli.output import answer_verbatim
from reconciler.schema_files import read_schema_text, schema_kinds


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler schema backfill > backfill.schema.json\n"
    "  reconciler schema plan\n"
    "\b\nFirst line of a spec, for editors:\n"
    "  # yaml-language-server: $schema=../backfill.schema.json"
)
@click.argument(
    "kind", metavar="KIND", type=click.Choice(list(schema_kinds()), case_sensitive=False)
)
def command(kind: str) -> None:
    """Print the JSON Schema (draft 2020-12) of a kind of document.

    Of files: backfill, manualflow, gate, project, world. Of what commands print: plan, status, drift,
    history, event (a line of `apply --json`), diagnostics (of `validate --format json`).
    """
    answer_verbatim(read_schema_text(kind))
