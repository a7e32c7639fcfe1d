"""Opening a PostgreSQL database, for teams.

The URL goes to libpq as it is, so everything it understands works: a socket folder in `?host=`, a
service, `sslmode=verify-full`. No advisory locks are held between transactions, so poolers are harmless.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from reconciler.model.errors import StateUnsafe
from reconciler.state.location import PostgresServer

#: How long a connection may take.
CONNECT_TIMEOUT_SECONDS = 10


def open_postgres(url: str, *, read_only: bool) -> Engine:
    """Open a database; nothing is connected before the first transaction.

    Each new connection is refused unless its commits are durable when they return.
    """
    server = PostgresServer.parse(url)

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        connection = _connected(server)
        connection.read_only = read_only
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=2,
        max_overflow=2,
        # A role or a database may have another default, in which writers would fail instead of queueing.
        isolation_level="READ COMMITTED",
    )

    @event.listens_for(engine, "connect")
    def _refuse_lossy(
        connection: psycopg.Connection[tuple[object, ...]], _: ConnectionPoolEntry
    ) -> None:
        row = connection.execute("SHOW synchronous_commit").fetchone()
        connection.rollback()
        if row is not None and row[0] == "off":
            raise StateUnsafe(
                "this PostgreSQL loses commits in a crash: synchronous_commit is off",
                hint="ALTER ROLE … SET synchronous_commit = on for the role of the state URL",
            )

    return engine


def _connected(server: PostgresServer) -> psycopg.Connection[tuple[object, ...]]:
    """Connect once.

    Raises:
        psycopg.Error: It failed. Where libpq repeats a part of the URL, the text has no password.
    """
    try:
        # Prepared statements outlive a transaction, and behind a pooler meet those of others.
        return psycopg.connect(
            server.url, connect_timeout=CONNECT_TIMEOUT_SECONDS, prepare_threshold=None
        )
    except psycopg.Error as error:
        said = str(error)
        for secret in sorted(server.secrets, key=len, reverse=True):
            said = said.replace(secret, "***")
        failure = type(error)(said)
    raise failure  # out here, the error that may hold the password is not its context
