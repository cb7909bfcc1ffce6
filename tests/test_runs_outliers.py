"""What does not belong, in SQL: planted strangers come first, and people's marks tell how good that is."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from asked import metrics, number, selected
from photo_rows import SAMPLES
from PIL import Image
from planted import EXEMPLARS, INSERT_IMAGE, STRANGERS, Planted, unit
from sklearn.metrics import roc_auc_score

from meetup2025.errors import BrokenModelError, DataError, ModelMismatchError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.engines import Cursor

DETECTORS = ("Neighbours", "KMeansDistance", "IsolationForest", "Reconstruction")
MARK = """
INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd)
SELECT 'mine', 'Fish', FishID, CASE WHEN Name IN ({}) THEN 1 ELSE 0 END FROM MeetUp2025.Fish"""

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]


@pytest.fixture
def marked(fish: Cursor) -> Cursor:
    """Open cursor; the strangers of the planted catalogue are marked as odd, all others as normal."""
    fish.execute(MARK.format(", ".join("?" * len(STRANGERS))), list(STRANGERS))
    return fish


# --- detectors ------------------------------------------------------------------------------------------------------


def test_strangers_come_first(fish: Cursor) -> None:
    """The seven planted strangers are the seven oddest names, in their order, and flagged by their share."""
    rows = selected(fish, "CALL MeetUp2025.Outliers('Fish', 'Neighbours', 0.22)")

    assert {row[3] for row in rows[:7]} == set(STRANGERS)
    assert [row[0] for row in rows] == [*range(1, 21)]
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), reverse=True)
    assert [row[5] for row in rows] == [1] * 7 + [0] * 13


@pytest.mark.parametrize("method", DETECTORS)
def test_each_detector_ranks_all(fish: Cursor, planted: Planted, method: str) -> None:
    """Each detector, in any case, scores each item once, and better than chance."""
    run = number(fish, "SELECT MeetUp2025.FitOutliers('Fish', ?, 0.1)", method.upper())

    rows = selected(fish, "SELECT Name, Score FROM MeetUp2025.ReadOutliers(?, 1000)", run)

    assert sorted(row[0] for row in rows) == sorted(planted.names)
    assert roc_auc_score([name in STRANGERS for name, _ in rows], [score for _, score in rows]) > 0.7


def test_exemplars(fish: Cursor, planted: Planted) -> None:
    """By exemplars, by key or name, the score is the distance to the most similar one: the SQL of the workshop."""
    names = f"{EXEMPLARS[0]}, {planted.ids[planted.names.index(EXEMPLARS[1])].lower()},{EXEMPLARS[2]}"
    run = number(fish, "SELECT MeetUp2025.FitOutliers('Fish', 'ByExemplar', 0.1, '', ?)", names)

    found = selected(fish, "SELECT Name, 1 - Score FROM MeetUp2025.ReadOutliers(?, 5)", run)

    expected = planted.anomalies(2, 5)
    assert [row[0] for row in found] == [name for name, _ in expected]
    assert [row[1] for row in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_same_as_the_sql_of_the_workshop(fish: Cursor) -> None:
    """ByExemplar and AnomaliesByExemplar find the same."""
    run = number(fish, "SELECT MeetUp2025.FitOutliers('Fish', 'ByExemplar', 0.1, '', ?)", ",".join(EXEMPLARS))

    found = selected(fish, "SELECT Name FROM MeetUp2025.ReadOutliers(?, 5)", run)

    assert found == selected(fish, "SELECT Name FROM MeetUp2025.AnomaliesByExemplar(?, 0.6, 5)", ",".join(EXEMPLARS))


def test_another_source_is_normal(fish: Cursor, planted: Planted) -> None:
    """Photos are compared with names: one that is like none of them comes first."""
    stranger = unit(np.random.default_rng(7).normal(size=512))
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    fish.executemany(INSERT_IMAGE, [("known.jpg", planted.vectors[0]), ("strange.jpg", stranger)])

    run = number(fish, "SELECT MeetUp2025.FitOutliers('FishImage', 'Neighbours', 0.5, 'Fish')")

    assert selected(fish, "SELECT Name, Odd FROM MeetUp2025.ReadOutliers(?)", run) == [
        ("strange.jpg", 1),
        ("known.jpg", 0),
    ]


@pytest.mark.parametrize("method", DETECTORS)
def test_detector_is_applied(fish: Cursor, method: str) -> None:
    """A stored detector scores its own source again as it did, and another one by the same threshold."""
    run = number(fish, "SELECT MeetUp2025.FitOutliers('Fish', ?, 0.2)", method)
    before = selected(fish, "SELECT Name, Score FROM MeetUp2025.ReadOutliers(?, 100)", run)

    again = number(fish, "SELECT MeetUp2025.FitScores(?, 'Fish')", run)
    photos = selected(fish, "CALL MeetUp2025.ScoreOutliers(?, 'FishImage', 100)", again)

    after = selected(fish, "SELECT Name, Score FROM MeetUp2025.ReadOutliers(?, 100)", again)
    assert dict(after) == pytest.approx(dict(before))
    threshold = metrics(fish, run)["threshold"]
    assert [row[5] for row in photos] == [int(row[4] > threshold) for row in photos]
    assert len(photos) == len(before)


def test_stored_detector_that_was_changed(fish: Cursor) -> None:
    """A stored detector that somebody changed is refused."""
    run = number(fish, "SELECT MeetUp2025.FitOutliers('Fish')")
    fish.execute("UPDATE MeetUp2025.FittedModel SET Content = 'QUJD' WHERE Run = ?", [run])

    with pytest.raises(BrokenModelError, match="as it was written"):
        selected(fish, "CALL MeetUp2025.ScoreOutliers(?, 'FishImage')", run)


def test_two_models(fish: Cursor) -> None:
    """Photos of one model are not compared with names of another."""
    fish.execute("UPDATE MeetUp2025.Fish SET Model = 'one@1'")
    fish.execute("UPDATE MeetUp2025.FishImage SET Model = 'two@1'")

    with pytest.raises(ModelMismatchError, match="FishImage and Fish"):
        selected(fish, "SELECT MeetUp2025.FitOutliers('FishImage', 'Neighbours', 0.1, 'Fish')")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (("Nothing",), DataError, "A detector must be Neighbours"),
        (("Neighbours", 0), DataError, "above 0 and at most 0.5. Got 0"),
        (("Neighbours", 0.7), DataError, "above 0 and at most 0.5. Got 0.7"),
        (("ByExemplar", 0.1), DataError, "Exemplars must be given for ByExemplar"),
        (("Neighbours", 0.1, "", "マアジ"), DataError, "and for no other detector. Got 1 for Neighbours"),
        (("ByExemplar", 0.1, "", "マアジ,nobody"), UnknownNameError, "keys or names of Fish. Got 'nobody'"),
        (("Neighbours", 0.1, "Birds"), DataError, "A source must be"),
    ],
)
def test_bad_arguments(fish: Cursor, given: tuple[object, ...], error: type[Exception], message: str) -> None:
    """Each wrong argument is one clear error, and leaves no run."""
    marks = ", ".join("?" * len(given))
    with pytest.raises(error, match=message):
        selected(fish, f"SELECT MeetUp2025.FitOutliers('Fish', {marks})", *given)
    assert selected(fish, "SELECT * FROM MeetUp2025.Runs()") == []


def test_too_few_vectors(cursor: Cursor, planted: Planted) -> None:
    """One vector has no neighbours to be odd among."""
    cursor.execute(INSERT_IMAGE, ["a.jpg", planted.vectors[0]])

    with pytest.raises(DataError, match="at least 2 vectors"):
        selected(cursor, "CALL MeetUp2025.Outliers('FishImage')")


# --- marks ----------------------------------------------------------------------------------------------------------


def test_threshold_that_marks_choose(marked: Cursor) -> None:
    """The threshold from validation items parts the strangers from all others; scores stay as they were."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish', 'Neighbours', 0.5)")

    chosen = number(marked, "SELECT MeetUp2025.ChooseThreshold(?, 'mine')", run)

    rows = selected(marked, "SELECT Name, Odd FROM MeetUp2025.ReadOutliers(?, 100)", chosen)
    assert {name for name, odd in rows if odd} == set(STRANGERS)
    scores = "SELECT Item, Score FROM MeetUp2025.ReadOutliers(?, 100)"
    assert selected(marked, scores, chosen) == selected(marked, scores, run)


