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
    """Return the eye nearest to a map in space that sees all of it, in units of the longest axis."""
    sight = _SIGHT / np.linalg.norm(_SIGHT)
    for distance in np.arange(1.0, 3.0, 0.1):
        seen = np.abs(_projected(places, distance * sight)).max(axis=0)
        if seen[0] < 0.85 * width / HEIGHT and seen[1] < 0.9:
            break
    eye: NDArray[np.float64] = distance * sight
    return eye


def _projected(places: NDArray[np.float64], eye: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Project points as Plotly does: with perspective, the longest axis is 1, and the middle of the axes is in the middle.
    """
    low, high = limits(places)
    world = (places - (low + high) / 2) / (high - low).max()
    ahead = -eye / np.linalg.norm(eye)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    depth = np.maximum((world - eye) @ ahead, 1e-6)
    return np.asarray((world @ np.array([right, np.cross(right, ahead)]).T) / depth[:, None] / _HALF_ANGLE)


def nearest(places: NDArray[np.float64], k: int = NEAREST) -> list[list[int]]:
    """Return the nearest *k* other points of each point, the nearest first, or fewer where there are fewer points."""
    from scipy.spatial import KDTree

    k = min(k, len(places) - 1)
    if k < 1:
        return [[] for _ in places]
    found = KDTree(places).query(places, k + 1)[1]
    return [[int(other) for other in row if other != number][:k] for number, row in enumerate(found)]
