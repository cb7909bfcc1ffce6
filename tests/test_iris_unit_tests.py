"""The unit tests of a server agree with the classes and the Python that they test; nothing of them runs here."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from objectscript_tree import bodies, calls, constant, read_sources, word

from meetup2025 import Error, settings
from meetup2025.engines.classes.program import class_folder, program
from meetup2025.engines.sql import parse

if TYPE_CHECKING:
    from objectscript_tree import Body, Call

    from meetup2025.engines import Connection

SOURCES = [source for source in read_sources() if ".UnitTests." in source.record.name]
PYTHON = "\n".join(path.read_text("utf-8") for path in (class_folder().parent / "python").rglob("*.py"))
OBJECTSCRIPT = "\n".join(path.read_text("utf-8") for path in class_folder().rglob("*.cls"))
# A failing function, in a class query too; a failing procedure.
FUNCTION, PROCEDURE = "-149", "-400"


def failures() -> list[tuple[Body, Call]]:
    """Give the calls of Fails: SQLCODEs, a fragment of the message, a statement."""
    return [(body, call) for body in bodies(SOURCES) for call in calls(body) if call.method == "Fails"]


def runnable() -> list[tuple[str, str, str]]:
    """Give what fails without values: what its test runs before it, the part of the message, and the statement."""
    found = []
    for body, failure in failures():
        done = [constant(call.arguments[0]) for call in calls(body) if call.method == "Done" and call.places == 1]
        _, words, sql = (constant(each) for each in failure.arguments[:3])
        if failure.places == 3 and words:
            found.append((";".join(map(str, done)), words, str(sql)))
    return sorted(found)


def looked_for() -> list[str]:
    """Give the parts of messages that unit tests look for, but for those of statements that are run here."""
    shown = [found for source in SOURCES for found in re.findall(r'\) \[ "([^"]+)"', source.text)]
    failed = {str(constant(failure.arguments[1])) for _, failure in failures()}
    return sorted({*shown, *failed} - {words for _, words, _ in runnable()} - {""})


@pytest.mark.parametrize("words", looked_for())
def test_parts_of_messages(words: str) -> None:
    """A part of a message that a unit test looks for stands in what makes the message, on one line or on several."""
    settings_known = ", ".join(map(str.title, settings.NAMES))
    texts = re.sub(r'"\s+f?"', "", f"{PYTHON}{OBJECTSCRIPT}{settings_known}")

    assert words in texts


@pytest.mark.anywhere
def test_statements_fail(bundled: Connection) -> None:
    """What fails on a server fails on the embedded engine, with that part of the message."""
    bundled.commit()
    for before, words, sql in runnable():
        cursor = bundled.cursor()
        for statement in filter(None, before.split(";")):
            cursor.execute(statement)
        with pytest.raises(Error, match=re.escape(words)):
            cursor.execute(sql).fetchall()
        bundled.rollback()

    assert len(runnable()) >= 10


def test_codes_of_failures() -> None:
    """A function that fails is another SQLCODE than a procedure that fails."""
    found = {(word(call.arguments[0]), str(constant(call.arguments[2])).split()[0]) for _, call in failures()}

    assert (PROCEDURE, "SELECT") not in found
    assert (FUNCTION, "CALL") not in found
    assert {(PROCEDURE, "CALL"), (FUNCTION, "SELECT")} <= found


def test_no_list_of_rights() -> None:
    """Who may call what is asked of the installation: the unit test of rights lists no routine and no table."""
    [rights] = [source.text for source in SOURCES if source.record.name.endswith(".Rights")]
    known = program()
    names = {each.sql_name for each in (*known.functions.values(), *known.queries.values(), *known.procedures.values())}

    assert set(re.findall(r"\w+", rights)) & (names | {each.sql_name for each in known.tables.values()}) == set()


def test_statements_of_the_package() -> None:
    """The statements that a server prepares are those of the loads and of the runs, and each is IRIS SQL."""
    [method] = [each for source in SOURCES for each in source.record.methods if each.name == "StatementsOfThePackage"]
    names: dict[str, Any] = {}
    exec(f"def statements():\n{textwrap.indent(method.body, '    ')}", names)  # noqa: S102 - the body of a unit test
    found = json.loads(names["statements"]())

    assert len(found) >= 20
    assert {sql.split()[0] for sql in found} >= {"INSERT", "SELECT", "UPDATE"}
    assert all(parse(sql) for sql in found)


def test_packages_are_deleted_with_their_rows() -> None:
    """Whoever is told to delete a package is told to delete its rows too: others would find them."""
    root = Path(__file__).parents[1]
    paths = [path for kind in ("*.md", "docs/*.md", "src/cls/**/*.cls", "preload/**/*.cls") for path in root.glob(kind)]
    text = "".join(path.read_text("utf-8") for path in paths).replace('""', '"')
    told = re.findall(r"DeletePackage\(([^)]*)\)", text)

    assert len(told) >= 2
    assert set(told) == {'"MeetUp2025", "e"'}
