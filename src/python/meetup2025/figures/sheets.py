"""A contact sheet: pictures, and the names that were found for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.figures import labels, palette

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plotly.graph_objects import Figure

_ROW, _EDGES = 190, 150
"""Pixels of a picture, and of the room above and below all pictures."""

_TEXT = 90
"""Most characters of an error in a line."""


def identified(answers: Iterable[Mapping[str, Any]], *, title: str = "", subtitle: str = "") -> Figure:
    """
    Draw pictures in a column, each beside its names, with bars for the scores.

    Args:
        answers: A mapping for each picture, with picture (its name), thumbnail (a data URL, may be missing), and names
            or error. The names are mappings with name, score and, where known, kanji and english, the best first.
        title: Title above the figure.
        subtitle: A smaller line below the title.
    """
    from plotly.subplots import make_subplots

    sheet = list(answers)
    # A sheet without pictures is a sheet too.
    figure = make_subplots(max(1, len(sheet)), 2, column_widths=[0.3, 0.7], vertical_spacing=0.25 / max(1, len(sheet)))
    scores = [name["score"] for answer in sheet for name in answer.get("names", ())]
    least = min([0.0, *scores])
    for row, answer in enumerate(sheet, 1):
        _show_picture(figure, answer, row)
        if "error" in answer:
            _show_error(figure, answer, row)
        else:
            figure.add_trace(_bars(answer["names"]), row=row, col=2)
        figure.update_xaxes(range=[least, 1], showticklabels=row == len(sheet), row=row, col=2)
        figure.update_yaxes(autorange="reversed", showgrid=False, ticksuffix=" ", row=row, col=2)
    if sheet:
        figure.update_xaxes(title="score: cosine", row=len(sheet), col=2)
    figure.update_layout(height=_ROW * max(2, len(sheet)) + _EDGES, showlegend=False, bargap=0.35)
    return palette.dress(figure, title, subtitle)


def _show_picture(figure: Figure, answer: Mapping[str, Any], row: int) -> None:
    hidden = {"visible": False, "range": [0, 1], "row": row, "col": 1}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    what = palette.plain(labels.short(str(answer["picture"]).replace("\\", "/").rpartition("/")[2]))
    place: dict[str, Any] = {"x": 0.5, "showarrow": False, "row": row, "col": 1}
    figure.add_annotation(y=0, yanchor="top", text=what, font={"size": 12}, **place)
    # An axis is drawn only where a trace has it.
    figure.add_scatter(x=[0.5], y=[0.5], mode="markers", marker={"opacity": 0}, hoverinfo="skip", row=row, col=1)
    if answer.get("thumbnail"):
        figure.add_layout_image(
            source=answer["thumbnail"], x=0.5, y=0.5, xanchor="center", yanchor="middle", sizex=1, sizey=1,
            layer="above", row=row, col=1,
        )  # fmt: skip


def _show_error(figure: Figure, answer: Mapping[str, Any], row: int) -> None:
    import textwrap

    text = "<br>".join(map(palette.plain, textwrap.wrap(str(answer["error"]), _TEXT)))
    figure.add_scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip", row=row, col=2)
    figure.update_xaxes(visible=False, row=row, col=2)
    figure.update_yaxes(visible=False, row=row, col=2)
    figure.add_annotation(
        x=0, xref="x domain", y=0.5, yref="y domain", text=text, showarrow=False, align="left", row=row, col=2
    )


def _bars(names: Iterable[Mapping[str, Any]]) -> Any:
    from plotly.graph_objects import Bar

    best = [{**name, "rank": rank} for rank, name in enumerate(names, 1)]
    return Bar(
        x=[name["score"] for name in best],
        y=[f"{name['rank']} {palette.plain(labels.short(str(name['name'])))}" for name in best],
        orientation="h",
        marker={"color": [palette.COLOURS[0] if name["rank"] == 1 else palette.COLOURS[5] for name in best]},
        text=[_words(name) for name in best],
        textposition="auto",
        insidetextfont={"size": 14, "color": ["#ffffff" if name["rank"] == 1 else "#1a1a1a" for name in best]},
        insidetextanchor="start",
        hovertext=[f"<b>{palette.plain(name['name'])}</b> {_words(name)}" for name in best],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _words(name: Mapping[str, Any]) -> str:
    known = [palette.plain(name.get(column)) for column in ("kanji", "english")]
    return " ".join(filter(None, [f"{name['score']:.3f}", *known]))
