"""Kills: a process that is killed at any moment leaves all of its work or nothing, and the work can be done again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from copied import MODEL, copied_model
from harness import Outcome, Tally, folder, killed, limited, part
from PIL import Image

import meetup2025
from meetup2025 import embedding
from meetup2025.embedding.installing.install import Wishes, install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

_KILLS = 50
_MISSES = 20
"""Kills that may come after the end of the work, before one that hits."""

_AGAIN = 10
"""Of so many kills, one is followed by the work done again."""

_ROWS = (
    "SELECT FishID, Name, Model, Features FROM MeetUp2025.Fish ORDER BY FishID",
    "SELECT Name, Label, Hash, Features FROM MeetUp2025.FishImage ORDER BY Name",
    "SELECT Name, Look FROM MeetUp2025.Thumbnail ORDER BY Name",
    "SELECT Run, Source, Item, Cluster FROM MeetUp2025.ClusterItem ORDER BY Run, Source, Item",
    "SELECT Kind, Source, Items, Fingerprint FROM MeetUp2025.Analysis ORDER BY Fingerprint",
    "SELECT Run, Part, Content FROM MeetUp2025.FittedModel ORDER BY Run, Part",
    "SELECT Run, Subject, Name FROM MeetUp2025.Metric ORDER BY Run, Subject, Name",
)


@dataclass
class Work:
    """A kind of work: its name, what it is done on, the work, and what tells its result."""

    name: str
    start: Path
    do: Callable[[Path], object]
    content: Callable[[Path], object]


@part
def kills(random: Random) -> Iterator[Tally]:
    """Kill loads of names, photos and vectors, fits, and installations of a model."""
    with folder() as place:
        import sklearn.cluster  # noqa: F401 - once, and not in each copy

        for work in _works(place):
            yield _killed(random, work, place / "now")


def _works(place: Path) -> Iterator[Work]:
    empty, full = place / "empty", place / "full"
    empty.mkdir()
    full.mkdir()
    _photos(place / "photos")
    _vectors(place / "vectors.jsonl")
    names = "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')"
    _outcome(partial(_run, full, names))
    yield Work("kills while names are loaded", empty, lambda at: _run(at, names), _content)
    load = f"SELECT MeetUp2025.LoadImages('{place / 'photos'}')"
    yield Work("kills while photos are loaded", empty, lambda at: _run(at, load, str(place)), _content)
    vectors = f"SELECT MeetUp2025.LoadVectors('{place / 'vectors.jsonl'}', 'FishImage', 'm@1')"
    yield Work("kills while vectors are loaded", empty, lambda at: _run(at, vectors, str(place)), _content)
    fit = "SELECT MeetUp2025.FitClusters('Fish', 5)"
    yield Work("kills while groups are fitted", full, lambda at: _run(at, fit), _content)
    model = copied_model(place)
    yield Work("kills while a model is installed", empty, partial(_install, model), _installed)


def _photos(folder: Path) -> None:
    folder.mkdir()
    for shade in range(40):
        Image.new("RGB", (64, 64), (shade * 4, 99, 255 - shade * 4)).save(folder / f"{shade}.png")


def _vectors(path: Path) -> None:
    rows = np.random.default_rng(5).normal(size=(1_000, 512))
    lines = [json.dumps({"filename": f"{at}.jpg", "features": list(row)}) for at, row in enumerate(rows)]
    path.write_text("\n".join(lines), "utf-8")


def _run(at: Path, statement: str, *folders: str) -> None:
    with meetup2025.connect(f"duckdb:///{at / 'fish.duckdb'}", folders=folders) as connection:
        connection.cursor().execute(statement).fetchall()
        connection.commit()


def _content(at: Path) -> str:
    digest = hashlib.sha256()
    with meetup2025.connect(f"duckdb:///{at / 'fish.duckdb'}") as connection, connection.cursor() as cursor:
        for statement in _ROWS:
            digest.update(repr(cursor.execute(statement).fetchall()).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _install(model: Path, at: Path) -> None:
    os.environ["MEETUP2025_MODELS"] = str(at)
    install(str(model), Wishes())


def _installed(at: Path) -> str:
    """Return whether the model is there. A model that is there must answer."""
    os.environ["MEETUP2025_MODELS"] = str(at)
    try:
        return str(embedding.encoder(MODEL).texts(["サバ"])[0][:3])
    except meetup2025.errors.MissingModelError:
        return "none"


def _killed(random: Random, work: Work, now: Path) -> Tally:
    """Kill the work again and again, and compare what is there with before and after."""
    tally = Tally(work.name)
    before = _told(work, _fresh(work, now))
    seconds = 0.0
    for _ in range(2):
        began = time.monotonic()
        tally.add("the work undisturbed", _outcome(partial(work.do, _fresh(work, now))))
        seconds = time.monotonic() - began
    after = _told(work, now)
    tally.check("the work changes nothing", before != after)
    for number in range(_KILLS):
        seconds = _hit(random, work, now, seconds)
        tally.check("no kill came before the end", seconds)
        found = _told(work, now)
        tally.check(f"neither before nor after: {found}", found in {before, after})
        tally.tries -= 1  # a kill is one try
        if number % _AGAIN == 0:
            _outcome(partial(work.do, now))
            found = _told(work, now)
            tally.check(f"not the same when done again: {found}", found == after)
    return tally


def _hit(random: Random, work: Work, now: Path, seconds: float) -> float:
    """
    Kill the work before its end. Where it ends first, it is done again, with its new time.

    Args:
        random: Chooses the moment of the kill.
        work: The work.
        now: Folder on which it is done.
        seconds: Seconds that the work takes.

    Returns:
        Seconds that the work takes, or 0 where no kill came before its end.
    """
    for _ in range(_MISSES):
        ended = killed(partial(work.do, _fresh(work, now)), random.uniform(0.02, 1.0) * seconds)
        if ended is None:
            return seconds
        seconds = ended
    return 0.0


def _fresh(work: Work, now: Path) -> Path:
    shutil.rmtree(now, ignore_errors=True)
    shutil.copytree(work.start, now)
    return now


def _told(work: Work, now: Path) -> str:
    outcome = _outcome(partial(work.content, now))
    return f"{outcome.kind} {outcome.told}"


def _outcome(call: Callable[[], object]) -> Outcome:
    return limited(call, seconds=60, memory=4_000_000_000)
