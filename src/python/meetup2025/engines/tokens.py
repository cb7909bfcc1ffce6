"""
The tokens of IRIS SQL.

The parts are, in order, the reserved words, the token, `tokenize` and `split_statements`, which cut a text, and
`Tokens`, a position in the tokens of one statement, on which the grammar is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from meetup2025.errors import SQLSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

T = TypeVar("T")

# Words that cannot be a name without quotes: the reserved words of the SQL reference, and the words of this grammar.
RESERVED = frozenset(
    """
    ABSOLUTE ADD ALL ALLOCATE ALTER AND ANY ARE AS ASC ASSERTION AT AUTHORIZATION AVG BEGIN BETWEEN BIT BIT_LENGTH
    BOTH BY CASCADE CASE CAST CHAR CHARACTER CHARACTER_LENGTH CHAR_LENGTH CHECK CLOSE COALESCE COLLATE COMMIT
    CONNECT CONNECTION CONSTRAINT CONSTRAINTS CONTINUE CONVERT CORRESPONDING COUNT CREATE CROSS CURRENT CURRENT_DATE
    CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATE DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE
    DEFERRED DELETE DESC DESCRIBE DESCRIPTOR DIAGNOSTICS DISCONNECT DISTINCT DOMAIN DOUBLE DROP ELSE END ENDEXEC
    ESCAPE EXCEPT EXCEPTION EXEC EXECUTE EXISTS EXTERNAL EXTRACT FALSE FETCH FIRST FLOAT FOR FOREIGN FOUND FROM FULL
    GET GLOBAL GO GOTO GRANT GROUP HAVING HOUR IDENTITY IMMEDIATE IN INDICATOR INITIALLY INNER INPUT INSENSITIVE
    INSERT INT INTEGER INTERSECT INTERVAL INTO IS ISOLATION JOIN LANGUAGE LAST LEADING LEFT LEVEL LIKE LIMIT LOCAL
    LOWER MATCH MAX MIN MINUTE MODULE NAMES NATIONAL NATURAL NCHAR NEXT NO NOT NULL NULLIF NUMERIC OCTET_LENGTH OF
    OFFSET ON ONLY OPEN OPTION OR ORDER OUTER OUTPUT OVERLAPS PAD PARTIAL PREPARE PRESERVE PRIMARY PRIOR PRIVILEGES
    PROCEDURE PUBLIC READ REAL REFERENCES RELATIVE RESTRICT REVOKE RIGHT ROLE ROLLBACK ROWS SCHEMA SCROLL SECOND
    SECTION SELECT SESSION_USER SET SHARD SMALLINT SOME SPACE SQLERROR SQLSTATE STATISTICS SUBSTRING SUM SYSDATE
    SYSTEM_USER TABLE TEMPORARY THEN TIME TIMEZONE_HOUR TIMEZONE_MINUTE TO TOP TRAILING TRANSACTION TRIM TRUE UNION
    UNIQUE UPDATE UPPER USER USING VALUES VARCHAR VARYING WHEN WHENEVER WHERE WITH WORK WRITE
    """.split()  # noqa: SIM905 - a list of words reads better as one
)

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'[^']*(?:''[^']*)*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<mark>%s\b|%\(\w*\)s)
    |(?P<name>[%$]?[^\W\d]\w*)
    |(?P<host>:%?[^\W\d]\w*)
    |(?P<param>\?)
    |(?P<open>/\*.*)
    |(?P<op>->|<>|!=|<=|>=|\|\||[-+*/\\\#=<>(),.;\[\]{}!&])
    |(?P<unclosed>['"].*)
    |(?P<unknown>.)""",
    re.VERBOSE | re.DOTALL,
)
# The message and the SQLCODE of a quote or comment that is not closed.
_UNCLOSED = {
    "'": ("A text must end with a quote ('). Got none; add the closing quote", -1),
    '"': ('A quoted name must end with a quote ("). Got none; add the closing quote', -3),
    "/": ("A comment must end with */. Got none; add it", -1),
}


class Token(NamedTuple):
    """
    A token and its position.

    Attributes:
        kind: `name`, `quoted`, `string`, `number`, `host`, `param`, `op`, or `end` after the last one.
        text: The text as written.
        word: The text in capitals for `name` and `op`, to compare it with keywords and operators, or "" for other
            kinds.
        line: Line of the first character, from 1.
        column: Column of the first character, from 1.
    """

    kind: str
    text: str
    word: str
    line: int
    column: int


