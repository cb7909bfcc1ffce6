"""
Loading of a folder of photos with many machines, by Ray: the work of `load photos --ray`.

The machines read the photos and make the vectors. Only this process lists the folder and writes the table. A stored
photo is known by its hash and its model. So an interrupted run goes on where it was, and a photo that is done twice has
one row.

The module reaches a Ray cluster within a time limit, and runs tasks on its machines with Ray Data. It is the only
module that imports Ray, and only when a cluster is used.
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
from dataclasses import dataclass
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
from meetup2025.loading.collection import Collection
from meetup2025.loading.folders import Skipped
from meetup2025.loading.photos import (
    Changes,
    Photo,
    Placing,
    check_covered,
    checked_prefix,
    find_photos,
    forget_skipped,
    open_photo,
    write_rows,
    write_skipped,
)
from meetup2025.loading.tables import batches, check_models, names_of_fish, stored_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines import Connection
    from meetup2025.loading.rows import StoredImage


_TASK = 256
"""Most photos of a task and of a transaction: the loss when a machine, or this process, ends."""

_TASKS_OF_A_PROCESSOR = 4
"""Least tasks for a processor, where there are few photos, so that nobody waits long for the last tasks."""

_BATCH = 32
"""Photos that are open at once in a worker."""

_ATTEMPTS = 3
"""Most tries of a transaction while another run writes the same photos."""

_LOST = (
    "The process that embeds a photo must live. Got one that ended, each time. "
    "Give the machines more memory, or take the file out."
)


@dataclass(frozen=True)
class Task:
    """Photos, each with its row in the table, or None."""

    number: int
    photos: list[tuple[Photo, StoredImage | None]]


@dataclass(frozen=True)
class TaskResult:
    """The changes for the photos of a task, or the error."""

    number: int
    changes: Changes | None
    failure: Error | None = None


class Worker:
    """
    The worker on the machines: it makes vectors.

    Args:
        folder: The folder of the photos. It must exist on all machines.
        model: Id and revision of the model. It must be installed on all machines.
    """

    def __init__(self, folder: str, model: str) -> None:
        self._folder, self._model = folder, model

    def __call__(self, task: Task) -> TaskResult:
        """
        Run a task. An error of all photos is part of the result: if it were raised here, Ray would count a lost task.
        """
        try:
            return TaskResult(task.number, self._changes(task))
        except Error as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - of a library, as onnxruntime without memory
            failure = OperationalError(f"A photo must be embedded or left out. Got {type(error).__name__}: {error}.")
        where = f"{failure} (On the machine {socket.gethostname()}.)"
        return TaskResult(task.number, None, failure.reworded(where))

    def _changes(self, task: Task) -> Changes:
        changes, model = Changes([]), self._encoder()
        with settings.chosen(folders=[self._folder]):
            for batch in batches(task.photos, _BATCH):
                changes.add([open_photo(photo, _contents(before), model) for photo, before in batch], model)
        return changes

    def _encoder(self) -> Any:
        if not _has_files(self._folder):  # an empty one: the drive is mounted elsewhere, and not on this machine
            raise ForbiddenPathError(f"The folder must exist and have files. Got {self._folder}.")
        found = encoder(self._model.partition("@")[0])
        found.check()
        if found.model != self._model:
            raise ModelMismatchError(f"The model must be {self._model}, as in the database. Got {found.model}.")
        return found


def load_photos(
    connection: Connection, folder: Path, address: str, prefix: str = ""
) -> tuple[int, list[tuple[str, str]]]:
    """
    Load the photos of a folder, and commit after every few hundred. Photos that are in the table are only read.

    Args:
        connection: An open connection, outside of a transaction.
        folder: The folder. It is below an allowed folder and exists on all machines of the cluster.
        address: Address of the cluster, as for `connected`.
        prefix: First part of the names of new photos.

    Returns:
        The number of photos added or changed, and the names of the files that were left out, with the reasons.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
        ModelMismatchError: Photos that the folder does not replace have vectors of another model, or a machine has
            another revision of the model.
        MissingModelError: A machine does not have the model.
        ForbiddenPathError: The folder does not exist on a machine.
        OperationalError: No cluster answers at the address, or it fails.
    """
    with connected(address) as processors:
        model, prefix = _model(connection), checked_prefix(prefix)
        placing = Placing(Collection(stored_images(connection), prefix))
        files, skipped = find_photos(folder, names_of_fish(connection), prefix)
        check_covered(model, placing.collection, files)
        connection.commit()
        photos = [(file, placing.collection.likely(file.row())) for file in files]
        changed = 0
        for found in _embedded(photos, processors, (str(folder), model)):
            changes = _store(connection, placing, found)
            changed += changes.count
            skipped += changes.skipped
        changed += _store(connection, placing, placing.waiting(), last=True).count
    with connection.transaction(), connection.cursor() as cursor:
        forget_skipped(cursor)
        write_skipped(cursor, skipped)
    connection.commit()
    # Once more: a photo that is broken by now keeps its old vector.
    check_models("FishImage", model, [row.model for row in stored_images(connection).values()])
    return changed, [(each.name, each.reason) for each in skipped]


def _model(connection: Connection) -> str:
    """Find the model with which the database searches. A search would not find vectors of another model."""
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
    Yield the changes, task by task.

    If a task ended its process at every try, its photos are tried one by one, so that only one photo is lost.
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


def _changes(result: TaskResult) -> Changes:
    if result.changes is None:
        raise result.failure or OperationalError("A task must have a result. Got none; run the load again.")
    return result.changes


def _store(
    connection: Connection, placing: Placing, found: Changes, *, last: bool = False, attempts: int = _ATTEMPTS
) -> Changes:
    """
    Write the rows of some files, commit, and return the changes.

    Where another run writes the same rows, read the table, and write what is still different.
    """
    changes = placing.place(found, last=last)
    try:
        with connection.transaction(), connection.cursor() as cursor:
            write_rows(cursor, changes)
        connection.commit()
    except (IntegrityError, OperationalError):
        with suppress(Error):  # a broken connection has no more to say than the error before
            connection.rollback()
        if attempts == 1:
            raise
        placing.collection.reread(stored_images(connection))
        return _store(connection, placing, found, last=last, attempts=attempts - 1)
    return changes


def _contents(row: StoredImage | None) -> dict[str, StoredImage]:
    return {row.hash: row} if row and row.hash else {}


def _has_files(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


LOCAL = "local"
"""Address of a cluster that starts on this machine, and ends with the block that uses it."""

CONNECT_TIMEOUT = 5
"""Seconds for the network to answer at an address."""

JOIN_TIMEOUT = 30
"""Seconds for Ray to answer at an address. Ray itself would try for minutes."""

RETRIES = 3
"""Times that a task is run again after its process or its machine ended."""

_JOIN = "import ray, sys; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR')"


@contextlib.contextmanager
def connected(address: str) -> Iterator[int]:
    """
    Use a cluster for a block.

    Args:
        address: HOST:PORT of the head of a cluster to which this machine belongs, or `local`.

    Yields:
        The present number of processors of the cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        InterfaceError: The address has another form.
        OperationalError: No cluster answers there, it cannot be used, or it fails within the block.
    """
    if address == LOCAL:
        _lock()
    ray = _imported()
    if address != LOCAL:
        _check_answer(address)
        _check_join(address)
    # Ray writes the events of its machines to standard output, where the results of a command stand.
    with contextlib.redirect_stdout(io.StringIO()), _failures(f"The Ray cluster {address} must do its work."):
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **_options(address))
        try:
            yield _processors(ray, address)
        finally:
            ray.shutdown()


def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Any]) -> Iterator[Any]:
    """
    Run tasks on the machines of the connected cluster, and yield the results as they come, in any order.

    A task whose process ends again and again has no result. The results of the other tasks still come.

    Args:
        worker: A class whose objects are called with a task and return its result. There is one object a processor.
        arguments: Arguments for making the objects.
        tasks: One task or more.
    """
    data = _imported().data
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = -1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # a missing result means a lost process
    # One task at a time: a task that waits behind another one would end with its process, too.
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
    """A worker behind rows of bytes: Ray Data looks through other objects, which takes as long as the photos."""

    def __init__(self, worker: type, *arguments: Any) -> None:
        self._worker = worker(*arguments)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        return {"item": pickle.dumps(self._worker(pickle.loads(row["item"])))}  # noqa: S301 - as above


def _lock() -> None:
    """Close the ports of a cluster of this machine to others: without a token, anybody could run code there."""
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


def _imported() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # otherwise it warns of a change to come
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError(f"A Ray cluster needs ray: {settings.install_command('ray')}.") from error
    return ray


def _options(address: str) -> dict[str, Any]:
    return {"num_cpus": os.cpu_count(), "include_dashboard": False} if address == LOCAL else {}


def _processors(ray: Any, address: str) -> int:
    count = int(ray.cluster_resources().get("CPU", 0))
    if not count:
        raise OperationalError(f"A Ray cluster must have processors. Got none at {address}; start a machine with some.")
    return count


def _pool_size(tasks: int) -> int:
    """Return the number of workers to begin with. Ray starts more when machines are added, and goes on with fewer."""
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
    """Join the cluster in another process, which can be ended: the tries of Ray have no time limit."""
    command = [sys.executable, "-c", _JOIN, address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            _, said = process.communicate(timeout=JOIN_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1] + f"\nno answer of Ray in {JOIN_TIMEOUT} seconds"
    if "InvalidAuthToken" in said or "AuthenticationError" in said:
        raise _unreachable(
            address, "it needs a token; set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the token of its head"
        )
    if process.returncode:
        raise _unreachable(address, _last_line(said))


def _unreachable(address: str, got: str) -> OperationalError:
    return OperationalError(
        f"A Ray cluster must answer at {address}, and this machine must belong to it (`ray start`). Got: {got}."
    )


@contextlib.contextmanager
def _core_silenced() -> Iterator[None]:
    """
    Hide messages of the core of Ray, past `sys.stderr`, while workers start: some workers could not be started again.

    Later the messages must be seen: the core ends this process when the head of the cluster is lost.
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
    """Raise the errors of Ray as an error of this package."""
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
