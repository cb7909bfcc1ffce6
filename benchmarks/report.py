"""
Results as a table for people and as JSON for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.measure import OURS, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_HEADER = ("", "way", "median", "least", "p95", "processor", "ratio", "aim", "")


def lines(results: Sequence[Result]) -> list[str]:
    """Lay out results as a table. *ratio* is how many times as long as ours a way takes."""
    ours = {each.what: each.median for each in results if each.way == OURS}
    rows = [_HEADER, *(_row(each, ours.get(each.what)) for each in results)]
    for before, row in reversed(list(zip(results, range(2, len(rows)), strict=False))):
        if rows[row][0] == before.what:
            rows[row] = ("", *rows[row][1:])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths)).rstrip() for row in rows]


def record(machine: Mapping[str, Any], subjects: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the data of `--json`: the machine, and for each subject the load before and after and its results."""
    done = [{**each, "results": [*map(_fields, each["results"])]} for each in subjects]
    return {"machine": machine, "subjects": done}


def _fields(result: Result) -> dict[str, Any]:
    return {**vars(result), "median": result.median, "p95": result.p95}


def _row(result: Result, ours: float | None) -> tuple[str, ...]:
    median, least = result.median, min(result.values, default=None)
    ratio = f"{median / ours:.3g}" if ours and median is not None and result.way != OURS else ""
    processor = sorted(result.processor)[len(result.processor) // 2] if result.processor else None
    numbers = [_number(value, result.unit) for value in (median, least if result.unit == "s" else None, result.p95)]
    return (result.what, result.way, *numbers, _number(processor, "s"), ratio, _aim(result), result.note)


def _aim(result: Result) -> str:
    if result.aim is None or result.median is None:
        return ""
    return f"{_number(result.aim, result.unit)} {'met' if result.median <= result.aim else 'missed'}"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    return f"{value:,.2f} s" if value >= 1 else f"{value * 1000:.1f} ms" if value >= 0.001 else f"{value * 1000:.3f} ms"


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if 2 <= place <= 6 else cell.ljust(width)
