"""Runs: stored whole or not at all, found again, read, deleted; and the sources that they are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from asked import selected
from planted import insert

import meetup2025
from meetup2025 import vectors
from meetup2025.engines.classes.program import program
from meetup2025.errors import (
    BrokenModelError,
    DataError,
    InvalidVectorError,
    ModelMismatchError,
    ProgrammingError,
)
from meetup2025.runs import store
from meetup2025.runs.sources import read_items
from meetup2025.runs.store import Metric, Outcome, Request, Result, fitted_run, kept_model, stored_model

if TYPE_CHECKING:
    from planted import Planted

    from meetup2025.engines import Connection, Cursor

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Thing:
    """What new vectors would need."""

    centres: np.ndarray
    word: str


THING = Thing(np.arange(6.0).reshape(2, 3), "マアジ")


class Fit:
    """Counts how often it runs; its result has three rows, two metrics and a model."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Outcome:
        """Give always the same."""
        self.times += 1
        rows = [(2, 5.0, 0.5, ""), (3, np.float32(1.5), float("nan"), "elbow"), (np.int64(4), 1.0, 0.25, "")]
        metrics = [Metric("silhouette", 0.5, "all", 0.4, 0.6), Metric("nothing", None)]
        return Outcome([Result("ElbowPoint", ("Clusters", "SSE", "Silhouette", "Choice"), rows)], metrics, THING)


def fit(connection: Connection, seed: int = 5, *, source: str = "Fish", how: Fit | None = None, **given: object) -> int:
    """Fit and store a run of the kind Elbow."""
    items = read_items(connection, source)
    return fitted_run(connection, Request("Elbow", items.basis, {"most": 4, **given}, seed), how or Fit())


# --- a run ----------------------------------------------------------------------------------------------------------


def test_run_is_listed(connection: Connection, fish: Cursor, planted: Planted) -> None:
    """Runs tells what was made of what, newest first."""
    first, second = fit(connection), fit(connection, 6)

    columns = "Run, Kind, Source, Parameters, Seed, Items, Asked"
    rows = selected(fish, f"SELECT {columns} FROM MeetUp2025.Runs()")

    count = len(planted.names)
    assert [(row[0], *row[1:3], json.loads(row[3]), *row[4:]) for row in rows] == [
        (second, "Elbow", "Fish", {"most": 4}, 6, count, 1),
        (first, "Elbow", "Fish", {"most": 4}, 5, count, 1),
    ]


def test_runs_of_a_kind(connection: Connection, fish: Cursor) -> None:
    """Runs can be asked for by their kind, and for a few."""
    runs = [fit(connection, seed) for seed in (1, 2, 3)]

    assert selected(fish, "SELECT Run FROM MeetUp2025.Runs('Elbow', 2)") == [(runs[2],), (runs[1],)]
    assert selected(fish, "CALL MeetUp2025.Runs('Map')") == []


def test_rows_are_read(connection: Connection, fish: Cursor) -> None:
    """What a run found is read in its order; no number is NULL."""
    run = fit(connection)

    assert selected(fish, "SELECT Clusters, SSE, Silhouette, Choice FROM MeetUp2025.ReadElbow(?)", run) == [
        (2, 5.0, 0.5, None),
        (3, 1.5, None, "elbow"),
        (4, 1.0, 0.25, None),
    ]


def test_metrics_are_read(connection: Connection, fish: Cursor) -> None:
    """Its metrics are read in the order in which they were given, with their intervals."""
    run = fit(connection)

    assert selected(fish, "SELECT * FROM MeetUp2025.ReadMetrics(?)", run) == [
        ("all", "silhouette", 0.5, 0.4, 0.6),
        (None, "nothing", None, None, None),
    ]


def test_results_of_two_runs_stay_apart(connection: Connection, fish: Cursor) -> None:
    """Each run has its own rows."""
    runs = [fit(connection, seed) for seed in (1, 2)]

    assert [len(selected(fish, "SELECT * FROM MeetUp2025.ReadElbow(?)", run)) for run in runs] == [3, 3]


