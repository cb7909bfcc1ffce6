"""The words of groups: frequent in one group, rare in the others, in Japanese and in English."""

from __future__ import annotations

import pytest
from asked import number, selected

from meetup2025.analytics.words import telling_words, words_of
from meetup2025.errors import DataError


def test_telling_words() -> None:
    """A word that is rare elsewhere comes before a word as frequent of another group. Equal ones come by alphabet."""
    found = telling_words(["red red fish fish", "blue blue fish fish", "the 3 of 12"], [1, 2, 3], 2)

    assert found == {1: ["red", "fish"], 2: ["blue", "fish"], 3: ["of", "the"]}


def test_scores_are_those_of_the_formula() -> None:
    """The score is the share of the word in its group, times log(1 + words of a mean group / count of the word)."""
    found = telling_words(["rare " + "common " * 3, "common " * 6 + "other " * 2], [1, 2], 2)

    # 1/4 log(1 + 6/1) = 0.49 and 3/4 log(1 + 6/9) = 0.38; 6/8 log(1 + 6/9) = 0.38 and 2/8 log(1 + 6/2) = 0.35
    assert found == {1: ["rare", "common"], 2: ["common", "other"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("赤い魚のマダイを、Red SNAPPERと 12 匹", ["マダイ", "red", "snapper"]),
        ("東京湾の真鯛と時々サバ", ["東京湾", "真鯛", "時々", "サバ"]),
        ("a 1 2,5 _ の", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """A run of kanji, of katakana or of other letters is a word. Hiragana, numbers and single characters are none."""
    assert words_of(text) == words


@pytest.mark.parametrize(("texts", "groups"), [([], []), ([""], [1]), (["1 2", "の"], [1, 2])])
def test_no_words(texts: list[str], groups: list[int]) -> None:
    """Texts without words give no words."""
    assert telling_words(texts, groups) == {}


@pytest.mark.anywhere
@pytest.mark.slow
def test_in_sql(fish) -> None:
    """The words of each group are read from a column of the source, in any case, as many as are asked."""
    fish.execute("UPDATE MeetUp2025.Fish SET English = 'common thing'")
    run = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 3)")
    fish.execute(
        "UPDATE MeetUp2025.Fish SET English = 'common octopus' WHERE FishID IN "
        "(SELECT Item FROM MeetUp2025.ReadClusters(?) WHERE Cluster = 2)",
        [run],
    )

    rows = selected(fish, "SELECT Cluster, Words FROM MeetUp2025.GroupWords(?, 'english', 1)", run)

    assert rows == [(1, "thing"), (2, "octopus"), (3, "thing")]


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("column", "k", "message"),
    [
        ("Features", 5, "A column of Fish must be one of"),
        ("x", 5, r"Got 'x'"),
        ("English", 51, r"from 1 to 50\. Got 51"),
    ],
)
def test_bad_arguments(fish, column: str, k: int, message: str) -> None:
    """A column of vectors, an unknown one, and a number out of range are refused."""
    run = number(fish, "SELECT MeetUp2025.FitClusters('Fish', 3)")

    with pytest.raises(DataError, match=message):
        selected(fish, "SELECT * FROM MeetUp2025.GroupWords(?, ?, ?)", run, column, k)
