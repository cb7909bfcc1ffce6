"""What is wrong with a collection: planted wrong labels, copies, photos that are nothing, and names nobody shows."""

from __future__ import annotations

import numpy as np
import pytest
from planted_groups import plant_groups

from meetup2025.analytics import quality
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.quality import copy_threshold, coverage, duplicates, similar_looks, suspect_labels
from meetup2025.errors import DataError, InvalidVectorError

NAMES = ("マアジ", "マサバ", "ブリ", "マダコ")


def labelled(n: int = 100) -> tuple[np.ndarray, list[str | None], np.ndarray]:
    """Give rows, their right labels, and a vector for each name."""
    rows, groups = plant_groups(n, 4)
    unit = directions(rows)
    return (
        rows,
        [NAMES[group] for group in groups],
        np.array([unit[groups == group].mean(axis=0) for group in range(4)]),
    )


def other(label: str | None) -> str:
    """Give a wrong label."""
    return NAMES[(NAMES.index(label or "") + 1) % 4]


def test_right_labels_are_not_suspected() -> None:
    """Where all labels are right none is suspected."""
    rows, labels, name_rows = labelled()

    assert suspect_labels(rows, labels) == ()
    assert suspect_labels(rows, labels, names=NAMES, name_rows=name_rows) == ()


@pytest.mark.parametrize("with_names", [False, True])
def test_wrong_labels_are_found(with_names: bool) -> None:  # noqa: FBT001 - as pytest gives it
    """Planted wrong labels are found, with the right ones as suggestions, and no others."""
    rows, labels, name_rows = labelled(400)
    right = {row: labels[row] for row in (3, 40, 41, 77)}
    for row in right:
        labels[row] = other(labels[row])
    names = {"names": NAMES, "name_rows": name_rows} if with_names else {}

    found = suspect_labels(rows, labels, **names)

    assert {each.row: each.suggested for each in found} == right
    assert {each.row: each.label for each in found} == {row: labels[row] for row in right}
    assert [each.own for each in found] == sorted(each.own for each in found)


def test_a_name_can_save_a_label() -> None:
    """A label that the other photos contradict, but the names do not, is not suspected."""
    rows, labels, name_rows = labelled(400)
    labels[3] = other(labels[3])
    name_rows[NAMES.index(labels[3])] = rows[3]

    assert [each.row for each in suspect_labels(rows, labels)] == [3]
    with_name = suspect_labels(rows, labels, names=NAMES, name_rows=name_rows, threshold=1)
    assert next(each.own for each in with_name if each.row == 3) > suspect_labels(rows, labels)[0].own


def test_probabilities_tell_how_doubtful_a_label_is() -> None:
    """A suspect has the probability of its own label, below the threshold, and that of the suggested one."""
    rows, labels, _ = labelled(400)
    labels[3] = other(labels[3])

    (found,) = suspect_labels(rows, labels)

    assert 0 <= found.own < 0.02
    assert 0.5 < found.best <= 1
    assert suspect_labels(rows, labels, threshold=1e-30) == ()


def test_unlabelled_rows_have_no_voice() -> None:
    """Rows without a label are not suspected, and do not count."""
    rows, labels, _ = labelled()
    labels[5] = other(labels[5])
    for row in range(50, 100):
        labels[row] = None if row % 2 else ""

    assert [each.row for each in suspect_labels(rows, labels)] == [5]


@pytest.mark.parametrize(("copies_of_it", "suspected"), [(1, False), (2, False), (3, True)])
def test_a_label_that_few_have_is_not_suspected(copies_of_it: int, suspected: bool) -> None:  # noqa: FBT001
    """A label that fewer than two others have is never suspected: nobody can vouch for it."""
    rows, labels, _ = labelled()
    places = [place for place, label in enumerate(labels) if label == "マアジ"][:1]
    places += [place for place, label in enumerate(labels) if label == "ブリ"][: copies_of_it - 1]
    for place in places:
        labels[place] = "新種"

    assert bool({places[0]} & {each.row for each in suspect_labels(rows, labels)}) == suspected


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_a_threshold_that_is_no_probability(threshold: float) -> None:
    """A threshold of 0, or above 1, is refused."""
    rows, labels, _ = labelled(20)

    with pytest.raises(DataError, match="probability of a suspected label"):
        suspect_labels(rows, labels, threshold=threshold)


def test_without_labels_nothing_is_suspected() -> None:
    """Where no row has a label, that is said."""
    with pytest.raises(DataError, match="labelled photos"):
        suspect_labels([[1, 0], [0, 1]], [None, ""])


def test_labels_and_names_of_another_number() -> None:
    """Labels that are not one for each row, or names not one for each vector, are refused."""
    rows, labels, name_rows = labelled(20)

    with pytest.raises(DataError, match=r"each of the 20 rows\. Got 19"):
        suspect_labels(rows, labels[1:])
    with pytest.raises(DataError, match=r"each of the 4 vectors of names\. Got 3"):
        suspect_labels(rows, labels, names=NAMES[:3], name_rows=name_rows)


def test_the_threshold_of_copies_is_that_of_the_model() -> None:
    """It is what one of 10,000 pairs of different labels reaches; with few pairs it is 0.98."""
    rows, labels, _ = labelled(400)
    unit, kinds = directions(rows), np.array(labels)
    apart = (unit @ unit.T)[np.triu(kinds[:, None] != kinds[None], k=1)]

    assert copy_threshold(rows, labels) == pytest.approx(np.quantile(apart, 0.9999))
    assert copy_threshold(rows[:10], labels[:10]) == 0.98
    assert copy_threshold(rows, [None] * 400) == 0.98


