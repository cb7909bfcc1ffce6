"""A user with the role MeetUp2025_User searches, and changes nothing; only a server can show it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import meetup2025
from meetup2025 import Error
from meetup2025.engines.classes import parse_class, procedure_steps
from meetup2025.engines.classes.program import class_folder, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection
    from meetup2025.engines.classes import Method

NO_RIGHT = -99
SETUP = parse_class((class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8"))
USER, ANALYST = str(SETUP.parameters["ROLE"]), str(SETUP.parameters["ANALYST"])
RECORDED = Path(__file__).parent / "expected" / "rights.txt"


def listed(parameter: str) -> tuple[str, ...]:
    """Give a list of names that the class of the installation keeps."""
    return tuple(str(SETUP.parameters[parameter]).split(","))


def role_of(method: Method) -> str:
    """Give the role that may call a function or procedure, as `Setup.RoleOf` does; empty for an administrator."""
    calls = procedure_steps(method) if "ReturnResultsets" in method.keywords else ()
    if method.sql_name in listed("ADMINISTRATOR"):
        return ""
    is_writing = any(name.startswith(listed("WRITING")) for name in (method.sql_name, *(step.method for step in calls)))
    return ANALYST if is_writing else USER


def rights() -> list[str]:
    """Give the rights of the roles, one a line; what only an administrator may do has a role of that name."""
    known = program()
    methods = [*known.functions.values(), *known.procedures.values()]
    found = [f"{role_of(method) or 'administrator'} EXECUTE {method.sql_name}" for method in methods]
    found += [f"{USER} EXECUTE {query.sql_name}" for query in known.queries.values()]
    for table in known.tables.values():
        is_written = table.sql_name in listed("WRITTEN") or "Run" in {column.name for column in table.properties}
        found += [f"{USER} SELECT {table.sql_name}"]
        found += [f"{ANALYST if is_written else 'administrator'} INSERT, UPDATE, DELETE {table.sql_name}"]
    return sorted(found)


def test_rights_are_the_recorded_ones() -> None:
    """Who may do what is recorded, so that a right that is given shows in a diff; the user may write nothing."""
    assert rights() == RECORDED.read_text("utf-8").splitlines(), (
        "The rights changed. If that is meant, record them:\n"
        "PYTHONPATH=tests python -c \"import test_iris_rights; print('\\n'.join(test_iris_rights.rights()))\""
        " > tests/expected/rights.txt"
    )
    assert not any(right.startswith(f"{USER} INSERT") for right in rights())


def test_each_routine_has_one_role() -> None:
    """Each name that SQL can call is of an administrator, of analysts or of users, and of one of them."""
    known = program()
    names = [right.split()[2] for right in rights() if " EXECUTE " in right]
    declared = (*known.functions.values(), *known.procedures.values(), *known.queries.values())

    assert sorted(names) == sorted(each.sql_name for each in declared)
    assert {right.split()[0] for right in rights()} == {"administrator", USER, ANALYST}


def test_lists_name_what_is_there() -> None:
    """The lists of the installation name functions and tables, and beginnings of functions."""
    known = program()
    functions = {each.sql_name for each in known.functions.values()}

    assert set(listed("ADMINISTRATOR")) <= functions
    assert set(listed("WRITTEN")) <= {each.sql_name for each in known.tables.values()}
    assert all(any(name.startswith(start) for name in functions) for start in listed("WRITING"))


def test_a_procedure_shows_what_it_calls() -> None:
    """The text that tells a writing procedure on a server tells the same here: `).Fit` stands in its code."""
    starts = tuple(f").{start}" for start in listed("WRITING"))
    procedures = program().procedures.values()

    assert {each.sql_name for each in procedures if any(start in each.body for start in starts)} == {
        each.sql_name for each in procedures if role_of(each) == ANALYST
    }


def test_colons_count_the_arguments_of_queries() -> None:
    """What warms the caches counts the arguments of a query by their colons: nothing else in them has one."""
    for query in program().queries.values():
        parts = [part for each in query.arguments for part in (each.name, str(each.default), *each.parameters.values())]

        assert not any(":" in part for part in parts)


def test_tables_are_called_as_their_classes() -> None:
    """What erases data and builds indexes finds a class by the name of its table."""
    assert [each.name for each in program().tables.values() if each.sql_name != each.short_name] == []


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
        "SELECT MeetUp2025.LabelImage('saba.png', 'ブリ')",
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
