"""
A folder of photos into the table `MeetUp2025.FishImage` with many machines: what `load photos --ray` does.

The machines read the photos and make the vectors; this process alone lists the folder and writes the table. What is
stored is known by its hash and model, so a run that was interrupted goes on where it was, and each name has one row
whatever is done twice.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from meetup2025 import ray_cluster
from meetup2025.embedding import encoder
from meetup2025.errors import (
    Error,
    ForbiddenPathError,
    IntegrityError,
    MissingModelError,
    ModelMismatchError,
    OperationalError,
)
from meetup2025.folders import Skipped
from meetup2025.photos import Changes, Photo, check_imported, find_photos, open_photo, write_rows, write_skipped
from meetup2025.stored import (
    StoredImage,
    batches,
    check_models,
    models_left,
    names_of_fish,
    rows_of_images,
    stored_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Connection

_TASK = 256
"""Most photos of a task, which is also a transaction: what a lost machine, or an end of this process, costs."""

_TASKS_OF_A_PROCESSOR = 4
"""Least tasks for each processor, where there are few photos: the last ones to finish keep nobody waiting long."""

_BATCH = 32
"""Photos open at once in a worker."""

_ATTEMPTS = 3
"""Times that a transaction is begun when another run writes the same photos."""

_LOST = (
    "The process that embeds a photo must live. Got one that ended, each time. "
    "Give the machines more memory, or take the file out."
)


@dataclass(frozen=True)
class Task:
    """Photos, each with the row that the table has of it, or None."""

    number: int
    photos: list[tuple[Photo, StoredImage | None]]


@dataclass(frozen=True)
class Result:
    """What is to be written for the photos of a task, or why there is nothing."""

    number: int
    changes: Changes | None
    failure: Error | None = None


class Worker:
    """
    What embeds on the machines.

    Args:
        folder: The folder of the photos, which must be there on each machine.
        model: Id and revision of the model, which must be installed on each machine.
    """

    def __init__(self, folder: str, model: str) -> None:
        os.environ["MEETUP2025_PHOTOS"] = folder
        self._folder, self._model = folder, model

    def __call__(self, task: Task) -> Result:
        """Do a task. What fails for all photos is part of the result: raised here, Ray would take it for a loss."""
        try:
            return Result(task.number, self._changes(task))
        except Error as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - of a library, as onnxruntime without memory
            failure = OperationalError(f"A photo must be embedded or left out. Got {type(error).__name__}: {error}.")
        failure.args = (f"{failure} (On the machine {socket.gethostname()}.)",)
        return Result(task.number, None, failure)

    def _changes(self, task: Task) -> Changes:
        changes, model = Changes([]), self._encoder()
        for batch in batches(task.photos, _BATCH):
            changes.add([open_photo(photo, before, model) for photo, before in batch], model)
        return changes

    def _encoder(self) -> Any:
        if not _has_files(self._folder):  # an empty one: what is mounted there elsewhere is not mounted here
            raise ForbiddenPathError(f"The folder must be there. Got none, or an empty one: {self._folder}.")
        found = encoder(self._model.partition("@")[0])
        found.check()
        if found.model != self._model:
            raise ModelMismatchError(f"The model must be {self._model}, as in the database. Got {found.model}.")
        return found


def load_photos(connection: Connection, folder: Path, address: str) -> tuple[int, list[tuple[str, str]]]:
    """
    Load the photos of a folder, and commit after each few hundred; those that are there already are only read.

    Args:
        connection: An open connection, outside of a transaction.
        folder: The folder; it is below an allowed one, and there on each machine of the cluster.
        address: Of the cluster, as `ray_cluster.connected` takes it.

    Returns:
        The number of photos added or changed, and the name of each file left out with the reason.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
        ModelMismatchError: Photos that the folder does not replace have vectors of another model; or a machine has
            another revision of the model.
        MissingModelError: The model is not on each machine.
        ForbiddenPathError: The folder is not there on a machine.
        OperationalError: No cluster answers at the address, or it fails.
    """
    with ray_cluster.connected(address) as processors:
        model = _model(connection)
        stored = stored_images(connection)
        files, skipped = find_photos(folder, names_of_fish(connection))
        check_models("FishImage", model, models_left(stored, files))
        check_imported(model, stored, files)
        connection.commit()
        photos = [(file, stored.get(key)) for key, file in files.items()]
        changed = 0
        for changes in _embedded(photos, processors, (str(folder), model)):
            changed += _store(connection, changes)
            skipped += changes.skipped
    with connection.transaction(), connection.cursor() as cursor:
        write_skipped(cursor, skipped)
    connection.commit()
    # Once more: a photo that is broken by now keeps its old vector.
    check_models("FishImage", model, [row.model for row in stored_images(connection).values()])
    return changed, [(each.name, each.reason) for each in skipped]


def _model(connection: Connection) -> str:
    """Find the model that the database searches with: vectors of another could not be found."""
    with connection.cursor() as cursor:
        models = json.loads(cursor.execute("SELECT MeetUp2025.InstalledModels()").fetchall()[0][0])
    used = [f"{each['id']}@{each['revision']}" for each in models if each["used"]]
    if not used:
        known = ", ".join(each["id"] for each in models if not each["fault"]) or "none"
        raise MissingModelError(f"The model of the database must be installed there. Got another; installed: {known}.")
    return used[0]


def _embedded(
    photos: list[tuple[Photo, StoredImage | None]], processors: int, arguments: tuple[str, str]
) -> Iterator[Changes]:
    """
    Give what is to be written, task by task.

    Photos of a task that ended its process each time are tried one by one, so that one photo costs itself alone.
    """
    from tqdm import tqdm

    size = max(1, min(_TASK, -(-len(photos) // (processors * _TASKS_OF_A_PROCESSOR))))
    with tqdm(total=len(photos), unit=" photos", disable=None, leave=False) as bar:
        for each in (size, 1):
            left = {number: Task(number, part) for number, part in zip(count(), batches(photos, each), strict=False)}
            for result in ray_cluster.run(Worker, arguments, list(left.values())) if left else ():
                if task := left.pop(result.number, None):
                    bar.update(len(task.photos))
                    yield _changes(result)
            photos = [photo for task in left.values() for photo in task.photos]
    yield Changes([Skipped(file.name, _LOST) for file, _ in photos])


def _changes(result: Result) -> Changes:
    if result.changes is None:
        raise result.failure or OperationalError("A task must have a result. Got none; run the load again.")
    return result.changes


def _store(connection: Connection, changes: Changes, attempts: int = _ATTEMPTS) -> int:
    """Write rows in a transaction; where another run writes the same ones, see what it wrote and write the rest."""
    try:
        return _write(connection, changes)
    except (IntegrityError, OperationalError):
        with suppress(Error):  # a broken connection has no more to say than the error before
            connection.rollback()
        if attempts == 1:
            raise
    return _store(connection, changes, attempts - 1)


def _write(connection: Connection, changes: Changes) -> int:
    """Write what differs from the table as it is now, and commit; the number of rows written."""
    with connection.transaction(), connection.cursor() as cursor:
        now = rows_of_images(cursor, [row[0] for row in changes.rows] + [row.name for row in changes.words])
        rows = [row for row in changes.rows if _differs(now, StoredImage(*row[:-1]))]
        words = [row for row in changes.words if _differs(now, row)]
        write_rows(cursor, replace(changes, rows=rows, words=words), now)
    connection.commit()
    return len(rows) + len(words)


def _differs(now: dict[str, StoredImage], row: StoredImage) -> bool:
    before = now.get(row.name.upper())
    return before is None or astuple(before)[1:] != astuple(row)[1:]


def _has_files(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
