"""The driver is that of PEP 249, on every engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planted import DIMENSION, INSERT_FISH, Planted, insert, text

import meetup2025
from meetup2025 import DataError, Error, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from meetup2025.errors import EngineUnavailableError, UnknownNameError, UnreadableImageError

if TYPE_CHECKING:
    from meetup2025.engines import Connection, Cursor

pytestmark = pytest.mark.slow

EXCEPTIONS = [
    "Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError",
    "InternalError", "ProgrammingError", "NotSupportedError",
]  # fmt: skip
INSERT_NAME = "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES (?, ?)"
COUNT = "SELECT COUNT(*) FROM MeetUp2025.Fish"


def count(cursor: Cursor) -> int:
    """Count the rows of Fish."""
    return cursor.execute(COUNT).fetchall()[0][0]


# --- the module -----------------------------------------------------------------------------------------------------


def test_module_globals() -> None:
    """The module names its version of the interface, its thread safety, and `?` as the mark of a parameter."""
    assert (meetup2025.apilevel, meetup2025.threadsafety, meetup2025.paramstyle) == ("2.0", 1, "qmark")


def test_exceptions_form_the_tree_of_the_pep() -> None:
    """The exceptions inherit as PEP 249 draws them."""
    database = [name for name in EXCEPTIONS if name not in {"Warning", "Error", "InterfaceError"}]

    assert issubclass(meetup2025.Warning, Exception)
    assert not issubclass(meetup2025.Warning, meetup2025.Error)
    assert all(issubclass(getattr(meetup2025, name), meetup2025.DatabaseError) for name in database)
    assert not issubclass(meetup2025.InterfaceError, meetup2025.DatabaseError)
    assert issubclass(meetup2025.InterfaceError, meetup2025.Error)
    assert issubclass(meetup2025.DatabaseError, meetup2025.Error)


def test_exceptions_are_attributes_of_the_connection(connection: Connection) -> None:
    """Code that holds a connection alone can catch its errors."""
    assert [getattr(connection, name) for name in EXCEPTIONS] == [getattr(meetup2025, name) for name in EXCEPTIONS]


@pytest.mark.parametrize("url", ["", "fish.db", "sqlite://", "duckdb:fish.db", "duckdb", "://", "DUCKDB//x"])
def test_url_of_no_engine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL of no engine is refused, and the message says how one begins."""
    monkeypatch.setenv("MEETUP2025_URL", url or "mysql://fish")

    with pytest.raises(InterfaceError, match="duckdb://"):
        meetup2025.connect(url)


def test_default_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a URL the setting is taken, and without that a file in the user's data folder."""
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'set.db'}")
    meetup2025.connect().close()
    monkeypatch.delenv("MEETUP2025_URL")
    meetup2025.connect().close()

    assert (tmp_path / "set.db").is_file()
    assert (tmp_path / "data" / "meetup2025" / "meetup2025.duckdb").is_file()


def test_relative_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three slashes and a name mean a file in the current folder; folders are made."""
    monkeypatch.chdir(tmp_path)
    meetup2025.connect("duckdb:///new/魚.db").close()

    assert (tmp_path / "new" / "魚.db").is_file()


@pytest.mark.parametrize(
    "name", ["meetup2025.db", "MeetUp2025.v1.duckdb", "sqluser", "main", "temp.db", 'o\'hara "魚".db']
)
def test_file_of_any_name(tmp_path: Path, name: str) -> None:
    """A file may have any name, that of a schema too."""
    for number in (1, 2):
        with meetup2025.connect(f"duckdb:///{tmp_path / name}") as connection, connection.cursor() as cursor:
            cursor.execute(INSERT_NAME, [f"F{number}", f"name {number}"])
            cursor.execute("CREATE TABLE IF NOT EXISTS Notes (A INTEGER)")
            connection.commit()
            assert (count(cursor), cursor.execute("SELECT A FROM Notes").fetchall()) == (number, [])

    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_memory_databases_are_apart() -> None:
    """Two connections in memory are two databases."""
    with meetup2025.connect("duckdb://") as one, meetup2025.connect("duckdb://") as other:
        one.cursor().execute(INSERT_NAME, ["F1", "マアジ"])
        one.commit()

        assert (count(one.cursor()), count(other.cursor())) == (1, 0)


# --- cursors --------------------------------------------------------------------------------------------------------


def test_context_managers(engine: str) -> None:
    """The workshop's `with` blocks close what they opened."""
    with meetup2025.connect(engine) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with pytest.raises(InterfaceError, match="closed"):
            cursor.execute("SELECT 1")
    with pytest.raises(InterfaceError, match="closed"):
        connection.cursor()


@pytest.mark.anywhere
def test_description(fish: Cursor) -> None:
    """The description has seven values for each column, the first its name."""
    fish.execute("SELECT FishID, Name AS Fish, COUNT(*) FROM MeetUp2025.Fish GROUP BY FishID, Name")

    assert [column[0].upper() for column in fish.description or ()][:2] == ["FISHID", "FISH"]
    assert [len(column) for column in fish.description or ()] == [7, 7, 7]


