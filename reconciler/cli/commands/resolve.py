"""`reconciler resolve`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import UNIT_METAVAR, Units, reasoned, workspace_of
from reconciler.cli.output import Terminal, answer
from reconciler.model.addresses import UnitRange
from reconciler.usecases.resolve import Resolution, Word, resolve

_FOLLOWS = {
    Word.RUN_ID: "that run counts for it from now on",
    Word.NEVER_RAN: "it never ran; the next apply may start it",
    Word.SUCCEEDED: "it has succeeded",
    Word.RERUN: "the next apply runs it again",
}


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler resolve manualflow.close@2018-12-12 --run-id 7000012 \\\n"
    "      --reason 'seen in the console'\n"
    "  reconciler resolve manualflow.close@2018-12-12 --never-ran \\\n"
    "      --reason 'not in the console'\n"
    "  reconciler resolve backfill.orders@2020-05-20..2020-05-24 --rerun \\\n"
    "      --reason 'table was dropped'",
)
@click.argument("unit", type=Units(), metavar=UNIT_METAVAR)
@click.option(
    "--run-id", metavar="ID", help="This run is what became of it; it is read back first."
)
@click.option(
    "--never-ran", is_flag=True, help="Nothing ran; only after its signature has expired."
)
@click.option("--succeeded", is_flag=True, help="The work is done, whatever the record says.")
@click.option("--rerun", is_flag=True, help="Run it again.")
@reasoned(required=True)
@click.pass_obj
def command(
    terminal: Terminal,
    unit: UnitRange,
    run_id: str | None,
    never_ran: bool,
    succeeded: bool,
    rerun: bool,
    reason: str,
) -> ExitCode:
    """Record a decision on units that are unknown, held, hollow or lost.

    It starts nothing by itself. All of the units are decided, or none.
    """
    said = {
        Word.RUN_ID: run_id is not None,
        Word.NEVER_RAN: never_ran,
        Word.SUCCEEDED: succeeded,
        Word.RERUN: rerun,
    }
    words = [word for word, wanted in said.items() if wanted]
    if len(words) != 1:
        raise click.UsageError("say one of --run-id, --never-ran, --succeeded and --rerun")
    (word,) = words
    resolution = Resolution(units=unit, word=word, reason=reason, run_id=run_id)
    resolve(workspace_of(terminal), resolution)
    answer(f"Recorded for {unit}: {_FOLLOWS[word]}.")
    return ExitCode.OK