def test_evaluation_of_a_perfect_detector(marked: Cursor) -> None:
    """A detector that parts the strangers from all others has perfect measures on the test half."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish', 'Neighbours', 0.5)")
    run = number(marked, "SELECT MeetUp2025.ChooseThreshold(?, 'mine')", run)

    rows = {row[1]: row[2:] for row in selected(marked, "CALL MeetUp2025.Evaluate(?, 'mine')", run)}

    assert [rows[name][0] for name in ("f1", "precision", "recall", "roc_auc", "pr_auc")] == [1] * 5
    assert rows["roc_auc"][1:] == (1, 1)
    assert [rows[f"{name}s"][0] for name in ("false_positive", "false_negative")] == [0, 0]
    assert rows["true_positives"][0] + rows["true_negatives"][0] == 15  # half of 24 and half of 7, rounded


def test_evaluation_is_of_the_test_items(marked: Cursor) -> None:
    """Items marked for validation have no say in the measures, however wrong they are."""
    marked.execute("UPDATE MeetUp2025.Mark SET Part = 'test'")
    marked.execute("UPDATE MeetUp2025.Mark SET Part = 'Validation', Odd = 1 - Odd WHERE Item < 'F008'")
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish')")

    rows = {row[1]: row[2] for row in selected(marked, "CALL MeetUp2025.Evaluate(?, 'mine')", run)}

    assert rows["roc_auc"] == 1
    counts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert sum(rows[name] for name in counts) == 31 - 8


def test_curves(marked: Cursor) -> None:
    """The curves of an evaluation begin and end where such curves do."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish', 'IsolationForest')")
    run = number(marked, "SELECT MeetUp2025.FitEvaluation(?, 'mine')", run)

    rows = selected(marked, "SELECT Curve, X, Y FROM MeetUp2025.ReadCurves(?)", run)

    roc, pr = ([row[1:] for row in rows if row[0] == curve] for curve in ("ROC", "PR"))
    assert (roc[0], roc[-1]) == ((0, 0), (1, 1))
    assert (pr[0][0], pr[-1]) == (1, (0, 1))


