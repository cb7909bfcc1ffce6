"""Tuning in SQL: trials are runs, the best is kept, and the next tuning goes on from there."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from asked import metrics, number, selected
from planted import CLUSTERS, STRANGERS

from meetup2025.errors import DataError, MissingExtraError
from meetup2025.runs import tuning
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from meetup2025.engines import Cursor

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

FIT = "SELECT MeetUp2025.FitTuning('Clusters', 'Fish', ?, 'silhouette', '', ?)"
READ = "SELECT Trial, Fitted, Parameters, Value, Best FROM MeetUp2025.ReadTuning(?)"


@pytest.fixture(autouse=True)
def _without_maps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Propose groups of K-means alone, which need no map, except where a test is of all methods."""
    if "by_all" not in request.fixturenames:
        monkeypatch.setattr(tuning, "METHODS", tuning.METHODS[:1])


@pytest.fixture
def by_all() -> None:
    """Propose all methods."""


def tuned(cursor: Cursor, trials: int, seed: int = 5) -> tuple[int, list[tuple[Any, ...]]]:
    """Tune the groups of the names, and return the number of the run and its rows."""
    run = number(cursor, FIT, trials, seed)
    return run, selected(cursor, READ, run)


def test_trials_are_runs(fish: Cursor) -> None:
    """Each trial is a stored run with its parameters and its value, and the best so far never falls."""
    run, rows = tuned(fish, 4)
    found = metrics(fish, run)

    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert len({row[1] for row in rows}) == 4
    for place, (_, fitted, parameters, value, best) in enumerate(rows, 1):
        [(kind, stored)] = selected(fish, "SELECT Kind, Parameters FROM MeetUp2025.Runs() WHERE Run = ?", fitted)
        assert (kind, json.loads(stored)) == ("Clusters", json.loads(parameters))
        assert value == pytest.approx(metrics(fish, fitted)["silhouette"])
        assert best == max(row[3] for row in rows[:place])
    assert found["best"] == rows[-1][4]
    assert [row[3] for row in rows if row[1] == found["best_run"]] == [found["best"]]
    assert (found["trials"], found["earlier"], found["stopped"]) == (4, 0, 0)


def test_same_call_gives_the_same_trials(fish: Cursor) -> None:
    """The same call on the same data proposes the same, and another seed something else."""
    first, again, other = [], [], []
    for rows, seed in ((first, 5), (again, 5), (other, 6)):
        rows += [row[2:] for row in tuned(fish, 3, seed)[1]]
        for (run,) in selected(fish, "SELECT Run FROM MeetUp2025.Runs()"):
            number(fish, "SELECT MeetUp2025.DeleteRun(?)", run)

    assert first == again
    assert first != other


def test_the_next_goes_on(fish: Cursor) -> None:
    """Earlier runs, of a tuning or a person, are known: none is made twice, and the best of them counts."""
    best = number(fish, "SELECT MeetUp2025.FitClusters('Fish', ?)", len(CLUSTERS))
    first, rows = tuned(fish, 3)
    second, more = tuned(fish, 3)

    assert second != first
    assert metrics(fish, second)["earlier"] == 4
    assert not {row[1] for row in rows} & {row[1] for row in more}
    assert more[0][4] >= metrics(fish, best)["silhouette"]


def test_runs_of_an_older_source_are_no_best(fish: Cursor) -> None:
    """Runs of the source before it changed guide the search, and their values are not the best of the present."""
    tuned(fish, 2)
    fish.execute("DELETE FROM MeetUp2025.Fish WHERE Name = ?", [STRANGERS[0]])
    run, rows = tuned(fish, 2)

    assert metrics(fish, run)["earlier"] == 2
    assert rows[0][3] == rows[0][4]
    assert metrics(fish, run)["best_run"] in {row[1] for row in rows}


def test_nothing_is_left_to_try(fish: Cursor) -> None:
    """Four names allow groups of two and three: then the tuning ends, and the same call is the same run."""
    marks = ", ".join("?" * 4)
    fish.execute(f"DELETE FROM MeetUp2025.Fish WHERE Name NOT IN ({marks})", [*CLUSTERS[0][:2], *CLUSTERS[1][:2]])
    run, rows = tuned(fish, 9)

    assert sorted(json.loads(row[2])["clusters"] for row in rows) == [2, 3]
    assert metrics(fish, run)["trials"] == 2
    last = tuned(fish, 9)
    assert last[1] == []
    assert metrics(fish, last[0])["best"] == metrics(fish, run)["best"]
    assert tuned(fish, 9) == last


