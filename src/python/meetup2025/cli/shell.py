"""SQL that people type: statements with a semicolon at their end, in a file, at a prompt, or in the demo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.cli import output
from meetup2025.cli.options import complain, knows_drawings_alone
from meetup2025.embedding.confidence import LIKE_A_DRAWING
from meetup2025.embedding.installing import recipes
from meetup2025.engines.classes import catalog
from meetup2025.engines.tokens import split_statements
from meetup2025.errors import Error, OperationalError
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prompt_toolkit.history import History

    from meetup2025.engines import Connection

_RECIPE = recipes.known()[recipes.DEFAULT]

DEMO = (
    ("The names of 100 fish become vectors.", "SELECT MeetUp2025.LoadNames('catalogue/fish.csv') AS Fish"),
    ("So do the sample pictures.", "SELECT MeetUp2025.LoadImages('samples') AS Photos"),
    ("Which fish is this? The names nearest to a picture:", "CALL MeetUp2025.Identify('samples/saba.png', 3)"),
    ("And this?", "CALL MeetUp2025.Identify('samples/madako.png', 3)"),
    ("The photos nearest to a description, a red fish:", "CALL MeetUp2025.FindImages('赤い魚', 3)"),
    ("And to another, a long and thin fish:", "CALL MeetUp2025.FindImages('細長い魚', 3)"),
    ("Names like マアジ:", "CALL MeetUp2025.SimilarFish('マアジ', 3)"),
    ("Four things that are no fish slip in …", "SELECT MeetUp2025.LoadNames('catalogue/strays.csv') AS Fish"),
    (
        "… and a search finds the names that are like none of three exemplars:",
        "SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar('マアジ,ボタンエビ,マダコ', 0.6, 5)",
    ),
)
"""The steps of the demo: a sentence, and its statement."""

WELCOME = "SQL of InterSystems IRIS. End a statement with ; (`help` shows more, Ctrl-D leaves)"

HELP = """\
help     this text
tables   the tables and their columns
catalog  the tables, functions, queries and procedures
exit     leave the prompt, as Ctrl-D does

A statement ends with ; and may have many lines. Ctrl-C drops the typed text. Try
  SELECT Name, Kanji, English FROM MeetUp2025.FishCatalogue() WHERE OtherNames LIKE '%ワカシ%';
  CALL MeetUp2025.Identify('samples/saba.png', 3);"""

DEMO_END = f"""\
The model `sketch` came with the program: it knows drawings such as the samples, not photographs.
For photographs: meetup2025 model use {_RECIPE.name} --embed (downloads {_RECIPE.size}, a few minutes)

Try next
  meetup2025 identify PICTURE   a picture of yours
  meetup2025 sql                the statements above, and others
  meetup2025 --help             everything else"""

_LEAVE = ("exit", "quit", "q")
_ANSWERS: dict[str, Callable[[], str]] = {
    "catalog": lambda: "\n".join(catalog.catalog_lines()),
    "help": lambda: HELP,
    "tables": lambda: "\n".join(catalog.table_lines()),
}


def split(text: str) -> tuple[list[str], str]:
    """Cut a text into the statements that end with a semicolon, and the rest. See `split_statements`."""
    return split_statements(text)


def statements(text: str) -> list[str]:
    """Cut *text* into statements. The last statement needs no semicolon."""
    complete, rest = split(text)
    return [*complete, rest] if rest else complete


def is_complete(text: str) -> bool:
    """Check whether the prompt can answer *text*: a word of its own, or text that waits for no semicolon."""
    word = _word(text)
    return word in _LEAVE or word in _ANSWERS or not split(text)[1]


def photograph_note(pictures: Sequence[str]) -> str:
    """Return the note that pictures are no drawings, with the command that installs a model for them."""
    those = ", ".join(pictures[:3]) + " …" * (len(pictures) > 3)
    return (
        f"{those}: the model sketch knows drawings, and does not know this picture. "
        f"For photographs: meetup2025 model use {_RECIPE.name} --embed (downloads {_RECIPE.size}, a few minutes)"
    )


def run(connection: Connection, statement: str, style: str) -> None:
    """
    Run a statement, and write its rows, or the number of changed rows, to standard output.

    A call of Identify says when the picture is plainly no drawing and the model knows drawings alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        if cursor.description is not None:
            columns = [column[0] for column in cursor.description]
            if style == "table" and _IDENTIFY.match(statement):
                rows = cursor.fetchall()
                output.write_rows(columns, rows, style, records=True)
                _note_photograph(connection, rows, columns)
            else:
                output.write_result(cursor, columns, style, records=True)
        else:
            changed = cursor.rowcount if cursor.rowcount >= 0 else None
            sentence = "done" if changed is None else f"{changed} row{'s' * (changed != 1)} changed"
            output.write_record({"changed": changed}, sentence, style)


_IDENTIFY = re.compile(r"\s*CALL\s+(MeetUp2025\.)?Identify\s*\(", re.IGNORECASE)


def _note_photograph(connection: Connection, rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> None:
    """Say that a named picture is plainly no drawing, where the model of the names knows drawings alone."""
    if rows and knows_drawings_alone(connection, "Fish"):
        first = dict(zip(columns, rows[0], strict=True))
        if first["By"] == "name" and first["Score"] < LIKE_A_DRAWING:
            complain(photograph_note(["the picture"]))


def show_demo(connection: Connection, style: str) -> None:
    """Run the steps of the demo, each with its sentence and its statement."""
    for number, (sentence, statement) in enumerate(DEMO, 1):
        print(f"{number}. {translated(sentence)}\n\n   SQL> {statement};\n")
        run(connection, statement, style)
        print()
    print(translated(DEMO_END))


def ask(connection: Connection, style: str) -> None:
    """Ask for statements, run them and show their results, until the user leaves."""
    print(translated(WELCOME))
    for text in _typed():
        _answer(connection, text, style)


def _answer(connection: Connection, text: str, style: str) -> None:
    """Run the typed statements, and show an error. The user rolls back a transaction that the error ended."""
    try:
        for statement in statements(text):
            run(connection, statement, style)
    except Error as error:
        complain(str(error))
    except KeyboardInterrupt:
        if connection.in_transaction:
            complain("stopped: the open transaction is rolled back")
            connection.rollback()


def _typed() -> Iterator[str]:
    """Return the text typed at the prompt, except the words that the prompt answers itself."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition

    waits = Condition(lambda: not is_complete(get_app().current_buffer.text))
    session: PromptSession[str] = PromptSession(
        "SQL> ", multiline=waits, prompt_continuation="...> ", history=_history()
    )
    while True:
        try:
            text = session.prompt()
        except EOFError:
            return
        except KeyboardInterrupt:
            continue
        word = _word(text)
        if word in _LEAVE:
            return
        if word in _ANSWERS:
            print(translated(_ANSWERS[word]()))
        else:
            yield text


def _word(text: str) -> str:
    return text.strip(" \t\n;\\").lower()


def _history() -> History:
    """Return a history in the data folder. If the folder cannot be written, the history lasts as long as the prompt."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        path = settings.data_folder() / "history"
        settings.make_private(path.parent)
        path.touch(mode=0o600)
    except (OSError, OperationalError):
        return InMemoryHistory()
    return FileHistory(str(path))
