"""`reconciler demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import answer
from reconciler.model.errors import DemoFailed
from reconciler.rendering.words import some

#: The main job, as a person would type it.
STEPS = (
    ("validate",),
    ("plan", "--out", "{plan}"),
    ("apply", "{plan}", "--wait"),
    ("status",),
    ("plan", "--detailed-exitcode"),
)


@click.command(epilog="\b\nExamples:\n  reconciler demo\n  reconciler demo --keep my-project")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Make the project in this folder and leave it there.",
)
def command(keep: Path | None) -> ExitCode:
    """Run the main job end to end against the embedded simulator, in a temporary project.

    Validate, plan, apply what was planned and wait for it; a second plan then is empty.
    """
    if keep is not None:
        return _run(keep)
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        return _run(Path(folder) / "project")


def _run(root: Path) -> ExitCode:
    from reconciler.cli.main import run  # noqa: PLC0415 - main imports the commands

    def step(*words: str) -> None:
        answer(f"$ reconciler {' '.join(words)}")
        code = run(["-C", str(root), *words]) if words[0] != "init" else run(words)
        if code != ExitCode.OK:
            raise DemoFailed(
                f"the demo failed: `{words[0]}` ended with exit code {code}",
                hint="what it said stands above; run it again with -v and report that",
            )
        answer("")

    step("init", str(root))
    for words in STEPS:
        step(*(word.format(plan=root / "first.plan.json") for word in words))
    creates, requests = _seen_by_the_simulator(root)
    answer(
        f"The second plan is empty. The simulator executed {some(creates, 'create call')}"
        f" and answered {some(requests, 'API call')} in all."
    )
    return ExitCode.OK


def _seen_by_the_simulator(root: Path) -> tuple[int, int]:
    from reconciler.model.project import SimulatorEndpoint  # noqa: PLC0415 - heavy
    from reconciler.wiring.embedded import open_embedded  # noqa: PLC0415 - heavy

    with open_embedded(SimulatorEndpoint(), "prod", root) as simulator:
        return len(simulator.ledger()), len(simulator.requests())
