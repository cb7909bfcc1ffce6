"""The command `model` shows, verifies and removes what is installed, and copies model folders."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from tiny import FILES, Tiny, change_json, make_model, near, pictures, quantise, save_golden, save_hashes, texts

import meetup2025
from meetup2025 import vectors
from meetup2025.cli import main
from meetup2025.cli.options import FAILED
from meetup2025.embedding import encoder
from meetup2025.embedding.installing import extra, places
from meetup2025.embedding.installing.install import note_of_dimension
from meetup2025.embedding.installing.published import _code, _wanted, published
from meetup2025.embedding.models import BUNDLED, SEVEN_BITS, file_hash, installed, read_model
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.errors import DataError, MissingModelError
from meetup2025.files import PACKAGE
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """Give the folder of the installed models of this test."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("MEETUP2025_URL", "duckdb://")
    return tmp_path / "models"


@pytest.fixture
def tiny(models) -> Path:
    """Install a tiny model."""
    return make_model(models / "org--tiny@2", "org/tiny")


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(main, ["model", *map(str, arguments)])


def own_ids():
    """Give the ids of the models that are not bundled."""
    return [info.id for info in installed() if info.folder.parent != BUNDLED]


# --- list, show, verify


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("used", "marked"), [("org/tiny", ["org/tiny"]), ("org/tiny@2", ["org/tiny"]), ("other", [])])
def test_list(used, marked):
    """Installed models are listed beside the bundled one, and the one in use is marked, by id or with its revision."""
    rows = json.loads(run("list", "--format", "json", "--model", used).stdout)

    assert [(row["id"], row["revision"]) for row in rows] == [("sketch", "1"), ("org/tiny", "2")]
    assert [row["id"] for row in rows if row["used"]] == marked


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda folder: (folder / "model.json").write_text("{"), "must hold a model.json in UTF-8"),
        (
            lambda folder: (folder / "golden.npz").unlink(),
            "golden.npz must exist. Got nothing; install the model again",
        ),
        (lambda folder: change_json(folder, format=2), "format must be 1. Got 2"),
    ],
)
def test_list_with_a_broken_model(tiny, models, harm, fault):
    """A folder that is broken, or was copied halfway, is listed as that beside the others, and can be removed."""
    harm(make_model(models / "org--half@2", "org/half"))
    row = json.loads(run("list", "--format", "json").stdout)[-1]

    assert (row["id"], row["used"], row["bytes"]) == ("org--half@2", False, None)
    assert fault in row["fault"]
    assert re.search(r"(?m)^\W*! +\W? *org--half@2", run("list").stdout)
    assert "Got 'absent'; installed: sketch, org/tiny." in run("show", "absent").stderr
    assert run("remove", "org--half@2", "--yes").stdout == "org--half@2 removed\n"
    assert own_ids() == ["org/tiny"]
    assert tiny.is_dir()


@pytest.mark.parametrize(("way", "revision"), [(SEVEN_BITS, "2+int7"), ("dynamic", "2+int8")])
def test_list_of_a_quantised_model(tiny, monkeypatch, way, revision):
    """Where pictures go through the quantised half, the model in use is called as its vectors are."""
    quantise(tiny, Tiny(), way=way)
    monkeypatch.setenv("MEETUP2025_RUNTIME", "int8")
    rows = json.loads(run("list", "--format", "json", "--model", "org/tiny").stdout)

    assert [row["revision"] for row in rows] == ["1", revision]


@pytest.mark.usefixtures("models")
def test_list_tells_what_has_chosen_the_model(monkeypatch):
    """The model in use is listed with the option, the variable or the choice that has named it."""
    monkeypatch.delenv("MEETUP2025_MODEL", raising=False)
    assert run("list").stdout.endswith("* sketch is in use: no other is chosen\n")
    run("use", "sketch")
    assert run("list").stdout.endswith("* sketch is in use: meetup2025 model use\n")
    assert run("list", "--model", "sketch").stdout.endswith("* sketch is in use: the option --model\n")


