"""
Maps of vectors: the first of a process, a vector placed on one, the way back, 100,000 vectors, and strangers.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from meetup2025.analytics.maps import Map

ROOT = Path(__file__).parents[1]
FIRST, MANY, AIMS = (92, 5_000), 100_000, (2.0, 8.0)
RUNS, NEW = 20, 40
SLOW_DIGITS = (0, 5)
"""Digits that are held out from UMAP's inverse transform, which takes minutes for a digit."""


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Make the first map of new processes. Then place and go back on a map, and detect strangers."""
    os.environ["NUMBA_CACHE_DIR"] = _compiled(folder)
    yield from _compiling(folder)
    for size, aim in zip(FIRST, AIMS, strict=True):
        yield from _first(folder, size, runs=3 if size < 1000 else 2, aim=aim)
    yield from _on_a_map(FIRST[-1])
    yield from _many(folder, MANY)
    yield from _strangers(tuple(range(10)), SLOW_DIGITS)


def vectors(size: int, seed: int = 0) -> NDArray[np.float32]:
    """
    Draw unit vectors as a CLIP makes them: in one cone, around 400 centres, and in part along 20 directions.

    These directions join the groups. Where groups hardly touch, umap-learn looks for a start for minutes to hours.

    Returns:
        Shape (size, 512).
    """
    space, rng = np.random.default_rng(2025), np.random.default_rng(seed)
    cone, centres, shared = space.normal(size=512), space.normal(size=(400, 512)), space.normal(size=(20, 512))
    found = np.empty((size, 512), np.float32)
    for start in range(0, size, 4096):  # in parts: the memory of this function must not count
        rows = found[start : start + 4096]
        around = cone + 0.7 * centres[rng.integers(0, len(centres), len(rows))]
        rows[:] = around + 0.12 * rng.normal(size=(len(rows), 20)) @ shared + 0.3 * rng.normal(size=rows.shape)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def _compiled(folder: Path) -> str:
    return str(folder / "compiled")


def _compiling(folder: Path) -> Iterator[Result]:
    way = Way(OURS, lambda: _child(folder, "compile"), note="once in an installation")
    yield from by_turns("compile what maps need", way, runs=1, warm_up=0)


def _first(folder: Path, size: int, *, runs: int, aim: float) -> Iterator[Result]:
    rows = _saved(folder, size)
    ours = Way(OURS, lambda: _child(folder, OURS, rows))
    theirs = Way(WORKSHOP, lambda: _child(folder, WORKSHOP, rows), note="umap-learn as it is installed")
    yield from by_turns(f"first map of a new process, {size:,} vectors", ours, theirs, runs=runs, warm_up=0, aim=aim)


def _many(folder: Path, size: int) -> Iterator[Result]:
    rows, peaks = _saved(folder, size), {}
    ways = [Way(way, lambda way=way: peaks.update({way: _child(folder, way, rows)})) for way in (OURS, WORKSHOP)]
    yield from by_turns(f"map of {size:,} vectors, new process", *ways, runs=1, warm_up=0, aim=90)
    aim = 3 * rows.stat().st_size / 1e6
    for way, peak in peaks.items():
        note = f"above the libraries and the vectors, which have {aim / 3:,.0f} MB"
        limit = aim if way == OURS else None
        yield Result(f"map of {size:,} vectors: memory", way, (float(peak),), "MB", aim=limit, note=note)


def _saved(folder: Path, size: int) -> Path:
    path = folder / f"{size}.npy"
    np.save(path, vectors(size))
    return path


def _child(folder: Path, way: str, rows: Path | str = "") -> str:
    """Make a map in a new process, and return its output."""
    command = [sys.executable, "-m", "benchmarks.first_map", way, str(rows)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": "" if way == WORKSHOP else _compiled(folder)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def _on_a_map(size: int) -> Iterator[Result]:
    """Place vectors one by one, and go back."""
    from meetup2025.analytics import inverse, maps, placing

    known, new = vectors(size), vectors(NEW, seed=7)
    fitted, theirs = maps.fit_map(known), workshop_map(known)
    turn, other = _rows(new), _rows(new)
    yield from by_turns(
        f"place a vector on a map of {size:,}",
        Way(OURS, lambda: placing.place(fitted, next(turn))),
        Way(WORKSHOP, lambda: theirs.transform(next(other)), note="UMAP.transform"),
        runs=RUNS,
        warm_up=2,
        aim=0.01,
    )
    places = placing.place(fitted, new)
    turn, other = _rows(places), _rows(places)
    yield from by_turns(
        f"vector at a place on a map of {size:,}", Way(OURS, lambda: inverse.inverse(fitted, next(turn))),
        runs=RUNS, aim=0.005,
    )  # fmt: skip
    note = "UMAP.inverse_transform, for one place"
    theirs_back = Way(WORKSHOP, lambda: theirs.inverse_transform(next(other)), note=note)
    yield from by_turns(f"vector at a place on a map of {size:,}", theirs_back, runs=2, warm_up=0)
    yield from _likeness(fitted, theirs, new, size)


def _likeness(fitted: Map, theirs: Any, new: NDArray[np.float32], size: int) -> Iterator[Result]:
    from meetup2025.analytics import inverse

    what = f"cosine after a round trip, map of {size:,}"
    ours = inverse.round_trip(fitted, new).median
    images = theirs.inverse_transform(theirs.transform(new))
    cosines = np.einsum("nd,nd->n", images / np.linalg.norm(images, axis=1, keepdims=True), new)
    for way, cosine in ((OURS, ours), (WORKSHOP, float(np.median(cosines)))):
        yield Result(
            what, way, (1000 * cosine,), "of 1,000", note=f"median of {NEW} new vectors; at least 850 is wanted"
        )


def workshop_map(rows: NDArray[np.float32]) -> Any:
    """Fit the UMAP of the workshop."""
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has one job, since it has a seed
        return UMAP(n_components=3, n_neighbors=15, min_dist=0.2, metric="cosine", random_state=42).fit(rows)


def _strangers(digits: Sequence[int], slow: Sequence[int]) -> Iterator[Result]:
    """Detect each digit as a stranger on a map of the other digits."""
    yield from _told(slow, {OURS: "neighbours", WORKSHOP: "inverse_transform"})
    yield from _told(digits, {OURS: "neighbours"})


def _told(digits: Sequence[int], methods: Mapping[str, str]) -> Iterator[Result]:
    what, areas = f"strangers, {len(digits)} digits in turn", {way: [] for way in methods}
    ways = [
        Way(way, lambda way=way, method=method: areas[way].extend(_areas(method, digits)), note=method)
        for way, method in methods.items()
    ]
    yield from by_turns(what, *ways, runs=1, warm_up=0)
    for way, each in areas.items():
        note = f"mean ROC AUC; from {min(each):.3f} to {max(each):.3f}"
        yield Result(f"{what}: told", way, (1000 * float(np.mean(each)),), "of 1,000", note=note)


def _areas(method: Any, digits: Sequence[int]) -> Iterator[float]:
    from sklearn.datasets import load_digits

    from meetup2025.analytics.detector_tests import hold_out
    from meetup2025.analytics.reconstruction import Reconstruction

    rows, labels = load_digits(return_X_y=True)
    fit = {"Reconstruction": functools.partial(Reconstruction.fit, method=method)}
    for found in hold_out(rows, labels, detectors=fit, held=digits, share=0.7):
        yield found.roc_auc


def _rows(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the rows one after the other, again and again, of the shape (1, d)."""
    while True:
        yield from rows[:, None]
