"""Detectors: a planted stranger comes first, scores are honest, and what is fitted is arrays and numbers alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from blobs import blobs
from planted_groups import plant_groups, with_strangers
from sklearn import ensemble
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from meetup2025.analytics import detectors, forest, neighbours
from meetup2025.analytics.detector_tests import hold_out
from meetup2025.analytics.detectors import DETECTORS, ByExemplar, IsolationForest, KMeansDistance, Neighbours
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.thresholds import flags, from_contamination
from meetup2025.errors import DataError, InvalidVectorError

EVERY = pytest.mark.parametrize("name", DETECTORS)


@EVERY
def test_strangers_come_first(name: str) -> None:
    """Rows that are like none have the highest own scores, of those that notice them; all rank them above chance."""
    rows, odd = with_strangers(200, 6)

    ranked = roc_auc_score(odd, DETECTORS[name].fit(rows).own_scores)

    assert ranked == 1 if name in {"Neighbours", "KMeansDistance"} else ranked > 0.7


@EVERY
def test_new_strangers_come_first(name: str) -> None:
    """New rows are scored as those it was fitted to: a stranger above what is normal."""
    rows, odd = with_strangers(300, 20)

    scores = DETECTORS[name].fit(rows[~odd][:150]).scores(rows[150:])

    assert roc_auc_score(odd[150:], scores) > 0.8


@EVERY
def test_record_is_plain(name: str) -> None:
    """What is fitted can be stored as arrays and numbers: a copy made of its fields gives the same scores."""
    rows, _ = plant_groups(60, 3)
    fitted = DETECTORS[name].fit(rows)

    fields = {field.name: getattr(fitted, field.name) for field in dataclasses.fields(fitted)}

    assert all(isinstance(value, (np.ndarray, int, float, str)) for value in fields.values())
    assert all(value.dtype != object for value in fields.values() if isinstance(value, np.ndarray))
    assert (type(fitted)(**fields).scores(rows) == fitted.scores(rows)).all()


@EVERY
def test_scores_have_one_form(name: str) -> None:
    """Scores are float64, one for each row, none for none, and the same each time."""
    rows, _ = plant_groups(60, 3)
    fitted, again = DETECTORS[name].fit(rows, seed=3), DETECTORS[name].fit(rows, seed=3)

    assert fitted.own_scores.shape == (60,)
    assert fitted.own_scores.dtype == fitted.scores(rows).dtype == np.float64
    assert fitted.scores(np.empty((0, 64))).shape == (0,)
    assert (fitted.own_scores == again.own_scores).all()
    assert (fitted.scores(rows) == again.scores(rows)).all()


@EVERY
def test_length_of_a_row_does_not_matter(name: str) -> None:
    """Only directions count."""
    rows, _ = plant_groups(60, 3)

    assert DETECTORS[name].fit(rows).scores(rows * 8) == pytest.approx(DETECTORS[name].fit(rows).scores(rows))


@EVERY
@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows(name: str, n: int) -> None:
    """Of no row, or of one, nothing can be learned."""
    with pytest.raises(DataError, match=r"2 vectors|at least 2|number of others, 0"):
        DETECTORS[name].fit(np.eye(3)[:n])


@EVERY
def test_two_rows(name: str) -> None:
    """Two rows can be fitted, and are equally odd."""
    own = (
        Neighbours.fit([[1, 0], [1, 1]], k=1) if name == "Neighbours" else DETECTORS[name].fit([[1, 0], [1, 1]])
    ).own_scores

    assert own[0] == pytest.approx(own[1])


@EVERY
def test_equal_rows(name: str) -> None:
    """Copies of one row are equally odd, without a warning."""
    own = DETECTORS[name].fit(np.outer(np.arange(1, 13), [0.3, 0.5, 0.2])).own_scores

    assert own == pytest.approx(own[0], abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["Neighbours", "KMeansDistance", "ByExemplar"])
def test_copies_are_not_odd(name: str, dtype: type[np.floating]) -> None:
    """Copies of a row, of whatever length, have the score 0: rounding makes none of them odd."""
    generator = np.random.default_rng(3)
    rows = (generator.standard_normal(512) * generator.uniform(0.1, 10, (100, 1))).astype(dtype)

    own = DETECTORS[name].fit(rows).own_scores

    assert own.tolist() == [0.0] * 100
    assert not flags(own, from_contamination(own, 0.1)).any()


@EVERY
def test_no_vectors(name: str) -> None:
    """Rows that are no vectors are refused, as are new ones of another length."""
    rows, _ = plant_groups(60, 3)
    fitted = DETECTORS[name].fit(rows)
    rows[7, 7] = np.nan

    with pytest.raises(InvalidVectorError):
        DETECTORS[name].fit(rows)
    with pytest.raises(InvalidVectorError):
        fitted.scores(rows)
    with pytest.raises(DataError, match="Got 32"):
        fitted.scores(np.ones((2, 32)))


def test_neighbours_are_those_of_scikit_learn() -> None:
    """The score is the mean cosine distance that scikit-learn finds, without the row itself among its own."""
    rows, _ = plant_groups(150, 4)
    reference = NearestNeighbors(n_neighbors=4, metric="cosine", algorithm="brute").fit(rows[:100])

    fitted = Neighbours.fit(rows[:100], k=4)

    assert fitted.own_scores == pytest.approx(reference.kneighbors()[0].mean(axis=1), abs=1e-6)
    assert fitted.scores(rows[100:]) == pytest.approx(reference.kneighbors(rows[100:])[0].mean(axis=1), abs=1e-6)


def test_odd_rows_of_very_many_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lists find the neighbours, no row seems less odd than it is, and the oddest have their exact scores."""
    rows = np.concatenate([blobs(1500, 40, noise=0.6).rows, np.random.default_rng(3).normal(size=(30, 64))])
    exact = Neighbours.fit(rows).own_scores
    monkeypatch.setattr(neighbours, "ALL_COMPARED", 1)
    monkeypatch.setattr(neighbours, "_HELD", 0.9)

    without = neighbours.other_items(directions(rows), 5).distances.mean(axis=1)
    monkeypatch.setattr(detectors, "_ODD", 0.05)
    scores = Neighbours.fit(rows).own_scores
    odd = np.argsort(-exact)[:40]

    assert (scores >= exact - 1e-6).all()
    assert scores[odd] == pytest.approx(exact[odd], abs=1e-6)
    assert (without[odd] > exact[odd] + 1e-3).any()  # the lists alone miss neighbours of strangers