def test_description_of_no_rows(cursor: Cursor) -> None:
    """A SELECT of no rows has a description; a statement that gives none has not, nor has a fresh cursor."""
    assert cursor.description is None

    cursor.execute("SELECT Name FROM MeetUp2025.Fish")
    assert cursor.description is not None
    cursor.execute("DELETE FROM MeetUp2025.Fish")
    assert cursor.description is None


def test_fetches(fish: Cursor, planted: Planted) -> None:
    """fetchone, fetchmany and fetchall go on where the one before stopped."""
    fish.execute("SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID")
    rows = [(key,) for key in planted.ids]

    assert fish.fetchone() == rows[0]
    assert fish.fetchmany() == rows[1:2]
    assert fish.fetchmany(0) == []
    assert fish.fetchmany(5) == rows[2:7]
    assert fish.fetchall() == rows[7:]
    assert (fish.fetchone(), fish.fetchmany(3), fish.fetchall()) == (None, [], [])


def test_arraysize(fish: Cursor, planted: Planted) -> None:
    """Fetchmany gives `arraysize` rows."""
    fish.arraysize = 4
    fish.execute("SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID")

    assert [row[0] for row in fish.fetchmany()] == planted.ids[:4]


def test_iteration(fish: Cursor, planted: Planted) -> None:
    """A cursor gives its rows in a loop, and `execute` gives the cursor."""
    assert [row[0] for row in fish.execute("SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID")] == planted.ids


def test_next(fish: Cursor, planted: Planted) -> None:
    """A loop that is left can be taken up again."""
    fish.execute("SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID")
    for row in fish:
        assert row == (planted.ids[0],)
        break

    assert fish.fetchone() == (planted.ids[1],)


@pytest.mark.anywhere
def test_fetch_without_rows(cursor: Cursor) -> None:
    """Fetching before a SELECT, or after an INSERT, is an error."""
    with pytest.raises(InterfaceError, match="SELECT"):
        cursor.fetchall()
    cursor.execute(INSERT_NAME, ["F1", "マアジ"])
    with pytest.raises(InterfaceError, match="SELECT"):
        cursor.fetchone()


def test_failed_statement_leaves_no_rows(fish: Cursor) -> None:
    """After an error the rows of the statement before are gone: nobody takes them for the answer."""
    fish.execute("SELECT Name FROM MeetUp2025.Fish")
    with pytest.raises(ProgrammingError):
        fish.execute("SELECT Nope FROM MeetUp2025.Fish")

    with pytest.raises(InterfaceError):
        fish.fetchall()


@pytest.mark.anywhere
def test_setinputsizes(cursor: Cursor) -> None:
    """The two methods that PEP 249 lets do nothing are there."""
    assert cursor.setinputsizes([10]) is None
    assert cursor.setoutputsize(10, 1) is None


def test_two_cursors_read_while_one_writes(fish: Cursor, connection: Connection, planted: Planted) -> None:
    """Rows that a cursor has not fetched yet stay as they were when it ran its SELECT."""
    other, writer = connection.cursor(), connection.cursor()
    sql = "SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID"
    first = [fish.execute(sql).fetchone(), other.execute(sql + " DESC").fetchone()]
    writer.execute("DELETE FROM MeetUp2025.Fish")
    writer.execute(INSERT_NAME, ["F999", "new"])

    assert first == [(planted.ids[0],), (planted.ids[-1],)]
    assert fish.fetchall() == [(key,) for key in planted.ids[1:]]
    assert other.fetchall() == [(key,) for key in planted.ids[-2::-1]]
    assert count(writer) == 1


def test_statement_inside_a_loop(fish: Cursor, connection: Connection, planted: Planted) -> None:
    """A second cursor may ask for each row of the first."""
    with connection.cursor() as inner:
        found = [
            inner.execute("SELECT Name FROM MeetUp2025.Fish WHERE FishID = ?", row).fetchall()[0][0]
            for row in fish.execute("SELECT FishID FROM MeetUp2025.Fish ORDER BY FishID")
        ]

    assert found == planted.names


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_rows_outlive_a_transaction(fish: Cursor, connection: Connection, planted: Planted, end: str) -> None:
    """Rows that were selected can still be fetched after the transaction has ended, as they were."""
    connection.cursor().execute("UPDATE MeetUp2025.Fish SET Kanji = 'x'")
    fish.execute("SELECT FishID, Kanji FROM MeetUp2025.Fish ORDER BY FishID")
    first = fish.fetchone()
    getattr(connection, end)()

    assert [first, *fish.fetchall()] == [(key, "x") for key in planted.ids]


