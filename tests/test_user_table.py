"""A table of one's own: in by one call, registered as a source, and out again as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from asked import selected

import meetup2025
from meetup2025.engines.exchange import write_parquet
from meetup2025.engines.tabular import matrix, open_tabular
from meetup2025.errors import DataError, Error, IntegrityError, InvalidVectorError, ProgrammingError
from meetup2025.loading.user_table import LONGEST_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from meetup2025.engines import Connection

pytestmark = pytest.mark.slow

DIMENSION = 12
KEYS = ["Doc-1", "doc-2", "007", "猫"]
TOPICS = ["b", "a", None, "b"]
VECTORS = np.random.default_rng(5).normal(size=(len(KEYS), DIMENSION)).astype(np.float32)
COLUMNS = {"id": np.array(KEYS), "order": np.array([4, 3, 2, 1]), "emb": VECTORS}
STORED = 'SELECT ItemID, "order" FROM Docs'


def loaded(connection: Connection, data: Any, **roles: Any) -> Any:
    """Load data as Docs."""
    return meetup2025.load_table(connection, data, "Docs", **roles)


def tables(connection: Connection) -> list[Any]:
    """Return the tables outside of the classes, and the sources."""
    sql = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'SQLUser'"
    with connection.cursor() as cursor:
        return [*selected(cursor, sql), *selected(cursor, "SELECT Name FROM MeetUp2025.SourceTable")]


@pytest.fixture(autouse=True)
def _no_table(request: pytest.FixtureRequest) -> None:
    """Take away the table of the test before."""
    if "connection" in request.fixturenames and request.node.callspec.params.get("engine") == "iris":
        with request.getfixturevalue("connection").cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS Docs")


# --- what is loaded -------------------------------------------------------------------------------------------------


def test_arrays(connection: Connection) -> None:
    """Keys stay as they are, a word that SQL reserves is a column, and the vectors of any length are a source."""
    found = loaded(connection, COLUMNS)
    keys, array, labels = meetup2025.read_vectors(connection, "docs")

    assert (found.table, found.added, found.changed, found.total) == ("SQLUser.Docs", 4, 0, 4)
    assert (found.dimension, found.renamed) == (DIMENSION, {"id": "ItemID"})
    assert (keys, labels) == (sorted(KEYS), [""] * 4)
    np.testing.assert_allclose(array, VECTORS[np.argsort(KEYS)], rtol=1e-6)


def test_again(connection: Connection) -> None:
    """A second load changes what differs alone, adds what is new, and deletes nothing."""
    loaded(connection, COLUMNS)
    same = loaded(connection, COLUMNS)
    changed = VECTORS.copy()
    changed[1] += 1
    other = {"id": np.array(["Doc-1", "doc-2", "new"]), "order": np.array([4, 3, 9]), "emb": changed[:3]}
    found = loaded(connection, other)

    assert (same.added, same.changed) == (0, 0)
    assert (found.added, found.changed, found.total) == (1, 1, 5)
    with connection.cursor() as cursor:
        assert sorted(selected(cursor, STORED)) == sorted([*zip(KEYS, [4, 3, 2, 1], strict=True), ("new", 9)])


def test_array_alone(connection: Connection) -> None:
    """The rows of an array without keys have their numbers as keys."""
    loaded(connection, VECTORS)

    assert meetup2025.read_vectors(connection, "Docs").keys == ["1", "2", "3", "4"]


def test_labels_and_titles(connection: Connection) -> None:
    """A column is the label, another the name of a row, in analyses."""
    data = {**COLUMNS, "topic": np.array(["x", "y", "x", "y"])}
    meetup2025.load_table(connection, data, "App.Docs", label="TOPIC", title="topic")
    with connection.cursor() as cursor:
        sql = "SELECT TableName, NameColumn, LabelColumn FROM MeetUp2025.SourceTable WHERE Name = 'App.Docs'"

        assert selected(cursor, sql) == [("App.Docs", "topic", "topic")]


def test_texts_are_embedded(connection: Connection) -> None:
    """Texts get the vectors of the model in use."""
    loaded(connection, {"key": np.array(["a", "b"]), "word": np.array(["マアジ", "マダコ"])}, text="word")
    with connection.cursor() as cursor:
        [(vector,)] = selected(cursor, "SELECT MeetUp2025.EmbedText('マアジ')")
        sql = "SELECT VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) FROM Docs WHERE word = 'マアジ'"
        [(own,)] = selected(cursor, sql, vector)

    assert own == pytest.approx(1)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "npz", "text.csv", "columns.csv"])
@pytest.mark.embedded
def test_files(connection: Connection, suffix: str, tmp_path: Path) -> None:
    """Every kind of file gives the same table, with its texts, numbers and missing values."""
    path = tmp_path / f"docs.{suffix}"
    roles = write(path)
    found = loaded(connection, path, **roles)
    with connection.cursor() as cursor:
        rows = selected(cursor, "SELECT ItemID, topic FROM Docs")
        [(year,)] = selected(cursor, "SELECT SUM(n) FROM Docs")
    _, array, _ = meetup2025.read_vectors(connection, "Docs")

    assert (found.added, found.dimension, year) == (4, DIMENSION, 10)
    assert [(key, topic or None) for key, topic in rows] == list(zip(KEYS, TOPICS, strict=True))
    np.testing.assert_allclose(array, VECTORS[np.argsort(KEYS)], rtol=1e-6)


def write(path: Path) -> dict[str, str]:
    """Write the rows into a file of the kind of its name, and return the roles that it needs."""
    rows = [
        {"id": key, "topic": topic, "n": n, "emb": vector.tolist()}
        for n, (key, topic, vector) in enumerate(zip(KEYS, TOPICS, VECTORS, strict=True), 1)
    ]
    if path.suffix == ".npz":
        topics = np.array([topic or "" for topic in TOPICS])
        np.savez(path, id=np.array(KEYS), topic=topics, n=np.arange(1, 5), emb=VECTORS)
        return {}
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
        return {}
    if path.suffix == ".parquet":
        import duckdb

        with duckdb.connect() as scratch:
            write(path.with_suffix(".jsonl"))
            scratch.execute(f"COPY (SELECT * FROM '{path.with_suffix('.jsonl')}') TO '{path}'")
        return {}
    if path.name == "docs.columns.csv":
        heads = [f"x{place}" for place in range(DIMENSION)]
        lines = [",".join([row["id"], row["topic"] or "", str(row["n"]), *map(str, row["emb"])]) for row in rows]
        path.write_text("\n".join([",".join(["id", "topic", "n", *heads]), *lines]), "utf-8")
        return {"vectors": "x*"}
    bracket = "[{}]" if path.name == "docs.csv" else "{}"
    vectors = [bracket.format(", ".join(map(str, row["emb"]))) for row in rows]
    heads = [f"{row['id']},{row['topic'] or ''},{row['n']}" for row in rows]
    lines = [f'{head},"{vector}"' for head, vector in zip(heads, vectors, strict=True)]
    path.write_text("\n".join(["id,topic,n,emb", *lines]), "utf-8")
    return {"vector": "emb"}


@pytest.mark.embedded
def test_array_beside_a_file(connection: Connection, tmp_path: Path) -> None:
    """The keys and labels of an array may be in a file of their own."""
    np.save(tmp_path / "v.npy", VECTORS)
    (tmp_path / "names.csv").write_text("id,topic\n007,a\n008,b\n009,a\n010,b\n", "utf-8")
    loaded(connection, tmp_path / "v.npy", beside=tmp_path / "names.csv", label="topic")

    keys, _, labels = meetup2025.read_vectors(connection, "Docs")
    assert (keys, labels) == (["007", "008", "009", "010"], ["a", "b", "a", "b"])


@pytest.mark.embedded
def test_frames(connection: Connection) -> None:
    """Data frames of pandas and polars, and tables of pyarrow, are data."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"id": KEYS, "topic": TOPICS, "emb": [vector.tolist() for vector in VECTORS]}
    added = [loaded(connection, make(columns)).added for make in (pandas.DataFrame, polars.DataFrame, pyarrow.table)]

    assert added == [4, 0, 0]


