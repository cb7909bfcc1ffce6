"""
Name the fish in a picture, and see what vectors mean, in SQL, inside InterSystems IRIS.

    >>> import meetup2025
    >>> with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
    ...     loaded = cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')").fetchone()[0]
    ...     best = cursor.execute("CALL MeetUp2025.Identify('samples/saba.png', 3)").fetchone()
    >>> loaded, best[1]
    (100, 'マサバ')

The module is a PEP 249 driver: `connect`, the exceptions, `apilevel`, `threadsafety`, `paramstyle`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from meetup2025.engines import connect
from meetup2025.engines.pep249 import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from meetup2025.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MeetUpError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 - PEP 249
)

if TYPE_CHECKING:
    from meetup2025.loading.user_table import load_table
    from meetup2025.runs.sources import read_vectors

__version__ = "0.2.0"

apilevel = "2.0"
paramstyle = "qmark"
threadsafety = 1
"""Threads may share the module, not a connection."""

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "MeetUpError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "__version__",
    "apilevel",
    "connect",
    "load_table",
    "paramstyle",
    "read_vectors",
    "threadsafety",
]

_PLACES = {"load_table": "meetup2025.loading.user_table", "read_vectors": "meetup2025.runs.sources"}
"""Functions with heavy imports, which are made at their first use."""


def __getattr__(name: str) -> Any:
    """Import a function of this module at its first use."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)
