"""The number of groups: the elbow is that of the workshop's loop, on planted groups and on the catalogue."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from kneed import KneeLocator
from planted_groups import plant_groups
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from meetup2025.analytics.elbow import Sweep, bend, choose, elbow
from meetup2025.analytics.neighbours import directions
from meetup2025.embedding import encoder
from meetup2025.errors import DataError, InvalidVectorError
from meetup2025.files import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence


def loop(rows: np.ndarray, ks: Sequence[int]) -> tuple[np.ndarray, int]:
    """Do as the workshop did: K-means ten times for each K, then kneed."""
    with threadpool_limits(1):  # threads that wait for each other make this ten times as slow on a busy machine
        errors = np.array([KMeans(k, random_state=5, n_init=10).fit(rows).inertia_ for k in ks])
    return errors, KneeLocator(ks, errors, curve="convex", direction="decreasing").knee


@pytest.mark.parametrize(
    ("n", "k", "spread"), [(92, 5, 0.5), (92, 12, 0.7), (400, 8, 0.7), (1200, 6, 0.5), (1200, 12, 0.5)]
)
def test_elbow_is_that_of_the_loop(n: int, k: int, spread: float) -> None:
    """On planted groups the elbow is the loop's and the truth, with errors as small."""
    rows, _ = plant_groups(n, k, spread=spread)
    errors, knee = loop(directions(rows), range(2, 21))

    found = elbow(rows, 2, 20)

    assert found.elbow == knee == k
    assert (found.sse / errors).mean() < 1.003
    assert (found.sse / errors).max() < 1.03


