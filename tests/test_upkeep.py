"""The commands of an administrator: a database is looked over, copied, and loaded night after night."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

import meetup2025
from meetup2025.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(_bundled_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Database of the bundled names and samples, which the settings name."""
    shutil.copy(_bundled_file, tmp_path / "fish.db")
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'fish.db'}")
    return f"duckdb:///{tmp_path / 'fish.db'}"


def run(*arguments: object) -> Result:
    """Run the program."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def findings(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code of the doctor, and the findings by what they are about."""
    done = run("doctor", *arguments, "--format", "json")
    return done.exit_code, {each["about"]: each for each in json.loads(done.stdout)}


# --- doctor


@pytest.mark.usefixtures("url")
def test_all_is_well() -> None:
    """A database with its model is well, and its rows and versions are told."""
    code, found = findings()

    assert (code, {each["well"] for each in found.values()}) == (0, {"yes"})
    assert found["Fish"]["found"] == "100 of sketch@1"
    assert "duckdb " in found["versions"]["found"]


def test_rows_of_another_model(url: str) -> None:
    """A table of another model is found, and the rest is checked too."""
    with meetup2025.connect(url, autocommit=True) as connection:
        connection.cursor().execute("UPDATE MeetUp2025.FishImage SET Model = 'other@1'")
    code, found = findings()

    assert (code, found["FishImage"]["well"], found["Fish"]["well"], found["disk"]["well"]) == (1, "no", "yes", "yes")
    assert "other@1" in found["FishImage"]["found"]


@pytest.mark.parametrize(
    ("setting", "value", "about", "says"),
    [
        ("MEETUP2025_MODEL", "nobody/nothing", "models", "must be installed"),
        ("MEETUP2025_URL", "duckdb:////nowhere/fish.db", "database", "There is no file"),
        ("MEETUP2025_PHOTOS", "/nowhere", "photos", "/nowhere cannot be read"),
    ],
)
@pytest.mark.usefixtures("url")
def test_what_is_not_well(monkeypatch: pytest.MonkeyPatch, setting: str, value: str, about: str, says: str) -> None:
    """What is missing is a finding, and the exit code says so."""
    monkeypatch.setenv(setting, value)
    code, found = findings()

    assert (code, found[about]["well"], says in found[about]["found"]) == (1, "no", True)


# --- pages of another model


def test_web_refuses_another_model(url: str) -> None:
    """Pages with a model other than that of the database do not start."""
    with meetup2025.connect(url, autocommit=True) as connection:
        connection.cursor().execute("UPDATE MeetUp2025.Fish SET Model = 'other@1'")
    done = run("web", "--listen", "http://127.0.0.1:0")

    assert (done.exit_code, "other@1" in done.stderr) == (3, True)
