"""
The look of all figures: colours and symbols for colour-blind eyes, a light and a dark template.

The colours are the palette of Okabe and Ito 2008, "Color Universal Design", without black, which a dark page hides, and
yellow, which paper hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from plotly.graph_objects import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Colours, one after the other. Their number and the number of symbols have no common divisor, so 42 pairs differ."""

OTHER = "#999999"
"""Colour of items without a category of their own, and of all edges."""

SCALE = (
    *("#00224e", "#123570", "#3b496c", "#575d6d", "#707173"),
    *("#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"),
)
"""Colours of numbers: cividis, Nuñez et al. 2018, made for colour-blind eyes."""

SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star")
SYMBOLS_IN_SPACE = ("circle", "square", "diamond", "cross", "circle-open", "diamond-open", "square-open")
"""In three dimensions the symbols are characters of the font. Japanese fonts have all of these, and not `x`."""

FONT = "'Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', 'Noto Sans JP', IPAPGothic, sans-serif"
"""Fonts of macOS, Windows and Linux that have kanji."""

MOST = 20
"""Most categories that a legend distinguishes."""

_INKS = {"light": ("#1a1a1a", "#ffffff", "#dddddd"), "dark": ("#e8e8e8", "#161616", "#404040")}
"""Colours of text and lines, of paper, and of grids."""


def for_pages() -> dict[str, Any]:
    """Return the data that a web page needs to draw a map as the figures do."""
    return {
        "colours": COLOURS,
        "other": OTHER,
        "scale": SCALE,
        "symbols": SYMBOLS,
        "symbolsInSpace": SYMBOLS_IN_SPACE,
        "most": MOST,
    }


def categories(values: Iterable[Hashable]) -> dict[Hashable, int]:
    """
    Number the categories that get a look of their own: all, or the `MOST` largest with two items or more.

    Returns:
        Category -> its index, from 0, the largest first. Numbers of clusters keep their own order.
    """
    from collections import Counter

    counted = [each for each in Counter(values).most_common() if each[0] not in {None, ""}]
    if len(counted) > MOST:
        counted = [each for each in counted if each[1] > 1][:MOST]
    kept = [value for value, _ in counted]
    if all(isinstance(value, int) for value in kept):
        kept.sort(key=lambda value: int(str(value)))
    return {value: place for place, value in enumerate(kept)}


def marker(place: int | None, *, in_space: bool = False, size: int = 8) -> dict[str, Any]:
    """Return the look of a category by its index. None stands for items without a category."""
    symbols = SYMBOLS_IN_SPACE if in_space else SYMBOLS
    colour = OTHER if place is None else COLOURS[place % len(COLOURS)]
    symbol = symbols[0] if place is None else symbols[place % len(symbols)]
    return {"color": colour, "symbol": symbol, "size": size, "line": {"color": OTHER, "width": 0 if in_space else 0.5}}


def template(scheme: str) -> dict[str, Any]:
    """Return the template for `light` or `dark` pages. Paper is light."""
    ink, paper, grid = _INKS[scheme]
    axis = {"gridcolor": grid, "linecolor": ink, "zeroline": False, "automargin": True}
    in_space = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "showbackground": False, "color": ink}
    return {
        "layout": {
            "font": {"family": FONT, "color": ink, "size": 13},
            "title": {"font": {"size": 20}, "x": 0.02, "xanchor": "left", "y": 1, "yanchor": "top", "pad": {"t": 22}},
            "paper_bgcolor": paper,
            "plot_bgcolor": paper,
            "colorway": list(COLOURS),
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": in_space, "yaxis": in_space, "zaxis": in_space},
            "hoverlabel": {"align": "left", "font": {"family": FONT}},
            "shapedefaults": {"line": {"color": ink}},
            "legend": {"font": {"size": 12}, "tracegroupgap": 0},
        }
    }


def dress(figure: Figure, title: str, subtitle: str, *, top: int = 90) -> Figure:
    """Set the title and the light template of a figure, and return it. *top* is the room above the plot, in pixels."""
    figure.update_layout(template=template("light"), margin={"t": top, "r": 30, "b": 60, "l": 60})
    if title or subtitle:
        figure.update_layout(title={"text": plain(title), "subtitle": {"text": plain(subtitle)}})
    return figure


def plain(text: Any) -> str:
    """Return a text that Plotly shows as it is: names must not become markup."""
    import html

    return html.escape("" if text is None else str(text), quote=False)
