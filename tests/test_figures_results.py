"""Groups, elbows, scores, curves and answers as figures: tested on their data."""

from __future__ import annotations

from typing import Any

import pytest

from meetup2025 import DataError, figures
from meetup2025.figures import palette

ELBOW = [(2, 50.0, 0.1, ""), (3, 30.0, 0.4, "silhouette"), (4, 20.0, 0.2, "elbow"), (5, 19.0, 0.1, "")]
OUTLIERS = [(n + 1, "Fish", f"F{n:03}", f"サカナ{n}", (50 - n) / 50, int(n < 5)) for n in range(50)]
CURVES = [("ROC", 0.0, 0.0), ("ROC", 0.0, 0.8), ("ROC", 1.0, 1.0), ("PR", 0.0, 1.0), ("PR", 1.0, 0.5)]
COMPARISON = [("Neighbours", 0.8, 0.9, 0.7, 1.0, 0.85, 0.8, 0.8), ("ByExemplar", 0.5, 0.6, 0.4, 0.75, 0.5, 0.5, 0.5)]
ANSWERS = [
    {
        "picture": "photos/a.png",
        "thumbnail": "data:image/png;base64,AAAA",
        "names": [
            {"name": "マサバ", "kanji": "真鯖", "english": "chub mackerel", "score": 0.9},
            {"name": "サワラ", "kanji": None, "english": "", "score": 0.6},
        ],
    },
    {"picture": "b.txt", "error": "no <picture>"},
]