@pytest.fixture
def other(models, tmp_path, monkeypatch) -> Path:
    """Give a database with names and photos of sketch, and install a second model like it."""
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'fish.duckdb'}")
    monkeypatch.delenv("MEETUP2025_MODEL", raising=False)
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("saba.png", "taiyaki.jpg"):
        shutil.copy(PACKAGE / "samples" / name, photos)
    with meetup2025.connect(folders=[str(photos)]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv'), MeetUp2025.LoadImages(?)", [str(photos)])
        cursor.fetchall()
        sql = "UPDATE MeetUp2025.Fish SET Features = TO_VECTOR(?, DOUBLE) WHERE Name = 'マサバ'"
        cursor.execute(sql, [vectors.to_text(np.ones(512))])
        connection.commit()
    folder = shutil.copytree(BUNDLED / "sketch", models / "org--other@7")
    change_json(folder, id="org/other", revision="7")
    return photos


def models_in_use() -> list[tuple[str, str, int]]:
    """Give the models of the vectors of the database."""
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        return cursor.execute("SELECT * FROM MeetUp2025.VectorModels() ORDER BY Source").fetchall()


def test_use_says_what_has_vectors_of_another_model(other):
    """A choice alone changes no vector, and tells the command that does."""
    result = run("use", "org/other")

    assert result.exit_code == 0, result.output
    assert "Fish: 100 of sketch@1, FishImage: 2 of sketch@1" in result.stdout
    assert "meetup2025 model use org/other --embed" in result.stdout
    assert {row[1] for row in models_in_use()} == {"sketch@1"}
    assert other.is_dir()


def test_use_makes_vectors_again(other):
    """Names are embedded by their words, and photos by their files; without its file, a photo is by its thumbnail."""
    (other / "taiyaki.jpg").unlink()
    result = run("use", "org/other", "--embed")

    assert result.exit_code == 0, result.output
    assert "100 names and 2 photos have vectors of it" in result.stdout
    assert "They are 'taiyaki.jpg'" in result.stderr
    assert {row[1] for row in models_in_use()} == {"org/other@7"}
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        [row] = cursor.execute("CALL MeetUp2025.Identify('samples/saba.png', 1)").fetchall()
        [photo] = cursor.execute("CALL MeetUp2025.SimilarImages('samples/saba.png', 1)").fetchall()
    assert (row[1], round(row[4], 3)) == ("マサバ", 0.978)
    assert (photo[0], photo[2]) == ("saba.png", pytest.approx(1))


def test_use_of_a_model_that_is_not_there():
    """A model that is neither installed nor known by a recipe is not chosen."""
    result = run("use", "absent")

    assert result.exit_code == FAILED
    assert "Got 'absent'" in result.stderr


def test_show(tiny):
    """A model is shown with its preparation, its size, its quantised half and its original, where it has them."""
    origin = {"source": "org/tiny", "revision": "a1", "kind": "Tiny", "remote_code": False, "made_with": "numpy"}
    change_json(tiny, original=origin)
    values = json.loads(run("show", "org/tiny", "--format", "json").stdout)
    table = run("show", "org/tiny").stdout

    assert (values["image.fit"], values["text.max_length"], values["original.revision"]) == ("pad", 12, "a1")
    assert values["bytes"] == sum((tiny / name).stat().st_size for name in FILES)
    assert not any(key.startswith("int8") for key in values)
    assert "original.made_with" in table


def test_verify(tiny):
    """Each golden item is shown with its cosine; all of a sound model are right."""
    result = run("verify", "org/tiny", "--format", "json")
    rows = json.loads(result.stdout)

    assert result.exit_code == 0
    assert [row["item"] for row in rows] == ["text 'サバ'", "text 'タコの写真'", "image_00", "image_01"]
    assert all(row["right"] and row["cosine"] > 0.9999 for row in rows)
    assert tiny.is_dir()


def test_verify_finds_a_wrong_vector(tiny):
    """A golden item that a model does not meet is shown and counted, and the exit code is 3."""
    vectors = Tiny().texts(["サバ", "タコの写真"])
    save_golden(tiny, Tiny(), text_vectors=np.array([vectors[0], -vectors[1]]))
    save_hashes(tiny)
    result = run("verify", "org/tiny", "--format", "json")

    assert result.exit_code == 3
    assert [row["right"] for row in json.loads(result.stdout)] == [True, False, True, True]
    assert "Got 1 of 4 wrong" in result.stderr


def test_verify_finds_a_changed_byte(tiny):
    """A file that is not as it was published is named."""
    with (tiny / "text.onnx").open("ab") as file:
        file.write(b"\0")
    result = run("verify", "org/tiny")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "text.onnx must be as it was published" in result.stderr


@pytest.mark.parametrize("command", ["show", "verify", "remove"])
def test_absent_model(command):
    """A model that is not installed is told, with those that are."""
    result = run(command, "absent")

    assert result.exit_code == 3
    assert "Got 'absent'; installed: sketch" in result.stderr


# --- remove


def test_remove(tiny, models):
    """A removed model is gone, with its files; another of its revisions stays."""
    other = shutil.copytree(tiny, models / "org--tiny@3")
    change_json(other, revision="3")
    refused = run("remove", "org/tiny@2")
    result = run("remove", "org/tiny@2", "--yes")

    assert (refused.exit_code, "add --yes" in refused.stderr) == (3, True)
    assert (result.exit_code, result.stdout) == (0, "org/tiny@2 removed\n")
    assert {path.name for path in models.iterdir()} == {"org--tiny@3", ".installing"}
    assert [path.name for path in (models / ".installing").iterdir()] == ["lock"]


def test_a_folder_elsewhere_stays(tmp_path):
    """A model folder that is not among the installed ones is not removed."""
    folder = make_model(tmp_path / "elsewhere", "other")
    result = run("remove", folder)

    assert result.exit_code == 3
    assert f"Got {folder}; delete it there" in result.stderr
    assert folder.is_dir()


def test_bundled_model_stays():
    """The model of the package cannot be removed."""
    result = run("remove", "sketch", "--yes")

    assert result.exit_code == 3
    assert "which is part of the package" in result.stderr
    assert encoder("sketch").texts(["サバ"]).shape == (1, 512)


# --- folders of other machines


def test_install_a_model_folder(tmp_path, models):
    """A model folder is copied to its place, and nothing but its files."""
    source = make_model(tmp_path / "stick", "org/tiny")
    (source / "notes.txt").write_text("mine")
    result = run("install", source)

    assert result.exit_code == 0, result.output
    assert {path.name for path in (models / "org--tiny@2").iterdir()} == {*FILES, "model.json"}
    assert "meetup2025 model use org/tiny --embed" in result.stdout
    assert "the tables hold 512" in result.stderr


@pytest.mark.parametrize("harm", ["byte", "golden", "missing"])
def test_broken_model_folder(tmp_path, models, harm):
    """A model folder that fails its checks is not installed."""
    source = make_model(tmp_path / "stick", "org/tiny")
    if harm == "byte":
        (source / "image.onnx").write_bytes((source / "image.onnx").read_bytes()[:-1] + b"?")
    elif harm == "golden":
        save_golden(source, Tiny(seed=9))
        save_hashes(source)
    else:
        (source / "tokenizer.json").unlink()
    result = run("install", source)

    assert result.exit_code == 3
    assert "must" in result.stderr
    assert own_ids() == []
    assert not list(models.glob("*/model.json"))


def test_golden_text_that_fails_is_named(tmp_path):
    """The golden text that fails is named as the folder has it, also beyond the texts that we try models with."""
    source = make_model(tmp_path / "stick", "org/tiny")
    items = [*texts(49, seed=3), "サバの写真"]
    right = Tiny().texts(items)
    save_golden(source, Tiny(), texts=np.array(items), text_vectors=np.vstack([right[:-1], -right[-1:]]))
    save_hashes(source)

    assert "Got -1.000000 for text 'サバの写真'" in run("install", source).stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"texts": np.array([], "U1"), "text_vectors": np.empty((0, 8))}, "golden texts in its golden.npz. Got none"),
        ({"image_vectors": np.empty((0, 8))}, "golden pictures in its golden.npz. Got none"),
    ],
)
def test_golden_test_without_items(tmp_path, changes, words):
    """A golden test of no texts, or no pictures, proves nothing: the folder is refused, with where its form stands."""
    source = make_model(tmp_path / "stick", "org/tiny")
    save_golden(source, Tiny(), **changes)
    save_hashes(source)
    result = run("install", source)

    assert (result.exit_code, own_ids()) == (3, [])
    assert words in result.stderr
    assert "docs/models.md has the form of a folder" in result.stderr


