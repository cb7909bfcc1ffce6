"""
The part of a map that a page shows, as statements: what is drawn around, searched or kept, and what colours the points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetup2025 import client
from meetup2025.engines.tokens import identifier, qualified
from meetup2025.errors import DataError, shown
from meetup2025.web.statements import COLUMNS, IN_ORDER, Statement, containing, literal, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

_STEPS = 10
"""Most bars of a column of numbers, near enough: their edges are round."""


@dataclass(frozen=True)
class Colour:
    """
    What tells the items of a map apart, and may colour them.

    In its SQL `{t}` stands for the table that is joined to the map `p`.

    Attributes:
        key: The name in a link: `label`, `source`, `Clusters:3`, `Outliers:4`, or `Fish/Family` for a column.
        value: Expression of the values that are counted.
        scale: Expression of the numbers that are a scale, or empty.
        table: Table or query of the values, or empty.
        on: Condition that joins the table to the map.
        given: Values of the query.
    """

    key: str
    value: str
    scale: str = ""
    table: str = ""
    on: str = "{t}.Source = p.Source AND {t}.Item = p.Item"
    given: tuple[Any, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers, so that ranges are counted and kept: `1..5` from 1 up to 5."""
        return bool(self.scale) and self.scale == self.value

    @property
    def columns(self) -> list[str]:
        """What is read of an item: Value, which is counted, and Score, which is a scale."""
        named = {"Score": self.scale, "Value": "" if self.is_number else self.value}
        return [f"{expression} AS {name}" for name, expression in named.items() if expression]


_FIXED = {"label": Colour("label", "%EXACT(p.Label)"), "source": Colour("source", "%EXACT(p.Source)")}

_SCORES = f"MeetUp2025.ReadOutliers(?, {client.ALL})"
_OF_RUN = {"Clusters": ("{t}.Cluster", "", "MeetUp2025.ReadClusters(?)"), "Outliers": ("{t}.Odd", "{t}.Score", _SCORES)}

_PAIRED = (
    f"(SELECT Source, Item FROM MeetUp2025.ReadDuplicates(?, {client.ALL}) UNION "
    f"SELECT OtherSource, OtherItem FROM MeetUp2025.ReadDuplicates(?, {client.ALL}))"
)


def colour_of(connection: Connection, key: str) -> Colour:
    """
    Find a colour by its name in a link.

    Raises:
        DataError: There is none of this name.
    """
    if key in _FIXED:
        return _FIXED[key]
    kind, _, run = key.partition(":")
    if kind in _OF_RUN and run.isascii() and run.isdecimal():
        value, scale, table = _OF_RUN[kind]
        return Colour(key, value, scale, table, given=(int(run),))
    source, is_column, _ = key.partition("/")
    for column in rows(connection, COLUMNS, source) if is_column else ():
        if key == key_of(column):
            return _of_column(key, column)
    raise DataError(f"colour must be one of a map. Got {shown(key)}.")


def key_of(column: dict[str, Any]) -> str:
    """Return the name in a link of a row of `SourceColumns`."""
    return f"{column['source']}/{column['columnname']}"


def _of_column(key: str, column: dict[str, Any]) -> Colour:
    item, value = (f"{{t}}.{identifier(column[each])}" for each in ("itemcolumn", "columnname"))
    table = qualified(column["tablename"])
    on = f"{item} = p.Item AND p.Source = {literal(column['source'])}"
    if column["kind"] == "number":
        return Colour(key, value, value, table, on)
    return Colour(key, f"%EXACT(CAST({value} AS VARCHAR(200)))", "", table, on)


