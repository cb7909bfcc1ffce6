"""Settings come from the environment first, and else from the file of the installation."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import meetup2025
from meetup2025 import DataError, InterfaceError, OperationalError, procedures, settings
from meetup2025.errors import ForbiddenPathError, MissingModelError
from meetup2025.files import PACKAGE


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of the settings of an installation; nothing is there yet."""
    path = tmp_path / "settings.json"
    monkeypatch.setattr(settings, "FILE", path)
    return path


def test_command_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra of a checkout is installed by its folder, into this Python: no index need have the package."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(settings, "FILE", tmp_path / "src" / "python" / "meetup2025" / "settings.json")
    assert settings.install_command("web") == f"{sys.executable} -m pip install -e '{tmp_path}[web]'"


@pytest.mark.parametrize(
    ("made_by", "origin", "command"),
    [
        ("", None, "PYTHON -m pip install 'meetup2025[web]'"),
        ("", {"url": "file:///a/b.whl", "archive_info": {}}, "PYTHON -m pip install 'meetup2025[web] @ file:///a/b.whl'"),
        (
            "",
            {"url": "https://host/x", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            "PYTHON -m pip install 'meetup2025[web] @ git+https://host/x'",
        ),
        ("uv-receipt.toml", None, "uv tool install 'meetup2025[web]'"),
        ("pipx_metadata.json", None, "pipx install --force 'meetup2025[web]'"),
    ],
)
def test_command_of_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: str, origin: dict[str, Any] | None, command: str
) -> None:
    """An extra comes by the program that has installed the package, from where the package came."""
    package = tmp_path / "meetup2025-0.1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: meetup2025\nVersion: 0.1.0\n", "utf-8")
    if origin:
        (package / "direct_url.json").write_text(json.dumps(origin), "utf-8")
    if made_by:
        (tmp_path / made_by).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(settings, "FILE", tmp_path / "lib" / "site-packages" / "meetup2025" / "settings.json")
    assert settings.install_command("web") == command.replace("PYTHON", sys.executable)


def test_package_has_no_settings() -> None:
    """The package brings no settings of its own."""
    assert not settings.FILE.exists()


@pytest.mark.usefixtures("file")
def test_saved_settings() -> None:
    """What is saved is read, whatever the case of the name; the environment comes first."""
    settings.save("model", "clip@1")
    settings.save("Models", "/data/models")
    settings.save("Runtime", "int8")
    settings.save("PHOTOS", f"/data/a{os.pathsep}/data/b")

    assert settings.model() == "clip@1"
    assert settings.models_folders() == [Path("/data/models")]
    assert settings.runtime() == "int8"
    assert settings.photo_folders() == [Path("/data/a"), Path("/data/b")]


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(("value", "expected"), [(1, True), ("1", True), (0, False), ("0", False), ("", False)])
def test_worker(value: int | str, *, expected: bool) -> None:
    """The worker is switched on by 1, a number as ObjectScript gives it or a text; without the setting it is off."""
    assert settings.uses_worker() is False

    procedures.setup_save_setting("Worker", value)

    assert settings.uses_worker() is expected


@pytest.mark.usefixtures("file")
def test_worker_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may go without the worker of its installation."""
    settings.save("Worker", "1")
    monkeypatch.setenv("MEETUP2025_WORKER", "0")

    assert not settings.uses_worker()


@pytest.mark.usefixtures("file")
def test_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have a setting of its own."""
    settings.save("Model", "clip@1")
    monkeypatch.setenv("MEETUP2025_MODEL", "sketch")

    assert settings.model() == "sketch"


def test_empty_value_takes_a_setting_out(file: Path) -> None:
    """An empty value leaves the others alone."""
    settings.save("Model", "clip@1")
    settings.save("Photos", "/data")
    settings.save("Model", "")

    assert settings.model() == "sketch"
    assert json.loads(file.read_text("utf-8")) == {"MEETUP2025_PHOTOS": "/data"}


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("name", ["", "URL", "MEETUP2025_MODEL", "../x"])
def test_setting_that_there_is_not(name: str) -> None:
    """Only the settings that there are can be saved."""
    with pytest.raises(DataError, match="Model, Models, Photos, Runtime, Worker"):
        settings.save(name, "x")


def test_folder_that_cannot_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder is read-only the settings stay as they were, and nothing is left behind."""
    settings.save("Model", "clip@1")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OperationalError, match="Permission denied"):
        settings.save("Model", "other")

    assert settings.model() == "clip@1"
    assert list(file.parent.glob("settings*")) == [file]


@pytest.mark.parametrize("content", ["", "[]", '{"MEETUP2025_MODEL": 5}', "{", b"\xff"])
def test_broken_file(file: Path, content: str | bytes) -> None:
    """A broken file is an error that names it, not a default."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(OperationalError, match=r"settings\.json"):
        settings.model()


