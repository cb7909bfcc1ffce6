"""Maps of items in two or three dimensions, coloured by their source, label, cluster or score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError
from meetup2025.figures import geometry, labels, palette
from meetup2025.figures.rows import Record, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from meetup2025.figures.rows import Row

COLUMNS = ("source", "item", "name", "label", "x", "y", "z")
"""Columns of `MeetUp2025.ReadMap`."""

COLOURED = ("source", "label", "cluster", "score")
"""Columns that may colour a map."""

_LABELS, _LABELS_IN_SPACE = 40, 24
_OTHER, _NOISE = "other", "noise"
_CROWD = 1000
_FILL = ["top center"] * 2
"""An extra key that makes positions three or more. Plotly takes one or two for something else."""
_KINDS = {"Fish": "names", "FishImage": "photos"}


def map_(rows: Iterable[Row], *, colour: str = "", title: str = "", subtitle: str = "") -> Figure:
    """
    Draw a map with as many names as do not overlap. The hover shows the other names and the three nearest neighbours.

    Args:
        rows: Rows of `MeetUp2025.ReadMap`: source, item, name, label, x, y, z. Mappings may also have kanji, cluster
            with central (`ReadClusters`), score with odd (`ReadOutliers`), and thumbnail, a data URL. A page of
            `write_html` shows the thumbnail on hover.
        colour: `source`, `label`, `cluster` or `score`. By default score or cluster where the rows have them,
            otherwise label, or source where there are several.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing, or the rows do not have that colour.
    """
    from plotly.graph_objects import Figure

    items = records(rows, COLUMNS, "ReadMap")
    figure = Figure(_traces(items, _colour(items, colour)))
    figure.update_layout(coloraxis={"colorscale": palette.SCALE, "colorbar": {"title": "score", "len": 0.6, "y": 0.3}})
    _frame(figure, items)
    return palette.dress(figure.update_layout(meta=_meta(items)), title, subtitle)


def gap(
    before: Iterable[Row], after: Iterable[Row], *, titles: Sequence[str] = ("before", "after"), title: str = ""
) -> Figure:
    """
    Draw two maps of names and photos side by side: with the gap between them and without it.

    Args:
        before: Rows of the first map, as for `map_`.
        after: Rows of the second map, with as many dimensions.
        titles: Title of each map, for example with the distance of the centroids.
        title: Title above both maps.

    Raises:
        DataError: A column is missing, or one map is flat and the other is not.
    """
    from plotly.subplots import make_subplots

    both = [records(rows, COLUMNS, "ReadMap") for rows in (before, after)]
    if len({_in_space(items) for items in both if items}) > 1:
        raise DataError("Two maps side by side must have the same dimensions. Got 2 and 3; fit one again.")
    kind = "scene" if any(map(_in_space, both)) else "xy"
    figure = make_subplots(1, 2, specs=[[{"type": kind}] * 2], subplot_titles=list(map(palette.plain, titles)))
    for column, items in enumerate(both, 1):
        for trace in _traces(items, "source", width=geometry.WIDTH / 2):
            figure.add_trace(trace.update(legendgroup=trace.name, showlegend=column == 1), row=1, col=column)
        _frame(figure, items, column, geometry.WIDTH / 2)
    return palette.dress(figure.update_layout(meta=_meta([*both[0], *both[1]])), title, "", top=100)


def _meta(items: Sequence[Record]) -> dict[str, dict[str, str]]:
    """Return the thumbnail of each item by its source and key, as the pages of `write_html` look it up."""
    found = {f"{item['source']}/{item['item']}": str(item["thumbnail"]) for item in items if item.get("thumbnail")}
    return {"thumbnails": found}


def _colour(items: Sequence[Record], colour: str) -> str:
    there = [name for name in COLOURED if any(item.get(name) not in {None, ""} for item in items)]
    if colour and colour.lower() not in COLOURED:
        raise DataError(f"The colour of a map must be {', '.join(COLOURED)}. Got {colour!r}.")
    if colour and items and colour.lower() not in there:
        raise DataError(
            f"To colour by {colour}, the rows must have this column. Got none; add it, or choose another colour."
        )
    several = len({item["source"] for item in items}) > 1
    return (
        colour.lower()
        or next((name for name in ("score", "cluster") if name in there), "")
        or ("source" if several or "label" not in there else "label")
    )


def _traces(items: Sequence[Record], colour: str, width: float = geometry.WIDTH) -> list[Any]:
    """Return a trace for each category. For scores, return one trace of the odd items and one of the others."""
    in_space, places = _in_space(items), _places(items)
    shown = _shown(items, places, width)
    hovers = _hovers(items, places)
    parts = _by_score(items) if colour == "score" else _by_category(items, colour, in_space=in_space)
    return [_trace(name, look, members, (items, places, shown, hovers)) for name, look, members in parts]


def _by_category(items: Sequence[Record], colour: str, *, in_space: bool) -> list[tuple[str, Any, list[int]]]:
    known = palette.categories(item.get(colour) for item in items)
    members: dict[Any, list[int]] = {each: [] for each in (None, *known)}  # without a category: below the others
    for number, item in enumerate(items):
        value = item.get(colour)
        members[value if value in known else None].append(number)
    if colour == "cluster":
        known = {value: place for place, value in enumerate(filter(None, known))}  # noise is as grey as other items
    return [
        (_called(value, items, each), palette.marker(known.get(value), in_space=in_space, size=_size(items)), each)
        for value, each in members.items()
        if each
    ]


def _by_score(items: Sequence[Record]) -> list[tuple[str, Any, list[int]]]:
    in_space = _in_space(items)
    known = [number for number, item in enumerate(items) if item.get("score") is not None]
    odd = [number for number in known if items[number].get("odd")]
    parts = [("odd", 2, odd), ("not odd", 0, sorted({*known} - {*odd})), ("no score", None, _others(items, known))]
    found = []
    for name, place, members in parts:
        look = palette.marker(place, in_space=in_space, size=_size(items) + (2 if name == "odd" else 0))
        if place is not None:
            look |= {"color": [items[number]["score"] for number in members], "coloraxis": "coloraxis"}
        found.append((name, look, members))
    return [each for each in found if each[2]]


def _others(items: Sequence[Record], known: Sequence[int]) -> list[int]:
    return sorted({*range(len(items))} - {*known})


def _called(value: Any, items: Sequence[Record], members: Sequence[int]) -> str:
    """Name a category: a source by its contents, a cluster by its most central item."""
    if value is None:
        return _OTHER
    if value == 0:
        return _NOISE
    if isinstance(value, int):
        first = min((items[number] for number in members), key=lambda item: item.get("central") or 0)
        return f"{value} {palette.plain(labels.short(str(first['name'] or '')))}"
    return palette.plain(_KINDS.get(value, value))


def _trace(name: str, look: Mapping[str, Any], members: Sequence[int], drawn: tuple[Any, ...]) -> Any:
    from plotly import graph_objects

    items, places, shown, hovers = drawn
    texts = [labels.short(items[number]["name"]) if number in shown else "" for number in members]
    if places.shape[1] == 2:  # in space there is no markup, so nothing to escape
        texts = list(map(palette.plain, texts))
    kind = graph_objects.Scatter3d if places.shape[1] == 3 else graph_objects.Scatter
    return kind(
        **dict(zip("xyz", places[members].T.tolist(), strict=False)),
        name=name,
        mode="markers+text",
        marker=look,
        text=texts,
        textposition=[shown.get(number, "top center") for number in members] + _FILL,
        textfont={"size": labels.SIZE},
        customdata=[[items[number]["source"], items[number]["item"]] for number in members],
        hovertext=[hovers[number] for number in members],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=True,
        legendrank=2000 if name in {_OTHER, _NOISE} else 1000,
    )


def _shown(items: Sequence[Record], places: NDArray[np.float64], width: float) -> dict[int, str]:
    """Choose the labels: the most central items of clusters, the oddest items, or some items from everywhere."""
    most = _LABELS_IN_SPACE if _in_space(items) else _LABELS
    order: Iterable[int] = labels.spread(places, 10 * most)
    if any(item.get("score") is not None for item in items):
        order = sorted(range(len(items)), key=lambda number: -(items[number].get("score") or -np.inf))
    elif any(item.get("central") for item in items):
        order = sorted(range(len(items)), key=lambda number: items[number].get("central") or np.inf)
    texts = [item["name"] or "" for item in items]
    return labels.chosen(geometry.pixels(places, width), texts, order, most=most, window=(width, geometry.HEIGHT))


def _hovers(items: Sequence[Record], places: NDArray[np.float64]) -> list[str]:
    return [
        _hover(item, place, [items[other] for other in near])
        for item, place, near in zip(items, places, geometry.nearest(places), strict=True)
    ]


def _hover(item: Record, place: NDArray[np.float64], near: Sequence[Record]) -> str:
    kind = palette.plain(_KINDS.get(item["source"], item["source"])).removesuffix("s")
    lines = [
        f"<b>{palette.plain(item['name'])}</b> {palette.plain(item.get('kanji'))}".rstrip(),
        " · ".join(filter(None, (kind, palette.plain(item["item"]), palette.plain(item["label"])))),
        "" if item.get("cluster") is None else f"cluster {item['cluster']}" if item["cluster"] else _NOISE,
        "" if item.get("score") is None else f"score {item['score']:.4g}{', odd' if item.get('odd') else ''}",
        f"nearest: {', '.join(palette.plain(each['name']) for each in near)}" if near else "",
        f"at {', '.join(f'{number:.2f}' for number in place)}",
    ]
    return "<br>".join(filter(None, lines))


def _frame(figure: Figure, items: Sequence[Record], number: int = 1, width: float = geometry.WIDTH) -> None:
    """Draw all axes of a map to the scale of the labels, so that distances can be compared."""
    suffix = str(number) if number > 1 else ""
    if not items:
        figure.add_annotation(text="There are no items.", showarrow=False, font={"size": 16})
        return
    places = _places(items)
    ends = dict(zip("xyz", geometry.limits(places).T.tolist(), strict=False))
    if len(ends) == 2:
        axes = {f"{name}axis{suffix}": {"range": each} for name, each in ends.items()}
        axes[f"yaxis{suffix}"] |= {"scaleanchor": f"x{suffix}"}
        figure.update_layout(axes)
        return
    figure.update_layout(legend_itemsizing="constant")
    longest = max(high - low for low, high in ends.values())
    scene: dict[str, Any] = {
        f"{name}axis": {"range": each, "title": "", "showticklabels": False} for name, each in ends.items()
    }
    scene["aspectmode"] = "manual"
    scene["aspectratio"] = {name: (high - low) / longest for name, (low, high) in ends.items()}
    eye, centre = (dict(zip("xyz", each, strict=True)) for each in geometry.camera(places, width).tolist())
    scene["camera"] = {"eye": eye, "center": centre}
    figure.update_layout({f"scene{suffix}": scene})


def _places(items: Sequence[Record]) -> NDArray[np.float64]:
    axes = "xyz" if _in_space(items) else "xy"
    return np.array([[item[axis] for axis in axes] for item in items], float).reshape(len(items), len(axes))


def _in_space(items: Sequence[Record]) -> bool:
    return bool(items) and all(item["z"] is not None for item in items)


def _size(items: Sequence[Record]) -> int:
    """Return the pixels of a marker. Markers are smaller in space, and where there are many."""
    return (3 if _in_space(items) else 5) if len(items) > _CROWD else (5 if _in_space(items) else 9)
