"""Tables of the state store, the same on every database.

Times are integers: milliseconds since 1970 UTC. Data dates are ISO texts, `end_date` exclusive. Nothing is
ever deleted; order comes from `number` and `seq`, never from clocks; tries that were split by date share
their number.

`seal` is a digest of the other columns of its row (`seals`); `stack.contents` is the sum of the seals of
all that plans rest on, and `stack.journal_*` is the journal's last entry. Only `record` and `head` write
them. `stack.writes` counts the writes of holders of the lock (`RecordedState.serial`).

`attempt.coverage` is JSON `[["2020-05-20..2020-05-31", "success", false], …]`: range, status, gone.
`attempt.run_ids` is a JSON list of texts. `attempt.took` is JSON `[5, 55, 80, 310]`: how many dates, and
the seconds of the shortest, of the longest and of all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

#: Version of this schema; a store with a newer one is refused, one with an older one is upgraded
#: (`migrations`): 1 first, 2 what people decide, and which workspaces return our tags whole, 3 seals,
#: 4 how long runs took.
FORMAT = 4

#: The first format whose rows bear seals.
FORMAT_WITH_SEALS = 3

#: In `info` of a table or column: the first format that has it, where it is not the first of all.
SINCE = "since"

metadata = MetaData()

stack = Table(
    "stack",
    metadata,
    Column("stack_id", Text, primary_key=True),
    Column("lineage", Text, nullable=False),
    Column("format", Integer, nullable=False),
    Column("writes", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_id", Text),
    Column("holder", Text),
    Column("held_since", BigInteger),
    Column("lease_until", BigInteger),
    Column("contents", Text),
    Column("journal_seq", BigInteger),
    Column("journal_hash", Text),
    Column("seal", Text),
)

series = Table(
    "series",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("document", Text, nullable=False),
)

attempt = Table(
    "attempt",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("stack_id", Text, ForeignKey("stack.stack_id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("series", Text, ForeignKey("series.fingerprint"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("start_date", Text, nullable=False),
    Column("end_date", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("serial_call", Boolean, nullable=False),
    Column("adopted", Boolean, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signed_at", BigInteger),
    Column("valid_until", BigInteger),
    Column("request_digest", Text),
    Column("code", Text),
    Column("message", Text),
    Column("transient", Boolean, nullable=False),
    Column("request_id", Text),
    Column("run_ids", Text, nullable=False),
    Column("run_group", Text),
    Column("coverage", Text, nullable=False),
    Column("observed_at", BigInteger),
    Column("seal", Text, info={SINCE: FORMAT_WITH_SEALS}),
    Column("took", Text, info={SINCE: 4}),
    CheckConstraint(
        "state IN ('intent','sent','unknown','partial','accepted','refused','void','absent',"
        "'settled','requested','forgotten')",
        name="attempt_state",
    ),
    CheckConstraint("start_date < end_date", name="attempt_dates"),
    Index("attempt_subject", "stack_id", "subject", "start_date"),
    Index("attempt_call", "stack_id", "call_id"),
)

journal = Table(
    "journal",
    metadata,
    Column("stack_id", Text, ForeignKey("stack.stack_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("git_commit", Text),
    Column("event", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("stack_id", Text, ForeignKey("stack.stack_id"), primary_key=True),
    Column("connection", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("seal", Text, info={SINCE: FORMAT_WITH_SEALS}),
)

tag = Table(
    "tag",
    metadata,
    Column("stack_id", Text, ForeignKey("stack.stack_id"), primary_key=True),
    Column("home", Text, primary_key=True),
    Column("survives", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("seal", Text, info={SINCE: FORMAT_WITH_SEALS}),
    info={SINCE: 2},
)


def since(part: Table | Column[Any]) -> int:
    """The first format that has a table or a column."""
    return int(part.info.get(SINCE, 1))