@pytest.mark.embedded
def test_types(connection: Connection, tmp_path: Path) -> None:
    """Columns keep their types; lists and structures become JSON."""
    import duckdb

    with duckdb.connect() as scratch:
        scratch.execute(
            "COPY (SELECT 1 AS id, true AS yes, 1.25::DECIMAL(9,2) AS price, DATE '2025-11-30' AS day, ['a'] AS tags, "
            f"[1.0, 2.0] AS emb) TO '{tmp_path / 'a.parquet'}'"
        )
    loaded(connection, tmp_path / "a.parquet", vector="emb")
    with connection.cursor() as cursor:
        sql = "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Docs'"
        types = dict(selected(cursor, sql))

        assert (types["ItemID"], types["price"], types["day"]) == ("bigint", "numeric", "date")
        assert selected(cursor, "SELECT tags FROM Docs") == [('["a"]',)]
    assert loaded(connection, tmp_path / "a.parquet", vector="emb").changed == 0


# --- what is refused ------------------------------------------------------------------------------------------------

NAN = VECTORS.copy()
NAN[2, 3] = np.nan
BAD = [
    ({"emb": NAN}, {}, InvalidVectorError, "row 3, column emb"),
    ({"emb": np.zeros((4, 3))}, {}, InvalidVectorError, "row 1, column emb"),
    ({"emb": VECTORS[:3]}, {}, DataError, "id with 4.*emb with 3"),
    ({"emb": VECTORS.reshape(4, 3, 4)}, {}, DataError, r"\(4, 3, 4\)"),
    ({"emb": np.array(["x"] * 4)}, {}, DataError, "One column of dict must hold vectors"),
    ({"emb": np.array(["x"] * 4)}, {"vector": "emb"}, DataError, "row 1, column emb"),
    ({"id": np.array(["a", "b", "A", "c"])}, {}, IntegrityError, "'A' again in row 3, column id"),
    ({"id": np.array(["a", "", "A", "c"])}, {}, DataError, "empty one in row 2, column id"),
    ({"id": np.array(["a", "b", "x" * (LONGEST_KEY + 1), "c"])}, {}, DataError, "in row 3, column id"),
    ({}, {"key": "nix"}, DataError, "'nix'; it has 'id', 'order', 'emb'"),
    ({}, {"label": "nix"}, DataError, "'nix'"),
    ({}, {"vectors": "x*"}, DataError, "x\\*"),
    ({}, {"colour": "x"}, ProgrammingError, "A role must be one of key"),
]


