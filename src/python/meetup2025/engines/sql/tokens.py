"""The tokens of IRIS SQL, and the words that are reserved."""

from __future__ import annotations

import re
from typing import NamedTuple

from meetup2025.errors import SQLSyntaxError


class Token(NamedTuple):
    """A word of the text; `word` is what keywords and operators are compared with ("" for the rest)."""

    kind: str
    text: str
    word: str
    line: int
    column: int


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'[^']*(?:''[^']*)*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<name>[%$]?[^\W\d]\w*)
    |(?P<host>:%?[^\W\d]\w*)
    |(?P<param>\?)
    |(?P<op>->|<>|!=|<=|>=|\|\||[-+*/\\\#=<>(),.;\[\]{}!&])""",
    re.VERBOSE | re.DOTALL,
)
# What opens and is not closed: the message and its SQLCODE.
_UNCLOSED = {
    "'": ("closing quote (') missing", -1),
    '"': ('closing quote (") missing', -3),
    "/*": ("*/ missing", -1),
}

# Words that cannot be a name without quotes.
RESERVED = frozenset(
    """
    ALL AND ANY AS ASC BETWEEN BY CASE CAST CHECK COMMIT CONVERT CREATE CROSS CURRENT_DATE CURRENT_TIME
    CURRENT_TIMESTAMP DEFAULT DELETE DESC DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS FETCH FOR FROM FULL GROUP
    HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER
    PRIMARY RIGHT ROLLBACK SELECT SET SOME SYSDATE TABLE THEN TOP UNION UNIQUE UPDATE USING VALUES WHEN WHERE WITH
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


def tokenize(sql: str) -> list[Token]:
    """
    Cut *sql* into tokens, without blanks and comments; the last one has the kind "end".

    Raises:
        SQLSyntaxError: A character that begins no token, or a quote or comment that is not closed.
    """
    tokens: list[Token] = []
    position, line, line_start = 0, 1, 0
    while position < len(sql):
        column = position - line_start + 1
        match = _TOKEN.match(sql, position)
        if match is None or (match.lastgroup == "op" and sql.startswith("/*", position)):
            raise _unreadable(sql[position:], line, column)
        kind, text = str(match.lastgroup), match.group()
        if kind != "space":
            word = text.upper() if kind in ("name", "op") else ""
            tokens.append(Token(kind, text, word, line, column))
        if "\n" in text:
            line += text.count("\n")
            line_start = position + text.rindex("\n") + 1
        position = match.end()
    return [*tokens, Token("end", "the end", "", line, position - line_start + 1)]


def _unreadable(rest: str, line: int, column: int) -> SQLSyntaxError:
    for opening, (message, sqlcode) in _UNCLOSED.items():
        if rest.startswith(opening):
            return SQLSyntaxError(message, line=line, column=column, sqlcode=sqlcode)
    return SQLSyntaxError(f"{rest[0]!r} has no meaning here", line=line, column=column, sqlcode=-1)
