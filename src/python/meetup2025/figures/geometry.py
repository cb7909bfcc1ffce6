"""The positions of items in a window, as the camera sees them, and their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 3
"""Neighbours that a hover names."""

WIDTH, HEIGHT = 640, 440
"""Width and height of the smallest plot, in pixels. Labels are chosen for it."""

_EDGE = 0.08
"""Room around the items, as a share of their extent."""

_SIGHT = np.array([1.25, 1.25, 0.6])
"""Direction from which a map in space is first seen."""

_HALF_ANGLE = np.tan(np.pi / 8)
"""Tangent of half the angle of Plotly's camera, which sees 45 degrees upwards."""

_MOVES, _PART = 8, 0.75
"""Moves that centre a view, and the part of the shift that a move takes: a near point moves more than the others."""


def pixels(places: NDArray[np.float64], width: float = WIDTH) -> NDArray[np.float64]:
    """
    Return the positions of points in the smallest window. In space, the camera is at its first place.

    Args:
        places: Places of the points, shape (n, 2) or (n, 3).
        width: Width of the plot, in pixels.

    Returns:
        Pixels, shape (n, 2), y upwards. (0, 0) is the lower left corner.
    """
    if not len(places):
        return np.empty((0, 2))
    window: NDArray[np.float64] = np.array([width, HEIGHT], float)
    if places.shape[1] == 3:
        return _projected(places, camera(places, width)) * (HEIGHT / 2) + window / 2
    low, high = limits(places)
    found: NDArray[np.float64] = (places - (low + high) / 2) * (window / (high - low)).min() + window / 2
    return found


def limits(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return both ends of each axis, shape (2, d): the extent of the items and some room."""
    low, high = places.min(axis=0), places.max(axis=0)
    size = (high - low).max() or 1.0
    room = np.maximum(_EDGE * (high - low), 0.05 * size)
    return np.stack([low - room, high + room])


def camera(places: NDArray[np.float64], width: float = WIDTH) -> NDArray[np.float64]:
    """
    Return the nearest view of a map in space that has all points in its middle.

    Returns:
        The eye and the point that it looks at, shape (2, 3). The longest axis is 1, and (0, 0, 0) is the middle of the
        axes.
    """
    sight = _SIGHT / np.linalg.norm(_SIGHT)
    for distance in np.arange(0.6, 3.0, 0.05):
        view = _centred(places, distance * sight)
        seen = np.abs(_projected(places, view)).max(axis=0)
        if seen[0] < 0.85 * width / HEIGHT and seen[1] < 0.85:
            break
    return view


def _centred(places: NDArray[np.float64], sight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the eye sideways until the picture of the points has the same room on opposite sides."""
    view = np.array([sight, np.zeros(3)])
    for _ in range(_MOVES):
        seen = _projected(places, view)
        middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
        view = view + _PART * middle * _HALF_ANGLE * np.linalg.norm(sight) @ _screen(view)
    return view


def _screen(view: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions to the right and upwards on the screen, shape (2, 3)."""
    ahead = view[1] - view[0]
    right = np.cross(ahead, [0, 0, 1])
    both = np.array([right, np.cross(right, ahead)])
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True))


def _projected(places: NDArray[np.float64], view: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project points as Plotly does, with perspective. The middle of the screen is 0, its upper edge is 1."""
    low, high = limits(places)
    world = (places - (low + high) / 2) / (high - low).max() - view[0]
    ahead = (view[1] - view[0]) / np.linalg.norm(view[1] - view[0])
    depth = np.maximum(world @ ahead, 1e-6)
    return np.asarray(world @ _screen(view).T / depth[:, None] / _HALF_ANGLE)


def nearest(places: NDArray[np.float64], k: int = NEAREST) -> list[list[int]]:
    """Return the nearest *k* other points of each point, the nearest first, or fewer where there are fewer points."""
    from scipy.spatial import KDTree

    k = min(k, len(places) - 1)
    if k < 1:
        return [[] for _ in places]
    found = KDTree(places).query(places, k + 1)[1]
    return [[int(other) for other in row if other != number][:k] for number, row in enumerate(found)]
