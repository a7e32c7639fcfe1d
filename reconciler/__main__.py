"""`python -m reconciler`, and the `reconciler` command."""

from __future__ import annotations

import sys

from reconciler import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    # Every CI job asks for the version: it is answered before anything is imported.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"reconciler {__version__}\n")
        return
    from reconciler.cli.main import run  # noqa: PLC0415 - see above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
