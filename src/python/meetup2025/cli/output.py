"""
Results on standard output: an aligned table for people, JSON, CSV, Parquet and arrays of numpy for programs.

This module makes the table itself: rich takes 0.03 s to import and 6 s for 10,000 rows, this module takes 0.3 s.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from meetup2025.engines.pep249 import distinct
from meetup2025.loading.spelling import is_invisible
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from meetup2025.engines import Cursor

Row: TypeAlias = "Sequence[Any]"

_VECTOR = re.compile(r"[-+.\deE]+(?:,[-+.\deE]+){7,}")
_GAP = "  "
_FILES_WRITTEN = "meetup2025.files"

FILES = ("parquet", "npy")
"""Formats of one result, which no terminal shows."""

COLUMNAR = ("jsonl", *FILES)
"""Formats in which a vector is an array of numbers."""

FORMATS = ("table", "json", "csv", *COLUMNAR)
"""Formats of results."""


def write_rows(columns: Sequence[str], rows: Sequence[Row], style: str, *, records: bool = False) -> None:
    """
    Write rows to standard output.

    Args:
        columns: Names of the columns.
        rows: Rows with a value for each column.
        style: `table`, `json` (an array of objects), `csv` (with a header), or a style of `write_columns`.
        records: Whether a table that is wider than the terminal becomes a list of names and values.
    """
    if style == "json":
        write_json([dict(zip(distinct(columns), row, strict=True)) for row in rows])
    elif style == "csv":
        _write_csv(columns, rows)
    elif style in COLUMNAR:
        from meetup2025.engines.arrays import of_rows

        write_columns(of_rows(distinct(columns), rows), style)
    else:
        lines = table_lines(columns, rows)
        click.echo("\n".join(record_lines(columns, rows) if records and not _fits(lines) else lines))


def write_findings(columns: Sequence[str], findings: Sequence[tuple[str, str, str]], style: str) -> None:
    """Write findings as `write_rows`. The last column has sentences, which people read in their language."""
    told = [(*words, translated(sentence)) for *words, sentence in findings] if style == "table" else findings
    write_rows(columns, told, style)


def write_result(cursor: Cursor, columns: Sequence[str], style: str, *, records: bool = False) -> None:
    """Write the rows of a cursor, as `write_rows`. In a style of `write_columns`, vectors are arrays of numbers."""
    if style in COLUMNAR:
        names = distinct(columns)
        write_columns(dict(zip(names, cursor.fetchnumpy().values(), strict=True)), style)
    else:
        write_rows(columns, cursor.fetchall(), style, records=records)


def write_columns(columns: dict[str, NDArray[Any]], style: str) -> None:
    """Write columns to standard output as a file. See `engines.exchange.file_of`."""
    from meetup2025.engines.exchange import file_of

    if style in FILES:
        _begin_file(style)
    click.echo(file_of(columns, style), nl=False)


def _begin_file(style: str) -> None:
    """Refuse a file in a terminal, and a second file behind the first."""
    context = click.get_current_context().find_root()
    if sys.stdout.isatty():
        raise click.UsageError(f"A {style} file is for a file or a pipe: add > FILE.")
    if context.meta.setdefault(_FILES_WRITTEN, 0):
        raise click.UsageError(f"A {style} file has one result. Got another: run one statement that returns rows.")
    context.meta[_FILES_WRITTEN] = 1


def write_record(values: dict[str, Any], sentence: str, style: str) -> None:
    """Write a result without rows: a sentence for people, an object or a row of *values* for programs."""
    if style == "json":
        write_json(values)
    elif style == "csv":
        _write_csv(list(values), [list(values.values())])
    elif style == "jsonl":
        click.echo(json.dumps(_json_value(values), ensure_ascii=False))
    else:
        click.echo(translated(sentence), err=style != "table")  # a file has rows alone


def write_json(value: Any) -> None:
    """Write *value* as JSON in UTF-8. Numbers that JSON does not have become null."""
    click.echo(json.dumps(_json_value(value), ensure_ascii=False, indent=2))


def table_lines(columns: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """
    Lay out a table as lines without blanks at their end.

    Numbers stand at the right of their column. Scores have three decimals. Vectors are shortened, and nothing else is
    cut. A Japanese character counts as two cells.

    Args:
        columns: Names of the columns.
        rows: Rows of values.

    Returns:
        The header, a rule, and a line for each row.
    """
    rows = list(rows)
    right = [_is_numeric([row[place] for row in rows]) for place in range(len(columns))]
    cells = [[_cell(value, column) for value, column in zip(row, columns, strict=True)] for row in rows]
    header = [plain(column) for column in columns]
    widths = [max(map(_cells_of, each)) for each in zip(header, *cells, strict=True)]
    rule = ["─" * width for width in widths]
    return [_line(each, widths, right) for each in (header, rule, *cells)]


def record_lines(columns: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Lay out each row as lines of a name and a value, for a table that is wider than the terminal."""
    header = [plain(column) for column in columns]
    width = max(map(_cells_of, header), default=0)
    lines = []
    for row in rows:
        for column, name, value in zip(columns, header, row, strict=True):
            lines.append(f"{_padded(name, width)}{_GAP}{_cell(value, column)}".rstrip())
        lines.append("")
    return lines[:-1]


def _fits(lines: Iterable[str]) -> bool:
    """Check whether *lines* fit the width of the terminal. A pipe has no width."""
    if not sys.stdout.isatty():
        return True
    return max(map(_cells_of, lines), default=0) <= shutil.get_terminal_size().columns


def plain(text: str) -> str:
    r"""Make the control characters of *text* visible (`\n`, `\x1b`): data must not steer the terminal."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if is_invisible(character) else character


def _write_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(each) for each in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


def _is_numeric(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, (int, float, Decimal)) for value in known)


def _cell(value: Any, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and column.lower() == "score":
        return f"{value:.3f}"
    text = plain(str(value))
    if _VECTOR.fullmatch(text):
        numbers = text.split(",")
        return f"{float(numbers[0]):.4f},{float(numbers[1]):.4f},… ({len(numbers)})"
    return text


def _cells_of(text: str) -> int:
    """Return the number of cells that *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # takes 0.03 s to import

    return int(wcswidth(text))


def _padded(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * (width - _cells_of(text))
    return blanks + text if right else text + blanks


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return _GAP.join(_padded(*each[:2], right=each[2]) for each in zip(cells, widths, right, strict=True)).rstrip()
