"""
A folder of photos into the table `MeetUp2025.FishImage` with many machines: what `load photos --ray` does.

The machines read the photos and make the vectors; this process alone lists the folder and writes the table. What is
stored is known by its hash and model, so a run that was interrupted goes on where it was, and each name has one row
whatever is done twice.

A Ray cluster: reaching it within a time limit, and running tasks on its machines with Ray Data.

The only module that imports Ray, and it does so when a cluster is asked for.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import pickle
import secrets
import socket
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.embedding import encoder
from meetup2025.errors import (
    Error,
    ForbiddenPathError,
    IntegrityError,
    InterfaceError,
    MissingExtraError,
    MissingModelError,
    ModelMismatchError,
    OperationalError,
)
from meetup2025.iris_process import is_watched
from meetup2025.loading.folders import Skipped
from meetup2025.loading.photos import Changes, Photo, check_imported, find_photos, open_photo, write_rows, write_skipped
from meetup2025.loading.rows import StoredImage
from meetup2025.loading.tables import batches, check_models, models_left, names_of_fish, rows_of_images, stored_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        with settings.chosen(folders=[self._folder]):
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
    with connected(address) as processors:
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
    with tqdm(total=len(photos), unit=" photos", disable=not is_watched(), leave=False) as bar:
        for each in (size, 1):
            left = {number: Task(number, part) for number, part in zip(count(), batches(photos, each), strict=False)}
            for result in run(Worker, arguments, list(left.values())) if left else ():
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


LOCAL = "local"
"""Address of a cluster that is started on this machine, and ends with the block that uses it."""

CONNECT_TIMEOUT = 5
"""Seconds for the network to answer at an address."""

JOIN_TIMEOUT = 30
"""Seconds for Ray to answer there; it would try for minutes itself."""

RETRIES = 3
"""Times that a task is run again after its process or its machine ended."""

_JOIN = "import ray, sys; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR')"


@contextlib.contextmanager
def connected(address: str) -> Iterator[int]:
    """
    Use a cluster for a block.

    Args:
        address: HOST:PORT of the head of a cluster that this machine belongs to, or `local`.

    Yields:
        The number of processors that the cluster has now.

    Raises:
        MissingExtraError: Ray is not installed.
        InterfaceError: The address is of another form.
        OperationalError: No cluster answers there, it cannot be used, or it fails within the block.
    """
    if address == LOCAL:
        _lock()
    ray = _imported()
    if address != LOCAL:
        _check_answer(address)
        _check_join(address)
    # Ray writes what befalls its machines to standard output, where the results of a command stand.
    with contextlib.redirect_stdout(io.StringIO()), _failures(f"The Ray cluster {address} must do its work."):
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **_options(address))
        try:
            yield _processors(ray, address)
        finally:
            ray.shutdown()


def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Any]) -> Iterator[Any]:
    """
    Run tasks on the machines of the connected cluster, and give the results as they come, in any order.

    A task whose process ends again and again has no result; that the others have theirs is no reason to fail.

    Args:
        worker: A class whose objects are called with a task and give its result. Each processor has one of them.
        arguments: What the objects are made with.
        tasks: One or more.
    """
    data = _imported().data
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = -1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # a lost process is told by the missing result
    # One task at a time: one that waits behind another would end with its process, too.
    pool = data.ActorPoolStrategy(min_size=1, initial_size=_pool_size(len(tasks)), max_tasks_in_flight_per_actor=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray 2.64 will have another parameter for the retries
        results = data.from_items([pickle.dumps(task) for task in tasks], override_num_blocks=len(tasks)).map(
            _Pickled, fn_constructor_args=(worker, *arguments), compute=pool, num_cpus=1, max_task_retries=RETRIES
        )
    rows = iter(results.iter_rows())
    with _core_silenced():
        first = list(islice(rows, 1))
    for row in chain(first, rows):
        yield pickle.loads(row["item"])  # noqa: S301 - the machines of a cluster run the code of each other anyway


class _Pickled:
    """A worker behind rows of bytes: Ray Data takes as long to look through other objects as the photos take."""

    def __init__(self, worker: type, *arguments: Any) -> None:
        self._worker = worker(*arguments)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        return {"item": pickle.dumps(self._worker(pickle.loads(row["item"])))}  # noqa: S301 - as above


def _lock() -> None:
    """Let nobody else use the ports of a cluster of this machine: who knows no token could run code there."""
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


def _imported() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of a change to come
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("A Ray cluster needs ray: pip install 'meetup2025[ray]'.") from error
    return ray


def _options(address: str) -> dict[str, Any]:
    return {"num_cpus": os.cpu_count(), "include_dashboard": False} if address == LOCAL else {}


def _processors(ray: Any, address: str) -> int:
    count = int(ray.cluster_resources().get("CPU", 0))
    if not count:
        raise OperationalError(f"A Ray cluster must have processors. Got none at {address}; start a machine with some.")
    return count


def _pool_size(tasks: int) -> int:
    """Give the number of workers to begin with; Ray starts more when machines are added, and goes on with fewer."""
    return max(1, min(tasks, int(_imported().cluster_resources().get("CPU", 1))))


def _check_answer(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise InterfaceError(f"A Ray cluster must be HOST:PORT of its head, or {LOCAL}. Got {address!r}.")
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _check_join(address: str) -> None:
    """Join the cluster in another process, which can be ended: Ray cannot be told how long to try."""
    command = [sys.executable, "-c", _JOIN, address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            _, said = process.communicate(timeout=JOIN_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1] + f"\nno answer of Ray in {JOIN_TIMEOUT} seconds"
    if "InvalidAuthToken" in said or "AuthenticationError" in said:
        raise _unreachable(address, "it wants a token; set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to that of its head")
    if process.returncode:
        raise _unreachable(address, _last_line(said))


def _unreachable(address: str, got: str) -> OperationalError:
    return OperationalError(
        f"A Ray cluster must answer at {address}, and this machine be one of it (`ray start`). Got: {got}."
    )


@contextlib.contextmanager
def _core_silenced() -> Iterator[None]:
    """
    Hold back what the core of Ray says when workers start, past `sys.stderr`: that some could not be started again.

    Later it must be heard: it ends this process when the head of the cluster is lost.
    """
    with Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def _failures(rule: str) -> Iterator[None]:
    """Raise the errors of Ray as one of ours."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, RuntimeError, ValueError, ConnectionError) as error:
        if type(error).__module__.startswith("meetup2025."):
            raise
        raise OperationalError(f"{rule} Got {type(error).__name__}: {_last_line(str(error))}.") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:400] if lines else "nothing"