# --- of a connection ------------------------------------------------------------------------------------------------


def test_a_connection_has_folders_of_its_own(tmp_path: Path) -> None:
    """A connection reads a folder that it was given; another connection of the process does not."""
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(PACKAGE / "samples" / "saba.png", folder)
    sql = "SELECT MeetUp2025.LoadImages(?)"

    with meetup2025.connect("duckdb://", folders=[str(folder)]) as allowed, meetup2025.connect("duckdb://") as other:
        assert allowed.cursor().execute(sql, [str(folder)]).fetchone() == (1,)
        with pytest.raises(ForbiddenPathError):
            other.cursor().execute(sql, [str(folder)])


def test_a_connection_has_a_model_of_its_own() -> None:
    """A connection makes vectors with the model that it was given."""
    sql = "SELECT MeetUp2025.EmbedText('サバ')"

    with meetup2025.connect("duckdb://", model="absent") as other, meetup2025.connect("duckdb://") as usual:
        assert usual.cursor().execute(sql).fetchone()
        with pytest.raises(MissingModelError, match="absent"):
            other.cursor().execute(sql)


@pytest.mark.parametrize("given", [{"model": "sketch"}, {"folders": ["/data"]}])
def test_a_server_keeps_its_settings(given: dict[str, Any]) -> None:
    """A connection to a server takes no settings: its administrator has set them."""
    with pytest.raises(InterfaceError, match="its administrator set"):
        meetup2025.connect("iris://fisher@localhost:1972/USER", **given)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_file_behind_a_link(file: Path) -> None:
    """Settings that an administrator keeps elsewhere, behind a link, are changed there."""
    elsewhere = file.with_name("elsewhere.json")
    elsewhere.write_text("{}", "utf-8")
    file.symlink_to(elsewhere)

    settings.save("Model", "clip@1")

    assert file.is_symlink()
    assert "clip@1" in elsewhere.read_text("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")
@pytest.mark.parametrize("before", [None, 0o755])
def test_default_database_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int | None) -> None:
    """The default database and its folder are readable by their user alone, those of an earlier version too."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    if before:
        settings.data_folder().mkdir(mode=before, parents=True)

    with meetup2025.connect(settings.url()):
        found = settings.data_folder(), settings.data_folder() / "meetup2025.duckdb"
        assert [path.stat().st_mode & 0o777 for path in found] == [0o700, 0o600]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")
def test_database_of_a_user_keeps_its_mode(tmp_path: Path) -> None:
    """A new database elsewhere is private too; the mode that its user chose later stays, and so does the folder."""
    tmp_path.chmod(0o755)
    path = tmp_path / "mine.duckdb"
    meetup2025.connect(f"duckdb:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o600

    path.chmod(0o640)
    meetup2025.connect(f"duckdb:///{path}").close()

    assert path.stat().st_mode & 0o777 == 0o640
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_no_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder of the user the bundled model works, and what needs the folder says which setting is missing."""

    def unknown(path: Path) -> Path:
        if str(path).startswith("~"):
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr(settings.Path, "expanduser", unknown)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    assert settings.models_folders() == []
    for use in (settings.data_folder, settings.url, settings.models_folder):
        with pytest.raises(OperationalError, match="HOME must be the folder of the user"):
            use()
    for url in ("duckdb://", f"duckdb:///{tmp_path / 'mine.duckdb'}"):
        with meetup2025.connect(url) as connection, connection.cursor() as cursor:
            assert cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')").fetchall() == [(100,)]


def test_choice_of_a_user_is_the_last(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user has chosen is kept, and the installation, the environment and a connection come before it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("MEETUP2025_MODEL", raising=False)
    found = [(settings.model(), settings.model_origin())]
    written = settings.choose_model("mine")
    found.append((settings.model(), settings.model_origin()))
    settings.save("Model", "installed")
    found.append((settings.model(), settings.model_origin()))
    monkeypatch.setenv("MEETUP2025_MODEL", "now")
    found.append((settings.model(), settings.model_origin()))
    with settings.chosen("here"):
        found.append((settings.model(), settings.model_origin()))

    assert written == tmp_path / "data" / "meetup2025" / "settings.json"
    assert found == [
        ("sketch", "no other is chosen"),
        ("mine", settings.CHOSEN),
        ("installed", str(file)),
        ("now", "MEETUP2025_MODEL"),
        ("here", "the option --model"),
    ]
