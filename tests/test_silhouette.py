"""The silhouette is that of scikit-learn, also where rows are equal or alone."""

from __future__ import annotations

import time

import numpy as np
import pytest
from planted_groups import plant_groups
from sklearn.metrics import silhouette_samples

from meetup2025.analytics import silhouette as module
from meetup2025.analytics.silhouette import silhouette
from meetup2025.errors import DataError, InvalidVectorError


@pytest.mark.parametrize("block", [1, 500, 1 << 22])
@pytest.mark.parametrize("k", [2, 5, 40])
def test_silhouette_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch, k: int, block: int) -> None:
    """For right and for wrong groups, in one block or many, each value is scikit-learn's."""
    monkeypatch.setattr(module, "_BLOCK", block)
    rows, groups = plant_groups(200, k, spread=1)
    rows = rows.astype(np.float64)
    groups[:30] = np.arange(30) % k

    found = silhouette(rows, groups)

    assert found.values == pytest.approx(silhouette_samples(rows, groups, metric="cosine"), abs=1e-5)
    assert found.score == pytest.approx(found.values.mean())


def test_labels_may_be_anything() -> None:
    """Labels are told apart, not counted: texts and numbers with gaps do."""
    rows, groups = plant_groups(50, 2)

    assert silhouette(rows, groups * 7 - 3).score == silhouette(rows, np.array(["a", "b"])[groups]).score


def test_a_row_alone_has_none() -> None:
    """A row that is alone in its group has the value 0."""
    rows, groups = plant_groups(30, 2)
    groups[4] = 9

    assert silhouette(rows, groups).values[4] == 0


def test_equal_rows() -> None:
    """Two groups of copies lie as well as can be; copies in different groups lie nowhere, as scikit-learn says too."""
    copies = np.outer([1, 2, 3, 5, 7, 9], [0.3, 0.2, 0.7])
    apart = copies.copy()
    apart[3:] = [1, 0, 0]

    assert silhouette(apart, [0, 0, 0, 1, 1, 1]).values == pytest.approx(1)
    assert silhouette(copies, [0, 0, 0, 1, 1, 1]).values.tolist() == [0] * 6


def test_copies_that_are_rounded_otherwise() -> None:
    """Copies of other lengths differ in their last digits as float32; they are copies all the same."""
    row = np.random.default_rng(5).normal(size=64)
    copies = (np.arange(1, 40)[:, None] * row).astype(np.float32)

    assert silhouette(copies, np.arange(39) % 3).values.tolist() == [0] * 39


def test_three_rows_are_enough() -> None:
    """Two groups of three rows can be judged."""
    assert silhouette([[1, 0], [1, 0.1], [0, 1]], [0, 0, 1]).values[:2] == pytest.approx(1, abs=0.02)


def test_time_grows_with_the_rows() -> None:
    """20,000 rows of 64 numbers, of which scikit-learn compares all pairs, take less than a second of processor."""
    rows, groups = plant_groups(20_000, 30)
    start = time.process_time()

    silhouette(rows, groups)

    assert time.process_time() - start < 1


@pytest.mark.parametrize("labels", [[], [0], [0, 0], [0, 1], [0, 0, 0], [0, 1, 2]])
def test_too_few_or_many_groups(labels: list[int]) -> None:
    """One group, or as many as rows, have no silhouette."""
    with pytest.raises(DataError, match=f"one fewer than the {len(labels)} rows. Got {len(set(labels))}"):
        silhouette(np.eye(3)[: len(labels)], labels)


def test_labels_of_another_number() -> None:
    """Labels that are not one for each row are refused."""
    with pytest.raises(DataError, match="one label for each of the 4 rows"):
        silhouette(np.eye(4), [0, 1, 1])


def test_no_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        silhouette([[1, np.nan], [1, 0], [0, 1]], [0, 0, 1])