@pytest.mark.parametrize(("columns", "roles", "error", "message"), BAD)
def test_bad_data(
    connection: Connection, columns: dict[str, Any], roles: dict[str, str], error: type[Error], message: str
) -> None:
    """Wrong data is one error with its row and column, and leaves neither a table nor a source."""
    with pytest.raises(error, match=message):
        loaded(connection, {**COLUMNS, **columns}, **roles)
    connection.rollback()

    assert tables(connection) == []


@pytest.mark.parametrize("vectors", ['"[1, 2]"\nb,"[1]"', '"[1, null]"', "[1;2]", '"[[1, 2]]"', "1e999"])
@pytest.mark.embedded
def test_bad_vectors_of_a_file(connection: Connection, vectors: str, tmp_path: Path) -> None:
    """A vector that is shorter, lacks a number or is no list is refused with its row."""
    (tmp_path / "a.csv").write_text(f"id,emb\na,{vectors}\n", "utf-8")
    with pytest.raises(DataError, match=r"row [12]"):
        loaded(connection, tmp_path / "a.csv", vector="emb")

    assert tables(connection) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"PAR1", "must be data that can be read"),
        ("a.npy", b"\x93NUMPY", "never unpickled"),
        ("a.npz", b"", "never unpickled"),
        ("a.xlsx", b"PK", "saved as CSV"),
        ("a.csv", b"", "a.csv"),
        ("a.csv", b"0.5,-1.5e-3,0.5\n0.1,0.2,0.3\n", "first line of .*a.csv must be names.*Got '0.5'"),
        ("a.jsonl", b"{", "must be data that can be read"),
        ("a.docx", b"", "must end in"),
        ("a.arrow", b"x", "must be data that can be read"),
    ],
)
@pytest.mark.embedded
def test_bad_files(connection: Connection, name: str, content: bytes, message: str, tmp_path: Path) -> None:
    """A file of another kind, or a broken one, is one error."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        loaded(connection, tmp_path / name)

    assert tables(connection) == []


@pytest.mark.embedded
def test_objects_are_never_unpickled(connection: Connection, tmp_path: Path) -> None:
    """An array of objects would run code when it is read: it is refused unread."""
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(DataError, match="never unpickled"):
        loaded(connection, tmp_path / "a.npy")


def test_table_of_other_columns(connection: Connection) -> None:
    """A table that has other columns, or vectors of another length, is left as it is."""
    loaded(connection, COLUMNS)
    connection.commit()
    with pytest.raises(ProgrammingError, match="has no 'colour'"):
        loaded(connection, {**COLUMNS, "colour": np.array(["x"] * 4)})
    with pytest.raises(InvalidVectorError, match=r"must have 12 numbers, as the first\. Got 3"):
        loaded(connection, {**COLUMNS, "emb": np.ones((4, 3))})
    connection.rollback()

    assert len(meetup2025.read_vectors(connection, "Docs").keys) == 4


@pytest.mark.parametrize("name", ["", "a b", "a.b.c", "x; DROP TABLE y", "Fish", "MeetUp2025.Fish"])
def test_names_that_are_refused(connection: Connection, name: str) -> None:
    """A name that is none, or that is taken, makes no table."""
    with pytest.raises(Error):
        meetup2025.load_table(connection, COLUMNS, name)
    connection.rollback()

    assert tables(connection) == []


def test_late_fault_leaves_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong vector behind batches that are stored already takes them back."""
    monkeypatch.setattr("meetup2025.engines.tabular._BATCH_NUMBERS", 64)
    late = np.vstack([VECTORS, VECTORS, NAN])
    with pytest.raises(InvalidVectorError, match="row 11, column emb"):
        loaded(connection, {"emb": late})
    connection.rollback()

    assert tables(connection) == []


