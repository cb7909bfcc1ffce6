"""
Names and labelled photos together: each rule of naming by photos, one naming among many photos, fitting, and teaching.

Real photographs are measured where their vectors lie beside the checkout: `shared/real-photo-vectors.jsonl`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import meetup2025
from benchmarks.groups import planted
from benchmarks.measure import OURS, Result, Way, by_turns, peak_memory
from meetup2025 import vectors
from meetup2025.analytics.recogniser import calibration_error, fit
from meetup2025.runs.recogniser import Photo, fit_recogniser, learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from meetup2025.analytics.recogniser import Learnt

    Rule = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.str_]], NDArray[np.float64]]

SHARED = Path(__file__).parents[2] / "shared" / "real-photo-vectors.jsonl"
FOLDS, REPEATS, SEED = 5, 3, 5
LABELS, SIZES = 100, (10_000, 100_000)
AIMS = {10_000: 0.015, 100_000: 0.040}
FITTING, TEACHING = 5.0, 0.005


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Compare the rules, then time naming, fitting and teaching."""
    rows, groups = planted(1_200, 24, spread=1.6)
    yield from _rules("planted", rows, np.array([f"label {group:02}" for group in groups]), None)
    if SHARED.is_file():
        found = [json.loads(line) for line in SHARED.read_text("utf-8").splitlines()]
        every = np.array([vectors.from_text(row["features"]) for row in found], np.float32)
        own = np.array([row["label"] if row["kind"] == "species" else "" for row in found])
        yield from _rules("real photos", every[own != ""], own[own != ""], every[own == ""])
    yield from _fitting()
    for size in SIZES:
        yield from _naming(size)


def _rules(
    what: str, rows: NDArray[np.float32], own: NDArray[np.str_], none: NDArray[np.float32] | None
) -> Iterator[Result]:
    """Share the photos of each label among five parts; each part is asked of the others."""
    for name, rule in RULES.items():
        shares = [_asked(rule, rows, own, seed) for seed in range(REPEATS)]
        for place, share in enumerate(("top 1", "top 3", "macro")):
            yield Result(f"{what}: {share}", name, tuple(each[place] for each in shares), unit="share")
    found = np.array([_judged(rows, own, none, seed) for seed in range(REPEATS)])
    for place, share in enumerate(("ECE", "coverage at 95 %", "right among the sure", "AUC of none of these")):
        if not np.isnan(found[:, place]).any():
            yield Result(f"{what}: {share}", OURS, tuple(found[:, place].tolist()), unit="share")


def _parts(own: NDArray[np.str_], seed: int) -> Iterator[NDArray[np.bool_]]:
    rng, part = np.random.default_rng(seed), np.empty(len(own), int)
    for label in np.unique(own):
        places = rng.permutation(np.flatnonzero(own == label))
        part[places] = (np.arange(len(places)) + rng.integers(FOLDS)) % FOLDS
    return (part == each for each in range(FOLDS))


def _asked(rule: Rule, rows: NDArray[np.float32], own: NDArray[np.str_], seed: int) -> tuple[float, float, float]:
    hits = np.empty((len(own), 3), bool)
    for asked in _parts(own, seed):
        names, scores = np.unique(own[~asked]), rule(rows[asked], rows[~asked], own[~asked])
        hits[asked] = names[np.argsort(-scores, axis=1, kind="stable")[:, :3]] == own[asked][:, None]
    right = hits[:, 0]
    return (
        float(right.mean()),
        float(hits.any(axis=1).mean()),
        float(np.mean([right[own == each].mean() for each in np.unique(own)])),
    )


def _judged(
    rows: NDArray[np.float32], own: NDArray[np.str_], none: NDArray[np.float32] | None, seed: int
) -> tuple[float, float, float, float]:
    """Fit to four parts, ask the fifth: ECE, coverage, right among the sure (with negatives in the heap), AUC."""
    chances, right, sure, let_in, areas = [], [], [], 0, []
    for part, asked in enumerate(_parts(own, seed)):
        negatives = None if none is None else np.array_split(none, FOLDS)
        others = (
            None
            if negatives is None
            else np.concatenate([each for place, each in enumerate(negatives) if place != part])
        )
        learnt = fit(rows[~asked], list(own[~asked]), negatives=others)
        found = learnt.recogniser
        score, chance, names = _first(learnt, rows[asked])
        chances.append(chance)
        right.append(names == own[asked])
        sure.append((score >= found.score) & (chance >= found.probability))
        if negatives is not None:
            of_none, by_chance, _ = _first(learnt, negatives[part])
            let_in += int(((of_none >= found.score) & (by_chance >= found.probability)).sum())
            areas.append(float((score[:, None] > of_none).mean()))
    hits, called = np.concatenate(right), np.concatenate(sure)
    shares = calibration_error(np.concatenate(chances), hits), float(called.mean())
    return (*shares, float(hits[called].sum() / (called.sum() + let_in)), float(np.mean(areas)) if areas else np.nan)


