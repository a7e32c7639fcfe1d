"""The two logs of the simulator, and what is counted from them.

The *ledger* has every create call that was executed, written in the transaction that executed it:
it is the oracle of every test about "never twice". The *request log* has every request to a simulated
service, with what became of it. Times are the gateway clock's, as ISO text in UTC.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping, Sequence

_DAY_MS = 86_400_000
_SECOND_MS = 1000
_THROTTLED = ("Throttling", "APIG.0308")  # How the verdicts of throttled requests begin.


def iso(moment_ms: int) -> str:
    """A moment in milliseconds since the epoch as `2026-11-21T10:00:00.000Z`."""
    moment = dt.datetime.fromtimestamp(moment_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_create(
    connection: sqlite3.Connection,
    *,
    time_ms: int,
    operation: str,
    name: str,
    parameters: Mapping[str, str],
    dag_ids: Sequence[int],
    request_id: str,
) -> None:
    """Add an executed create call to the ledger."""
    connection.execute(
        "INSERT INTO ledger (time_ms, operation, name, parameters, dag_ids, request_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            time_ms,
            operation,
            name,
            json.dumps(dict(parameters), ensure_ascii=False),
            json.dumps(list(dag_ids)),
            request_id,
        ),
    )


def ledger(connection: sqlite3.Connection) -> list[dict[str, object]]:
    """Every executed create call, oldest first."""
    rows = connection.execute(
        "SELECT seq, time_ms, operation, name, parameters, dag_ids, request_id FROM ledger ORDER BY seq"
    )
    return [
        {
            "seq": seq,
            "time": iso(time_ms),
            "operation": operation,
            "name": name,
            "parameters": json.loads(parameters),
            "dag_ids": json.loads(dag_ids),
            "request_id": request_id,
        }
        for seq, time_ms, operation, name, parameters, dag_ids, request_id in rows
    ]


def record_request(
    connection: sqlite3.Connection,
    *,
    time_ms: int,
    real_ms: int,
    operation: str,
    writes: bool,
    verdict: str,
    status: int,
) -> None:
    """Add a request to the request log."""
    connection.execute(
        "INSERT INTO requests (time_ms, real_ms, operation, writes, verdict, status)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (time_ms, real_ms, operation, writes, verdict, status),
    )


def requests(connection: sqlite3.Connection) -> list[dict[str, object]]:
    """Every request to a simulated service, oldest first."""
    rows = connection.execute(
        "SELECT seq, time_ms, operation, verdict, status FROM requests ORDER BY seq"
    )
    return [
        {
            "seq": seq,
            "time": iso(time_ms),
            "operation": operation,
            "verdict": verdict,
            "status": status,
        }
        for seq, time_ms, operation, verdict, status in rows
    ]


def calls_in_the_last_second(connection: sqlite3.Connection, real_ms: int, *, writes: bool) -> int:
    """How many reads or writes were let through within the last second of real time.

    An OBShell agent has no limits, and requests to it do not count.
    """
    rows = connection.execute(
        "SELECT real_ms, writes, verdict FROM requests"
        " WHERE operation NOT LIKE 'obshell.%' ORDER BY seq DESC"
    )
    count = 0
    for at_ms, was_write, verdict in rows:
        if at_ms <= real_ms - _SECOND_MS:
            break
        count += bool(was_write) is writes and not verdict.startswith(_THROTTLED)
    return count


def count_call_today(connection: sqlite3.Connection, gateway_ms: int) -> int:
    """Count a call; how many there are by now on this day of the gateway clock (UTC)."""
    row = connection.execute(
        "INSERT INTO calls VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET calls = calls + 1"
        " RETURNING calls",
        (gateway_ms // _DAY_MS,),
    ).fetchone()
    return int(row[0])