def test_nearest_items(connection: Connection) -> None:
    """`NearestItems` finds the rows of one's own table that are nearest to a vector, best first."""
    loaded(connection, COLUMNS)
    wanted = ",".join(map(str, VECTORS[3].tolist()))
    with connection.cursor() as cursor:
        found = selected(cursor, "SELECT Source, Item, Score FROM MeetUp2025.NearestItems('docs', ?, 2)", wanted)
        with pytest.raises(Error, match="vector"):
            selected(cursor, "SELECT Item FROM MeetUp2025.NearestItems('Docs', 'x', 2)")

    assert found[0][:2] == ("Docs", "猫")
    assert found[0][2] == pytest.approx(1)
    assert len(found) == 2


@pytest.mark.embedded
def test_vectors_outlive_their_batch(tmp_path: Path) -> None:
    """The vectors of a batch are right after the data is closed: they do not lie in its memory."""
    rows = np.random.default_rng(5).normal(size=(2000, 64))
    write_parquet({"key": np.arange(2000), "emb": rows}, tmp_path / "a.parquet")
    with open_tabular(tmp_path / "a.parquet") as given:
        made = [matrix(batch["emb"], "emb", 1)[0] for batch in given.batches({"emb": '"emb"'}, 64)]

    np.testing.assert_array_equal(np.concatenate(made), rows)
