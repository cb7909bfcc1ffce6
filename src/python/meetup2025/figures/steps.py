"""The steps of K-means: a map whose items change their group while the centres move."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError
from meetup2025.figures import maps, palette
from meetup2025.figures.rows import Record, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from meetup2025.figures.rows import Row

_PAUSE = 900
"""Milliseconds that a step is shown."""

_CENTRE, _PATH = 15, 2
"""Pixels of a centre, and of the line behind it."""


def steps(rows: Iterable[Row], groups: Sequence[Sequence[int]], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw a map with a slider of steps. A step shows the groups of the items, their centres, and the way of the centres.

    The centre of a group is drawn in the middle of the places of its items. The centre of K-means is the mean of the
    vectors, which has no place of its own on the map.

    Args:
        rows: Rows of `MeetUp2025.ReadMap`, as for `maps.map_`.
        groups: For each step, the group of each row, in the order of the rows.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: There is no step, a step has another number of groups than there are rows, or a column is missing.
    """
    items = records(rows, maps.COLUMNS, "ReadMap")
    _check(groups, len(items))
    figure = maps.map_(items, colour="source", title=title, subtitle=subtitle)
    numbers = sorted({number for step in groups for number in step})
    paths = [_centres(items, step, numbers) for step in groups]
    in_space = any(trace.type == "scatter3d" for trace in figure.data)
    looks = {number: palette.marker(place, in_space=in_space) for place, number in enumerate(numbers)}
    drawn = [_step(figure, items, looks, step, paths[: place + 1]) for place, step in enumerate(groups)]
    figure.update_traces(showlegend=False)
    for change, trace in zip(drawn[0], figure.data, strict=False):
        trace.update(change)
    figure.add_traces(drawn[0][len(figure.data) :])
    figure.frames = [{"name": str(place), "data": data} for place, data in enumerate(drawn)]
    return figure.update_layout(sliders=[_slider(groups)], updatemenus=[_button()], margin={"b": 110})


def _check(groups: Sequence[Sequence[int]], count: int) -> None:
    lengths = {len(step) for step in groups}
    if lengths != {count}:
        got = ", ".join(map(str, sorted(lengths))) or "no step"
        raise DataError(f"There must be a step, and a step must have a group for each of the {count} rows. Got {got}.")


def _centres(items: Sequence[Record], step: Sequence[int], numbers: Sequence[int]) -> NDArray[np.float64]:
    """Return the middle of each group, shape (groups, 3). A group without items has no middle (NaN)."""
    places = np.array([[item["x"], item["y"], item["z"] or 0.0] for item in items], float).reshape(-1, 3)
    of = np.array(step)
    return np.array([places[of == each].mean(axis=0) if (of == each).any() else [np.nan] * 3 for each in numbers])


def _step(
    figure: Figure,
    items: Sequence[Record],
    looks: dict[int, dict[str, Any]],
    step: Sequence[int],
    path: Sequence[NDArray[np.float64]],
) -> list[dict[str, Any]]:
    """Return the changes of a step to the traces of a map, then the way of each centre."""
    of = {(item["source"], item["item"]): number for item, number in zip(items, step, strict=True)}
    changes: list[dict[str, Any]] = []
    for trace in figure.data:
        found = [looks[of[tuple(key)]] for key in trace.customdata]
        parts = {part: [look[part] for look in found] for part in ("color", "symbol")}
        changes.append({"type": trace.type, "marker": parts})
    ways = zip(looks.items(), np.stack(path, axis=1), strict=True)
    return [*changes, *(_way(way, look, number, figure.data[0].type) for (number, look), way in ways)]


def _way(way: NDArray[np.float64], look: dict[str, Any], number: int, kind: str) -> dict[str, Any]:
    """Return the way of one centre, with a large mark at its present place."""
    sizes = [0] * (len(way) - 1) + [_CENTRE]
    return {
        "type": kind,
        **dict(zip("xyz" if kind == "scatter3d" else "xy", way.T.tolist(), strict=False)),
        "mode": "lines+markers",
        "line": {"color": look["color"], "width": _PATH},
        "marker": {**look, "size": sizes, "line": {"color": "#1a1a1a", "width": 2}},
        "name": f"centre {number}",
        "hovertemplate": f"centre of group {number}<extra></extra>",
        "showlegend": False,
    }


def _slider(groups: Sequence[Sequence[int]]) -> dict[str, Any]:
    moved = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(groups)]
    labels = ["0", *(f"{place} ({count})" for place, count in enumerate(moved, 1))]
    return {
        "currentvalue": {"prefix": "step (items that changed their group): "},
        "pad": {"t": 30},
        "steps": [
            {"label": label, "method": "animate", "args": [[str(place)], _motion(0)]}
            for place, label in enumerate(labels)
        ],
    }


def _button() -> dict[str, Any]:
    play = {"label": "▶", "method": "animate", "args": [None, {**_motion(_PAUSE), "fromcurrent": True}]}
    return {
        "type": "buttons",
        "x": 0,
        "xanchor": "right",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 55},
        "buttons": [play],
    }


def _motion(pause: int) -> dict[str, Any]:
    return {"mode": "immediate", "frame": {"duration": pause, "redraw": True}, "transition": {"duration": 0}}
