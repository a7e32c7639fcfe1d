"""What the simulator keeps besides runs and logs: keys, clocks, worlds, nonces."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.simulator.clocks import Advance, Clocks, ClockSpec
from reconciler.simulator.transitions import WorldVersion
from reconciler.simulator.world import World
from reconciler.simulator.world_file import build_world, world_document

_HOUR_MS = 3_600_000

RandomHex = Callable[[int], str]
"""Makes so many random bytes, as twice as many lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """The one account of the simulator."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"AccessKey(id={self.id!r}, secret=…)"


def store_access_key(connection: sqlite3.Connection, key: AccessKey) -> None:
    """Replace the database's access key."""
    _set(connection, "access_key", json.dumps([key.id, key.secret]))


def access_key(connection: sqlite3.Connection, random_hex: RandomHex) -> AccessKey:
    """The database's access key; made on first use."""
    found = _get(connection, "access_key")
    if found is None:
        key = AccessKey(id=f"simulator-{random_hex(8)}", secret=random_hex(16))
        store_access_key(connection, key)
        return key
    key_id, secret = json.loads(found)
    return AccessKey(id=key_id, secret=secret)


def store_rsa_key(connection: sqlite3.Connection, der: bytes) -> None:
    """Replace the RSA key of the OBShell agent: a PKCS#1 private key in DER."""
    _set(connection, "rsa_key", der.hex())


def rsa_key(connection: sqlite3.Connection) -> bytes | None:
    """The RSA key of the OBShell agent, as `store_rsa_key` takes it; None when there is none yet."""
    found = _get(connection, "rsa_key")
    return None if found is None else bytes.fromhex(found)


def start_clocks(connection: sqlite3.Connection, spec: ClockSpec, real_ms: int) -> None:
    """Start the clocks, or let those of the database go on at this rate."""
    if _get(connection, "clocks") is None:
        store_clocks(connection, Clocks.start(spec, real_ms))
    elif (found := clocks(connection)).spec != spec:
        store_clocks(connection, found.run_as(spec, real_ms))


def clocks(connection: sqlite3.Connection) -> Clocks:
    """The clocks as they stand."""
    rate, anchor_real_ms, anchor_work_ms, advanced_ms = json.loads(
        _get(connection, "clocks") or ""
    )
    return Clocks(
        spec=ClockSpec(rate),
        anchor_real_ms=anchor_real_ms,
        anchor_work_ms=anchor_work_ms,
        advanced_ms=advanced_ms,
    )


def store_clocks(connection: sqlite3.Connection, value: Clocks) -> None:
    """Replace the clocks."""
    numbers = [value.spec.rate, value.anchor_real_ms, value.anchor_work_ms, value.advanced_ms]
    _set(connection, "clocks", json.dumps(numbers))


def record_advance(connection: sqlite3.Connection, step: Advance) -> None:
    """Remember an advance: signatures are judged by it."""
    connection.execute(
        "INSERT INTO advances (at_real_ms, by_ms) VALUES (?, ?)", (step.at_real_ms, step.by_ms)
    )


def advances(connection: sqlite3.Connection, since_real_ms: int) -> tuple[Advance, ...]:
    """Advances made at or after a real moment."""
    rows = connection.execute(
        "SELECT at_real_ms, by_ms FROM advances WHERE at_real_ms >= ?", (since_real_ms,)
    )
    return tuple(Advance(at_real_ms=at_real_ms, by_ms=by_ms) for at_real_ms, by_ms in rows)


def change_world(connection: sqlite3.Connection, world: World, real_ms: int) -> None:
    """Make `world` hold from now on, unless it already does.

    A change takes one millisecond of the work clock: on the manual clock, too, what started before it
    follows the old world and what starts after it the new one.
    """
    document = json.dumps(world_document(world), ensure_ascii=False, sort_keys=True)
    last = connection.execute("SELECT document FROM worlds ORDER BY id DESC LIMIT 1").fetchone()
    if last is not None and last[0] == document:
        return
    now = clocks(connection)
    if last is not None:
        now = now.tick(real_ms)
        store_clocks(connection, now)
    connection.execute(
        "INSERT INTO worlds (from_ms, document) VALUES (?, ?)", (now.work_ms(real_ms), document)
    )


def world_count(connection: sqlite3.Connection) -> int:
    """How many versions of the world there are."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM worlds").fetchone()[0])


def worlds(connection: sqlite3.Connection) -> tuple[WorldVersion, ...]:
    """Every version of the world, oldest first."""
    rows = connection.execute("SELECT from_ms, document FROM worlds ORDER BY id")
    return tuple(
        WorldVersion(from_ms=from_ms, world=build_world(json.loads(document)))
        for from_ms, document in rows
    )


def use_nonce(connection: sqlite3.Connection, nonce: str, at_ms: int) -> bool:
    """Mark a signature nonce as used; False when it was used before."""
    done = connection.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, at_ms))
    return done.rowcount == 1


def forget_old_nonces(connection: sqlite3.Connection, gateway_ms: int) -> None:
    """Drop nonces whose signatures have expired long ago."""
    connection.execute("DELETE FROM nonces WHERE at_ms < ?", (gateway_ms - _HOUR_MS,))


def _get(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _set(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
