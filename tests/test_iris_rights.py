"""A user with the role MeetUp2025_User searches, and changes nothing; only a server can show it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import meetup2025
from meetup2025 import Error, procedures
from meetup2025.engines.classes import procedure_steps
from meetup2025.engines.classes.program import class_folder, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection
    from meetup2025.engines.classes import Method

WRITERS = {"AddImage", "LoadImages", "LoadNames", "LoadVectors", "RegisterSource"}
NO_RIGHT = -99


def found(pattern: str) -> list[str]:
    """Give the names, without schema, of a list in the class that makes the roles."""
    setup = (class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8")
    [listed] = re.findall(pattern, setup)
    return [name.removeprefix("MeetUp2025.") for name in re.split(", ?", listed)]


def fits(method: Method) -> bool:
    """Tell whether a routine writes the results of an analysis: by its name, or since it calls what does."""
    calls = procedure_steps(method) if "ReturnResultsets" in method.keywords else ()
    return any(name.startswith(("Choose", "Delete", "Fit")) for name in (method.name, *(step.method for step in calls)))


def test_roles_may_call_all_but_the_writers() -> None:
    """One role may call what changes nothing, the other what writes results too; nobody else is named."""
    known = program()
    methods = [*known.functions.values(), *known.procedures.values()]
    fitters = {each.sql_name for each in methods if fits(each)}
    routines = {each.sql_name for each in (*methods, *known.queries.values())}

    assert found(r"GRANT EXECUTE ON (.*) TO MeetUp2025_Analyst") == sorted(fitters)
    assert found(r"GRANT EXECUTE ON (.*) TO MeetUp2025_User") == sorted(routines - fitters - WRITERS)


def test_roles_may_use_the_tables() -> None:
    """One role may read each table, the other may write those of results."""
    tables = program().tables.values()
    results = {each.sql_name for each in tables if "Run" in {column.name for column in each.properties}}

    assert found(r"GRANT SELECT ON (.*) TO MeetUp2025_User") == sorted(each.sql_name for each in tables)
    assert found(r"GRANT INSERT, UPDATE, DELETE ON (.*) TO MeetUp2025_Analyst") == sorted(
        {*results, "Analysis", "Mark"}
    )


def test_tables_are_known() -> None:
    """What erases data and builds indexes names each table."""
    assert found(r'Parameter TABLES = "(.*)";') == sorted(each.sql_name for each in program().tables.values())


def test_warm_prepares_every_query() -> None:
    """What warms the caches names each class query."""
    assert found(r'Parameter QUERIES = "(.*)";') == sorted(
        f"{name.rpartition('.')[2]}:{query}" for name, query in program().class_queries
    )


def test_writers_are_functions() -> None:
    """Those that write are functions of the project."""
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in WRITERS]

    assert all(hasattr(procedures, name) for name in names)


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
