"""Analyses on the command line: tables for people, JSON and CSV for programs, what is fitted stays."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

import meetup2025
from meetup2025.cli import main
from meetup2025.errors import OperationalError
from meetup2025.runs import tuning

if TYPE_CHECKING:
    from pathlib import Path

MARK = """
INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd)
SELECT 'mine', 'Fish', FishID, CASE WHEN FishID > 'F090' THEN 1 ELSE 0 END FROM MeetUp2025.Fish"""


@pytest.fixture(autouse=True)
def _full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _bundled_file: Path) -> None:
    """Give each test a database with the bundled names and samples."""
    shutil.copy(_bundled_file, tmp_path / "fish.duckdb")
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'fish.duckdb'}")


def run(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def records(*arguments: object) -> list[dict[str, object]]:
    """Run a command and give its rows."""
    done = run(*arguments, "--format", "json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def sql(statement: str) -> None:
    """Run a statement on the database of the test."""
    with meetup2025.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_map() -> None:
    """A map has a row for each name, with two coordinates and an empty third."""
    rows = records("map", "fish", "-d", 2)

    assert len(rows) == 100
    assert {"source", "item", "name", "label", "x", "y", "z"} == {*rows[0]}
    assert all(row["z"] is None for row in rows)


def test_map_options_reach_the_run() -> None:
    """The options of a map are the parameters of its run."""
    chosen = ("--neighbours", 9, "--min-dist", 0.5, "--seed", 7, "--metric", "euclidean")
    records("map", "Both", *chosen, "--supervised", "--without-gap")

    [found] = records("runs")
    assert json.loads(str(found["parameters"])) == {
        "dimensions": 3,
        "neighbours": 9,
        "mindist": 0.5,
        "supervised": 1,
        "withoutgap": 1,
        "metric": "euclidean",
    }
    assert found["seed"] == 7


def test_clusters() -> None:
    """Groups are shown, the largest first, or their members."""
    groups = records("clusters", "Fish", "-n", 8)
    members = records("clusters", "Fish", "-n", 8, "--members")

    assert [row["cluster"] for row in groups] == [*range(1, 9)]
    assert sum(int(str(row["items"])) for row in groups) == len(members) == 100
    assert str(groups[0]["name"]).split(", ")[0] == members[0]["name"]


def test_words_of_clusters() -> None:
    """The words of a column are shown for each group, and not for its members."""
    rows = records("clusters", "Fish", "-n", 3, "--words", "Kanji")

    assert [row["cluster"] for row in rows] == [1, 2, 3]
    assert all(row["words"] for row in rows)
    assert run("clusters", "Fish", "--members", "--words", "Kanji").exit_code == 2


def test_clusters_by_density() -> None:
    """The options of HDBSCAN are the parameters of its run. Its members have a group, or 0."""
    members = records("clusters", "Fish", "--method", "hdbscan", "--least", 4, "--members")

    [found] = records("runs")
    assert json.loads(str(found["parameters"])) == {"method": "HDBSCAN", "least": 4}
    assert len(members) == 100
    assert {0, 1, 2} <= {row["cluster"] for row in members}


def test_elbow() -> None:
    """Each number of groups has a row, and one is the elbow."""
    rows = records("elbow", "Fish", "--from", 3, "--to", 9)

    assert [row["clusters"] for row in rows] == [*range(3, 10)]
    assert sum("elbow" in str(row["choice"]) for row in rows) == 1


def test_tune(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are rows, their runs are committed one by one, and a fault of the third keeps the two before it."""
    fit, fitted = tuning.AGAIN["Clusters"], []

    def failing(*given: Any) -> int:
        if len(fitted) == 4:
            raise OperationalError("the disk failed")
        fitted.append(fit(*given))
        return fitted[-1]

    monkeypatch.setattr(tuning, "METHODS", tuning.METHODS[:1])
    monkeypatch.setitem(tuning.AGAIN, "Clusters", failing)
    rows = records("tune", "clusters", "Fish", "--trials", 2, "--measure", "silhouette")

    assert [row["fitted"] for row in rows] == fitted
    assert run("tune", "clusters", "Fish", "--trials", 5, "--seed", 6).exit_code != 0
    assert len(records("runs", "--kind", "Clusters")) == 4


def test_outliers() -> None:
    """The oddest items come first, as many as asked for."""
    rows = records("outliers", "Fish", "-k", 4, "--contamination", 0.02)

    assert [row["place"] for row in rows] == [1, 2, 3, 4]
    assert [row["odd"] for row in rows] == [1, 1, 0, 0]


def test_exemplars() -> None:
    """Exemplars are given by their names."""
    rows = records("outliers", "Fish", "--method", "byexemplar", "--exemplars", "マアジ,マダコ", "-k", 200)

    assert {row["name"] for row in rows[-2:]} == {"マアジ", "マダコ"}


