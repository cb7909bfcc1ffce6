"""Figures of outliers, and of the quality of their detectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from meetup2025.figures import labels, palette
from meetup2025.figures.rows import records
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plotly.graph_objects import Figure

    from meetup2025.figures.rows import Record, Row

OUTLIERS = ("place", "source", "item", "name", "score", "odd")
"""Columns of `MeetUp2025.ReadOutliers`."""

CURVES = ("curve", "x", "y")
"""Columns of `MeetUp2025.ReadCurves`."""

COMPARISON = ("detector", "f1", "rocauc", "rocauclow", "rocauchigh", "prauc", "precision", "recall")
"""Columns of `MeetUp2025.ReadComparison`."""

_MANY = 100
_BINS = 40
_LOOKS = (
    ("not odd", {"color": palette.COLOURS[0]}),
    ("odd", {"color": palette.COLOURS[4], "pattern": {"shape": "/", "fillmode": "overlay"}}),
)
_NAMED = 15
_TOP = 115
_AXES = {
    "ROC": ("normal items that are called odd", "odd items that are found"),
    "PR": ("odd items that are found", "items called odd that are"),
}
_LEARNT = {
    "RELIABLE": ("probability of the answer", "answers that are right"),
    "COVERAGE": ("share of photos, the surest first", "of these, answers that are right"),
}
_MEASURES = (("rocauc", "ROC AUC"), ("prauc", "PR AUC"), ("f1", "F1"))


def outliers(rows: Iterable[Row], threshold: float, *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw the distribution of the scores, the threshold, and the oddest items by name.

    Args:
        rows: All rows of `MeetUp2025.ReadOutliers`: place, source, item, name, score, odd.
        threshold: Items with a higher score are odd.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.subplots import make_subplots

    items = sorted(records(rows, OUTLIERS, "ReadOutliers"), key=lambda item: int(item["place"]))
    figure = make_subplots(1, 2, column_widths=[0.6, 0.4], horizontal_spacing=0.16)
    named, bins = items[:_NAMED], _bins(items, threshold)
    for odd, (name, look) in enumerate(_LOOKS):
        figure.add_trace(_histogram([each for each in items if each["odd"] == odd], name, look, bins), row=1, col=1)
        figure.add_trace(_bars([each for each in named if each["odd"] == odd], name, look), row=1, col=2)
    figure.add_vline(x=threshold, line_dash="dash", row=1, col="all")
    called = {"text": f"threshold {threshold:.4g}", "showarrow": False, "yanchor": "bottom"}
    figure.add_annotation(x=threshold, y=1.01, yref="y domain", row=1, col=1, **called)
    figure.update_xaxes(title=translated("score: higher is odder"))
    figure.update_yaxes(title="items", row=1, col=1)
    ticks = {"tickvals": [each["place"] for each in named], "ticktext": [_called(each) for each in named]}
    figure.update_yaxes(autorange="reversed", showgrid=False, row=1, col=2, **ticks)
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}
    figure.update_layout(barmode="stack", bargap=0.08, legend=legend)
    return palette.dress(figure, title, subtitle, top=_TOP)


def curves(rows: Iterable[Row], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw the ROC and the PR curve of a detector side by side, and the ROC curve of a detector by chance.

    Args:
        rows: Rows of `MeetUp2025.ReadCurves`: curve (ROC or PR), x, y.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    points = records(rows, CURVES, "ReadCurves")
    figure = make_subplots(1, 2, subplot_titles=list(_AXES), horizontal_spacing=0.12)
    for column, (name, (across, upwards)) in enumerate(_AXES.items(), 1):
        part = [each for each in points if each["curve"] == name]
        line = Scatter(
            x=[each["x"] for each in part],
            y=[each["y"] for each in part],
            name=name,
            mode="lines+markers",
            line={"color": palette.COLOURS[0], "width": 2.5},
            marker={"size": 6 if len(part) < _MANY else 1},
            hovertemplate="(%{x:.3f}, %{y:.3f})<extra></extra>",
        )
        figure.add_trace(line, row=1, col=column)
        figure.update_xaxes(title=across, range=[-0.02, 1.02], row=1, col=column)
        figure.update_yaxes(title=upwards, range=[-0.02, 1.02], row=1, col=column)
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"dash": "dot", "width": 1}, row=1, col=1)
    figure.update_layout(showlegend=False)
    return palette.dress(figure, title, subtitle, top=_TOP)


def recogniser(
    rows: Iterable[Row], confusions: Sequence[tuple[str, float]], *, title: str = "", subtitle: str = ""
) -> Figure:
    """
    Draw the reliability of probabilities, the share of right answers among the surest, and the confused labels.

    Args:
        rows: Rows of `MeetUp2025.ReadCurves`: curve (RELIABLE or COVERAGE), x, y.
        confusions: Pairs of labels from the metric `confused`, such as `マサバ > ゴマサバ`, and their numbers.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.graph_objects import Bar, Scatter
    from plotly.subplots import make_subplots

    points = records(rows, CURVES, "ReadCurves")
    titles = ["Reliability", "Coverage", "Taken for another"]
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.13)
    for column, (name, (across, upwards)) in enumerate(_LEARNT.items(), 1):
        part = [each for each in points if each["curve"] == name]
        look = {"mode": "lines+markers", "line": {"color": palette.COLOURS[0], "width": 2.5}, "marker": {"size": 5}}
        places = {"x": [each["x"] for each in part], "y": [each["y"] for each in part]}
        hover = "(%{x:.3f}, %{y:.3f})<extra></extra>"
        figure.add_trace(Scatter(name=name, hovertemplate=hover, **places, **look), row=1, col=column)
        figure.update_xaxes(title=across, range=[-0.02, 1.02], row=1, col=column)
        figure.update_yaxes(title=upwards, range=[-0.02, 1.02], row=1, col=column)
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"dash": "dot", "width": 1}, row=1, col=1)
    shown = confusions[:_NAMED][::-1]
    pairs, counts = [palette.plain(pair) for pair, _ in shown], [count for _, count in shown]
    figure.add_trace(Bar(x=counts, y=pairs, orientation="h", marker={"color": palette.COLOURS[4]}), row=1, col=3)
    figure.update_xaxes(title="photos", row=1, col=3)
    figure.update_layout(showlegend=False)
    return palette.dress(figure, title, subtitle, top=_TOP)


