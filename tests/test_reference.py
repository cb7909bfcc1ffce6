"""The pages of reference are those that the classes give."""

from __future__ import annotations

import csv
import doctest
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "write_reference.py"
NAMES = runpy.run_path(str(SCRIPT))


@pytest.mark.parametrize("language", ["english", "japanese"])
def test_page_is_current(language):
    """A page is what the script writes now."""
    page = NAMES[language.upper()]

    assert page.read_text("utf-8") == NAMES[language](), "run: python scripts/write_reference.py"


def test_each_routine_has_a_japanese_text():
    """Each procedure, query and function has one text in Japanese, in the order of the names."""
    with NAMES["TEXTS"].open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    routines = [each.sql_name for *_, kind in NAMES["SECTIONS"] for each in NAMES["sorted_routines"](kind)]

    assert names == sorted(routines)


@pytest.mark.parametrize(
    ("names", "fault"), [({"Identify"}, "has no line"), ({"Whale"}, "is no routine of the classes")]
)
def test_wrong_texts(names, fault):
    """Texts that are not those of the classes end the script, which names them."""
    with pytest.raises(SystemExit, match=f"{min(names)} {fault}"):
        NAMES["check"](names, fault)


def test_docstrings():
    """The examples of the script give what they show."""
    (test,) = doctest.DocTestFinder().find(NAMES["prose"], "prose", globs=NAMES)

    assert doctest.DocTestRunner().run(test) == (0, 1)