def test_model_is_read(connection: Connection, fish: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that takes many parts is put together again."""
    monkeypatch.setattr(store, "_PART", 100)
    run = fit(connection)

    found = stored_model(connection, run, Thing)

    assert (found.centres == THING.centres).all()
    assert found.word == "マアジ"
    assert selected(fish, "SELECT COUNT(*) FROM MeetUp2025.FittedModel WHERE Run = ?", run)[0][0] > 5


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM MeetUp2025.FittedModel WHERE Run = ? AND Part = 2",
        "UPDATE MeetUp2025.FittedModel SET Content = 'QUJD' WHERE Run = ? AND Part = 2",
        "UPDATE MeetUp2025.FittedModel SET Content = 'no base64' WHERE Run = ? AND Part = 2",
        "DELETE FROM MeetUp2025.FittedModel WHERE Run = ?",
    ],
)
def test_changed_model(connection: Connection, fish: Cursor, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """A model that lost a part, or whose part was changed, is refused, also by a process that has kept it."""
    monkeypatch.setattr(store, "_PART", 100)
    run = fit(connection)
    assert kept_model(connection, run, Thing) is kept_model(connection, run, Thing)
    fish.execute(change, [run])

    for read in (stored_model, kept_model):
        with pytest.raises(BrokenModelError, match="as it was written"):
            read(connection, run, Thing)


# --- the same again -------------------------------------------------------------------------------------------------


def test_same_run_is_not_made_again(connection: Connection, fish: Cursor) -> None:
    """The same source, parameters and seed give the run that is there, and Runs tells how often it was asked for."""
    how = Fit()

    assert fit(connection, how=how) == fit(connection, how=how)
    assert how.times == 1
    assert selected(fish, "SELECT Asked FROM MeetUp2025.Runs()") == [(2,)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE MeetUp2025.Fish SET Name = 'サバ' WHERE FishID = 'F001'",
        "UPDATE MeetUp2025.Fish SET Family = 'Carangidae' WHERE FishID = 'F001'",
        "DELETE FROM MeetUp2025.Fish WHERE FishID = 'F001'",
        f"UPDATE MeetUp2025.Fish SET Features = TO_VECTOR('{','.join(['1'] * 512)}', DOUBLE) WHERE FishID = 'F001'",
    ],
)
def test_changed_source(connection: Connection, fish: Cursor, change: str) -> None:
    """When a name, a label, a row or a vector has changed, the run says so, and the next one is new."""
    run = fit(connection)
    assert selected(fish, "SELECT MeetUp2025.SourceChanged(?)", run) == [(0,)]

    fish.execute(change)

    assert selected(fish, "SELECT MeetUp2025.SourceChanged(?)", run) == [(1,)]
    assert fit(connection) != run


@pytest.mark.usefixtures("fish")
@pytest.mark.parametrize("given", [{"seed": 6}, {"most": 5}, {"least": 3}, {"source": "Both"}])
def test_other_parameters(connection: Connection, given: dict[str, object]) -> None:
    """Another seed, parameter or source makes another run."""
    assert fit(connection, **given) != fit(connection)


# --- whole or not at all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, DataError])
def test_fit_that_fails(connection: Connection, fish: Cursor, error: type[BaseException]) -> None:
    """A fit that is cancelled or fails leaves nothing."""

    def failing() -> Outcome:
        raise error("no")

    with pytest.raises(error):
        fit(connection, how=failing)
    assert selected(fish, "SELECT * FROM MeetUp2025.Runs()") == []


def test_cancelled_while_it_is_stored(connection: Connection, fish: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cancelled between its rows and its model leaves neither."""
    connection.commit()

    def cancelled(_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.fitted, "pack", cancelled)

    with pytest.raises(KeyboardInterrupt):
        fit(connection)
    for table in ("Analysis", "ElbowPoint", "Metric", "FittedModel"):
        assert selected(fish, f"SELECT COUNT(*) FROM MeetUp2025.{table}") == [(0,)]


def test_deleted_run(connection: Connection, fish: Cursor) -> None:
    """A run is deleted with all that it found; others stay."""
    first, second = fit(connection), fit(connection, 6)

    assert selected(fish, "SELECT MeetUp2025.DeleteRun(?)", first) == [(first,)]

    assert selected(fish, "SELECT Run FROM MeetUp2025.Runs()") == [(second,)]
    for table, count in {"ElbowPoint": 3, "Metric": 2, "FittedModel": 1}.items():
        assert selected(fish, f"SELECT COUNT(*) FROM MeetUp2025.{table}") == [(count,)]


def test_each_result_table_is_emptied() -> None:
    """Each table with a column Run is emptied when a run is deleted."""
    tables = {
        table.short_name for table in program().tables.values() if "Run" in {each.name for each in table.properties}
    }

    assert {*store.RESULT_TABLES} == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT MeetUp2025.KnownRun(99)",
        "SELECT MeetUp2025.DeleteRun(99)",
        "SELECT MeetUp2025.SourceChanged(99)",
        "SELECT * FROM MeetUp2025.ReadElbow(99)",
        "SELECT * FROM MeetUp2025.ReadMetrics(99)",
        "CALL MeetUp2025.ReadClusters(99)",
    ],
)
def test_unknown_run(connection: Connection, fish: Cursor, sql: str) -> None:
    """A run that is not there is an error, wherever it is asked for."""
    fit(connection)

    with pytest.raises(DataError, match=r"A run must exist\. Got 99; SELECT Run FROM MeetUp2025.Runs\(\)"):
        selected(fish, sql)