def test_elbow_of_the_catalogue_is_that_of_the_loop() -> None:
    """On the vectors of the bundled names the elbow is the loop's."""
    with resolve("catalogue/fish.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = encoder().texts([row["Name"] for row in csv.DictReader(stream)])
    errors, knee = loop(rows, range(2, 30))

    found = elbow(rows)

    assert found.elbow == knee
    assert found.sse == pytest.approx(errors, rel=1e-4)
    assert found.sampled == len(rows)


@pytest.mark.parametrize("few", [0, 1000])
def test_numbers_of_a_sweep(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """In both ways, the errors fall, and the silhouette is highest for the planted number of groups."""
    monkeypatch.setattr("meetup2025.analytics.elbow.FEW", few)
    rows, groups = plant_groups(300, 7, seed=8)

    found = elbow(rows, 3, 12)

    assert found.ks.tolist() == list(range(3, 13))
    assert (np.diff(found.sse) < 0).all()
    assert found.elbow == found.roundest == found.chosen == 7
    assert found.silhouettes.argmax() == 4
    assert found.silhouettes[4] == pytest.approx(silhouette_score(rows, groups, metric="cosine"), abs=1e-5)


def test_many_directions_are_led_by_few() -> None:
    """Rows of more directions than are kept have the elbow of all, and errors of all directions."""
    rows, groups = plant_groups(1100, 6, d=300)
    unit = directions(rows).astype(np.float64)
    means = np.array([unit[groups == group].mean(axis=0) for group in range(6)])

    found = elbow(rows, 2, 10)

    assert found.elbow == 6
    assert found.sse[4] == pytest.approx(((unit - means[groups]) ** 2).sum())


def test_the_same_each_time() -> None:
    """The same rows and seed give the same numbers to the bit."""
    rows, _ = plant_groups(1300, 4, spread=2)

    assert (elbow(rows, 2, 9, seed=1).sse == elbow(rows, 2, 9, seed=1).sse).all()


def test_a_large_table_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows than are looked at, a sample gives the same elbow, and says how large it was."""
    monkeypatch.setattr("meetup2025.analytics.elbow._SAMPLE", 400)

    found = elbow(plant_groups(2000, 6)[0], 2, 12)

    assert (found.elbow, found.sampled) == (6, 400)


def test_without_an_elbow_the_silhouette_chooses() -> None:
    """Where the errors bend nowhere, the K of the highest silhouette is taken."""
    found = elbow(plant_groups(40, 3)[0], 2, 3)

    assert found.elbow is None
    assert found.chosen == found.roundest == 3


@pytest.mark.parametrize("spread", [0.1, 0.8])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("seed", [1, 2])
def test_chosen_number_is_the_planted_one(k: int, spread: float, seed: int) -> None:
    """Of tight and of loose groups the planted number is chosen, one group too, with each seed."""
    rows, _ = plant_groups(96, k, spread=spread, seed=seed)

    found = choose(elbow(rows, 2, 16, seed=seed))

    assert found.k == k
    assert found.clear == (k > 1)


@pytest.mark.parametrize("n", [40, 1100])
def test_two_tight_clouds_are_two_groups(n: int) -> None:
    """Two tight clouds are two groups, which a curve that begins with two groups cannot find."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(2, 512))[np.arange(n) % 2] + 0.02 * rng.normal(size=(n, 512))

    sweep = elbow(rows)
    found = choose(sweep)

    assert sweep.elbow != 2
    assert (found.k, found.elbow, found.silhouette, found.clear) == (2, 2, 2, True)
    assert found.decided == "elbow: both rules agree"


def sweep_of(single: float, sse: Sequence[float], silhouettes: Sequence[float]) -> Sweep:
    """Make a sweep of K from 2 with these numbers."""
    ks = np.arange(2, len(sse) + 2)
    values = np.array(silhouettes)
    return Sweep(ks, np.array(sse), values, bend(ks.tolist(), np.array(sse)), int(ks[values.argmax()]), 100, single)


FLAT = [90.0, 81, 73, 66, 60, 54, 49, 44, 40, 36, 32, 29, 26, 23, 21, 19, 17, 15, 14, 12]


@pytest.mark.parametrize(
    ("single", "sse", "silhouettes", "expected"),
    [
        (100, [30, 10, 9, 8, 7], [0.5, 0.8, 0.6, 0.5, 0.4], (3, "elbow: both rules agree", True)),
        (100, [60, 30, 8, 7, 6], [0.5, 0.8, 0.79, 0.5, 0.4], (4, "elbow: the silhouette is near it", True)),
        (100, [60, 30, 8, 7, 6], [0.5, 0.8, 0.7, 0.5, 0.4], (3, "silhouette: the elbow is far from it", False)),
        (100, FLAT, [0.33] + [0.2] * 19, (2, "silhouette: the elbow is far from it", False)),
        (100, [80, 60, 40, 20], [0.4, 0.3, 0.3, 0.3], (2, "silhouette: the errors bend nowhere", False)),
        (100, [30, 10, 9, 8, 7], [0.1, 0.15, 0.1, 0.1, 0.1], (1, "silhouette: 0.15 at best, so one group", False)),
        (100, [20], [0.9], (2, "silhouette: the errors bend nowhere", True)),
    ],
)
def test_rules_of_the_choice(
    single: float, sse: list[float], silhouettes: list[float], expected: tuple[int, str, bool]
) -> None:
    """The elbow decides near the best silhouette, else the silhouette; low silhouettes mean one group."""
    found = choose(sweep_of(single, sse, silhouettes))

    assert (found.k, found.decided, found.clear) == expected
    assert len(found.decided) <= 50


@pytest.mark.parametrize(
    ("ks", "errors", "expected"),
    [
        ([2, 3, 4, 5, 6], [10, 4, 3.5, 3, 2.5], 3),
        ([2, 3, 4, 5, 6], [10, 8, 6, 4, 2], None),
        ([2, 3, 4], [1, 1, 1], None),
        ([2, 3], [9, 1], None),
        ([2], [9], None),
    ],
)
def test_bend(ks: list[int], errors: list[float], expected: int | None) -> None:
    """A bend is where kneed finds it; a line, equal errors, and one or two numbers have none."""
    assert bend(ks, np.array(errors)) == expected


def test_few_different_rows_end_the_sweep() -> None:
    """K ends at the number of different rows, and one below the number of rows; three rows are the fewest."""
    rows = np.repeat(np.eye(5), 40, axis=0)

    assert elbow(rows).ks.tolist() == [2, 3, 4, 5]
    assert elbow(np.eye(5)).ks.tolist() == [2, 3, 4]
    assert elbow(np.eye(3)).ks.tolist() == [2]


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 1500])
@pytest.mark.parametrize("noise", [1e-8, 1e-6, 1e-4])
def test_near_copies(n: int, noise: float) -> None:
    """Copies with a little noise are as many groups as there were rows before, and nothing warns of them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 300))[np.arange(n) % 3] + noise * rng.normal(size=(n, 300))

    found = elbow(rows, 2, 9)

    assert found.elbow == found.roundest == 3
    assert found.sse[1:] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("n", [12, 1500])
def test_copies_of_four_rows(n: int) -> None:
    """Copies of four rows are four groups, in both ways."""
    found = elbow(np.eye(4)[np.arange(n) % 4])

    assert found.ks.tolist() == [2, 3, 4]
    assert found.roundest == 4
    assert found.sse[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_rows(n: int) -> None:
    """Two rows cannot be tried."""
    with pytest.raises(DataError, match=rf"3 vectors, 2 of them different\. Got {n}, {n} different"):
        elbow(np.eye(3)[:n])


def test_copies_are_too_few_rows() -> None:
    """Copies of one row cannot be tried, however many."""
    with pytest.raises(DataError, match=r"2 of them different\. Got 500, 1 different"):
        elbow(np.ones((500, 2)))


@pytest.mark.parametrize(("first", "last"), [(0, 5), (1, 5), (6, 5), (2, 10_000), (-3, -2)])
def test_numbers_out_of_range(first: int, last: int) -> None:
    """One group is not tried, nor ten thousand."""
    with pytest.raises(DataError, match=rf"must rise from 2 to at most 200\. Got {first} to {last}"):
        elbow(np.eye(5), first, last)


def test_no_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        elbow([[1, np.nan], [1, 0], [0, 1]])
