"""
The type objects and constructors that PEP 249 asks of a driver.
"""

from __future__ import annotations

from datetime import date, datetime, time

Date, Time, Timestamp, Binary = date, time, datetime, bytes
DateFromTicks = date.fromtimestamp
TimestampFromTicks = datetime.fromtimestamp


def TimeFromTicks(ticks: float) -> time:  # noqa: N802 - the name that PEP 249 gives it
    """Give the time of day of a time in seconds since 1970."""
    return datetime.fromtimestamp(ticks).time()  # noqa: DTZ006 - local, as PEP 249 has it


class TypeObject:
    """Compares equal to the type codes of `description` that it stands for."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = frozenset(kinds)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self.kinds == other.kinds
        # A vector, DOUBLE[512], comes as text.
        return "VARCHAR" in self.kinds if "[" in str(other) else str(other).partition("(")[0] in self.kinds

    def __hash__(self) -> int:
        return hash(self.kinds)


STRING = TypeObject("VARCHAR")
BINARY = TypeObject("BLOB")
NUMBER = TypeObject(
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE", "BOOLEAN"
)  # fmt: skip
DATETIME = TypeObject("DATE", "TIME", "TIMESTAMP")
ROWID = TypeObject("BIGINT")
