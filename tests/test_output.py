"""Results are aligned for people, and exact for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date, datetime, time
from decimal import Decimal

import pytest

from meetup2025.cli import output

VECTOR = "0.01234,-0.0456," + ",".join(["0.5"] * 510)
HOSTILE = "'); DROP TABLE Fish; --"


class Terminal(io.StringIO):
    """A terminal, as far as the output can tell."""

    def isatty(self):
        """Say so."""
        return True


def test_table_aligns_wide_characters():
    """A Japanese character takes two cells, so the column after it begins at the same cell in each line."""
    lines = output.table_lines(["name", "kanji"], [["マアジ", "真鯵"], ["saba", "鯖"], ["ｻﾊﾞ", "x"]])

    assert lines == ["name    kanji", "──────  ─────", "マアジ  真鯵", "saba    鯖", "ｻﾊﾞ     x"]


def test_table_counts_combining_marks_as_nothing():
    """A decomposed ガ (two code points, as macOS writes it) takes two cells."""
    lines = output.table_lines(["a", "b"], [["カ\u3099", "1"], ["x", "2"]])

    assert lines[2:] == ["カ\u3099  1", "x   2"]


def test_table_sets_numbers_at_the_right():
    """Numbers end at the same cell; text that looks like numbers does not."""
    lines = output.table_lines(["n", "t"], [[5, "5"], [1000, "1000"], [None, None]])

    assert lines == ["   n  t", "────  ────", "   5  5", "1000  1000", ""]


def test_table_rounds_scores_alone():
    """Scores have three decimals, any other number all of its digits."""
    lines = output.table_lines(["Score", "other"], [[0.123456, 0.123456]])

    assert lines[2] == "0.123  0.123456"


def test_table_without_rows_is_a_header():
    """No rows leave the header and the rule."""
    assert output.table_lines(["a", "bc"], []) == ["a  bc", "─  ──"]


def test_table_shortens_vectors_alone():
    """A vector is cut to two numbers and its length; a long name is not cut."""
    lines = output.table_lines(["v", "name"], [[VECTOR, "x" * 500], ["1,2,3", ""]])

    assert lines[2] == "0.0123,-0.0456,… (512)  " + "x" * 500
    assert lines[3] == "1,2,3"


def test_table_shows_control_characters():
    """Data cannot steer the terminal: escapes, line ends and changes of direction become visible."""
    lines = output.table_lines(["a"], [["\x1b[31mred\nnext\u202e"], ["[bold]markup[/bold]"]])

    assert lines[2:] == [r"\x1b[31mred\nnext\u202e", "[bold]markup[/bold]"]


def test_records_name_each_value():
    """A row that is too wide for a table becomes lines of a name and a value."""
    lines = output.record_lines(["id", "名前"], [[1, "マアジ"], [2, None]])

    assert lines == ["id    1", "名前  マアジ", "", "id    2", "名前"]


@pytest.mark.parametrize(("columns", "expected"), [("20", "a"), ("200", "aaa")])
def test_wide_table_becomes_records_on_a_terminal(monkeypatch, columns, expected):
    """What does not fit the terminal is told name by name, where that is asked for."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", columns)
    output.write_rows(["aaa", "b"], [["x" * 30, "y"]], "table", records=True)

    first = terminal.getvalue().splitlines()[0]

    assert (columns == "20") == ("x" in first)
    assert first.startswith(expected)


def test_wide_table_stays_a_table_in_a_pipe(capsys, monkeypatch):
    """A pipe has no width."""
    monkeypatch.setenv("COLUMNS", "20")
    output.write_rows(["a"], [["x" * 3000]], "table", records=True)

    assert capsys.readouterr().out.splitlines() == ["a", "─" * 3000, "x" * 3000]


def test_json_keeps_what_it_can(capsys):
    """JSON is unescaped, has numbers as numbers, null for NULL and for what is no number, ISO dates."""
    row = ["マアジ", 0.1, Decimal("1.5"), None, float("nan"), date(2025, 1, 2), datetime(2025, 1, 2, 3, 4), time(5, 6)]  # noqa: DTZ001
    output.write_rows([f"c{place}" for place in range(8)], [row], "json")
    text = capsys.readouterr().out

    assert "マアジ" in text
    assert list(json.loads(text)[0].values()) == [
        "マアジ",
        0.1,
        1.5,
        None,
        None,
        "2025-01-02",
        "2025-01-02T03:04:00",
        "05:06:00",
    ]


def test_json_numbers_columns_of_one_name(capsys):
    """Columns of the same name are all there."""
    output.write_rows(["Name", "Name", "Name_2", "Name"], [[1, 2, 3, 4]], "json")

    assert list(json.loads(capsys.readouterr().out)[0].values()) == [1, 2, 3, 4]


@pytest.mark.parametrize("rows", [[], [["a", "b"]], [["a", "b"], ["c", "d"]]])
def test_formats_read_back(capsys, rows):
    """Zero, one and two rows come back from JSON and from CSV."""
    output.write_rows(["x", "y"], rows, "json")
    from_json = json.loads(capsys.readouterr().out)
    output.write_rows(["x", "y"], rows, "csv")
    from_csv = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [dict(zip("xy", row, strict=True)) for row in rows] == from_json == from_csv


@pytest.mark.parametrize("value", [HOSTILE, 'say "hi"', "a,b", "two\nlines", "\x1b[31m", VECTOR, " blanks "])
def test_values_survive_json_and_csv(capsys, value):
    """Programs get each value exactly: quotes, commas, line ends, escapes, the whole vector."""
    output.write_rows(["v"], [[value]], "json")
    from_json = json.loads(capsys.readouterr().out)[0]["v"]
    output.write_rows(["v"], [[value]], "csv")
    from_csv = next(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))["v"]

    assert value == from_json == from_csv


def test_record_is_a_sentence_an_object_or_a_row(capsys):
    """A result that is not rows has the three forms too."""
    for style in ("table", "json", "csv"):
        output.write_record({"changed": 2, "total": 5}, "2 changed", style)
    sentence, _, rest = capsys.readouterr().out.partition("\n")

    assert sentence == "2 changed"
    assert (
        json.loads(rest[: rest.index("}") + 1]),
        rest[rest.index("}") + 1 :],
    ) == ({"changed": 2, "total": 5}, "\nchanged,total\n2,5\n")
