"""
Files of names and of vectors, read as a stream of checked records.

Nothing is stored here: a record that breaks a rule raises `InvalidFileError` with the line (and, in a CSV, the field)
at which it stands, before anything is written.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, BinaryIO

from meetup2025 import vectors
from meetup2025.errors import InvalidFileError, InvalidVectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FishRecord:
    """One line of a catalogue; the fields are the columns of `MeetUp2025.Fish`, in the order of their lengths."""

    fish_id: str
    name: str
    kanji: str = ""
    other_names: str = ""
    english: str = ""
    scientific: str = ""
    family: str = ""


@dataclass(frozen=True)
class VectorRecord:
    """One line of a file of vectors; *key* is the FishID, or the file name of a photo."""

    line: int
    key: str
    name: str
    vector: NDArray[Any]


# Column of the file, longest text of the column of the table.
_COLUMNS = {
    "FishID": 10, "Name": 50, "Kanji": 50, "OtherNames": 200, "English": 100, "Scientific": 100, "Family": 100,
}  # fmt: skip
_REQUIRED = ("FishID", "Name")

LONGEST_FILE_NAME = 100
"""Characters that the column Name of `MeetUp2025.FishImage` holds."""


def normal(text: str) -> str:
    """
    Give the one spelling of a name: NFKC (`ﾏｱｼﾞ` is `マアジ`), without blanks around it.

    macOS writes file names in NFD, old terminals write half-width katakana; both must find the same row.
    """
    return unicodedata.normalize("NFKC", text).strip()


def read_names(file: BinaryIO, source: str) -> list[FishRecord]:
    """
    Read a catalogue of names from a CSV file.

    Args:
        file: The open file: UTF-8 (with or without BOM), LF or CRLF, a header, empty lines allowed.
        source: Name of the file, for messages.

    Returns:
        The rows, in the order of the file; FishID in upper case, Name normalised.

    Raises:
        InvalidFileError: Another encoding, a missing, unknown or doubled column, a wrong number of fields, an empty or
            too long value, or a FishID or Name that appears twice.
    """
    text = _decode(file.read(), source)
    lines = _csv_lines(text, source)
    header = _header(next(lines, (1, [])), source)
    records: list[FishRecord] = []
    seen: dict[str, int] = {}
    for line, values in lines:
        record = _fish_record(line, values, header, source)
        for column, key in (("FishID", record.fish_id), ("Name", record.name.upper())):
            _only_once(seen, column, key, line, header.index(column) + 1, source)
        records.append(record)
    return records


def read_vectors(file: BinaryIO, source: str, table: str) -> Iterator[VectorRecord]:
    """
    Read vectors from a JSON Lines file, one record at a time.

    Args:
        file: The open file. For *table* `Fish` a line is `{"fishid", "fishname", "embedding": [...]}` or
            `{"fishid", "name", "features": "..."}`; for `FishImage` it is `{"filename", "features"}`. Any of the names
            of the vector goes with any of the names of the row; other members are not read.
        source: Name of the file, for messages.
        table: `Fish` or `FishImage`.

    Yields:
        The records, with vectors of length 1.

    Raises:
        InvalidFileError: A line that is not such an object, a vector that is not 512 finite numbers or is all zero,
            a key that appears twice.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        record = _vector_record(number, line, source, table)
        _only_once(seen, "FishID" if table == "Fish" else "file name", record.key.upper(), number, 1, source)
        if table == "Fish":
            _only_once(seen, "name", record.name.upper(), number, 1, source)
        yield record


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        hint = f"; it looks like Shift_JIS: iconv -f CP932 -t UTF-8 {source}" if _is_shift_jis(data) else ""
        raise InvalidFileError(f"{source} must be UTF-8. Got another encoding{hint}", line=line, column=column) from error


def _is_shift_jis(data: bytes) -> bool:
    try:
        data.decode("cp932")
    except UnicodeDecodeError:
        return False
    return True


