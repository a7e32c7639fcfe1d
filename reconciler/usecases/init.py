"""Write a new project: commented, valid, and planned against the embedded simulator."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from reconciler.model.errors import NotOverwritten, NotWritten

#: Each template and the path it is written to, under the project's folder.
FILES = {
    "reconciler.yaml": "reconciler.yaml",
    "specs/orders-backfill.yaml": "specs/orders-backfill.yaml",
    "specs/month-close.yaml": "specs/month-close.yaml",
    "ci/github.yaml": "ci/github.yaml",
    "ci/gitlab.yaml": "ci/gitlab.yaml",
    "gitignore": ".gitignore",
}


def write_project(folder: Path) -> tuple[Path, ...]:
    """Write every file of a new project.

    Returns:
        The files written, in the order to read them.

    Raises:
        FileError: One of them is there already (nothing was written), or writing failed.
    """
    wanted = {name: folder / path for name, path in FILES.items()}
    there = [path for path in wanted.values() if path.exists() or path.is_symlink()]
    if there:
        raise NotOverwritten(
            f"{', '.join(map(str, there))}: there already; nothing was written",
            hint="choose an empty folder: reconciler init DIR",
        )
    templates = files("reconciler.templates")
    try:
        for name, path in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = templates.joinpath(name).read_text(encoding="utf-8")
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise NotWritten(
            f"{error.filename} cannot be written: {error.strerror}",
            hint="name a folder that you may write to: reconciler init DIR",
        ) from error
    return tuple(wanted.values())