def test_corrected_folder_is_copied(tmp_path, models):
    """A folder of the same id and revision, with other content, takes the place of what is installed."""
    source = make_model(tmp_path / "stick", "org/tiny")
    assert "already" not in run("install", source).stdout
    assert "already" in run("install", source).stdout
    Tiny(seed=6).save(source)
    save_golden(source, Tiny(seed=6))
    save_hashes(source)

    assert "already" not in run("install", source).stdout
    assert file_hash(models / "org--tiny@2" / "image.onnx") == file_hash(source / "image.onnx")


def test_quantised_half_that_this_processor_cannot_run(tmp_path, models):
    """A folder whose quantised half is off on this processor is installed for its other half, and that is told."""
    source = make_model(tmp_path / "stick", "org/tiny")
    quantise(source, near(0.3), least=0.9999)
    result = run("install", source)

    assert (result.exit_code, own_ids()) == (0, ["org/tiny"])
    assert "The quantised pictures of org/tiny@2+int8 must be as near" in result.stderr
    assert "take MEETUP2025_RUNTIME=onnx" in result.stderr
    assert OnnxEncoder(models / "org--tiny@2").images(pictures(1)).shape == (1, 8)


def test_broken_installation_is_replaced(tmp_path, models):
    """A model of the same name that was damaged is replaced by the sound one."""
    source = make_model(tmp_path / "stick", "org/tiny")
    assert run("install", source).exit_code == 0
    (models / "org--tiny@2" / "text.onnx").write_bytes(b"damaged")
    result = run("install", source)

    assert "already" not in result.stdout
    assert run("verify", "org/tiny").exit_code == 0