def _csv_lines(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record that is not empty with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidFileError(f"{source} must be a CSV file. Got: {error}", line=line, column=1) from error
        if any(value.strip() for value in values):
            yield line, values


def _header(first: tuple[int, list[str]], source: str) -> list[str]:
    line, values = first
    known = {column.upper(): column for column in _COLUMNS}
    header: list[str] = []
    for place, value in enumerate(values, 1):
        column = known.get(normal(value).upper())
        if column is None or column in header:
            fault = "not known" if column is None else "there twice"
            raise InvalidFileError(
                f"The columns of {source} must be among {', '.join(_COLUMNS)}. {value!r} is {fault}",
                line=line,
                column=place,
            )
        header.append(column)
    for column in _REQUIRED:
        if column not in header:
            raise InvalidFileError(f"{source} must have the column {column}. Got {values}", line=line, column=1)
    return header


def _fish_record(line: int, values: list[str], header: list[str], source: str) -> FishRecord:
    if len(values) != len(header):
        raise InvalidFileError(
            f"A line of {source} must have {len(header)} fields, as its header. Got {len(values)}",
            line=line,
            column=min(len(values), len(header)) + 1,
        )
    cells = dict.fromkeys(_COLUMNS, "")
    for place, (column, value) in enumerate(zip(header, values, strict=True), 1):
        cells[column] = normal(value).upper() if column == "FishID" else normal(value)
        _check_length(column, cells[column], line, place, source)
    return FishRecord(**{field.name: cell for field, cell in zip(fields(FishRecord), cells.values(), strict=True)})


def _check_length(column: str, value: str, line: int, place: int, source: str) -> None:
    if column in _REQUIRED and not value:
        raise InvalidFileError(f"{column} of {source} must not be empty", line=line, column=place)
    if len(value) > _COLUMNS[column]:
        raise InvalidFileError(
            f"{column} of {source} must have at most {_COLUMNS[column]} characters. Got {len(value)}: {value[:20]}…",
            line=line,
            column=place,
        )


def _only_once(seen: dict[str, int], what: str, key: str, line: int, column: int, source: str) -> None:
    before = seen.setdefault(f"{what} {key}", line)
    if before != line:
        raise InvalidFileError(
            f"Each {what} of {source} must be there once. {key} is also on line {before}", line=line, column=column
        )


def _vector_record(number: int, line: bytes, source: str, table: str) -> VectorRecord:
    def refuse(reason: str) -> InvalidFileError:
        return InvalidFileError(f"{source}: {reason}", line=number, column=1)

    item = _json_object(line, refuse)
    name = _member(item, ("fishname", "name") if table == "Fish" else ("filename", "name"), refuse)
    key = _member(item, ("fishid",), refuse).upper() if table == "Fish" else name
    longest = {key: _COLUMNS["FishID"], name: _COLUMNS["Name"]} if table == "Fish" else {name: LONGEST_FILE_NAME}
    for text, length in longest.items():
        if len(text) > length:
            raise refuse(f"{text[:20]}… must have at most {length} characters. Got {len(text)}")
    try:
        return VectorRecord(number, key, name, _unit_vector(item, refuse))
    except InvalidVectorError as error:
        raise refuse(f"the vector of {name}: {error}") from error


def _json_object(line: bytes, refuse: Callable[[str], InvalidFileError]) -> dict[str, Any]:
    try:
        item = json.loads(line.decode("utf-8-sig"))
    except ValueError as error:
        raise refuse(f"a line must be a JSON object in UTF-8. Got {line[:40]!r}: {error}") from error
    if not isinstance(item, dict):
        raise refuse(f"a line must be a JSON object. Got {line[:40]!r}")
    return {key.lower(): value for key, value in item.items()}


def _member(item: dict[str, Any], names: tuple[str, ...], refuse: Callable[[str], InvalidFileError]) -> str:
    for name in names:
        value = item.get(name)
        if isinstance(value, (str, int)) and normal(str(value)):
            return normal(str(value))
    raise refuse(f"a line must have {' or '.join(names)}. Got {', '.join(item) or 'nothing'}")


def _unit_vector(item: dict[str, Any], refuse: Callable[[str], InvalidFileError]) -> NDArray[Any]:
    value = item.get("embedding", item.get("features"))
    if isinstance(value, str):
        return vectors.unit(vectors.from_text(value, dimension=vectors.DIMENSION))
    if not isinstance(value, list):
        raise refuse('a line must have "embedding" or "features", a list of numbers or comma-separated text')
    if not all(type(number) in (int, float) for number in value):
        raise refuse("a vector must hold numbers only")
    return vectors.unit(vectors.check(value, dimension=vectors.DIMENSION))