def identifier(name: str) -> str:
    """Write a name in quotes, as SQL takes any name."""
    return '"' + name.replace('"', '""') + '"'


def qualified(name: str) -> str:
    """Write a name with its schema, as schema.table, each in quotes."""
    return ".".join(map(identifier, name.rsplit(".", 1)))


def tokenize(sql: str) -> list[Token]:
    """
    Cut a text into tokens, without blanks and comments.

    Returns:
        The tokens. The last one has the kind "end".

    Raises:
        SQLSyntaxError: A character begins no token, or a quote or comment is not closed.
    """
    tokens: list[Token] = []
    line, line_start, position = 1, 0, 0
    for kind, text, position in _scan(sql):
        column = position - line_start + 1
        if kind in ("mark", "open", "unclosed", "unknown"):
            raise _unreadable(text, line, column)
        if kind != "space":
            tokens.append(Token(kind, text, text.upper() if kind in ("name", "op") else "", line, column))
        if "\n" in text:
            line += text.count("\n")
            line_start = position + text.rindex("\n") + 1
    return [*tokens, Token("end", "the end", "", line, len(sql) - line_start + 1)]


def split_statements(text: str) -> tuple[list[str], str]:
    """
    Cut a text at each semicolon that ends a statement.

    A semicolon inside a string, a quoted name or a comment ends none. A text that is not valid SQL is cut too.

    Returns:
        The statements that end with a semicolon, without it, and the text after the last one. A part of blanks and
        comments alone is left out.
    """
    statements, start, is_empty = [], 0, True
    for kind, part, position in _scan(text):
        if part == ";":
            statements += [] if is_empty else [text[start:position].strip()]
            start, is_empty = position + 1, True
        elif kind not in ("space", "open"):
            is_empty = False
    return statements, "" if is_empty else text[start:].strip()


def _scan(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind, text and position of tokens, blanks, comments, and characters that belong to no token."""
    for match in _TOKEN.finditer(text):
        yield str(match.lastgroup), match.group(), match.start()


def _unreadable(rest: str, line: int, column: int) -> SQLSyntaxError:
    meaningless = (f"SQL must be made of names, texts, numbers and operators. Got {rest[0]!r}; remove it", -1)
    message, sqlcode = _UNCLOSED.get(rest[0], meaningless)
    if rest.startswith("%") and rest.endswith("s"):
        message = f"A parameter must be written ?. Got {rest}"
    return SQLSyntaxError(message, line=line, column=column, sqlcode=sqlcode)


class Tokens:
    """The tokens of one statement, and the position of the next one."""

    def __init__(self, sql: str) -> None:
        self.tokens = tokenize(sql)
        self.index = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    @property
    def following(self) -> str:
        """The word of the token after the next one."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)].word

    @property
    def last(self) -> Token:
        """The token before the next one."""
        return self.tokens[self.index - 1]

    def ahead(self, *words: str) -> bool:
        """Return whether the next tokens are *words*."""
        tokens = self.tokens[self.index : self.index + len(words)]
        return [token.word for token in tokens] == list(words)

    def take(self, *words: str) -> bool:
        """Step over *words* if they are next, and return whether they were."""
        is_next = self.ahead(*words)
        if is_next:
            self.index += len(words)
        return is_next

    def take_one(self, words: Container[str]) -> str:
        """Step over one of *words* if it is next, and return it. Otherwise return ""."""
        word = self.token.word
        if not word or word not in words:
            return ""
        self.index += 1
        return word

    def expect(self, *words: str) -> None:
        """Step over *words*, or raise `SQLSyntaxError` if they are not next."""
        for word in words:
            if not self.take(word):
                raise SQLSyntaxError(
                    f"{word} expected, found {self.token.text}", line=self.token.line, column=self.token.column
                )

    def separated(self, item: Callable[[], T]) -> list[T]:
        """Parse one or more items with commas between them."""
        items = [item()]
        while self.take(","):
            items.append(item())
        return items

    def wrapped(self, item: Callable[[], T]) -> list[T]:
        """Parse one or more items in parentheses, with commas between them."""
        self.expect("(")
        items = self.separated(item)
        self.expect(")")
        return items
