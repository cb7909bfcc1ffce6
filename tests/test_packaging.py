"""The wheel and the sdist: what they hold, and that the program runs from a wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import meetup2025

ROOT = Path(__file__).parents[1]
VERSION = meetup2025.__version__
ADDRESS = "https://example.org/fish/meetup2025"

pytestmark = pytest.mark.slow


def build(kind: str, folder: Path, repository: str = "") -> Path:
    """Build a wheel or an sdist into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MEETUP2025_REPOSITORY": repository}, check=True, capture_output=True
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Give a wheel of a builder who names the repository."""
    return build("wheel", tmp_path_factory.mktemp("wheel"), f"{ADDRESS}/")


def metadata(wheel: Path):
    """Read the metadata of a wheel."""
    with zipfile.ZipFile(wheel) as file:
        return Parser().parsestr(file.read(f"meetup2025-{VERSION}.dist-info/METADATA").decode())


def test_wheel_has_the_program(wheel):
    """A wheel has each file of the package, and each class."""
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    package = ROOT / "src" / "python"
    files = {
        path.relative_to(package).as_posix()
        for path in (package / "meetup2025").rglob("*")
        if path.is_file() and path.suffix in {".py", ".html", ".css", ".js", ".onnx", ".npz", ".csv", ".png", ".mo"}
    }
    classes = {f"meetup2025/cls/MeetUp2025/{path.name}" for path in (ROOT / "src/cls/MeetUp2025").iterdir()}

    assert len(classes) > 20
    assert (files | classes) - names == set()


def test_wheel_runs(wheel, tmp_path):
    """The program runs from a wheel that was unpacked, by its module."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)  # noqa: S202 - we have built it
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "MEETUP2025_URL": "duckdb://"}
    command = [sys.executable, "-m", "meetup2025", "identify", "samples/saba.png", "-k", "1", "--format", "csv"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)

    assert "マサバ" in done.stdout
    assert "Traceback" not in done.stderr


def test_addresses_are_those_of_the_builder(wheel, tmp_path):
    """A wheel has the addresses of the repository that the builder names, and none where no one is named."""
    addresses = [each.partition(", ")[2] for each in metadata(wheel).get_all("Project-URL")]

    assert addresses[0] == ADDRESS
    assert all(each.startswith(ADDRESS) for each in addresses)
    assert metadata(build("wheel", tmp_path)).get_all("Project-URL") is None


def test_sdist_has_what_a_build_needs(tmp_path):
    """An sdist has what the wheel is built from, the tests, the documents and the licence."""
    with tarfile.open(build("sdist", tmp_path)) as file:
        names = {name.partition("/")[2] for name in file.getnames()}

    wanted = {"LICENSE", "CITATION.cff", "README.ja.md", "pyproject.toml", "src/metadata.py", "docs/ja/install.md"}
    assert wanted - names == set()


def completed(**environment: str) -> str:
    """Give what the program prints for a shell."""
    command = [sys.executable, "-m", "meetup2025"]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completes(shell):
    """Each shell gets a script that completes the commands."""
    assert "_MEETUP2025_COMPLETE" in completed(_MEETUP2025_COMPLETE=f"{shell}_source")


def test_completion_knows_the_commands():
    """The words that a shell asks for are the commands."""
    words = completed(_MEETUP2025_COMPLETE="bash_complete", COMP_WORDS="meetup2025 id", COMP_CWORD="1")

    assert words.split() == ["plain,identify"]
