"""The `reconciler` command: global options, lazily loaded commands, errors to exit codes."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from reconciler import __version__
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import Terminal, note, note_bug, note_error, note_problem, note_usage
from reconciler.model.errors import LockHeld, OutcomeUnrecorded, PlanRefused, ReconcilerError

#: Each command's module, and the line that `--help` shows for it; the module is imported when it runs.
COMMANDS = {
    "init": "Write a commented project and its state store.",
    "validate": "Check specs: no network, no store.",
    "plan": "Show what would start, and why.",
    "apply": "Start what is missing, never twice.",
    "show": "Show a saved plan again.",
    "status": "Coverage by resource; records what it sees.",
    "explain": "Why a unit is where it is.",
    "drift": "What changed outside.",
    "history": "The journal: who did what, when and why.",
    "resolve": "Decide on units that only a person can help.",
    "adopt": "Record a run that someone started by hand.",
    "stop": "Stop runs in flight.",
    "state": "The record itself: list, show, forget, pull.",
    "unlock": "End a lock left behind.",
    "check": "One signed read per connection.",
    "schema": "Print a JSON Schema.",
    "simulate": "Serve the simulator on a port.",
    "demo": "The main job end to end, in a temporary project.",
    "completion": "Shell completion.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reconciler.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Name the commands without importing any."""
        found = [
            CompletionItem(name, help=line)
            for name, line in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n"
    "  reconciler demo                   see the main job, against the simulator\n"
    "  reconciler -C specs plan          plan the project in folder specs\n"
    "  reconciler plan --out p.json      save a plan for review\n"
    "  reconciler apply p.json --wait    apply just that, and follow the runs",
)
@click.version_option(__version__, message="reconciler %(version)s")
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Run as if started in this folder, the one with reconciler.yaml.",
)
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and CI are respected, too.")
@click.option("-v", "--verbose", is_flag=True, help="Say more about the work, on stderr.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How log lines on stderr are written.",
)
@click.pass_context
def cli(
    ctx: click.Context, directory: Path, no_color: bool, verbose: bool, log_format: str
) -> None:
    """Declare backfills and manual runs; review the plan; never start one twice."""
    from reconciler.cli.logs import configure_logs  # noqa: PLC0415 - not for --help

    configure_logs(verbose=verbose, as_json=log_format == "json")
    ctx.with_resource(contextlib.chdir(directory))
    ctx.obj = Terminal(root=Path(), no_color=no_color, verbose=verbose)


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code; whatever went wrong has been said on stderr.
    """
    verbose = any(one in {"-v", "--verbose"} for one in arguments)
    try:
        result = cli.main(list(arguments), prog_name="reconciler", standalone_mode=False)
        code = int(result) if isinstance(result, int) else ExitCode.OK
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        note_usage(error)
        return ExitCode.ERROR
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        return ExitCode.INTERRUPTED
    except ReconcilerError as error:
        note_error(error)
        return _code_of(error)
    except OSError as error:
        # What is buffered must not raise again at exit; None is Python's own way to say "no stdout".
        sys.stdout = None
        if not isinstance(error, BrokenPipeError):  # whoever closed the pipe has seen enough
            note_problem(
                "os_error",
                f"{error.strerror}: {error.filename or 'the output'}",
                "see to that file or its disk, and run the command again",
            )
        return ExitCode.ERROR
    except Exception as error:  # noqa: BLE001 - said to be our fault, and shown with -v
        note_bug(error, __version__, verbose=verbose)
        return ExitCode.ERROR
    return code


def _code_of(error: ReconcilerError) -> ExitCode:
    match error:
        case LockHeld():
            return ExitCode.LOCKED
        case PlanRefused():
            return ExitCode.STALE
        case OutcomeUnrecorded():
            return ExitCode.PERSON
        case _:
            return ExitCode.ERROR
