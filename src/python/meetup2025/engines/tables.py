"""
The tables of the classes on DuckDB.

The declarations become IRIS DDL and go through the same translation as any statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    import duckdb

    from meetup2025.engines.program import Program
    from meetup2025.engines.records import Class, Index, Property


def create_tables(database: duckdb.DuckDBPyConnection, program: Program) -> None:
    """
    Create the tables of *program* that are not there yet, in one transaction.

    Raises:
        Error: DuckDB cannot create them.
    """
    from meetup2025.engines.dialect import parse
    from meetup2025.engines.failures import translated
    from meetup2025.engines.translate import to_duckdb

    with translated():
        missing = [each for each in program.tables.values() if table_columns(database, each.package, each.sql_name) is None]
        if not missing:
            return
        database.begin()
        for each in missing:
            for statement in statements_of(each):
                for sql in to_duckdb(parse(statement), _Stored(database)):
                    database.execute(sql)
        database.commit()


def table_columns(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str] | None:
    """Find the columns of a table or view and their DuckDB types; None when there is no such table."""
    rows = database.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE lower(schema_name) = lower($1) AND lower(table_name) = lower($2) "
        "AND (NOT internal OR schema_name = 'information_schema') ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return dict(rows) if rows else None


def is_table(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Tell a table from a view."""
    found = database.execute(
        "SELECT 1 FROM duckdb_tables() WHERE lower(schema_name) = lower($1) AND lower(table_name) = lower($2)",
        [schema, table],
    )
    return bool(found.fetchall())


def statements_of(table: Class) -> Iterator[str]:
    """Give the IRIS DDL that creates the table of a class."""
    name = f"{table.package}.{table.sql_name}"
    columns = ", ".join(f"{each.sql_name} {_sql_type(table, each)}" for each in table.properties)
    yield f"CREATE TABLE {name} ({columns})"
    for index in table.indexes:
        if index.properties:
            yield _index(name, index)


def _sql_type(table: Class, column: Property) -> str:
    required = " NOT NULL" if "Required" in column.keywords else ""
    parameters = column.parameters
    if column.type == "%String":
        return f"VARCHAR({parameters['MAXLEN']}){required}"
    if column.type == "%Library.Vector":
        return f"VECTOR({parameters['DATATYPE']}, {parameters['LEN']}){required}"
    simple = {"%Integer": "INTEGER", "%Double": "DOUBLE", "%TimeStamp": "TIMESTAMP", "%Boolean": "BIT"}
    if column.type not in simple:
        raise ClassSyntaxError(f"{table.path}: {column.name} has the type {column.type}, which no engine here knows")
    return simple[column.type] + required


def _index(table: str, index: Index) -> str:
    columns = ", ".join(index.properties)
    if index.type == "%SQL.Index.HNSW":
        return f"CREATE INDEX {index.name} ON TABLE {table} ({columns}) AS HNSW(Distance='{index.parameters['Distance']}')"
    unique = "UNIQUE " if "Unique" in index.keywords else ""
    return f"CREATE {unique}INDEX {index.name} ON TABLE {table} ({columns})"


class _Stored:
    """What is in the database, as far as DDL must know."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self.database = database

    def columns(self, schema: str, table: str) -> dict[str, str] | None:
        return table_columns(self.database, schema, table)

    def hides_id(self, schema: str, table: str) -> bool:
        return is_table(self.database, schema, table)

    def is_function(self, schema: str, name: str) -> bool:  # noqa: ARG002 - DDL of the classes calls none
        return False