def comparison(rows: Iterable[Row], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw the quality of detectors, the best above, with the interval of the area under the ROC curve.

    Args:
        rows: Rows of `MeetUp2025.ReadComparison`: detector, f1, rocauc, rocauclow, rocauchigh, prauc, precision,
            recall.
        title: Title above the figure.
        subtitle: A smaller line below the title.

    Raises:
        DataError: A column is missing.
    """
    from plotly.graph_objects import Figure, Scatter

    found = records(rows, COMPARISON, "ReadComparison")
    figure = Figure()
    for place, (column, name) in enumerate(_MEASURES):
        figure.add_trace(
            Scatter(
                x=[each[column] for each in found],
                y=[row + (place - 1) / 6 for row in range(len(found))],  # side by side where they are equal
                customdata=[each["detector"] for each in found],
                name=name,
                mode="markers",
                marker=palette.marker(place, size=14),
                error_x=_interval(found) if column == "rocauc" else None,
                hovertemplate=f"%{{customdata}}: {name} %{{x:.3f}}<extra></extra>",
            )
        )
    figure.update_xaxes(title=translated("1 is perfect"), range=[0, 1.02])
    detectors = [palette.plain(each["detector"]) for each in found]
    figure.update_yaxes(autorange="reversed", tickvals=[*range(len(found))], ticktext=detectors)
    return palette.dress(figure, title, subtitle)


def _interval(found: Sequence[Record]) -> dict[str, Any]:
    return {
        "type": "data",
        "array": [each["rocauchigh"] - each["rocauc"] for each in found],
        "arrayminus": [each["rocauc"] - each["rocauclow"] for each in found],
        "thickness": 1.5,
    }


def _histogram(part: Sequence[Record], name: str, look: Any, bins: Any) -> Any:
    from plotly.graph_objects import Histogram

    scores = [each["score"] for each in part]
    return Histogram(x=scores, name=name, marker=look, xbins=bins, legendgroup=name, showlegend=bool(part))


def _bars(part: Sequence[Record], name: str, look: Any) -> Any:
    from plotly.graph_objects import Bar

    return Bar(
        x=[each["score"] for each in part],
        y=[each["place"] for each in part],
        name=name,
        orientation="h",
        marker=look,
        customdata=[[each["source"], each["item"]] for each in part],
        hovertext=[f"<b>{_called(each)}</b> {palette.plain(each.get('kanji'))}" for each in part],
        hovertemplate="%{hovertext}<br>score %{x:.4g}<extra></extra>",
        legendgroup=name,
        showlegend=False,
    )


def _bins(items: Sequence[Record], threshold: float) -> dict[str, float] | None:
    """
    Divide the range of all scores into equal parts. The threshold is an edge, so that no bar mixes normal and odd.
    """
    scores = [each["score"] for each in items]
    if not scores or min(scores) == max(scores):
        return None
    size = (max(scores) - min(scores)) / _BINS
    below = math.ceil((threshold - min(scores)) / size)
    return {"start": threshold - below * size, "end": max(scores) + size, "size": size}


def _called(item: Record) -> str:
    return palette.plain(labels.short(str(item["name"] or item["item"])))