def members(count: int = 9, groups: int = 3) -> list[tuple[Any, ...]]:
    """Plant rows of ReadClusters."""
    return [(n % groups + 1, n // groups + 1, "Fish", f"F{n}", f"サカナ{n}", 0.1 * n) for n in range(count)]


def test_clusters() -> None:
    """Each group is a line of its items by their distances, called by the most central ones."""
    figure = figures.clusters(members())

    assert [trace.name for trace in figure.data] == ["1", "2", "3"]
    assert [*figure.data[0].x] == pytest.approx([0.0, 0.3, 0.6])
    assert figure.layout.yaxis.ticktext[0] == "<b>1</b> サカナ0, サカナ3, サカナ6 (3) "
    assert {trace.marker.color for trace in figure.data} <= {*palette.COLOURS}


def test_elbow() -> None:
    """Both curves are those of the rows, and a star is at the number that each rule chooses."""
    figure = figures.elbow(ELBOW)
    curves = [trace for trace in figure.data if trace.mode == "lines+markers"]
    stars = {trace.name: (trace.x[0], trace.y[0]) for trace in figure.data if trace.mode == "markers+text"}

    assert [list(trace.y) for trace in curves] == [[50, 30, 20, 19], [0.1, 0.4, 0.2, 0.1]]
    assert all([*trace.x] == [2, 3, 4, 5] for trace in curves)
    assert stars == {"elbow": (4, 20.0), "silhouette": (3, 0.4)}
    assert {shape.x0 for shape in figure.layout.shapes} == {3, 4}


def test_elbow_of_both_rules() -> None:
    """Where both rules choose one number, both have a star there."""
    figure = figures.elbow([(2, 9.0, 0.1, ""), (3, 4.0, 0.4, "both"), (4, 3.0, None, None)])

    assert [trace.x[0] for trace in figure.data if trace.mode == "markers+text"] == [3, 3]


def test_tuning() -> None:
    """Each trial is a point, one without a value has none, and the best so far is a line of steps."""
    rows = [(1, 4, '{"clusters": 3}', 0.2, 0.2), (2, None, "{}", None, 0.2), (3, 5, "<b>", 0.4, 0.4)]
    best, trials = figures.tuning(rows).data

    assert (list(trials.x), list(trials.y)) == ([1, 2, 3], [0.2, None, 0.4])
    assert (list(best.y), best.line.shape) == ([0.2, 0.2, 0.4], "hv")
    assert "run 5" in trials.hovertext[2]
    assert "<b>" not in trials.hovertext[2]
    assert len(figures.tuning([]).data) == 2


def test_outliers() -> None:
    """The histogram has all scores, the line is at the threshold, and the oddest have their names."""
    figure = figures.outliers(OUTLIERS, 0.9)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    histograms = {trace.name: trace for trace in figure.data if trace.type == "histogram"}

    assert sorted(histograms["odd"].x) == pytest.approx([0.92, 0.94, 0.96, 0.98, 1.0])
    assert len(histograms["not odd"].x) == 45
    assert {shape.x0 for shape in figure.layout.shapes} == {0.9}
    assert sum(len(trace.x) for trace in bars) == 15
    assert figure.layout.yaxis2.ticktext[0] == "サカナ0"
    assert histograms["odd"].marker.pattern.shape


def test_threshold_is_an_edge() -> None:
    """No bar of the histogram has items from both sides of the threshold."""
    bins = figures.outliers(OUTLIERS, 0.9).data[0].xbins

    steps = (0.9 - bins.start) / bins.size
    assert steps == pytest.approx(round(steps))
    assert bins.start <= 0.02
    assert bins.end >= 1.0


def test_curves() -> None:
    """The points of both curves are those of the rows, in order."""
    figure = figures.curves(CURVES)

    found = [(trace.name, x, y) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)]
    assert found == CURVES


def test_comparison() -> None:
    """Each detector has a point for each measure, with the interval of the first."""
    figure = figures.comparison(COMPARISON)
    area = figure.data[0]

    assert [trace.name for trace in figure.data] == ["ROC AUC", "PR AUC", "F1"]
    assert [*area.x] == [0.9, 0.6]
    assert [*area.error_x.array] == pytest.approx([0.1, 0.15])
    assert [*area.error_x.arrayminus] == pytest.approx([0.2, 0.2])
    assert [*figure.layout.yaxis.ticktext] == ["Neighbours", "ByExemplar"]


def test_identified() -> None:
    """A sheet has each picture beside bars of its scores, and tells what is wrong with the others."""
    figure = figures.identified(ANSWERS)
    [bars] = [trace for trace in figure.data if trace.type == "bar"]
    texts = " ".join(each.text for each in figure.layout.annotations)

    assert [*bars.x] == [0.9, 0.6]
    assert [*bars.y] == ["1 マサバ", "2 サワラ"]
    assert "真鯖" in bars.text[0]
    assert [image.source for image in figure.layout.images] == ["data:image/png;base64,AAAA"]
    assert "a.png" in texts
    assert "no &lt;picture&gt;" in texts


@pytest.mark.parametrize(
    "call",
    [
        lambda: figures.clusters([]),
        lambda: figures.clusters(members(1, 1)),
        lambda: figures.elbow([]),
        lambda: figures.elbow(ELBOW[:1]),
        lambda: figures.outliers([], 0.5),
        lambda: figures.outliers(OUTLIERS[:1], 0.5),
        lambda: figures.outliers([(n, "Fish", str(n), "", 0.5, 0) for n in (1, 2)], 0.5),
        lambda: figures.curves([]),
        lambda: figures.comparison([]),
        lambda: figures.identified([]),
        lambda: figures.identified([{"picture": "a", "names": []}]),
        lambda: figures.gap([], []),
    ],
)
def test_next_to_nothing(call: Any) -> None:
    """No rows, or one, or equal ones, are a figure too."""
    assert call().to_json()


@pytest.mark.parametrize(
    ("call", "query"),
    [
        (lambda: figures.clusters([(1,)]), "ReadClusters"),
        (lambda: figures.elbow([{"clusters": 2}]), "ReadElbow"),
        (lambda: figures.outliers([(1, 2)], 0.5), "ReadOutliers"),
        (lambda: figures.curves([(1,)]), "ReadCurves"),
        (lambda: figures.comparison([(1,)]), "ReadComparison"),
    ],
)
def test_rows_of_another_query(call: Any, query: str) -> None:
    """Rows that do not have the columns are refused, and the error names the query that has them."""
    with pytest.raises(DataError, match=f"pass the rows of {query}"):
        call()
