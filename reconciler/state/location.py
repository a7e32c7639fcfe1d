"""Where the state lies: read from its URL without opening, or importing, anything heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reconciler.model.errors import StateUrlUnknown

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return f"sqlite:///{self.path}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database server, for teams. `url` is what libpq takes, and may hold a password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        before, at, after = self.url.rpartition("@")
        user = before.removeprefix(next(p for p in _POSTGRES if self.url.startswith(p)))
        return f"postgresql://{user.partition(':')[0]}@{after}" if at else self.url


StateLocation = SqliteFile | PostgresServer


def state_location(url: str, root: Path) -> StateLocation:
    """Read `sqlite:///FILE`, a relative FILE lying under the project's folder, or `postgresql://…`.

    Raises:
        StateError: Another kind of URL, or no file in it.
    """
    if url.startswith(_POSTGRES):
        return PostgresServer(url)
    file = url.removeprefix(_SQLITE)
    if file == url or not file or file == ":memory:":
        kind = url.partition(":")[0]
        raise StateUrlUnknown(
            f"state in {kind} is not supported" if file == url else "the state URL names no file",
            hint="write state: sqlite:///FILE or postgresql://… in reconciler.yaml",
        )
    return SqliteFile(root / file)