def _first(
    learnt: Learnt, asked: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    likes = learnt.recogniser.likenesses(asked, learnt.prototypes)
    scores = learnt.recogniser.scores(likes, np.full(likes.shape, np.nan))
    chances = learnt.recogniser.probabilities(scores).max(axis=1)
    return scores.max(axis=1), chances, np.array(learnt.prototypes.labels)[scores.argmax(axis=1)]


def _ours(asked: NDArray[np.float32], rows: NDArray[np.float32], own: NDArray[np.str_]) -> NDArray[np.float64]:
    learnt = fit(rows, list(own))
    return learnt.recogniser.likenesses(asked, learnt.prototypes).astype(float)


def _best(asked: NDArray[np.float32], rows: NDArray[np.float32], own: NDArray[np.str_], k: int) -> NDArray[np.float64]:
    """Give the mean of the cosines to the *k* best photos of each label."""
    cosines = asked @ rows.T
    return np.stack([np.sort(cosines[:, own == each], axis=1)[:, -k:].mean(axis=1) for each in np.unique(own)], axis=1)


def _prototype(asked: NDArray[np.float32], rows: NDArray[np.float32], own: NDArray[np.str_]) -> NDArray[np.float64]:
    means = np.array([rows[own == each].mean(axis=0) for each in np.unique(own)])
    return asked.astype(float) @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T


def _majority(asked: NDArray[np.float32], rows: NDArray[np.float32], own: NDArray[np.str_]) -> NDArray[np.float64]:
    """Count the labels of the five nearest photos; of equal counts the one with the nearest photo."""
    nearest = own[np.argsort(-(asked @ rows.T), axis=1)[:, :5]]
    votes = np.stack([(nearest == each).sum(axis=1) for each in np.unique(own)], axis=1)
    return votes + 1e-3 * _best(asked, rows, own, 1)


RULES: dict[str, Rule] = {
    OURS: _ours,
    "nearest photo": lambda asked, rows, own: _best(asked, rows, own, 1),
    "majority of 5": _majority,
    "best 3": lambda asked, rows, own: _best(asked, rows, own, 3),
    "prototype": _prototype,
}


def _fitting() -> Iterator[Result]:
    """Fit to 10,000 photos with 100 names."""
    rows, groups = planted(SIZES[0], LABELS)
    labels, names = [f"label {group}" for group in groups], [f"label {number}" for number in range(LABELS)]
    name_rows = planted(LABELS, 1, seed=8)[0]
    before = peak_memory()
    yield from by_turns(
        "fit 10,000 photos, 100 names",
        Way(OURS, lambda: fit(rows, labels, names=names, name_rows=name_rows)),
        runs=3,
        aim=FITTING,
    )
    note = f"above that of the vectors, {rows.nbytes / 1e6:.0f} MB"
    yield Result("fit 10,000 photos: memory", OURS, (peak_memory() - before,), unit="MB", note=note)


def _naming(size: int) -> Iterator[Result]:
    """Name a vector among so many labelled photos, and teach one more."""
    rows, groups = planted(size, LABELS)
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')").fetchall()
        names = [row[0] for row in cursor.execute("SELECT Name FROM MeetUp2025.FishCatalogue()").fetchall()]
        cursor.executemany(
            "INSERT INTO MeetUp2025.FishImage (Name, Label, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))",
            [(f"photo {place}", names[groups[place]], "sketch@1", row) for place, row in enumerate(rows)],
        )
        connection.commit()
        fit_recogniser(connection)
        asked = vectors.to_text(rows[3])
        sql = "SELECT * FROM MeetUp2025.NearestNames(?, 3)"
        named = Way(OURS, lambda: cursor.execute(sql, [asked]).fetchall())
        plain = Way(
            "names alone", lambda: cursor.execute("SELECT * FROM MeetUp2025.NearestFish(?, 3)", [asked]).fetchall()
        )
        yield from by_turns(f"name a vector, 100 names, {size:,} photos", named, plain, runs=20, aim=AIMS[size])
        taught = Way(OURS, lambda: learn(connection, None, Photo(names[5], asked)))
        yield from by_turns(f"teach one photo, {size:,} photos", taught, runs=9, aim=TEACHING)
