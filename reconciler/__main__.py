"""`python -m reconciler`, and the `reconciler` command."""

from __future__ import annotations

import os
import sys

from reconciler import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    # Every CI job asks for the version: it is answered before anything is imported.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"reconciler {__version__}\n")
        return
    if (shell := os.environ.get("_RECONCILER_COMPLETE")) is not None:
        from reconciler.cli.completing import answer_shell  # noqa: PLC0415 - see above

        answer_shell(shell, sys.argv[1:])
        # Shells ignore it; a variable left in an environment must not make a real command look done.
        sys.exit(1)
    from reconciler.cli.main import run  # noqa: PLC0415 - see above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
