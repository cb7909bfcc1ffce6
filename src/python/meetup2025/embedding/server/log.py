"""What a server tells of itself: lines of the log, plain or JSON, and the numbers that somebody counts for it."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PATH = "/metrics"

_LONGEST_LINE = 500
"""Most characters in a line of the log."""


class Numbers(Protocol):
    """Counts and times of a server. No library for them is needed where nobody asks, as inside IRIS."""

    def count(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""

    def gauge(self, name: str, help_: str, value: Callable[[], float], **labels: str) -> None:
        """Add a number that is asked for at each look."""

    def rows(self, counts: Callable[[], dict[str, float]]) -> None:
        """Add the numbers of rows by table."""

    def page(self) -> tuple[str, bytes]:
        """Return the content type and the text of all numbers."""


class Line(str):
    """
    A line of the log.

    Attributes:
        fields: What the line says, by name.
    """

    __slots__ = ("fields",)

    fields: dict[str, Any]

    @classmethod
    def of_request(cls, method: str, uri: str, status: int, seconds: float, notes: Collection[str] = ()) -> Line:
        """Return the line of an answer, of characters that a terminal can show."""
        milliseconds = round(seconds * 1000, 1)
        text = " ".join((method, uri, str(status), f"{milliseconds} ms", *notes))
        line = cls("".join(each if each.isprintable() else "?" for each in text[:_LONGEST_LINE]))
        line.fields = {
            "method": method,
            "uri": uri[:_LONGEST_LINE],
            "status": status,
            "ms": milliseconds,
            "notes": " ".join(notes)[:_LONGEST_LINE],
        }
        return line


def write(line: str, form: str = "plain") -> None:
    """Write a line of the log to standard error, with the time in UTC: `plain`, or `json` for programs."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    fields = line.fields if isinstance(line, Line) else {"message": line}
    text = json.dumps({"time": now, **fields}, ensure_ascii=False) if form == "json" else f"{now} {line}"
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
