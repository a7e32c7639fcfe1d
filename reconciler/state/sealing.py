"""Sealing rows that bear no seal yet: the last step of an upgrade, when the tables are as `schema` says."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select, update

from reconciler.state.head import GENESIS, Head, write_head
from reconciler.state.schema import FORMAT, attempt, journal, stack, tag, usage
from reconciler.state.seals import SEAL, seal_of, total


def seal_everything(connection: Connection) -> None:
    """Believe all rows of all projects as they are, and seal them."""
    for table in (attempt, tag, usage):
        for row in connection.execute(select(table)).mappings().all():
            key = [column == row[column.name] for column in table.primary_key]
            connection.execute(update(table).where(*key).values({SEAL: seal_of(table, dict(row))}))
    rows = connection.execute(
        select(stack.c.stack_id, stack.c.lineage, stack.c.writes, stack.c.fence)
    )
    for stack_id, lineage, writes, fence in rows.all():
        seq, last = _end_of_journal(connection, stack_id)
        head = Head(
            lineage=lineage,
            format=FORMAT,
            writes=writes,
            fence=fence,
            contents=total(
                seal for table in (attempt, tag) for seal in _seals(connection, table, stack_id)
            ),
            journal_seq=seq,
            journal_hash=last,
        )
        write_head(connection, stack_id, head)


def _seals(connection: Connection, table: Table, stack_id: str) -> list[str]:
    mine = select(table.c[SEAL]).where(table.c.stack_id == stack_id)
    return list(connection.execute(mine).scalars())


def _end_of_journal(connection: Connection, stack_id: str) -> tuple[int, str]:
    last = connection.execute(
        select(journal.c.seq, journal.c.hash)
        .where(journal.c.stack_id == stack_id)
        .order_by(journal.c.seq.desc())
        .limit(1)
    ).first()
    return (last.seq, last.hash) if last is not None else (0, GENESIS)
