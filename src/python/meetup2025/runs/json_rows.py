"""Rows that a function returns as JSON, for a query that reads them by JSON_TABLE."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 32_000
"""Most characters of the answer: the limit of a function."""


def json_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """
    Return rows as a JSON array of objects, numbered by *place*.

    A missing value is NULL in SQL. The last rows are left out where the answer would be longer than SQL allows.
    """
    texts = [_object({"place": place, **row}) for place, row in enumerate(rows, 1)]
    ends = accumulate(len(text) + 1 for text in texts)
    return f"[{','.join(text for text, end in zip(texts, ends, strict=True) if end < LONGEST)}]"


def _object(values: Mapping[str, Any]) -> str:
    known = {name: value for name, value in values.items() if value is not None}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))
