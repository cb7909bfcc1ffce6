"""Maps as figures: what is drawn, in which colours, which labels stand beside it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from meetup2025 import DataError, figures
from meetup2025.figures import geometry, labels, maps, palette

COLUMNS = maps.COLUMNS


def planted(count: int, dimensions: int = 2, groups: int = 4) -> list[tuple[Any, ...]]:
    """Plant items around a few middles, as rows of ReadMap."""
    random = np.random.default_rng(5)
    middles = random.normal(size=(groups, 3)) * 9
    return [
        (
            "Fish",
            f"F{n:03}",
            f"サカナ{n}",
            f"科{n % groups}",
            *(middles[n % groups] + random.normal(size=3))[:dimensions],
        )
        + (None,) * (3 - dimensions)
        for n in range(count)
    ]


def mappings(rows: list[tuple[Any, ...]], **more: list[Any]) -> list[dict[str, Any]]:
    """Give rows as mappings, as a cursor with names gives them, with more columns."""
    found = [{name.title(): value for name, value in zip(COLUMNS, row, strict=True)} for row in rows]
    for name, values in more.items():
        for row, value in zip(found, values, strict=True):
            row[name] = value
    return found


def keys(figure: Any) -> list[str]:
    """Give the key of each point of a figure."""
    return [key for trace in figure.data for _, key in trace.customdata]


def shown(figure: Any) -> list[str]:
    """Give the labels that a figure shows."""
    return [text for trace in figure.data for text in trace.text if text]


@pytest.mark.parametrize(("dimensions", "kind"), [(2, "scatter"), (3, "scatter3d")])
def test_each_item_is_a_point(dimensions: int, kind: str) -> None:
    """A map has each item once, at its place, flat or in space."""
    rows = planted(50, dimensions)
    figure = figures.map(rows)

    assert sorted(keys(figure)) == [row[1] for row in rows]
    assert {trace.type for trace in figure.data} == {kind}
    places = {key: x for trace in figure.data for (_, key), x in zip(trace.customdata, trace.x, strict=True)}
    assert places == {row[1]: row[4] for row in rows}


def test_tuples_and_mappings_are_the_same() -> None:
    """Rows may be tuples, or mappings whose names are in any case."""
    rows = planted(20)

    assert figures.map(rows) == figures.map(mappings(rows))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_few_items(count: int, dimensions: int) -> None:
    """A map of next to nothing is one; that of nothing says so."""
    figure = figures.map(planted(count, dimensions))

    assert len(keys(figure)) == count
    assert [each.text for each in figure.layout.annotations] == (["There are no items."] if not count else [])


def test_items_at_one_place() -> None:
    """Items that all lie at one place are drawn, without a label that would hide another."""
    figure = figures.map([("Fish", str(n), "マアジ", "", 1.0, 1.0, None) for n in range(3)])

    assert len(keys(figure)) == 3
    assert len(shown(figure)) <= 4


@pytest.mark.parametrize("dimensions", [2, 3])
def test_labels_do_not_overlap(dimensions: int) -> None:
    """The labels shown are names of the items, some and not all, and no two have a part in common."""
    rows = planted(300, dimensions)
    figure = figures.map(rows)
    places = geometry.pixels(np.array([row[4 : 4 + dimensions] for row in rows]))
    place = {row[2]: at for row, at in zip(rows, places, strict=True)}
    boxes = [
        labels.label_box(place[text], text, position)
        for trace in figure.data
        for text, position in zip(trace.text, trace.textposition, strict=False)
        if text
    ]

    assert 5 < len(boxes) < 50
    assert not any(labels.overlaps(one, [other]) for one, other in itertools.combinations(boxes, 2))
    assert all(box[:2].min() >= 0 and (box[2:] <= (geometry.WIDTH, geometry.HEIGHT)).all() for box in boxes)
    markers_hidden = [labels._covers(box, places) for box in boxes]
    assert not any(markers_hidden)


def test_rule_of_labels_finds_its_breach() -> None:
    """Labels of two points side by side overlap, and only one of them can have its label above."""
    places = np.array([[100.0, 100.0], [130.0, 100.0]])
    boxes = [labels.label_box(place, "マアジマアジ", "top center") for place in places]

    assert labels.overlaps(boxes[0], boxes[1:])
    assert labels.chosen(places, ["マアジマアジ"] * 2, [0, 1], most=2)[1] != "top center"


def test_labels_at_the_edge_are_not_cut() -> None:
    """A label stands where the window has room for it, or nowhere."""
    corner = np.array([[0.0, 0.0]])

    assert labels.chosen(corner, ["マアジ"], [0], most=1, window=(500, 500)) == {}
    assert labels.chosen(corner + np.array([2, 20]), ["マアジ"], [0], most=1, window=(500, 500)) == {0: "middle right"}


def test_no_more_labels_than_asked() -> None:
    """The most important points have labels, and empty names none."""
    places = np.arange(8.0).reshape(4, 2) * 100 + 200

    assert set(labels.chosen(places, ["a", "", "c", "d"], [3, 1, 2, 0], most=2)) == {3, 2}


@pytest.mark.parametrize(("text", "cells"), [("", 0), ("ab", 2), ("ｱ", 1), ("アジ", 4), ("鯵a", 3)])
def test_cells(text: str, cells: int) -> None:
    """A Japanese character is two cells wide, a Latin one and a half-width one are one."""
    assert labels.cells(text) == cells


def test_long_labels_are_cut() -> None:
    """A label has at most 24 cells, and says that it was longer."""
    assert labels.cells(labels.short("長" * 40)) <= labels.LONGEST
    assert labels.short("長" * 40).endswith("…")
    assert labels.short("長" * 12) == "長" * 12


def test_spread_is_all_over() -> None:
    """The first few points come from all groups."""
    rows = planted(200, groups=4)
    order = labels.spread(np.array([row[4:6] for row in rows]), 4)

    assert {rows[number][3] for number in order} == {"科0", "科1", "科2", "科3"}
    assert labels.spread(np.empty((0, 2)), 4) == []


def test_nearest_three() -> None:
    """The nearest of a point are others, the nearest first, three or as many as there are."""
    places = np.array([[0.0, 0], [1, 0], [3, 0], [7, 0], [15, 0]])

    assert geometry.nearest(places)[0] == [1, 2, 3]
    assert geometry.nearest(places)[4] == [3, 2, 1]
    assert geometry.nearest(places[:2]) == [[1], [0]]
    assert geometry.nearest(places[:1]) == [[]]
    assert geometry.nearest(np.zeros((6, 2)))[0] != []


def test_hover() -> None:
    """A hover tells name, kanji, label, key, place and the nearest."""
    rows = mappings(planted(5), kanji=["魚"] * 5)
    [trace] = [each for each in figures.map(rows).data if each.customdata[0][1] == "F000"]

    for part in ("サカナ0", "魚", "科0", "F000", "nearest: ", f"{rows[0]['X']:.2f}"):
        assert part in trace.hovertext[0]
    assert "cluster" not in trace.hovertext[0]


def test_names_are_no_markup() -> None:
    """A name that looks like markup is shown as it is."""
    figure = figures.map([("Fish", "<i>", "<a href='x'>", "&", 0.0, 0.0, None)], title="<b>")

    texts = [figure.data[0].text[0], figure.data[0].hovertext[0], figure.layout.title.text]
    assert not any("<a" in text or "<i>" in text or text == "<b>" for text in texts)


def test_colour_by_label() -> None:
    """A label has one colour and symbol; colours come from the palette."""
    figure = figures.map(planted(40))

    assert [trace.name for trace in figure.data] == ["科0", "科1", "科2", "科3"]
    assert [trace.marker.color for trace in figure.data] == [*palette.COLOURS[:4]]
    assert [trace.marker.symbol for trace in figure.data] == [*palette.SYMBOLS[:4]]


def test_many_labels_share_a_look() -> None:
    """Of many labels the largest have a look of their own, and the others are grey."""
    rows = planted(200, groups=4) + [("Fish", f"X{n}", "x", f"lone {n}", n, n, None) for n in range(30)]
    figure = figures.map(rows)

    assert {trace.name: len(trace.x) for trace in figure.data} == {"other": 30, **{f"科{n}": 50 for n in range(4)}}
    assert figure.data[0].marker.color == palette.OTHER


def test_no_two_looks_are_the_same() -> None:
    """As many categories as a legend has differ in colour and symbol, flat and in space."""
    for in_space in (False, True):
        looks = [palette.marker(place, in_space=in_space) for place in range(palette.MOST)]
        assert len({(look["color"], look["symbol"]) for look in looks}) == palette.MOST


def test_colour_by_source() -> None:
    """Names and photos together are told apart by what they are."""
    rows = planted(10) + [("FishImage", f"{n}.jpg", f"{n}.jpg", "マアジ", n, n, None) for n in range(10)]

    assert {trace.name for trace in figures.map(rows).data} == {"names", "photos"}
    assert "マアジ" in {trace.name for trace in figures.map(rows, colour="label").data}


def test_colour_by_cluster() -> None:
    """Groups are in order of their numbers, called by their most central item, which has a label before others."""
    rows = planted(40)
    clusters = [n % 4 + 1 for n in range(40)]
    figure = figures.map(mappings(rows, cluster=clusters, central=[n // 4 + 1 for n in range(40)]))

    assert [trace.name for trace in figure.data] == [f"{n + 1} サカナ{n}" for n in range(4)]
    assert "cluster 1" in figure.data[0].hovertext[0]


def test_noise_is_named() -> None:
    """Items of no group are noise: grey, below the groups in the legend, and the groups keep their colours."""
    figure = figures.map(mappings(planted(4), cluster=[0, 1, 0, 2], central=[1, 1, 2, 1]))
    traces = {trace.name.split()[0]: trace for trace in figure.data}

    assert list(traces) == ["noise", "1", "2"]
    assert traces["noise"].marker.color == palette.OTHER
    assert traces["noise"].legendrank > traces["1"].legendrank
    assert traces["1"].marker.color == palette.COLOURS[0]
    assert "noise" in traces["noise"].hovertext[0]


def test_colour_by_score() -> None:
    """Scores are a scale; what is odd has a symbol of its own, and what has no score is grey."""
    scores = [*range(9), None]
    figure = figures.map(mappings(planted(10), score=scores, odd=[0] * 7 + [1, 1, None]))

    traces = {trace.name: trace for trace in figure.data}
    assert [*traces["odd"].marker.color] == [7, 8]
    assert [*traces["not odd"].marker.color] == [*range(7)]
    assert traces["odd"].marker.symbol != traces["not odd"].marker.symbol
    assert traces["no score"].marker.color == palette.OTHER
    assert {name: len(trace.x) for name, trace in traces.items()} == {"odd": 2, "not odd": 7, "no score": 1}


def test_one_scale_for_all_axes() -> None:
    """A unit is as long on one axis as on another."""
    flat, deep = figures.map(planted(30)), figures.map(planted(30, 3))
    scene = deep.layout.scene
    lengths = [np.ptp(axis.range) for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    ratios = [scene.aspectratio.x, scene.aspectratio.y, scene.aspectratio.z]

    assert flat.layout.yaxis.scaleanchor == "x"
    assert np.array(lengths) / ratios == pytest.approx([max(lengths)] * 3)


def test_camera_sees_all() -> None:
    """In space no item is outside of the picture at first."""
    pixels = geometry.pixels(np.random.default_rng(5).normal(size=(200, 3)) * [9, 1, 3])

    assert (pixels >= 0).all()
    assert (pixels <= [geometry.WIDTH, geometry.HEIGHT]).all()


def test_camera_looks_at_the_points() -> None:
    """In space the points are in the middle of the picture and fill it, even if one lies far from the others."""
    places = np.vstack([np.random.default_rng(5).normal(size=(200, 3)), [9, 9, 0]])
    pixels = geometry.pixels(places)
    low, high = pixels.min(axis=0), pixels.max(axis=0)

    assert (low + high) / 2 == pytest.approx([geometry.WIDTH / 2, geometry.HEIGHT / 2], abs=2)
    assert ((high - low) / [geometry.WIDTH, geometry.HEIGHT]).max() > 0.75


@pytest.mark.parametrize("dimensions", [2, 3])
def test_gap(dimensions: int) -> None:
    """Two maps stand side by side under their titles, and the legend has each kind once."""
    before = planted(6, dimensions) + [("FishImage", "a", "a", "", *row[4:]) for row in planted(4, dimensions)]
    after = [(*row[:4], *(None if each is None else each / 2 for each in row[4:])) for row in before]
    figure = figures.gap(before, after, titles=("far", "near"))

    assert sorted(keys(figure)) == sorted([row[1] for row in before] * 2)
    assert [each.text for each in figure.layout.annotations] == ["far", "near"]
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == ["names", "photos"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.map([("Fish", "1")]), "Rows must have the columns source, item.* Got one of 2 values"),
        (lambda: figures.map([{"Source": "Fish"}]), "Got one without item, name"),
        (lambda: figures.map(["abcdefg"]), "Got 'abcdefg'"),
        (lambda: figures.map(planted(2), colour="smell"), "must be source, label, cluster, score. Got 'smell'"),
        (lambda: figures.map(planted(2), colour="score"), "To colour by score, the rows must have this column"),
        (lambda: figures.gap(planted(2), planted(2, 3)), "the same dimensions"),
    ],
)
def test_what_cannot_be_drawn(call: Any, message: str) -> None:
    """Rows that are not those of the query, and colours that they do not have, are refused."""
    with pytest.raises(DataError, match=message):
        call()


def test_five_thousand_items() -> None:
    """Five thousand items are drawn, with a share of labels."""
    figure = figures.map(planted(5000, groups=30))

    assert len(keys(figure)) == 5000
    assert 0 < len(shown(figure)) <= 40