@pytest.mark.parametrize("stops", [2, 0])
def test_ctrl_c_keeps_what_is_done(fish: Cursor, monkeypatch: pytest.MonkeyPatch, stops: int) -> None:
    """After Ctrl-C the trials that are done and the best of them are there; without any, nothing is stored."""
    fit, made = tuning.AGAIN["Clusters"], []

    def stopped(*given: Any) -> int:
        if len(made) == stops:
            raise KeyboardInterrupt
        made.append(fit(*given))
        return made[-1]

    monkeypatch.setitem(tuning.AGAIN, "Clusters", stopped)
    if stops:
        run, rows = tuned(fish, 5)
        assert [row[1] for row in rows] == made
        assert (metrics(fish, run)["trials"], metrics(fish, run)["stopped"]) == (2, 1)
    else:
        with pytest.raises(KeyboardInterrupt):
            tuned(fish, 5)
        assert selected(fish, "SELECT Run FROM MeetUp2025.Runs()") == []


@pytest.mark.usefixtures("by_all")
def test_labels_judge_groups(fish: Cursor) -> None:
    """Photos with labels are judged by the labels, and groups of any method are tried."""
    insert = "INSERT INTO MeetUp2025.FishImage (Name, Label, Features) SELECT Name, ?, Features FROM MeetUp2025.Fish"
    for label, names in zip("abc", CLUSTERS, strict=True):
        fish.execute(f"{insert} WHERE Name IN ({', '.join('?' * len(names))})", [label, *names])
    rows = selected(fish, "CALL MeetUp2025.Tune('clusters', 'FishImage', 2)")

    assert any("HDBSCAN" in row[2] for row in rows)
    assert [row[3] for row in rows if row[1]] == [metrics(fish, row[1])["labels_ari"] for row in rows if row[1]]


def test_maps(fish: Cursor) -> None:
    """Maps are judged by the measure that is asked for."""
    [(_, fitted, parameters, value, best)] = selected(fish, "CALL MeetUp2025.Tune('Map', 'Fish', 1, 'Overlap')")

    assert 0 < json.loads(parameters)["mindist"] < 1
    assert value == best == metrics(fish, fitted)["overlap"]


def test_detectors(fish: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detectors are judged by the marks of validation items alone, and each is tried once."""
    monkeypatch.setattr(tuning, "DETECTORS", ("Neighbours", "KMeansDistance"))
    mark = "INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd, Part) SELECT 'mine', 'Fish', FishID, ?, ? "
    names = [*STRANGERS, *CLUSTERS[0]]
    for place, name in enumerate(names):
        odd, part = int(name in STRANGERS), "validation" if place % 2 else "test"
        wrong = 1 - odd if part == "test" else odd
        fish.execute(f"{mark} FROM MeetUp2025.Fish WHERE Name = ?", [wrong, part, name])
    rows = selected(fish, "CALL MeetUp2025.Tune('Outliers', 'Fish', 9, '', 'mine')")

    assert sorted(json.loads(row[2])["method"] for row in rows) == ["KMeansDistance", "Neighbours"]
    assert rows[-1][4] == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("'Elbow', 'Fish'", "The kind of a tuning must be Map, Clusters, Outliers. Got 'Elbow'"),
        ("'Clusters', 'Fish', 0", "at least 1. Got 0"),
        ("'Clusters', 'Nothing'", "Nothing"),
        ("'Clusters', 'Fish', 1, 'overlap'", "The measure of Clusters must be labels_ari, silhouette. Got 'overlap'"),
        ("'Clusters', 'Fish', 1, 'labels_ari'", "two different labels"),
        ("'Clusters', 'Fish', 1, '', 'mine'", "Got 'mine' for Clusters"),
        ("'Outliers', 'Fish'", "Got '' for Outliers"),
        ("'Outliers', 'Fish', 1, '', 'none'", "no rows for"),
    ],
)
def test_bad_arguments(fish: Cursor, given: str, message: str) -> None:
    """An argument that is out of range is refused, and no run stays."""
    with pytest.raises(DataError, match=re.escape(message)):
        fish.execute(f"SELECT MeetUp2025.FitTuning({given})")


@pytest.mark.parametrize("left", [1, 2])
def test_too_few_vectors(fish: Cursor, left: int) -> None:
    """One or two vectors cannot be tuned."""
    names = CLUSTERS[0][:left]
    fish.execute(f"DELETE FROM MeetUp2025.Fish WHERE Name NOT IN ({', '.join('?' * left)})", list(names))
    with pytest.raises(DataError, match=f"at least 3 vectors. Got {left}"):
        tuned(fish, 1)


def test_without_optuna(fish: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Optuna the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("tune"))):
        tuned(fish, 1)


def test_silence(fish: Cursor, capfd: pytest.CaptureFixture[str]) -> None:
    """A tuning writes nothing by itself."""
    optuna.logging.set_verbosity(optuna.logging.INFO)
    tuned(fish, 2)
    assert capfd.readouterr() == ("", "")