def test_threads_with_connections_of_their_own(tmp_path: Path, planted: Planted) -> None:
    """Threads may share the module, each with its own connection to the same file."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url) as connection:
        insert(connection, planted)

        def similar(name: str) -> str:
            with meetup2025.connect(url) as own, own.cursor() as cursor:
                return str(cursor.execute("CALL MeetUp2025.SimilarFish(?, 1)", [name]).fetchall()[0][1])

        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(similar, planted.names))

    assert found == [planted.nearest(planted.vector(name), 2)[1][0] for name in planted.names]


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.anywhere
@pytest.mark.parametrize("given", [[], ["F1"], ["F1", "a", "b"]])
def test_wrong_number_of_parameters(cursor: Cursor, given: list[str]) -> None:
    """Each `?` gets one value: no more, no fewer."""
    with pytest.raises(ProgrammingError, match=f"2 parameters.*Got {len(given)}"):
        cursor.execute(INSERT_NAME, given)
    with pytest.raises(ProgrammingError, match=f"2 parameters.*Got {len(given)}"):
        cursor.executemany(INSERT_NAME, [["F2", "b"], given])

    assert count(cursor) == 0


@pytest.mark.anywhere
@pytest.mark.parametrize(
    "value",
    ["マアジ", "", "'; DROP TABLE MeetUp2025.Fish --", "?", "a\nb\t\\", "🐟", "%", '"', None, 0, -7, 2.5, 2**40],
)
def test_values_come_back(cursor: Cursor, value: Any) -> None:
    """A parameter is a value, whatever characters it has, and comes back as it went in."""
    kind = {str: "VARCHAR(50)", int: "BIGINT", float: "DOUBLE"}.get(type(value), "INTEGER")
    cursor.execute(f"CREATE TABLE Echo.Echo (A {kind})")
    cursor.execute("INSERT INTO Echo.Echo (A) VALUES (?)", [value])

    assert cursor.execute("SELECT A FROM Echo.Echo").fetchall() == [(value,)]
    cursor.execute("DROP TABLE Echo.Echo")


def test_parameters_as_tuple_list_and_array(fish: Cursor, planted: Planted) -> None:
    """Parameters are any sequence; a vector is its text or an array."""
    sql = "SELECT Name, Score FROM MeetUp2025.NearestFish(?, 3)"
    vector = planted.vector("サンマ")
    answers = [fish.execute(sql, given).fetchall() for given in ((text(vector),), [vector], [vector.tolist()])]

    assert answers[0] == answers[1] == answers[2]


@pytest.mark.anywhere
@pytest.mark.parametrize(
    "parameters",
    ["ab", {"a": 1, "b": 2}, {1, 2}, 5, None, iter("ab"), np.ones(2), b"ab"],
    ids=lambda each: type(each).__name__,
)
def test_parameters_of_no_order(parameters: Any) -> None:
    """Parameters are a list or tuple: a text, a dictionary or an iterator is a mistake that is told."""
    with meetup2025.connect("duckdb://") as connection, pytest.raises(ProgrammingError, match="list or tuple"):
        connection.cursor().execute("SELECT ?, ?", parameters)


@pytest.mark.parametrize("value", [{"a": 1}, {1}, object(), 1j], ids=lambda each: type(each).__name__)
def test_values_that_sql_cannot_carry(value: Any) -> None:
    """A value of a type that SQL does not have is refused alike by all ways in, and nothing is stored."""
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        for run in (
            lambda: cursor.execute(INSERT_NAME, ["F1", value]),
            lambda: cursor.executemany(INSERT_NAME, [["F1", "a"], ["F2", value]]),
            lambda: cursor.execute("CALL MeetUp2025.SimilarFish(?, 3)", [value]),
        ):
            with pytest.raises(ProgrammingError, match=type(value).__name__):
                run()
        assert count(cursor) == 0


@pytest.mark.parametrize("value", [np.int64(3), np.float32(3), np.float64(3), np.str_("3"), Decimal(3), 3.0, True])
def test_values_of_other_number_types(cursor: Cursor, value: Any) -> None:
    """Numbers of numpy and decimal numbers are numbers, one by one and in a batch."""
    cursor.execute("CREATE TABLE Echo.Echo (A DOUBLE)")
    cursor.execute("INSERT INTO Echo.Echo (A) VALUES (?)", [value])
    cursor.executemany("INSERT INTO Echo.Echo (A) VALUES (?)", [[value], [value]])

    assert cursor.execute("SELECT A FROM Echo.Echo").fetchall() == [(float(value),)] * 3
    cursor.execute("DROP TABLE Echo.Echo")


def test_text_that_is_no_unicode(cursor: Cursor) -> None:
    """Half of a surrogate pair cannot be stored, one by one or in a batch."""
    for run in (cursor.execute, lambda sql, row: cursor.executemany(sql, [row])):
        with pytest.raises(DataError):
            run(INSERT_NAME, ["F1", "\ud800"])

    assert count(cursor) == 0


@pytest.mark.parametrize("kind", [meetup2025.Binary, bytearray, memoryview])
def test_bytes(cursor: Cursor, kind: type) -> None:
    """Bytes of all kinds are stored in a column of bytes, one by one and in a batch, and come back as they were."""
    cursor.execute("CREATE TABLE Echo.Files (A VARBINARY(100))")
    cursor.execute("INSERT INTO Echo.Files (A) VALUES (?)", [kind(b"\x00\xff\r\n")])
    cursor.executemany("INSERT INTO Echo.Files (A) VALUES (?)", [[kind(b"\x00\xff\r\n")], [None]])

    assert cursor.execute("SELECT A FROM Echo.Files").fetchall() == [(b"\x00\xff\r\n",)] * 2 + [(None,)]
    cursor.execute("DROP TABLE Echo.Files")


@pytest.mark.embedded
def test_bytes_among_texts(cursor: Cursor) -> None:
    """Rows with bytes and texts in one column are refused, and none is stored."""
    cursor.execute("CREATE TABLE Echo.Files (A VARBINARY(100))")
    with pytest.raises(DataError, match="must get bytes in every row"):
        cursor.executemany("INSERT INTO Echo.Files (A) VALUES (?)", [[b"a"], ["b"]])

    assert cursor.execute("SELECT COUNT(*) FROM Echo.Files").fetchall() == [(0,)]
    cursor.execute("DROP TABLE Echo.Files")


PICTURE = (Path(meetup2025.__file__).parent / "samples" / "saba.png").read_bytes()


@pytest.mark.parametrize("kind", [meetup2025.Binary, bytearray, memoryview])
def test_bytes_of_a_picture(cursor: Cursor, kind: type) -> None:
    """A routine of the classes takes the bytes of a picture as it takes its path, in a SELECT and in a CALL."""
    sql = "INSERT INTO MeetUp2025.FishImage (Name, Features) VALUES (?, TO_VECTOR(MeetUp2025.EmbedImage(?), DOUBLE))"
    for given in (kind(PICTURE), "samples/saba.png"):
        cursor.execute(sql, [str(type(given)), given])

    found = cursor.execute("CALL MeetUp2025.SimilarImages(?, 2)", [kind(PICTURE)]).fetchall()
    assert [score for *_, score in found] == pytest.approx([1, 1], abs=1e-6)


def test_bytes_of_no_picture(cursor: Cursor) -> None:
    """Bytes that are no picture are refused by the routine that they are for."""
    with pytest.raises(UnreadableImageError, match="The picture must be one of JPEG"):
        cursor.execute("SELECT MeetUp2025.EmbedImage(?)", [b"no picture"])


def test_message_of_a_long_value(cursor: Cursor) -> None:
    """A message does not repeat a whole vector."""
    with pytest.raises(DataError) as caught:
        cursor.execute("SELECT CAST(? AS INTEGER)", ["0.123456789," * 511 + "z"]).fetchall()

    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "value", [np.full(512, np.nan), np.zeros(512), [None] * 512, [True] * 512, "0.5", 5, np.ones(512)], ids=type
)
def test_vector_column_takes_vectors_alone(cursor: Cursor, value: object) -> None:
    """What goes into a vector column goes through TO_VECTOR, which checks it."""
    for sql in ("INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES ('F1', 'a', ?)",
                "UPDATE MeetUp2025.Fish SET Features = ?"):  # fmt: skip
        with pytest.raises((DataError, ProgrammingError)):
            cursor.execute(sql, [value])

    assert count(cursor) == 0


def test_executemany_is_whole(cursor: Cursor, connection: Connection) -> None:
    """A row that cannot be written takes back the others, and is told by its number."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    sql = "INSERT INTO MeetUp2025.Fish (FishID, Name, Model, Features) VALUES (?, ?, 'x', TO_VECTOR(?, DOUBLE))"
    rows = [[f"T{place}", f"t{place}", np.arange(1.0, 513.0)] for place in range(3)]
    rows[2][2] = np.zeros(512)
    with pytest.raises(DataError, match="Row 3 of the parameters"):
        cursor.executemany(sql, rows)
    connection.commit()

    assert count(cursor) == 1


