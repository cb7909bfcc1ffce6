"""Bytes as parameters of a statement: a value of a VARBINARY column, or a picture for a routine of `MeetUp2025`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.engines.tokens import Token, tokenize
from meetup2025.errors import SQLSyntaxError

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES = (bytes, bytearray, memoryview)

_LONGEST = 1024
"""Pixels of a large picture that is passed: more than models see."""


def with_pictures(sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
    """
    Return parameters with bytes as the engines take them.

    Args:
        sql: The statement.
        parameters: Values of the `?`. Bytes for an argument of a routine of `MeetUp2025` are a picture, and become a
            data URL. Other bytes stay bytes.

    Raises:
        UnreadableImageError: Bytes for a routine are no picture.
    """
    if not isinstance(parameters, (list, tuple)) or not any(isinstance(value, BYTES) for value in parameters):
        return parameters
    pictures = _arguments(sql)
    return [
        _given(value, is_picture=place in pictures) if isinstance(value, BYTES) else value
        for place, value in enumerate(parameters)
    ]


def _given(value: bytes | bytearray | memoryview, *, is_picture: bool) -> bytes | str:
    if not is_picture:
        return bytes(value)
    from meetup2025 import images  # Pillow takes a while to import

    return images.to_data_url(bytes(value), longest=_LONGEST)


def _arguments(sql: str) -> set[int]:
    """Return the indices, from 0, of the `?` that are arguments of a routine of `MeetUp2025`."""
    try:
        tokens = tokenize(sql)
    except SQLSyntaxError:
        return set()  # the engine reports the fault
    calls: list[bool] = []
    places: list[bool] = []
    for at, token in enumerate(tokens):
        if token.word == "(":
            calls.append(_is_ours(tokens[max(0, at - 3) : at]))
        elif token.word == ")" and calls:
            calls.pop()
        elif token.kind == "param":
            places.append(bool(calls) and calls[-1])
    return {place for place, is_argument in enumerate(places) if is_argument}


def _is_ours(before: Sequence[Token]) -> bool:
    """Check whether the tokens before a bracket are `MeetUp2025.` and a name."""
    return len(before) == 3 and before[0].text.strip('"').upper() == "MEETUP2025" and before[1].word == "."
