"""K-means on unit vectors: planted groups come back, as good as scikit-learn's, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from planted_groups import plant_groups
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from meetup2025.analytics import clusters, lloyd
from meetup2025.analytics.clusters import assign, cluster_names, fit_clusters
from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError, InvalidVectorError


@pytest.mark.parametrize(("n", "k"), [(92, 3), (500, 12), (2000, 30)])
def test_planted_groups_come_back(n: int, k: int) -> None:
    """Groups that lie apart are found without a fault."""
    rows, groups = plant_groups(n, k)

    assert adjusted_rand_score(groups, fit_clusters(rows, k).labels) == 1


@pytest.mark.parametrize(("n", "k"), [(92, 12), (1000, 15), (3000, 80)])
def test_error_is_that_of_scikit_learn(n: int, k: int) -> None:
    """On groups that overlap the error is at most 2 % above that of scikit-learn."""
    rows, _ = plant_groups(n, 15, spread=2)
    with threadpool_limits(1):
        full = KMeans(k, n_init=10, random_state=5).fit(directions(rows))

    assert fit_clusters(rows, k).sse <= full.inertia_ * 1.02


def test_a_large_table_starts_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start on a sample loses at most 2 % of the error, and every row is in a group."""
    monkeypatch.setattr(clusters, "_SAMPLE", 1500)
    rows, _ = plant_groups(5000, 25, spread=1.5)
    full = KMeans(25, random_state=5).fit(directions(rows))

    found = fit_clusters(rows, 25)

    assert found.sse <= full.inertia_ * 1.02
    assert found.sizes.sum() == 5000


def test_record_is_consistent() -> None:
    """Labels, distances, sizes and errors are what the rows and centres give, and the largest group is the first."""
    rows, _ = plant_groups(300, 7, spread=1.5)
    unit = directions(rows).astype(np.float64)

    found = fit_clusters(rows, 7)

    apart = np.linalg.norm(unit[:, None] - found.centres, axis=2)
    assert found.labels.tolist() == apart.argmin(axis=1).tolist()
    assert found.distances == pytest.approx(apart.min(axis=1), abs=1e-6)
    assert found.sse == pytest.approx((apart.min(axis=1) ** 2).sum())
    assert found.sizes.tolist() == np.bincount(found.labels).tolist() == sorted(found.sizes, reverse=True)
    assert found.centres == pytest.approx(np.array([unit[found.labels == k].mean(axis=0) for k in range(7)]), abs=1e-6)


def test_the_same_each_time() -> None:
    """The same rows and seed give the same numbers to the bit; the lengths of the rows do not matter."""
    rows, _ = plant_groups(1500, 9, spread=2)

    one, other = fit_clusters(rows, 12, seed=3), fit_clusters(rows, 12, seed=3)

    assert (one.labels == other.labels).all()
    assert (one.centres == other.centres).all()
    assert one.sse == other.sse
    assert adjusted_rand_score(one.labels, fit_clusters(rows * 4, 12, seed=3).labels) == 1


def test_new_rows_go_to_the_nearest_centre() -> None:
    """The rows that were grouped keep their labels, a centre gets its own, and no rows get none."""
    rows, _ = plant_groups(200, 5)
    found = fit_clusters(rows, 5)

    labels, distances = assign(found, rows)

    assert (labels == found.labels).all()
    assert distances == pytest.approx(found.distances, abs=1e-6)
    assert assign(found, found.centres)[0].tolist() == [0, 1, 2, 3, 4]
    assert assign(found, np.empty((0, 64)))[0].shape == (0,)


def test_members_are_by_distance() -> None:
    """The members of the groups are all rows, each once, the most central first."""
    found = fit_clusters(plant_groups(60, 4)[0], 4)

    assert sorted(np.concatenate(found.members).tolist()) == list(range(60))
    for group, rows in enumerate(found.members):
        assert (found.labels[rows] == group).all()
        assert (np.diff(found.distances[rows]) >= 0).all()


def test_groups_are_named_by_central_members() -> None:
    """A group is named by its most central members, each name once."""
    rows = [[10, 0], [10, 1], [10, -3], [10, 0.1], [0, 1], [0.1, 1]]
    names = ["マアジ", "マサバ", "ブリ", "マアジ", "マダコ", "ミズダコ"]

    found = cluster_names(fit_clusters(rows, 2), names, 2)

    assert found == ("マアジ, マサバ", "マダコ, ミズダコ")


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (2, 2), (7, 7)])
def test_smallest_tables(n: int, k: int) -> None:
    """One row is a group, and each of a few rows can be one."""
    found = fit_clusters(plant_groups(n, 1)[0], k)

    assert found.sizes.sum() == n
    assert len(found.sizes) == k
    assert found.sse == pytest.approx(0, abs=1e-9) or k < n


