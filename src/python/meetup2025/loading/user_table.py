"""
A table of the user's own: made from data of other programs, filled, indexed and registered as a source of analyses.

The statements are IRIS SQL, so a server gets the same table as the embedded engine. A load reads the data once, checks
each batch, and stores it in the same pass of one transaction.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.engines.arrow import as_column
from meetup2025.engines.tabular import Column, Tabular, matrix, open_tabular
from meetup2025.engines.tokens import identifier
from meetup2025.errors import DataError, Error, IntegrityError, InvalidVectorError, ProgrammingError, listed, shown
from meetup2025.iris_process import is_watched
from meetup2025.loading.tables import run_many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from meetup2025.engines import Connection, Cursor

LONGEST_KEY = 128
"""Characters of a key: three bytes each fit into a subscript of IRIS."""

LONGEST_TEXT = 32_000
"""Characters that a column of texts holds at least."""

SCHEMA = "SQLUser"
"""Schema of a table whose name has none, as in SQL."""

_LONGEST_SIDE = 1024
"""Pixels of a picture that is embedded: more than any model looks at."""

_ROWS_AT_ONCE = 5000
"""Rows that are read from the table at once."""

_TYPES = {
    "BOOLEAN": "BIT", "TINYINT": "SMALLINT", "UTINYINT": "SMALLINT", "SMALLINT": "SMALLINT", "USMALLINT": "INTEGER",
    "INTEGER": "INTEGER", "UINTEGER": "BIGINT", "BIGINT": "BIGINT", "FLOAT": "DOUBLE", "DOUBLE": "DOUBLE",
    "DATE": "DATE", "TIME": "TIME", "TIMESTAMP": "TIMESTAMP", "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}  # fmt: skip
"""Type of DuckDB -> type of a column in IRIS SQL. Other types become text."""

_LIST = re.compile(r"(FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?)\[\d*\]$")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)$")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)?")

_KEYS = ("ID", "KEY")
"""Names of a column of keys, in capitals, where none is named as such."""

_MOST_DIGITS = 18
"""Digits of a DECIMAL of IRIS."""


@dataclass(frozen=True)
class Roles:
    """
    What the columns of the data are.

    Attributes:
        key: Column with the key. Without it `id`, `key` or the number of the row counts.
        vector: Column with the vectors. Without it, the only column that holds lists of numbers.
        vectors: Pattern of columns with a number each, for example `x*`, which make the vector together.
        text: Column with texts to embed.
        image: Column with pictures to embed: paths, or their bytes.
        label: Column with the class of a row.
        title: Column with the name of a row. Without it the key counts.
    """

    key: str = ""
    vector: str = ""
    vectors: str = ""
    text: str = ""
    image: str = ""
    label: str = ""
    title: str = ""


@dataclass(frozen=True)
class LoadedTable:
    """
    The result of a load.

    Attributes:
        source: Name of the source of analyses.
        table: The table, as schema.table.
        added: Rows that are new.
        changed: Rows that were there with other values.
        total: Rows of the table.
        dimension: Length of the vectors.
        renamed: Column of the data -> column of the table, where the two differ.
    """

    source: str
    table: str
    added: int
    changed: int
    total: int
    dimension: int
    renamed: dict[str, str]


def load_table(connection: Connection, data: Any, name: str, *, beside: Any = None, **roles: str) -> LoadedTable:
    """
    Load data of another program into a table, and register it as a source of analyses.

    The table is made if it is missing, with the columns and the types of the data, and an HNSW index on its vectors.
    Loading again changes only the rows that differ in a text, or in the digits of a float32. No row is deleted. As
    with any change of PEP 249, the caller commits.

    Args:
        connection: An open connection. The user may create tables, and register sources.
        data: Path of a file (.parquet, .csv, .tsv, .json, .jsonl, .arrow, .feather, .npy, .npz) or of a folder of
            Hugging Face datasets, a data frame of pandas or polars, a table of Arrow, an array of shape (n, d), or
            arrays by the names of their columns.
        name: Name of the table and of the source: `Docs`, or `App.Docs` with a schema.
        beside: Data with further columns of the same rows, for an array: keys, labels.
        roles: What the columns are: see `Roles`.

    Raises:
        DataError: The data cannot be read, a column is not there, a key is empty or too long.
        InvalidVectorError: A vector has another length, a number is not finite, or all are zero.
        IntegrityError: A key occurs twice, or twice but for capitals.
        ProgrammingError: The table exists and has other columns.
    """
    try:
        wanted = Roles(**roles)
    except TypeError as error:
        names = ", ".join(Roles.__annotations__)
        raise ProgrammingError(f"A role must be one of {names}. Got {listed([*roles])}.") from error
    with open_tabular(data, beside, [*roles.values(), *_KEYS]) as given:
        return _Load(connection, given, _checked_name(name), wanted).run()


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name.strip()):
        raise DataError(f"A table must have a name of letters and digits, or schema.name. Got {shown(name)}.")
    return name.strip()


@dataclass(frozen=True)
class _Target:
    """A column of the table: its name, its type in IRIS SQL, and the expression that computes it from the data."""

    name: str
    type: str
    expression: str


@dataclass
class _Load:
    connection: Connection
    given: Tabular
    name: str
    roles: Roles
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.columns = {each.name.upper(): each for each in self.given.columns}
        self.schema, _, self.table = self.name.rpartition(".")
        self.schema = self.schema or SCHEMA
        self.key = self._key()
        self.vector = self._vector()
        self.renamed: dict[str, str] = {}
        self.targets = self._targets()

    @property
    def quoted(self) -> str:
        """The table in SQL."""
        return f"{identifier(self.schema)}.{identifier(self.table)}"

    # --- what the columns are

    def column(self, role: str, name: str) -> Column:
        """Find a column of the data, in any case."""
        found = self.columns.get(name.strip().upper())
        if found is None:
            names = listed([each.name for each in self.given.columns])
            raise DataError(f"The {role} must be a column of {self.given.source}. Got {shown(name)}; it has {names}.")
        return found

    def _key(self) -> Column | None:
        if self.roles.key:
            return self.column("key", self.roles.key)
        return next((self.columns[name] for name in _KEYS if name in self.columns), None)

    def _vector(self) -> list[Column]:
        """Return the column of vectors, the columns of their numbers, or nothing if vectors are to be made."""
        if self.roles.vectors:
            found = [each for each in self.given.columns if fnmatchcase(each.name, self.roles.vectors)]
            if not found:
                raise DataError(f"Columns of numbers must fit {shown(self.roles.vectors)}. Got none that does.")
            return found
        if self.roles.vector:
            return [self.column("vector", self.roles.vector)]
        if self.roles.text or self.roles.image:
            return []
        lists = [each for each in self.given.columns if _LIST.match(each.kind)]
        if len(lists) != 1:
            names = listed([f"{each.name} {each.kind}" for each in self.given.columns])
            raise DataError(
                f"One column of {self.given.source} must hold vectors, lists of numbers, or be named as such. Got "
                f"{len(lists)} among {names}."
            )
        return lists

    def _targets(self) -> list[_Target]:
        taken: set[str] = set()
        others = [each for each in self.given.columns if each not in self.vector or each is self.key]
        texts = self.given.longest([each.name for each in others if _type(each) == ""])
        found = [self._target(each, texts, taken) for each in others]
        if self.key is None:
            found.insert(0, _Target(_free("RowNumber", taken), "BIGINT", ""))
        return found

    def _target(self, column: Column, texts: Mapping[str, int], taken: set[str]) -> _Target:
        name = _free("ItemID" if column.name.upper() == "ID" else _spelled(column.name), taken)
        if name != column.name:
            self.renamed[column.name] = name
        own, kind = identifier(column.name), _type(column)
        if column is self.key:
            if kind in {"SMALLINT", "INTEGER", "BIGINT"}:
                return _Target(name, "BIGINT", f"CAST({own} AS BIGINT)")
            return _Target(name, f"VARCHAR({LONGEST_KEY})", f"CAST({own} AS VARCHAR)")
        if kind == "":
            length = max(LONGEST_TEXT, texts.get(column.name, 0))
            return _Target(name, f"VARCHAR({length})", _text_of(own, column.kind))
        return _Target(name, kind, f"CAST({own} AS TIMESTAMP)" if kind == "TIMESTAMP" else own)

    @property
    def key_target(self) -> _Target:
        """The column of the key in the table."""
        if self.key is None:
            return self.targets[0]
        return self.target_of(self.key)

    def target_of(self, column: Column) -> _Target:
        """Return the column of the table for a column of the data."""
        name = self.renamed.get(column.name, column.name)
        return next(each for each in self.targets if each.name == name)

    @property
    def vector_name(self) -> str:
        """Name of the column of vectors in the table."""
        taken = {each.name.upper() for each in self.targets}
        wanted = _spelled(self.vector[0].name) if len(self.vector) == 1 else "Features"
        return _free(wanted, taken)

    # --- the load

    def run(self) -> LoadedTable:
        """Load the data whole, or not at all."""
        stored = self._stored_columns()
        is_new = not stored
        try:
            self._check_columns(stored)
            with self.connection.transaction(), self.connection.cursor() as cursor:
                counts = self._store(cursor, is_new=is_new)
        except BaseException:
            if is_new:
                self._drop()
            raise
        return LoadedTable(self.name, f"{self.schema}.{self.table}", *counts, self.renamed)

    def _store(self, cursor: Cursor, *, is_new: bool) -> tuple[int, int, int, int]:
        known = {} if is_new else self._known(cursor)
        added = changed = dimension = 0
        for start, columns, array in self._batches():
            if not dimension:
                dimension = array.shape[1]
                self._begin(cursor, dimension, is_new=is_new)
            if array.shape[1] != dimension:
                raise _other_length(self.vector_name, dimension, array.shape[1], start)
            new, others = self._write(cursor, columns, array, known)
            added, changed = added + new, changed + others
        if not dimension:
            raise DataError(f"{self.given.source} must have rows. Got none.")
        if is_new:
            index = f"CREATE INDEX HNSWIndex ON TABLE {self.quoted} ({identifier(self.vector_name)})"
            cursor.execute(f"{index} AS HNSW(Distance='Cosine')")
        self._register(cursor)
        cursor.execute(f"SELECT COUNT(*) FROM {self.quoted}")
        return added, changed, int(cursor.fetchall()[0][0]), dimension

    def _begin(self, cursor: Cursor, dimension: int, *, is_new: bool) -> None:
        if is_new:
            columns = [f"{identifier(each.name)} {each.type}" for each in self.targets]
            columns += [f"{identifier(self.vector_name)} VECTOR(DOUBLE, {dimension})"]
            cursor.execute(f"CREATE TABLE {self.quoted} ({', '.join(columns)})")
            key = identifier(self.key_target.name)
            cursor.execute(f"CREATE UNIQUE INDEX KeyIndex ON TABLE {self.quoted} ({key})")
            return
        cursor.execute(f"SELECT TOP 1 {identifier(self.vector_name)} FROM {self.quoted}")
        for (before,) in cursor.fetchall():
            length = len(vectors.from_text(before)) if before else dimension
            if length != dimension:
                raise _other_length(self.vector_name, length, dimension, 1)

    def _batches(self) -> Iterator[tuple[int, dict[str, Any], NDArray[Any]]]:
        """Yield the number of the first row, the columns and the checked vectors of each batch."""
        from tqdm import tqdm

        expressions = {each.name: each.expression for each in self.targets if each.expression}
        expressions[""] = self._vector_expression()
        start = 1
        with tqdm(total=self.given.rows, unit=" rows", disable=not is_watched(), leave=False) as bar:
            for batch in self.given.batches(expressions, self._width()):
                lists = batch.pop("")
                length = len(lists)
                own = {} if self.key else {self.targets[0].name: as_column(np.arange(start, start + length))}
                columns = {**own, **batch}
                self._check_keys(columns[self.key_target.name].to_pylist(), start)
                yield start, columns, self._checked(lists, start)
                start += length
                bar.update(length)

    def _vector_expression(self) -> str:
        if not self.vector:
            return identifier(self.column("text or image", self.roles.text or self.roles.image).name)
        first = self.vector[0]
        if len(self.vector) > 1 or self.roles.vectors:
            kind = "FLOAT" if all(each.kind == "FLOAT" for each in self.vector) else "DOUBLE"
            return f"list_value({', '.join(f'CAST({identifier(each.name)} AS {kind})' for each in self.vector)})"
        if first.kind == "VARCHAR":
            text = f"trim({identifier(first.name)})"
            return f"TRY_CAST(CASE WHEN {text} LIKE '[%' THEN {text} ELSE '[' || {text} || ']' END AS DOUBLE[])"
        if not _LIST.match(first.kind):
            raise DataError(
                f"A column of vectors must hold lists of numbers, or texts of them. Got {first.name} of {first.kind}."
            )
        own = identifier(first.name)
        return own if first.kind.startswith(("FLOAT", "DOUBLE")) else f"CAST({own} AS DOUBLE[])"

    def _width(self) -> int:
        """Return about how many numbers a row has, which decides how many rows are read at once."""
        if len(self.vector) != 1:
            return max(len(self.vector), 512)
        declared = re.search(r"\[(\d+)\]", self.vector[0].kind)
        if declared:
            return int(declared[1])
        own = f"len({self._vector_expression()})"
        batch = next(self.given.batches({"n": f"max({own})"}, self.given.rows and 16_000_000), {})
        return max((each or 0 for each in batch["n"].to_pylist()), default=512) if batch else 512

    def _checked(self, lists: Any, start: int) -> NDArray[Any]:
        name = self.vector[0].name if self.vector else ""
        if not self.vector:
            return self._embedded(lists.to_pylist(), start)
        array, present = matrix(lists, name, start)
        if not present.all():
            got = f"none in row {start + int(np.argmin(present))}, column {name}"
            message = f"Each row must have a vector, a list of numbers. Got {got}."
            raise InvalidVectorError(message, sqlcode=vectors.NOT_A_VECTOR)
        try:
            return vectors.check(array)
        except InvalidVectorError as error:
            right = np.isfinite(array).all(axis=1) & array.any(axis=1)
            row = start + int(np.argmin(right))
            raise error.reworded(f"{self.given.source}, row {row}, column {name}: {error}") from error

    def _embedded(self, values: Sequence[Any], start: int) -> NDArray[Any]:
        """Embed texts or pictures with the model in use, each once."""
        sql = f"SELECT MeetUp2025.Embed{'Image' if self.roles.image else 'Text'}(?)"
        made: dict[str, NDArray[Any]] = {}
        rows = []
        with self.connection.cursor() as cursor:
            for row, value in enumerate(values, start):
                with _placed(f"{self.given.source}, row {row}"):
                    sent = _picture(value) if self.roles.image else value
                    if sent not in made:
                        made[sent] = vectors.from_text(cursor.execute(sql, [sent]).fetchall()[0][0])
                rows.append(made[sent])
        return np.stack(rows)

    def _check_keys(self, keys: Sequence[Any], start: int) -> None:
        column = self.key.name if self.key else ""
        for row, key in enumerate(keys, start):
            if key is None or key == "":
                raise DataError(f"A key must not be empty. Got an empty one in row {row}, column {column}.")
            text = str(key)
            if len(text) > LONGEST_KEY:
                raise DataError(
                    f"A key must have at most {LONGEST_KEY} characters. Got {len(text)} in row {row}, column {column}."
                )
            folded = text.upper()
            if folded in self.seen:
                got = f"{shown(text)} again in row {row}, column {column}"
                raise IntegrityError(f"A key must occur once, also but for capitals. Got {got}.")
            self.seen.add(folded)

    def _write(
        self, cursor: Cursor, columns: dict[str, Any], array: NDArray[Any], known: Mapping[str, bytes]
    ) -> tuple[int, int]:
        """Insert the new rows of a batch and update those that differ. Return the numbers of both."""
        names = [*columns, self.vector_name]
        marks = ", ".join(["?"] * len(columns) + ["TO_VECTOR(?, DOUBLE)"])
        insert = f"INSERT INTO {self.quoted} ({', '.join(map(identifier, names))}) VALUES ({marks})"
        if not known:
            cursor.insert_columns(insert, [*columns.values(), array])
            return len(array), 0
        rows = list(zip(*(each.to_pylist() for each in columns.values()), array, strict=True))
        at = list(columns).index(self.key_target.name)
        new = [row for row in rows if str(row[at]).upper() not in known]
        others = [row for row in rows if known.get(str(row[at]).upper(), b"") not in (b"", _digest(row))]
        run_many(cursor, insert, new)
        sets = [f"{identifier(name)} = ?" for name in columns]
        sets.append(f"{identifier(self.vector_name)} = TO_VECTOR(?, DOUBLE)")
        update = f"UPDATE {self.quoted} SET {', '.join(sets)} WHERE {identifier(self.key_target.name)} = ?"
        run_many(cursor, update, [(*row, row[at]) for row in others])
        return len(new), len(others)

    # --- the table

    def _stored_columns(self) -> dict[str, str]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS "
                "WHERE UPPER(TABLE_SCHEMA) = UPPER(?) AND UPPER(TABLE_NAME) = UPPER(?)",
                [self.schema, self.table],
            )
            return {str(row[0]).upper(): str(row[1]) for row in cursor.fetchall()}

    def _check_columns(self, stored: Mapping[str, str]) -> None:
        wanted = [*(each.name for each in self.targets), self.vector_name]
        lacking = [name for name in wanted if stored and name.upper() not in stored]
        if lacking:
            raise ProgrammingError(
                f"The table {self.schema}.{self.table} exists, and must have the columns of the data. It has no "
                f"{listed(lacking)}: load under another name, or drop the table."
            )

    def _known(self, cursor: Cursor) -> dict[str, bytes]:
        """Return a digest of each row of the table by its key in capitals."""
        names = [each.name for each in self.targets]
        at = names.index(self.key_target.name)
        columns = ", ".join(map(identifier, [*names, self.vector_name]))
        cursor.execute(f"SELECT MIN(%ID), MAX(%ID) FROM {self.quoted}")
        [(least, most)] = cursor.fetchall()
        known: dict[str, bytes] = {}
        with self.connection.cursor() as reader:
            reader.wants_arrays = True
            for start in range(int(least or 1), int(most or 0) + 1, _ROWS_AT_ONCE):
                reader.execute(
                    f"SELECT {columns} FROM {self.quoted} WHERE %ID BETWEEN ? AND ?", [start, start + _ROWS_AT_ONCE - 1]
                )
                known.update((str(row[at]).upper(), _digest(row)) for row in reader.fetchall())
        return known

    def _register(self, cursor: Cursor) -> None:
        """Register the table as a source of its name."""
        key = self.key_target.name
        label = self.target_of(self.column("label", self.roles.label)).name if self.roles.label else ""
        title = self.target_of(self.column("title", self.roles.title)).name if self.roles.title else key
        cursor.execute(
            "SELECT MeetUp2025.RegisterSource(?, ?, ?, ?, ?, ?)",
            [self.name, f"{self.schema}.{self.table}", key, title, self.vector_name, label],
        )
        cursor.fetchall()

    def _drop(self) -> None:
        """Drop the table that this load has made: a server keeps it although the transaction is rolled back."""
        with contextlib.suppress(Error), self.connection.cursor() as cursor:
            if self._stored_columns():
                cursor.execute(f"DROP TABLE {self.quoted}")


def _type(column: Column) -> str:
    """Return the type of a column in IRIS SQL, or "" for a text, whose length is not known yet."""
    if found := _DECIMAL.match(column.kind):
        return f"DECIMAL({found[1]}, {found[2]})" if int(found[1]) <= _MOST_DIGITS else "DOUBLE"
    return _TYPES.get(column.kind, "")


def _text_of(own: str, kind: str) -> str:
    """Return the expression of a text: lists and structures as JSON, bytes in base64."""
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({own}) AS VARCHAR)"
    return f"base64({own})" if kind == "BLOB" else f"CAST({own} AS VARCHAR)"


def _spelled(name: str) -> str:
    """Return the name of a column with the signs that a name in quotes may have in IRIS."""
    return re.sub(r"[.,^\"\s-]+", "_", name.strip()) or "Column"


def _free(name: str, taken: set[str]) -> str:
    """Number a name that is taken, and take it."""
    found, count = name, 1
    while found.upper() in taken:
        count += 1
        found = f"{name}_{count}"
    taken.add(found.upper())
    return found


def _digest(row: Sequence[Any]) -> bytes:
    """Return a digest of the values of a row, whose last is its vector."""
    *values, vector = row
    numbers = vectors.of_database(vector)
    words = repr([_plain(value) for value in values]).encode()
    array = np.asarray([] if numbers is None else numbers, dtype=np.float32)
    return hashlib.blake2b(words + array.tobytes(), digest_size=16).digest()


def _plain(value: Any) -> Any:
    """Return a value in the one form in which it comes from data and from every database."""
    if isinstance(value, (bool, int, float, Decimal)):
        return float(value)
    return value.isoformat() if isinstance(value, (date, time)) else value


def _picture(value: Any) -> str:
    """Return a picture as SQL takes it."""
    from meetup2025 import images

    if isinstance(value, dict):  # an image of Hugging Face datasets
        value = value.get("bytes") or value.get("path")
    return images.to_data_url(value, longest=_LONGEST_SIDE)


@contextlib.contextmanager
def _placed(place: str) -> Iterator[None]:
    """Put the place of a value before its error."""
    try:
        yield
    except Error as error:
        raise error.reworded(f"{place}: {error}") from error


def _other_length(column: str, length: int, given: int, row: int) -> InvalidVectorError:
    return InvalidVectorError(
        f"The vectors of {column} must have {length} numbers, as the first. Got {given} from row {row} on.",
        sqlcode=vectors.WRONG_LENGTH,
    )
