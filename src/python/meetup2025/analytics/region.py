"""
Regions of a map: polygons, and the places inside them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

from meetup2025.errors import DataError, shown


def contains(region: str, x: float, y: float) -> bool:
    """
    Check whether a place is inside a region: a ray from the place crosses its edges an odd number of times.

    Args:
        region: Corners of a polygon, at least 3, as x,y;x,y;x,y.
        x: First coordinate of the place.
        y: Second coordinate of the place.

    Raises:
        DataError: The text is no polygon.
    """
    within = False
    for (ax, ay), (bx, by) in pairwise(_corners(region)):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            within = not within
    return within


@lru_cache(8)
def _corners(region: str) -> tuple[tuple[float, float], ...]:
    """Parse a polygon, once for all rows of a statement. The first corner is the last too."""
    try:
        corners = [(float(x), float(y)) for x, y in (corner.split(",") for corner in region.split(";"))]
    except ValueError:
        corners = []
    if len(corners) < 3 or not all(map(math.isfinite, sum(corners, ()))):
        raise DataError(f"A region must have at least 3 corners, as x,y;x,y;x,y. Got {shown(region)}.")
    return (*corners, corners[0])
