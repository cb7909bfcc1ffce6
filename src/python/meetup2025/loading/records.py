"""
Files of names and of vectors, read as checked records.

Nothing is stored here. A broken rule raises `InvalidFileError` with its line, and in a CSV file with its field.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson

from meetup2025 import files, vectors
from meetup2025.engines.tabular import matrix, open_tabular
from meetup2025.engines.tokens import identifier
from meetup2025.errors import DataError, InvalidFileError
from meetup2025.loading import prompts
from meetup2025.loading.prompts import Template
from meetup2025.loading.spelling import check_text, composed, folded, normal
from meetup2025.loading.tables import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

DIMENSION = 512
"""Numbers in a vector: the length of the vector columns of the classes."""

_PARQUET = b"PAR1"
"""Begin of a file of Parquet."""

_OF_VECTORS = ("embedding", "features")
"""Names of the column of vectors."""

_NO_VECTOR = 'A line must have "embedding" or "features": a list of numbers, or text of them.'

_NOTHING = np.empty(0)

_LINES_AT_ONCE = 500
"""Lines whose vectors are checked at once."""

LONGEST_FILE_NAME = 100
"""Characters that the column Name of `MeetUp2025.FishImage` holds."""

LONGEST_LABEL = 50
"""Characters that the columns Name of `MeetUp2025.Fish` and Label of `MeetUp2025.FishImage` hold."""

# Column of the file: longest text of the column of the table.
_COLUMNS = {
    "FishID": 10, "Name": LONGEST_LABEL, "Kanji": 50, "OtherNames": 200, "English": 100, "Scientific": 100,
    "Family": 100,
}  # fmt: skip
_REQUIRED = frozenset({"FishID", "Name", "File", "Column", "Template"})
_OPTIONAL = tuple(column for column in _COLUMNS if column not in _REQUIRED)
_LABEL_COLUMNS = {"File": LONGEST_FILE_NAME, "Name": _COLUMNS["Name"]}
_TEMPLATE_COLUMNS = {"Column": 20, "Template": prompts.LONGEST}

_ALIASES = {"FishID": "ID"}
"""Column of a file -> another name for it, in capitals."""

_ENCODINGS = {"EUC-JP": "euc-jp", "Shift_JIS": "cp932"}
"""Encodings of Japanese before UTF-8 -> their names in Python and iconv."""

_KANA = re.compile("[ぁ-ゖァ-ヺー]|[ｦ-ﾟ]{3}")
"""Signs of Japanese text: a kana, or several of half width. One alone may be a letter of western Europe."""


@dataclass(frozen=True)
class FishRecord:
    """A line of a catalogue. None stands for a column that the file does not have."""

    fish_id: str
    name: str
    kanji: str | None = None
    other_names: str | None = None
    english: str | None = None
    scientific: str | None = None
    family: str | None = None


@dataclass(frozen=True)
class VectorRecord:
    """
    A line of a file of vectors. *key* is the FishID, or again the file name of a photo. *label* belongs to a photo.
    """

    key: str
    name: str
    vector: NDArray[Any]
    label: str = ""


def read_names(file: BinaryIO, source: str) -> list[FishRecord]:
    """
    Read a catalogue of names from a CSV file.

    Args:
        file: The open file: UTF-8 (with or without BOM), any line ends, a header, empty lines allowed.
        source: Name of the file, for messages.

    Returns:
        The rows, in the order of the file. FishID is `folded`. Other texts have the spelling of `normal`.

    Raises:
        InvalidFileError: The file has another encoding, a missing, unknown or doubled column, a wrong number of fields,
            an empty or too long value, or the same FishID or Name twice.
    """
    lines = _csv_lines(_decoded(file, source), source)
    header = _header(*next(lines, (1, [])), _COLUMNS, source)
    fish_ids, names = _Once("FishID", source), _Once("Name", source)
    records = []
    for line, values in lines:
        cells = _cells(line, values, header, _COLUMNS, source)
        record = FishRecord(cells["FishID"], cells["Name"], *(cells.get(column) for column in _OPTIONAL))
        fish_ids.add(record.fish_id, line, header.index("FishID") + 1)
        names.add(record.name, line, header.index("Name") + 1)
        records.append(record)
    return records


def read_labels(file: BinaryIO, source: str) -> dict[str, str]:
    """
    Read the fish on each photo from a CSV file with the columns File and Name.

    Args:
        file: The open file, as for `read_names`.
        source: Name of the file, for messages.

    Returns:
        File name, as in the file -> name of the fish.

    Raises:
        InvalidFileError: As `read_names`.
    """
    lines = _csv_lines(_decoded(file, source), source)
    header = _header(*next(lines, (1, [])), _LABEL_COLUMNS, source)
    files = _Once("File", source)
    labels = {}
    for line, values in lines:
        cells = _cells(line, values, header, _LABEL_COLUMNS, source)
        files.add(cells["File"], line, header.index("File") + 1)
        labels[cells["File"]] = cells["Name"]
    return labels


def read_templates(file: BinaryIO, source: str) -> frozenset[Template]:
    """
    Read the templates of prompts from a CSV file with the columns Column and Template.

    Args:
        file: The open file, as for `read_names`. A repeated line counts once.
        source: Name of the file, for messages.

    Raises:
        InvalidFileError: As `read_names`, or a column has no names, a template does not have `{}` once, or there is no
            line.
    """
    lines = _csv_lines(_decoded(file, source), source)
    header = _header(*next(lines, (1, [])), _TEMPLATE_COLUMNS, source)
    cells = [_cells(line, values, header, _TEMPLATE_COLUMNS, source) for line, values in lines]
    found = frozenset(Template(each["Column"], each["Template"]) for each in cells)
    length = len(prompts.record(found))
    if not found or length > prompts.LONGEST_RECORD:
        raise InvalidFileError(
            f"{source} must have a template, and all in {prompts.LONGEST_RECORD} characters. Got {len(found)} "
            f"templates, {length} characters",
            line=1,
            column=1,
        )
    return found


def read_vectors(file: BinaryIO, source: str, table: str) -> Iterator[VectorRecord]:
    """
    Read vectors from a file of JSON Lines or Parquet, one record at a time.

    Args:
        file: The open file. For *table* `Fish` a line is `{"fishid", "fishname", "embedding": [...]}` or `{"fishid",
            "name", "features": "..."}`. For `FishImage` it is `{"filename", "features"}`, and "label" if it is known.
            The names of the vector and of the row may be combined freely. Other members are not read. The columns of
            Parquet have these names.
        source: Name of the file, for messages.
        table: `Fish` or `FishImage`.

    Yields:
        The records, with vectors of length 1.

    Raises:
        InvalidFileError: A line is not such an object, a vector is not 512 finite numbers or is all zero, or a key
            appears twice.
    """
    keys, names = _Once("fishid", source), _Once("name", source)
    for batch in batches(_parsed(file, source, table), _LINES_AT_ONCE):
        numbers, records = zip(*batch, strict=True)
        rows = _unit_vectors([record.vector for record in records], numbers, source)
        for number, record, vector in zip(numbers, records, rows, strict=True):
            keys.add(record.key, number)
            names.add(record.name, number)
            yield replace(record, vector=vector)


def _parsed(file: BinaryIO, source: str, table: str) -> Iterator[tuple[int, VectorRecord]]:
    """Yield the records of the lines that are not empty, with the numbers of the lines. No vector is checked yet."""
    read = _fish_vector if table == "Fish" else _photo_vector
    begin = file.read(len(_PARQUET))
    file.seek(0)
    if begin == _PARQUET:
        yield from _rows_of_parquet(file, source, _fish_of if table == "Fish" else _photo_of)
        return
    empty = 0
    for number, line in enumerate(iter(lambda: file.readline(files.LONGEST_LINE + 1), b""), 1):
        if line.strip():
            with _on_line(source, number):
                record = read(line)
            yield number, record
            continue
        empty += 1
        if empty > files.MOST_EMPTY_LINES:
            raise InvalidFileError(
                f"{source} must have at most {files.MOST_EMPTY_LINES} empty lines. Got more", line=number, column=1
            )


def _rows_of_parquet(
    file: BinaryIO, source: str, read: Callable[[dict[str, Any]], VectorRecord]
) -> Iterator[tuple[int, VectorRecord]]:
    """Yield the rows of a file of Parquet, whose columns have the names of the members of a line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with open_tabular(path) as given:
            names = [each.name for each in given.columns]
            vector = next((name for name in names if name.lower() in _OF_VECTORS), "")
            if not vector:
                raise InvalidFileError(f"{source} must have the column embedding or features", line=1, column=1)
            row = 1
            for batch in given.batches({name: identifier(name) for name in names}, DIMENSION):
                made, present = matrix(batch.pop(vector), vector, row)
                with _on_line(source, row + int(np.argmin(present))):
                    if not present.all():
                        raise DataError(_NO_VECTOR)
                texts = {name.lower(): column.to_pylist() for name, column in batch.items()}
                for place, numbers in enumerate(made):
                    with _on_line(source, row):
                        record = read({name: values[place] for name, values in texts.items()})
                    yield row, replace(record, vector=numbers)
                    row += 1