def test_error_while_rows_are_fetched(cursor: Cursor) -> None:
    """An error that comes with a row is an error of this package too."""
    cursor.executemany(INSERT_NAME, [[f"F{place}", f"n{place}"] for place in range(200)])
    broken = "SELECT CAST(CASE WHEN a.FishID = 'F199' THEN 'x' ELSE '1' END AS INTEGER) FROM MeetUp2025.Fish a"
    with pytest.raises(DataError):
        cursor.execute(broken).fetchall()


def test_threads_that_make_one_file(tmp_path: Path) -> None:
    """Threads that open a new file at once all get it."""
    url = f"duckdb:///{tmp_path / 'new.db'}"

    def names(_: int) -> int:
        with meetup2025.connect(url) as connection, connection.cursor() as cursor:
            return int(cursor.execute(COUNT).fetchall()[0][0])

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(names, range(4))) == [0, 0, 0, 0]


def test_conflict_of_two_connections(tmp_path: Path) -> None:
    """A key that another connection has committed meanwhile is SQLCODE -119 at the commit."""
    url = f"duckdb:///{tmp_path / 'two.db'}"
    with meetup2025.connect(url) as first, meetup2025.connect(url) as second:
        for connection in (first, second):
            with connection.cursor() as cursor:
                cursor.execute(INSERT_NAME, ["F1", "a"])
        first.commit()
        with pytest.raises(IntegrityError) as caught:
            second.commit()

    assert caught.value.sqlcode == -119


