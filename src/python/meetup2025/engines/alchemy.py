"""
The embedded engine for SQLAlchemy, and so for `pandas.read_sql` and `to_sql`: `meetup2025+duckdb:///file.duckdb`.

A server has a dialect of its own: https://github.com/caretdev/sqlalchemy-iris.
"""

# ruff: noqa: ARG002, N802 - names and arguments are those of SQLAlchemy

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import pool, types
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import ArgumentError, NoSuchTableError
from sqlalchemy.sql.compiler import GenericTypeCompiler, IdentifierPreparer

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.engine.interfaces import (
        ConnectArgsType,
        ReflectedColumn,
        ReflectedIndex,
        ReflectedPrimaryKeyConstraint,
    )

SCHEMA = "SQLUser"
"""Schema of a table that is named without one."""

_TYPES: dict[str, type[types.TypeEngine[Any]]] = {
    "bigint": types.BIGINT,
    "bit": types.Boolean,
    "date": types.DATE,
    "double": types.DOUBLE,
    "integer": types.INTEGER,
    "longvarbinary": types.LargeBinary,
    "longvarchar": types.TEXT,
    "numeric": types.NUMERIC,
    "smallint": types.SMALLINT,
    "time": types.TIME,
    "timestamp": types.TIMESTAMP,
    "tinyint": types.SMALLINT,
    "varbinary": types.LargeBinary,
    "varchar": types.VARCHAR,
}
"""Words of INFORMATION_SCHEMA for the types of columns. A vector is a text there, as in all results."""


class _Types(GenericTypeCompiler):
    """The names of types in IRIS. A VARCHAR without a length would hold one character."""

    def visit_BOOLEAN(self, type_: Any, **_: Any) -> str:
        return "BIT"

    def visit_FLOAT(self, type_: Any, **_: Any) -> str:
        return "DOUBLE"

    def visit_DATETIME(self, type_: Any, **_: Any) -> str:
        return "TIMESTAMP"

    def visit_TEXT(self, type_: Any, **_: Any) -> str:
        return "LONGVARCHAR"

    def visit_VARCHAR(self, type_: Any, **_: Any) -> str:
        return f"VARCHAR({type_.length})" if type_.length else "LONGVARCHAR"

    def visit_BLOB(self, type_: Any, **_: Any) -> str:
        return "LONGVARBINARY"


class _Names(IdentifierPreparer):
    """Names in quotes: IRIS reserves hundreds of words, and a quoted name has no other meaning."""

    def _requires_quotes(self, value: str) -> bool:
        return not value.startswith("%")


class EmbeddedDialect(DefaultDialect):
    """Dialect of `meetup2025+duckdb`."""

    name = "meetup2025"
    driver = "duckdb"
    default_paramstyle = "qmark"
    default_schema_name = SCHEMA
    supports_statement_cache = True
    supports_native_boolean = False
    supports_default_values = True
    supports_empty_insert = False
    supports_alter = False
    supports_comments = False
    postfetch_lastrowid = False
    type_compiler_cls = _Types
    preparer = _Names

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the module of connections."""
        return meetup2025

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """Let a file go after each use, so that other programs can open it. A database in memory is one connection."""
        return pool.NullPool if url.database else pool.StaticPool

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        """Return the address of the database."""
        if url.host or url.query:
            raise ArgumentError(f"A URL must be meetup2025+duckdb:///file, without ?. Got {url}.")
        return [f"duckdb:///{url.database}" if url.database else "duckdb://"], {}

    def _get_server_version_info(self, connection: Connection) -> tuple[Any, ...]:
        return tuple(int(part) for part in meetup2025.__version__.split(".")[:3] if part.isdecimal())

    def _get_default_schema_name(self, connection: Connection) -> str:
        return SCHEMA

    # --- reflection

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Check whether there is a table or a view."""
        return bool(_read(connection, "TABLES", "TABLE_NAME", (schema, table_name)))

    def get_schema_names(self, connection: Connection, **_: Any) -> list[str]:
        """Return the schemas that have tables."""
        found = connection.exec_driver_sql("SELECT TABLE_SCHEMA FROM INFORMATION_SCHEMA.TABLES")
        return sorted({row[0] for row in found})

    def get_table_names(self, connection: Connection, schema: str | None = None, **_: Any) -> list[str]:
        """Return the tables of a schema."""
        return self._names(connection, "BASE TABLE", schema)

    def get_view_names(self, connection: Connection, schema: str | None = None, **_: Any) -> list[str]:
        """Return the views of a schema."""
        return self._names(connection, "VIEW", schema)

    def _names(self, connection: Connection, kind: str, schema: str | None) -> list[str]:
        rows = _read(connection, "TABLES", "TABLE_NAME, TABLE_TYPE", (schema,))
        return sorted(row[0] for row in rows if row[1] == kind)

    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedColumn]:
        """Return the columns of a table."""
        wanted = "COLUMN_NAME, DATA_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE"
        rows = _read(
            connection, "COLUMNS", f"{wanted}, COLUMN_DEFAULT, DESCRIPTION", (schema, table_name), "ORDINAL_POSITION"
        )
        if not rows:
            raise NoSuchTableError(table_name)
        return [
            {
                "name": name,
                "type": _type(kind, length, precision, scale),
                "nullable": nullable == "YES",
                "default": default,
                "autoincrement": False,
                "comment": comment,
            }
            for name, kind, nullable, length, precision, scale, default, comment in rows
        ]

    def get_pk_constraint(
        self, connection: Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> ReflectedPrimaryKeyConstraint:
        """Return the columns of the primary key."""
        rows = _read(connection, "COLUMNS", "COLUMN_NAME, PRIMARY_KEY", (schema, table_name), "ORDINAL_POSITION")
        return {"constrained_columns": [name for name, is_key in rows if is_key == "YES"], "name": None}

    def get_indexes(
        self, connection: Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedIndex]:
        """Return the indices of a table."""
        wanted = "INDEX_NAME, COLUMN_NAME, NON_UNIQUE, PRIMARY_KEY"
        found: dict[str, ReflectedIndex] = {}
        for name, column, repeats, is_key in _read(
            connection, "INDEXES", wanted, (schema, table_name), "ORDINAL_POSITION"
        ):
            if not is_key:
                index = found.setdefault(name, {"name": name, "column_names": [], "unique": not repeats})
                index["column_names"].append(column)
        return [*found.values()]

    def get_foreign_keys(self, *_: Any, **__: Any) -> list[Any]:
        """Return no foreign keys: the embedded engine checks none."""
        return []


def _read(
    connection: Connection, table: str, columns: str, place: tuple[str | None, ...], order: str = "TABLE_NAME"
) -> Sequence[Any]:
    """Read INFORMATION_SCHEMA of a schema, or of a schema and a table. Names are equal in any case, as in SQL."""
    schema, *name = place
    sql = f"SELECT {columns} FROM INFORMATION_SCHEMA.{table} WHERE UPPER(TABLE_SCHEMA) = UPPER(?)"
    sql += " AND UPPER(TABLE_NAME) = UPPER(?)" if name else ""
    return connection.exec_driver_sql(f"{sql} ORDER BY {order}", (schema or SCHEMA, *name)).fetchall()


def _type(kind: str, length: int | None, precision: int | None, scale: int | None) -> types.TypeEngine[Any]:
    found = _TYPES.get(kind, types.NullType)
    if found is types.NUMERIC:
        return types.NUMERIC(precision, scale)
    return types.VARCHAR(length) if found is types.VARCHAR else found()
