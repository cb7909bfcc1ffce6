"""Which files SQL may read."""

from __future__ import annotations

import os
import socket
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from meetup2025 import files, settings
from meetup2025.errors import ForbiddenPathError, shown

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO, and links need a privilege")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the one folder that may be read; its parent has a secret."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    (folder / "fish.jpg").write_bytes(b"fish")
    (folder / "deep" / "eel.jpg").write_bytes(b"eel")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "photos-of-others").mkdir()
    (tmp_path / "photos-of-others" / "fish.jpg").write_bytes(b"theirs")
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(folder))
    return folder


def read(path: str | Path) -> bytes:
    """Read a file as the loaders do."""
    with files.open_below(path) as stream:
        return stream.read()


def test_roots_are_the_photos_then_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The allowed folders are those of the variable, in order, then samples and catalogue of the package."""
    own = [files.PACKAGE / "samples", files.PACKAGE / "catalogue"]
    monkeypatch.setenv("MEETUP2025_PHOTOS", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    two = files.roots()
    monkeypatch.setenv("MEETUP2025_PHOTOS", "")
    empty = files.roots()
    monkeypatch.delenv("MEETUP2025_PHOTOS")

    assert [tmp_path / "a", tmp_path / "b", *own] == two
    assert own == empty
    assert own == files.roots()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fish.jpg", b"fish"),
        ("deep/eel.jpg", b"eel"),
        ("./deep/../fish.jpg", b"fish"),
        ("{photos}/deep/eel.jpg", b"eel"),
    ],
)
def test_file_below(photos: Path, path: str, expected: bytes) -> None:
    """A relative path, and an absolute one, to a file below the folder is opened."""
    assert expected == read(path.format(photos=photos))
    assert expected == read(Path(path.format(photos=photos)))


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        ".",
        "deep",
        "missing.jpg",
        "fish.jpg/x",
        "../secret.jpg",
        "deep/../../secret.jpg",
        "../photos-of-others/fish.jpg",
        "{photos}-of-others/fish.jpg",
        "{photos}/../secret.jpg",
        "{photos}",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "~/fish.jpg",
        "file:///etc/passwd",
        "file:{photos}/fish.jpg",
        "http://localhost/fish.jpg",
        "ftp://localhost/fish.jpg",
        "fish.jpg\0",
        "\0",
        "\ud800.jpg",
        "x" * 300 + ".jpg",
        "x/" * 3000 + "fish.jpg",
        "errors.py",
        "samples/../errors.py",
        "catalogue/../errors.py",
    ],
)
def test_everything_else_is_forbidden(photos: Path, path: str) -> None:
    """A path that is missing, elsewhere, no file, a URL or no path at all is refused in the same words."""
    path = path.format(photos=photos)

    with pytest.raises(ForbiddenPathError) as caught:
        read(path)

    assert f"{shown(path)} is not a file below MEETUP2025_PHOTOS ({photos})" in str(caught.value)
    assert isinstance(caught.value, PermissionError)


def test_missing_and_outside_answer_alike(photos: Path) -> None:
    """The message does not tell whether a file outside exists."""
    messages = set()
    for name in ("secret.jpg", "no-one.jpg"):
        with pytest.raises(ForbiddenPathError) as caught:
            files.resolve(photos.parent / name)
        messages.add(str(caught.value).replace(shown(str(photos.parent / name)), "…"))

    assert len(messages) == 1


def test_no_folder_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable nothing but the package's own files is read, not even the current folder."""
    monkeypatch.delenv("MEETUP2025_PHOTOS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fish.jpg").write_bytes(b"fish")

    with pytest.raises(ForbiddenPathError, match="not set"):
        files.resolve("fish.jpg")

    assert read("catalogue/fish.csv").startswith(b"FishID,Name,")


def test_user_who_may_read_all_needs_no_setting(tmp_path: Path) -> None:
    """Where every folder may be read, as at a prompt of this machine, a missing file is missing and nothing else."""
    with settings.chosen(folders=[tmp_path.anchor]), pytest.raises(ForbiddenPathError) as caught:
        files.resolve("none.png")

    assert str(caught.value) == "'none.png' must be a file of this machine. Got none there."


def test_folder_that_does_not_exist(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the variable that does not exist is passed over."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", os.pathsep.join([str(photos / "gone"), str(photos)]))

    assert read("fish.jpg") == b"fish"