def test_functions_of_each_row_in_two_connections(tmp_path: Path) -> None:
    """A function that runs once for each row works in all connections of a file, also when its first user has gone."""
    url = f"duckdb:///{tmp_path / 'two.db'}"
    sql = "SELECT COUNT(*) FROM MeetUp2025.Fish WHERE MeetUp2025.InRegion(LENGTH(Name), 1, '0,0;9,0;0,9') = 1"
    with meetup2025.connect(url) as kept:
        with meetup2025.connect(url) as gone:
            gone.cursor().execute(INSERT_NAME, ["F1", "a"])
            gone.commit()
            assert [each.cursor().execute(sql).fetchall() for each in (gone, kept)] == [[(1,)], [(1,)]]
        assert kept.cursor().execute(sql).fetchall() == [(1,)]


def test_type_code_of_a_vector(cursor: Cursor) -> None:
    """The type code of a vector is that of a text, as on a server."""
    cursor.execute("SELECT TO_VECTOR('1,2', DOUBLE), TO_VECTOR('1,2', INTEGER, 2), SUM(1)")

    assert [column[1] for column in cursor.description or ()] == ["VARCHAR", "VARCHAR", "BIGINT"]


def test_vectors_of_each_type_as_text_and_as_arrays() -> None:
    """The embedded engine gives a vector as the shortest text of its type, or as an array of its type."""
    sql = "SELECT TO_VECTOR('0.1,2', DOUBLE), TO_VECTOR('0.1,2', FLOAT), TO_VECTOR('9007199254740993,2', INTEGER)"
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        text = cursor.execute(sql).fetchall()
        cursor.wants_arrays = True
        [arrays] = cursor.execute(sql).fetchall()

    assert text == [("0.1,2.0", "0.1,2.0", "9007199254740993,2")]
    assert [array.dtype for array in arrays] == [np.float64, np.float32, np.int64]
    assert arrays[2].tolist() == [9007199254740993, 2]


def test_insert_of_one_item_twice(cursor: Cursor) -> None:
    """A query may select an item twice and fill two columns."""
    cursor.execute("CREATE TABLE Pairs (A INTEGER, B INTEGER)")
    cursor.execute("INSERT INTO Pairs (A, B) VALUES (1, 2)")
    cursor.execute("INSERT INTO Pairs (A, B) SELECT B, B FROM Pairs")

    assert cursor.execute("SELECT A, B FROM Pairs ORDER BY A").fetchall() == [(1, 2), (2, 2)]


def test_primary_key_has_no_null(cursor: Cursor) -> None:
    """A column of a primary key must have a value, wherever the key is declared."""
    cursor.execute("CREATE TABLE Keys (A INTEGER, B INTEGER, PRIMARY KEY (A))")
    with pytest.raises(IntegrityError) as caught:
        cursor.execute("INSERT INTO Keys (B) VALUES (1)")

    assert caught.value.sqlcode == -108


def test_types_of_the_pep(cursor: Cursor) -> None:
    """The type objects compare with the type codes of `description`; the constructors make values."""
    cursor.execute("SELECT 'a', 1, CAST('2025-01-02' AS DATE), TO_VECTOR('1,2', DOUBLE)")
    kinds = [column[1] for column in cursor.description or ()]
    expected = [meetup2025.STRING, meetup2025.NUMBER, meetup2025.DATETIME, meetup2025.STRING]

    assert [kind == wanted for kind, wanted in zip(kinds, expected, strict=True)] == [True] * 4
    assert meetup2025.STRING != meetup2025.NUMBER
    assert meetup2025.Date(2025, 1, 2).isoformat() == "2025-01-02"
    assert meetup2025.TimeFromTicks(0) == meetup2025.TimestampFromTicks(0).time()


@pytest.mark.parametrize("wrong", [5, None, b"SELECT 1"])
def test_statement_that_is_no_text(cursor: Cursor, wrong: Any) -> None:
    """A statement is a text."""
    with pytest.raises(ProgrammingError, match="must be a text"):
        cursor.execute(wrong)


@pytest.mark.parametrize("wrong", [5, Path("x.db"), "duckdb://host/x.db", "duckdb:///x?y.db"])
def test_url_that_is_none(wrong: Any) -> None:
    """A URL is a text with three slashes before a file, or none."""
    with pytest.raises(InterfaceError):
        meetup2025.connect(wrong)


def test_question_mark_in_text_is_no_parameter(cursor: Cursor) -> None:
    """A question mark in a string or comment stands for itself."""
    assert cursor.execute("SELECT '?', ? -- ?", [1]).fetchall() == [("?", 1)]


# --- executemany and rowcount ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 2, 250])
@pytest.mark.parametrize("form", [text, np.asarray], ids=["text", "array"])
def test_executemany_of_vectors(cursor: Cursor, number: int, form: Any) -> None:
    """Any number of vectors, as text or arrays, goes in and comes back bit for bit."""
    vectors = np.random.default_rng(7).normal(size=(number, DIMENSION))
    cursor.executemany(INSERT_FISH, [(f"F{at}", f"name {at}", form(row)) for at, row in enumerate(vectors)])

    assert cursor.rowcount == number
    stored = dict(iter(cursor.execute("SELECT FishID, Features FROM MeetUp2025.Fish")))
    found = np.array([stored[f"F{at}"].split(",") for at in range(number)], dtype=float).reshape(number, DIMENSION)
    assert (found == vectors).all()