# --- places


def hold(folder, seconds):
    """Hold the lock in a process, with work under way."""
    os.environ["MEETUP2025_MODELS"] = str(folder)
    with places.locked() as beside:
        (beside / "made").mkdir()
        (beside / "made" / "half").write_text("x")
        time.sleep(seconds)


@pytest.fixture
def holder(models):
    """Another program that installs, for a while."""
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(models, 60))
    process.start()
    while not (models / ".installing" / "made" / "half").exists():
        assert process.is_alive()
        time.sleep(0.01)
    yield process
    process.kill()
    process.join()


def test_lock_waits(holder, models):
    """Who comes second waits, says so once, and leaves the work of the first alone."""
    told = []

    def waiting():
        told.append((models / ".installing" / "made" / "half").exists())
        holder.kill()

    with places.locked(waiting) as beside:
        assert told == [True]
        assert [path.name for path in beside.iterdir()] == ["lock"]


def test_put_is_one_step(models):
    """A finished folder takes the place of an older one."""
    for text in ("one", "two"):
        with places.locked() as beside:
            (beside / "made").mkdir()
            (beside / "made" / "file").write_text(text)
            places.put(beside / "made", models / "model")

        assert (models / "model" / "file").read_text() == text
        assert {path.name for path in models.iterdir()} == {"model", ".installing"}


def test_failed_work_leaves_nothing(models):
    """Work that fails is cleared at once."""
    with contextlib.suppress(ZeroDivisionError), places.locked() as beside:
        (beside / "made").mkdir()
        raise ZeroDivisionError

    assert [path.name for path in (models / ".installing").iterdir()] == ["lock"]


# --- published models


def folder_of(path, **files):
    """Write files, with a dot for each double underline."""
    path.mkdir()
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text, "utf-8")
    return path


def test_a_folder_has_a_revision_of_its_content(tmp_path):
    """The same files have the same revision, in any folder; another byte, another."""
    first = published(str(folder_of(tmp_path / "a", config__json="{}", x__txt="1")))
    same = published(str(folder_of(tmp_path / "b", config__json="{}", x__txt="1", notes__pdf="2")))
    other = published(str(folder_of(tmp_path / "c", config__json="{}", x__txt="2")))

    assert first.revision == same.revision != other.revision
    assert (first.id, len(first.revision), first.commit[:12]) == ("a", 12, first.revision)


def test_names_that_are_said(tmp_path):
    """Id and revision of a folder can be said; they must be words that a folder can have."""
    folder = str(folder_of(tmp_path / "日本語", config__json="{}"))
    found = published(folder, called="org/own", revision="v1")

    assert (found.id, found.revision) == ("org/own", "v1")
    for called, revision in (
        (None, None),
        ("a--b", None),
        ("a@b", None),
        ("../a", None),
        ("a", "x/y"),
        ("a", "1+int8"),
    ):
        with pytest.raises(DataError, match="say another with --"):
            published(folder, called=called, revision=revision)


