"""
The labels of a figure: as many as do not overlap.

A greedy choice among fixed positions places the labels (Christensen, Marks and Shieber 1995, "An Empirical Study of
Algorithms for Point-Feature Label Placement"). Lengths are pixels of the smallest window that a page has. In a larger
window the points only move apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SIZE = 12
"""Pixels of the font. Kanji with fewer pixels run together."""

LONGEST = 24
"""Most half-width cells of a label. The hover shows the whole text."""

_GAP = 6
"""Pixels from the middle of a marker to its label."""

POSITIONS = {"top center": (0, 1), "middle right": (1, 0), "middle left": (-1, 0), "bottom center": (0, -1)}
"""Plotly's names of the positions -> direction from the marker to the label, y upwards. The first free one counts."""


def short(text: str) -> str:
    """Cut a text to `LONGEST` cells."""
    if cells(text) <= LONGEST:
        return text
    while cells(text) > LONGEST - 1:
        text = text[:-1]
    return f"{text}…"


def spread(places: NDArray[np.float64], most: int) -> list[int]:
    """
    Order points so that the first few spread over the picture: each point is the farthest from the points before it.

    Args:
        places: Places of the points, shape (n, d).
        most: Number of points to return.
    """
    if not len(places):
        return []
    order = [int(np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1)))]
    nearest = np.full(len(places), np.inf)
    for _ in range(min(most, len(places)) - 1):
        nearest = np.minimum(nearest, ((places - places[order[-1]]) ** 2).sum(axis=1))
        nearest[order[-1]] = -1
        order.append(int(nearest.argmax()))
    return order


def chosen(
    places: NDArray[np.float64],
    texts: Sequence[str],
    order: Iterable[int],
    *,
    most: int,
    window: tuple[float, float] = (np.inf, np.inf),
) -> dict[int, str]:
    """
    Choose labels that overlap neither other labels nor markers, and their positions.

    Args:
        places: Pixels of the points, shape (n, 2). (0, 0) is the lower left corner of the window.
        texts: Label of each point. An empty label is left out.
        order: Indices of the points, the most important first.
        most: Most labels.
        window: Width and height of the visible part, in pixels. Its edges cut no label.

    Returns:
        Index of each chosen point -> Plotly's name of the position of its label.
    """
    boxes: list[NDArray[np.float64]] = []
    found: dict[int, str] = {}
    for point in order:
        if len(found) == most:
            break
        for position in POSITIONS if texts[point] else ():
            box = label_box(places[point], texts[point], position)
            is_seen = box[:2].min() >= 0 and (box[2:] <= window).all()
            if is_seen and not overlaps(box, boxes) and not _covers(box, places):
                found[point] = position
                boxes.append(box)
                break
    return found


def label_box(place: NDArray[np.float64], text: str, position: str) -> NDArray[np.float64]:
    """Return the box (left, bottom, right, top) of a label in a position."""
    size = np.array([cells(short(text)) * SIZE / 2 + 4, SIZE * 1.4])
    middle = place + np.array(POSITIONS[position]) * (size / 2 + _GAP)
    return np.concatenate([middle - size / 2, middle + size / 2])


def overlaps(box: NDArray[np.float64], boxes: Sequence[NDArray[np.float64]]) -> bool:
    """Check whether a box has a part in common with others."""
    if not boxes:
        return False
    others = np.array(boxes)
    return bool(((box[:2] < others[:, 2:]) & (others[:, :2] < box[2:])).all(axis=1).any())


def _covers(box: NDArray[np.float64], places: NDArray[np.float64]) -> bool:
    return bool(((places > box[:2] - 2) & (places < box[2:] + 2)).all(axis=1).any())


def cells(text: str) -> int:
    """Return the number of half-width cells of a text: a kanji has two."""
    from wcwidth import wcswidth  # takes 0.03 s to import

    return max(0, int(wcswidth(text)))
