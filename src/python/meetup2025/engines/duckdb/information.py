"""
INFORMATION_SCHEMA of IRIS, as queries of the DuckDB catalog and of the classes.

The columns have the names, the order and the meaning of the class reference of IRIS, package INFORMATION.SCHEMA.
Tables, columns and unique indexes are read from the database. Descriptions, the other indexes and the routines are read
from the classes. Unknown values are NULL: the owner of a table, the length of a vector as text.

The parts are, in order, the tables of IRIS, the tables of this module by their columns, the sources of the columns, and
the rows of the classes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from meetup2025.engines.classes import summary
from meetup2025.engines.classes.program import program
from meetup2025.engines.classes.records import Query, sql_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from meetup2025.engines.classes.records import Class, Index, Method

SCHEMA = "INFORMATION_SCHEMA"

# Tables of IRIS that this engine does not have.
ONLY_IRIS = frozenset(
    """
    CHECK_CONSTRAINTS COLUMN_HISTOGRAMS CONSTRAINT_COLUMN_USAGE CONSTRAINT_TABLE_USAGE CURRENT_CONNECTIONS
    CURRENT_STATEMENTS FOREIGN_SERVERS FOREIGN_TABLES KEY_COLUMN_USAGE ML_MODELS ML_TRAINED_MODELS ML_TRAINING_RUNS
    ML_VALIDATION_METRICS ML_VALIDATION_RUNS PARAMETERS REFERENTIAL_CONSTRAINTS STATEMENTS STATEMENT_CHILDREN
    STATEMENT_DAILY_STATS STATEMENT_HOURLY_STATS STATEMENT_LOCATIONS STATEMENT_PARAMETER_STATS STATEMENT_RELATIONS
    TABLE_CONSTRAINTS TABLE_PARTITIONS TABLE_PARTITION_MAPPINGS TRIGGERS USER_DEFINED_AGGREGATES VIEWS
    VIEW_COLUMN_USAGE VIEW_TABLE_USAGE
    """.split()  # noqa: SIM905 - a list of words reads better as one
)

# The name that INFORMATION_SCHEMA has for a DuckDB type: the name of the ODBC type. A vector is text to ODBC.
_TYPE = """CASE
    WHEN is_bit THEN 'bit'
    WHEN data_type LIKE '%]' THEN 'varchar'
    WHEN data_type LIKE 'DECIMAL%' THEN 'numeric'
    WHEN data_type = 'VARCHAR' THEN CASE WHEN is_table AND length IS NULL THEN 'longvarchar' ELSE 'varchar' END
    WHEN data_type = 'BLOB' THEN 'varbinary'
    WHEN data_type = 'HUGEINT' THEN 'bigint'
    ELSE lower(data_type) END"""
_PRECISION = """CASE data_type WHEN 'BIGINT' THEN 19 WHEN 'INTEGER' THEN 10 WHEN 'SMALLINT' THEN 5
    WHEN 'TINYINT' THEN CASE WHEN is_bit THEN NULL ELSE 3 END
    ELSE CASE WHEN data_type LIKE 'DECIMAL%' THEN numeric_precision END END"""
_RADIX = f"CASE WHEN ({_PRECISION}) IS NOT NULL THEN 10 END"
_SCALE = f"CASE WHEN ({_PRECISION}) IS NOT NULL THEN numeric_scale END"
# A default that is a constant. IRIS shows any other default as ObjectScript.
_DEFAULT = """CASE WHEN column_default LIKE '''%' THEN replace(trim(column_default, ''''), '''''', '''')
    WHEN TRY_CAST(column_default AS DOUBLE) IS NOT NULL THEN column_default END"""


class _Column(NamedTuple):
    """A column: name, DuckDB type, and the expression over the source."""

    name: str
    type: str
    expression: str


def _columns(text: str, **others: str) -> tuple[_Column, ...]:
    """Parse `name=expression` or `name`, which is always NULL. *others* are the types that are not VARCHAR."""
    parts = (line.strip().partition("=") for line in text.strip().splitlines())
    return tuple(_Column(name, others.get(name, "VARCHAR"), expression or "NULL") for name, _, expression in parts)


_SCHEMATA = _columns("""
    CATALOG_NAME
    SCHEMA_NAME=schema_name
    SCHEMA_OWNER
    DEFAULT_CHARACTER_SET_CATALOG
    DEFAULT_CHARACTER_SET_SCHEMA
    DEFAULT_CHARACTER_SET_NAME
    SQL_PATH
    """)

_TABLES = _columns("""
    TABLE_CATALOG
    TABLE_SCHEMA=t.schema_name
    TABLE_NAME=t.table_name
    TABLE_TYPE=CASE WHEN is_table THEN 'BASE TABLE' ELSE 'VIEW' END
    SELF_REFERENCING_COLUMN_NAME
    REFERENCE_GENERATION
    USER_DEFINED_TYPE_CATALOG
    USER_DEFINED_TYPE_SCHEMA
    USER_DEFINED_TYPE_NAME
    IS_INSERTABLE_INTO=CASE WHEN is_table THEN 'YES' ELSE 'NO' END
    IS_TYPED='NO'
    CLASSNAME=c.class_name
    DESCRIPTION=c.description
    OWNER
    IS_SHARDED='NO'
    """)

_COLUMNS = _columns(
    f"""
    TABLE_CATALOG
    TABLE_SCHEMA=t.schema_name
    TABLE_NAME=t.table_name
    COLUMN_NAME=t.column_name
    ORDINAL_POSITION=position
    DTD_IDENTIFIER
    DOMAIN_CATALOG
    DOMAIN_SCHEMA
    DOMAIN_NAME
    COLUMN_DEFAULT={" ".join(_DEFAULT.split())}
    IS_NULLABLE=CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END
    IS_SELF_REFERENCING
    IS_IDENTITY='NO'
    IDENTITY_GENERATION
    IDENTITY_START
    IDENTITY_INCREMENT
    IDENTITY_MAXIMUM
    IDENTITY_MINIMUM
    IDENTITY_CYCLE
    IS_GENERATED='NO'
    GENERATION_EXPRESSION
    IS_UPDATABLE=CASE WHEN is_table THEN 'YES' ELSE 'NO' END
    DATA_TYPE={" ".join(_TYPE.split())}
    CHARACTER_MAXIMUM_LENGTH=length
    CHARACTER_OCTET_LENGTH=length
    NUMERIC_PRECISION={" ".join(_PRECISION.split())}
    NUMERIC_PRECISION_RADIX={" ".join(_RADIX.split())}
    NUMERIC_SCALE={" ".join(_SCALE.split())}
    DATETIME_PRECISION
    CHARACTER_SET_CATALOG
    CHARACTER_SET_SCHEMA
    CHARACTER_SET_NAME
    COLLATION_CATALOG
    COLLATION_SCHEMA
    COLLATION_NAME
    DESCRIPTION=c.description
    AUTO_INCREMENT='NO'
    UNIQUE_COLUMN=CASE WHEN k.is_alone THEN 'YES' ELSE 'NO' END
    PRIMARY_KEY=CASE WHEN k.is_primary THEN 'YES' ELSE 'NO' END
    """,
    ORDINAL_POSITION="INTEGER",
    CHARACTER_MAXIMUM_LENGTH="INTEGER",
    CHARACTER_OCTET_LENGTH="INTEGER",
    NUMERIC_PRECISION="INTEGER",
    NUMERIC_PRECISION_RADIX="INTEGER",
    NUMERIC_SCALE="INTEGER",
)

_INDEXES = _columns(
    """
    TABLE_CATALOG
    TABLE_SCHEMA=schema_name
    TABLE_NAME=table_name
    NON_UNIQUE=CASE WHEN is_unique THEN 0 ELSE 1 END
    INDEX_CATALOG
    INDEX_SCHEMA=schema_name
    INDEX_NAME=index_name
    ORDINAL_POSITION=position
    COLUMN_NAME=column_name
    ASC_OR_DESC='A'
    PRIMARY_KEY=CASE WHEN is_primary THEN 1 ELSE 0 END
    MAP_STATUS='Selectable'
    DATA_FIELDS
    MAP_SELECTABLE=1
    """,
    NON_UNIQUE="SMALLINT",
    MAP_SELECTABLE="SMALLINT",
    ORDINAL_POSITION="SMALLINT",
    PRIMARY_KEY="SMALLINT",
)

_ROUTINES = _columns(
    """
    SPECIFIC_CATALOG
    SPECIFIC_SCHEMA=schema_name
    SPECIFIC_NAME=routine_name
    ROUTINE_CATALOG
    ROUTINE_SCHEMA=schema_name
    ROUTINE_NAME=routine_name
    MODULE_CATALOG
    MODULE_SCHEMA
    MODULE_NAME
    USER_DEFINED_TYPE_CATALOG
    USER_DEFINED_TYPE_SCHEMA
    USER_DEFINED_TYPE_NAME
    ROUTINE_TYPE=CASE WHEN is_query THEN 'PROCEDURE' ELSE 'FUNCTION' END
    DTD_IDENTIFIER
    ROUTINE_BODY=CASE WHEN is_query THEN 'SQL' ELSE 'EXTERNAL' END
    ROUTINE_DEFINITION=definition
    EXTERNAL_NAME
    EXTERNAL_LANGUAGE
    PARAMETER_STYLE
    IS_DETERMINISTIC
    SQL_DATA_ACCESS=CASE WHEN is_query THEN 'READS SQL DATA' ELSE 'CONTAINS SQL' END
    IS_NULL_CALL=CASE WHEN is_query THEN NULL ELSE 'NO' END
    SQL_PATH
    SCHEMA_LEVEL_ROUTINE='YES'
    MAX_DYNAMIC_RESULT_SETS
    IS_USER_DEFINED_CAST=CASE WHEN is_query THEN NULL ELSE 'NO' END
    IS_IMPLICITLY_INVOCABLE
    SECURITY_TYPE
    TO_SQL_SPECIFIC_CATALOG
    TO_SQL_SPECIFIC_SCHEMA
    TO_SQL_SPECIFIC_NAME
    AS_LOCATOR
    CREATED
    LAST_ALTERED
    NEW_SAVEPOINT_LEVEL
    IS_UDT_DEPENDENT
    RESULT_CAST_FROM_DTD_IDENTIFIER
    RESULT_CAST_AS_LOCATOR
    DATA_TYPE=returned
    CHARACTER_MAXIMUM_LENGTH=length
    CHARACTER_OCTET_LENGTH
    NUMERIC_PRECISION
    NUMERIC_PRECISION_RADIX
    NUMERIC_SCALE
    DATETIME_PRECISION
    COLLATION_CATALOG
    COLLATION_SCHEMA
    COLLATION_NAME
    CHARACTER_SET_CATALOG
    CHARACTER_SET_SCHEMA
    CHARACTER_SET_NAME
    CLASSNAME=class_name
    METHOD_OR_QUERY_NAME=member_name
    """,
    MAX_DYNAMIC_RESULT_SETS="SMALLINT",
    CREATED="TIMESTAMP",
    LAST_ALTERED="TIMESTAMP",
    CHARACTER_MAXIMUM_LENGTH="INTEGER",
    CHARACTER_OCTET_LENGTH="INTEGER",
    NUMERIC_PRECISION="SMALLINT",
    NUMERIC_PRECISION_RADIX="INTEGER",
    NUMERIC_SCALE="INTEGER",
    DATETIME_PRECISION="INTEGER",
)

_HERE = "database_name = current_database() AND NOT internal"
_ALL_TABLES = f"""(
    SELECT schema_name, table_name, table_oid, true AS is_table FROM duckdb_tables() WHERE {_HERE}
    UNION ALL SELECT schema_name, view_name, view_oid, false FROM duckdb_views() WHERE {_HERE})"""
# The RowID is hidden in a table. A CHECK says which column is a BIT, and how long a string may be.
_ALL_COLUMNS = f"""(
    SELECT c.*, is_table, k.constraint_text LIKE '% IN (0, 1)%' AS is_bit,
        TRY_CAST(regexp_extract(k.constraint_text, 'length\\(.*\\) <= (\\d+)', 1) AS INTEGER) AS length,
        row_number() OVER (PARTITION BY c.table_oid ORDER BY column_index) AS position
    FROM duckdb_columns() c JOIN {_ALL_TABLES} USING (table_oid)
    LEFT JOIN duckdb_constraints() k ON k.database_oid = c.database_oid AND k.table_oid = c.table_oid
        AND k.constraint_type = 'CHECK' AND k.constraint_column_names = [c.column_name]
    WHERE c.database_name = current_database() AND NOT c.internal AND NOT (is_table AND c.column_name = 'ID'))"""
# The name of an index begins with the name of its table. Its expressions are like `['(upper(lower("Name")))', Kind]`.
_UNIQUE_INDEXES = """(
    SELECT schema_name, table_name, name AS index_name, true AS is_unique,
        regexp_matches(name, '_PKEY\\d+$') AS is_primary, position, size,
        replace(regexp_extract(part, '^''?(?:\\(|upper\\(|lower\\()*"?(.*?)"?\\)*''?$', 1), '""', '"') AS column_name
    FROM (
        SELECT schema_name, table_name, name, unnest(parts) AS part, generate_subscripts(parts, 1) AS position,
            len(parts) AS size
        FROM (
            SELECT schema_name, table_name,
                CASE WHEN regexp_matches(index_name, '_(PKEY|UNIQUE)\\d+$') THEN index_name
                    ELSE index_name[length(table_name) + 2:] END AS name,
                string_split(expressions[2:-2], ', ') AS parts
            FROM duckdb_indexes() WHERE is_unique AND database_name = current_database())))"""


@functools.cache
def relation(table: str) -> tuple[Mapping[str, str], str] | None:
    """
    Find a table of INFORMATION_SCHEMA.

    Args:
        table: Name, in any case.

    Returns:
        The columns as name -> DuckDB type, and the DuckDB query that returns the rows, or None if there is no such
        table.
    """
    made = _RELATIONS.get(table.upper())
    if made is None:
        return None
    columns, source = made
    items = ", ".join(f'{_expression(column)} AS "{column.name}"' for column in columns)
    return {column.name: column.type for column in columns}, f"SELECT {items} FROM {source()}"


def _expression(column: _Column) -> str:
    """Return the expression of a column. INFORMATION_SCHEMA compares text without regard to case."""
    collation = " COLLATE NOCASE" if column.type == "VARCHAR" else ""
    return f"CAST({column.expression} AS {column.type}){collation}"


def _schemata() -> str:
    routines = _values("schema_name", sorted({(row[0],) for row in _routine_rows()}))
    return f"(SELECT schema_name FROM {_ALL_TABLES} UNION SELECT schema_name FROM {routines})"


def _tables() -> str:
    classes = _values(
        "schema_name table_name class_name description",
        ((each.package, each.sql_name, each.name, summary(each.doc)) for each in _classes()),
    )
    return f"{_ALL_TABLES} t LEFT JOIN {classes} c ON {_same('t', 'c', 'schema_name table_name')}"


def _described_columns() -> str:
    descriptions = _values(
        "schema_name table_name column_name description",
        (
            (each.package, each.sql_name, column.sql_name, summary(column.doc))
            for each in _classes()
            for column in each.properties
        ),
    )
    keys = f"""(SELECT schema_name, table_name, column_name, bool_or(size = 1) AS is_alone,
        bool_or(is_primary) AS is_primary FROM {_UNIQUE_INDEXES} GROUP BY ALL)"""
    names = "schema_name table_name column_name"
    return (
        f"{_ALL_COLUMNS} t LEFT JOIN {descriptions} c ON {_same('t', 'c', names)} "
        f"LEFT JOIN {keys} k ON {_same('t', 'k', names)}"
    )


def _indexes() -> str:
    """Join the indexes of the classes with the unique indexes of other tables. Other indexes are not made here."""
    columns = "schema_name, table_name, index_name, is_unique, is_primary, position, column_name"
    declared = _values(columns.replace(",", ""), _index_rows())
    tables = _values("schema_name table_name", ((each.package, each.sql_name) for each in _classes()))
    return (
        f"(SELECT {columns} FROM {declared} "
        f"UNION ALL SELECT {columns} FROM {_UNIQUE_INDEXES} i "
        f"WHERE NOT EXISTS (SELECT 1 FROM {tables} c WHERE {_same('i', 'c', 'schema_name table_name')}))"
    )


def _routines() -> str:
    return _values(
        "schema_name routine_name is_query definition returned length class_name member_name", _routine_rows()
    )


_RELATIONS = {
    "SCHEMATA": (_SCHEMATA, _schemata),
    "TABLES": (_TABLES, _tables),
    "COLUMNS": (_COLUMNS, _described_columns),
    "INDEXES": (_INDEXES, _indexes),
    "ROUTINES": (_ROUTINES, _routines),
}


def _classes() -> Iterable[Class]:
    return program().tables.values()


def _index_rows() -> Iterator[tuple[Any, ...]]:
    """Yield a row for each column of an index that a class declares."""
    for each in _classes():
        names = {column.name: column.sql_name for column in each.properties}
        for index in each.indexes:
            for position, column in enumerate(index.properties, 1):
                yield (
                    *(each.package, each.sql_name, _index_name(index), "Unique" in index.keywords),
                    *("PrimaryKey" in index.keywords, position, names.get(column, column)),
                )


def _index_name(index: Index) -> str:
    return index.keywords.get("SqlName", index.name)


def _routine_rows() -> list[tuple[Any, ...]]:
    """Return a row for each class query and each method that SQL can call."""
    members: list[Method | Query] = [*program().class_queries.values(), *program().methods.values()]
    return [
        (member.full_name.rpartition(".")[0], member.sql_name, *_body(member), member.class_name, member.name)
        for member in members
        if member.is_procedure
    ]


def _body(member: Method | Query) -> tuple[bool, str | None, str | None, int | None]:
    """Return whether a routine is a query, its SQL up to 8,192 characters, and the type of its result."""
    if isinstance(member, Query):
        return True, member.sql if len(member.sql) <= 8192 else None, None, None
    written = sql_type(member.type, member.parameters) if member.type else None
    if written is None:
        return False, None, None, None
    name, _, length = written.partition("(")
    return False, None, name.lower(), int(length.rstrip(")")) if length else None


def _values(names: str, rows: Iterable[Sequence[Any]]) -> str:
    """Write rows as a DuckDB table of columns with *names*."""
    columns = names.split()
    lines = (
        ", ".join(f"({', '.join(map(_constant, row))})" for row in rows) or f"({', '.join('NULL' for _ in columns)})"
    )
    return f"(SELECT * FROM (VALUES {lines}) AS _({', '.join(columns)}))"


def _constant(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


def _same(left: str, right: str, names: str) -> str:
    """Write the condition that two sources have the same names, without regard to case."""
    return " AND ".join(f"lower({left}.{name}) = lower({right}.{name})" for name in names.split())
