"""
The rules of the storage of tables: a small function for each. Old rows stay readable.

A rule takes classes and returns one text for each fault, so that a test shows all of them at once.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from query_rules import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from query_rules import Rule

    from meetup2025.engines.classes import Class

# The elements of a block, without measurements of the compiler (ExtentSize, Property, SQLMap).
ELEMENTS = {
    *("Data", "DataLocation", "DefaultData", "ExtentLocation", "IdFunction", "IdLocation"),
    *("Index", "IndexLocation", "StreamLocation", "Type"),
}
VECTORS = ("%Library.Vector", "%Vector")
# A name of a global, without its caret: letters, digits and dots. 31 characters count.
GLOBAL = r"\^[A-Za-z][A-Za-z0-9.]{0,29}[A-Za-z0-9]"


def values(storage: Mapping[str, str], node: str) -> list[str]:
    """Return the content of a node of Data, in the order of the numbers."""
    found = re.compile(rf"Data/{re.escape(node)}/Value/(\d+)/Value")
    numbered = {int(match[1]): value for path, value in storage.items() if (match := found.fullmatch(path))}
    return [numbered[number] for number in sorted(numbered)]


def indexes(storage: Mapping[str, str]) -> dict[str, str]:
    """Return the global of each index."""
    pairs = ((re.fullmatch(r"Index/(\w+)/Location", path), where) for path, where in storage.items())
    return {match[1]: where for match, where in pairs if match}


def _row(table: Class) -> str:
    return f"{table.short_name}DefaultData"


def own_globals(classes: Sequence[Class]) -> Iterator[str]:
    """
    A table declares its root of globals, ^MeetUp2025.Name: hashed names would also fit another class of this name.
    """
    for table in tables(classes):
        root = str(table.parameters.get("DEFAULTGLOBAL"))
        if (root, table.parameters.get("USEEXTENTSET")) != (f"^MeetUp2025.{table.sql_name}", 1):
            yield f"{table.name} has the root {root}"
        for path, where in table.storage.items():
            if where.startswith("^") and not (re.fullmatch(GLOBAL, where) and where.startswith(root)):
                yield f"{path} of {table.name} is {where}"


def separate_globals(classes: Sequence[Class]) -> Iterator[str]:
    """No two nodes or indexes share a global, in a table or among tables. The key and the counter are with the rows."""
    used = Counter(
        where
        for table in tables(classes)
        for path, where in table.storage.items()
        if where.startswith("^") and path not in {"IdLocation", "Index/IDKEY/Location"}
    )
    return (f"{where} is used {count} times" for where, count in used.items() if count > 1)


def fixed_elements(classes: Sequence[Class]) -> Iterator[str]:
    """
    A block has the elements that fix the places of data. Ids rise in the order of time, because they number the runs.
    """
    for table in tables(classes):
        found = {path.partition("/")[0] for path in table.storage}
        if found != ELEMENTS:
            yield f"the storage of {table.name} must have {sorted(ELEMENTS)}. Got {sorted(found)}"
            continue
        root = table.parameters.get("DEFAULTGLOBAL")
        wanted = {
            "Type": "%Storage.Persistent",
            "IdFunction": "increment",
            "ExtentLocation": root,
            **dict.fromkeys(("DataLocation", "IdLocation", "Index/IDKEY/Location"), f"{root}.1"),
            "IndexLocation": f"{root}.I",
            "StreamLocation": f"{root}.S",
            "DefaultData": _row(table),
            f"Data/{_row(table)}/Structure": "listnode",
        }
        got = {path: table.storage.get(path) for path in wanted}
        yield from (f"{path} of {table.name} must be {wanted[path]}" for path in wanted if got[path] != wanted[path])


def stored_columns(classes: Sequence[Class]) -> Iterator[str]:
    """
    Each column has its place in the list of the row, after the name of the class. A vector is in a node of its own.
    """
    for table in tables(classes):
        plain = {each.name for each in table.properties if each.type not in VECTORS}
        row = values(table.storage, _row(table))
        if row[:1] != ["%%CLASSNAME"] or Counter(row).most_common(1)[0][1] > 1:
            yield f"the row of {table.name} must begin with %%CLASSNAME, and name each column once. Got {row}"
        yield from (f"{name} of {table.name} has no place in its storage" for name in sorted(plain - set(row)))
        for name in (each.name for each in table.properties if each.type in VECTORS):
            yield from _vector_faults(table, name)


def _vector_faults(table: Class, name: str) -> Iterator[str]:
    node = f"Data/_GBL_{name}"
    got = {path: value for path, value in table.storage.items() if path.startswith(f"{node}/")}
    place = got.pop(f"{node}/DataDefinitionLocation", "")
    wanted = {f"{node}/Attribute": name, f"{node}/Structure": "node", f"{node}/Value/1/Value": name}
    if got != wanted or not re.fullmatch(r".*\.1\.P\d+", place):
        yield f"{name} of {table.name} must have a node of its own"


def stored_indexes(classes: Sequence[Class]) -> Iterator[str]:
    """Each index has its own global, with a number that no other index has."""
    for table in tables(classes):
        missing = {"IDKEY", *(each.name for each in table.indexes)} - indexes(table.storage).keys()
        yield from (f"{name} of {table.name} has no global in its storage" for name in sorted(missing))


RULES: tuple[Rule, ...] = (
    own_globals,
    separate_globals,
    fixed_elements,
    stored_columns,
    stored_indexes,
)