def test_comparison(marked: Cursor) -> None:
    """Every detector is compared on the same items, the best first, with intervals around its area."""
    rows = selected(marked, "CALL MeetUp2025.CompareDetectors('Fish', 'mine')")

    assert {row[0] for row in rows} == {*DETECTORS, "ByExemplar"}
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
    assert all(row[3] <= row[2] <= row[4] for row in rows)
    assert {row[0]: row[2] for row in rows}["Neighbours"] == 1


def test_marks_of_other_tables_have_no_say(marked: Cursor) -> None:
    """A set may hold marks of several tables; those of the items in question count."""
    marked.execute("INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd) VALUES ('mine', 'FishImage', 'abc.jpg', 1)")

    assert len(selected(marked, "CALL MeetUp2025.CompareDetectors('Fish', 'mine')")) == len(DETECTORS) + 1


def test_changed_marks_are_a_new_evaluation(marked: Cursor) -> None:
    """The same marks give the same run, others a new one."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish')")
    first = number(marked, "SELECT MeetUp2025.FitEvaluation(?, 'mine')", run)

    assert number(marked, "SELECT MeetUp2025.FitEvaluation(?, 'mine')", run) == first
    marked.execute("UPDATE MeetUp2025.Mark SET Odd = 0 WHERE Item = (SELECT MAX(Item) FROM MeetUp2025.Mark)")
    assert number(marked, "SELECT MeetUp2025.FitEvaluation(?, 'mine')", run) != first


BAD_MARKS: list[tuple[str, str]] = [
    ("DELETE FROM MeetUp2025.Mark", "'mine', which has no rows for FISH"),
    ("UPDATE MeetUp2025.Mark SET Odd = 0", "odd"),
    ("UPDATE MeetUp2025.Mark SET Part = 'train' WHERE Item = 'F001'", "validation or test, or empty. Got 'train'"),
    ("UPDATE MeetUp2025.Mark SET Item = 'X' WHERE Item = 'F001'", "1 that are not, as FISH X"),
]


@pytest.mark.parametrize("change", BAD_MARKS, ids=lambda change: change[1])
@pytest.mark.parametrize(
    "ask",
    [
        lambda cursor, run: selected(cursor, "SELECT MeetUp2025.ChooseThreshold(?, 'mine')", run),
        lambda cursor, run: selected(cursor, "CALL MeetUp2025.Evaluate(?, 'mine')", run),
        lambda cursor, _: selected(cursor, "CALL MeetUp2025.CompareDetectors('Fish', 'mine')"),
    ],
    ids=["threshold", "evaluate", "compare"],
)
def test_bad_marks(marked: Cursor, change: tuple[str, str], ask: Callable[[Cursor, int], object]) -> None:
    """Marks of one kind, of no item, for no part, or none at all are one clear error each."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish')")
    statement, message = change
    marked.execute(statement)

    with pytest.raises(DataError, match=message):
        ask(marked, run)


