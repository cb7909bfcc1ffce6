"""Compare detectors on the same items. The threshold of a detector comes from items that are not in the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.detectors import DETECTORS
from meetup2025.analytics.evaluation import Evaluation, areas, evaluate, split
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.thresholds import best_f1, binary
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.detectors import Detector

_SEED = 5


@dataclass(frozen=True)
class Compared:
    """
    The measured quality of a detector.

    Attributes:
        detector: Name of the detector.
        trained: Number of rows that it was fitted to.
        evaluation: Result on the test items, with the threshold that is best on the validation items.
    """

    detector: str
    trained: int
    evaluation: Evaluation


@dataclass(frozen=True)
class HeldOut:
    """
    The measured quality of a detector on a class that it has not seen.

    Attributes:
        detector: Name of the detector.
        held: The class that was left out.
        roc_auc: Chance that a row of this class has a higher score than a row of the other classes.
        pr_auc: Average precision.
    """

    detector: str
    held: str
    roc_auc: float
    pr_auc: float


def compare(
    rows: ArrayLike,
    labels: ArrayLike,
    *,
    detectors: Mapping[str, Callable[..., Detector]] | None = None,
    unsupervised: bool = False,
    seed: int = _SEED,
) -> tuple[Compared, ...]:
    """
    Measure detectors on the same items.

    Half of the normal rows train a detector. The other half and the odd rows are split in two: validation rows choose
    the threshold, test rows measure the detector. So neither the detector nor the threshold knows a test row.

    Args:
        rows: Vectors, shape (n, d).
        labels: Labels, shape (n,), 1 or True where a row is odd. There are at least 2 odd rows and enough normal rows
            to train.
        detectors: Name -> function that fits the detector, called as `fit(rows, seed=seed)`. None takes all
            `DETECTORS`.
        unsupervised: True fits a detector to all rows, odd rows too, and uses its scores of these rows. This measures
            the detector on a table that nobody has judged. The labels still choose the threshold.
        seed: Seed of the random choices.

    Returns:
        One record for each detector, in their order.

    Raises:
        DataError: There are too few rows of a kind, or a detector needs more.
        InvalidVectorError: As `vectors.check`.
    """
    unit, odd = directions(rows), binary(labels)
    if len(unit) != len(odd):
        raise DataError(f"There must be one label for each of the {len(unit)} rows. Got {len(odd)}.")
    trained, judged = _parts(odd, seed, unsupervised=unsupervised)
    parts, own = split(odd[judged], seed=seed), odd[judged]
    found = []
    for name, fit in _chosen(detectors).items():
        detector = fit(unit[trained], seed=seed)
        scores = detector.own_scores if unsupervised else detector.scores(unit[judged])
        threshold = best_f1(scores[parts.validation], own[parts.validation])
        test = evaluate(scores[parts.test], own[parts.test], threshold, seed=seed)
        found.append(Compared(name, len(trained), test))
    return tuple(found)


def hold_out(  # noqa: PLR0913 - each is told by its name
    rows: ArrayLike,
    classes: ArrayLike,
    *,
    detectors: Mapping[str, Callable[..., Detector]] | None = None,
    held: Iterable[Any] | None = None,
    share: float = 0.5,
    seed: int = _SEED,
) -> Iterator[HeldOut]:
    """
    Leave out one class after the other: would the detector notice a species that it has never seen?

    A detector is fitted to a part of the other classes. It scores the rest of them and the class that was left out.

    Args:
        rows: Vectors, shape (n, d).
        classes: Class of each row, shape (n,), with at least 2 different classes.
        detectors: As in `compare`.
        held: Classes to leave out. None takes all.
        share: Share of the other rows that is trained on, above 0 and below 1.
        seed: Seed of the random choices.

    Yields:
        One record for each class and detector.

    Raises:
        DataError: There is one class only, the lengths differ, or a detector needs more rows.
        InvalidVectorError: As `vectors.check`.
    """
    unit, kinds = directions(rows), np.asarray(classes)
    if kinds.shape != (len(unit),) or len(np.unique(kinds)) < 2:
        raise DataError(f"Each of the {len(unit)} rows must have a class, and two must differ. Got {kinds.shape}.")
    if not 0 < share < 1:
        raise DataError(f"The share to train on must be above 0 and below 1. Got {share}.")
    for each in np.unique(kinds) if held is None else held:
        others = np.random.default_rng(seed).permutation(np.flatnonzero(kinds != each))
        count = round(share * len(others))
        tested = np.concatenate([others[count:], np.flatnonzero(kinds == each)])
        for name, fit in _chosen(detectors).items():
            scores = fit(unit[others[:count]], seed=seed).scores(unit[tested])
            yield HeldOut(name, str(each), *areas(scores, kinds[tested] == each))


def _chosen(detectors: Mapping[str, Callable[..., Detector]] | None) -> Mapping[str, Callable[..., Detector]]:
    return {name: each.fit for name, each in DETECTORS.items()} if detectors is None else detectors


def _parts(odd: NDArray[np.bool_], seed: int, *, unsupervised: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on, and the rows to judge."""
    every = np.arange(len(odd))
    if unsupervised:
        return every, every
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~odd))
    trained = np.sort(normal[: len(normal) // 2])
    return trained, np.setdiff1d(every, trained)