@pytest.mark.parametrize("k", [0, 20, 10_000])
def test_neighbours_that_are_not_there(k: int) -> None:
    """As many neighbours as there are not are refused."""
    with pytest.raises(DataError, match=f"from 1 to the number of others, 19. Got {k}"):
        Neighbours.fit(plant_groups(20, 2)[0], k=k)


def test_kmeans_own_scores_leave_the_row_out() -> None:
    """A row's own score is its distance to the mean of the others of its group, or to another centre that is nearer."""
    rows, _ = plant_groups(80, 4, spread=1.5)
    unit = directions(rows).astype(np.float64)
    fitted = KMeansDistance.fit(rows, k=6)
    labels = np.linalg.norm(unit[:, None] - fitted.centres, axis=2).argmin(axis=1)

    for row in range(80):
        others = (labels == labels[row]) & (np.arange(80) != row)
        centres = np.delete(fitted.centres, labels[row], axis=0)
        centres = np.vstack([centres, unit[others].mean(axis=0)]) if others.any() else centres
        assert fitted.own_scores[row] == pytest.approx(np.linalg.norm(centres - unit[row], axis=1).min(), abs=1e-5)


@pytest.mark.parametrize("k", [0, 21, 10_000])
def test_kmeans_with_groups_that_are_not_there(k: int) -> None:
    """No groups, or more than rows, are refused."""
    with pytest.raises(DataError, match=rf"from 1 to the number of different vectors, 20\. Got {k}"):
        KMeansDistance.fit(plant_groups(20, 2)[0], k=k)


