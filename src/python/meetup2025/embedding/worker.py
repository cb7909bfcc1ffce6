"""
The worker: one process of an InterSystems IRIS instance holds the model, and the other processes load none.

The class `MeetUp2025.Worker` starts the worker with JOB, and names the lock that the worker holds while it runs. The
worker is a `server` on a Unix socket, in a folder of the instance to which only the user of IRIS has access. The worker
writes its state into a global of IRISTEMP: all namespaces see this global, no transaction takes its values back, and a
restart of IRIS empties it.

    a process of IRIS: encoder() -> address() -> is the lock free? JOB, and wait -> client -> the socket
    the worker:        MeetUp2025.Worker.Run -> serve() -> server.serve_forever
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from meetup2025 import iris_process
from meetup2025.errors import EncoderUnavailableError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.embedding import Encoder

GLOBAL = "^IRIS.TempUser.MeetUp2025"
"""State of the worker. The lock has the same name (documentation: Using Multidimensional Storage, IRISTEMP)."""

SOCKET = "meetup2025-worker/encoder.sock"
"""
Socket, in the folder of the manager. Each instance has such a folder, and only the owner of the instance writes there.
In a folder for temporary files two instances of one user would collide, and another user could take the name first.
"""

START_SECONDS = 30.0
"""Time in which a worker loads its model. A ViT-B/16 takes about 5 seconds with its checks."""

STOP_SECONDS = 30.0
"""Time in which a worker ends. Running requests have 10 seconds, and the loading of a model is not interrupted."""

_LOOK = 0.05
"""Seconds between two checks of the state of another process."""

_MOST_FAILURES = 20
"""Most failed requests of a second that are logged."""


def address() -> str:
    """
    Return the address of the worker. Start the worker if none runs.

    Raises:
        EncoderUnavailableError: This is no process of IRIS, or no worker is ready in time. The message says why.
    """
    instance = _Instance()
    _ensure(instance)
    return instance.address()


def start() -> str:
    """
    Start the worker if none runs, and wait until it takes requests.

    Returns:
        A sentence about the worker.

    Raises:
        EncoderUnavailableError: As in `address`.
    """
    instance = _Instance()
    state = "ran already" if instance.is_running() else "has started"
    _ensure(instance)
    return f"The worker {state}: process {instance.told('pid')} with the model {instance.told('model')}."


def stop() -> str:
    """
    End the worker after its running requests.

    Returns:
        A sentence about the worker.

    Raises:
        OperationalError: The worker does not end in time. It is not killed.
    """
    instance = _Instance()
    if not instance.is_running():
        return "No worker runs."
    process = instance.told("pid")
    instance.tell(stop=1)
    until = time.monotonic() + STOP_SECONDS
    while instance.is_running() and instance.told("pid") == process:
        if time.monotonic() > until:
            raise OperationalError(
                f"The worker must end within {STOP_SECONDS:g} seconds. Got process {process}, which still runs; "
                f"wait, or end it: do $system.Process.Terminate({process})"
            )
        time.sleep(_LOOK)
    return f"The worker has ended: process {process}."


def status() -> str:
    """
    Return the state of the worker.

    Returns:
        A JSON object. The lock tells whether the worker is *running*. The worker itself wrote *pid*, *model*,
        *address*, *since*, *heartbeat_seconds* (seconds since its last heartbeat, about 1 in good health), *requests*
        and *error* (the last error).
    """
    instance = _Instance()
    told: dict[str, Any] = {"running": instance.is_running()}
    if told["running"]:
        told |= {name: instance.told(name) for name in ("pid", "model", "address")}
        told["since"] = _moment(instance.told("since"))
        beat = instance.told("beat")
        told["heartbeat_seconds"] = round(time.time() - float(beat), 1) if beat else None
        told["requests"] = int(instance.told("requests") or 0)
    return json.dumps(told | {"error": instance.told("error")}, ensure_ascii=False)


def serve(load: Callable[[], Encoder]) -> None:
    """
    Be the worker until `stop`. `MeetUp2025.Worker.Run` calls this function in a process that holds the lock.

    An error is written to the global, where the waiting processes read it, and to messages.log.

    Args:
        load: Returns the model.
    """
    instance = _Instance()
    try:
        _serve(instance, load)
    except Exception as error:  # noqa: BLE001 - no caller could handle it
        instance.tell(error=f"{type(error).__name__}: {error}")
        iris_process.log(f"MeetUp2025.Worker: {type(error).__name__}: {error}")
    iris_process.log(f"MeetUp2025.Worker: process {os.getpid()} ends.")


def _serve(instance: _Instance, load: Callable[[], Encoder]) -> None:
    from meetup2025.embedding.server import serve_forever

    began = time.monotonic()
    encoder = load()
    encoder.check()
    took = time.monotonic() - began
    requests = _Requests()
    serve_forever(
        instance.address(),
        lambda: encoder,
        stop=lambda: bool(instance.told("stop")),
        heartbeat=lambda: _beat(instance, requests),
        ready=lambda where: _ready(instance, encoder, where, took),
        log=requests.count_line,
    )


def _ready(instance: _Instance, encoder: Encoder, where: str, took: float) -> None:
    instance.tell(model=encoder.model, address=where, since=time.time())
    line = f"process {os.getpid()} loaded {encoder.model} in {took:.1f} seconds and serves {where}"
    iris_process.log(f"MeetUp2025.Worker: {line}.")


def _beat(instance: _Instance, requests: _Requests) -> None:
    instance.tell(pid=os.getpid(), beat=time.time(), requests=requests.count)
    while requests.failures:
        line = requests.failures.popleft()
        instance.tell(error=line)
        iris_process.log(f"MeetUp2025.Worker: {line}")


def _ensure(instance: _Instance) -> None:
    """Wait for a worker that has a heartbeat, and so takes requests. Start a worker once if none runs."""
    if not hasattr(socket, "AF_UNIX"):
        raise _unavailable("a system without Unix sockets; use `meetup2025 serve` on a port, and MEETUP2025_ENCODER")
    was_started = False
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        had_lock = bool(instance.told("pid"))  # read before the lock, which a process may take between the two
        if instance.is_running():
            if instance.told("beat") and not instance.told("stop"):
                return
        elif not was_started:
            instance.tell(pid="", beat="")  # values of a dead worker: a living one writes its own again within a second
            if not instance.start():
                raise _unavailable("no process that JOB could start in time")
            was_started = True
        elif had_lock:
            raise _unavailable(instance.told("error") or "a worker that ended; messages.log may say why")
        time.sleep(_LOOK)
    raise _unavailable(f"no worker that was ready within {START_SECONDS:g} seconds; messages.log may say why")


def _unavailable(got: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(f"The worker of this instance must run. Got: {got}")


def _moment(seconds: str) -> str | None:
    """Return a time as ISO 8601, or None for an empty text."""
    return datetime.fromtimestamp(float(seconds), timezone.utc).isoformat(timespec="seconds") if seconds else None


class _Requests:
    """
    The requests of the server. Its threads write here, and the main thread reads.

    Attributes:
        count: Number of answered requests for vectors.
        failures: Lines of the requests that failed by a fault of the server.
    """

    def __init__(self) -> None:
        self.count = 0
        self.failures: deque[str] = deque(maxlen=_MOST_FAILURES)
        self._lock = threading.Lock()

    def count_line(self, line: str) -> None:
        """Count a request by its line in the log, for example `POST /v1/embeddings 200 12.0 ms`."""
        _, path, status, *_ = [*line.split(), "", ""]  # the line of a long path has no status
        with self._lock:
            self.count += path == "/v1/embeddings"
        if status.startswith("5"):
            self.failures.append(line)


class _Instance:
    """
    The IRIS instance of this process, which is the worker or asks for it.

    Raises:
        EncoderUnavailableError: This Python does not run in a process of IRIS.
    """

    def __init__(self) -> None:
        self._iris = iris_process.module()
        if self._iris is None:
            raise EncoderUnavailableError(
                "The setting Worker must be on only inside InterSystems IRIS. Got another Python; "
                "unset MEETUP2025_WORKER, or use `meetup2025 serve` and MEETUP2025_ENCODER."
            )

    def is_running(self) -> bool:
        """Return whether a process has the lock."""
        return bool(int(self._iris.cls("MeetUp2025.Worker").IsRunning()))

    def start(self) -> bool:
        """Start a process, which writes its *pid* when it has the lock. Return whether JOB started it."""
        return bool(int(self._iris.cls("MeetUp2025.Worker").Job()))

    def told(self, name: str) -> str:
        """Return a node of the global, or an empty text if there is none."""
        value = self._iris.gref(GLOBAL).get([name])
        return "" if value is None else str(value)

    def tell(self, **values: Any) -> None:
        """Write nodes of the global."""
        for name, value in values.items():
            self._iris.gref(GLOBAL).set([name], value)

    def address(self) -> str:
        """Return the address of the socket. It is never read from the global, which other processes may write."""
        folder = str(self._iris.cls("%Library.File").ManagerDirectory())
        return f"unix:{os.path.join(folder, SOCKET)}"  # noqa: PTH118 - text in, text out
