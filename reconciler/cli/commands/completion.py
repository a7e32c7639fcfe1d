"""`reconciler completion`."""

from __future__ import annotations

from importlib.resources import files

import click

from reconciler.cli.completing import SHELLS
from reconciler.cli.output import answer_verbatim


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler completion bash \\\n"
    "      > ~/.local/share/bash-completion/completions/reconciler\n"
    "  reconciler completion zsh > ~/.zfunc/_reconciler\n"
    "  reconciler completion fish > ~/.config/fish/completions/reconciler.fish\n"
    "\b\nOr for this shell alone:\n"
    '  eval "$(reconciler completion bash)"'
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell: commands, options, addresses, units, files.

    Candidates are read from the specs of the project in this folder, or in the one that -C names.
    """
    script = files("reconciler.cli").joinpath("shells", f"reconciler.{shell}")
    answer_verbatim(script.read_text(encoding="utf-8"))