def test_looks_that_are_alike_are_pairs() -> None:
    """Hashes that differ in six bits are a pair, in seven none; what has no hash is no pair."""
    looks = ["00000000000000ff", "", "00000000000000c0", "0000000000000080", "00000000000000ff"]

    pairs, bits = similar_looks(looks)

    found = {(int(one), int(another)): int(count) for (one, another), count in zip(pairs, bits, strict=True)}
    assert found == {(0, 2): 6, (0, 4): 0, (2, 3): 1, (2, 4): 6}
    assert len(similar_looks(["", ""])[0]) == len(similar_looks([])[0]) == 0


def copies() -> np.ndarray:
    """Give 40 rows; 11 and 30 are copies of 4, and 25 is nearly 9."""
    rows = np.random.default_rng(5).normal(size=(40, 64))
    rows[[11, 30]] = rows[4] * [[2], [0.1]]
    rows[25] = rows[9] + 0.05 * rows[1]
    return rows


@pytest.mark.parametrize("block", [1, 100, 1 << 22])
def test_copies_are_found(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Planted copies are found, in one block or many, of whatever length; each pair once."""
    monkeypatch.setattr(quality, "_BLOCK", block)

    found = duplicates(copies())

    assert {tuple(pair) for pair in found.pairs.tolist()} == {(4, 11), (4, 30), (11, 30), (9, 25)}
    assert found.pairs[-1].tolist() == [9, 25]
    assert found.cosines[:3] == pytest.approx(1)
    assert 0.98 < found.cosines[3] < 0.9999
    assert found.total == 4


def test_copies_are_groups() -> None:
    """Pairs that share a row are one group."""
    assert [group.tolist() for group in duplicates(copies()).groups] == [[4, 11, 30], [9, 25]]


def test_copies_that_are_rounded_otherwise() -> None:
    """At the highest threshold all copies are found, though their cosines may lack a last digit of 1."""
    rows = np.random.default_rng(5).normal(size=(50, 64)).astype(np.float32)

    assert duplicates(np.vstack([rows, rows * np.float32(3)]), 1).total == 50


def test_exact_copies_alone() -> None:
    """At the highest threshold equal directions are found, and nothing else."""
    assert duplicates(copies(), 1).pairs.tolist() == [[4, 11], [4, 30], [11, 30]]


def test_no_more_pairs_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many copies the most similar pairs are given, and how many there are."""
    monkeypatch.setattr(quality, "_BLOCK", 200)
    rows = np.vstack([np.ones((60, 3)), [[1, 1, 1.2], [1, 1, 1.2]]])

    found = duplicates(rows, 0.9, most=7)

    assert len(found.pairs) == len(found.cosines) == 7
    assert found.total == 62 * 61 // 2
    assert found.cosines == pytest.approx(1)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows_without_copies(n: int) -> None:
    """None, one or two different rows have no pairs."""
    found = duplicates(np.eye(3)[:n])

    assert (found.pairs.shape, found.total, found.groups) == ((0, 2), 0, ())


@pytest.mark.parametrize(("threshold", "most"), [(0, 10), (-1, 10), (1.1, 10), (np.nan, 10), (0.9, 0)])
def test_duplicates_out_of_range(threshold: float, most: int) -> None:
    """A threshold that all pairs reach, or none, and no pairs, are refused."""
    with pytest.raises(DataError, match="above 0 and at most 1, for at least 1 pair"):
        duplicates(np.eye(3), threshold, most=most)


def test_coverage() -> None:
    """Photos are given their nearest name; those that none fits come first, and names that no photo shows are told."""
    photos = np.array([[1, 0.1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.3, 1], [0, 0, 0.1, 1]])

    found = coverage(photos, np.eye(4)[:3], 0.5)

    assert found.nearest.tolist() == [0, 0, 1, 2, 2]
    assert found.cosines == pytest.approx([1 / 1.01**0.5, 1, 1, 0.3 / 1.09**0.5, 0.1 / 1.01**0.5])
    assert found.unlike.tolist() == [4, 3]
    assert found.unused.tolist() == [2]


def test_no_photos_show_no_name() -> None:
    """Without photos all names are unused."""
    assert coverage(np.empty((0, 3)), np.eye(3), 0.2).unused.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "threshold", "message"),
    [(np.empty((0, 3)), 0.2, "at least 1 name"), (np.eye(3), 2, "from -1 to 1. Got 2"), (np.eye(4), 0.2, "one length")],
)
def test_coverage_of_nothing(names: np.ndarray, threshold: float, message: str) -> None:
    """No names, names of another length, and a threshold that no cosine has, are refused."""
    with pytest.raises(DataError, match=message):
        coverage(np.eye(3), names, threshold)


def test_no_vectors() -> None:
    """Rows that are no vectors are refused."""
    rows = [[np.nan, 1], [1, 1]]

    for refused in (
        lambda: duplicates(rows),
        lambda: coverage(rows, [[1, 1]], 0),
        lambda: suspect_labels(rows, "ab"),
    ):
        with pytest.raises(InvalidVectorError):
            refused()
