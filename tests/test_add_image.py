"""One photo is added, replaced or left as it is, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meetup2025 import DataError
from meetup2025.errors import ModelMismatchError, UnreadableImageError

if TYPE_CHECKING:
    from meetup2025.engines import Connection

SABA = "samples/saba.png"
COUNT = "SELECT COUNT(*) FROM MeetUp2025.FishImage"


def add(connection: Connection, *values: str) -> Any:
    """Call the function."""
    marks = ", ".join("?" * len(values))
    with connection.cursor() as cursor:
        return cursor.execute(f"SELECT MeetUp2025.AddImage({marks})", values).fetchall()[0][0]


def ask(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Ask the database."""
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def label(connection: Connection, name: str) -> str:
    """Give the label of a photo."""
    return str(ask(connection, f"SELECT Label FROM MeetUp2025.FishImage WHERE Name = '{name}'")[0][0])


def test_new_photo(bundled: Connection) -> None:
    """A photo is added once; its label is the name that the catalogue has for the fish."""
    assert [add(bundled, "new.png", SABA, "鯖") for _ in range(2)] == [1, 0]
    assert label(bundled, "new.png") == "マサバ"
    assert ask(bundled, COUNT) == [(13,)]


def test_label_of_the_name(bundled: Connection) -> None:
    """Without a label the name of the photo may tell the fish."""
    add(bundled, "マダコ_2.png", SABA)

    assert label(bundled, "マダコ_2.png") == "マダコ"


def test_replaced_photo(bundled: Connection) -> None:
    """A photo of the same name, in any case, is replaced, and keeps its label where none is given."""
    add(bundled, "new.png", SABA, "マサバ")

    assert add(bundled, "NEW.PNG", "samples/madako.png") == 1
    assert (label(bundled, "new.png"), ask(bundled, COUNT)) == ("マサバ", [(13,)])
    assert add(bundled, "new.png", "samples/madako.png", "マダコ") == 1
    assert label(bundled, "new.png") == "マダコ"


@pytest.mark.parametrize(
    ("name", "image", "kind", "words"),
    [
        ("", SABA, DataError, "must have a name"),
        (" ", SABA, DataError, "must have a name"),
        ("x" * 101, SABA, DataError, "at most 100 characters"),
        ("a.png", "https://example.org/a.png", UnreadableImageError, "never fetched"),
        ("a.png", "data:image/png;base64,AAAA", UnreadableImageError, "must be one of JPEG"),
    ],
)
def test_bad_input(bundled: Connection, name: str, image: str, kind: type[Exception], words: str) -> None:
    """What cannot be a photo says why, and nothing is added."""
    with pytest.raises(kind, match=words):
        add(bundled, name, image)
    bundled.rollback()

    assert ask(bundled, COUNT) == [(12,)]


def test_vectors_of_another_model(bundled: Connection) -> None:
    """A photo is not put beside vectors of another model."""
    other = "UPDATE MeetUp2025.FishImage SET Model = 'other@1'"
    bundled.cursor().execute(other)

    with pytest.raises(ModelMismatchError):
        add(bundled, "new.png", SABA)


def test_last_photo_of_another_model(bundled: Connection) -> None:
    """The only photo whose vector is of another model may be replaced, and by that alone the table is of one."""
    other = "UPDATE MeetUp2025.FishImage SET Model = 'other@1' WHERE Name = 'saba.png'"
    bundled.cursor().execute(other)
    with pytest.raises(ModelMismatchError):
        add(bundled, "new.png", SABA)
    bundled.rollback()
    bundled.cursor().execute(other)

    assert add(bundled, "SABA.png", SABA) == 1
    assert len(ask(bundled, "SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = 'FishImage'")) == 1


def relabel(connection: Connection, name: str, wanted: str) -> int:
    """Call LabelImage."""
    with connection.cursor() as cursor:
        return int(cursor.execute("SELECT MeetUp2025.LabelImage(?, ?)", [name, wanted]).fetchall()[0][0])


def test_label_is_changed_and_taught(bundled: Connection) -> None:
    """A photo gets the catalogue's name for a label, once, and teaches it. An empty label takes it away."""
    assert [relabel(bundled, "saba.png", "ブリ"), relabel(bundled, "SABA.png", "鰤")] == [1, 0]
    assert label(bundled, "saba.png") == "ブリ"
    learnt = ask(bundled, "SELECT Label FROM MeetUp2025.Prototype")
    assert ("ブリ",) in learnt

    assert relabel(bundled, "saba.png", "") == 1
    assert label(bundled, "saba.png") == "None"


@pytest.mark.parametrize(
    ("name", "wanted", "says"), [("no.png", "ブリ", "must exist"), ("saba.png", "x" * 51, "50 characters")]
)
def test_label_that_cannot_be(bundled: Connection, name: str, wanted: str, says: str) -> None:
    """A photo that does not exist, or a label that is too long, is refused, and nothing changes."""
    with pytest.raises(DataError, match=says):
        relabel(bundled, name, wanted)
    assert label(bundled, "saba.png") == "マサバ"
