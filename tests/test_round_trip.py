"""The tree of a statement holds all of it: each SQL text of the project is read, written, and read again."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from iris_writer import write
from objectscript_tree import read_sources, sql_texts
from test_contracts import CLOSED_NAMES, MODULES
from test_examples import DOCUMENTS, blocks

from meetup2025.cli.shell import DEMO, statements
from meetup2025.engines.classes import examples, read_package
from meetup2025.engines.classes.program import class_folder
from meetup2025.engines.sql import parse
from meetup2025.engines.sql.statements import Statements
from meetup2025.engines.tokens import Token, tokenize
from meetup2025.errors import Error, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlglot import exp

# What stands for the closed names in the SQL of the loads.
FILLED = {"column": "Name", "columns": "FishID, Name", "key": "FishID", "marks": "?, ?", "table": "Fish"}
# Where statements may stand that the embedded engine does not have.
FOR_A_SERVER = ("ObjectScript", "documents")

# --- the statements -------------------------------------------------------------------------------------------------


def texts(source: str) -> Iterator[str]:
    """Give the texts of a module, f-strings with their closed names filled in."""
    parts: set[ast.expr] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts |= set(node.values)
            yield "".join(part.value if isinstance(part, ast.Constant) else filled(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def filled(part: ast.expr) -> str:
    """Give what stands for a name in an f-string."""
    return FILLED.get(ast.unparse(part.value), "") if isinstance(part, ast.FormattedValue) else ""


def of_modules() -> list[str]:
    """Give the IRIS SQL of the package, without that of the engine beneath."""
    begins = r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CALL)\s[\s\S]*MeetUp2025\.\w|(?:START TRANSACTION|COMMIT|ROLLBACK)$"
    return [text for module in MODULES for text in texts(module.read_text("utf-8")) if re.match(begins, text)]


def of_documents() -> list[str]:
    """Give the SQL of the documents, in blocks and in lines."""
    documents = [document.read_text("utf-8") for document in DOCUMENTS]
    found = [block for document in documents for block in blocks(document) if block.language == "sql"]
    in_blocks = [block.text for block in found if "IntegratedML" not in block.not_run]  # which the grammar has not
    pattern = r"`((?:SELECT|INSERT|UPDATE|DELETE|CALL) [^`…]*MeetUp2025\.[^`…]*)`"
    in_lines = [sql for document in documents for sql in re.findall(pattern, document)]
    return [sql for text in in_blocks + in_lines for sql in statements(text)]


def of_tests() -> list[str]:
    """Give the SQL of the tests that the grammar reads."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [text for module in modules for text in texts(module.read_text("utf-8")) if read(text)]


def read(sql: str) -> exp.Expr | None:
    """Give the tree of a statement, None for one that is refused."""
    try:
        return parse(sql)
    except Error:
        return None


def of_examples() -> list[str]:
    """Give the examples of the classes."""
    members = (member for each in read_package(class_folder()) for member in (*each.methods, *each.queries))
    return [sql for member in members for sql in examples(member.doc)]


PLACES: dict[str, Callable[[], list[str]]] = {
    "class queries": lambda: [query.sql for each in read_package(class_folder()) for query in each.queries],
    "examples": of_examples,
    "ObjectScript": lambda: [sql for source in read_sources() for sql in sql_texts(source)],
    "modules": of_modules,
    "demo": lambda: [sql for _, sql in DEMO],
    "documents": of_documents,
    "tests": of_tests,
}


def is_for_a_server(sql: str) -> bool:
    """Tell a statement that is right, but not in the embedded engine."""
    try:
        parse(sql)
    except UnsupportedSQLError:
        return True
    return False


@functools.cache
def statements_of(place: str) -> list[str]:
    """Give the statements of a place that the embedded engine has to read."""
    found = PLACES[place]()
    if place not in FOR_A_SERVER:
        return found
    plain = (re.sub(r"\b(FROM|INTO) %(?=\w+\.)", r"\1 ", sql) for sql in found)  # schemas of IRIS itself
    return [sql for sql in plain if not is_for_a_server(sql)]


# --- the round trip -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_each_place_has_statements(place: str) -> None:
    """No place is looked for in vain."""
    assert len(statements_of(place)) >= 5


