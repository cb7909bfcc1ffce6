"""Groups, their number, and outliers: against scikit-learn as the workshop called it, on the same vectors."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns, peak_memory
from meetup2025.analytics.clusters import fit_clusters
from meetup2025.analytics.detector_tests import hold_out
from meetup2025.analytics.detectors import DETECTORS, Neighbours
from meetup2025.analytics.elbow import bend, elbow
from meetup2025.analytics.silhouette import silhouette

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


DIMENSION, BATCH, TRUTH = 512, 5_000, 12
SWEPT, JUDGED, MANY, GROUPS = 5_000, 20_000, 100_000, 100
CASES = [*itertools.product((92, 500, 1_500), (5, 12, 20))]
KS = range(2, 30)
SKLEARN = "scikit-learn"

_ABOVE = "above that of the vectors"


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Sweep, judge, group and score planted vectors, then digits that no detector has seen."""
    yield from _sweep(planted(SWEPT, TRUTH)[0])
    yield from _knees()
    yield from _silhouette(*planted(JUDGED, 30))
    rows = planted(MANY, 400)[0]
    yield from _outliers(rows)
    yield from _clusters(rows)
    yield from _digits()


def planted(size: int, k: int, *, spread: float = 0.7, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Draw unit vectors as a CLIP makes them: in one cone, around *k* centres, with noise of few directions."""
    rng = np.random.default_rng([seed, k])
    centres = rng.normal(size=DIMENSION) + rng.normal(size=(k, DIMENSION))
    few = rng.normal(size=(20, DIMENSION)) * spread / np.sqrt(20)
    groups, found = rng.integers(0, k, size), np.empty((size, DIMENSION), np.float32)
    for start in range(0, size, BATCH):  # in parts: the memory of this function must not count
        part = groups[start : start + BATCH]
        noise = rng.normal(size=(len(part), 20)) @ few + 0.3 * rng.normal(size=(len(part), DIMENSION))
        rows = centres[part] + noise
        found[start : start + BATCH] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found, groups


def loop(rows: NDArray[np.float32], seed: int = 5) -> int | None:
    """Choose K as the workshop did."""
    from sklearn.cluster import KMeans

    return bend(KS, np.array([KMeans(k, random_state=seed, n_init=10).fit(rows).inertia_ for k in KS]))


def _sweep(rows: NDArray[np.float32]) -> Iterator[Result]:
    what, knees = f"K = 2…29 of {len(rows):,} vectors", {}
    elbow(rows[:1500])  # loads the libraries
    ours = Way(OURS, lambda: knees.update({OURS: elbow(rows).elbow}), note="with the silhouette of each K")
    yield from by_turns(what, ours, runs=5, aim=0.8)
    theirs = Way(WORKSHOP, lambda: knees.update({WORKSHOP: loop(rows)}), note="KMeans(n_init=10) for each K, kneed")
    yield from by_turns(what, theirs, runs=1, warm_up=0)
    for way, knee in knees.items():
        yield Result(f"{what}: elbow", way, () if knee is None else (float(knee),), "groups", note=f"planted: {TRUTH}")


def _knees() -> Iterator[Result]:
    """
    Count the planted cases in which the elbow equals the elbow of the loop, and how often the loop agrees with itself.
    """
    what, unit = "the loop's elbow, of planted vectors", f"of {len(CASES)}"
    rows = [planted(n, k, seed=n)[0] for n, k in CASES]
    loops = [loop(each) for each in rows]
    same = sum(elbow(each).elbow == knee for each, knee in zip(rows, loops, strict=True))
    again = sum(loop(each, seed=6) == knee for each, knee in zip(rows, loops, strict=True))
    yield Result(what, OURS, (float(same),), unit, note="92, 500 and 1,500 vectors; 5, 12 and 20 groups")
    yield Result(what, WORKSHOP, (float(again),), unit, note="with random_state=6 for 5")


def _silhouette(rows: NDArray[np.float32], groups: NDArray[np.intp]) -> Iterator[Result]:
    from sklearn.metrics import silhouette_score

    yield from by_turns(
        f"silhouette of {len(rows):,} vectors",
        Way(OURS, lambda: silhouette(rows, groups)),
        Way(SKLEARN, lambda: silhouette_score(rows, groups, metric="cosine"), note="the same number"),
        runs=3,
        aim=1.0,
    )


def _clusters(rows: NDArray[np.float32]) -> Iterator[Result]:
    from sklearn.cluster import KMeans

    what, before, errors = f"{GROUPS} groups of {len(rows):,} vectors", peak_memory(), {}
    ours = Way(OURS, lambda: errors.update({OURS: fit_clusters(rows, GROUPS).sse}))
    yield from by_turns(what, ours, runs=1, warm_up=0, aim=15.0)
    yield Result(f"{what}: memory", OURS, (peak_memory() - before,), "MB", aim=2 * rows.nbytes / 1e6, note=_ABOVE)
    full = Way(SKLEARN, lambda: errors.update({SKLEARN: KMeans(GROUPS, random_state=5).fit(rows).inertia_}))
    yield from by_turns(what, full, runs=1, warm_up=0)
    share = errors[OURS] / errors[SKLEARN] * 1000
    yield Result(f"{what}: squared error", OURS, (share,), f"of 1,000 of {SKLEARN}", aim=1020.0)


def _outliers(rows: NDArray[np.float32]) -> Iterator[Result]:
    from sklearn.ensemble import IsolationForest

    what, before = f"own scores of {len(rows):,} vectors", peak_memory()
    ours = Way(OURS, lambda: Neighbours.fit(rows), note="5 neighbours; the oddest exact")
    yield from by_turns(what, ours, runs=1, warm_up=0, aim=15.0)
    yield Result(f"{what}: memory", OURS, (peak_memory() - before,), "MB", aim=2 * rows.nbytes / 1e6, note=_ABOVE)
    forest = IsolationForest(n_estimators=100, contamination=0.03, random_state=5)
    note = "IsolationForest: faster, and worth less (below)"
    yield from by_turns(what, Way(WORKSHOP, lambda: forest.fit(rows).score_samples(rows), note=note), runs=1)


def _digits() -> Iterator[Result]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    found = [*hold_out(digits.data, digits.target)]
    for name in DETECTORS:
        own = [each for each in found if each.detector == name]
        roc, pr = np.mean([each.roc_auc for each in own]), np.mean([each.pr_auc for each in own])
        way = WORKSHOP if name in {"IsolationForest", "ByExemplar"} else OURS
        note = f"{name}: ROC AUC {roc:.3f}, average precision {pr:.3f}"
        yield Result("digits, each held out: ROC AUC", f"{way}, {name}", (roc * 1000,), "of 1,000", note=note)