def test_source_that_changed(marked: Cursor) -> None:
    """A run whose source has changed is not judged."""
    run = number(marked, "SELECT MeetUp2025.FitOutliers('Fish')")
    marked.execute("UPDATE MeetUp2025.Fish SET Name = 'サバ' WHERE FishID = 'F001'")

    with pytest.raises(DataError, match=f"as it was when run {run} was made"):
        selected(marked, "CALL MeetUp2025.Evaluate(?, 'mine')", run)


def test_run_of_another_kind(marked: Cursor) -> None:
    """A run of Clusters is not judged as one of Outliers."""
    run = number(marked, "SELECT MeetUp2025.FitClusters('Fish', 3)")

    with pytest.raises(DataError, match=f"Run {run} must be of the kind Outliers. Got Clusters"):
        selected(marked, "SELECT MeetUp2025.ChooseThreshold(?, 'mine')", run)


# --- labels and copies ----------------------------------------------------------------------------------------------


def test_wrong_label(fish: Cursor, planted: Planted) -> None:
    """A photo with the label of another fish is suspected, and the right one suggested."""
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    noise = np.random.default_rng(3).normal(size=(60, 512)) * 0.01
    for place, more in enumerate(noise):
        name = EXEMPLARS[place % 3]
        label = "マダコ" if place == 0 else name
        fish.execute(INSERT_IMAGE, [f"{place}.jpg", unit(planted.vector(name) + more)])
        fish.execute("UPDATE MeetUp2025.FishImage SET Label = ? WHERE Name = ?", [label, f"{place}.jpg"])

    rows = selected(fish, "CALL MeetUp2025.SuspectLabels('FishImage')")

    assert [(row[1], row[3], row[4]) for row in rows] == [("0.jpg", "マダコ", "マアジ")]
    [(score, own, best)] = [row[5:8] for row in rows]
    assert own < 0.02 < best
    assert score == pytest.approx(best - own)