def test_executemany_takes_any_iterable(cursor: Cursor) -> None:
    """A generator of rows will do."""
    cursor.executemany(INSERT_NAME, ((f"F{at}", f"name {at}") for at in range(3)))

    assert (cursor.rowcount, count(cursor)) == (3, 3)


@pytest.mark.embedded
def test_executemany_of_5000_vectors(cursor: Cursor, connection: Connection) -> None:
    """A large batch goes in at once, and is searched."""
    vectors = np.random.default_rng(8).normal(size=(5000, DIMENSION))
    cursor.executemany(INSERT_FISH, [(f"F{at}", f"name {at}", row) for at, row in enumerate(vectors)])
    connection.commit()
    best = cursor.execute("SELECT FishID FROM MeetUp2025.NearestFish(?, 1)", [vectors[4321]]).fetchall()

    assert (cursor.rowcount, count(cursor), best) == (-1, 5000, [("F4321",)])


def test_executemany_with_nulls(cursor: Cursor) -> None:
    """NULL stands anywhere in a batch, in the first row too; a vector may be NULL among vectors."""
    one = text(np.ones(DIMENSION))
    cursor.executemany(INSERT_FISH, [("F1", "a", None), ("F2", "b", one), ("F3", "c", None)])
    stored = cursor.execute("SELECT FishID, Features FROM MeetUp2025.Fish ORDER BY FishID").fetchall()

    assert [(key, features is None) for key, features in stored] == [("F1", True), ("F2", False), ("F3", True)]


def test_executemany_of_arrays_with_nulls(cursor: Cursor) -> None:
    """NULL stands among arrays as it does among texts."""
    cursor.executemany(INSERT_FISH, [("F1", "a", np.ones(DIMENSION)), ("F2", "b", None)])

    assert cursor.execute("SELECT FishID FROM MeetUp2025.Fish WHERE Features IS NULL").fetchall() == [("F2",)]


def test_executemany_of_mixed_types(cursor: Cursor) -> None:
    """Values of several types go into one column, as with single INSERTs."""
    cursor.execute("CREATE TABLE Mixed.Mixed (A DOUBLE, B VARCHAR(10))")
    cursor.executemany("INSERT INTO Mixed.Mixed (A, B) VALUES (?, ?)", [(1, "x"), (2.5, 7), (None, None)])

    assert cursor.execute("SELECT A, B FROM Mixed.Mixed").fetchall() == [(1.0, "x"), (2.5, "7"), (None, None)]
    cursor.execute("DROP TABLE Mixed.Mixed")


def test_executemany_of_updates(fish: Cursor) -> None:
    """Each row of parameters is one UPDATE; rowcount is their sum."""
    fish.executemany(
        "UPDATE MeetUp2025.Fish SET Kanji = ? WHERE FishID = ?", [("鯵", "F000"), ("鰯", "F001"), ("x", "none")]
    )

    assert fish.rowcount == 2
    changed = fish.execute("SELECT Kanji FROM MeetUp2025.Fish WHERE Kanji IS NOT NULL ORDER BY FishID").fetchall()
    assert changed == [("鯵",), ("鰯",)]


def test_failed_batch_stores_nothing(cursor: Cursor) -> None:
    """A batch whose last row breaks a rule leaves none of its rows."""
    with pytest.raises(IntegrityError):
        cursor.executemany(INSERT_NAME, [("F1", "a"), ("F2", "b"), ("F1", "c")])

    assert count(cursor) == 0


def test_failed_batch_of_updates_stores_nothing(fish: Cursor) -> None:
    """A batch of UPDATEs whose last one fails leaves the rows as they were."""
    with pytest.raises(DataError):
        fish.executemany("UPDATE MeetUp2025.Fish SET Kanji = ? WHERE FishID = ?", [("鯵", "F000"), ("x" * 51, "F001")])
    fish.connection.rollback()

    assert fish.execute("SELECT COUNT(Kanji) FROM MeetUp2025.Fish").fetchall() == [(0,)]


def test_rowcount(fish: Cursor, planted: Planted) -> None:
    """Rowcount is the number of rows changed, and -1 where nobody knows."""
    counts = []
    for sql in (
        "UPDATE MeetUp2025.Fish SET Kanji = 'x' WHERE FishID IN ('F000', 'F001')",
        "UPDATE MeetUp2025.Fish SET Kanji = 'x' WHERE FishID = 'none'",
        "DELETE FROM MeetUp2025.Fish WHERE FishID = 'F000'",
        "INSERT INTO MeetUp2025.Fish (FishID, Name) SELECT 'G' || FishID, 'copy ' || Name FROM MeetUp2025.Fish",
        "SELECT Name FROM MeetUp2025.Fish",
    ):
        fish.execute(sql)
        counts.append(fish.rowcount)

    assert counts == [2, 0, 1, len(planted.ids) - 1, -1]


# --- transactions ---------------------------------------------------------------------------------------------------


