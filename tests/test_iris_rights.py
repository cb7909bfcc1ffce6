"""A user with the role MeetUp2025_User searches, and changes nothing; only a server can show it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import meetup2025
from meetup2025 import Error, procedures
from meetup2025.engines.program import class_folder, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection

WRITERS = {"AddImage", "LoadImages", "LoadNames", "LoadVectors"}
NO_RIGHT = -99


def test_role_may_call_all_but_the_writers() -> None:
    """The statement of the class that makes the role names each function, query and procedure that writes nothing."""
    setup = (class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8")
    [granted] = re.findall(r"GRANT EXECUTE ON (.*?) TO MeetUp2025_User", setup)
    known = program()
    routines = {**known.functions, **known.queries, **known.procedures}.values()
    assert granted.split(", ") == sorted(
        f"MeetUp2025.{each.sql_name}" for each in routines if each.sql_name not in WRITERS
    )


def test_role_may_read_the_tables() -> None:
    """It names each table too."""
    setup = (class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8")
    [granted] = re.findall(r"GRANT SELECT ON (.*?) TO MeetUp2025_User", setup)

    assert granted.split(", ") == sorted(f"MeetUp2025.{table.sql_name}" for table in program().tables.values())


def test_warm_prepares_every_query() -> None:
    """What warms the caches names each class query."""
    setup = (class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8")
    warmed = set(re.findall(r'"(\w+):(\w+)"', setup))

    assert warmed == {(name.rpartition(".")[2], query) for name, query in program().class_queries}


def test_writers_are_functions() -> None:
    """Those that write are functions of the project."""
    assert all(hasattr(procedures, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()) for name in WRITERS)


# --- on a server ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(bundled: Connection, engine: str) -> Iterator[Connection]:
    """Connection of a user who has the role and nothing else."""
    if not engine.startswith("iris://"):
        pytest.skip("the user logs in over the driver")
    password = f"Aa1{secrets.token_hex(8)}"
    parts = urlsplit(engine)
    with bundled.cursor() as cursor:
        cursor.execute(f"CREATE USER MeetUp2025Reader IDENTIFY BY {password}")  # a word that this test has made
        cursor.execute("GRANT MeetUp2025_User TO MeetUp2025Reader")
        bundled.commit()
        try:
            place = f"{parts.hostname}:{parts.port or 1972}{parts.path}"
            with meetup2025.connect(f"iris://MeetUp2025Reader:{password}@{place}") as connection:
                yield connection
        finally:
            cursor.execute("DROP USER MeetUp2025Reader")
            bundled.commit()


@pytest.mark.server
def test_reader_searches(reader: Connection) -> None:
    """The user names a picture and finds photos."""
    with reader.cursor() as cursor:
        assert cursor.execute("CALL MeetUp2025.Identify('samples/saba.png', 1)").fetchall()[0][1] == "マサバ"
        assert cursor.execute("CALL MeetUp2025.FindImages('赤い魚', 1)").fetchall() != []
        assert cursor.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(100,)]


@pytest.mark.server
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')",
        "SELECT MeetUp2025.LoadImages('samples')",
        "SELECT MeetUp2025.AddImage('a', 'samples/saba.png', '')",
        "SELECT MeetUp2025.LoadVectors('a', 'Fish', 'sketch@1')",
        "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('X1', 'a')",
        "UPDATE MeetUp2025.Fish SET Name = 'a'",
        "DELETE FROM MeetUp2025.FishImage",
        "DROP TABLE MeetUp2025.Fish",
    ],
)
def test_reader_changes_nothing(reader: Connection, sql: str) -> None:
    """The user may run nothing that writes."""
    with pytest.raises(Error) as caught:
        reader.cursor().execute(sql)

    assert caught.value.sqlcode == NO_RIGHT
