"""Where the state lies: read from its URL without opening, or importing, anything heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from reconciler.model.errors import StateUrlUnknown

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")

#: Parameters of a PostgreSQL URL that hold a secret.
_SECRETS = frozenset({"password", "sslpassword"})

#: User and password, which end at the first `@`; hosts and ports; a database; parameters. With a `/` that
#: is not percent-encoded in it, a password would be read as a port and a database, and told as such.
_URL = re.compile(
    r"(?:(?P<user>[^@/:]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>(?:\[[^]@/?]*\]|[^@/?:,]*)(?::[0-9]*)?(?:,(?:\[[^]@/?]*\]|[^@/?:,]*)(?::[0-9]*)?)*)"
    r"(?P<database>/[^@/?]*)?(?:\?(?P<parameters>.*))?"
)


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

    @classmethod
    def parse(cls, url: str) -> PostgresServer:
        """Take a URL that can be told apart from its secrets.

        Raises:
            StateUrlUnknown: It cannot; the text does not quote it.
        """
        server = cls(url)
        if server._parts() is None:
            raise StateUrlUnknown(
                "the state URL is malformed",
                hint="write postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in a password, "
                "characters such as @ : / ? # % are percent-encoded (%40 for @)",
            )
        return server

    def __str__(self) -> str:
        """Who asks for which database where; no password, and no parameter."""
        found = self._parts()
        if found is None:
            return "postgresql://…"
        user = f"{found['user']}@" if found["user"] else ""
        return f"postgresql://{user}{found['hosts']}{found['database'] or ''}"

    @property
    def secrets(self) -> frozenset[str]:
        """Its passwords, as they stand in the URL and decoded."""
        found = self._parts()
        if found is None:
            return frozenset({self.url})
        written = [found["password"] or ""]
        for pair in (found["parameters"] or "").split("&"):
            name, _, value = pair.partition("=")
            if unquote(name) in _SECRETS:
                written.append(value)
        return frozenset(filter(None, (*written, *map(unquote, written))))

    def _parts(self) -> re.Match[str] | None:
        prefix = next(one for one in _POSTGRES if self.url.startswith(one))
        return _URL.fullmatch(self.url.removeprefix(prefix))


StateLocation = SqliteFile | PostgresServer


def state_location(url: str, root: Path) -> StateLocation:
    """Read `sqlite:///FILE`, a relative FILE lying under the project's folder, or `postgresql://…`.

    Raises:
        StateError: Another kind of URL, or no file in it.
    """
    if url.startswith(_POSTGRES):
        return PostgresServer.parse(url)
    file = url.removeprefix(_SQLITE)
    if file == url or not file or file == ":memory:":
        kind = url.partition(":")[0]
        raise StateUrlUnknown(
            f"state in {kind} is not supported" if file == url else "the state URL names no file",
            hint="write state: sqlite:///FILE or postgresql://… in reconciler.yaml",
        )
    return SqliteFile(root / file)
