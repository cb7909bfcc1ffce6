"""
Find the messages of the program, and write them into the catalogues: `python scripts/update_messages.py`.

A catalogue keeps its translations. A new message is there without one, and its name is written. A message is

- a text of the help of the command line, of its demo or its prompt,
- a text of click,
- a text with words where an error is raised, or something is said,
- any text in the words of a rule: it has "must", or ends with ". Got …".
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polib

from meetup2025 import locale
from meetup2025.cli import main as commands, shell
from meetup2025.cli.language import parts, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCE = Path(locale.__file__).parents[1]

SAYING = {"click.echo", "complain", "print", "click.confirm", "translated", "output.write_record", "_show_counts"}
"""Functions that say something to the user. The errors are said too."""

LEFT_OUT = (
    "web/texts",
    "engines/sql/",
    *(f"engines/classes/{name}" for name in ("__init__", "bodies", "reader")),
    "analytics/umap_library",
    "embedding/installing/probes",
)
"""Parts whose messages stay in English: SQL says what IRIS says, and classes are for programmers."""

RETURNING = (
    "cli/",
    "embedding/installing/install",
    "engines/iris/faults",
    "files",
    "loading/records",
    "loading/tables",
    "settings",
)
"""Parts whose functions return messages."""

JOINING = {"and", "for", "in", "of", "or", "with"}
"""Words that are no message alone: they would be found in every text."""

OF_CLICK = ("core.py", "exceptions.py", "formatting.py", "parser.py", "types.py", "termui.py", "decorators.py")


def messages() -> dict[str, str]:
    """Return all messages, and the place of each."""
    found = {}
    for place, text in (*_of_help(), *_of_prompt(), *_of_sources()):
        found.setdefault(text, place)
    return found


def _of_help() -> Iterator[tuple[str, str]]:
    for command, text in texts(commands):
        for part in parts(text):
            yield f"help of {command}", locale.escaped(part)


def _of_prompt() -> Iterator[tuple[str, str]]:
    sentences = (sentence for sentence, _ in shell.DEMO)
    for text in (*sentences, shell.WELCOME, shell.HELP):
        yield "cli/shell.py", locale.escaped(text)
    for text in (*locale.AROUND, *locale.OF_SYSTEM):
        yield "locale/__init__.py", text


def _of_sources() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if not place.startswith(LEFT_OUT):
            tree = ast.parse(path.read_text("utf-8"))
            yield from ((place, text) for text in _said(tree, returned=place.startswith(RETURNING)))


def _said(tree: ast.Module, *, returned: bool) -> Iterator[str]:
    """Find the messages of a source: those that are said, raised or returned, and those in the words of a rule."""
    kinds = (ast.Raise, ast.Return, ast.Yield) if returned else ast.Raise
    names = {each.id for node in ast.walk(tree) if _says(node) for each in ast.walk(node) if isinstance(each, ast.Name)}
    saying = (node for node in ast.walk(tree) if isinstance(node, kinds) or _says(node) or _names(node, names))
    told = {id(each) for node in saying for each in ast.walk(node)}
    inner = {id(each) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for each in ast.walk(node)}
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = _template(node)
        is_whole = id(node) not in inner or isinstance(node, ast.JoinedStr)
        if text and is_whole and id(node) not in notes and _has_words(text) and (id(node) in told or _is_rule(text)):
            yield text


def _says(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (ast.unparse(node.func) in SAYING or "Error" in ast.unparse(node.func))


def _names(node: ast.AST, names: set[str]) -> bool:
    """Check whether a node gives a text one of the names that are said."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names


def _template(node: ast.AST) -> str:
    """Return a text of a source as a message, with {} for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{(\{\d\})\}", "{}", locale.escaped(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def _has_words(text: str) -> bool:
    words = re.findall(r"[A-Za-z]{2,}", text)
    return (
        len(words) + text.count("{}") >= 2
        and not JOINING.issuperset(words)
        and " " in text.strip()
        and not re.match(r"[A-Z]{4,} |\d{3} |\W*\{\}\W*\{\}", text)
    )


def _is_rule(text: str) -> bool:
    return bool(re.search(r"\bmust\b|\. Got |^[A-Z][a-z]+ .*\.$", text))


def of_click() -> set[tuple[str, str]]:
    """Return the messages of click as pairs: for one, and for many if it has both."""
    folder = Path(click.__file__).parent
    trees = [ast.parse((folder / name).read_text("utf-8")) for name in OF_CLICK]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return set(filter(None, map(_pair, calls)))


def _pair(call: ast.Call) -> tuple[str, str] | None:
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    name = ast.unparse(call.func)
    if name == "_" and texts:
        return texts[0], ""
    return (texts[0], texts[1]) if name == "ngettext" and len(texts) == 2 else None


def update(catalogue: polib.POFile) -> list[str]:
    """Bring a catalogue up to date. Return the messages that have no translation."""
    wanted = {**dict.fromkeys(messages(), ""), **dict(sorted(of_click()))}
    kept = {entry.msgid: entry for entry in catalogue}
    catalogue[:] = [kept.get(text) or _entry(text, many) for text, many in wanted.items()]
    return [entry.msgid for entry in catalogue if not entry.translated()]


def _entry(text: str, many: str) -> polib.POEntry:
    return polib.POEntry(msgid=text, **({"msgid_plural": many, "msgstr_plural": {0: ""}} if many else {}))


def sources() -> Iterable[Path]:
    """Return the catalogues as they are written, one for each language."""
    return sorted(locale.FOLDER.glob("*/LC_MESSAGES/*.po"))


def main() -> None:
    """Bring all catalogues up to date, and compile them."""
    for path in sources():
        catalogue = polib.pofile(str(path), wrapwidth=118)
        missing = update(catalogue)
        catalogue.save()
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        print(f"{path.relative_to(locale.FOLDER)}: {len(catalogue)} messages, {len(missing)} without a translation")
        print(*missing, sep="\n")


if __name__ == "__main__":
    main()
