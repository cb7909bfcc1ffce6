"""What a map of normal vectors cannot give back is a stranger."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, unit
from sklearn.datasets import load_digits

from meetup2025.analytics.detector_tests import hold_out
from meetup2025.analytics.reconstruction import Reconstruction
from meetup2025.errors import DataError, InvalidVectorError

NORMAL = blobs(240, 6)
"""The first 180 are learnt, the others are new."""

STRANGER = unit(np.random.default_rng(9).normal(size=(1, 64)))

METHODS = ("neighbours", "inverse_transform")


@pytest.fixture(scope="module")
def detector() -> Reconstruction:
    """What the first 180 vectors taught."""
    return Reconstruction.fit(NORMAL.rows[:180])


def test_stranger_scores_first(detector: Reconstruction) -> None:
    """A vector of none of the groups scores above all new normal ones."""
    scores = detector.scores(np.vstack([NORMAL.rows[180:], STRANGER]))

    assert scores.dtype == np.float64
    assert scores.argmax() == 60
    assert scores[60] > 1.5 * np.delete(scores, 60).max()


def test_stranger_by_inverse_transform() -> None:
    """By UMAP's inverse transform a stranger scores above the average."""
    detector = Reconstruction.fit(NORMAL.rows[:60], method="inverse_transform")

    scores = detector.scores(np.vstack([NORMAL.rows[180:200], STRANGER]))

    assert scores[20] > scores[:20].mean()
    assert np.isfinite(detector.own_scores).all()


def test_own_scores_are_like_those_of_new_vectors(detector: Reconstruction) -> None:
    """A vector does not explain itself: what was learnt scores as what is new of the same kind."""
    new = detector.scores(NORMAL.rows[180:])

    assert detector.own_scores.shape == (180,)
    assert np.mean(detector.own_scores) == pytest.approx(np.mean(new), rel=0.15)
    assert np.mean(detector.scores(NORMAL.rows[:180])) < 0.95 * np.mean(detector.own_scores)


def test_stranger_among_the_learnt() -> None:
    """A stranger that was learnt with the others has the highest of their own scores."""
    detector = Reconstruction.fit(np.vstack([NORMAL.rows[:180], STRANGER]))

    assert detector.own_scores.argmax() == 180


def test_same_seed_same_scores(detector: Reconstruction) -> None:
    """The same rows and seed give the same scores, in any company."""
    again = Reconstruction.fit(NORMAL.rows[:180])

    assert (again.own_scores == detector.own_scores).all()
    assert again.scores(NORMAL.rows[200:201]) == pytest.approx(detector.scores(NORMAL.rows[190:210])[10])


@pytest.mark.parametrize("digit", [0, 3, 8])
def test_held_out_digits(digit: int) -> None:
    """On scikit-learn's digits, a class that was never seen is told from the others: 0.974 on average."""
    rows, labels = load_digits(return_X_y=True)

    [found] = hold_out(rows, labels, detectors={"Reconstruction": Reconstruction.fit}, held=[digit], share=0.7)

    assert found.held == str(digit)
    assert found.roc_auc > 0.93


def test_nothing_but_plain_fields(detector: Reconstruction) -> None:
    """A detector is arrays, numbers and a text, so that it can be stored without a pickle."""
    for value in vars(detector).values():
        assert type(value) in {int, float, str} or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


@pytest.mark.parametrize("n", [2, 3, 15])
def test_few_vectors(n: int) -> None:
    """From two vectors on, scores are numbers."""
    detector = Reconstruction.fit(NORMAL.rows[:n])

    assert np.isfinite(detector.own_scores).all()
    assert np.isfinite(detector.scores(STRANGER)).all()


def test_equal_vectors() -> None:
    """Vectors that are all the same explain each other, and no other."""
    detector = Reconstruction.fit(np.ones((20, 4)))

    assert detector.own_scores == pytest.approx(0, abs=1e-6)
    assert detector.scores([[1, 1, 1, -1], [2, 2, 2, 2]]) == pytest.approx([0.5, 0], abs=1e-6)


def test_no_vectors(detector: Reconstruction) -> None:
    """No vectors have no scores."""
    assert detector.scores(np.empty((0, 64))).shape == (0,)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_vectors(n: int) -> None:
    """Fewer than two vectors teach nothing."""
    with pytest.raises(DataError, match=f"at least 2 vectors. Got {n}"):
        Reconstruction.fit(np.ones((n, 4)))


@pytest.mark.parametrize("arguments", [{"method": "magic"}, {"k": 0}])
def test_refused_arguments(arguments: dict) -> None:
    """A way back that is none is refused before the map is made."""
    with pytest.raises(DataError, match="Got"):
        Reconstruction.fit(NORMAL.rows, **arguments)


def test_refused_vectors(detector: Reconstruction) -> None:
    """Rows that are no vectors, or of another length, are refused."""
    with pytest.raises(InvalidVectorError):
        detector.scores(np.zeros((1, 64)))
    with pytest.raises(DataError, match="must have one length"):
        detector.scores(np.ones((1, 8)))
