"""The smallest parts of a statement: keywords, lists in parentheses, names, constants and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

from meetup2025.engines.grammar.refusals import refuse, unsupported
from meetup2025.engines.grammar.tokens import RESERVED, Token, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Container

N = TypeVar("N", bound=exp.Expr)


class Words:
    """
    A place in the tokens of one statement, which moves on as they are read.

    `parameters` counts the ``?`` that were read.
    """

    def __init__(self, sql: str) -> None:
        self.tokens = tokenize(sql)
        self.index = 0
        self.parameters = 0

    @property
    def token(self) -> Token:
        """The token to read next."""
        return self.tokens[self.index]

    @property
    def following(self) -> str:
        """The word after the next."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)].word

    @property
    def last(self) -> Token:
        """The token that was read last."""
        return self.tokens[self.index - 1]

    # keywords

    def ahead(self, *words: str) -> bool:
        """Tell whether the next words are these."""
        tokens = self.tokens[self.index : self.index + len(words)]
        return [token.word for token in tokens] == list(words)

    def take(self, *words: str) -> bool:
        """Step over *words* if they are next."""
        found = self.ahead(*words)
        if found:
            self.index += len(words)
        return found

    def take_one(self, words: Container[str]) -> str:
        """Step over one of *words* if it is next, and return it; else ""."""
        word = self.token.word
        if not word or word not in words:
            return ""
        self.index += 1
        return word

    def expect(self, *words: str) -> None:
        """Step over *words*, which must be next."""
        for word in words:
            if not self.take(word):
                refuse(f"{word} expected, found {self.token.text}", self.token)

    def at(self, node: N, token: Token) -> N:
        """Note that *node* stands where *token* does."""
        node.meta["place"] = (token.line, token.column)
        return node

    # lists

    def separated(self, item: Callable[[], N]) -> list[N]:
        """Read one or more items with commas between."""
        items = [item()]
        while self.take(","):
            items.append(item())
        return items

    def wrapped(self, item: Callable[[], N]) -> list[N]:
        """Read one or more items in parentheses."""
        self.expect("(")
        items = self.separated(item)
        self.expect(")")
        return items

    # names

    def has_name(self) -> bool:
        """Tell whether a name is next."""
        return self.token.kind == "quoted" or (self.token.kind == "name" and self.token.word not in RESERVED)

    def identifier(self) -> exp.Identifier:
        """Read a name, in quotes or not."""
        token = self.token
        if not self.has_name():
            refuse(f"A name expected, found {token.text}", token)
        if token.kind == "name" and token.text[0] in "%$" and token.word != "%ID":
            unsupported(token.text, token)
        self.index += 1
        quoted = token.kind == "quoted"
        text = token.text[1:-1].replace('""', '"') if quoted else token.text
        return self.at(exp.Identifier(this=text, quoted=quoted), token)

    def table_name(self) -> exp.Table:
        """Read ``[schema.]table``."""
        token, name, schema = self.token, self.identifier(), None
        if self.take("."):
            schema, name = name, self.identifier()
        if self.ahead("."):
            refuse("A table has one schema: schema.table", self.token)
        return self.at(exp.Table(this=name, db=schema), token)

    def alias(self) -> exp.Identifier | None:
        """Read ``[[AS] name]``."""
        return self.identifier() if self.take("AS") or self.has_name() else None

    def aliased(self, source: N) -> N:
        """Give *source* the alias that follows it."""
        name = self.alias()
        source.set("alias", exp.TableAlias(this=name) if name else None)
        return source

    # constants and parameters

    def literal(self) -> exp.Expr | None:
        """Read a text, a number, ``:name`` or ``?``; None if none is next."""
        token = self.token
        node = self.constant(token) or self.parameter(token)
        if node is None:
            return None
        self.index += 1
        return self.at(node, token)

    def constant(self, token: Token) -> exp.Expr | None:
        """Give the text or number that *token* is."""
        if token.kind == "string":
            return exp.Literal.string(token.text[1:-1].replace("''", "'"))
        if token.kind == "number":
            return exp.Literal.number(f"0{token.text}" if token.text.startswith(".") else token.text)
        return None

    def parameter(self, token: Token) -> exp.Placeholder | None:
        """Give the parameter or host variable that *token* is."""
        if token.kind == "host":
            return exp.Placeholder(this=token.text[1:])
        if token.kind == "param":
            self.parameters += 1
            return exp.Placeholder(this=str(self.parameters))
        return None
