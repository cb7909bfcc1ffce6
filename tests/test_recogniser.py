"""A recogniser learns from labelled photos: planted labels, names that help or mislead, and photos that are none."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from meetup2025 import vectors
from meetup2025.analytics import recogniser
from meetup2025.analytics.fitted import pack
from meetup2025.analytics.recogniser import Learnt, calibration_error, fit
from meetup2025.errors import DataError

SHARED = Path(__file__).parents[2] / "shared" / "real-photo-vectors.jsonl"
"""Vectors of real photos, where they lie beside the checkout."""

DIMENSION = 64


def planted(
    labels: int, photos: int, *, spread: float = 1.0, seed: int = 7
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Give photos around a centre for each label, their labels, and the centres."""
    centres = vectors.unit(np.random.default_rng(2025).normal(size=(labels, DIMENSION)))
    rng = np.random.default_rng(seed)
    rows = np.repeat(centres, photos, axis=0) + spread * rng.normal(size=(labels * photos, DIMENSION)) / DIMENSION**0.5
    return vectors.unit(rows), [f"label {number:02}" for number in range(labels) for _ in range(photos)], centres


def varied(labels: int, photos: int, seed: int = 7) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Give photos as `planted`, in scenes that say nothing about the label."""
    rows, own, centres = planted(labels, photos, spread=0.5, seed=seed)
    scenes = vectors.unit(np.random.default_rng(11).normal(size=(4, DIMENSION)))
    return vectors.unit(rows + np.random.default_rng(seed).normal(size=(len(rows), 4)) @ scenes), own, centres


def strangers(count: int, seed: int = 3) -> np.ndarray:
    """Give photos that are none of the labels."""
    return vectors.unit(np.random.default_rng(seed).normal(size=(count, DIMENSION)))


def names_of(labels: list[str]) -> list[str]:
    """Give each label once, in rising order."""
    return sorted(set(labels))


def likenesses(pictures: np.ndarray, learnt: Learnt) -> np.ndarray:
    """Compare pictures with the photos that a recogniser has learnt."""
    return learnt.recogniser.likenesses(pictures, learnt.prototypes)


def test_a_prototype_is_the_mean_of_unit_vectors() -> None:
    """The norm of a photo does not count, and the mean keeps its own length."""
    found = fit([[2, 0], [1, 0], [0, 5]], ["a", "a", "b"]).prototypes

    assert found.labels == ("a", "b")
    assert found.counts.tolist() == [2, 1]
    assert found.means.tolist() == [[1, 0], [0, 1]]


def test_a_prototype_grows_and_shrinks_as_if_it_were_made_anew() -> None:
    """A photo that comes, and goes again, leaves the mean of the photos that are there."""
    rows, labels, _ = varied(4, 12)
    learnt = fit(rows, labels)
    seen = learnt.recogniser.damped(rows[:6])
    five, six = seen[:5].mean(axis=0), seen.mean(axis=0)

    assert len(learnt.recogniser.axes)
    assert np.allclose(learnt.recogniser.grown(five, 5, 3 * rows[5]), six, atol=1e-6)
    assert np.allclose(learnt.recogniser.grown(six, 6, rows[5], -1), five, atol=1e-6)
    assert np.allclose(learnt.recogniser.grown(np.zeros(DIMENSION), 0, rows[0]), seen[0], atol=1e-6)


def test_directions_in_which_photos_of_a_label_differ_count_less() -> None:
    """Scenes that photos of every label have hide the label from cosines, and not from a recogniser."""
    rows, labels, _ = varied(12, 10)
    new, own, _ = varied(12, 10, seed=8)
    learnt = fit(rows, labels)
    plain = np.array([rows[place : place + 10].mean(axis=0) for place in range(0, len(rows), 10)])
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)

    kinds = np.array(learnt.prototypes.labels)
    assert (kinds[likenesses(new, learnt).argmax(axis=1)] == own).mean() > 0.95
    assert (kinds[(new @ plain.T).argmax(axis=1)] == own).mean() < 0.9


def test_photos_that_differ_alike_everywhere_are_compared_as_they_are() -> None:
    """Where no direction tells more than another, the likeness is near the cosine to the mean of the photos."""
    rows, labels, _ = planted(4, 12)
    learnt = fit(rows, labels)
    means = np.array([rows[place : place + 12].mean(axis=0) for place in range(0, len(rows), 12)])

    found = likenesses(rows[:1], learnt)[0]

    assert found == pytest.approx(rows[0] @ means.T / np.linalg.norm(means, axis=1), abs=0.1)


def test_a_photo_is_judged_by_the_others_alone() -> None:
    """A photo whose label is that of another place is not right because it is its own neighbour."""
    rows, labels, _ = planted(3, 12, spread=0.5)
    labels[0] = "label 02"

    found = fit(rows, labels).judgements

    assert found.best[0] == "label 00"
    assert not found.right[0]
    assert found.own[0] < 0.02
    assert found.right[1:].all()


def test_of_many_photos_some_are_judged() -> None:
    """With fewer judged photos the prototypes are those of all, and each label is judged."""
    rows, labels, _ = planted(5, 20)

    few, every = fit(rows, labels, judged=25), fit(rows, labels)

    assert few.metrics.judged == 25
    assert {label for label, is_judged in zip(labels, few.judgements.judged, strict=True) if is_judged} == set(labels)
    assert few.prototypes.counts.tolist() == every.prototypes.counts.tolist() == [20] * 5
    assert few.judgements.best.count("") == 75


def test_labels_of_one_photo_are_not_judged() -> None:
    """Nobody can vouch for a label that no other photo has, and nothing is said of it."""
    rows, labels, _ = planted(3, 4)
    labels[0] = "only one"

    learnt = fit(rows, labels)

    assert learnt.judgements.judged.tolist() == [False, *[True] * 11]
    assert np.isnan(learnt.judgements.own[0])
    assert learnt.metrics.judged == 11
    assert learnt.metrics.labels == 4


def test_photos_of_each_label_keep_their_places() -> None:
    """Judgements come in the order of the photos, however their labels lie."""
    rows, labels, _ = planted(4, 8, spread=0.5)
    order = np.random.default_rng(1).permutation(len(rows))

    found = fit(rows[order], [labels[place] for place in order]).judgements

    assert found.best == tuple(labels[place] for place in order)


def test_names_that_say_nothing_have_no_weight() -> None:
    """Names of random vectors are let alone, and the answers stay those of the photos."""
    rows, labels, _ = planted(8, 12, spread=2.5)
    names = names_of(labels)

    alone = fit(rows, labels)
    with_names = fit(rows, labels, names=names, name_rows=strangers(8))

    assert with_names.recogniser.names < 0.1
    assert with_names.metrics.accuracy == pytest.approx(alone.metrics.accuracy, abs=0.03)


def test_names_that_say_much_have_weight() -> None:
    """Names at the centres of their labels lift answers that few photos leave open."""
    rows, labels, centres = planted(8, 3, spread=3.0)

    alone = fit(rows, labels)
    with_names = fit(rows, labels, names=names_of(labels), name_rows=centres)

    assert with_names.recogniser.names > 0.5
    assert (with_names.metrics.accuracy or 0) > (alone.metrics.accuracy or 0) + 0.1


def test_weights_are_not_below_zero() -> None:
    """Names that mislead, each opposite to its label, are given no weight rather than a negative one."""
    rows, labels, centres = planted(6, 10, spread=1.5)

    learnt = fit(rows, labels, names=names_of(labels), name_rows=-centres)

    assert learnt.recogniser.names == 0
    assert learnt.recogniser.photos == 1


def test_a_name_without_photos_is_an_answer() -> None:
    """Where names say much, a picture of a name that has no photo is called by that name."""
    rows, labels, centres = planted(8, 10, spread=1.0)
    shown = [place for place, label in enumerate(labels) if label != "label 07"]
    learnt = fit(rows[shown], [labels[place] for place in shown], names=names_of(labels), name_rows=centres)
    photo = np.append(likenesses(rows[-1:], learnt)[0], np.nan)

    scores = learnt.recogniser.scores(photo, centres @ rows[-1])

    assert scores.argmax() == 7


def test_an_answer_by_a_name_alone_has_a_bound_of_its_own() -> None:
    """Where names say much, an answer by one without photos can be sure; where they say nothing, it never is."""
    rows, labels, centres = planted(8, 12, spread=0.5)
    names = names_of(labels)

    known = fit(rows, labels, names=names, name_rows=centres).recogniser
    others = [f"other {number}" for number in range(20)]
    unknown = fit(rows, labels, names=[*names, *others], name_rows=strangers(28)).recogniser

    assert known.is_known(known.name_score, by_name=True)
    assert known.is_sure(known.name_score, 1.0, by_name=True)
    assert known.name_score < known.score
    assert unknown.name_score > 1


def test_a_label_that_is_no_name_is_an_answer() -> None:
    """A label without a name is scored by its photos, and with a name that says neither yes nor no."""
    rows, labels, centres = planted(4, 10)
    learnt = fit(rows, labels, names=names_of(labels)[:3], name_rows=centres[:3])

    name = np.append(centres[:3] @ rows[-1], np.nan)
    scores = learnt.recogniser.scores(likenesses(rows[-1:], learnt)[0], name)

    assert scores.argmax() == 3
    assert np.isneginf(learnt.recogniser.scores([np.nan], [np.nan])).all()


def test_probabilities_sum_to_one_and_follow_the_scores() -> None:
    """Probabilities are a softmax: they add up to 1, in the order of the scores, and nothing has none."""
    learnt = fit(*planted(3, 10)[:2]).recogniser

    chances = learnt.probabilities([[0.5, 0.4, -np.inf], [1.0, 1.0, 1.0]])

    assert chances.sum(axis=1) == pytest.approx([1, 1])
    assert chances[0, 0] > chances[0, 1] > chances[0, 2] == 0
    assert chances[1].tolist() == pytest.approx([1 / 3] * 3)


def test_photos_of_none_of_the_labels_are_told_by_the_score() -> None:
    """Negatives raise the bound of the score: new ones are below it, new photos of the labels are not."""
    rows, labels, _ = planted(6, 20)
    learnt = fit(rows, labels, negatives=strangers(40))

    def scores(pictures: np.ndarray) -> np.ndarray:
        likes = likenesses(pictures, learnt)
        return learnt.recogniser.scores(likes, np.full(likes.shape, np.nan)).max(axis=1)

    assert (learnt.metrics.auc or 0) > 0.98
    assert (scores(strangers(40, 9)) < learnt.recogniser.score).mean() > 0.9
    assert (scores(planted(6, 20, seed=8)[0]) >= learnt.recogniser.score).mean() > 0.7


def test_sure_answers_are_as_often_right_as_wanted() -> None:
    """The bounds call sure what is right in 95 of 100, with negatives among the photos, and a stricter wish fewer."""
    rows, labels, _ = planted(12, 20, spread=2.2)

    learnt = fit(rows, labels, negatives=strangers(60))
    stricter = fit(rows, labels, negatives=strangers(60), precision=0.99)

    assert learnt.metrics.sure_right is not None
    assert learnt.metrics.sure_right >= 0.95
    assert 0.3 < (learnt.metrics.coverage or 0) < 1
    assert (stricter.metrics.coverage or 0) < (learnt.metrics.coverage or 0)


def test_few_photos_are_not_trusted() -> None:
    """Below three photos a label there are no probabilities to trust, and nothing is sure."""
    learnt = fit(*planted(5, 2)[:2])

    assert not learnt.recogniser.trusted
    assert learnt.metrics.ece is None
    assert not learnt.recogniser.is_sure(1.0, 1.0)
    assert fit(*planted(5, 3)[:2]).recogniser.trusted


def test_labels_of_one_photo_each_still_have_a_say() -> None:
    """With one photo a label nothing can be judged; a picture is still called by the photo that it is like."""
    rows, labels, _ = planted(5, 1)
    learnt = fit(rows, labels, names=[*names_of(labels), "other"], name_rows=strangers(6))
    near = vectors.unit(rows[2] + 0.3 * strangers(1)[0])

    photo = np.append(likenesses(near[None], learnt)[0], np.nan)
    name = strangers(6) @ near

    assert learnt.metrics.accuracy is None
    assert not learnt.recogniser.trusted
    assert learnt.recogniser.scores(photo, name).argmax() == 2


def test_one_label_is_always_the_answer() -> None:
    """Of one label all answers are right, and what is unlike its photos is still told apart by the score."""
    rows, labels, _ = planted(1, 8)

    learnt = fit(rows, labels)

    assert learnt.metrics.accuracy == 1
    assert learnt.recogniser.is_sure(1.0, 1.0)
    assert not learnt.recogniser.is_sure(0.1, 1.0)


def test_many_labels_are_weighed_by_their_candidates() -> None:
    """Of more labels than candidates the right ones are among them."""
    rows, labels, _ = planted(3 * recogniser.CANDIDATES, 4, spread=0.8)

    found = fit(rows, labels, names=names_of(labels)[:5], name_rows=strangers(5))

    assert (found.metrics.accuracy or 0) > 0.95


@pytest.mark.parametrize(
    ("rows", "labels", "more", "told"),
    [
        (np.empty((0, 3)), [], {}, "labelled photos"),
        (np.ones((2, 3)), ["a", ""], {}, "empty labels"),
        (np.ones((2, 3)), ["a"], {}, "one label for each of the 2 photos"),
        (np.ones((2, 3)), ["a", "b"], {"precision": 1.0}, "precision"),
        (np.ones((2, 3)), ["a", "b"], {"names": ["a"], "name_rows": np.ones((1, 4))}, "one length"),
        (np.ones((2, 3)), ["a", "b"], {"names": ["a"]}, "one name for each"),
    ],
)
def test_what_cannot_be_learnt_is_refused(rows: np.ndarray, labels: list[str], more: dict, told: str) -> None:
    """No photos, empty labels, other lengths and an impossible precision are told each in its words."""
    with pytest.raises(DataError, match=told):
        fit(rows, labels, **more)


def test_the_calibration_error_is_that_of_the_bins() -> None:
    """Of two bins, one right and one 0.2 off, the error is the mean by their sizes."""
    assert calibration_error([1.0, 1.0, 0.7, 0.7], [1, 1, 1, 0]) == pytest.approx(0.1)
    assert calibration_error([0.5, 0.5], [1, 0]) == 0


def shared() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give vectors of real photos, their labels, and vectors of what is none of the labels."""
    if not SHARED.is_file():
        pytest.skip("the vectors of real photos are not here")
    rows = [json.loads(line) for line in SHARED.read_text("utf-8").splitlines()]
    found = np.array([vectors.from_text(row["features"]) for row in rows], np.float32)
    is_label = np.array([row["kind"] == "species" for row in rows])
    labels = np.array([row["label"] for row in rows])
    return found[is_label], labels[is_label], found[~is_label]


