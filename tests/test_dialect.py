"""The tokens and the tree of a statement of IRIS SQL."""

from __future__ import annotations

import pytest
from sqlglot import exp

from meetup2025.engines.sql import Call, ToVector, bind, function_calls, parse, place, table_calls
from meetup2025.engines.sql.functions import AGGREGATES, FUNCTIONS, KNOWN, VARIADIC
from meetup2025.engines.tokens import tokenize
from meetup2025.errors import SQLSyntaxError


def words(sql):
    """Give kind, text and place of each token but the end."""
    return [(token.kind, token.text, token.line, token.column) for token in tokenize(sql)[:-1]]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("'it''s\n'", "string"),
        ('"日本 ""語"""', "quoted"),
        ("12", "number"),
        (".5e-3", "number"),
        ("マアジ", "name"),
        ("%STARTSWITH", "name"),
        ("$PIECE", "name"),
        (":%name", "host"),
        ("?", "param"),
        ("||", "op"),
        ("->", "op"),
    ],
)
def test_cuts_one_token(sql, kind):
    """Each kind of token is taken whole."""
    assert [(kind, sql, 1, 1)] == words(sql)


def test_tokens_know_their_place():
    """Lines and columns count from 1, through comments and texts of several lines."""
    found = words("a /* 1\n2 */ b -- c\n 'x\ny' d")
    assert found == [("name", "a", 1, 1), ("name", "b", 2, 6), ("string", "'x\ny'", 3, 2), ("name", "d", 4, 4)]


@pytest.mark.parametrize("sql", ["", " \n", "-- nothing"])
def test_the_end_is_a_token(sql):
    """A text without words has one token, the end."""
    assert [token.kind for token in tokenize(sql)] == ["end"]


def test_keywords_are_compared_in_capitals():
    """Keywords and operators have a word; texts, names in quotes and numbers have none."""
    assert [token.word for token in tokenize("select 'x' \"y\" 1 <= ?")[:-1]] == ["SELECT", "", "", "", "<=", ""]


def test_numbers_parameters_in_order():
    """Each ? becomes a placeholder numbered from 1, however deep it stands."""
    tree = parse("SELECT ?, (SELECT TOP ? a FROM t WHERE b = ?) FROM M.Query(?) q")
    assert [node.name for node in sorted(tree.find_all(exp.Placeholder), key=place)] == ["1", "2", "3", "4"]


def test_call_has_schema_name_and_arguments():
    """CALL gives a node of its own."""
    call = parse("CALL MeetUp2025.Identify(?, 3)")
    assert (Call, "MeetUp2025", "Identify", ["1", "3"]) == (
        type(call), call.schema, call.name, [argument.name for argument in call.expressions],
    )  # fmt: skip


def test_to_vector_keeps_type_and_length():
    """TO_VECTOR says its element type, FLOAT by default, and its length."""
    nodes = parse("SELECT TO_VECTOR(?), TO_VECTOR(?, double), TO_VECTOR(?, Integer, 3)").find_all(ToVector)
    found = [(node.args["kind"], node.args["length"] and node.args["length"].name) for node in nodes]
    assert found == [("FLOAT", None), ("DOUBLE", None), ("BIGINT", "3")]


def test_finds_calls():
    """Functions of a schema and queries in FROM are found apart from each other."""
    tree = parse("SELECT A.F(A.G(1)) FROM A.Q(?) q, A.Q(2) WHERE A.F(2) = 1")
    assert [call.name for call in function_calls(tree)] == ["F", "G", "F"]
    assert [(table.this.name, table.alias) for table in table_calls(tree)] == [("Q", "q"), ("Q", "")]
    assert function_calls(parse("CALL A.P(1)")) == []


def test_binds_host_variables():
    """A host variable takes an expression wherever it stands, and the tree that had it is not changed."""
    tree = parse("SELECT TOP :k a FROM t WHERE a = :x OR b = :x")
    bound = bind(tree, {"k": exp.Literal.number(2), "x": exp.Placeholder(this="1")})
    assert {"k", "x"} == {node.name for node in tree.find_all(exp.Placeholder)}
    assert [node.name for node in bound.find_all(exp.Placeholder)] == ["1", "1"]
    with pytest.raises(SQLSyntaxError, match=":k has no value") as caught:
        bind(tree, {"x": exp.Null()})
    assert (caught.value.line, caught.value.column, caught.value.sqlcode) == (1, 12, -28)


def test_no_function_is_both_known_and_missing():
    """A name is translated or listed as missing, not both."""
    assert set() == KNOWN & {*FUNCTIONS, *AGGREGATES, *VARIADIC}
