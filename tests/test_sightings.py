"""Pictures are named as they come, and each content is one sighting."""

from __future__ import annotations

import os
import shutil
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import meetup2025
from meetup2025.errors import DataError
from meetup2025.files import data_url

if TYPE_CHECKING:
    from meetup2025.engines import Connection

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

SAMPLES = Path(meetup2025.__file__).parent / "samples"
ALL = "SELECT FileName, Name, Label, Sure, Fault, Model, Source FROM MeetUp2025.Sightings() ORDER BY Sighting"


def ask(connection: Connection, sql: str, *given: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with connection.cursor() as cursor:
        return cursor.execute(sql, given).fetchall()


def add(connection: Connection, *given: Any) -> int:
    """Add a sighting."""
    return int(ask(connection, "SELECT MeetUp2025.AddSighting(?, ?, ?)", *given)[0][0])


@pytest.fixture
def named(connection: Connection) -> Connection:
    """Open connection with the names of the bundled catalogue."""
    ask(connection, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
    return connection


def test_each_content_once(named: Connection) -> None:
    """A picture is named and stored once, under the name of its first file."""
    assert [add(named, "samples/saba.png", f"{at}.png", "quay") for at in range(3)] == [1, 0, 0]
    assert ask(named, ALL) == [("0.png", "マサバ", None, None, None, "sketch@1", "quay")]
    [(picture, score)] = ask(named, "SELECT Picture, Score FROM MeetUp2025.Sighting")
    assert (picture[:23], score > 0.5) == ("data:image/jpeg;base64,", True)


def test_without_names(connection: Connection) -> None:
    """Without names there is nothing to compare with, and nothing is stored."""
    with pytest.raises(DataError, match="LoadNames"):
        add(connection, "samples/saba.png", "", "")
    assert ask(connection, ALL) == []


def test_folder(named: Connection, photos: Path) -> None:
    """New pictures of a folder are named, no copies, and no files that are still written; faults are told once."""
    (photos / "below").mkdir()
    for name in ("saba.png", "below/copy.png"):
        shutil.copy(SAMPLES / "saba.png", photos / name)
    (photos / "broken.png").write_bytes(b"no picture")
    old(photos)
    shutil.copy(SAMPLES / "madako.png", photos / "written.png")
    count = "SELECT MeetUp2025.AddSightings(?)"

    assert ask(named, count, str(photos)) == [(2,)]
    assert [(row[0], row[1], bool(row[4])) for row in ask(named, ALL)] == [
        ("below/copy.png", "マサバ", False),
        ("broken.png", None, True),
    ]
    old(photos)
    assert [ask(named, count, str(photos))[0][0] for _ in range(2)] == [1, 0]


def old(folder: Path) -> None:
    """Let the files of a folder be of an hour ago."""
    for path in folder.rglob("*.png"):
        os.utime(path, (time.time() - 3600,) * 2)


def test_correction_teaches(named: Connection) -> None:
    """A corrected sighting becomes a labelled photo, once, and the next picture like it gets the label."""
    add(named, "samples/saba.png", "a.png", "quay")
    correct = "SELECT MeetUp2025.CorrectSighting(?, ?)"
    number = ask(named, "SELECT Sighting FROM MeetUp2025.Sightings()")[0][0]

    assert [ask(named, correct, number, label)[0][0] for label in ("蛸", "蛸", "たい焼き", "たい焼き")] == [1, 0, 1, 0]
    assert ask(named, ALL)[0][1:3] == ("マサバ", "たい焼き")
    assert ask(named, "SELECT Label, Source FROM MeetUp2025.FishImage") == [("たい焼き", "quay")]
    stream = BytesIO()
    Image.open(SAMPLES / "saba.png").convert("RGB").save(stream, "JPEG", quality=95)
    add(named, data_url("image/jpeg", stream.getvalue()), "b.jpg", "quay")
    assert ask(named, ALL)[-1][:2] == ("b.jpg", "たい焼き")


@pytest.mark.parametrize("label", ["", " ", "x" * 51])
def test_correction_that_is_none(named: Connection, label: str) -> None:
    """A label that is none, and a sighting that is none, are refused."""
    add(named, "samples/saba.png", "a.png", "quay")
    for number in (ask(named, "SELECT Sighting FROM MeetUp2025.Sightings()")[0][0], 10**6):
        with pytest.raises(DataError):
            ask(named, "SELECT MeetUp2025.CorrectSighting(?, ?)", number, label or " ")


def test_times(named: Connection) -> None:
    """Sightings of a time are those from its beginning to before its end."""
    add(named, "samples/saba.png", "a.png", "quay")
    seen = str(ask(named, "SELECT Seen FROM MeetUp2025.Sightings()")[0][0])[:19]
    count = "SELECT COUNT(*) FROM MeetUp2025.Sightings(?, ?)"

    assert ask(named, count, "2026-01-01", "2999-01-01") == [(1,)]
    assert ask(named, count, "2999-01-01", "2999-01-02") == [(0,)]
    assert ask(named, count, "1999-01-01", seen[:10]) == [(0,)]
