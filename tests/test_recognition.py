"""Pictures are called by names and labelled photos together, in SQL; labels come one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import meetup2025
from meetup2025 import vectors
from meetup2025.errors import DataError, ModelMismatchError
from meetup2025.runs.recogniser import Photo, learn, recogniser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines import Connection, Cursor

pytestmark = pytest.mark.slow

NAMES = (
    ("F1", "マサバ", "chub mackerel", "Scomber japonicus", "Scombridae"),
    ("F2", "ゴマサバ", "blue mackerel", "Scomber australasicus", "Scombridae"),
    ("F3", "サワラ", "Spanish mackerel", "Scomberomorus niphonius", "Scombridae"),
    ("F4", "マダコ", "common octopus", "Octopus vulgaris", "Octopodidae"),
    ("F5", "ミズダコ", "giant octopus", "Enteroctopus dofleini", "Octopodidae"),
)
OWN = ("taiyaki.jpg", "mokugyo.png", "maaji.jpg", "kinmedai.gif", "torafugu.bmp")
KNOWN = ("マアジ", "キンメダイ", "トラフグ")
"""Sample pictures that get labels, and the names of the last three."""

STRANGER = "ルアー"
"""A label that is no name."""

INSERT_NAME = """
INSERT INTO MeetUp2025.Fish (FishID, Name, English, Scientific, Family, Features)
VALUES (?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
INSERT_PHOTO = "INSERT INTO MeetUp2025.FishImage (Name, Label, Features) VALUES (?, ?, TO_VECTOR(?, DOUBLE))"


@pytest.fixture
def connection_of_samples() -> Iterator[Connection]:
    """A database in memory with the bundled names and their model."""
    with meetup2025.connect("duckdb://", model="sketch") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        yield connection


def centres() -> dict[str, np.ndarray]:
    """Give where the photos of each label lie: the two of Scomber are alike, all others are not."""
    rng = np.random.default_rng(2025)
    found = {name: vectors.unit(rng.normal(size=512)) for name in (*(row[1] for row in NAMES), STRANGER)}
    found["ゴマサバ"] = vectors.unit(found["マサバ"] + 0.35 * found["ゴマサバ"])
    return found


def picture(label: str, seed: int, spread: float = 1.0) -> str:
    """Draw a picture of a label, as the text of its vector."""
    noise = np.random.default_rng([seed, *label.encode()]).normal(size=512) / 512**0.5
    return vectors.to_text(vectors.unit(centres()[label] + spread * noise))


def stranger(seed: int) -> str:
    """Draw a picture of nothing that is known."""
    return vectors.to_text(vectors.unit(np.random.default_rng(seed).normal(size=512)))


def fill(cursor: Cursor, photos: dict[str, int], names: dict[str, np.ndarray] | None = None) -> None:
    """Load the names, with vectors that say nothing unless some are given, and so many photos of each label."""
    blind = np.random.default_rng(1).normal(size=(len(NAMES), 512))
    for row, vector in zip(NAMES, blind, strict=True):
        features = names[row[1]] if names else vector
        cursor.execute(INSERT_NAME, [*row, vectors.to_text(vectors.unit(features))])
    for label, count in photos.items():
        for number in range(count):
            cursor.execute(INSERT_PHOTO, [f"{label} {number}", label, picture(label, 100 + number)])


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Open an empty database in memory."""
    with meetup2025.connect("duckdb://") as opened:
        yield opened


@pytest.fixture
def cursor(connection: Connection) -> Cursor:
    """Open a cursor of it."""
    return connection.cursor()


def records(cursor: Cursor, sql: str, *given: Any) -> list[dict[str, Any]]:
    """Run a statement, and give its rows by the names of their columns."""
    cursor.execute(sql, list(given))
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def fit(cursor: Cursor) -> dict[str, Any]:
    """Fit a recogniser, and give its metrics."""
    [run] = cursor.execute("SELECT MeetUp2025.FitRecogniser('FishImage')").fetchone() or ()
    return {row["Name"]: row["Value"] for row in records(cursor, "SELECT * FROM MeetUp2025.ReadMetrics(?)", run)}


def names_for(cursor: Cursor, vector: str, k: int = 5) -> list[dict[str, Any]]:
    """Name a picture."""
    return records(cursor, "SELECT * FROM MeetUp2025.NearestNames(?, ?)", vector, k)


def groups_for(cursor: Cursor, vector: str) -> list[dict[str, Any]]:
    """Say what a picture shows as narrowly as is sure."""
    return records(cursor, "SELECT * FROM MeetUp2025.NearestGroups(?)", vector)


def test_without_a_recogniser_the_names_answer_alone(cursor: Cursor) -> None:
    """The answer is that of NearestFish, and nothing is said of how sure it is."""
    fill(cursor, {"マダコ": 5})
    vector = picture("マダコ", 7)

    found = names_for(cursor, vector, 3)

    plain = records(cursor, "SELECT * FROM MeetUp2025.NearestFish(?, 3)", vector)
    assert [row["Name"] for row in found] == [row["Name"] for row in plain]
    assert [row["Score"] for row in found] == pytest.approx([row["Score"] for row in plain])
    assert {row["Sure"] for row in found} == {row["Probability"] for row in found} == {None}
    assert {row["By"] for row in found} == {"name"}


def test_labelled_photos_name_what_the_names_do_not(cursor: Cursor) -> None:
    """Where names say nothing the photos answer, surely, and tell which of them speaks most for it."""
    fill(cursor, {"マサバ": 12, "サワラ": 12, "マダコ": 12, STRANGER: 12})
    metrics = fit(cursor)

    first, second, *_ = names_for(cursor, picture("マダコ", 7))

    assert first["Name"] == "マダコ"
    assert (first["FishID"], first["By"], first["Photos"], first["Sure"]) == ("F4", "both", 12, 1)
    assert first["Probability"] > 0.9 > second["Probability"]
    assert first["Nearest"].startswith("マダコ ")
    assert second["Sure"] == 0
    assert metrics["accuracy"] == 1
    assert (metrics["labels"], metrics["photos"]) == (4, 48)


def test_a_label_that_is_no_name_is_an_answer(cursor: Cursor) -> None:
    """It has no FishID, and rests on photos."""
    fill(cursor, {"マサバ": 6, STRANGER: 6})
    fit(cursor)

    first = names_for(cursor, picture(STRANGER, 7))[0]

    assert (first["FishID"], first["Name"], first["By"]) == (None, STRANGER, "photos")


def test_a_name_without_photos_is_an_answer(cursor: Cursor) -> None:
    """Where the names are known to the model, one without any photo is found, and rests on its name."""
    fill(cursor, {"マサバ": 10, "サワラ": 10, "マダコ": 10}, centres())
    fit(cursor)

    first = names_for(cursor, picture("ミズダコ", 7))[0]

    assert (first["Name"], first["By"], first["Photos"], first["Nearest"]) == ("ミズダコ", "name", 0, None)


def test_labels_alone_are_read_in_from(cursor: Cursor) -> None:
    """NearestLabels gives the labels of photos with their likeness, and joins like any table."""
    fill(cursor, {"マサバ": 4, "マダコ": 11})
    fit(cursor)
    vector = picture("マダコ", 7)

    sql = """
        SELECT label.Label, label.Score, fish.English FROM MeetUp2025.NearestLabels(?, 9) label
        LEFT JOIN MeetUp2025.Fish fish ON fish.Name = label.Label ORDER BY label.Score DESC"""
    rows = records(cursor, sql, vector)

    known = recogniser_of(cursor.connection, 1)
    seen = known.damped([vectors.from_text(picture("マダコ", 100 + each)) for each in range(11)])
    asked = known.damped([vectors.from_text(vector)])[0]
    cosine = float(vectors.unit(seen.mean(axis=0)) @ vectors.unit(asked))
    assert [(row["Label"], row["English"]) for row in rows] == [
        ("マダコ", "common octopus"),
        ("マサバ", "chub mackerel"),
    ]
    assert rows[0]["Score"] == pytest.approx(cosine, abs=1e-6)


def test_a_group_is_named_where_the_species_is_not_sure(cursor: Cursor) -> None:
    """Two species that are alike leave their genus as the answer; its species share an English word."""
    fill(cursor, {"マサバ": 20, "ゴマサバ": 20, "マダコ": 20})
    fit(cursor)
    between = vectors.to_text(vectors.unit(centres()["マサバ"] + centres()["ゴマサバ"]))

    rows = groups_for(cursor, between)

    assert (rows[0]["Kind"], rows[0]["Name"], rows[0]["English"], rows[0]["Sure"]) == (
        "genus",
        "Scomber",
        "mackerel",
        1,
    )
    assert rows[0]["Probability"] > 0.95
    species = next(row for row in rows if row["Kind"] == "species")
    assert species["Sure"] == 0
    assert species["Probability"] < 0.9


def test_a_species_that_is_sure_is_the_answer(cursor: Cursor) -> None:
    """The narrowest answer that is sure comes first."""
    fill(cursor, {"マサバ": 12, "マダコ": 12})
    fit(cursor)

    rows = groups_for(cursor, picture("マダコ", 7))

    assert (rows[0]["Kind"], rows[0]["Name"], rows[0]["Sure"]) == ("species", "マダコ", 1)
    assert [row["Kind"] for row in rows] == ["species", "genus", "family", "none"]


def test_none_of_these_is_an_answer(cursor: Cursor) -> None:
    """A picture that is like no label is none of these; the names that it is given are not sure."""
    fill(cursor, {"マサバ": 12, "マダコ": 12})
    fit(cursor)

    assert (groups_for(cursor, stranger(9))[0]["Kind"], names_for(cursor, stranger(9))[0]["Sure"]) == ("none", 0)


def test_marked_photos_are_none_of_the_labels(cursor: Cursor) -> None:
    """Photos that the set none of Mark marks as odd are measured against the others, and are no label."""
    fill(cursor, {"マサバ": 12, "マダコ": 12})
    for number in range(10):
        cursor.execute(INSERT_PHOTO, [f"odd {number}", "マダコ" if number == 0 else None, stranger(number)])
        mark = "INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd) VALUES ('none', 'FishImage', ?, 1)"
        cursor.execute(mark, [f"odd {number}"])

    metrics = fit(cursor)

    assert (metrics["auc"], metrics["negatives"], metrics["photos"]) == (1, 10, 24)


def test_few_photos_give_an_order_and_no_probability(cursor: Cursor) -> None:
    """Below three photos a label there is a first answer, and nothing is said of how sure it is."""
    fill(cursor, {"マサバ": 1, "マダコ": 1})
    metrics = fit(cursor)

    first = names_for(cursor, picture("マダコ", 7))[0]

    assert (first["Name"], first["Probability"], first["Sure"]) == ("マダコ", None, None)
    assert (metrics["accuracy"], metrics["sharpness"]) == (None, None)
    assert groups_for(cursor, picture("マダコ", 7))[0]["Kind"] == "species"


def added(cursor: Cursor, name: str, label: str, image: str = "samples/saba.png") -> int:
    """Teach a picture of the package."""
    return int((cursor.execute("SELECT MeetUp2025.AddImage(?, ?, ?)", [name, image, label]).fetchone() or (0,))[0])


def known(cursor: Cursor) -> dict[str, int]:
    """Give the labels of the newest recogniser, with the number of their photos."""
    [run] = cursor.execute("SELECT MAX(%ID) FROM MeetUp2025.Analysis WHERE Kind = 'Recogniser'").fetchone() or ()
    rows = cursor.execute("SELECT Label, Photos FROM MeetUp2025.ReadPrototypes(?)", [run]).fetchall()
    return {str(label): int(count) for label, count in rows}


@pytest.fixture
def taught(cursor: Cursor) -> Cursor:
    """Give a database of the catalogue with a photo, which a recogniser has learnt from."""
    cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')").fetchall()
    added(cursor, "first", "タイヤキ", "samples/taiyaki.jpg")
    return cursor


@pytest.mark.parametrize("labels", [1, 2, 5])
def test_a_few_words_of_ones_own_leave_the_names(labels: int, connection_of_samples: Connection) -> None:
    """Labels that are no names, with one photo each, take over only the pictures that are like theirs."""
    with connection_of_samples.cursor() as cursor:
        for number, sample in enumerate(OWN[:labels]):
            given = [f"own{number}", f"samples/{sample}", f"word{number}"]
            cursor.execute("SELECT MeetUp2025.AddImage(?, ?, ?)", given)
        cursor.execute("SELECT MeetUp2025.FitRecogniser()").fetchall()
        named = {
            sample: cursor.execute("CALL MeetUp2025.Identify(?, 1)", [f"samples/{sample}"]).fetchone()[1]
            for sample in ("saba.png", "madako.png", "maiwashi.webp", OWN[0])
        }

    assert named == {"saba.png": "マサバ", "madako.png": "マダコ", "maiwashi.webp": "マイワシ", OWN[0]: "word0"}


def test_a_name_that_is_known_comes_before_photos_of_others(connection_of_samples: Connection) -> None:
    """Where labels have one photo each and are names, a right name without photos stays first."""
    with connection_of_samples.cursor() as cursor:
        for number, sample in enumerate(OWN[2:]):
            cursor.execute("SELECT MeetUp2025.AddImage(?, ?, ?)", [f"o{number}", f"samples/{sample}", KNOWN[number]])
        cursor.execute("SELECT MeetUp2025.FitRecogniser()").fetchall()
        first = cursor.execute("CALL MeetUp2025.Identify('samples/saba.png', 1)").fetchone()

    assert first[1] == "マサバ"


def test_the_first_label_makes_a_recogniser(taught: Cursor) -> None:
    """A picture that is taught is called by its label from then on, though that is no name."""
    first = records(taught, "CALL MeetUp2025.Identify('samples/taiyaki.jpg', 2)")[0]

    assert known(taught) == {"タイヤキ": 1}
    assert (first["Name"], first["By"], first["Nearest"]) == ("タイヤキ", "photos", "first")


def test_a_label_makes_the_recogniser_grow(taught: Cursor) -> None:
    """A prototype is the mean of its photos at once, without a new run."""
    added(taught, "second", "タイヤキ", "samples/mokugyo.png")

    runs = records(taught, "SELECT Run FROM MeetUp2025.Runs('Recogniser')")
    texts = [row[0] for row in taught.execute("SELECT Features FROM MeetUp2025.FishImage").fetchall()]
    [mean] = taught.execute("SELECT Features FROM MeetUp2025.Prototype").fetchone() or ()
    assert len(runs) == 1
    assert known(taught) == {"タイヤキ": 2}
    assert vectors.from_text(mean) == pytest.approx(
        np.mean([vectors.from_text(each) for each in texts], axis=0), abs=1e-6
    )


def test_a_photo_taught_twice_has_its_last_label(taught: Cursor) -> None:
    """The old label loses the photo; one without any photo is gone."""
    assert added(taught, "first", "サバ", "samples/taiyaki.jpg") == 1

    assert known(taught) == {"マサバ": 1}
    assert records(taught, "CALL MeetUp2025.Identify('samples/taiyaki.jpg', 1)")[0]["Name"] == "マサバ"


def test_teaching_the_same_again_changes_nothing(taught: Cursor) -> None:
    """The same picture with the same label is no second photo."""
    assert added(taught, "first", "タイヤキ", "samples/taiyaki.jpg") == 0

    assert known(taught) == {"タイヤキ": 1}


def test_much_that_is_new_is_fitted_anew(cursor: Cursor) -> None:
    """When ten photos and half as many as before have come, the recogniser is made anew, in place of the grown one."""
    fill(cursor, {"マサバ": 3})
    cursor.execute("UPDATE MeetUp2025.FishImage SET Model = NULL")
    fit(cursor)
    connection = cursor.connection
    for number in range(20):
        text = picture("マダコ", number)
        cursor.execute(INSERT_PHOTO, [f"new {number}", "マダコ", text])
        learn(connection, None, Photo("マダコ", text))

    rows = records(cursor, "SELECT Run, Parameters FROM MeetUp2025.Runs('Recogniser')")
    assert known(cursor) == {"マサバ": 3, "マダコ": 20}
    assert ["grown" in row["Parameters"] for row in rows] == [True, False]


def test_a_grown_recogniser_is_no_longer_what_was_fitted(taught: Cursor) -> None:
    """Its source has changed, and a new fit to the source is a new run."""
    added(taught, "second", "マアジ", "samples/maaji.jpg")
    [run] = taught.execute("SELECT MAX(%ID) FROM MeetUp2025.Analysis").fetchone() or ()

    assert taught.execute("SELECT MeetUp2025.SourceChanged(?)", [run]).fetchone() == (1,)
    assert taught.execute("SELECT MeetUp2025.FitRecogniser('FishImage')").fetchone() != (run,)


def test_a_deleted_recogniser_leaves_the_names(taught: Cursor) -> None:
    """Its prototypes go with it."""
    taught.execute("SELECT MeetUp2025.DeleteRun(1)").fetchall()

    assert taught.execute("SELECT COUNT(*) FROM MeetUp2025.Prototype").fetchone() == (0,)
    assert records(taught, "CALL MeetUp2025.Identify('samples/taiyaki.jpg', 1)")[0]["By"] == "name"


def test_teaching_that_fails_leaves_nothing(taught: Cursor) -> None:
    """When the recogniser cannot grow, the photo is not added either."""
    taught.connection.commit()
    taught.execute("UPDATE MeetUp2025.Prototype SET Features = TO_VECTOR(?, DOUBLE)", [stranger(1)])
    taught.connection.commit()
    taught.execute("DELETE FROM MeetUp2025.Metric")
    taught.connection.commit()

    with pytest.raises(meetup2025.Error):
        added(taught, "second", "マアジ", "samples/maaji.jpg")
    taught.connection.rollback()

    assert taught.execute("SELECT COUNT(*) FROM MeetUp2025.FishImage").fetchone() == (1,)


@pytest.mark.parametrize(
    ("sql", "given", "told"),
    [
        ("SELECT MeetUp2025.FitRecogniser('FishImage')", [], "must have labelled items"),
        ("SELECT MeetUp2025.FitRecogniser('FishImage', 2)", [], "precision"),
        ("SELECT * FROM MeetUp2025.NearestLabels(?, 3)", [stranger(1)], "FitRecogniser"),
        ("SELECT MeetUp2025.Recognise(?, 3, 'names')", [stranger(1)], "both, photos, groups"),
        ("SELECT MeetUp2025.Recognise(?, 0)", [stranger(1)], "k must be"),
    ],
)
def test_bad_input_is_told(cursor: Cursor, sql: str, given: Sequence[Any], told: str) -> None:
    """Without labels, without a recogniser, and with arguments out of range there is one clear error."""
    fill(cursor, {})
    cursor.execute(INSERT_PHOTO, ["one", "マダコ" if sql.endswith("2)") else None, stranger(5)])

    with pytest.raises(DataError, match=told):
        cursor.execute(sql, list(given)).fetchall()


def test_names_of_another_model_are_refused(cursor: Cursor) -> None:
    """Photos and names must be of one model to be learnt together."""
    fill(cursor, {"マダコ": 3})
    cursor.execute("UPDATE MeetUp2025.FishImage SET Model = 'a@1'")
    cursor.execute("UPDATE MeetUp2025.Fish SET Model = 'b@1'")

    with pytest.raises(ModelMismatchError):
        cursor.execute("SELECT MeetUp2025.FitRecogniser('FishImage')").fetchall()


def test_a_recogniser_of_another_model_has_no_say(cursor: Cursor) -> None:
    """When the photos have vectors of another model than the recogniser, the names answer alone."""
    fill(cursor, {"マダコ": 5})
    cursor.execute("UPDATE MeetUp2025.FishImage SET Model = 'a@1'")
    cursor.execute("UPDATE MeetUp2025.Fish SET Model = 'a@1'")
    fit(cursor)
    assert names_for(cursor, picture("マダコ", 7))[0]["Sure"] is not None

    cursor.execute("UPDATE MeetUp2025.FishImage SET Model = 'b@1'")

    assert names_for(cursor, picture("マダコ", 7))[0]["Sure"] is None