@pytest.mark.parametrize("name", ["", "a/b/c", "/nowhere/at/all", "a b", "a@b"])
def test_what_is_no_name(name):
    """A name that neither a folder nor a repository can have is refused without asking the network."""
    with pytest.raises(MissingModelError, match="must be a repository, as in a/b, or a folder"):
        published(name)


@pytest.mark.parametrize(
    ("page", "licence"),
    [
        ("---\nlanguage: ja\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("---\nlicense: 'cc-by-4.0'\n---\n", "cc-by-4.0"),
        ("# Model\nlicense: mit\n", "unknown"),
        ("---\nlicense_name: own\n---\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_licence(tmp_path, page, licence):
    """The licence is that of the head of the model's page."""
    assert published(str(folder_of(tmp_path / "a", config__json="{}", README__md=page))).licence == licence


def test_code_that_a_model_brings(tmp_path):
    """Code is found in each file that names it, and in other repositories."""
    maps = ({"AutoModel": "modeling_a.A"}, {"AutoTokenizer": ["words.W", None]}, {"AutoImageProcessor": "org/b--p.P"})
    names = ("config", "tokenizer_config", "preprocessor_config")
    texts = {f"{name}__json": json.dumps({"auto_map": each}) for name, each in zip(names, maps, strict=True)}

    assert _code(folder_of(tmp_path / "a", **texts)) == ("modeling_a.py", "org/b", "words.py")
    assert _code(folder_of(tmp_path / "b", config__json="{}")) == ()


def test_files_that_are_wanted():
    """Of weights in two forms the safe one is taken, and none of other runtimes."""
    names = ["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "onnx/a.json"]

    assert _wanted([*names, "words.py"]) == ["config.json", "model.safetensors", "words.py"]
    assert _wanted(["config.json", "pytorch_model.bin", "flax_model.msgpack"]) == ["config.json", "pytorch_model.bin"]


def test_note_of_dimension(tiny):
    """Only vectors that do not fit the tables are spoken of."""
    assert note_of_dimension(read_model(BUNDLED / "sketch")) is None
    assert "vectors of 8 numbers, and the tables hold 512" in note_of_dimension(read_model(tiny))


@pytest.mark.parametrize("name", ["./absent", "~/absent", "a/b/c", " "])
def test_folder_that_is_not_there(name):
    """A path of nothing is told as that, with or without the extra."""
    result = run("install", name)

    assert result.exit_code == 3
    assert "a folder that is there" in result.stderr


def test_folder_above_a_model(tmp_path, tiny):
    """A folder that holds model folders is refused, and they are named."""
    above = tmp_path / "stick"
    shutil.copytree(tiny, above / "org--tiny@1")

    assert "model folders in it: org--tiny@1" in run("install", above).stderr
    (tmp_path / "empty").mkdir()
    assert "model folders in it: none" in run("install", tmp_path / "empty").stderr


@pytest.mark.parametrize("option", [["--as", "other"], ["--revision", "2"], ["--int8"]])
def test_options_that_a_model_folder_has_not(tiny, option):
    """A finished model folder is taken as it is: an option that would change it is refused."""
    result = run("install", tiny, *option)

    assert result.exit_code == 3
    assert "must be taken as it is" in result.stderr


@pytest.mark.parametrize("command", [("install", "x"), ("show", "sketch"), ("verify", "sketch"), ("remove", "sketch")])
def test_models_are_of_this_machine(command):
    """The URL of a server is refused: these commands are about this machine alone."""
    result = run(*command, "--url", "iris://somebody@localhost/USER")

    assert result.exit_code == 2
    assert "leave out --url" in result.stderr


@pytest.mark.parametrize(
    ("name", "needs", "extras"),
    [
        ("org/absent", "A model of the Hugging Face Hub needs huggingface_hub and safetensors", "hub"),
        (".", "Published models, to install or run them, need torch and transformers and onnx", "clip"),
    ],
)
def test_without_the_extra(tmp_path, monkeypatch, name, needs, extras):
    """Without its libraries the error names the extra, before anything is looked for."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extra.importlib.util, "find_spec", lambda _: None)
    result = run("install", name, "--from-cache")

    assert result.exit_code == 3
    assert needs in result.stderr
    assert install_command(extras) in result.stderr
    assert not (tmp_path / "models").exists() or own_ids() == []
