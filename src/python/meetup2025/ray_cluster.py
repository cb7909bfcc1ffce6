"""
A Ray cluster: reaching it within a time limit, and running tasks on its machines with Ray Data.

The only module that imports Ray, and it does so when a cluster is asked for.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import secrets
import socket
import subprocess
import sys
import warnings
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025.errors import InterfaceError, MissingExtraError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
