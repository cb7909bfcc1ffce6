"""Detectors side by side: no test item is known to a detector or to its threshold."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planted_groups import plant_groups, with_strangers

from meetup2025.analytics.detector_tests import compare, hold_out
from meetup2025.analytics.detectors import DETECTORS, Neighbours
from meetup2025.analytics.evaluation import split
from meetup2025.errors import DataError, InvalidVectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class First:
    """A detector that finds the first number of a vector odd, and keeps what it was given."""

    known: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: NDArray[np.float32], *, seed: int = 5) -> First:
        """Keep the rows."""
        SEEN.append((rows, seed))
        return cls(rows, rows[:, 0].astype(np.float64))

    def scores(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the first numbers."""
        SEEN.append((rows, -1))
        return rows[:, 0].astype(np.float64)


SEEN: list[tuple[NDArray[np.float32], int]] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    SEEN.clear()


@pytest.mark.parametrize("unsupervised", [False, True])
def test_all_detectors_are_compared(unsupervised: bool) -> None:  # noqa: FBT001 - as pytest gives it
    """Each detector has one record, in their order; the neighbours find the planted strangers."""
    rows, odd = with_strangers(200, 20)

    found = compare(rows, odd, unsupervised=unsupervised)

    assert [each.detector for each in found] == [*DETECTORS]
    assert found[0].evaluation.roc_auc.value == 1
    assert found[0].evaluation.f1.value > 0.9
    assert {each.trained for each in found} == {200 if unsupervised else 90}
    assert all(each.evaluation.roc_auc.value > 0.6 for each in found)


def test_no_item_is_used_twice() -> None:
    """A detector sees half of the normal rows, and none that is judged; odd rows it does not see."""
    rows, odd = with_strangers(100, 10)

    (found,) = compare(rows, odd, detectors={"First": First.fit}, seed=8)

    (trained, seed), (judged, _) = SEEN
    assert (len(trained), len(judged), seed) == (45, 55, 8)
    both = np.concatenate([trained, judged])
    assert len(np.unique(both, axis=0)) == 100
    counted = found.evaluation
    assert counted.true_positives + counted.false_negatives == 5
    assert counted.true_negatives + counted.false_positives == 23


def test_threshold_is_of_the_validation_items() -> None:
    """What happens among the test items does not move the threshold."""
    rows, odd = plant_groups(40, 1)[0].astype(np.float64), np.arange(40) % 2 == 1
    test = split(odd, seed=5).test
    (before,) = compare(rows, odd, detectors={"First": First.fit}, unsupervised=True)
    rows[test] = rows[test[::-1]] * [-1, *[1] * 63]

    (after,) = compare(rows, odd, detectors={"First": First.fit}, unsupervised=True)

    assert before.evaluation.threshold == after.evaluation.threshold
    assert before.evaluation.roc_auc != after.evaluation.roc_auc


def test_the_same_each_time() -> None:
    """The same rows and seed give the same numbers."""
    rows, odd = with_strangers(100, 10)

    one, other = compare(rows, odd), compare(rows, odd)

    assert [each.evaluation.f1 for each in one] == [each.evaluation.f1 for each in other]


@pytest.mark.parametrize(("n", "strangers"), [(0, 0), (30, 0), (30, 1), (30, 29), (30, 30)])
def test_too_few_of_a_kind(n: int, strangers: int) -> None:
    """Without two odd and two normal rows to judge nothing is compared."""
    with pytest.raises(DataError, match="2 odd and 2 normal ones"):
        compare(*with_strangers(n, strangers))


def test_few_to_train() -> None:
    """Detectors that are trained on four rows are compared; on one, each says what it needs."""
    assert len(compare(*with_strangers(18, 10))) == len(DETECTORS)
    with pytest.raises(DataError, match=r"at least 2 vectors\. Got 1"):
        compare(*with_strangers(13, 10))


def test_labels_of_another_number() -> None:
    """Labels that are not one for each row are refused."""
    with pytest.raises(DataError, match=r"each of the 3 rows\. Got 2"):
        compare(np.eye(3), [0, 1])


def test_each_class_is_held_out() -> None:
    """A group that a detector has not seen is noticed, each in turn, by name."""
    rows, groups = plant_groups(200, 4)
    names = np.array(["マアジ", "マサバ", "ブリ", "マダコ"])[groups]

    found = [*hold_out(rows, names, detectors={"Neighbours": Neighbours.fit})]

    assert [each.held for each in found] == sorted(set(names))
    assert all(each.roc_auc == 1 and each.pr_auc == 1 for each in found)


def test_held_out_class_is_not_trained_on() -> None:
    """A detector is fitted to a share of the other classes, and scores all other rows."""
    rows, groups = plant_groups(90, 3)

    found = [*hold_out(rows, groups, detectors={"First": First.fit}, share=0.25)]

    assert len(found) == 3
    for trained, tested in zip(SEEN[::2], SEEN[1::2], strict=True):
        assert (len(trained[0]), len(tested[0])) == (15, 75)
        assert len(np.unique(np.concatenate([trained[0], tested[0]]), axis=0)) == 90


@pytest.mark.parametrize(("n", "classes"), [(0, []), (3, [1, 1, 1]), (3, [1, 2])])
def test_one_class_cannot_be_held_out(n: int, classes: list[int]) -> None:
    """One class, no rows, and classes of another number are refused."""
    with pytest.raises(DataError, match=f"Each of the {n} rows must have a class, and two must differ"):
        next(iter(hold_out(np.eye(4)[:n], classes)))


@pytest.mark.parametrize("share", [0, 1])
def test_share_out_of_range(share: float) -> None:
    """Nothing, or all, cannot be trained on."""
    with pytest.raises(DataError, match="above 0 and below 1"):
        next(iter(hold_out(np.eye(4), [0, 0, 1, 1], share=share)))


def test_no_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        compare([[np.nan, 1], [1, 1]], [0, 1])
