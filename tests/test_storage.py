"""Rows stay readable: what a release has stored keeps its place, and what is new comes after it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from objectscript_tree import read_sources
from storage_rules import indexes, values

from meetup2025.engines.classes import parse_class
from meetup2025.engines.classes.program import program
from meetup2025.errors import ClassSyntaxError

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from write_storage import with_storage  # noqa: E402

if TYPE_CHECKING:
    from meetup2025.engines import Connection

RECORDED = ROOT / "tests" / "expected" / "storage.json"
FISH = (ROOT / "src" / "cls" / "MeetUp2025" / "Fish.cls").read_text("utf-8")
COLUMN, INDEX = "Property Age As %Integer;\n\n", "Index AgeIndex On Age;\n\n"
VECTOR = 'Property Drawing As %Library.Vector(DATATYPE = "DOUBLE", LEN = 512);\n\n'


def stored() -> dict[str, dict[str, str]]:
    """Give the storage of each table of the package."""
    return {table.name: dict(table.storage) for table in program().tables.values()}


def moved(released: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Name what has another place than the released one, or none."""
    return [
        f"{name}: {path} was {where}"
        for name, places in released.items()
        for path, where in places.items()
        if now.get(name, {}).get(path) != where
    ]


def test_released_storage_stays() -> None:
    """Each column, node and index of the last release is where it was."""
    assert moved(json.loads(RECORDED.read_text("utf-8")), stored()) == [], (
        "Rows of the last release could not be read. Take the storage back. When a version is released, record it:\n"
        'PYTHONPATH=tests python -c "import json, test_storage; print(json.dumps(test_storage.stored(), indent=0))"'
        " > tests/expected/storage.json"
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("MeetUp2025.Fish", "Data/FishDefaultData/Value/2/Value", None),
        ("MeetUp2025.Fish", "Data/FishDefaultData/Value/2/Value", "Age"),
        ("MeetUp2025.Fish", "Index/NameIndex/Location", "^MeetUp2025.Fish.9"),
        ("MeetUp2025.Fish", "Data/_GBL_Features/DataDefinitionLocation", None),
        ("MeetUp2025.Mark", "DataLocation", "^MeetUp2025.Marks.1"),
    ],
)
def test_what_moved_is_found(name: str, old: str, new: str | None) -> None:
    """A place that changed or went is found."""
    now = stored()
    now[name] = {path: new if path == old else where for path, where in now[name].items() if path != old or new}

    assert len(moved(stored(), now)) == 1


def test_what_went_is_found() -> None:
    """A table that is gone is found."""
    now = stored()
    del now["MeetUp2025.Prompt"]

    assert moved(stored(), now) != []


# --- the script that gives places ------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", read_sources(), ids=lambda source: source.record.name)
def test_storage_is_complete(source) -> None:
    """The script has nothing to add to the class files."""
    assert with_storage(source.text) == source.text


@pytest.mark.parametrize("before", ["/// Key of the catalogue", "Index BitmapExtent", "Storage Default"])
def test_what_is_new_comes_last(before: str) -> None:
    """Wherever a column and an index are written, their places come after those that are there."""
    written = FISH.replace(before, f"{COLUMN}{INDEX}{VECTOR}{before}", 1)
    old, new = parse_class(FISH).storage, parse_class(with_storage(written)).storage

    assert old.items() <= new.items()
    assert values(new, "FishDefaultData") == [*values(old, "FishDefaultData"), "Age"]
    assert indexes(new) == {**indexes(old), "AgeIndex": f"^MeetUp2025.Fish.{len(indexes(old)) + 1}"}
    assert new["Data/_GBL_Drawing/DataDefinitionLocation"] == "^MeetUp2025.Fish.1.P2"


def test_first_storage() -> None:
    """A table without a block gets a whole one, as its last member; a class that is no table gets none."""
    bare = FISH[: FISH.index("Storage Default")] + "}\n"
    procedure = "Class MeetUp2025.Procedure Extends %RegisteredObject\n{\n\n}\n"

    assert with_storage(bare) == FISH
    assert with_storage(procedure) == procedure


# --- the reader ------------------------------------------------------------------------------------------------------


def test_places() -> None:
    """Each text of a block is found by its place; a class without one has no places."""
    block = '<Data name="BData">\n<Value name="1">\n<Value>Name</Value>\n</Value>\n</Data>\n<Type>x</Type>\n<Final/>'
    text = f"Class A.B Extends %Persistent\n{{\n\nStorage Default\n{{\n{block}\n}}\n\n}}\n"

    assert parse_class(text).storage == {"Data/BData/Value/1/Value": "Name", "Type": "x", "Final": ""}
    assert parse_class("Class A.B\n{\n}\n").storage == {}


def test_block_that_is_no_xml() -> None:
    """A block that is no XML is refused with its line."""
    text = "Class A.B Extends %Persistent\n{\n\nStorage Default\n{\n<Data>\n}\n\n}\n"

    with pytest.raises(ClassSyntaxError, match="A storage must be XML") as caught:
        parse_class(text, "B.cls")
    assert caught.value.line == 4


# --- on a server ----------------------------------------------------------------------------------------------------

# What a server knows of a storage: the statement, and which place each of its rows tells.
COMPILED = [
    ("SELECT parent, Name, Value FROM %Dictionary.StorageDataValueDefinition", "Data/{node}/Value/{name}/Value"),
    (
        "SELECT parent, Name, DataDefinitionLocation FROM %Dictionary.StorageDataDefinition",
        "Data/{name}/DataDefinitionLocation",
    ),
    ("SELECT parent, Name, Location FROM %Dictionary.StorageIndexDefinition", "Index/{name}/Location"),
    ("SELECT parent, Name, DataLocation FROM %Dictionary.StorageDefinition", "DataLocation"),
    ("SELECT parent, Name, IdFunction FROM %Dictionary.StorageDefinition", "IdFunction"),
]


@pytest.mark.server
def test_compiled_storage_is_the_written_one(bundled: Connection) -> None:
    """After compilation a server has the places of the source: none moved, none added."""
    written = stored()
    compiled: dict[str, dict[str, str]] = {name: {} for name in written}
    with bundled.cursor() as cursor:
        for sql, place in COMPILED:
            for parent, name, where in cursor.execute(f"{sql} WHERE parent %STARTSWITH 'MeetUp2025.'").fetchall():
                table, _, node = f"{parent}||".split("||")[:3]
                if where and table in compiled:
                    compiled[table][place.format(name=name, node=node)] = where

    assert moved(compiled, written) == []
    assert moved({name: known(places) for name, places in written.items()}, compiled) == []


def known(places: dict[str, str]) -> dict[str, str]:
    """Give the places that the statements above tell."""
    told = re.compile("|".join(re.sub(r"\{\w+\}", r"\\w+", place) for _, place in COMPILED))
    return {path: where for path, where in places.items() if told.fullmatch(path)}
