"""Where the project lies in the checkout it is part of, which is what CI systems count paths from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def folder_in_checkout(project: Path, environ: Mapping[str, str]) -> str:
    """The project's folder as seen from the root of its checkout, with slashes; `.` for the root itself.

    The root is the nearest folder above (or the project's own) that holds `.git`; without one, GitHub's
    `GITHUB_WORKSPACE` if the project lies in there, as where the sources came as an archive.
    """
    folder = project.resolve()
    workspace = environ.get("GITHUB_WORKSPACE")
    roots = [one for one in (folder, *folder.parents) if (one / ".git").exists()]
    if workspace:
        roots.append(Path(workspace).resolve())
    root = next((one for one in roots if folder.is_relative_to(one)), folder)
    return folder.relative_to(root).as_posix()
