"""
The matrices in memory of a database, shared by its connections, and kept right by their changes.

A connection says which rows it has touched, before it commits. A row is in doubt for a connection while its state may
differ between the matrix and what the connection sees: another one has touched it and has not committed, or has
committed after the connection began its transaction, or the matrix has not read the row again yet. The matrix leaves
the rows in doubt to the database, which scores them all. A clock tells whether anything changed during a search, which
is then repeated.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

from meetup2025 import settings
from meetup2025.engines.duckdb.elements import stored
from meetup2025.engines.duckdb.matrix import SMALL, Matrix, size
from meetup2025.engines.duckdb.nearest import value_of
from meetup2025.engines.duckdb.parsed import run
from meetup2025.engines.tokens import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    from numpy.typing import NDArray

    from meetup2025.engines.duckdb.nearest import Part, Search

Table: TypeAlias = "tuple[str, str]"
"""Schema and name of a table in lower case."""

Rows: TypeAlias = "NDArray[np.int64] | None"
"""RowIDs, or None for all rows of a table."""

_BATCH = 8192
"""Rows that are read at once."""

_FEW = 500
"""Rows up to which their RowIDs find them faster than a scan."""

_IN_DOUBT = 256
"""Rows in doubt from which a matrix reads them again."""


class NoMatrix(Exception):  # noqa: N818 - it is an answer
    """Why no matrix narrows a search."""


class _Change(NamedTuple):
    """Rows of a table that a transaction has changed, with the time of its commit."""

    time: int
    table: Table
    rows: Rows


@dataclass
class _Session:
    """A connection: the rows that it has touched, and when it began its transaction."""

    touched: list[tuple[Table, Rows]] = field(default_factory=list)
    since: int | None = None


@dataclass
class _Held:
    """A matrix, the time up to which it has read the changes, and the time of its last use."""

    matrix: Matrix
    read: int
    used: int = 0


class Matrices:
    """The matrices of one database."""

    def __init__(self) -> None:
        self.clock = 0
        self._lock = threading.RLock()
        self._sessions: dict[int, _Session] = {}
        self._changes: list[_Change] = []
        self._held: dict[tuple[Table, str], _Held] = {}
        self._asked: set[tuple[Table, str]] = set()
        self._small: set[tuple[Table, str]] = set()

    # --- connections and their changes

    def enter(self, session: int) -> None:
        """Add a connection."""
        with self._lock:
            self._sessions[session] = _Session()

    def leave(self, session: int) -> None:
        """Take a connection out. After the last one, nothing stays in memory."""
        with self._lock:
            self._sessions.pop(session, None)
            if not self._sessions:
                self._held.clear()
                self._changes.clear()

    def begin(self, session: int) -> None:
        """Note that a transaction begins now."""
        with self._lock:
            self._sessions[session].since = self.clock

    def watches(self, table: Table) -> bool:
        """Return whether the changed rows of a table must be known one by one."""
        return any(held == table for held, _ in self._held)

    def touch(self, session: int, table: Table, rows: Rows) -> None:
        """Note rows that a connection has changed, before it commits."""
        with self._lock:
            self.clock += 1
            self._sessions[session].touched.append((table, rows))
            self._count_again(table)

    def end(self, session: int, *, committed: bool) -> None:
        """Note that a transaction has ended in the database."""
        with self._lock:
            own = self._sessions[session]
            touched, own.touched, own.since = own.touched, [], None
            if committed and touched:
                self.clock += 1
                self._changes += [_Change(self.clock, table, rows) for table, rows in touched]
            self._count_again(*(table for table, _ in touched))
            self._drop_changes()

    def _count_again(self, *tables: Table) -> None:
        self._small = {key for key in self._small if key[0] not in tables}

    def _drop_changes(self) -> None:
        """Drop the changes that every matrix has read, and every open transaction sees."""
        for key, held in list(self._held.items()):
            if any(each.rows is None and each.table == key[0] and each.time > held.read for each in self._changes):
                del self._held[key]
        times = [each.since for each in self._sessions.values() if each.since is not None]
        oldest = min(times, default=self.clock)
        read = {table: min(held.read for key, held in self._held.items() if key[0] == table) for table, _ in self._held}
        self._changes = [each for each in self._changes if each.time > min(oldest, read.get(each.table, self.clock))]

    # --- searches

    def choose(
        self, session: int, database: duckdb.DuckDBPyConnection, search: Search, parameters: Sequence[Any]
    ) -> NDArray[np.int64]:
        """
        Choose the rows that may be the answer of a search.

        The answer holds as long as `clock` has the value that it had before the call.

        Args:
            session: The connection.
            database: Its database, with no unread result.
            search: The search.
            parameters: The parameters of the statement.

        Raises:
            NoMatrix: There is no matrix, or it cannot tell.
        """
        with self._lock:
            held = self._matrix(session, database, search)
        k = search.rows + sum(value_of(name, parameters) for name in search.more_rows)
        queries = [_vector(database, each, parameters) for each in search.queries]
        among = None if search.among is None else _row_ids(database, search.among.sql, search.among.values(parameters))
        if among is not None and len(among) <= k:
            return among
        empty = _NONE if search.largest else _row_ids(database, _select(search, '"ID"', "IS NULL"))
        with self._lock:
            doubt = self._in_doubt(session, _key(search)[0], held)
            found = held.matrix.nearest(
                queries, k, cosine=search.cosine, largest=search.largest, among=among, without=doubt
            )
        if found is None and among is not None and len(among) <= _FEW:
            return among
        if found is None:
            raise NoMatrix("it would let most rows pass: as many are wanted, or alike")
        return np.concatenate([found, doubt, empty])

    def plan(self, database: duckdb.DuckDBPyConnection, search: Search) -> str:
        """Say whether a search uses a matrix, and why not."""
        name = ".".join((*search.table, search.column))
        try:
            with self._lock:
                return f"{name}: {self._plan(database, search)}."
        except NoMatrix as reason:
            return f"{name}: scan, because {reason}."

    def _plan(self, database: duckdb.DuckDBPyConnection, search: Search) -> str:
        key = _key(search)
        count = len(self._held[key].matrix) if key in self._held else _count(database, search)
        if key not in self._held:
            _check_size(count, search.dimension)
        shown = f"matrix in memory, {count:,} vectors, {size(count, search.dimension) / 1e6:,.0f} MB"
        if key in self._held:
            return shown
        return f"{shown}, made by the {'next' if key in self._asked else 'second'} search of this process"

    def _matrix(self, session: int, database: duckdb.DuckDBPyConnection, search: Search) -> _Held:
        """Return the matrix of a search, made or brought up to date if that is possible now."""
        key, free = _key(search), self._sessions[session].since is None
        held = self._held.get(key)
        if key in self._small:
            _refuse_small()
        if held is None:
            _check_memory(0, search.dimension)
            if key not in self._asked:
                self._asked.add(key)
                raise NoMatrix("the first search of a column scans it")
            if not free:
                raise NoMatrix("a transaction is open, and there is no matrix yet")
            held = self._held[key] = self._made(database, search)
        elif free and len(self._in_doubt(session, key[0], held)) > _IN_DOUBT:
            self._read_again(database, search, held)
        if held.matrix.bytes > settings.search_memory() or held.matrix.is_worn:
            del self._held[key]
            raise NoMatrix("the table has changed much: the next search reads it anew")
        held.used = self.clock
        return held

    def _in_doubt(self, session: int, table: Table, held: _Held) -> NDArray[np.int64]:
        """Return the rows of a table that a connection may see in another state than the matrix has."""
        since = self._sessions[session].since
        read = held.read if since is None else min(held.read, since)
        changed = [rows for time, of, rows in self._changes if of == table and time > read]
        changed += [rows for each in self._sessions.values() for of, rows in each.touched if of == table]
        if any(rows is None for rows in changed):
            raise NoMatrix("another statement has changed the whole table")
        return np.unique(np.concatenate([_NONE, *changed])) if changed else _NONE

    # --- reading

    def _made(self, database: duckdb.DuckDBPyConnection, search: Search) -> _Held:
        """Read a column into a new matrix."""
        read = self.clock
        with _one_view(database):
            count = _count(database, search)
            if count < SMALL:
                self._small.add(_key(search))
            _check_size(count, search.dimension)
            self._make_room(size(count, search.dimension))
            try:
                matrix = Matrix(search.dimension, count)
            except MemoryError as error:
                raise NoMatrix("the machine has not enough free memory") from error
            [(first, last)] = database.execute(_select(search, 'min("ID"), max("ID")')).fetchall()
            for start in range(first or 0, (last or -1) + 1, _BATCH):
                for ids, vectors in _vectors(database, search, '"ID" BETWEEN $1 AND $2', [start, start + _BATCH - 1]):
                    matrix.put(ids, vectors)
        return _Held(matrix, read)

    def _read_again(self, database: duckdb.DuckDBPyConnection, search: Search, held: _Held) -> None:
        """Read the committed rows in doubt again."""
        table, read = _key(search)[0], self.clock
        changed = [rows for time, of, rows in self._changes if of == table and time > held.read and rows is not None]
        touched = np.unique(np.concatenate([_NONE, *changed]))
        with _one_view(database):
            held.matrix.forget(touched)
            for start in range(0, len(touched), _BATCH):
                part = [touched[start : start + _BATCH]]
                for ids, vectors in _vectors(database, search, f'"ID" IN ({_UNNEST})', part):
                    held.matrix.put(ids, vectors)
        held.read = read
        self._drop_changes()

    def _make_room(self, wanted: int) -> None:
        """Drop the matrices that were used least lately, until another one fits."""
        limit = settings.search_memory()
        while sum(held.matrix.bytes for held in self._held.values()) + wanted > limit:
            del self._held[min(self._held, key=lambda key: self._held[key].used)]


_NONE: NDArray[np.int64] = np.empty(0, np.int64)
_UNNEST = "SELECT unnest(CAST($1 AS BIGINT[]))"


def _check_size(count: int, dimension: int) -> None:
    """Refuse a table that a scan answers as fast, or that does not fit into the memory of the setting."""
    if count < SMALL:
        _refuse_small()
    _check_memory(count, dimension)


def _refuse_small() -> NoReturn:
    raise NoMatrix(f"the scan of fewer than {SMALL:,} vectors is as fast")


def _check_memory(count: int, dimension: int) -> None:
    limit, needed = settings.search_memory(), size(count, dimension)
    if needed > limit or not limit:
        raise NoMatrix(f"{needed / 1e6:,.0f} MB are needed, and MEETUP2025_SEARCH_MEMORY is {limit / 1e6:,.0f} MB")


def _count(database: duckdb.DuckDBPyConnection, search: Search) -> int:
    [(count,)] = run(database, _select(search, "count(*)")).fetchall()
    return int(count)


def _key(search: Search) -> tuple[Table, str]:
    schema, table = search.table
    return (schema.lower(), table.lower()), search.column.lower()


def _select(search: Search, items: str, condition: str = "IS NOT NULL") -> str:
    table = ".".join(map(identifier, search.table))
    return f"SELECT {items} FROM {table} WHERE {identifier(search.column)} {condition}"


@contextlib.contextmanager
def _one_view(database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let all statements of a block see the same state of the database."""
    database.begin()
    try:
        yield
    finally:
        database.rollback()


