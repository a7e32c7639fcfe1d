"""A project's own row: which store this is, how far it is, and what belongs into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, inspect, select, text, update

from reconciler.model.errors import NO_STORE_YET, StateMissing, UnsupportedFormat
from reconciler.state.codec import Unsound, readable
from reconciler.state.schema import FORMAT, FORMAT_WITH_SEALS, journal, stack
from reconciler.state.seals import EMPTY, SEAL, is_whole, seal_of

#: What the first entry of a journal is chained to.
GENESIS = "0" * 64


@dataclass(slots=True)
class Head:
    """One row of `stack`, but for the lock, which is no matter of the record (`Lock`).

    `contents` is the sum of the seals of all that plans rest on; `journal_seq` and `journal_hash` are the
    last entry's, so that a journal which lost its end can be told from one that ends there.
    """

    lineage: str
    format: int = FORMAT
    writes: int = 0
    fence: int = 0
    contents: str = EMPTY
    journal_seq: int = 0
    journal_hash: str = GENESIS

    @property
    def sealed(self) -> bool:
        """Whether rows bear seals; those of older formats do not."""
        return self.format >= FORMAT_WITH_SEALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The columns that say who holds the lock. No seal covers them: see `seals`."""

    lease_id: str | None = None
    holder: str | None = None
    held_since: int | None = None
    lease_until: int | None = None


def refuse_nothing(connection: Connection) -> None:
    """Refuse a database without our tables, and one in which the most important one is missing.

    Raises:
        StateMissing: There is nothing of ours.
        Unsound: There should be: on a server others may have tables, but in a file nobody has.
    """
    found = set(inspect(connection).get_table_names())
    if stack.name in found:
        return
    if journal.name in found or (found and connection.dialect.name == "sqlite"):
        raise Unsound(f"it has no table {stack.name}, but {', '.join(sorted(found))}")
    raise StateMissing("there is no state store yet", hint=NO_STORE_YET)


def read_head(
    connection: Connection, stack_id: str, *, for_update: bool = False
) -> tuple[Head, Lock]:
    """Read a project's row, of whatever format, and check it.

    Args:
        connection: The transaction.
        stack_id: The project.
        for_update: Keep others from writing to the project's state until the transaction ends.

    Raises:
        StateMissing: There is none.
        UnsupportedFormat: A newer version wrote it.
        Unsound: It does not match its seal.
    """
    # Not by the names of our columns: an older format has fewer of them.
    waits = for_update and connection.dialect.name == "postgresql"  # SQLite's writers queue anyway
    row = (
        connection.execute(
            text(f"SELECT * FROM stack WHERE stack_id = :id{' FOR UPDATE' if waits else ''}"),  # noqa: S608
            {"id": stack_id},
        )
        .mappings()
        .first()
    )
    if row is None:
        told = select(journal.c.seq).where(journal.c.stack_id == stack_id).limit(1)
        if connection.execute(told).first() is not None:
            raise Unsound(f"the row of project {stack_id} is missing")
        raise StateMissing(
            f"the state store holds nothing of project {stack_id}",
            hint="the first apply of the project makes it",
        )
    cells = dict(row)
    with readable("the project's own row"):
        refuse_newer(cells["format"])
        for old, new in (("serial", "writes"), ("lock_id", "lease_id")):
            if old in cells:  # its name in older formats
                cells[new] = cells.pop(old)
        _check(cells)
        lock = Lock(**{name: cells[name] for name in Lock.__slots__})
        return Head(**{name: cells[name] for name in Head.__slots__ if name in cells}), lock


def refuse_newer(version: object) -> None:
    """Refuse a store that a newer version wrote.

    Raises:
        UnsupportedFormat: Its format is newer than ours.
    """
    if isinstance(version, int) and version > FORMAT:
        raise UnsupportedFormat(
            f"the state store has format {version}; this version knows up to {FORMAT}",
            hint="upgrade reconciler",
        )


def make_head(connection: Connection, stack_id: str, lineage: str) -> None:
    """Write the row of a new project."""
    connection.execute(insert(stack).values(**_cells(stack_id, Head(lineage))))


def write_head(connection: Connection, stack_id: str, head: Head) -> None:
    """Write a project's row as it has become."""
    connection.execute(
        update(stack).where(stack.c.stack_id == stack_id).values(**_cells(stack_id, head))
    )


def _cells(stack_id: str, head: Head) -> dict[str, object]:
    cells: dict[str, object] = {name: getattr(head, name) for name in Head.__slots__}
    cells["stack_id"] = stack_id
    return {**cells, SEAL: seal_of(stack, cells)}


def _check(cells: Mapping[str, object]) -> None:
    # The columns are there since the format that has them: one of both alone means damage to the other.
    if (cells["format"] in range(1, FORMAT_WITH_SEALS)) == (SEAL in cells):
        raise Unsound(f"its format is said to be {cells['format']}, and its tables are of another")
    if SEAL in cells and not is_whole(stack, cells):
        raise Unsound("the project's own row does not match its seal")