@dataclass(frozen=True)
class View:
    """
    The part of a map that a page shows.

    Attributes:
        run: Number of the map.
        colour: What colours the points.
        region: Corners of a polygon, or empty.
        words: Text that is part of a name, a key or a label, or empty.
        kept: Colours, and the one value of each to keep. An empty value keeps the items without one.
    """

    run: int
    colour: Colour = _FIXED["label"]
    region: str = ""
    words: str = ""
    kept: tuple[tuple[Colour, str], ...] = ()

    def listing(self, most: int = 0) -> Statement:
        """Return the statement that lists the items: all, or the first ones."""
        own = [] if self.colour.key in _FIXED else self.colour.columns
        columns = [(None, each) for each in ("p.Source", "p.Item", "p.Name", "p.Label")]
        found = self.selecting([*columns, *((self.colour, each) for each in own)], "TOP ? " if most else "")
        order = " ORDER BY Score DESC" if self.colour.scale else " ORDER BY p.Source DESC, p.Item"
        return Statement(found.sql + order, (*([most] if most else []), *found.given))

    def total(self, outliers: int = 0, duplicates: int = 0) -> Statement:
        """
        Return the statement that counts the items, and those without a label.

        Args:
            outliers: Run of Outliers whose odd items are counted, or 0.
            duplicates: Run of Duplicates whose items are counted, or 0.
        """
        unnamed = "SUM(CASE WHEN p.Label IS NULL THEN 1 ELSE 0 END) AS Unnamed"
        columns: list[tuple[Colour | None, str]] = [(None, "COUNT(*) AS Items"), (None, unnamed)]
        odd = Colour("odd", "", table=_SCORES, given=(outliers,))
        copies = Colour("copies", "", table=_PAIRED, given=(duplicates, duplicates))
        columns += [(odd, "SUM({t}.Odd) AS Odd")] if outliers else []
        columns += [(copies, "COUNT({t}.Item) AS Copies")] if duplicates else []
        return self.selecting(columns)

    def counts(self, connection: Connection, colour: Colour) -> list[dict[str, Any]]:
        """Count the items of each value of a colour, among those that all other colours keep. Numbers are in ranges."""
        others = tuple(each for each in self.kept if each[0] != colour)
        view = View(self.run, colour, self.region, self.words, others)
        step = view.step(connection) if colour.is_number else 0
        counted = _place(colour, step) if step else colour.value
        found = view.selecting([(colour, f"{counted} AS Value"), (None, "COUNT(*) AS Items")])
        order = "Value" if step else "Items DESC"
        grouped = Statement(f"{found.sql} GROUP BY {counted.replace('{t}', _alias(0))} ORDER BY {order}", found.given)
        counts = grouped.rows(connection)
        return [{**row, "value": _range(row["value"], step)} for row in counts] if step else counts

    def step(self, connection: Connection) -> float:
        """Return the width of a range of numbers: round, and near a tenth of all numbers of the map."""
        bounds = [(self.colour, f"{name}({self.colour.value}) AS {name}Value") for name in ("MIN", "MAX")]
        [row] = View(self.run).selecting(bounds).rows(connection)
        span = 0 if row["minvalue"] is None else float(row["maxvalue"]) - float(row["minvalue"])
        if not span:
            return 1.0
        power = 10.0 ** math.floor(math.log10(span / _STEPS))
        step = next(each * power for each in (1, 2, 5, 10) if span / (each * power) <= _STEPS)
        return _round(step)

    def colouring(self, most: int) -> Statement:
        """Return the statement that reads the values of the colour, for the points that are drawn."""
        columns = [(None, "p.Source"), (None, "p.Item"), *((self.colour, each) for each in self.colour.columns)]
        found = self.selecting(columns, points=Statement("MeetUp2025.SampleMap(?, ?)", (self.run, most)))
        return Statement(f"{found.sql} ORDER BY {IN_ORDER}", found.given)

    def selecting(
        self, columns: Sequence[tuple[Colour | None, str]], top: str = "", points: Statement | None = None
    ) -> Statement:
        """
        Return a statement with all conditions.

        Args:
            columns: Expressions, each with the colour whose table `{t}` is.
            top: What stands before the expressions.
            points: Query of the points, or None for all.
        """
        points = points or Statement("MeetUp2025.ReadMap(?)", (self.run,))
        used = dict.fromkeys(each for each, _ in (*columns, *self.kept) if each)
        tables = {each: _alias(place) for place, each in enumerate(each for each in used if each.table)}
        selected = ", ".join(each.replace("{t}", tables.get(of, "") if of else "") for of, each in columns)
        joined = "".join(f" LEFT JOIN {of.table} {name} ON {of.on}".replace("{t}", name) for of, name in tables.items())
        conditions, given = self._conditions(tables)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        of_joins = [value for each in tables for value in each.given]
        sql = f"SELECT {top}{selected} FROM {points.sql} p{joined}{where}"
        return Statement(sql, (*points.given, *of_joins, *given))

    def _conditions(self, tables: dict[Colour, str]) -> tuple[list[str], list[Any]]:
        conditions: list[str] = []
        given: list[Any] = []
        if self.region:
            conditions.append("MeetUp2025.InRegion(p.X, p.Y, ?) = 1")
            given.append(self.region)
        if self.words:
            condition, values = containing(("p.Name", "p.Item", "p.Label"), self.words)
            conditions.append(condition)
            given += values
        for colour, value in self.kept:
            condition, values = _keeping(colour, value)
            conditions.append(condition.replace("{t}", tables.get(colour, "")))
            given += values
        return conditions, given


def _alias(place: int) -> str:
    return f"t{place + 1}" if place else "t"


def _place(colour: Colour, step: float) -> str:
    """Return the expression that numbers the ranges. Counting and keeping share it: rounding is the same for both."""
    return f"FLOOR({colour.value} / {step!r})"


def _round(number: float) -> float:
    """Return the decimal number that is meant, without what the sums of floats have added."""
    return float(f"{number:.6g}")


def _range(place: float | None, step: float) -> str | None:
    """Return the range of numbers that `FLOOR(number / step)` has put together, as `low..high`."""
    return None if place is None else "..".join(f"{float(place + each) * step:.12g}" for each in (0, 1))


def _keeping(colour: Colour, value: str) -> tuple[str, list[Any]]:
    """
    Return the condition that keeps a value of a colour.

    Raises:
        DataError: The value is not of the kind of the colour.
    """
    if not value:
        return f"{colour.value} IS NULL", []
    try:
        if colour.is_number:
            low, high = map(float, value.split(".."))
            step = _round(high - low)
            return f"{_place(colour, step)} = ?", [round(low / step)]
        return f"{colour.value} = ?", [int(value) if colour.given else value]
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise DataError(f"A value to keep must be of {colour.key}. Got {shown(value)}.") from error