def _vectors(
    database: duckdb.DuckDBPyConnection, search: Search, condition: str, values: Sequence[Any]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield RowIDs and vectors of some rows, in parts."""
    import nanoarrow

    column = f"CAST({identifier(search.column)} AS DOUBLE[{search.dimension}])"
    sql = _select(search, f'"ID", {column}', f"IS NOT NULL AND {condition}")
    for rows in nanoarrow.ArrayStream(database.sql(sql, params=list(values))).iter_chunks():
        ids, numbers = rows.child(0), rows.child(1).child(0)
        vectors = np.frombuffer(numbers.buffers[1], np.float64).reshape(-1, search.dimension)
        yield np.frombuffer(ids.buffers[1], np.int64)[: len(rows)], vectors[: len(rows)]


def _row_ids(database: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> NDArray[np.int64]:
    """Return the RowIDs that a statement gives, without NULL."""
    [found] = run(database, sql, values).fetchnumpy().values()
    return np.asarray(np.ma.compressed(found), np.int64)


def _vector(database: duckdb.DuckDBPyConnection, query: str | Part, parameters: Sequence[Any]) -> NDArray[np.float64]:
    """Return the vector of a search."""
    if isinstance(query, str):
        vector = value_of(query, parameters)
    else:
        rows = run(database, query.sql, query.values(parameters)).fetchmany(2)
        vector = rows[0][0] if len(rows) == 1 else None
    if vector is None:
        raise NoMatrix("the vector to compare with is NULL, or one of several")
    return stored(vector, "DOUBLE")
