"""
The tables that a name of a statement may belong to, and the facts about the database for a translation.

The parts are, in order, `Schema`, the tables of the database, `Source`, one table of FROM, and `Scope`, the tables of
one SELECT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from meetup2025.engines.sql.nodes import refuse

if TYPE_CHECKING:
    from sqlglot import exp

DEFAULT_SCHEMA = "SQLUser"

Columns: TypeAlias = Mapping[str, str]
"""Columns in order, as name -> DuckDB type."""


class Schema(Protocol):
    """The tables of a database. Names are compared without regard to case."""

    def columns(self, schema: str, table: str) -> Columns | None:
        """Return the columns of a table or view, with the RowID ``ID``. Return None if there is no such table."""

    def hides_id(self, schema: str, table: str) -> bool:
        """Return whether ``SELECT *`` leaves out the column ``ID``: true of a table, false of a view."""


@dataclass
class Source:
    """A table of FROM: lower-case column -> (name, DuckDB type), and whether its ID is hidden."""

    columns: dict[str, tuple[str, str]]
    hides_id: bool = False

    @classmethod
    def of(cls, columns: Columns, *, hides_id: bool = False) -> Source:
        """Make a source from columns as name -> type."""
        return cls({name.lower(): (name, kind) for name, kind in columns.items()}, hides_id)

    @property
    def visible(self) -> dict[str, str]:
        """Return the columns of ``*``, as name -> type."""
        return {name: kind for key, (name, kind) in self.columns.items() if not (self.hides_id and key == "id")}


class Found(NamedTuple):
    """The table of a column: its scope, its name in that scope, and the type of the column."""

    scope: Scope
    source: str
    type: str


@dataclass
class Scope:
    """
    The tables of one SELECT.

    Attributes:
        outer: The scope of the query around this one.
        ctes: The queries of WITH.
        sources: The tables of FROM.
        labels: The items of SELECT that have a name.
    """

    outer: Scope | None = None
    ctes: dict[str, Source] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    labels: dict[str, exp.Expr] = field(default_factory=dict)

    def within(self) -> Scope:
        """Return the scope of a subquery, which sees the tables of this scope."""
        return Scope(self, self.ctes)

    def beside(self) -> Scope:
        """Return the scope of a query in FROM, WITH or UNION, which sees the tables around this scope."""
        return Scope(self.outer, self.ctes)

    def find(self, column: exp.Column) -> Found | None:
        """Find the nearest table that has *column*, or return None if there is none."""
        key, label = column_key(column), column.table.lower()
        names = [name for name in self.sources if not label or name == label]
        owners = [name for name in names if key in self.sources[name].columns]
        if len(owners) > 1:
            refuse(f"Field {column.name} is ambiguous among the tables {', '.join(owners)}", column, -27)
        if owners:
            [name] = owners
            return Found(self, name, self.sources[name].columns[key][1])
        if self.outer is None or label in self.sources:
            return None
        return self.outer.find(column)

    def knows(self, label: str) -> bool:
        """Return whether a table of this scope, or of a scope around it, is called *label*."""
        return label in self.sources or bool(self.outer and self.outer.knows(label))


def column_key(column: exp.Column) -> str:
    """Return the key of *column* in `Source.columns`. ``%ID`` is the RowID."""
    return "id" if column.name.upper() == "%ID" else column.name.lower()
