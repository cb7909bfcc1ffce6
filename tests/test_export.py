"""The commands for tables of one's own: one loads, another writes a source with its results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from meetup2025.cli import main

pytestmark = pytest.mark.slow

VECTORS = np.vstack([np.random.default_rng(5).normal(at, 0.1, size=(10, 4)) for at in np.eye(4)[:2]])


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that holds twenty vectors in two groups."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'own.db'}")
    np.savez("docs.npz", id=np.array([f"d{at}" for at in range(20)]), map_x=np.arange(20), emb=VECTORS)


def run(*words: str, code: int = 0) -> Result:
    """Run a command."""
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def test_load_table() -> None:
    """The command says what it loaded, what a column is called now, and what comes next."""
    done = run("load", "table", "docs.npz", "--as", "Docs")

    assert done.stdout == "20 rows added, 0 changed, 20 in SQLUser.Docs, vectors of 4 numbers\n"
    assert "the column id is ItemID" in done.stderr
    assert "meetup2025 map Docs" in done.stderr


def test_export_with_results() -> None:
    """A row has its columns, and its results under names that are free."""
    run("load", "table", "docs.npz", "--as", "Docs")
    run("clusters", "Docs", "-n", "2")
    run("export", "docs", "docs.jsonl", "--with", "clusters,outliers")
    rows = [json.loads(line) for line in Path("docs.jsonl").read_text("utf-8").splitlines()]

    assert [row["ItemID"] for row in rows] == [f"d{at}" for at in range(20)]
    assert [row["map_x"] for row in rows] == [*range(20)]
    assert len({row["cluster"] for row in rows[:10]}) == len({row["cluster"] for row in rows[10:]}) == 1
    assert rows[0]["cluster"] != rows[10]["cluster"]
    assert {"cluster_name", "cluster_distance", "outlier_score", "outlier"} <= set(rows[0])
    np.testing.assert_allclose(rows[3]["emb"], VECTORS[3])


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_exported_file_is_loaded_as_it_was(suffix: str) -> None:
    """A file that is exported is loaded again without a change."""
    run("load", "table", "docs.npz", "--as", "Docs")
    run("export", "Docs", f"docs.{suffix}")
    done = run("load", "table", f"docs.{suffix}", "--as", "Docs", "--key", "ItemID", "--vector", "emb")

    assert done.stdout.startswith("0 rows added, 0 changed")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Nix", "a.csv"), "one that is registered. Got Nix"),
        (("Fish", "a.xlsx"), "must end in .parquet"),
        (("Fish", "a.csv", "--with", "map,colours"), "Got colours"),
    ],
)
def test_refused_exports(words: tuple[str, ...], message: str) -> None:
    """A source, a kind of file or a result that there is not is refused, and writes no file."""
    assert message in run("export", *words, code=2).stderr
    assert not list(Path().glob("a.*"))


def test_model_of_vectors_is_told() -> None:
    """The model of vectors is that of the file or of the option, and never assumed."""
    line = {"id": "F1", "name": "a", "embedding": [1.0] * 512, "colour": "red"}
    Path("fish.jsonl").write_text(json.dumps(line), "utf-8")
    Path("known.jsonl").write_text(json.dumps({**line, "model": "mine@1"}), "utf-8")

    assert "add --model-of" in run("load", "vectors", "fish.jsonl", code=2).stderr
    done = run("load", "vectors", "known.jsonl")
    assert done.stdout.endswith("added or changed, 1 in Fish\n")
    assert "not read: colour" in done.stderr
    assert "mine@1" in run("sql", "SELECT Model FROM MeetUp2025.Fish").stdout