def test_kmeans_notices_a_row_that_is_alone() -> None:
    """A stranger that K-means gave a group of its own is still the oddest, though its centre is itself."""
    rows = np.vstack([plant_groups(100, 3, spread=0.2)[0], -np.ones((1, 64))])

    fitted = KMeansDistance.fit(rows, k=4)

    assert fitted.scores(rows)[-1] == pytest.approx(0, abs=1e-6)
    assert fitted.own_scores.argmax() == 100


@pytest.mark.parametrize(("n", "trees"), [(2, 10), (92, 100), (600, 20)])
def test_forest_is_that_of_scikit_learn(n: int, trees: int) -> None:
    """The scores are those of scikit-learn's forest, to the last digits, for rows it knows and for others."""
    rows, _ = plant_groups(n + 50, 2)
    unit = directions(rows)
    reference = ensemble.IsolationForest(n_estimators=trees, random_state=5).fit(unit[:n])

    fitted = IsolationForest.fit(rows[:n], trees=trees)

    assert fitted.own_scores == pytest.approx(-reference.score_samples(unit[:n]), rel=1e-12)
    assert fitted.scores(rows[n:]) == pytest.approx(-reference.score_samples(unit[n:]), rel=1e-12)


def test_forest_flags_what_the_workshop_flagged() -> None:
    """With the workshop's contamination the flagged rows are those that scikit-learn predicts to be outliers."""
    rows, _ = with_strangers(100, 3)
    reference = ensemble.IsolationForest(n_estimators=100, contamination=0.03, random_state=5).fit(directions(rows))

    own = IsolationForest.fit(rows).own_scores

    assert flags(own, from_contamination(own)).tolist() == (reference.predict(directions(rows)) == -1).tolist()


def test_forest_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row the scores are the same."""
    rows, _ = plant_groups(30, 2)
    fitted = IsolationForest.fit(rows)
    monkeypatch.setattr(forest, "_ROWS", 1)

    assert (fitted.scores(rows) == fitted.own_scores).all()


def test_forest_without_trees() -> None:
    """A forest of no trees is refused."""
    with pytest.raises(DataError, match=r"2 vectors and 1 tree\. Got 3 and 0"):
        IsolationForest.fit(np.eye(3), trees=0)


def test_exemplars_are_the_workshops_sql() -> None:
    """The score is 1 less the highest cosine to an exemplar."""
    rows, _ = plant_groups(40, 3)
    unit = directions(rows).astype(np.float64)

    fitted = ByExemplar.fit(rows, exemplars=rows[[3, 9]])

    assert fitted.own_scores == pytest.approx(1 - (unit @ unit[[3, 9]].T).max(axis=1), abs=1e-6)
    assert (fitted.scores(rows) == fitted.own_scores).all()


def test_drawn_exemplars_are_not_their_own() -> None:
    """A row that was drawn as an exemplar is compared with the other exemplars."""
    rows, _ = plant_groups(40, 3)

    fitted = ByExemplar.fit(rows, seed=8)

    assert fitted.exemplars.shape == (3, 64)
    assert fitted.own_scores.min() > 0.01
    assert np.sort(fitted.scores(rows))[:3] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("exemplars", "message"), [(np.empty((0, 3)), "at least 1 exemplar"), (np.eye(4), "one length")]
)
def test_exemplars_that_are_none(exemplars: np.ndarray, message: str) -> None:
    """No exemplars, and exemplars of another length, are refused."""
    with pytest.raises(DataError, match=message):
        ByExemplar.fit(np.eye(3), exemplars=exemplars)


def test_neighbours_notice_digits_that_they_have_not_seen() -> None:
    """Of real digits, each left out in turn, the mean ROC AUC is at least 0.97."""
    digits = load_digits()

    found = [*hold_out(digits.data, digits.target, detectors={"Neighbours": Neighbours.fit})]

    assert [each.held for each in found] == [str(digit) for digit in range(10)]
    assert np.mean([each.roc_auc for each in found]) >= 0.97
