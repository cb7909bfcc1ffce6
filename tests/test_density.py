"""Groups by density: planted regions come back, what lies between them is noise, and SQL tells the two apart."""

from __future__ import annotations

import numpy as np
import pytest
from asked import metrics, number, selected
from blobs import blobs, unit
from planted import CLUSTERS
from sklearn.metrics import adjusted_rand_score

from meetup2025.analytics.density import fit_density
from meetup2025.errors import DataError

PLANTED = blobs(90, 3)
STRANGERS = unit(np.random.default_rng(7).normal(size=(60, 64)))
ROWS = np.vstack([PLANTED.rows, STRANGERS])


def test_planted_regions_come_back() -> None:
    """Each planted region is one group, without a number given. The largest is the first, and centres are means."""
    found = fit_density(PLANTED.rows, 10)

    assert adjusted_rand_score(PLANTED.groups, found.labels) == 1
    assert found.sizes.tolist() == [30, 30, 30]
    assert len(found.noise) == 0
    assert found.centres[0] == pytest.approx(PLANTED.rows[found.labels == 0].mean(axis=0), abs=1e-6)
    assert [len(rows) for rows in found.members] == [30, 30, 30]


def test_noise_is_of_no_group() -> None:
    """Among vectors from anywhere some are noise, none of the planted ones is, and regions stay apart."""
    found = fit_density(ROWS, 10)

    assert len(found.noise) > 0
    assert min(found.noise) >= 90
    assert adjusted_rand_score(PLANTED.groups, found.labels[:90]) == 1
    assert sorted([*found.noise, *np.concatenate(found.members)]) == [*range(150)]
    assert [*found.sizes] == sorted(found.sizes, reverse=True)


def test_noise_has_the_distance_to_the_nearest_centre() -> None:
    """The distance of noise is that to the nearest centre, and does not count as an error of the groups."""
    found = fit_density(ROWS, 10)

    nearest = np.linalg.norm(ROWS[found.noise][:, None] - found.centres, axis=2).min(axis=1)
    assert found.distances[found.noise] == pytest.approx(nearest, abs=1e-5)
    assert [*nearest] == sorted(nearest)
    assert found.sse == pytest.approx((found.distances[found.labels >= 0] ** 2).sum())


def test_same_seed_same_groups() -> None:
    """The same rows and seed give the same groups."""
    assert (fit_density(ROWS, 8).labels == fit_density(ROWS, 8).labels).all()


@pytest.mark.parametrize("least", [1, 5])
def test_too_few_vectors(least: int) -> None:
    """A group has at least two members, and not more than there are vectors."""
    with pytest.raises(DataError, match=rf"at least 2 to 4 members\. Got {least}"):
        fit_density(ROWS[:4], least)


@pytest.mark.anywhere
@pytest.mark.slow
def test_in_sql(fish, planted) -> None:
    """The cluster of noise is 0, it is no row of ReadGroups, and a run made again keeps the method."""
    run = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 0, 5, 'hdbscan', 4)")

    members = selected(fish, "SELECT Cluster, Name FROM MeetUp2025.ReadClusters(?)", run)
    found = {name: cluster for cluster, name in members}
    assert sorted(found) == sorted(planted.names)
    for names in CLUSTERS:
        assert len({found[name] for name in names} - {0}) == 1
    groups = selected(fish, "SELECT Cluster, Items FROM MeetUp2025.ReadGroups(?)", run)
    assert [cluster for cluster, _ in groups] == [*range(1, len(groups) + 1)]
    assert metrics(fish, run).get("noise", 0) == len(members) - sum(items for _, items in groups)
    assert number(fish, "SELECT MeetUp2025.FitAgain(?)", run) == run


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("Fish", 3, 5, "HDBSCAN"), r"clusters must be 0\. Got 3"),
        (("Fish", 0, 5, "HDBSCAN", 1), r"at least 2 to \d+ members\. Got 1"),
        (("Fish", 0, 5, "DBSCAN"), r"KMeans or HDBSCAN\. Got 'DBSCAN'"),
    ],
)
def test_bad_arguments(fish, given: tuple[object, ...], message: str) -> None:
    """Each wrong argument is one clear error, and leaves no run."""
    marks = ", ".join("?" * len(given))
    with pytest.raises(DataError, match=message):
        selected(fish, f"SELECT MeetUp2025.FitClusters({marks})", *given)
    assert selected(fish, "SELECT * FROM MeetUp2025.Runs()") == []
