"""Steps of a grouping as a figure: at each, the groups of the items, and where their centres are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from meetup2025 import DataError, figures

SEED = 5


def planted(count: int, dimensions: int = 2) -> list[tuple[Any, ...]]:
    """Plant items of two sources at random, as rows of ReadMap."""
    places = np.random.default_rng(SEED).normal(size=(count, 3))
    return [
        (
            "FishImage" if n % 3 == 0 else "Fish",
            f"{n}",
            f"サカナ{n}",
            "",
            *place[:dimensions],
            *[None] * (3 - dimensions),
        )
        for n, place in enumerate(places)
    ]


def colours(data: Any) -> dict[tuple[str, ...], str]:
    """Give the colour of each item by the traces of a figure."""
    return {
        tuple(key): colour
        for trace in data
        if trace.customdata is not None
        for key, colour in zip(trace.customdata, trace.marker.color, strict=True)
    }


@pytest.mark.parametrize("dimensions", [2, 3])
def test_each_step_has_each_item_in_its_group(dimensions):
    """At each step items have one colour exactly where they are in one group."""
    rows = planted(30, dimensions)
    steps = np.random.default_rng(SEED).integers(1, 4, size=(4, 30)).tolist()
    figure = figures.steps(rows, steps)
    traces = [trace for trace in figure.data if trace.customdata is not None]

    assert [frame.name for frame in figure.frames] == ["0", "1", "2", "3"]
    for frame, step in zip(figure.frames, steps, strict=True):
        of: dict[str, set[int]] = {}
        groups = {(row[0], row[1]): number for row, number in zip(rows, step, strict=True)}
        for trace, change in zip(traces, frame.data, strict=False):
            for key, colour in zip(trace.customdata, change.marker.color, strict=True):
                of.setdefault(colour, set()).add(groups[tuple(key)])
        assert sorted(map(sorted, of.values())) == [[1], [2], [3]]
    assert colours(figure.data)  # the first step is what is seen before one plays


@pytest.mark.parametrize("dimensions", [2, 3])
def test_centres_leave_a_path(dimensions):
    """A centre is amid its items; at each step its way is one place longer, and marked at the end alone."""
    rows = planted(12, dimensions)
    steps = [[1] * 6 + [2] * 6, [1] * 9 + [2] * 3]
    figure = figures.steps(rows, steps)
    places = np.array([row[4 : 4 + dimensions] for row in rows], float)
    way = next(trace for trace in figure.frames[1].data if trace.name == "centre 1")

    found = np.array([getattr(way, axis) for axis in "xyz"[:dimensions]]).T
    assert found == pytest.approx(np.array([places[:6].mean(axis=0), places[:9].mean(axis=0)]))
    assert list(way.marker.size) == [0, 15]


def test_slider_counts_what_changes():
    """The slider tells of each step how many items changed their group."""
    figure = figures.steps(planted(4), [[1, 1, 2, 2], [1, 2, 2, 2], [1, 2, 2, 2]])

    assert [step.label for step in figure.layout.sliders[0].steps] == ["0", "1 (1)", "2 (0)"]


def test_group_without_items():
    """A group that loses all its items goes nowhere, and the others stay."""
    figure = figures.steps(planted(3), [[1, 1, 2], [1, 1, 1]])
    gone = next(trace for trace in figure.frames[1].data if trace.name == "centre 2")

    assert np.isfinite(gone.x[0])
    assert gone.x[1] is None or np.isnan(gone.x[1])


@pytest.mark.parametrize("count", [1, 2])
def test_few_items(count):
    """One item, or two, are enough."""
    assert len(figures.steps(planted(count), [[1] * count]).frames) == 1


@pytest.mark.parametrize(("steps", "got"), [([], "no step"), ([[1, 2]], "2"), ([[1, 1, 1], [1]], "1, 3")])
def test_steps_that_do_not_fit(steps, got):
    """There must be a step, and each must have a group for each row."""
    with pytest.raises(DataError, match=rf"a group for each of the 3 rows.*Got {got}\."):
        figures.steps(planted(3), steps)


def test_page_does_not_play_by_itself(tmp_path):
    """A page with steps shows the first until somebody plays."""
    figures.write_html(figures.steps(planted(4), [[1, 1, 2, 2], [1, 2, 2, 2]]), tmp_path / "steps.html")
    page = (tmp_path / "steps.html").read_text("utf-8")
    tail = page[page.rindex("Plotly.addFrames") :]

    assert "Plotly.animate" not in tail
