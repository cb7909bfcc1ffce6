"""Groups in SQL: planted clusters come back, named by their members, and new vectors find their group."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from asked import selected
from planted import CLUSTERS, EXEMPLARS, INSERT_IMAGE, STRANGERS, Planted, unit
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from meetup2025.errors import DataError, InvalidVectorError, ModelMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Cursor

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]


@pytest.fixture
def groups(fish: Cursor) -> Cursor:
    """Open cursor; the catalogue has the three planted clusters and nothing else."""
    marks = ", ".join("?" * len(STRANGERS))
    fish.execute(f"DELETE FROM MeetUp2025.Fish WHERE Name IN ({marks})", list(STRANGERS))
    return fish


def test_planted_groups(groups: Cursor) -> None:
    """Three groups are the planted ones, the most central item of each first."""
    rows = selected(groups, "CALL MeetUp2025.Clusters('Fish', 3)")

    found = [{row[4] for row in rows if row[0] == number} for number in (1, 2, 3)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, CLUSTERS))
    assert [row[1] for row in rows] == [*range(1, 9)] * 3
    assert all(one[5] <= other[5] for one, other in itertools.pairwise(rows) if one[0] == other[0])


def test_elbow_chooses(groups: Cursor) -> None:
    """Without a number three groups are chosen, and the run has both choices and the rule that decided."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish')")

    metrics = dict(selected(groups, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)", run))
    assert metrics["clusters"] == 3
    assert 0.5 < metrics["silhouette"] < 1
    assert len(selected(groups, "SELECT * FROM MeetUp2025.ReadGroups(?)", run)) == 3
    assert (metrics["elbow_chooses"], metrics["silhouette_chooses"], metrics["decided"], metrics["clear"]) == (
        3,
        3,
        3,
        1,
    )
    assert selected(groups, "SELECT Subject FROM MeetUp2025.ReadMetrics(?) WHERE Name = 'decided'", run) == [
        ("elbow: both rules agree",)
    ]


@pytest.mark.parametrize(("names", "count", "clear"), [(EXEMPLARS[:2], 2, 1), (EXEMPLARS[:1], 1, 0)])
def test_photos_of_few_names(cursor: Cursor, planted: Planted, names: Sequence[str], count: int, clear: int) -> None:
    """Photos of two names are two groups, and photos of one name are one group without a clear number."""
    noise = np.random.default_rng(4).normal(size=(60, 512)) * 0.02
    photos = [
        (f"{number}.jpg", unit(planted.vector(names[number % len(names)]) + more)) for number, more in enumerate(noise)
    ]
    cursor.executemany(INSERT_IMAGE, photos)
    [(run,)] = selected(cursor, "SELECT MeetUp2025.FitClusters('FishImage', 0)")
    metrics = dict(selected(cursor, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)", run))

    assert (metrics["clusters"], metrics["decided"], metrics["clear"]) == (count, count, clear)
    assert len(selected(cursor, "SELECT * FROM MeetUp2025.ReadGroups(?)", run)) == count


def test_groups_are_named(groups: Cursor) -> None:
    """A group is called by its most central items, the largest group first."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    members = selected(groups, "SELECT Cluster, Name FROM MeetUp2025.ReadClusters(?)", run)

    for number, name, count, spread in selected(groups, "SELECT * FROM MeetUp2025.ReadGroups(?)", run):
        assert name.split(", ") == [each for cluster, each in members if cluster == number][:3]
        assert count == 8
        assert 0 < spread < 1


def test_elbow(groups: Cursor) -> None:
    """Elbow tries each number, its errors fall, and both rules choose the planted three."""
    rows = selected(groups, "CALL MeetUp2025.Elbow('Fish', 2, 8)")

    assert [row[0] for row in rows] == [*range(2, 9)]
    assert all(one[1] > other[1] for one, other in itertools.pairwise(rows))
    assert [(row[0], row[3]) for row in rows if row[3]] == [(3, "elbow, silhouette")]


def test_new_vectors_find_their_group(groups: Cursor, planted: Planted) -> None:
    """Photos near an exemplar of each cluster are put into its group."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    of_name = dict(selected(groups, "SELECT Name, Cluster FROM MeetUp2025.ReadClusters(?)", run))
    groups.execute("DELETE FROM MeetUp2025.FishImage")
    noise = np.random.default_rng(1).normal(size=(3, 512)) * 0.01
    photos = [(name, unit(planted.vector(name) + more)) for name, more in zip(EXEMPLARS, noise, strict=True)]
    groups.executemany(INSERT_IMAGE, photos)

    rows = selected(groups, "CALL MeetUp2025.AssignClusters(?, 'FishImage')", run)

    assert {row[4]: row[0] for row in rows} == {name: of_name[name] for name in EXEMPLARS}


def test_assigned_again(groups: Cursor) -> None:
    """The catalogue itself falls into its own groups again, and an assignment can be assigned to."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    before = selected(groups, "SELECT Name, Cluster, Distance FROM MeetUp2025.ReadClusters(?)", run)

    for _ in range(2):
        [(run,)] = selected(groups, "SELECT MeetUp2025.FitAssignment(?, 'Fish')", run)

    after = selected(groups, "SELECT Name, Cluster, Distance FROM MeetUp2025.ReadClusters(?)", run)
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert [row[2] for row in after] == pytest.approx([row[2] for row in before], abs=1e-6)


def test_one_group(groups: Cursor) -> None:
    """One group has all items and no silhouette."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 1)")

    assert len(selected(groups, "SELECT * FROM MeetUp2025.ReadGroups(?)", run)) == 1
    assert dict(selected(groups, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)", run))["silhouette"] is None


def test_one_vector(cursor: Cursor, planted: Planted) -> None:
    """One photo is one group; there is no elbow to find."""
    cursor.execute(INSERT_IMAGE, ["a.jpg", planted.vectors[0]])

    assert [row[:2] for row in selected(cursor, "CALL MeetUp2025.Clusters('FishImage', 1)")] == [(1, 1)]
    with pytest.raises(DataError, match=r"3 vectors, 2 of them different\. Got 1"):
        selected(cursor, "CALL MeetUp2025.Clusters('FishImage')")


@pytest.mark.parametrize("count", [-1, 25, 10_000])
def test_impossible_number_of_groups(groups: Cursor, count: int) -> None:
    """A number of groups that cannot be is an error, and leaves no run."""
    with pytest.raises(DataError, match=f"from 1 to the number of different vectors, 24. Got {count}"):
        selected(groups, "CALL MeetUp2025.Clusters('Fish', ?)", count)
    assert selected(groups, "SELECT * FROM MeetUp2025.Runs()") == []


@pytest.mark.parametrize(("least", "most"), [(1, 5), (0, 5), (5, 3), (2, 10_000)])
def test_impossible_numbers_to_try(groups: Cursor, least: int, most: int) -> None:
    """Numbers that cannot be tried are an error."""
    with pytest.raises(DataError, match=f"Got {least} to {most}"):
        selected(groups, "CALL MeetUp2025.Elbow('Fish', ?, ?)", least, most)


def test_assignment_of_another_model(groups: Cursor) -> None:
    """Vectors of another model are not put into groups."""
    groups.execute("UPDATE MeetUp2025.Fish SET Model = 'one@1'")
    groups.execute("UPDATE MeetUp2025.FishImage SET Model = 'two@1'")
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 3)")

    with pytest.raises(ModelMismatchError, match=f"FishImage and run {run}"):
        selected(groups, "CALL MeetUp2025.AssignClusters(?, 'FishImage')", run)


def test_assignment_of_another_length(groups: Cursor) -> None:
    """Vectors of another length are not put into groups."""
    [(run,)] = selected(groups, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    groups.execute("CREATE TABLE App.Short (K VARCHAR(9), V VECTOR(DOUBLE, 2))")
    try:
        groups.execute("INSERT INTO App.Short (K, V) VALUES ('a', TO_VECTOR('1,2', DOUBLE))")
        selected(groups, "SELECT MeetUp2025.RegisterSource('Short', 'App.Short', 'K', 'K', 'V')")

        with pytest.raises(InvalidVectorError, match="512"):
            selected(groups, "CALL MeetUp2025.AssignClusters(?, 'Short')", run)
    finally:
        groups.execute("DROP TABLE App.Short")


@pytest.mark.parametrize("seed", [-1, 2**32])
@pytest.mark.parametrize("fit", ["FitClusters('Fish', 3, ?)", "FitElbow('Fish', 2, 9, ?)"])
def test_seed_out_of_range(fish: Cursor, fit: str, seed: int) -> None:
    """A seed that random numbers do not take is refused with its range, before anything is fitted."""
    with pytest.raises(DataError, match=rf"seed must be from 0 to 4294967295\. Got {seed}"):
        fish.execute(f"SELECT MeetUp2025.{fit}", [seed])


def test_groups_agree_with_labels_by_the_published_indexes(fish: Cursor) -> None:
    """The run tells how many labels there are, and how well groups and labels agree by two published indexes."""
    fish.execute("UPDATE MeetUp2025.FishImage SET Label = 'one'")
    fish.execute("UPDATE MeetUp2025.FishImage SET Label = 'other' WHERE Name > 'サ'")
    [(run,)] = selected(fish, "SELECT MeetUp2025.FitClusters('FishImage', 3)")

    found = dict(selected(fish, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)", run))
    labels = dict(selected(fish, "SELECT Name, Label FROM MeetUp2025.FishImage"))
    groups = selected(fish, "SELECT Name, Cluster FROM MeetUp2025.ReadClusters(?)", run)
    own, group = [labels[name] for name, _ in groups], [number for _, number in groups]
    assert set(own) == {"one", "other"}
    assert found["labels"] == 2
    assert found["labels_ari"] == pytest.approx(adjusted_rand_score(own, group))
    assert found["labels_nmi"] == pytest.approx(normalized_mutual_info_score(own, group))