def folds(labels: np.ndarray, seed: int = 5) -> list[np.ndarray]:
    """Share the photos of each label among five parts."""
    rng, part = np.random.default_rng(seed), np.empty(len(labels), int)
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        part[places] = (np.arange(len(places)) + rng.integers(5)) % 5
    return [part == each for each in range(5)]


def best_of(rows: np.ndarray, known: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Name photos by the mean cosine to the *k* best known photos of a label, or to their mean if *k* is 0."""
    kinds, found = np.unique(labels), []
    for kind in kinds:
        own = known[labels == kind]
        mean = own.mean(axis=0)
        found.append(np.sort(rows @ own.T, axis=1)[:, -k:].mean(axis=1) if k else rows @ mean / np.linalg.norm(mean))
    return kinds[np.argmax(found, axis=0)]


def test_real_photos_are_told_better_than_by_a_single_rule() -> None:
    """On real photos, fivefold: ours beats each rule, is calibrated, and tells what is none of the labels."""
    rows, labels, none = shared()
    right, chances, sure, scores = [], [], [], []
    others: dict[int, list[np.ndarray]] = {0: [], 1: [], 3: []}
    for test in folds(labels):
        learnt = fit(rows[~test], list(labels[~test]), negatives=none[::2])
        likes = likenesses(rows[test], learnt)
        found = learnt.recogniser.scores(likes, np.full(likes.shape, np.nan))
        chance = learnt.recogniser.probabilities(found).max(axis=1)
        right.append(np.array(learnt.prototypes.labels)[found.argmax(axis=1)] == labels[test])
        for k, hits in others.items():
            hits.append(best_of(rows[test], rows[~test], labels[~test], k) == labels[test])
        chances.append(chance)
        sure.append((found.max(axis=1) >= learnt.recogniser.score) & (chance >= learnt.recogniser.probability))
        of_none = likenesses(none[1::2], learnt).max(axis=1)
        scores.append(np.mean(found.max(axis=1)[:, None] > of_none))

    hits, found_sure = np.concatenate(right), np.concatenate(sure)
    assert hits.mean() >= 0.80
    assert hits.mean() >= max(np.concatenate(each).mean() for each in others.values()) + 0.02
    assert calibration_error(np.concatenate(chances), hits) < 0.07  # some 0.04 of it is chance, with 444 photos
    assert np.mean(scores) > 0.98
    assert found_sure.mean() > 0.6
    assert hits[found_sure].mean() > 0.92


def test_names_that_a_model_does_not_know_cost_next_to_nothing() -> None:
    """On real photos random names of the labels, and of a hundred others, change a hundredth of the answers at most."""
    rows, labels, _ = shared()
    names = [*names_of(list(labels)), *(f"name {number}" for number in range(100))]
    name_rows = vectors.unit(np.random.default_rng(4).normal(size=(len(names), rows.shape[1])))
    alone, both = [], []
    for test in folds(labels):
        learnt = fit(rows[~test], list(labels[~test]), names=names, name_rows=name_rows)
        likes = likenesses(rows[test], learnt)
        photo = np.hstack([likes, np.full((len(likes), 100), np.nan)])
        found = learnt.recogniser.scores(photo, rows[test] @ name_rows.T)
        alone.append(np.array(names)[likes.argmax(axis=1)] == labels[test])
        both.append(np.array(names)[found.argmax(axis=1)] == labels[test])

    assert np.concatenate(both).mean() >= np.concatenate(alone).mean() - 0.01


def test_what_was_fitted_is_the_same_each_time() -> None:
    """Nothing is drawn: the same photos give the same recogniser."""
    rows, labels, _ = planted(5, 6)

    first, second = (fit(rows, labels, negatives=strangers(5)) for _ in range(2))

    assert pack(first.recogniser) == pack(second.recogniser)
    assert first.metrics == second.metrics
    assert all(one == other for one, other in pairwise([first.judgements.best, second.judgements.best]))