def test_rollback(cursor: Cursor, connection: Connection) -> None:
    """Rollback takes back what was not committed, and no more."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    connection.commit()
    cursor.execute(INSERT_NAME, ["F2", "b"])
    connection.rollback()

    assert cursor.execute("SELECT FishID FROM MeetUp2025.Fish").fetchall() == [("F1",)]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_end_without_beginning(connection: Connection, end: str) -> None:
    """Commit and rollback with nothing to do are harmless."""
    getattr(connection, end)()
    getattr(connection, end)()

    assert count(connection.cursor()) == 0


def test_close_takes_back(tmp_path: Path) -> None:
    """Closing without a commit keeps nothing; what was committed lasts."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url) as connection:
        connection.cursor().execute(INSERT_NAME, ["F1", "a"])
        connection.commit()
        connection.cursor().execute(INSERT_NAME, ["F2", "b"])

    with meetup2025.connect(url) as connection:
        assert connection.cursor().execute("SELECT FishID FROM MeetUp2025.Fish").fetchall() == [("F1",)]


def test_autocommit(tmp_path: Path) -> None:
    """With autocommit each statement lasts at once."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url, autocommit=True) as connection:
        connection.cursor().execute(INSERT_NAME, ["F1", "a"])
        connection.cursor().executemany(INSERT_NAME, [["F2", "b"], ["F3", "c"]])
        connection.rollback()

    with meetup2025.connect(url) as connection:
        assert count(connection.cursor()) == 3


def test_transaction_by_statements(cursor: Cursor) -> None:
    """START TRANSACTION, COMMIT and ROLLBACK are statements as well."""
    cursor.execute("START TRANSACTION")
    cursor.execute(INSERT_NAME, ["F1", "a"])
    cursor.execute("COMMIT")
    cursor.execute(INSERT_NAME, ["F2", "b"])
    cursor.execute("ROLLBACK")

    assert count(cursor) == 1


def test_transaction_block(cursor: Cursor, connection: Connection) -> None:
    """A block does all or nothing, and commits by itself with autocommit."""
    connection.autocommit = True
    with connection.transaction():
        cursor.execute(INSERT_NAME, ["F1", "a"])
    with pytest.raises(DataError), connection.transaction():
        cursor.executemany(INSERT_NAME, [["F2", "b"], ["F3", "x" * 51]])
    connection.rollback()

    assert cursor.execute("SELECT FishID FROM MeetUp2025.Fish").fetchall() == [("F1",)]


def test_transaction_block_within_a_transaction(cursor: Cursor, connection: Connection) -> None:
    """Inside a transaction of the caller the block is part of that one."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    with connection.transaction():
        cursor.execute(INSERT_NAME, ["F2", "b"])
    connection.rollback()

    assert count(cursor) == 0


def test_wrong_statement_in_a_transaction(cursor: Cursor, connection: Connection) -> None:
    """A statement that is refused before it runs leaves the transaction as it was."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    for wrong in ("SELEKT", "SELECT Nope FROM MeetUp2025.Fish", "CALL MeetUp2025.Nope()"):
        with pytest.raises(ProgrammingError):
            cursor.execute(wrong)
    with pytest.raises(DataError):
        cursor.execute(
            "INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES ('F2', 'b', TO_VECTOR('1,2', DOUBLE))"
        )
    connection.commit()

    assert count(cursor) == 1


@pytest.mark.gap("iris", raises=pytest.fail.Exception, reason="IRIS goes on after an error in a transaction")
def test_failed_statement_in_a_transaction(cursor: Cursor, connection: Connection) -> None:
    """After an error of the data the transaction can only be rolled back; the message says so, and commit does too."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    with pytest.raises(IntegrityError):
        cursor.execute(INSERT_NAME, ["F1", "b"])
    with pytest.raises(OperationalError, match="rollback"):
        cursor.execute(COUNT)
    with pytest.raises(OperationalError, match="rollback"):
        connection.commit()
    connection.rollback()
    cursor.execute(INSERT_NAME, ["F1", "c"])
    connection.commit()

    assert cursor.execute("SELECT Name FROM MeetUp2025.Fish").fetchall() == [("c",)]


