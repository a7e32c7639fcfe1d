"""Where the state lies: read from its URL without opening, or importing, anything heavy."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.errors import StateError

_SQLITE = "sqlite:///"


def sqlite_path(url: str, root: Path) -> Path:
    """The file of a `sqlite:///FILE` URL; a relative one lies under the project's folder.

    Raises:
        StateError: Another kind of URL, or no file in it.
    """
    file = url.removeprefix(_SQLITE)
    if file == url or not file or file == ":memory:":
        kind = url.partition(":")[0]
        raise StateError(
            f"state in {kind} is not supported yet"
            if file == url
            else "the state URL names no file",
            hint="write state: sqlite:///FILE in reconciler.yaml",
        )
    return root / file