@contextlib.contextmanager
def _on_line(source: str, number: int) -> Iterator[None]:
    """Put the place of a line into its error."""
    try:
        yield
    except DataError as error:
        raise InvalidFileError(f"{source}: {error}", line=number, column=1) from error


def _unit_vectors(given: list[Any], numbers: Sequence[int], source: str) -> Iterable[NDArray[Any]]:
    """Return lists of numbers as vectors of length 1, all at once. An error names the first wrong line."""
    with contextlib.suppress(ValueError, OverflowError):  # rows of several lengths too
        return vectors.unit(vectors.check(np.array(given, dtype=np.float64), dimension=DIMENSION))
    rows = []
    for value, number in zip(given, numbers, strict=True):
        with _on_line(source, number):
            rows.append(vectors.unit(vectors.check(value, dimension=DIMENSION)))
    return rows


class _Once:
    """The keys of a file. A key may be there only once, in any case, as in the index of the table."""

    def __init__(self, what: str, source: str) -> None:
        self.what, self.source = what, source
        self._lines: dict[str, int] = {}

    def add(self, key: str, line: int, column: int = 1) -> None:
        before = self._lines.setdefault(folded(key), line)
        if before != line:
            raise InvalidFileError(
                f"Each {self.what} of {self.source} must occur once. {key} is also on line {before}",
                line=line,
                column=column,
            )