def test_run_of_another_kind(connection: Connection, fish: Cursor) -> None:
    """A run that is read as another kind is an error."""
    run = fit(connection)

    with pytest.raises(DataError, match=f"Run {run} must be of the kind Clusters. Got Elbow"):
        selected(fish, "SELECT * FROM MeetUp2025.ReadClusters(?)", run)


# --- sources --------------------------------------------------------------------------------------------------------

DOCS = "CREATE TABLE App.Docs (DocID VARCHAR(20), Title VARCHAR(40), Topic VARCHAR(20), Features VECTOR(DOUBLE, 3))"
REGISTER = "SELECT MeetUp2025.RegisterSource('Docs', 'app.docs', 'docid', 'TITLE', 'Features', 'Topic')"


@pytest.fixture
def docs(connection: Connection) -> Cursor:
    """Open cursor; a table of another program, of vectors of length 3, is there."""
    cursor = connection.cursor()
    cursor.execute(DOCS)
    for row in [("b", "two", "x", "0,2,0"), ("a", "one", None, "1,0,0"), ("c", "three", "x", None)]:
        cursor.execute(
            "INSERT INTO App.Docs (DocID, Title, Topic, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))", row
        )
    return cursor


@pytest.mark.usefixtures("fish")
def test_names_and_photos(connection: Connection, planted: Planted) -> None:
    """Both has the names, then the photos, each by its key, with the vectors of the tables."""
    items = read_items(connection, "both")

    assert items.source == "Both"
    assert items.tables == ("Fish",) * len(planted.names) + ("FishImage",) * len(planted.names)
    assert items.keys[: len(planted.ids)] == tuple(sorted(planted.ids))
    assert items.vectors[0] == pytest.approx(planted.vectors[0].astype(np.float32))


def test_arrays_are_the_vectors_of_the_text(connection: Connection, fish: Cursor) -> None:
    """A cursor that wants arrays gives the numbers of the text, or the text itself."""
    sql = "SELECT Features FROM MeetUp2025.Fish ORDER BY FishID"
    texts = [vectors.from_text(str(row[0])) for row in selected(fish, sql)]
    with connection.cursor() as cursor:
        cursor.wants_arrays = True
        found = [row[0] for row in selected(cursor, sql)]

    arrays = [vectors.from_text(each) if isinstance(each, str) else each for each in found]
    assert (np.array(arrays) == np.array(texts)).all()


def test_registered_table(connection: Connection, docs: Cursor) -> None:
    """A table of another program is a source, whatever the length of its vectors; rows without one are left out."""
    assert selected(docs, REGISTER) == [("Docs",)]

    items = read_items(connection, "DOCS")

    assert (items.source, items.keys, items.names, items.labels) == ("Docs", ("a", "b"), ("one", "two"), ("", "x"))
    assert items.vectors.tolist() == [[1, 0, 0], [0, 2, 0]]


def test_vectors_of_extreme_size(connection: Connection, docs: Cursor) -> None:
    """A vector of doubles that float32 cannot hold is read in its direction."""
    docs.execute("UPDATE App.Docs SET Features = TO_VECTOR('1E200,0,-1E200', DOUBLE) WHERE DocID = 'a'")
    docs.execute("UPDATE App.Docs SET Features = TO_VECTOR('0,1E-200,0', DOUBLE) WHERE DocID = 'b'")
    selected(docs, REGISTER)

    assert read_items(connection, "Docs").vectors.tolist() == [[1, 0, -1], [0, 1, 0]]


def test_registered_again(connection: Connection, docs: Cursor) -> None:
    """Registering a name again changes it."""
    selected(docs, REGISTER)
    selected(docs, "SELECT MeetUp2025.RegisterSource('docs', 'App.Docs', 'DocID', 'Topic', 'Features')")

    assert read_items(connection, "Docs").names == ("", "x")
    assert selected(docs, "SELECT Name, TableName, LabelColumn FROM MeetUp2025.SourceTable") == [
        ("Docs", "App.Docs", None)
    ]