def test_names_without_photos(fish: Cursor) -> None:
    """Names that are no photo's label are listed by their key."""
    fish.execute("UPDATE MeetUp2025.FishImage SET Label = 'マアジ' WHERE Name = 'abc.jpg'")

    rows = selected(fish, "SELECT FishID, Name FROM MeetUp2025.NamesWithoutPhotos()")

    assert len(rows) == 30
    assert "マアジ" not in {row[1] for row in rows}
    assert rows == sorted(rows)


def test_photos_unlike_names(fish: Cursor, planted: Planted) -> None:
    """A photo that is like no name comes first, with its nearest cosine; one of a name is not below the threshold."""
    stranger = unit(np.random.default_rng(9).normal(size=512))
    fish.execute(INSERT_IMAGE, ["strange.jpg", stranger])

    rows = selected(fish, "SELECT Name, Label, Score FROM MeetUp2025.PhotosUnlikeNames(0.9)")

    assert [row[:2] for row in rows] == [("strange.jpg", None)]
    assert rows[0][2] == pytest.approx((planted.vectors @ stranger).max())


def test_too_few_labels(fish: Cursor) -> None:
    """Without labels there is nothing to suspect, and it is said."""
    with pytest.raises(DataError, match="labelled photos"):
        selected(fish, "CALL MeetUp2025.SuspectLabels('FishImage')")


def test_copies(fish: Cursor, planted: Planted) -> None:
    """A photo and its copy are one pair, the most similar first; the threshold leaves out what is less alike."""
    near = unit(planted.vectors[1] + np.random.default_rng(2).normal(size=512) * 0.005)
    fish.executemany(INSERT_IMAGE, [("copy.jpg", planted.vectors[0] * 3), ("near.jpg", near)])

    rows = selected(fish, "CALL MeetUp2025.Duplicates('FishImage', 0.98)")

    assert [{row[1], row[4]} for row in rows] == [{"copy.jpg", "マアジ.jpg"}, {"near.jpg", "マイワシ.jpg"}]
    assert rows[0][6] == pytest.approx(1)
    assert len(selected(fish, "CALL MeetUp2025.Duplicates('FishImage', 0.9999)")) == 1


def test_a_copy_that_looks_the_same(fish: Cursor) -> None:
    """A photo that was made half as large and saved anew is a pair by its look, whatever the cosine is."""
    picture = Image.open(SAMPLES / "saba.png").convert("RGB")
    stream = BytesIO()
    picture.resize((picture.width // 2, picture.height // 2)).save(stream, "JPEG", quality=60)
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    fish.execute("DELETE FROM MeetUp2025.Fish")
    for name, data in (("first", (SAMPLES / "saba.png").read_bytes()), ("copy", stream.getvalue())):
        sent = base64.b64encode(data).decode()
        fish.execute("SELECT MeetUp2025.AddImage(?, ?, '')", [name, sent]).fetchall()
    fish.execute("SELECT MeetUp2025.AddImage('other', 'samples/madako.png', '')").fetchall()

    rows = selected(fish, "CALL MeetUp2025.Duplicates('FishImage', 1)")

    assert [(row[1], row[4], row[7] <= 6) for row in rows] == [("copy", "first", True)]


def test_looks_of_older_thumbnails_are_made(fish: Cursor) -> None:
    """A thumbnail without a hash is hashed when copies are looked for."""
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    fish.execute("DELETE FROM MeetUp2025.Fish")
    for name in ("first", "copy"):
        fish.execute("SELECT MeetUp2025.AddImage(?, 'samples/saba.png', '')", [name]).fetchall()
    fish.execute("UPDATE MeetUp2025.Thumbnail SET Look = NULL")

    assert [row[7] for row in selected(fish, "CALL MeetUp2025.Duplicates('FishImage')")] == [0]


@pytest.mark.parametrize("threshold", [-1, 1.1])
def test_impossible_threshold(fish: Cursor, threshold: float) -> None:
    """A threshold that no pair, or each, would reach is an error."""
    with pytest.raises(DataError, match="above 0 and at most 1"):
        selected(fish, "CALL MeetUp2025.Duplicates('FishImage', ?)", threshold)
