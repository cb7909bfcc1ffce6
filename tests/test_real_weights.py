"""Real trained weights, installed from a hub without torch, name real photographs (dev group `real`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hub
import numpy as np
import pytest
import real_weights
from click.testing import CliRunner
from filelock import FileLock

import meetup2025
from meetup2025 import images
from meetup2025.cli import main
from meetup2025.embedding.installing import meaning
from meetup2025.embedding.models import find
from meetup2025.embedding.onnx import OnnxEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.real, pytest.mark.slow]

PICTURES, TEXTS = "planted/efficientnet-lite2", "planted/minilm"
PHOTOS = Path(__file__).parents[2] / "shared" / "photos"
WORDS = [*real_weights.SEA, *real_weights.EVERYDAY]


@pytest.fixture(scope="module")
def published(pytestconfig) -> dict[str, Path]:
    """Export the weights once, for this and later runs."""
    folder = pytestconfig.cache.mkdir("real-weights")
    with FileLock(folder / "lock"):
        if not (folder / "made").is_file():
            real_weights.publish(folder)
            (folder / "made").touch()
    return {PICTURES: folder / "pictures", TEXTS: folder / "texts"}


@pytest.fixture(scope="module")
def reached(published, tmp_path_factory):
    """Let this process reach a hub that has them."""
    with hub.serving(published) as address, hub.reached(address, tmp_path_factory.mktemp("cache")):
        yield


def install(*arguments: str) -> Any:
    """Install both halves."""
    return CliRunner().invoke(main, ["model", "install", PICTURES, "--texts", TEXTS, *arguments])


@pytest.fixture(scope="module", params=["float32", "int8"])
def model(request, reached, tmp_path_factory) -> OnnxEncoder:  # noqa: ARG001 - the hub is there
    """Install both halves in a precision, without the test of meaning, which this classifier cannot pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETUP2025_MODELS", str(tmp_path_factory.mktemp("models")))
        patch.setattr(meaning, "check", lambda *_: [])
        result = install("--precision", request.param, "--as", "real", "--format", "json")
        assert result.exit_code == 0, result.output
        encoder = OnnxEncoder(find("real"))
        encoder.told = json.loads(result.stdout)["measured"]
        return encoder


@pytest.mark.usefixtures("reached")
def test_a_classifier_knows_no_colours(tmp_path, monkeypatch):
    """The test of meaning refuses a real network that was never shown words: it chooses one of two by chance."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    seen: list[meaning.Meaning] = []
    understood = meaning.understood
    monkeypatch.setattr(meaning, "understood", lambda of: seen.extend(understood(of)) or seen)
    result = install("--precision", "float32")

    assert "must find the words for drawn pictures" in result.stderr
    assert all(0.3 < each.all < 0.65 for each in seen)


def test_int8_is_near_float32(model):
    """The files in int8 are near those in float32, measured at the installation."""
    if model.info.precision == "int8":
        assert model.told["agreement with float32"].startswith("cosine to float32: pictures 0.99")


def nearest(model: OnnxEncoder, photo: Path, words: Sequence[str]) -> list[str]:
    """Name a photo: the words, the nearest first."""
    seen = model.images([images.open_picture(photo.read_bytes(), longest=model.picture_size)])[0]
    return [words[place] for place in np.argsort(-(model.texts(words) @ seen))]


def of_wheels() -> Path:
    """Give a photo of a building, which scikit-learn brings."""
    import sklearn

    return Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"


def test_a_photo_of_a_wheel(model):
    """A building is named among 60 words, and among words that the classifier never had."""
    assert nearest(model, of_wheels(), WORDS)[0] == "palace"
    others = ["a fish", "a cup of coffee", "a temple", "a flower", "a person"]
    assert nearest(model, of_wheels(), others)[0] == "a temple"


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not here")
def test_photos_of_the_sea(model):
    """Photographs of fish, a squid, an octopus and a shrimp get names of creatures of the sea, of 60 names."""
    photos = [path for path in sorted(PHOTOS.iterdir()) if path.suffix != ".md"]
    named = {path.stem: nearest(model, path, WORDS)[0] for path in photos}

    assert len(named) == 12
    assert set(named.values()) <= set(real_weights.SEA)
    assert (named["サンマ"], named["コイ"], named["ボタンエビ"]) == ("gar fish", "tench", "spiny lobster")


def test_in_sql(model, photos, monkeypatch):
    """The names are loaded into the table, and a photograph is named by SQL, as on a server."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(model.info.folder.parent))
    monkeypatch.setenv("MEETUP2025_MODEL", "real")
    (photos / "china.jpg").write_bytes(of_wheels().read_bytes())
    lines = [f"W{place},{word}" for place, word in enumerate(WORDS)]
    (photos / "words.csv").write_text("\n".join(["FishID,Name", *lines]), "utf-8")
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames(?)", [str(photos / "words.csv")])
        rows = cursor.execute("CALL MeetUp2025.Identify(?, 3)", [str(photos / "china.jpg")]).fetchall()

    assert "palace" in rows[0]
