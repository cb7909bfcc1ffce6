"""
Write the places of new columns and indexes into the storage of their classes: `python scripts/write_storage.py`.

An existing place never changes, because stored rows are read by it. A class without a block gets one. See docs/iris.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from meetup2025.engines.classes import parse_class

if TYPE_CHECKING:
    from meetup2025.engines.classes import Class

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "src" / "cls", ROOT / "tests" / "iris")
BLOCK = re.compile(r"Storage Default\n\{\n([\s\S]*?)\n\}\n\n")


def complete(storage: ET.Element, table: Class) -> None:
    """Add the missing elements, columns and indexes of a table to its storage."""
    root, row = table.parameters["DEFAULTGLOBAL"], f"{table.short_name}DefaultData"
    for tag, text in (
        *(("DataLocation", f"{root}.1"), ("IdLocation", f"{root}.1"), ("ExtentLocation", root)),
        *(("IndexLocation", f"{root}.I"), ("StreamLocation", f"{root}.S"), ("DefaultData", row)),
        *(("IdFunction", "increment"), ("Type", "%Storage.Persistent")),
    ):
        if storage.find(tag) is None:
            ET.SubElement(storage, tag).text = text
    if storage.find(f"Data[@name='{row}']") is None:
        add_node(storage, row, "listnode", "%%CLASSNAME")
    for column in table.properties:
        if column.name not in {each.text for each in storage.findall("Data/Value/Value")}:
            add_column(storage, row, column.name, is_vector=column.type.endswith("Vector"))
    for name in ("IDKEY", *(index.name for index in table.indexes)):
        if storage.find(f"Index[@name='{name}']") is None:
            index = ET.SubElement(storage, "Index", name=name)
            ET.SubElement(index, "Location").text = f"{root}.{len(storage.findall('Index'))}"
    storage[:] = sorted(storage, key=lambda each: each.tag)  # as IRIS exports it


def add_column(storage: ET.Element, row: str, name: str, *, is_vector: bool) -> None:
    """Add a column at the next place in the list of the row. A vector gets a node of its own."""
    if is_vector:
        node = add_node(storage, f"_GBL_{name}", "node", name)
        number = len(storage.findall("Data/DataDefinitionLocation")) + 1
        ET.SubElement(node, "Attribute").text = name
        ET.SubElement(node, "DataDefinitionLocation").text = f"{storage.findtext('DataLocation')}.P{number}"
        node[:] = sorted(node, key=lambda each: each.tag)
    else:
        add_value(next(each for each in storage.findall("Data") if each.get("name") == row), name)


def add_node(storage: ET.Element, name: str, structure: str, value: str) -> ET.Element:
    """Add a node of data with its first value."""
    node = ET.SubElement(storage, "Data", name=name)
    ET.SubElement(node, "Structure").text = structure
    add_value(node, value)
    return node


def add_value(node: ET.Element, name: str) -> None:
    """Add a value to a node, by the next number."""
    value = ET.SubElement(node, "Value", name=str(len(node.findall("Value")) + 1))
    ET.SubElement(value, "Value").text = name


def with_storage(text: str) -> str:
    """Return the text of a class with its storage complete. A class that is no table does not change."""
    table = parse_class(text)
    if "%Persistent" not in table.extends:
        return text
    found = BLOCK.search(text)
    storage = ET.fromstring(f"<Storage>{found[1] if found else ''}</Storage>")  # noqa: S314 - it stands in a class of ours
    complete(storage, table)
    ET.indent(storage, "")
    lines = ET.tostring(storage, "unicode").splitlines()[1:-1]
    members = BLOCK.sub("", text).rstrip().removesuffix("}")
    return "\n".join([f"{members}Storage Default", "{", *lines, "}", "", "}", ""])


def main() -> None:
    """Complete every class file, and name the changed files."""
    for path in (path for folder in FOLDERS for path in sorted(folder.rglob("*.cls"))):
        text = path.read_text("utf-8")
        changed = with_storage(text)
        if changed != text:
            path.write_text(changed, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
