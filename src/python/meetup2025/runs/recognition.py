"""
Naming of pictures by the newest recogniser. Searches of SQL find the candidates, and a score orders them.

Without a recogniser, the names alone answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics.recogniser import CANDIDATES
from meetup2025.engines.arguments import marked
from meetup2025.errors import DataError
from meetup2025.runs.json_rows import json_rows
from meetup2025.runs.recogniser import PHOTOS, newest, recogniser_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from meetup2025.analytics.recogniser import Recogniser
    from meetup2025.engines import Connection

    Vector = NDArray[np.float64]

_PHOTOS = 200
"""Photos that one search returns for some labels."""

_NAMES = 1000
"""Names that are compared."""

_SHARED = 0.05
"""Probability from which the English name of a species counts for the name of its group."""

_NEAR_NAMES = "SELECT FishID, Name, Kanji, English, Score FROM MeetUp2025.NearestFish(?, ?)"
_NEAR_PHOTOS = """
SELECT TOP ? Name, Label, VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) AS Score FROM MeetUp2025.FishImage
WHERE Label IN (?) ORDER BY Score DESC"""
_NEAR_PROTOTYPES = """
SELECT TOP ? Label, Photos, VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) AS Score FROM MeetUp2025.Prototype
WHERE Run = ? ORDER BY Score DESC"""
_TAXA = "SELECT Name, Scientific, Family FROM MeetUp2025.FishCatalogue()"


@dataclass
class Candidate:
    """
    A possible answer for a picture.

    Attributes:
        name: A name of the catalogue, or another label.
        fish: FishID, kanji and English name, or empty for a label that is no name.
        count: Number of labelled photos.
        likeness: Likeness to the photos, NaN without photos.
        named: Cosine to the name, NaN where the label is no name.
        nearest: Name of the nearest photo. Empty where the photos were not compared.
    """

    name: str
    fish: tuple[str, ...] = ()
    count: int = 0
    likeness: float = np.nan
    named: float = np.nan
    nearest: str = ""

    @property
    def basis(self) -> str:
        """The basis of the answer: name, photos or both."""
        return "name" if not self.count else "photos" if np.isnan(self.named) else "both"


@dataclass(frozen=True)
class Recognised:
    """
    Candidates, the best first, with their scores and probabilities by a recogniser.

    Attributes:
        recogniser: The recogniser, or None.
        candidates: At least 1 candidate.
        scores: Scores, shape (n,), falling.
        chances: Probabilities, shape (n,), or NaN where they cannot be trusted.
    """

    recogniser: Recogniser | None
    candidates: Sequence[Candidate]
    scores: NDArray[np.float64]
    chances: NDArray[np.float64]

    @property
    def is_trusted(self) -> bool:
        """Whether there are probabilities."""
        return self.recogniser is not None and self.recogniser.trusted

    def is_sure(self, chance: float) -> bool | None:
        """Check whether an answer with a probability is sure. Return None without a recogniser."""
        if self.recogniser is None or not self.is_trusted:
            return None
        return self.recogniser.is_sure(float(self.scores[0]), chance, by_name=not self.candidates[0].count)

    @property
    def is_none(self) -> bool:
        """Whether the picture is unlike all candidates."""
        if self.recogniser is None or not self.is_trusted:
            return False
        return not self.recogniser.is_known(float(self.scores[0]), by_name=not self.candidates[0].count)


def recognise(connection: Connection, vector: str, k: int = 3, by: str = "both") -> str:
    """
    Name a picture by names, labels or groups: `MeetUp2025.Recognise`.

    Args:
        connection: An open connection.
        vector: Comma-separated text.
        k: Number of answers, at least 1.
        by: `both` for names and photos together, `photos` for photos alone, `groups` for species, genera and families.

    Returns:
        A JSON array of objects, the best first. 32,000 characters hold some 150 objects.

    Raises:
        DataError: *by* is another word, *k* is below 1, there is nothing to compare with, or no recogniser for photos.
        InvalidVectorError: *vector* is no vector.
    """
    answers = {"both": _names, "photos": _labels, "groups": _groups}
    if by not in answers:
        raise DataError(f"by must be {', '.join(answers)}. Got {by!r}.")
    if k < 1:
        raise DataError(f"k must be a whole number from 1. Got {k}.")
    objects = answers[by](connection, vectors.from_text(vector), k)[:k]
    return json_rows(objects)


def _names(connection: Connection, vector: Vector, k: int) -> list[dict[str, Any]]:
    found = _recognised(connection, vector, k, with_names=True)
    sure = _first_sure(found)
    return [
        {
            **dict(zip(("fishid", "kanji", "english"), (*each.fish, None, None, None), strict=False)),
            "name": each.name,
            "score": float(score),
            "probability": _number(chance),
            "sure": sure[place > 0],
            "by": each.basis,
            "photos": each.count,
            "nearest": each.nearest or None,
        }
        for place, (each, score, chance) in enumerate(zip(found.candidates, found.scores, found.chances, strict=True))
    ]


def _labels(connection: Connection, vector: Vector, k: int) -> list[dict[str, Any]]:
    found = _recognised(connection, vector, k, with_names=False)
    if found.recogniser is None:
        raise DataError(
            f"There must be a recogniser of the vectors of {PHOTOS}. Got none; run SELECT "
            f"MeetUp2025.FitRecogniser('{PHOTOS}') once photos have labels."
        )
    sure = _first_sure(found)
    return [
        {
            "name": each.name,
            "score": float(score),
            "probability": _number(chance),
            "sure": sure[place > 0],
            "photos": each.count,
            "nearest": each.nearest or None,
        }
        for place, (each, score, chance) in enumerate(zip(found.candidates, found.scores, found.chances, strict=True))
    ]


def _first_sure(found: Recognised) -> tuple[int | None, int | None]:
    """Return the value of Sure for the first answer, and for the others."""
    sure = found.is_sure(float(found.chances[0]))
    return (None, None) if sure is None else (int(sure), 0)


def _recognised(connection: Connection, vector: Vector, k: int, *, with_names: bool) -> Recognised:
    """Score all candidates of a picture. *k* is the wanted number."""
    models = _rows(connection, "SELECT TOP 1 Model FROM MeetUp2025.FishImage")  # the mean of all photos
    run = newest(connection, models[0][0] or "" if models else "")
    candidates: dict[str, Candidate] = {}
    if with_names:
        for number, name, kanji, english, score in _rows(connection, _NEAR_NAMES, vector, max(k, _NAMES)):
            candidates[name.upper()] = Candidate(name, (number, kanji, english), named=float(score))
    if run is None:
        found = list(candidates.values())
        nothing = np.full(len(found), np.nan)
        return Recognised(None, found, np.array([each.named for each in found]), nothing)
    recogniser = recogniser_of(connection, run.run)
    recogniser = recogniser if with_names else recogniser.by_photos()
    damped = recogniser.damped(vector[None])[0]
    for label, count, score in _rows(connection, _NEAR_PROTOTYPES, CANDIDATES, damped, run.run):
        each = candidates.setdefault(label.upper(), Candidate(label))
        each.count, each.likeness = int(count), float(score)
    judged = _judged(recogniser, list(candidates.values()))
    _add_photos(connection, vector, [each for each in judged.candidates[:k] if each.count])
    return judged


def _add_photos(connection: Connection, vector: Vector, candidates: Sequence[Candidate]) -> None:
    """Find the photo of each label that is nearest to a picture."""
    missing = {each.name.upper(): each for each in candidates}
    while missing:
        sql = marked(_NEAR_PHOTOS, len(missing))
        wanted = _PHOTOS if len(missing) > 1 else 1
        photos = _rows(connection, sql, wanted, vector, *(each.name for each in missing.values()))
        before = len(missing)
        for photo, label, _ in photos:
            if each := missing.pop(label.upper(), None):
                each.nearest = photo
        if len(photos) < wanted or len(missing) == before:
            return


def _judged(recogniser: Recogniser, candidates: Sequence[Candidate]) -> Recognised:
    """Blend the scores by photos and by names, and order the candidates."""
    scores = recogniser.scores([each.likeness for each in candidates], [each.named for each in candidates])
    order = np.argsort(-scores, kind="stable")
    chances = recogniser.probabilities(scores[order]) if recogniser.trusted else np.full(len(order), np.nan)
    return Recognised(recogniser, [candidates[place] for place in order], scores[order], chances)


def _groups(connection: Connection, vector: Vector, _: int) -> list[dict[str, Any]]:
    """Return the subject of a picture as narrowly as is sure. The first object is the answer."""
    found = _recognised(connection, vector, 1, with_names=True)
    taxa = {
        str(name).upper(): (_genus(scientific), family or "") for name, scientific, family in _rows(connection, _TAXA)
    }
    rows = [_group(found, "species", found.candidates[0].name, {each.name: each.name for each in found.candidates})]
    for place, kind in enumerate(("genus", "family")):
        groups = {each.name: taxa.get(each.name.upper(), ("", ""))[place] for each in found.candidates}
        if wanted := _most_likely(found, groups):
            rows.append(_group(found, kind, wanted, groups))
    rows.append({"kind": "none", "sure": int(found.is_none) if found.is_trusted else None})
    return sorted(rows, key=lambda row: not row["sure"])


def _genus(scientific: str | None) -> str:
    return (scientific or "").partition(" ")[0]


def _most_likely(found: Recognised, groups: Mapping[str, str]) -> str:
    """Return the group of the highest probability, or the group of the first candidate without probabilities."""
    if not found.is_trusted:
        return groups[found.candidates[0].name]
    sums: dict[str, float] = defaultdict(float)
    for each, chance in zip(found.candidates, found.chances, strict=True):
        sums[groups[each.name]] += float(chance) if groups[each.name] else 0
    return max(sums, key=lambda name: sums[name])


def _group(found: Recognised, kind: str, wanted: str, groups: Mapping[str, str]) -> dict[str, Any]:
    every = zip(found.candidates, found.chances, strict=True)
    members = [(each, float(chance)) for each, chance in every if groups[each.name] == wanted]
    chance = sum(chance for _, chance in members)
    sure = found.is_sure(chance)
    return {
        "kind": kind,
        "name": wanted,
        "english": _english(members[0][0]) if kind == "species" else _shared_word(members),
        "probability": _number(chance),
        "sure": None if sure is None else int(sure),
        "best": members[0][0].name,
    }


def _english(candidate: Candidate) -> str | None:
    return candidate.fish[2] if candidate.fish else None


def _shared_word(members: Sequence[tuple[Candidate, float]]) -> str | None:
    """Return the last word of the English names of a group, such as mackerel, if the probable ones share it."""
    words = {(_english(each) or "").rpartition(" ")[2].lower() for each, chance in members if chance >= _SHARED}
    return words.pop() or None if len(words) == 1 else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rows(connection: Connection, sql: str, *given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(sql, list(given)).fetchall()
