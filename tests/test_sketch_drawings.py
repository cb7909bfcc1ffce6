"""The drawings of scripts/sketch, and the bundled model that learnt them."""

from __future__ import annotations

import csv
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # scripts/ is no part of the package
    sys.path.insert(0, str(ROOT))

from scripts.sketch import evaluate, texts  # noqa: E402 - only now can they be found
from scripts.sketch.draw import SEEDS, draw  # noqa: E402
from scripts.sketch.kinds import KINDS, check  # noqa: E402

from meetup2025.embedding import encoder  # noqa: E402

SAMPLES = ROOT / "src" / "python" / "meetup2025" / "samples"
FIRST_SEED = 500_000  # among the test seeds; scripts/sketch/evaluate.py starts at 0


def test_the_same_seed_draws_the_same_picture() -> None:
    """A name and a seed fix every pixel."""
    assert draw("マアジ", 7, 96).tobytes() == draw("マアジ", 7, 96).tobytes()


def test_another_seed_draws_another_picture() -> None:
    """Two seeds never give the same picture."""
    assert draw("マアジ", 7, 96).tobytes() != draw("マアジ", 8, 96).tobytes()


@pytest.mark.parametrize("size", [32, 33, 97])
def test_the_long_side_is_the_size_asked_for(size: int) -> None:
    """A picture may be wide or tall; its long side is what was asked for."""
    assert max(draw("ケガニ", 3, size).size) == size


def test_every_catalogue_name_has_a_drawing() -> None:
    """The drawings are those of fish.csv and strays.csv, no more and no fewer."""
    assert set(texts.read()) == set(KINDS)


def test_a_name_without_a_drawing_is_refused() -> None:
    """The check names what is missing on either side."""
    with pytest.raises(ValueError, match=r"ニンギョ.*マアジ"):
        check([name for name in KINDS if name != "マアジ"] + ["ニンギョ"])


def test_the_seeds_of_training_and_judging_are_disjoint() -> None:
    """No picture that trains the model also judges it."""
    parts = [set(range(part.start, part.stop, 1000)) for part in SEEDS.values()]
    edges = sorted((part.start, part.stop) for part in SEEDS.values())
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(edges))


def test_every_attribute_of_a_kind_that_has_phrases_is_true_of_some_and_false_of_some() -> None:
    """A phrase that is true of everything or of nothing teaches nothing."""
    told = texts.phrases()
    share = told.truth.mean(axis=1)
    assert told.truth.shape == (len(told.texts), len(KINDS))
    assert share.min() > 0
    assert share.max() < 1


def test_a_phrase_is_told_once() -> None:
    """One text cannot be true and false of the same kind."""
    told = texts.phrases()
    assert len(set(told.texts)) == len(told.texts)


@pytest.mark.parametrize(
    ("phrase", "name", "true"),
    [
        ("赤い魚", "キンメダイ", True),
        ("赤い魚", "マダコ", False),
        ("赤い", "マダコ", True),
        ("細長い魚", "サンマ", True),
        ("足が八本の", "ミズダコ", True),
        ("足が八本の", "スルメイカ", False),
        ("縞模様の魚", "イシダイ", True),
        ("生き物", "モクギョ", False),
    ],
)
def test_phrases_are_true_of_the_right_kinds(phrase: str, name: str, *, true: bool) -> None:
    """The truths follow the words of the kinds."""
    told = texts.phrases()
    assert bool(told.truth[told.texts.index(phrase), list(KINDS).index(name)]) is true


def test_a_noun_with_an_attribute_is_no_truer_than_the_noun() -> None:
    """All red fish are fish."""
    told = texts.phrases()
    rows = dict(zip(told.texts, told.truth, strict=True))
    assert np.all(rows["赤い魚"] == rows["赤い"] * rows["魚"])


def test_no_written_form_belongs_to_two_kinds() -> None:
    """A form is one answer."""
    owned = [form.lower() for forms in texts.names().values() for form in forms]
    assert len(owned) == len(set(owned))


def test_the_wanted_cosines_can_exist() -> None:
    """They are those of unit vectors: ones on the diagonal, no negative eigenvalue."""
    like = texts.likeness()
    assert np.allclose(np.diag(like), 1)
    assert np.linalg.eigvalsh(like.astype(float)).min() > -1e-5


@pytest.mark.slow
def test_the_model_names_fresh_drawings() -> None:
    """The bundled model puts the right name of all first, on drawings that it never saw."""
    model = encoder("sketch")
    pictures = evaluate.embed_drawings(model, 3, FIRST_SEED, sizes=(160, 192))
    found = evaluate.naming(pictures, model.texts(list(KINDS)))
    assert found["top1"] >= 0.95, found


def test_the_model_names_its_samples() -> None:
    """Each picture of the package is what labels.csv says."""
    model = encoder("sketch")
    names = model.texts(list(KINDS))
    with (SAMPLES / "labels.csv").open(encoding="utf-8", newline="") as stream:
        expected = {row["File"]: row["Name"] for row in csv.DictReader(stream)}
    found = {}
    for file in expected:
        with Image.open(SAMPLES / file) as picture:
            found[file] = list(KINDS)[int(np.argmax(names @ model.images([picture.convert("RGB")])[0]))]
    assert expected == found


def test_the_samples_are_the_files_of_their_table() -> None:
    """No picture is missing from the table, and none is too many."""
    with (SAMPLES / "labels.csv").open(encoding="utf-8", newline="") as stream:
        told = {row["File"] for row in csv.DictReader(stream)}
    assert told == {file.name for file in SAMPLES.iterdir()} - {"labels.csv"}
