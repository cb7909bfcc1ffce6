"""What is wrong with a collection: planted wrong labels, copies, photos that are nothing, and names nobody shows."""

from __future__ import annotations

import numpy as np
import pytest
from planted_groups import plant_groups

from meetup2025.analytics import quality
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.quality import coverage, duplicates, suspect_labels
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
    rows, labels, name_rows = labelled()
    right = {row: labels[row] for row in (3, 40, 41, 77)}
    for row in right:
        labels[row] = other(labels[row])
    names = {"names": NAMES, "name_rows": name_rows} if with_names else {}

    found = suspect_labels(rows, labels, **names)

    assert {each.row: each.suggested for each in found} == right
    assert {each.row: each.label for each in found} == {row: labels[row] for row in right}
    assert all(0 < each.score <= 1 for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_a_name_can_save_a_label() -> None:
    """A label that the neighbours contradict, but the nearest name does not, is not suspected."""
    rows, labels, name_rows = labelled()
    labels[3] = other(labels[3])
    name_rows[NAMES.index(labels[3])] = rows[3]

    assert [each.row for each in suspect_labels(rows, labels)] == [3]
    assert suspect_labels(rows, labels, names=NAMES, name_rows=name_rows) == ()


def test_score_counts_the_neighbours() -> None:
    """The score is the share of neighbours with the suggested label, less that with its own."""
    rows = [[1, 0.01 * at] for at in range(5)] + [[0.1 * at, 1] for at in range(3)]

    (found,) = suspect_labels(rows, ["b", "a", "a", "a", "b", "b", "b", "b"], k=4)[:1]

    assert (found.row, found.label, found.suggested, found.score) == (0, "b", "a", 0.5)


def test_unlabelled_rows_have_no_voice() -> None:
    """Rows without a label are not suspected, and do not count as neighbours."""
    rows, labels, _ = labelled()
    labels[5] = other(labels[5])
    for row in range(50, 100):
        labels[row] = None if row % 2 else ""

    assert [each.row for each in suspect_labels(rows, labels)] == [5]


def test_neighbours_that_disagree_accuse_nobody() -> None:
    """Where no label has more than half of the neighbours, there is no suspect."""
    assert suspect_labels([[1, 0], [1, 0.1], [1, 0.2]], ["a", "b", "c"], k=2) == ()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_labels(n: int) -> None:
    """With two labelled rows there are not five neighbours."""
    rows, labels, _ = labelled(20)

    with pytest.raises(DataError, match=rf"number of others, {max(n - 1, 0)}\. Got 5"):
        suspect_labels(rows, [*labels[:n], *[None] * (20 - n)])


def test_two_rows_have_one_neighbour() -> None:
    """Two rows of two labels accuse each other."""
    found = suspect_labels([[1, 0], [1, 1]], ["a", "b"], k=1)

    assert [(each.row, each.suggested) for each in found] == [(0, "b"), (1, "a")]


def test_labels_and_names_of_another_number() -> None:
    """Labels that are not one for each row, or names not one for each vector, are refused."""
    rows, labels, name_rows = labelled(20)

    with pytest.raises(DataError, match=r"each of the 20 rows\. Got 19"):
        suspect_labels(rows, labels[1:])
    with pytest.raises(DataError, match=r"each of the 4 vectors of names\. Got 3"):
        suspect_labels(rows, labels, names=NAMES[:3], name_rows=name_rows)


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
        lambda: suspect_labels(rows, "ab", k=1),
    ):
        with pytest.raises(InvalidVectorError):
            refused()
