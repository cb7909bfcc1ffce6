"""Hiding a class tells whether a detector tells strangers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from meetup2025.analytics.holdout import hold_out
from meetup2025.errors import DataError

ROWS = np.arange(20.0)[:, None]
LABELS = np.array(["low"] * 10 + ["high"] * 10)


@dataclass(frozen=True)
class AboveAll:
    """A detector for which a row is the stranger the larger it is, that remembers what it saw."""

    seen: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Give the numbers of the rows."""
        assert not np.isin(rows, self.seen).any()
        return rows[:, 0]


def test_hidden_class_is_told() -> None:
    """The hidden class is never seen; it is tried as a whole, with the normal rows that were kept back."""
    trial = hold_out(AboveAll, ROWS, LABELS, "high")

    assert trial.strange.sum() == 10
    assert len(trial.scores) == 13
    assert trial.scores[trial.strange].tolist() == list(range(10, 20))
    assert trial.roc_auc == 1


def test_wrong_detector() -> None:
    """A detector that has it the wrong way round has the worst measure."""
    assert hold_out(AboveAll, ROWS, LABELS, "low").roc_auc == 0


def test_seed() -> None:
    """The split is that of the seed."""
    kept = [set(hold_out(AboveAll, ROWS, LABELS, "high", seed=seed).scores[:3]) for seed in (1, 1, 2)]

    assert kept[0] == kept[1] != kept[2]


def test_two_others() -> None:
    """Of two others one is learnt and one is tried."""
    trial = hold_out(AboveAll, [[1.0], [2.0], [3.0]], ["a", "a", "b"], "b")

    assert trial.strange.tolist() == [False, True]


@pytest.mark.parametrize(("labels", "label"), [(["a", "a", "a"], "b"), (["a", "b", "b"], "b"), ([], "a")])
def test_nothing_to_hide(labels: list[str], label: str) -> None:
    """Without the class, or without others, there is nothing to try."""
    with pytest.raises(DataError, match=f"labelled '{label}', and 2 others"):
        hold_out(AboveAll, np.ones((len(labels), 1)), labels, label)