@pytest.mark.parametrize("name", ["", " ", "fish", "Both"])
def test_name_that_is_taken(docs: Cursor, name: str) -> None:
    """The names of sources that are always there, and no name, are refused."""
    with pytest.raises(DataError, match="name of a source"):
        selected(docs, REGISTER.replace("'Docs'", f"'{name}'"))


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ("app.docs", "app.nothing", "'app.nothing', which does not exist"),
        ("app.docs", "docs", "'docs', which does not exist"),
        ("app.docs", "App.Docs; DROP TABLE App.Docs", "which does not exist"),
        ("docid", "key", "'key'; it has"),
        ("TITLE", 'Title" FROM App.Docs --', "it has"),
        ("'Topic'", "'Subject'", "'Subject'; it has"),
    ],
)
def test_what_is_not_there(docs: Cursor, old: str, new: str, got: str) -> None:
    """A table or a column that the database does not know is refused, also when it is SQL."""
    assert old in REGISTER
    with pytest.raises(ProgrammingError, match=got):
        selected(docs, REGISTER.replace(old, new))
    assert selected(docs, "SELECT * FROM MeetUp2025.SourceTable") == []


def test_table_that_is_gone(connection: Connection, docs: Cursor) -> None:
    """A registered table that was dropped is an error when it is read."""
    selected(docs, REGISTER)
    docs.execute("DROP TABLE App.Docs")

    with pytest.raises(ProgrammingError, match="does not exist"):
        read_items(connection, "Docs")


def test_registration_by_hand_is_looked_up(connection: Connection, docs: Cursor) -> None:
    """A row that somebody wrote by hand is looked up as well, so it cannot carry SQL."""
    docs.execute(
        "INSERT INTO MeetUp2025.SourceTable (Name, TableName, ItemColumn, NameColumn, VectorColumn) "
        "VALUES ('Bad', 'App.Docs', 'DocID', 'Title\" FROM App.Docs --', 'Features')"
    )

    with pytest.raises(ProgrammingError, match="columns of a source"):
        read_items(connection, "Bad")


def test_unknown_source(connection: Connection) -> None:
    """A source that nobody registered is an error that names those that are there."""
    with pytest.raises(DataError, match=r"Fish, FishImage, Both or one that is registered\. Got 'Birds'"):
        read_items(connection, "Birds")


@pytest.mark.parametrize("source", ["Fish", "FishImage", "Both"])
def test_empty_source(connection: Connection, source: str) -> None:
    """A source without vectors is an error."""
    with pytest.raises(DataError, match="must have vectors"):
        read_items(connection, source)


def test_two_models(connection: Connection, fish: Cursor) -> None:
    """Vectors of two models are refused, in one table and in both; those without a model go with any."""
    fish.execute("UPDATE MeetUp2025.Fish SET Model = 'one@1' WHERE FishID < 'F010'")
    assert read_items(connection, "Fish").model == "one@1"
    fish.execute("UPDATE MeetUp2025.FishImage SET Model = 'two@1'")

    with pytest.raises(ModelMismatchError, match="one@1, two@1"):
        read_items(connection, "Both")
    fish.execute("UPDATE MeetUp2025.Fish SET Model = 'three@1' WHERE FishID >= 'F010'")
    with pytest.raises(ModelMismatchError, match="one@1, three@1"):
        read_items(connection, "Fish")


def test_text_that_is_no_vector(connection: Connection, docs: Cursor) -> None:
    """A column of texts is no source, unless they are vectors; one that is not is named when it is read."""
    with pytest.raises(DataError, match=r"Title of App\.Docs must be a column of vectors"):
        selected(docs, "SELECT MeetUp2025.RegisterSource('Docs', 'App.Docs', 'DocID', 'Topic', 'Title')")

    docs.execute("UPDATE App.Docs SET Title = '1,2,3'")
    selected(docs, "SELECT MeetUp2025.RegisterSource('Docs', 'App.Docs', 'DocID', 'Topic', 'Title')")
    docs.execute("UPDATE App.Docs SET Title = 'two' WHERE DocID = 'b'")
    with pytest.raises(InvalidVectorError, match=r"Docs, b: "):
        read_items(connection, "Docs")


def test_vectors_as_an_array(connection: Connection, planted: Planted) -> None:
    """`read_vectors` gives the keys of a source, in order, and their vectors as one array of float32."""
    insert(connection, planted)
    keys, array, labels = meetup2025.read_vectors(connection, "fish")

    assert (keys, labels) == (sorted(planted.ids), [""] * len(planted.ids))
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, planted.vectors, atol=1e-7)
