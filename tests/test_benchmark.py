"""What a model is worth on photos: planted labels, names that help or do not, and the table of the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import meetup2025
from meetup2025 import vectors
from meetup2025.analytics.label_tests import measure
from meetup2025.cli import main
from meetup2025.errors import DataError

pytestmark = pytest.mark.slow

SAMPLES = Path(meetup2025.__file__).parent / "samples"
DIMENSION = 64


def planted(labels: int, photos: int, spread: float = 2.0) -> tuple[np.ndarray, list[str], dict[str, np.ndarray]]:
    """Give photos around a centre for each label, their labels, and the centres by label."""
    rng = np.random.default_rng(5)
    centres = vectors.unit(rng.normal(size=(labels, DIMENSION)))
    rows = np.repeat(centres, photos, axis=0) + spread * rng.normal(size=(labels * photos, DIMENSION)) / DIMENSION**0.5
    names = [f"label {number}" for number in range(labels)]
    return vectors.unit(rows), [name for name in names for _ in range(photos)], dict(zip(names, centres, strict=True))


def test_more_photos_are_worth_more() -> None:
    """Photos help the more there are, and names that are right help few photos most."""
    rows, labels, centres = planted(6, 14)

    found = {(each.way, each.photos): each for each in measure(rows, labels, {"name": centres}, draws=3)}

    by_photos = [found["photos", photos].top1 for photos in (1, 2, 5, 10)]
    assert by_photos == sorted(by_photos)
    assert found["name", 0].top1 > by_photos[0]
    assert found["name + photos", 5].top1 >= found["photos", 5].top1
    assert all(each.top1 <= each.top3 <= 1 for each in found.values())
    assert found["photos", 10].coverage is not None
    assert found["photos", 1].ece is None


def test_names_that_say_nothing_are_worth_chance() -> None:
    """Random names tell one label of six by chance, and cost photos next to nothing."""
    rows, labels, centres = planted(6, 14)
    noise = np.random.default_rng(8).normal(size=(6, DIMENSION))
    names = dict(zip(centres, noise, strict=True))

    found = {(each.way, each.photos): each for each in measure(rows, labels, {"name": names}, draws=3)}

    assert found["name", 0].top1 < 0.5
    assert found["name + photos", 10].top1 > found["photos", 10].top1 - 0.05


def test_labels_that_are_no_name_are_not_asked_of_names() -> None:
    """Names alone are asked for photos whose label is a name; photos are asked for all."""
    rows, labels, centres = planted(4, 6)
    centres.pop("label 3")

    found = {(each.way, each.photos): each for each in measure(rows, labels, {"name": centres}, draws=2)}

    assert found["name", 0].labels == 3
    assert found["photos", 2].labels == 4
    assert ("photos", 10) not in found


def test_the_same_seed_gives_the_same_table() -> None:
    """Draws come from the seed alone."""
    rows, labels, centres = planted(4, 6)

    first, second, other = (measure(rows, labels, {"name": centres}, draws=2, seed=seed) for seed in (5, 5, 6))

    assert first == second != other


@pytest.mark.parametrize(
    ("rows", "labels", "draws"),
    [([[1, 0]], ["a"], 1), ([[1, 0], [1, 0]], ["a", "a"], 0), ([[1, 0], [1, 0]], ["a", "a"], 101)],
)
def test_what_cannot_be_measured(rows: list[list[int]], labels: list[str], draws: int) -> None:
    """One photo a label, no draw, and very many are refused."""
    with pytest.raises(DataError, match=r"two photos|draws must be from 1 to 100"):
        measure(rows, labels, {}, draws=draws)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of four pictures of each of two fish, in folders of their names."""
    for name, label in (("saba.png", "マサバ"), ("madako.png", "マダコ")):
        (tmp_path / label).mkdir()
        picture = Image.open(SAMPLES / name).convert("RGB")
        for turn in range(4):
            picture.rotate(5 * turn, fillcolor=(255, 255, 255)).save(tmp_path / label / f"{turn}.jpg")
    return tmp_path


def test_the_command_writes_markdown(folder: Path) -> None:
    """The table says what it was made of, and has a line for each way."""
    done = CliRunner().invoke(main, ["benchmark", str(folder), "--draws", "2"])

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "- model: sketch@1" in lines
    assert any(line.startswith("- photos_sha256: ") for line in lines)
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert {line.split(" | ")[0].strip("| ") for line in table[2:]} == {
        *("name", "name and aliases", "templates", "English"),
        *("photos", "name + photos"),
    }


def test_the_command_writes_json(folder: Path) -> None:
    """For programs the same is an object: what it was made of, and the results."""
    done = CliRunner().invoke(main, ["benchmark", str(folder), "--draws", "2", "--format", "json"])

    found = json.loads(done.stdout)
    assert (found["photos"], found["names"], found["seed"]) == (8, 100, 5)
    assert [each["way"] for each in found["results"][:4]] == ["name", "name and aliases", "templates", "English"]
    assert found["results"][0]["top1"] == 1


def test_photos_without_labels_are_told(tmp_path: Path) -> None:
    """A folder whose photos have no label cannot be measured."""
    Image.open(SAMPLES / "saba.png").save(tmp_path / "x.png")

    done = CliRunner().invoke(main, ["benchmark", str(tmp_path)])

    assert done.exit_code == 3
    assert "must have labels" in done.stderr