def test_labels_choose_the_threshold() -> None:
    """With labels the threshold is the one that they choose."""
    sql(MARK)

    by_share = records("outliers", "Fish")
    by_labels = records("outliers", "Fish", "--labels", "mine")

    assert [row["score"] for row in by_share] == [row["score"] for row in by_labels]
    assert sum(int(str(row["odd"])) for row in by_share) == 3
    assert sum(int(str(row["odd"])) for row in by_labels) != 3


def test_compare_detectors() -> None:
    """Each detector is a row."""
    sql(MARK)

    rows = records("compare-detectors", "Fish", "mine")

    detectors = {"Neighbours", "KMeansDistance", "IsolationForest", "Reconstruction", "ByExemplar"}
    assert {row["detector"] for row in rows} == detectors


def test_what_is_fitted_stays() -> None:
    """A run is kept, told with its metrics on standard error, and not fitted again."""
    first, again = run("clusters", "Fish", "-n", 8), run("clusters", "Fish", "-n", 8)

    assert "run 1, Clusters of Fish, fitted in" in first.stderr
    assert "sse" in first.stderr
    assert "run 1, Clusters of Fish, is there already" in again.stderr
    assert again.stdout == first.stdout
    [found] = records("runs")
    assert found["asked"] == 2


def test_runs_of_a_kind() -> None:
    """Runs are listed newest first, or those of a kind."""
    run("clusters", "Fish", "-n", 3)
    run("elbow", "Fish", "--to", 5)

    assert [row["kind"] for row in records("runs")] == ["Elbow", "Clusters"]
    assert [row["kind"] for row in records("runs", "--kind", "Clusters")] == ["Clusters"]
    assert [row["run"] for row in records("runs", "-k", 1)] == [2]


def test_show_a_run() -> None:
    """The metrics of a run are shown, and that its source has changed since."""
    run("clusters", "Fish", "-n", 3)
    before = run("runs", "show", 1, "--format", "csv")
    sql("DELETE FROM MeetUp2025.Fish WHERE FishID = 'F001'")
    after = run("runs", "show", 1)

    by_labels = ["labels", "labels_ari", "labels_nmi"]
    shown = [row["name"] for row in csv.DictReader(io.StringIO(before.stdout))]
    assert shown == ["clusters", "sse", "silhouette", *by_labels]
    assert before.stderr == ""
    assert "the source of run 1 has changed since" in after.stderr


def test_chosen_number_of_groups_is_explained() -> None:
    """Without a number, the line about the run has both choices, and the rule that decided with its reason."""
    done = run("clusters", "Fish")

    assert "elbow_chooses 7, silhouette_chooses 2, decided 2 (silhouette: the elbow is far from it)" in done.stderr


def test_compare_runs() -> None:
    """Two groupings are compared by how they agree, and item by item."""
    run("clusters", "Fish", "-n", 3)
    run("clusters", "Fish", "-n", 4)

    done = run("runs", "compare", 1, 2, "--format", "json")

    assert "adjusted_rand" in done.stderr
    assert 0 < len(json.loads(done.stdout)) < 100


def test_delete_a_run() -> None:
    """A deleted run is gone; deleting it again is an error."""
    run("clusters", "Fish", "-n", 3)

    assert run("runs", "delete", 1).stdout == "run 1 deleted\n"
    again = run("runs", "delete", 1)
    assert (again.exit_code, records("runs")) == (3, [])
    assert "A run must exist" in again.stderr


def test_table_leaves_out_digits() -> None:
    """A table shows four digits of a number; CSV shows all."""
    table, exact = run("elbow", "Fish", "--to", 5), run("elbow", "Fish", "--to", 5, "--format", "csv")

    shown = table.stdout.splitlines()[2].split()[1]
    assert len(shown.replace(".", "")) <= 4
    assert float(exact.stdout.splitlines()[1].split(",")[1]) == pytest.approx(float(shown), rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("map", "Birds"), 3, "A source must be Fish, FishImage, Both"),
        (("map", "Fish", "-d", "4"), 2, "4 is not in the range"),
        (("clusters", "Fish", "-n", "1000"), 3, "from 1 to the number of different vectors, 100. Got 1000"),
        (("elbow", "Fish", "--from", "0"), 3, "Got 0 to 29"),
        (("outliers", "Fish", "--method", "Magic"), 3, "A detector must be"),
        (("outliers", "Fish", "--contamination", "0.7"), 3, "at most 0.5. Got 0.7"),
        (("compare-detectors", "Fish", "nobody"), 3, "'nobody', which has no rows for FISH"),
        (("runs", "show", "99"), 3, "Got 99"),
        (("runs", "compare", "1", "1"), 3, "A run must exist"),
    ],
)
def test_wrong_commands(arguments: tuple[str, ...], code: int, message: str) -> None:
    """What cannot be is one line on standard error, an exit code, and no run."""
    done = run(*arguments)

    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""
    assert records("runs") == []
