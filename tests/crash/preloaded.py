"""Loaded by the server from which `victims` are forked, and by nobody else: what every command needs.

Whatever is here when a process is forked does not have to be made again in it.
"""

from __future__ import annotations

import gc
import importlib
import os
import ssl

from reconciler.cli.main import COMMANDS
from reconciler.providers import http

#: What commands import when they first need it.
LAZILY_IMPORTED = (
    *(f"reconciler.cli.commands.{name}" for name in COMMANDS),
    "reconciler.cli.logs",
    "reconciler.providers.dataarts.provider",
    "reconciler.providers.dataworks.provider",
    "reconciler.state.engine",
    "reconciler.state.postgres",
    "reconciler.state.store",
    "anyio._backends._asyncio",
    "httpcore",
    "psutil",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "tests.crash.victim",
)


def _trust_once() -> None:
    """Read the usual root certificates now, which takes as long as a short command."""
    usual, trusted = http._tls(), os.environ.get("SSL_CERT_FILE")

    def tls() -> ssl.SSLContext:
        file = os.environ.get("SSL_CERT_FILE")
        return usual if file == trusted else ssl.create_default_context(cafile=file)

    http._tls = tls  # type: ignore[assignment]  # what it gives is what the original would give


for _name in LAZILY_IMPORTED:
    importlib.import_module(_name)
_trust_once()
# What is there by now is shared with every process, and no collection has to look at it again.
gc.freeze()