def test_closed_names_are_filled() -> None:
    """Each name that may stand in the SQL of the loads has something that stands for it."""
    assert set(FILLED) == CLOSED_NAMES


@pytest.mark.parametrize("place", PLACES)
def test_round_trip(place: str) -> None:
    """A statement that is written from its tree gives the same tree."""
    trees = {sql: parse(sql) for sql in statements_of(place)}

    assert {sql: write(tree) for sql, tree in trees.items() if parse(write(tree)) != tree} == {}


# --- nothing is overlooked ------------------------------------------------------------------------------------------

# What may be done to a word, with a statement that shows it: nothing is lost.
EXCEPTIONS = {
    ("left out", ";"): "SELECT 1;",
    ("left out", "AS"): "SELECT a AS b FROM t",
    ("left out", "ASC"): "SELECT a FROM t ORDER BY a ASC",
    ("left out", "FROM"): "DELETE FROM t",
    ("left out", "INTO"): "INSERT INTO t (a) VALUES (1)",
    ("left out", "OUTER"): "SELECT 1 FROM t LEFT OUTER JOIN u ON t.a = u.a",
    ("left out", "TABLE"): "CREATE INDEX i ON TABLE t (a)",
    ("left out", "TOP"): "SELECT TOP ALL a FROM t",
    ("left out", "WORK"): "ROLLBACK WORK",
    ("changed", "K"): "CREATE TABLE t (a INTEGER, CONSTRAINT k UNIQUE (a))",  # this engine names no constraints
    ("moved", "NOT"): "SELECT a FROM t WHERE NOT a IN (1)",
}
OTHER_OPERATORS = {
    "=": "<>", "<>": "=", "!=": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "+": "-", "-": "+", "*": "+", "/": "*", "\\": "/", "#": "*", "||": "+",
    ".": ",", ",": ".", "(": ")", ")": "(", "{": "(", "}": ")", "[": "=", ";": ",",
}  # fmt: skip


def changed(token: Token) -> str:
    """Give another token of the same kind."""
    match token.kind:
        case "string" | "quoted":
            return f"{token.text[:1]}x{token.text[1:]}"
        case "number":
            return f"9{token.text}"
        case "op":
            return OTHER_OPERATORS[token.text]
        case "param":
            return ":x"
    return f"{token.text}x"


def overlooked(sql: str) -> Iterator[tuple[str, str]]:
    """Give what may be done to which word, so that the tree is still the same."""
    tokens = tokenize(sql)[:-1]
    tree, written = parse(sql), [token.text for token in tokens]
    for place, token in enumerate(tokens):
        before, after = written[:place], written[place + 1 :]
        attempts = {
            "left out": after,
            "changed": [changed(token), *after],
            "moved": [*after[:1], token.text, *after[1:]],
        }
        for attempt, rest in attempts.items():
            if [*before, *rest] != written and read(" ".join([*before, *rest])) == tree:
                is_not = attempt == "moved" and tokens[place + 1].word == "NOT"
                yield attempt, "NOT" if is_not else token.word or token.text


@pytest.mark.slow
@pytest.mark.parametrize("place", [place for place in PLACES if place != "tests"])
def test_no_word_is_overlooked(place: str) -> None:
    """A statement of which one word is left out, changed or moved is refused, or another statement."""
    found = {(sql, fault) for sql in set(statements_of(place)) for fault in overlooked(sql)}

    assert {sql: fault for sql, fault in found if fault not in EXCEPTIONS} == {}


@pytest.mark.parametrize(("exception", "sql"), EXCEPTIONS.items())
def test_exceptions(exception: tuple[str, str], sql: str) -> None:
    """Each exception is one still, and the only one of its statement."""
    assert set(overlooked(sql)) == {exception}


@pytest.mark.slow
def test_all_exceptions() -> None:
    """In all the SQL of the tests there are no other exceptions."""
    assert {fault for sql in set(statements_of("tests")) for fault in overlooked(sql)} == set(EXCEPTIONS)


def test_a_parser_that_drops_a_clause_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where LIMIT is read and forgotten, its number may be any other."""
    monkeypatch.setattr(Statements, "limit", lambda self, _query: self.take("LIMIT") and self.row_count())

    assert set(overlooked("SELECT a FROM t LIMIT 2")) == {("changed", "2")}
