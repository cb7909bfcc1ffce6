"""Statements of DuckDB, each parsed once in a process: a parse takes as long as the search of some thousand rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_KEPT = 500
"""Statements that a process keeps parsed."""

_PARSED: dict[str, duckdb.Statement] = {}
"""Parsed statements by their text. They name tables and hold none, so that all connections share them."""


def run(database: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """Run one statement of DuckDB."""
    return database.execute(_PARSED.get(sql) or _parsed(database, sql), list(values))


def _parsed(database: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    [statement] = database.extract_statements(sql)
    if len(_PARSED) >= _KEPT:
        _PARSED.clear()
    return _PARSED.setdefault(sql, statement)
