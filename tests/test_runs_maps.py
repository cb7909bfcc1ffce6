"""Maps in SQL: what is alike lies near, a place leads back to items and vectors, and two runs can be compared."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from asked import metrics, number, selected
from planted import CLUSTERS, EXEMPLARS, INSERT_FISH, INSERT_IMAGE, Planted, unit

from meetup2025 import vectors
from meetup2025.errors import DataError, InvalidVectorError, ModelMismatchError, NotSupportedError

if TYPE_CHECKING:
    from meetup2025.engines import Cursor

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

MEMBERS = {name: number for number, names in enumerate(CLUSTERS) for name in names}


def places(cursor: Cursor, run: int) -> dict[object, np.ndarray]:
    """Give the place of each name on a map."""
    rows = selected(cursor, "SELECT Name, X, Y, Z FROM MeetUp2025.ReadMap(?)", run)
    return {row[0]: np.array([value for value in row[1:] if value is not None], float) for row in rows}


@pytest.fixture
def laid(fish: Cursor) -> tuple[Cursor, int]:
    """Open cursor, and a map of the planted names in two dimensions."""
    return fish, number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 5)")


# --- a map ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [2, 3])
def test_clusters_stay_together(fish: Cursor, planted: Planted, dimensions: int) -> None:
    """The nearest on the map of a member of a planted cluster is of that cluster; Z is empty in two dimensions."""
    rows = selected(fish, "CALL MeetUp2025.Map('Fish', ?, 5)", dimensions)

    assert sorted(row[2] for row in rows) == sorted(planted.names)
    assert all((row[6] is None) == (dimensions == 2) for row in rows)
    found = {row[2]: np.array(row[4 : 4 + dimensions], float) for row in rows if row[2] in MEMBERS}
    for name, place in found.items():
        nearest = min((other for other in found if other != name), key=lambda each: np.linalg.norm(found[each] - place))
        assert MEMBERS[nearest] == MEMBERS[name]


def test_map_is_measured(laid: tuple[Cursor, int]) -> None:
    """A map of planted clusters is faithful, by each of three measures."""
    found = metrics(*laid)

    assert [*found] == ["trustworthiness", "continuity", "overlap"]
    assert all(0.5 < value <= 1 for value in found.values())


def test_metric(fish: Cursor) -> None:
    """A map is by the cosine, or by the Euclidean distance, which its placements and its way back keep."""
    run = number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 5, 0.2, 5, 0, 0, 'Euclidean')")

    placed = number(fish, "SELECT MeetUp2025.FitPlacement(?, 'Fish')", run)
    [(name, x, y), *_] = selected(fish, "SELECT Name, X, Y FROM MeetUp2025.ReadMap(?)", run)
    [(vector,)] = selected(fish, "SELECT MeetUp2025.VectorAt(?, ?, ?)", run, x, y)
    [(features,)] = selected(fish, "SELECT Features FROM MeetUp2025.Fish WHERE Name = ?", name)

    [(parameters,)] = selected(fish, "SELECT Parameters FROM MeetUp2025.Runs() WHERE Run = ?", run)
    assert '"metric": "euclidean"' in parameters
    assert len(places(fish, placed)) == len(places(fish, run))
    assert vectors.from_text(vector) == pytest.approx(vectors.from_text(features), abs=1e-3)


def test_map_of_both_measures_the_gap(fish: Cursor, planted: Planted) -> None:
    """Photos that are moved away from their names have a gap, which a map without gap takes away."""
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    away = unit(np.random.default_rng(1).normal(size=512))
    moved = [(f"{name}.jpg", unit(vector + away)) for name, vector in zip(planted.names, planted.vectors, strict=True)]
    fish.executemany(INSERT_IMAGE, moved)

    found = metrics(fish, number(fish, "SELECT MeetUp2025.FitMap('Both', 2, 0, -1, 5, 0, 1)"))

    assert found["gap_separability"] == pytest.approx(1, abs=0.01)
    assert found["gap_separability_without"] < 0.7
    assert found["gap_distance_without"] < found["gap_distance"] / 3


def test_defaults_of_the_workshop(fish: Cursor) -> None:
    """The parameters are those of the workshop, which has others for names and photos together."""
    for source, given in (("Fish", '"neighbours": 15, "mindist": 0.2'), ("Both", '"neighbours": 30, "mindist": 0.3')):
        run = number(fish, "SELECT MeetUp2025.FitMap(?)", source)
        [(parameters,)] = selected(fish, "SELECT Parameters FROM MeetUp2025.Runs() WHERE Run = ?", run)
        assert given in parameters
        assert '"dimensions": 3' in parameters


def test_labels_pull_together(fish: Cursor, planted: Planted) -> None:
    """On a supervised map, items of one label lie nearer than without, though their vectors are anywhere."""
    fish.execute("DELETE FROM MeetUp2025.Fish")
    rows = np.random.default_rng(4).normal(size=(60, 512))
    fish.executemany(INSERT_FISH, [(f"F{at:03}", f"fish {at}", unit(row)) for at, row in enumerate(rows)])
    fish.execute("UPDATE MeetUp2025.Fish SET Family = CASE WHEN FishID < 'F030' THEN 'one' ELSE 'other' END")

    apart = []
    for supervised in (0, 1):
        run = number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 10, 0.2, 5, ?)", supervised)
        found = np.array([place for _, place in sorted(places(fish, run).items(), key=lambda item: int(item[0][5:]))])
        middles = found[:30].mean(axis=0), found[30:].mean(axis=0)
        apart.append(np.linalg.norm(middles[0] - middles[1]) / found.std())

    assert planted.names
    assert apart[1] > 2 * apart[0]


def test_same_map_again(laid: tuple[Cursor, int]) -> None:
    """A map that was deleted comes out the same, to the last digit; another seed gives another one."""
    fish, run = laid
    before = places(fish, run)
    selected(fish, "SELECT MeetUp2025.DeleteRun(?)", run)

    again = places(fish, number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 5)"))
    other = places(fish, number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 5, 0.2, 6)"))

    assert all((again[name] == before[name]).all() for name in before)
    assert any((other[name] != before[name]).any() for name in before)


@pytest.mark.parametrize("count", [2, 3])
def test_few_items(cursor: Cursor, planted: Planted, count: int) -> None:
    """Two photos, and three, have a map."""
    cursor.executemany(INSERT_IMAGE, [(f"{place}.jpg", planted.vectors[place]) for place in range(count)])

    assert len(selected(cursor, "CALL MeetUp2025.Map('FishImage', 2)")) == count


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("Fish", 1), "2 or 3 dimensions. Got 1"),
        (("Fish", 4), "2 or 3 dimensions. Got 4"),
        (("Fish", 3, 1), "at least 2 members. Got 1"),
        (("Fish", 3, 15, 1.5), "from 0 to 1. Got 1.5"),
        (("Fish", 3, 15, 0.2, -1), "seed must be"),
        (("Fish", 3, 15, 0.2, 5, 2), "supervised must be 0 or 1. Got 2"),
        (("Fish", 3, 15, 0.2, 5, 1), "Fish must have labels. Got none"),
        (("Fish", 3, 15, 0.2, 5, 0, 1), "must be of Both"),
        (("Fish", 3, 15, 0.2, 5, 0, 0, "manhattan"), "cosine or euclidean. Got 'manhattan'"),
        (("Birds",), "A source must be"),
    ],
)
def test_bad_arguments(fish: Cursor, given: tuple[object, ...], message: str) -> None:
    """Each wrong argument is one clear error, and leaves no run."""
    marks = ", ".join("?" * len(given))
    with pytest.raises(DataError, match=message):
        selected(fish, f"SELECT MeetUp2025.FitMap({marks})", *given)
    assert selected(fish, "SELECT * FROM MeetUp2025.Runs()") == []


def test_one_item(cursor: Cursor, planted: Planted) -> None:
    """One photo has no map."""
    cursor.execute(INSERT_IMAGE, ["a.jpg", planted.vectors[0]])

    with pytest.raises(DataError, match=r"at least 2 vectors\. Got 1"):
        selected(cursor, "CALL MeetUp2025.Map('FishImage')")


# --- new vectors ----------------------------------------------------------------------------------------------------


def test_new_vectors_are_placed(laid: tuple[Cursor, int], planted: Planted) -> None:
    """A photo near an exemplar is placed among its cluster; one vector alone lands where it does among others."""
    fish, run = laid
    known = places(fish, run)
    fish.execute("DELETE FROM MeetUp2025.FishImage")
    noise = np.random.default_rng(1).normal(size=(3, 512)) * 0.002
    photos = [(name, unit(planted.vector(name) + more)) for name, more in zip(EXEMPLARS, noise, strict=True)]
    fish.executemany(INSERT_IMAGE, photos)

    rows = selected(fish, "CALL MeetUp2025.PlaceOnMap(?, 'FishImage')", run)

    for name, vector in photos:
        [place] = [np.array(row[4:6], float) for row in rows if row[2] == name]
        nearest = min(MEMBERS, key=lambda each: np.linalg.norm(known[each] - place))
        assert MEMBERS[nearest] == MEMBERS[name]
        [(alone,)] = selected(fish, "SELECT MeetUp2025.PlaceOf(?, ?)", run, vectors.to_text(vector))
        assert [float(each) for each in alone.split(",")] == pytest.approx(place, abs=1e-4)


def test_vectors_of_another_model(fish: Cursor) -> None:
    """Vectors of another model are not placed."""
    fish.execute("UPDATE MeetUp2025.Fish SET Model = 'one@1'")
    fish.execute("UPDATE MeetUp2025.FishImage SET Model = 'two@1'")
    run = number(fish, "SELECT MeetUp2025.FitMap('Fish', 2)")

    with pytest.raises(ModelMismatchError, match=f"FishImage and run {run}"):
        selected(fish, "CALL MeetUp2025.PlaceOnMap(?, 'FishImage')", run)


@pytest.mark.parametrize(
    ("text", "message"), [("1,2,3", "512"), ("a", "numbers"), (",".join(["0"] * 512), "direction")]
)
def test_text_that_cannot_be_placed(laid: tuple[Cursor, int], text: str, message: str) -> None:
    """A text that is no vector of this length is refused."""
    fish, run = laid

    with pytest.raises(InvalidVectorError, match=message):
        selected(fish, "SELECT MeetUp2025.PlaceOf(?, ?)", run, text)


def test_map_without_gap_takes_no_new_vectors(fish: Cursor) -> None:
    """Where names and photos were moved onto each other, a new vector has no place, and it is said."""
    run = number(fish, "SELECT MeetUp2025.FitMap('Both', 2, 0, -1, 5, 0, 1)")

    with pytest.raises(NotSupportedError, match=f"Run {run} is without"):
        selected(fish, "CALL MeetUp2025.PlaceOnMap(?, 'FishImage')", run)


# --- a part of a map ------------------------------------------------------------------------------------------------


def test_sample_is_drawn_from_the_whole_run(fish: Cursor) -> None:
    """A sample of rows that are stored topic by topic has each topic in its share, and is the same at each call."""
    fish.execute(
        "INSERT INTO MeetUp2025.Analysis (Kind, Source, Parameters, Items, Seconds, Versions, Created, "
        "Asked, SourceHash, Fingerprint) VALUES ('Map', 'Fish', '{}', 3000, 1, 'x', '2026-01-01 00:00:00', 1, 'x', 'x')"
    )
    run = number(fish, "SELECT MAX(%ID) FROM MeetUp2025.Analysis")
    rows = [(run, "Fish", f"P{place}", f"topic {place // 300}", 0.0, 0.0) for place in range(3000)]
    point = "INSERT INTO MeetUp2025.MapPoint (Run, Source, Item, Label, X, Y) VALUES (?, ?, ?, ?, ?, ?)"
    fish.executemany(point, rows)

    drawn = selected(fish, "SELECT Item, Label FROM MeetUp2025.SampleMap(?, 600)", run)

    shares = Counter(label for _, label in drawn)
    assert len({item for item, _ in drawn}) == 600
    assert len(shares) == 10
    assert 35 <= min(shares.values()) <= max(shares.values()) <= 90
    assert selected(fish, "SELECT Item, Label FROM MeetUp2025.SampleMap(?, 50)", run) == drawn[:50]


def test_region_is_a_condition(laid: tuple[Cursor, int]) -> None:
    """The items in a region are those that a WHERE finds: a box around one place has it, and one beside it has not."""
    fish, run = laid
    x, y = places(fish, run)["マダコ"]
    sql = "SELECT Name FROM MeetUp2025.ReadMap(?) WHERE MeetUp2025.InRegion(X, Y, ?) = 1"
    corners = ";".join(f"{x + dx},{y + dy}" for dx, dy in ((-1e-3, -1e-3), (1e-3, -1e-3), (1e-3, 1e-3), (-1e-3, 1e-3)))
    beside = f"{x + 1},{y};{x + 1.001},{y};{x + 1},{y + 0.001}"

    assert ("マダコ",) in selected(fish, sql, run, corners)
    assert ("マダコ",) not in selected(fish, sql, run, beside)


@pytest.mark.parametrize("region", ["", "1,2", "1,2;3,4", "1,2;3,4;x,y", "1,2;3,4;nan,0", "1,2,3;4,5;6,7"])
def test_region_must_be_a_polygon(fish: Cursor, region: str) -> None:
    """A region of fewer than three corners, or of no numbers, is refused."""
    with pytest.raises(DataError, match="at least 3 corners"):
        selected(fish, "SELECT MeetUp2025.InRegion(0, 0, ?)", region)


# --- the nearest by vectors -----------------------------------------------------------------------------------------


def test_items_like_an_item(fish: Cursor, planted: Planted) -> None:
    """The items like one are those whose vectors have the largest cosine, without the item itself."""
    [(item,)] = selected(fish, "SELECT FishID FROM MeetUp2025.Fish WHERE Name = 'マアジ'")

    rows = selected(fish, "SELECT Source, Name, Score FROM MeetUp2025.ItemsLike('fish', ?, 3)", item)

    expected = planted.nearest(planted.vector("マアジ"), 4)[1:]
    assert [row[:2] for row in rows] == [("Fish", name) for name, _ in expected]
    assert [row[2] for row in rows] == pytest.approx([score for _, score in expected], abs=1e-6)


def test_names_like_a_photo(fish: Cursor) -> None:
    """Names and photos are searched together where both are asked for."""
    rows = selected(fish, "SELECT Source, Name, Score FROM MeetUp2025.ItemsLike('FishImage', 'マアジ.jpg', 3, 'Both')")

    assert rows[0] == ("Fish", "マアジ", pytest.approx(1))
    assert {row[0] for row in rows[1:]} == {"Fish", "FishImage"}


@pytest.mark.parametrize(("item", "k", "says"), [("F999", 5, "have a vector"), ("F001", 0, "from 1 to 30")])
def test_likeness_of_nothing(fish: Cursor, item: str, k: int, says: str) -> None:
    """An item that does not exist, or no neighbours, is refused."""
    with pytest.raises(DataError, match=says):
        selected(fish, "SELECT MeetUp2025.ItemNeighbours('Fish', ?, ?)", item, k)


# --- the way back ---------------------------------------------------------------------------------------------------


def test_items_near_a_place(laid: tuple[Cursor, int]) -> None:
    """The items near the place of one begin with it, and their distances are those of the map."""
    fish, run = laid
    known = places(fish, run)
    x, y = known["マアジ"]

    rows = selected(fish, "SELECT Name, Distance FROM MeetUp2025.NearestOnMap(?, ?, ?, 0, 4)", run, x, y)

    expected = sorted(known, key=lambda name: np.linalg.norm(known[name] - known["マアジ"]))[:4]
    assert [row[0] for row in rows] == expected
    assert [row[1] for row in rows] == pytest.approx(
        [np.linalg.norm(known[name] - known["マアジ"]) for name in expected]
    )


def test_items_near_a_place_in_space(fish: Cursor) -> None:
    """In three dimensions the third coordinate counts."""
    run = number(fish, "SELECT MeetUp2025.FitMap('Fish', 3, 5)")
    x, y, z = places(fish, run)["マダコ"]

    assert selected(fish, "SELECT Name FROM MeetUp2025.NearestOnMap(?, ?, ?, ?, 1)", run, x, y, z) == [("マダコ",)]


def test_vector_at_a_place(laid: tuple[Cursor, int], planted: Planted) -> None:
    """The vector at the place of an item is near that of the item, and its names are those of the cluster."""
    fish, run = laid
    x, y = places(fish, run)["ボタンエビ"]

    [(text,)] = selected(fish, "SELECT MeetUp2025.VectorAt(?, ?, ?)", run, x, y)
    rows = selected(fish, "CALL MeetUp2025.NamesAt(?, ?, ?, 0, 5)", run, x, y)

    found = vectors.from_text(text, dimension=512)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found @ planted.vector("ボタンエビ") > 0.8
    assert {MEMBERS[row[1]] for row in rows} == {MEMBERS["ボタンエビ"]}


def test_ways_back_are_compared(laid: tuple[Cursor, int]) -> None:
    """The mean of neighbours and the inverse of UMAP are scored on the same map, and both bring back something."""
    fish, run = laid

    rows = {row[:2]: row[2] for row in selected(fish, "CALL MeetUp2025.RoundTrip(?)", run)}

    assert rows["neighbours", "items"] == rows["inverse_transform", "items"] == 31
    assert rows["neighbours", "median"] > 0.6
    assert -1 <= rows["inverse_transform", "median"] <= 1


def test_unknown_way_back(laid: tuple[Cursor, int]) -> None:
    """A way back that is none is an error."""
    fish, run = laid

    with pytest.raises(DataError, match=r"neighbours, inverse_transform\. Got 'magic'"):
        selected(fish, "SELECT MeetUp2025.VectorAt(?, 0, 0, 0, 'magic')", run)


# --- two runs -------------------------------------------------------------------------------------------------------


def test_maps_are_compared(laid: tuple[Cursor, int]) -> None:
    """Two maps of other seeds differ somewhat, once they are aligned; the items that moved most come first."""
    fish, run = laid
    other = number(fish, "SELECT MeetUp2025.FitMap('Fish', 2, 5, 0.2, 6)")

    compared = number(fish, "SELECT MeetUp2025.FitChanges(?, ?)", run, other)

    rows = selected(fish, "SELECT Name, Moved FROM MeetUp2025.ReadChanges(?)", compared)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    assert metrics(fish, compared)["items"] == len(rows) == 31
    assert metrics(fish, compared)["disparity"] == pytest.approx(np.mean([row[1] ** 2 for row in rows]))
    subjects = selected(fish, "SELECT Subject, Value FROM MeetUp2025.ReadMetrics(?) WHERE Name = 'seed'", compared)
    assert subjects == [(f"run {run}", 5), (f"run {other}", 6)]


def test_groups_are_compared(fish: Cursor) -> None:
    """Two groupings agree by their adjusted Rand index, and each item tells which group it left for which."""
    three = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    ten = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 10)")
    of_ten = dict(selected(fish, "SELECT Name, Cluster FROM MeetUp2025.ReadClusters(?)", ten))

    rows = selected(fish, "CALL MeetUp2025.CompareRuns(?, ?)", three, ten)

    [index] = [row[2] for row in rows if row[1] == "adjusted_rand"]
    assert 0 < index < 1
    compared = number(fish, "SELECT MeetUp2025.FitChanges(?, ?)", three, ten)
    left = dict(selected(fish, "SELECT Name, OtherCluster FROM MeetUp2025.ReadChanges(?)", compared))
    assert left.items() < of_ten.items()
    assert metrics(fish, compared)["left"] == len(left) < 31


def test_same_groups_in_another_order(fish: Cursor) -> None:
    """Groups that are the same under other numbers are matched, and nobody has left one."""
    runs = [number(fish, "SELECT MeetUp2025.FitClusters('Fish', 10, ?)", seed) for seed in (5, 6)]
    fish.execute("DELETE FROM MeetUp2025.ClusterItem WHERE Run = ?", [runs[1]])
    fish.execute(
        "INSERT INTO MeetUp2025.ClusterItem (Run, Source, Item, Name, Cluster, Distance, Central) "
        "SELECT ?, Source, Item, Name, 11 - Cluster, Distance, Central FROM MeetUp2025.ClusterItem WHERE Run = ?",
        [runs[1], runs[0]],
    )

    compared = number(fish, "SELECT MeetUp2025.FitChanges(?, ?)", *runs)

    assert selected(fish, "SELECT * FROM MeetUp2025.ReadChanges(?)", compared) == []
    assert metrics(fish, compared)["adjusted_rand"] == 1


def test_what_cannot_be_compared(laid: tuple[Cursor, int]) -> None:
    """A run with itself, with one of another kind, of other items or of other dimensions is an error."""
    fish, run = laid
    clusters = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    space = number(fish, "SELECT MeetUp2025.FitMap('Fish', 3, 5)")
    photos = number(fish, "SELECT MeetUp2025.FitMap('FishImage', 2, 5)")

    for other, message in (
        (run, f"Got {run} twice"),
        (clusters, "must be of the kind Map. Got Clusters"),
        (space, "same dimensions. Got 2 and 3"),
        (photos, "items in common"),
        (99, "A run must exist"),
    ):
        with pytest.raises(DataError, match=message):
            selected(fish, "CALL MeetUp2025.CompareRuns(?, ?)", run, other)