@pytest.mark.gap("iris", raises=pytest.fail.Exception, reason="IRIS goes on after an error in a transaction")
def test_failed_transaction_ends_by_sql(cursor: Cursor) -> None:
    """The statement ROLLBACK is the way out too, however it is written."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    with pytest.raises(IntegrityError):
        cursor.execute(INSERT_NAME, ["F1", "b"])
    with pytest.raises(OperationalError, match="ROLLBACK"):
        cursor.execute(COUNT)
    cursor.execute("-- back\nROLLBACK WORK;")

    assert count(cursor) == 0


def test_failed_statement_outside_of_a_transaction(cursor: Cursor, connection: Connection) -> None:
    """An error of the first statement costs nothing: the next one runs."""
    cursor.execute(INSERT_NAME, ["F1", "a"])
    connection.commit()
    with pytest.raises(IntegrityError):
        cursor.execute(INSERT_NAME, ["F1", "b"])
    cursor.execute(INSERT_NAME, ["F2", "b"])

    assert count(cursor) == 2


# --- the end --------------------------------------------------------------------------------------------------------


def test_use_after_close(connection: Connection) -> None:
    """A closed connection closes its cursors with it; each use is an error, closing again is not."""
    cursor = connection.cursor()
    cursor.execute("SELECT Name FROM MeetUp2025.Fish")
    connection.close()
    connection.close()

    for use in (
        cursor.fetchall,
        lambda: cursor.execute("SELECT 1"),
        connection.cursor,
        connection.commit,
        connection.rollback,
    ):
        with pytest.raises(InterfaceError, match="closed"):
            use()


def test_use_after_close_of_the_cursor(connection: Connection) -> None:
    """A closed cursor takes no statement and gives no rows; the connection goes on."""
    cursor = connection.cursor()
    cursor.execute("SELECT Name FROM MeetUp2025.Fish")
    cursor.close()
    cursor.close()

    for use in (
        cursor.fetchall,
        cursor.fetchone,
        lambda: cursor.execute("SELECT 1"),
        lambda: cursor.executemany("SELECT 1", []),
    ):
        with pytest.raises(InterfaceError):
            use()
    assert count(connection.cursor()) == 0


# --- procedures -----------------------------------------------------------------------------------------------------


def test_callproc(fish: Cursor, planted: Planted) -> None:
    """Callproc calls a procedure or a query by its name, gives the parameters back, and the rows are then fetched."""
    given = [text(planted.vector("サンマ")), 3]

    assert fish.callproc("MeetUp2025.NearestFish", given) == given
    assert [row[1] for row in fish.fetchall()] == [name for name, _ in planted.nearest(planted.vector("サンマ"), 3)]


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("sql", "kind", "sqlcode"),
    [
        ("CALL MeetUp2025.Nope('x')", ProgrammingError, -428),
        ("CALL MeetUp2025.KnownName('マアジ')", ProgrammingError, -428),
        ("SELECT MeetUp2025.SimilarFish('マアジ')", ProgrammingError, -359),
        ("CALL MeetUp2025.SimilarFish('マアジ', 3, 4)", ProgrammingError, -370),
        ("CALL MeetUp2025.SimilarFish()", ProgrammingError, -400),
        ("CALL MeetUp2025.SimilarFish('nobody')", UnknownNameError, -400),
        ("CALL MeetUp2025.SimilarFish('マアジ', 0)", DataError, -400),
        ("CALL MeetUp2025.SimilarFish('マアジ', 'many')", DataError, -400),
    ],
)
def test_wrong_calls(fish: Cursor, sql: str, kind: type[Error], sqlcode: int) -> None:
    """A wrong call is an error of its own type, with the code of IRIS."""
    with pytest.raises(kind) as caught:
        fish.execute(sql)

    assert caught.value.sqlcode == sqlcode


def test_function_outside_of_sql() -> None:
    """A function that needs tables says so when it is called outside of SQL."""
    from meetup2025 import procedures

    with pytest.raises(EngineUnavailableError, match="SQL"):
        procedures.known_name("マアジ")


# --- rows as arrays -------------------------------------------------------------------------------------------------


def test_rows_as_arrays(connection: Connection, planted: Planted) -> None:
    """The vectors of a SELECT are one array of shape (n, d), and every other column is an array of its values."""
    insert(connection, planted)
    with connection.cursor() as cursor:
        found = cursor.execute("SELECT FishID, LENGTH(Name) AS Long, Features FROM MeetUp2025.Fish").fetchnumpy()

    assert list(found) == ["FishID", "Long", "Features"]
    assert found["FishID"].tolist() == planted.ids
    assert found["Long"].dtype.kind == "i"
    np.testing.assert_allclose(found["Features"], planted.vectors, atol=1e-15)


def test_missing_values_in_arrays(connection: Connection) -> None:
    """A row without a vector has NaN, a missing number is masked, and a missing text is None."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_NAME, ["F1", "a"])
        cursor.execute(INSERT_FISH, ["F2", "b", np.ones(DIMENSION)])
        cursor.execute("UPDATE MeetUp2025.Fish SET Family = 'K' WHERE FishID = 'F2'")
        sql = "SELECT Family, Features, NULLIF(LENGTH(Name), LENGTH(FishID) - 1) AS Long FROM MeetUp2025.Fish"
        found = cursor.execute(sql).fetchnumpy()

    assert found["Family"].tolist() == [None, "K"]
    assert np.isnan(found["Features"]).all(axis=1).tolist() == [True, False]
    assert found["Long"].tolist() == [None, None]


def test_rest_of_the_rows_as_arrays(connection: Connection, planted: Planted) -> None:
    """Rows that were fetched before do not come again, and a statement in between takes nothing away."""
    insert(connection, planted)
    with connection.cursor() as cursor, connection.cursor() as other:
        cursor.execute("SELECT FishID, Features FROM MeetUp2025.Fish ORDER BY FishID").fetchone()
        count(other)
        found = cursor.fetchnumpy()

    assert found["FishID"].tolist() == sorted(planted.ids)[1:]
    assert found["Features"].shape == (len(planted.ids) - 1, DIMENSION)
