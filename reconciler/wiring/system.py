"""Real time, real randomness, and who we are."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import getpass
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

from reconciler.model.state import Actor

#: Whichever git the user has. A folder that a pull request made to look like a repository is none.
_GIT = ("git", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")

#: Git must not make anybody wait; a commit that cannot be told in this time is left out.
GIT_TIMEOUT_SECONDS = 2


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """This moment, aware UTC."""
        return dt.datetime.now(dt.UTC)  # noqa: TID251 - this is the Clock

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, not negative."""
        await asyncio.sleep(seconds)  # noqa: TID251 - this is the Clock


class RandomIds:
    """The operating system's randomness."""

    def token(self, length: int) -> str:
        """`length` random lower-case base32 characters."""
        raw = secrets.token_bytes(length * 5 // 8 + 1)
        return base64.b32encode(raw).decode("ascii").lower()[:length]


def actor(command: str, root: Path) -> Actor:
    """Who runs this process, for the journal and for whoever meets our lock."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    who = f"{user}@{socket.gethostname()} (process {os.getpid()})"
    return Actor(
        # Names in the environment are bytes; those that are no text are told by their numbers.
        who=os.fsencode(who).decode("utf-8", "backslashreplace"),
        command=command,
        git_commit=_git_commit(root),
    )


def _git_commit(root: Path) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words and our own folder
            [*_GIT, "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit = answer.stdout.strip()
    return commit if answer.returncode == 0 and commit else None
