"""Figures of clusters, and of the choice of their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.figures import labels, palette
from meetup2025.figures.rows import records
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plotly.graph_objects import Figure

    from meetup2025.figures.rows import Record, Row

CLUSTERS = ("cluster", "central", "source", "item", "name", "distance")
"""Columns of `MeetUp2025.ReadClusters`."""

ELBOW = ("clusters", "sse", "silhouette", "choice")
"""Columns of `MeetUp2025.ReadElbow`."""

TUNING = ("trial", "fitted", "parameters", "value", "best")
"""Columns of `MeetUp2025.ReadTuning`."""

_CALLED = 3
_ROW = 34


def clusters(rows: Iterable[Row], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw each cluster as a line of its items, from the centre outwards.

    Args:
        rows: Rows of `MeetUp2025.ReadClusters`: cluster, central, source, item, name, distance.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.graph_objects import Figure

    items = records(rows, CLUSTERS, "ReadClusters")
    numbers = sorted({item["cluster"] for item in items})
    groups = [sorted((i for i in items if i["cluster"] == n), key=lambda item: item["central"]) for n in numbers]
    figure = Figure([_line(place, group) for place, group in enumerate(groups)])
    figure.update_xaxes(title=translated("distance to the centre"), rangemode="tozero")
    figure.update_yaxes(
        tickvals=numbers, ticktext=list(map(_tick, groups)), autorange="reversed", showgrid=True, title=""
    )
    figure.update_layout(height=max(500, 170 + _ROW * len(groups)), showlegend=False)
    return palette.dress(figure, title, subtitle)


def elbow(rows: Iterable[Row], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw the errors and the silhouettes of several numbers of clusters, with the number that each rule chooses.

    Args:
        rows: Rows of `MeetUp2025.ReadElbow`: clusters, sse, silhouette, choice.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.subplots import make_subplots

    tried = records(rows, ELBOW, "ReadElbow")
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06)
    for row, (column, rule, name) in enumerate(_RULES, 1):
        figure.add_trace(_curve(tried, column, name, palette.COLOURS[row - 1]), row=row, col=1)
        figure.update_yaxes(title=name, row=row, col=1)
        for chosen in (each for each in tried if each["choice"] in {rule, "both"}):
            figure.add_trace(_choice(chosen, column, rule), row=row, col=1)
            figure.add_vline(x=chosen["clusters"], line_dash="dot", line_width=1, row="all", col=1)
    figure.update_xaxes(title="clusters", row=2, col=1)
    figure.update_layout(showlegend=False)
    return palette.dress(figure, title, subtitle)


def tuning(rows: Iterable[Row], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw the value of each trial as a point, and the best value so far as a line.

    Args:
        rows: Rows of `MeetUp2025.ReadTuning`: trial, fitted, parameters, value, best.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.graph_objects import Figure, Scatter

    trials = records(rows, TUNING, "ReadTuning")
    numbers = [each["trial"] for each in trials]
    best = Scatter(x=numbers, y=[each["best"] for each in trials], name="best so far", mode="lines", line_shape="hv")
    values = Scatter(
        x=numbers,
        y=[each["value"] for each in trials],
        name="trial",
        mode="markers",
        marker=palette.marker(0, size=10),
        hovertext=[f"run {each['fitted']}<br>{palette.plain(each['parameters'])}" for each in trials],
        hovertemplate="%{hovertext}<br>%{y:.4f}<extra></extra>",
    )
    figure = Figure([best.update(line_color=palette.COLOURS[1], hoverinfo="skip"), values])
    figure.update_xaxes(title="trial")
    figure.update_yaxes(title="value")
    return palette.dress(figure, title, subtitle)


_RULES = (("sse", "elbow", "SSE"), ("silhouette", "silhouette", "silhouette"))


def _line(place: int, group: Sequence[Record]) -> Any:
    from plotly.graph_objects import Scatter

    look = palette.marker(place, size=10)
    return Scatter(
        x=[item["distance"] for item in group],
        y=[item["cluster"] for item in group],
        name=str(group[0]["cluster"]),
        mode="markers",
        marker=look,
        customdata=[[item["source"], item["item"]] for item in group],
        hovertext=[_hover(item) for item in group],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _tick(group: Sequence[Record]) -> str:
    """Name a cluster by its most central items and its size. Items of no group are noise."""
    if group[0]["cluster"] == 0:
        return f"<b>noise</b> ({len(group)}) "
    called = ", ".join(palette.plain(labels.short(str(item["name"] or ""))) for item in group[:_CALLED])
    return f"<b>{group[0]['cluster']}</b> {called} ({len(group)}) "


def _hover(item: Record) -> str:
    name, kanji, key = (palette.plain(item.get(column)) for column in ("name", "kanji", "item"))
    group = f"cluster {item['cluster']}" if item["cluster"] else "noise"
    place = f"number {item['central']} of {group}, distance {item['distance']:.3f}"
    return f"<b>{name}</b> {kanji}<br>{key}<br>{place}"


def _curve(tried: Sequence[Record], column: str, name: str, colour: str) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[each["clusters"] for each in tried],
        y=[each[column] for each in tried],
        name=name,
        mode="lines+markers",
        line={"color": colour},
        marker={"size": 7},
        hovertemplate="%{x} clusters: %{y:.4g}<extra></extra>",
    )


def _choice(chosen: Record, column: str, rule: str) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[chosen["clusters"]],
        y=[chosen[column]],
        name=rule,
        mode="markers+text",
        marker={
            "color": palette.COLOURS[4],
            "symbol": "star",
            "size": 16,
            "line": {"color": palette.OTHER, "width": 1},
        },
        text=[f"{rule}: {chosen['clusters']}"],
        textposition="top right",
        textfont={"size": 15},
        hovertemplate=f"{rule}: %{{x}}<extra></extra>",
        cliponaxis=False,
    )
