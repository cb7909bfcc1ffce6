"""The commands of an administrator: a database is looked over, copied, and loaded night after night."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

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


# --- refresh


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Folder of a night, with two pictures that are no samples."""
    folder = tmp_path / "night"
    folder.mkdir()
    for at in range(2):
        Image.new("RGB", (32, 32), (at * 200, 90, 30)).save(folder / f"{at}.png")
    return folder


def refreshed(*arguments: object) -> tuple[int, dict[str, Any]]:
    """Return the exit code of a refresh, and its report by what it is about."""
    done = run("refresh", *arguments, "--format", "json")
    return done.exit_code, {each["about"].split("/")[-1]: each for each in json.loads(done.stdout)}


def named(url: str, **fits: str) -> None:
    """Make analyses, and give them names."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        for name, fit in fits.items():
            number = cursor.execute(f"SELECT MeetUp2025.{fit}").fetchone()[0]
            cursor.execute("SELECT MeetUp2025.DescribeRun(?, ?)", [number, name]).fetchone()
        connection.commit()


def test_nights(url: str, night: Path) -> None:
    """New photos make the named analyses again, once; a night without new ones changes nothing."""
    named(url, groups="FitClusters('FishImage', 2)", copies="FitDuplicates('FishImage', 0.99)")
    code, report = refreshed(night, "--drift", "1")
    assert (code, report["night"]["found"], report["groups"]["state"]) == (0, "2 added or changed", "fine")
    assert "drift" in report["groups"]["found"]
    assert "made again" in report["copies"]["found"]
    code, report = refreshed(night)
    assert (code, report["night"]["found"]) == (0, "0 added or changed")
    assert "has not changed" in report["groups"]["found"]


def test_what_to_look_at(url: str, night: Path) -> None:
    """What is newly odd, and what was left out, is to be looked at, and told by name."""
    named(url, odd="FitOutliers('FishImage', 'Neighbours', 0.05, '', '', 5)")
    (night / "broken.png").write_bytes(b"no picture")
    code, report = refreshed(night)

    assert (code, report["night"]["state"]) == (1, "look")
    assert "1 left out: 'broken.png'" in report["night"]["found"]
    assert "odd" in report["odd"]["found"]


@pytest.mark.usefixtures("url")
def test_what_fails(night: Path) -> None:
    """A folder that is not there fails, and the other one is loaded."""
    code, report = refreshed(night / "nothing", night)

    assert (code, report["nothing"]["state"], report["night"]["state"]) == (2, "failed", "fine")
    assert "none has a name" in report["analyses"]["found"]
