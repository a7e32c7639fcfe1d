"""`reconciler simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import answer_verbatim
from reconciler.model.errors import CannotServe

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler simulate --port 8080 --clock x3600\n"
    "  reconciler simulate --world world.yaml --db simulator.db\n"
    "\b\nThe first line on stdout is JSON: url, access_key_id, access_key_secret.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 lets the system choose."
)
@click.option("--world", type=_FILE, help="What exists there; without it, whatever is asked for.")
@click.option("--db", type=_FILE, help="Keep everything in this file across restarts.")
@click.option(
    "--clock", default="real", show_default=True, help="real, xN (N times faster) or manual."
)
@click.option("--faults", type=_FILE, help="Faults to inject, JSON or YAML.")
def command(
    host: str,
    port: int,
    world: Path | None,
    db: Path | None,
    clock: str,
    faults: Path | None,
) -> None:
    """Serve a stand-in for the orchestrators, which the vendors' own SDKs can drive."""
    from reconciler.simulator.server import serve  # noqa: PLC0415 - heavy

    try:
        serve(
            host=host,
            port=port,
            world=world,
            db=db,
            clock=clock,
            faults=faults,
            announce=answer_verbatim,
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--clock") from None
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        raise CannotServe(
            f"the simulator cannot serve: {what}",
            hint="name another --host, --port or file; --port 0 takes a free one",
        ) from error