def _decoded(file: BinaryIO, source: str) -> str:
    data = file.read(files.LARGEST_CSV + 1)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidFileError(f"{source} must be CSV. Got a file of Excel; save it as CSV UTF-8", line=1, column=1)
    if len(data) > files.LARGEST_CSV:
        raise InvalidFileError(f"{source} must have at most {files.LARGEST_CSV // 1_000_000} MB", line=1, column=1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        raise InvalidFileError(
            f"{source} must be UTF-8. Got another encoding{_hint(data, source)}",
            line=before.count(b"\n") + 1,
            column=before.rpartition(b"\n")[2].count(b",") + 1,
        ) from error


def _hint(data: bytes, source: str) -> str:
    """
    Return the encoding in which the bytes are Japanese. Nearly any encoding can decode them, but few results have kana.
    """
    for name, codec in _ENCODINGS.items():
        with contextlib.suppress(UnicodeDecodeError):
            if _KANA.search(data.decode(codec)):
                return f"; it looks like {name}: iconv -f {codec.upper()} -t UTF-8 {source}"
    return ""


def _csv_lines(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not empty, with the line on which each begins."""
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


def other_columns(header: bytes) -> list[str]:
    """Return the columns of a catalogue that are not read, from its first line."""
    values = next(csv.reader(header.decode("utf-8-sig", "replace").splitlines()), [])
    return [value.strip() for value in values if _known_column(value, _COLUMNS) is None]


def members(line: bytes) -> dict[str, Any]:
    """Return the members of a line of vectors, with their names in small letters, or none where there are none."""
    with contextlib.suppress(DataError):
        return _json_object(line)
    return {}


def other_members(item: Mapping[str, Any], table: str) -> list[str]:
    """Return the members of a line of vectors that are not read for *table*."""
    read = {"fishid", "id", "fishname", "name", "filename", "embedding", "features", "model"}
    return [name for name in item if name not in read and not (table == "FishImage" and name == "label")]


def _known_column(value: str, columns: Mapping[str, int]) -> str | None:
    """Return the column of a name in the header, in any case. `id` is FishID, and `file` is File."""
    name = normal(value).upper()
    return next((column for column in columns if name in (column.upper(), _ALIASES.get(column))), None)


def _header(line: int, values: list[str], columns: Mapping[str, int], source: str) -> list[str]:
    """Return the column for each field, or an empty text for a field that is not read."""
    header: list[str] = []
    for place, value in enumerate(values, 1):
        column = _known_column(value, columns) or ""
        if column and column in header:
            raise InvalidFileError(
                f"A column of {source} must be there once. {value[:40]!r} is there twice", line=line, column=place
            )
        header.append(column)
    _check_separator(values, source)
    for column in columns:
        if column in _REQUIRED and column not in header:
            got = ", ".join(value.strip()[:40] for value in values) or "nothing"
            raise InvalidFileError(f"{source} must have the column {column}. Got {got}", line=line, column=1)
    return header


def _check_separator(values: list[str], source: str) -> None:
    """Name the separator of a file whose fields are not separated by commas."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(values) == 1 and separator in values[0]:
            raise InvalidFileError(
                f"The fields of {source} must be separated by commas. Got {name}; replace them, or save it as CSV",
                line=1,
                column=1,
            )


def _cells(line: int, values: list[str], header: list[str], columns: Mapping[str, int], source: str) -> dict[str, str]:
    """Return the texts of a line by column."""
    if len(values) != len(header):
        raise InvalidFileError(
            f"A line of {source} must have {len(header)} fields, as its header. Got {len(values)}",
            line=line,
            column=min(len(values), len(header)) + 1,
        )
    cells: dict[str, str] = {}
    try:
        for column, value in zip(header, values, strict=True):
            if column:
                cells[column] = _cell(column, value, columns[column])
    except DataError as error:
        raise InvalidFileError(f"{source}: {error}", line=line, column=header.index(column) + 1) from error
    return cells


def _cell(column: str, value: str, longest: int) -> str:
    text = composed(value.strip()) if column == "File" else normal(value)
    if column in _REQUIRED and not text:
        raise DataError(f"{column} must not be empty.")
    if column == "Column":
        return _column_of_names(text)
    if column == "Template" and (text.count(prompts.MARK) != 1 or ";" in text):
        raise DataError(f"A template must have {{}} once, where the name goes, and no semicolon. Got {text[:60]!r}.")
    return check_text(column, folded(text) if column == "FishID" else text, longest)


def _column_of_names(text: str) -> str:
    for column in prompts.COLUMNS:
        if text.upper() == column.upper():
            return column
    raise DataError(f"Column must be one of {', '.join(prompts.COLUMNS)}. Got {text[:40]!r}.")


def _fish_vector(line: bytes) -> VectorRecord:
    item = _json_object(line)
    return replace(_fish_of(item), vector=_numbers(item))


def _photo_vector(line: bytes) -> VectorRecord:
    item = _json_object(line)
    return replace(_photo_of(item), vector=_numbers(item))


def _fish_of(item: dict[str, Any]) -> VectorRecord:
    key, name = _member(item, "fishid", "id"), _member(item, "fishname", "name")
    fish_id = _cell("FishID", key, _COLUMNS["FishID"])
    return VectorRecord(fish_id, _cell("Name", name, _COLUMNS["Name"]), _NOTHING)


def _photo_of(item: dict[str, Any]) -> VectorRecord:
    name = check_text("filename", composed(_member(item, "filename", "name", "id")), LONGEST_FILE_NAME)
    label = item.get("label")
    if not isinstance(label, str | None):
        raise DataError(f"label must be a text, or null. Got {json.dumps(label, ensure_ascii=False)[:40]}.")
    return VectorRecord(name, name, _NOTHING, check_text("label", normal(label or ""), _COLUMNS["Name"]))


def _json_object(line: bytes) -> dict[str, Any]:
    if len(line) > files.LONGEST_LINE:
        raise DataError(f"A line must have at most {files.LONGEST_LINE // 1_000_000} MB.")
    try:
        item = _json(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"A line must be a JSON object in UTF-8. Got {_begin(line)}: {error}") from error
    if not isinstance(item, dict):
        raise DataError(f"A line must be a JSON object. Got {_begin(line)}.")
    return {key.lower(): value for key, value in item.items()}


def _json(line: bytes) -> Any:
    try:
        return orjson.loads(line.removeprefix(codecs.BOM_UTF8))
    except ValueError:
        return json.loads(line.decode("utf-8-sig"))  # it reads NaN too, which the check of a vector names


def _begin(line: bytes) -> str:
    """Return the beginning of a line, for messages. Bytes that are not UTF-8 become escapes."""
    return line.strip()[:40].decode("utf-8", "backslashreplace")


def _member(item: dict[str, Any], *names: str) -> str:
    for name in names:
        value = item.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if type(value) is int:
            return str(value)
    raise DataError(f"A line must have a text {' or '.join(names)}. Got {', '.join(item)[:100] or 'nothing'}.")


def _numbers(item: dict[str, Any]) -> Any:
    """Return the numbers of a vector, not yet checked: a list, or an array of those in a text."""
    value = item.get("embedding", item.get("features"))
    if isinstance(value, str):
        return vectors.from_text(value, dimension=DIMENSION)
    if not isinstance(value, list):
        raise DataError(_NO_VECTOR)
    if not set(map(type, value)) <= {int, float}:
        raise DataError("A vector must hold numbers only.")
    return value
