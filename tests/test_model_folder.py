"""docs/models.md describes the form of a model folder, and its program makes one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from test_examples import blocks, commands

from meetup2025.cli import main
from meetup2025.embedding import encoder
from meetup2025.embedding.models import _MAY_HOLD, _SHAPE, read_model

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
SECTION = PAGE.read_text("utf-8").split("## A folder of your own")[1].split("\n## ")[0]


@pytest.fixture
def colours(tmp_path, monkeypatch) -> Path:
    """Run the program of the page, and give the folder that it makes."""
    [program] = [block.text for block in blocks(SECTION) if block.language == "python"]
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    assert len(program.splitlines()) <= 40
    subprocess.run([sys.executable, "-c", program], check=True)
    return tmp_path / "colours"


@pytest.mark.usefixtures("colours")
def test_program_makes_a_model():
    """The folder that the program makes installs by the commands of the page, and knows its colours."""
    [console] = [block.text for block in blocks(SECTION) if block.language == "console"]
    for command in commands(console):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    model = encoder("acme/colours")
    shown = [Image.new("RGB", (60, 20), colour) for colour in ("red", "lime", "blue")]
    assert (model.texts(["red", "green", "blue"]) @ model.images(shown).T).argmax(axis=1).tolist() == [0, 1, 2]
    assert np.allclose(model.texts(["red", "red of no word"])[0] @ model.texts(["red"]).T, 1)


def test_page_names_what_a_folder_must_have(colours):
    """The page names each field of model.json, each input and output of a graph, and each array of golden.npz."""
    named = set(re.findall(r"`([^`]+)`", SECTION))
    fields = {"format", *_MAY_HOLD}
    for name, shape in _SHAPE.items():
        fields |= {f"{name}.{key}" for key in shape} if isinstance(shape, dict) else {name}
    with np.load(colours / "golden.npz") as arrays:
        names = set(arrays.files)
    assert sorted((fields | names | {"pixels", "input_ids", "attention_mask", "vectors"}) - named) == []


def test_program_says_all_that_it_must(colours):
    """The program writes the fields that a model.json must have, and no other."""
    assert json.loads((colours / "model.json").read_text("utf-8")).keys() == {"format", *_SHAPE}
    assert read_model(colours).model == "acme/colours@1"