def test_first_folder_wins(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is looked up in the folders in their order, and last in the package."""
    others = photos.parent / "photos-of-others"
    (others / "catalogue").mkdir()
    (others / "catalogue" / "fish.csv").write_bytes(b"own catalogue")
    monkeypatch.setenv("MEETUP2025_PHOTOS", os.pathsep.join([str(others), str(photos)]))

    assert read("fish.jpg") == b"theirs"
    assert read("deep/eel.jpg") == b"eel"
    assert read("catalogue/fish.csv") == b"own catalogue"
    assert read("catalogue/strays.csv").startswith(b"FishID,")


NFC, NFD = (unicodedata.normalize("NFC", "ガザミ.jpg"), unicodedata.normalize("NFD", "ガザミ.jpg"))


@pytest.mark.parametrize("stored", [NFC, NFD], ids=["NFC", "NFD"])
@pytest.mark.parametrize("asked", [NFC, NFD], ids=["NFC", "NFD"])
def test_japanese_names(photos: Path, stored: str, asked: str) -> None:
    """A Japanese file name is found whether composed or, as macOS writes it, decomposed."""
    (photos / stored).write_bytes(b"crab")

    assert read(asked) == b"crab"


@posix
def test_links(photos: Path) -> None:
    """A link to a file below the folder is followed; a link that leads out, or nowhere, is refused."""
    (photos / "inside.jpg").symlink_to(photos / "deep" / "eel.jpg")
    (photos / "outside.jpg").symlink_to(photos.parent / "secret.jpg")
    (photos / "folder").symlink_to(photos.parent)
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "nowhere.jpg").symlink_to("nothing")

    assert read("inside.jpg") == b"eel"
    for path in ("outside.jpg", "folder/secret.jpg", "loop.jpg", "nowhere.jpg"):
        with pytest.raises(ForbiddenPathError, match="is not a file below"):
            read(path)


@posix
def test_folder_that_is_a_link(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder itself may be a link."""
    link = photos.parent / "link"
    link.symlink_to(photos)
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(link))

    assert read("fish.jpg") == b"fish"
    assert read(link / "fish.jpg") == b"fish"
    assert read(photos / "fish.jpg") == b"fish"


@posix
def test_fifo_and_socket(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO or a socket below the folder is refused, and does not hang."""
    os.mkfifo(photos / "fifo.jpg")
    monkeypatch.chdir(photos)  # the name of a socket has at most about 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")

    for path in ("fifo.jpg", "socket.jpg"):
        with pytest.raises(ForbiddenPathError, match="is not a file below"):
            read(path)


@posix
@pytest.mark.parametrize("trap", ["fifo", "link", "folder link", "folder", "gone"])
def test_file_that_changes_while_opened(photos: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    """A file that became a FIFO, a link, a folder or nothing after it was found is refused at once."""
    found = photos / "deep" / "eel.jpg"
    (photos.parent / "eel.jpg").write_bytes(b"secret")
    monkeypatch.setattr(files, "resolve", lambda path: photos / path)  # what was true a moment before
    found.unlink()
    if trap == "fifo":
        os.mkfifo(found)
    elif trap == "link":
        found.symlink_to(photos.parent / "secret.jpg")
    elif trap == "folder":
        found.mkdir()
    elif trap == "folder link":
        found.parent.rmdir()
        found.parent.symlink_to(photos.parent)

    with pytest.raises(ForbiddenPathError, match=r"changed while it was opened|cannot be opened"):
        read("deep/eel.jpg")


@posix
def test_folder_that_is_a_link_for_a_moment(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is exchanged with a link while each part is opened, and then back, gives no file of elsewhere."""
    (photos.parent / "eel.jpg").write_bytes(b"secret")
    (photos / "link").symlink_to(photos.parent)
    open_now = os.open

    def exchange() -> None:
        for old, new in (("deep", "moved"), ("link", "deep"), ("moved", "link")):
            (photos / old).rename(photos / new)

    def opened(*given: Any, **options: Any) -> int:
        exchange()
        try:
            return open_now(*given, **options)
        finally:
            exchange()

    monkeypatch.setattr(files.os, "open", opened)
    monkeypatch.setattr(files.os, "supports_dir_fd", {opened})
    with pytest.raises(ForbiddenPathError, match="changed while it was opened"):
        read("deep/eel.jpg")


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(photos: Path) -> None:
    """A file that the process may not read is refused, with the reason."""
    (photos / "fish.jpg").chmod(0)

    with pytest.raises(ForbiddenPathError, match="cannot be opened: Permission denied"):
        read("fish.jpg")


def test_folders(photos: Path) -> None:
    """An allowed folder and those below it are found, by relative and by absolute path."""
    assert photos == files.resolve_folder(photos)
    assert photos == files.resolve_folder(".")
    assert photos / "deep" == files.resolve_folder("deep")
    assert photos / "deep" == files.resolve_folder(f"{photos}/deep/")
    assert files.resolve_folder("catalogue") == files.PACKAGE / "catalogue"


@pytest.mark.parametrize("path", ["", "..", "/", "fish.jpg", "missing", "deep/../..", "{photos}-of-others"])
def test_folders_elsewhere(photos: Path, path: str) -> None:
    """A folder that is missing or elsewhere, and a file, are refused."""
    with pytest.raises(ForbiddenPathError, match="is not a folder below MEETUP2025_PHOTOS"):
        files.resolve_folder(path.format(photos=photos))


def test_package_itself_is_no_folder() -> None:
    """The package's code is not below an allowed folder."""
    with pytest.raises(ForbiddenPathError):
        files.resolve_folder(files.PACKAGE)
