"""
The tables that a name may belong to.

What a translation must know of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from meetup2025.engines.sql.nodes import refuse

if TYPE_CHECKING:
    from sqlglot import exp



@dataclass
class Source:
    """A table in FROM: lower-case column -> (name, DuckDB type), and whether its ID is hidden."""

    columns: dict[str, tuple[str, str]]
    hides_id: bool = False

    @classmethod
    def of(cls, columns: Columns, *, hides_id: bool = False) -> Source:
        """Make a source of columns as name -> type."""
        return cls({name.lower(): (name, kind) for name, kind in columns.items()}, hides_id)

    @property
    def visible(self) -> dict[str, str]:
        """The columns of ``*``, as name -> type."""
        return {name: kind for key, (name, kind) in self.columns.items() if not (self.hides_id and key == "id")}


class Found(NamedTuple):
    """Where a column belongs: the scope, the name of the table there, the type."""

    scope: Scope
    source: str
    type: str


@dataclass
class Scope:
    """The tables of one SELECT, and through `outer` those of the queries around it; `labels` are its named items."""

    outer: Scope | None = None
    ctes: dict[str, Source] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    labels: dict[str, exp.Expr] = field(default_factory=dict)

    def within(self) -> Scope:
        """Make the scope of a subquery, which sees the tables of this one."""
        return Scope(self, self.ctes)

    def beside(self) -> Scope:
        """Make the scope of a query in FROM, WITH or UNION, which sees what this one sees around itself."""
        return Scope(self.outer, self.ctes)

    def find(self, column: exp.Column) -> Found | None:
        """Find the table of *column*, the nearest one; None if it is nowhere."""
        key, label = column_key(column), column.table.lower()
        names = [name for name in self.sources if not label or name == label]
        found = [name for name in names if key in self.sources[name].columns]
        if len(found) > 1:
            refuse(f"Field {column.name} is ambiguous among the tables {', '.join(found)}", column, -27)
        if found:
            [name] = found
            return Found(self, name, self.sources[name].columns[key][1])
        if self.outer is None or label in self.sources:
            return None
        return self.outer.find(column)

    def knows(self, label: str) -> bool:
        """Tell whether a table is called *label*, here or around."""
        return label in self.sources or bool(self.outer and self.outer.knows(label))


def column_key(column: exp.Column) -> str:
    """Give the key of *column* in `Source.columns`; ``%ID`` is the RowID."""
    return "id" if column.name.upper() == "%ID" else column.name.lower()


DEFAULT_SCHEMA = "SQLUser"

Columns: TypeAlias = Mapping[str, str]
"""Columns in order, as name -> DuckDB type."""


class Schema(Protocol):
    """What must be known of the database to translate a statement; names are compared without regard to case."""

    def columns(self, schema: str, table: str) -> Columns | None:
        """Give the columns of a table or view as name -> DuckDB type, with the RowID ``ID``; None if there is none."""

    def hides_id(self, schema: str, table: str) -> bool:
        """Tell whether ``SELECT *`` leaves the column ``ID`` out: true of tables, not of views."""