def test_equal_rows_are_one_group() -> None:
    """Equal rows, of whatever lengths, are one group without an error; two groups they are not."""
    rows = np.outer([1, 2, 4, 8], [3.0, 1.0, 2.0])

    found = fit_clusters(rows, 1)

    assert found.distances == pytest.approx(0, abs=1e-7)
    with pytest.raises(DataError, match=r"from 1 to the number of different vectors, 1\. Got 2"):
        fit_clusters(rows, 2)


def test_copies_leave_no_group_empty() -> None:
    """As many groups as different rows are found where most rows are copies."""
    rows = np.repeat(np.eye(4), [50, 1, 1, 30], axis=0)

    assert fit_clusters(rows, 4).sizes.tolist() == [50, 30, 1, 1]


def test_a_large_table_of_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many groups as different rows are found, too, where a sample misses some of them."""
    monkeypatch.setattr(clusters, "_SAMPLE", 200)
    rows = np.repeat(np.eye(5), [4000, 1, 1, 1, 900], axis=0)

    assert fit_clusters(rows, 5).sizes.tolist() == [4000, 900, 1, 1, 1]
    with pytest.raises(DataError, match=r"different vectors, 5\. Got 6"):
        fit_clusters(rows, 6)


@pytest.mark.parametrize(("n", "k"), [(0, 1), (5, 0), (5, -1), (5, 6), (5, 10_000)])
def test_too_many_groups(n: int, k: int) -> None:
    """More groups than rows, or none, are refused."""
    with pytest.raises(DataError, match=rf"from 1 to the number of different vectors, {n}\. Got {k}"):
        fit_clusters(np.eye(8)[:n], k)


def test_names_of_another_number() -> None:
    """Names that are not one for each row are refused."""
    with pytest.raises(DataError, match=r"one name for each of the 3 rows\. Got 2"):
        cluster_names(fit_clusters(np.eye(3), 2), ["a", "b"])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_no_vectors(bad: float) -> None:
    """Rows that are no vectors are refused, when grouping and after."""
    rows, _ = plant_groups(20, 2)
    found = fit_clusters(rows, 2)
    rows[3] = bad

    with pytest.raises(InvalidVectorError):
        fit_clusters(rows, 2)
    with pytest.raises(InvalidVectorError):
        assign(found, rows)


def test_new_rows_of_another_length() -> None:
    """Rows of another length cannot be assigned."""
    with pytest.raises(InvalidVectorError, match=r"must have 3 items\. Got 4"):
        assign(fit_clusters(np.eye(3), 2), np.eye(4))


def test_nearest_is_by_distance() -> None:
    """A long centre does not win by its length: the nearest one is that at the least distance."""
    labels, _ = lloyd.nearest_centres(np.array([[1.0, 0], [0, 1]]), np.array([[3.0, 0], [0.5, 0], [0, 2], [0, 1.9]]))

    assert labels.tolist() == [1, 3]


def test_groups_whose_union_costs_least_are_merged() -> None:
    """Two groups far away are merged before two that are nearer but larger; the mean is that of all their rows."""
    centres = np.array([[0.0, 0], [1, 0], [5, 0], [5, 2]])

    merged = clusters._merged(centres, np.array([100, 100, 3, 1]))

    assert merged.tolist() == [[0, 0], [1, 0], [5, 0.5]]


def test_a_group_without_rows_is_merged_first() -> None:
    """A group that no row is in disappears, and its mean counts nothing."""
    merged = clusters._merged(np.array([[0.0, 0], [1, 0], [9, 9]]), np.array([5, 5, 0]))

    assert merged == pytest.approx(np.array([[0, 0], [1, 0]]), abs=1e-6)


def test_centres_need_not_settle() -> None:
    """After enough iterations the labels are those of the centres as they are, and more make the error smaller."""
    rows = directions(plant_groups(2000, 30, spread=2)[0])

    few, many = (lloyd.lloyd(rows, rows[:30], enough) for enough in (1, 50))

    assert (lloyd.nearest_centres(rows, few[1])[0] == few[0]).all()
    assert clusters.distances(rows, many[1], many[0]).sum() < clusters.distances(rows, few[1], few[0]).sum()


@pytest.mark.parametrize("block", [1, 100, 1 << 22])
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """In one block or in many, the labels and sums are the same."""
    rows, groups = plant_groups(50, 3)
    whole = lloyd.nearest_centres(rows, rows[:3])[0], lloyd.sums(rows, groups, 3)
    monkeypatch.setattr(lloyd, "_BLOCK", block)

    assert (lloyd.nearest_centres(rows, rows[:3])[0] == whole[0]).all()
    assert lloyd.sums(rows, groups, 3) == pytest.approx(whole[1], abs=1e-5)
    assert whole[1] == pytest.approx(np.array([rows[groups == k].sum(axis=0) for k in range(3)]), abs=1e-4)
