"""The rows of one project within one transaction: the one place that writes them, and that reads them.

Every row bears a seal (`seals`), and the project's own row bears the sum of the seals of all that plans
rest on. Whoever writes goes through here, so that row, seal and sum are one transaction's work; whoever
reads goes through here, so that nothing damaged is ever decided upon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, insert, select, update

from reconciler.model.errors import StateNotUpgraded
from reconciler.state.codec import Unsound
from reconciler.state.head import Head, Lock, read_head, write_head
from reconciler.state.schema import FORMAT, attempt, since, tag
from reconciler.state.seals import EMPTY, SEAL, is_whole, seal_of, summed, total

#: A row as it was read.
Row = Mapping[str, object]

#: All that plans rest on; its rows are summed up. What else is sealed is sealed row by row.
_SUMMED = (attempt, tag)


@dataclass(frozen=True, slots=True)
class Record:
    """One project's rows, as one transaction sees them. `lock` is as it was when that began."""

    connection: Connection
    stack_id: str
    head: Head
    lock: Lock

    @classmethod
    def reading(cls, connection: Connection, stack_id: str) -> Record:
        """For a transaction that only reads.

        Raises:
            StateMissing: There is nothing of this project.
            UnsupportedFormat: A newer version wrote it.
            Unsound: Its own row is damaged.
        """
        return cls(connection, stack_id, *read_head(connection, stack_id))

    @classmethod
    @contextmanager
    def writing(cls, connection: Connection, stack_id: str) -> Iterator[Record]:
        """For a transaction that writes; the project's own row is written when the context ends.

        No other process writes to this project's rows until the transaction ends, so that what is read
        in it cannot move under it.

        Raises:
            StateMissing, UnsupportedFormat, Unsound: As `reading`.
            StateError: It is of an older format, which has to be upgraded first.
        """
        record = cls(connection, stack_id, *read_head(connection, stack_id, for_update=True))
        if record.head.format < FORMAT:
            raise StateNotUpgraded(
                f"the state store still has format {record.head.format}",
                hint="run the command again: opening a store to write to it upgrades it",
            )
        yield record
        write_head(connection, stack_id, record.head)

    def rows(self, table: Table, *where: ColumnElement[bool]) -> list[Row]:
        """Rows of this project, each checked against its seal.

        Raises:
            Unsound: One does not match it.
        """
        found = self.rows_unchecked(table, *where)
        for problem in self._broken(table, found):
            raise Unsound(problem)
        return found

    def everything(self) -> dict[Table, list[Row]]:
        """All rows that plans rest on, by table, each checked, and none missing.

        Raises:
            Unsound: They are not as they were written.
        """
        found = self.everything_unchecked()
        for problem in self.problems(found):
            raise Unsound(problem)
        return found

    def rows_unchecked(self, table: Table, *where: ColumnElement[bool]) -> list[Row]:
        """Rows of this project as they are, for whoever wants to say what is wrong with them."""
        columns = [one for one in table.c if since(one) <= self.head.format]
        mine = select(*columns).where(table.c.stack_id == self.stack_id, *where)
        return [dict(row) for row in self.connection.execute(mine).mappings()]

    def everything_unchecked(self) -> dict[Table, list[Row]]:
        """All rows that plans rest on, as they are."""
        return {
            table: self.rows_unchecked(table)
            for table in _SUMMED
            if since(table) <= self.head.format
        }

    def problems(self, found: Mapping[Table, list[Row]]) -> Iterator[str]:
        """What is wrong with all rows that plans rest on, one line each."""
        broken = [line for table, rows in found.items() for line in self._broken(table, rows)]
        yield from broken
        if broken or not self.head.sealed:
            return
        seals = (str(row[SEAL]) for rows in found.values() for row in rows)
        if self.head.contents != total(seals):
            yield "what is on record does not add up: rows are missing, or older than the others"

    def insert(self, table: Table, values: Row) -> None:
        """Write a new row; what is not in `values` is NULL."""
        row = {**dict.fromkeys(table.c.keys()), **values, "stack_id": self.stack_id}
        self._seal(table, row, instead_of=EMPTY)
        self.connection.execute(insert(table).values(**row))

    def change(self, table: Table, before: Row, values: Row) -> None:
        """Write some columns of a row that was read in this transaction.

        Raises:
            Unsound: It is not as it was read any more, which only damage explains.
        """
        row = {**before, **values}
        self._seal(table, row, instead_of=str(before[SEAL]))
        key = [column == before[column.name] for column in table.primary_key]
        changed = self.connection.execute(
            update(table)
            .where(*key, table.c[SEAL] == before[SEAL])
            .values({name: row[name] for name in (*values, SEAL)})
        ).rowcount
        if changed != 1:
            raise Unsound(f"{_named(table, before)} cannot be found by its key")

    def _broken(self, table: Table, rows: list[Row]) -> Iterator[str]:
        for row in rows if self.head.sealed else ():
            if not is_whole(table, row, version=self.head.format):
                yield f"{_named(table, row)} does not match its seal"

    def _seal(self, table: Table, row: dict[str, object], *, instead_of: str) -> None:
        seal = row[SEAL] = seal_of(table, row)
        if table in _SUMMED:
            self.head.contents = summed(self.head.contents, added=seal, removed=instead_of)


def _named(table: Table, row: Row) -> str:
    key = [str(row[one.name]) for one in table.primary_key if one.name != "stack_id"]
    return f"{table.name} {' '.join(key)}"
