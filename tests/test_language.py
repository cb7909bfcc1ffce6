"""The language of the user: the catalogues hold all messages, and the program speaks by them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from string import Formatter

import polib
import pytest
from click.testing import CliRunner
from web_calls import Browser

from meetup2025 import locale
from meetup2025.cli import language, main
from meetup2025.cli.output import table_lines
from meetup2025.web import Application

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from update_messages import sources, update

CATALOGUES = list(sources())


def _ran(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(words), prog_name="meetup2025")
    return done.exit_code, done.output


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_message_is_translated(path: Path) -> None:
    """The catalogue has each message of the program, and no other."""
    catalogue = polib.pofile(str(path))
    before = {entry.msgid for entry in catalogue}

    missing = update(catalogue)

    advice = "Run `python scripts/update_messages.py`, fill msgstr of these in the catalogue, and run it again"
    assert missing == [], advice
    assert before == {entry.msgid for entry in catalogue}, advice


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_compiled_catalogue_is_the_written_one(path: Path) -> None:
    """The compiled catalogue has the words of the source."""
    source = {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in polib.pofile(str(path))}
    compiled = {
        entry.msgid: entry.msgstr or entry.msgstr_plural for entry in polib.mofile(str(path.with_suffix(".mo")))
    }

    assert compiled == source


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_have_the_values(path: Path) -> None:
    """A translation shows as many values as its message has places for."""
    for entry in polib.pofile(str(path)):
        if "%(prog)s" in entry.msgid or entry.msgid_plural:
            continue
        wanted, shown = (
            [field for _, field, _, _ in Formatter().parse(text) if field is not None]
            for text in (entry.msgid, entry.msgstr)
        )
        if any(wanted):
            assert set(shown) <= set(wanted), entry.msgid
        elif any(shown):
            assert set(map(int, shown)) <= set(range(len(wanted))), entry.msgid
        else:
            assert len(shown) == len(wanted), entry.msgid


@pytest.mark.parametrize(
    ("text", "japanese"),
    [
        ("There are no items.", "要素がありません。"),
        ("k must be a whole number from 1. Got 'x'.", "kは1以上の整数です。指定値: 'x'。"),
        ("MEETUP2025_RUNTIME must be onnx. Got 'a. Got b'.", "MEETUP2025_RUNTIMEは onnx です。指定値: 'a. Got b'。"),
        ("Sure: マサバ, 0.98, by its name and 2 photos.", "確信あり: マサバ、確率 0.98（名前と写真2枚による）。"),
        ("run 3, Map of Fish, fitted in 2 seconds", "ラン 3、Map（Fish）、2 秒で計算しました"),
        ("no such message", "no such message"),
        (
            "a b.csv must be CSV. Got a file of Excel; save it as CSV UTF-8 (line 1, column 1)",
            "a b.csv はCSVでなければなりません。Excelのファイルです。CSV UTF-8で保存してください（1 行目、1 列目）",
        ),
        ("fish.csv: Name must not be empty. (line 2, column 2)", "fish.csv: Name が空です。（2 行目、2 列目）"),
        (
            "sketch@1 is in use now\n0 names and 2 photos have vectors of it",
            "sketch@1 を使用します\n名前 0 件と写真 2 枚のベクトルを作り直しました",
        ),
        ("", ""),
    ],
)
def test_messages_in_japanese(text: str, japanese: str) -> None:
    """A message is found with its values, also in a message within a message. A foreign one stays as it is."""
    assert locale.translated(text, "ja") == japanese
    assert locale.translated(text, "en") == text


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "MEETUP2025_LANG": "en"}, "en"),
        ({"LANG": "C", "MEETUP2025_LANG": "ja"}, "ja"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_language_of_the_user(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: str) -> None:
    """The setting comes before the locale, and other languages read English."""
    for name in ("MEETUP2025_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert locale.language() == wanted


@pytest.mark.usefixtures("_japanese")
@pytest.mark.parametrize("command", sorted({name for name, _ in language.texts(main)}))
def test_help_fits_a_terminal(command: str) -> None:
    """Help in Japanese has no English paragraph left, and no line is wider than 80 columns."""
    code, shown = _ran(*command.split()[1:], "--help")

    assert code == 0
    assert shown.startswith("使い方: ")
    assert "Show this" not in shown
    prose = [line for line in shown.splitlines() if "meetup2025 " not in line]
    assert max(len(table_lines(["x"], [[line]])[1]) for line in prose) <= 80


@pytest.mark.usefixtures("_japanese")
def test_errors_in_japanese() -> None:
    """An error is said in Japanese, with the exit code of the English one."""
    assert _ran("--url", "duckdb://", "runs", "show", "9") == (
        3,
        "meetup2025: ランが存在しません。指定値: 9。一覧: SELECT Run FROM MeetUp2025.Runs()\n",
    )
    assert "次の引数が必要です: 'PICTURE|FOLDER…'" in _ran("identify")[1]


@pytest.mark.usefixtures("_japanese")
def test_data_stay_as_they_are() -> None:
    """What programs read has no language."""
    code, shown = _ran("--url", "duckdb://", "--format", "json", "load", "names")

    assert (code, json.loads(shown)["total"]) == (0, 100)


def test_web_errors_in_the_language_of_the_page() -> None:
    """The page of a Japanese browser gets errors in Japanese."""
    application = Application("duckdb://")

    answers = [Browser(application).get("/api/identify", HTTP_ACCEPT_LANGUAGE=each).json() for each in ("ja", "en")]

    assert [answer["detail"] for answer in answers] == [
        "/api/identify のメソッドは POST です。指定値: GET。",
        "/api/identify takes POST. Got GET.",
    ]


def test_english_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The language is chosen anew at each start."""
    english = _ran("--help")[1]
    with monkeypatch.context() as patch:
        patch.setenv("MEETUP2025_LANG", "ja")
        patch.setenv("LANGUAGE", "ja")
        japanese = _ran("--help")[1]
        assert japanese != english
        assert "Show this message" not in japanese

    assert _ran("--help")[1] == english
