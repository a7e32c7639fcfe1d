"""`reconciler completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli.output import answer_verbatim


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler\n"
    "  reconciler completion fish > ~/.config/fish/completions/reconciler.fish"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows these three
    root = ctx.find_root()
    answer_verbatim(kind(root.command, {}, "reconciler", "_RECONCILER_COMPLETE").source())
