"""What a translation must know of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

DEFAULT_SCHEMA = "SQLUser"

Columns: TypeAlias = Mapping[str, str]
"""Columns in order, as name -> DuckDB type."""


class Schema(Protocol):
    """What must be known of the database to translate a statement; names are compared without regard to case."""

    def columns(self, schema: str, table: str) -> Columns | None:
        """Give the columns of a table or view as name -> DuckDB type, with the RowID ``ID``; None if there is none."""

    def hides_id(self, schema: str, table: str) -> bool:
        """Tell whether ``SELECT *`` leaves the column ``ID`` out: true of tables, not of views."""
