"""
The resident encoder: one process of an InterSystems IRIS instance holds the model, and the others load none.

The class `MeetUp2025.Worker` starts that process with JOB, and has the lock that it holds as long as it lives; the rest
is here. It is a `server` on a Unix socket, in a folder of the instance that is its user's alone. What it tells of
itself is in a global of IRISTEMP: all namespaces see that one, no transaction takes it back, and a restart empties it.

    a process of IRIS: encoder() -> address() -> its lock is free? JOB, and wait -> remote -> the socket
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
    from meetup2025.embedding import Encoder

GLOBAL = "^IRIS.TempUser.MeetUp2025"
"""What the worker tells of itself; the lock has its name (documentation: Using Multidimensional Storage, IRISTEMP)."""

SOCKET = "meetup2025-worker/encoder.sock"
"""
Below the folder of the manager: each instance has its own, and who writes there owns the instance. In a folder for
temporary files two instances of one user would meet, and others could take the name first.
"""

START_SECONDS = 30.0
"""Time for a worker to load its model: a ViT-B/16 takes some 5 seconds with its checks."""

STOP_SECONDS = 30.0
"""Time for a worker to end: the requests that run have 10, and loading a model is not cut short."""

_LOOK = 0.05
"""Seconds between two looks at what another process does."""

_MOST_FAILURES = 20
"""Failed requests of a second that are logged."""


def address() -> str:
    """
    Give the address of the worker, after it was started where none ran.

    Raises:
        EncoderUnavailableError: This is no process of IRIS, or no worker is ready in time; it says why.
    """
    instance = _Instance()
    _ensure(instance)
    return instance.address()


def start() -> str:
    """
    Start the worker where none runs, and wait until it takes requests.

    Returns:
        A sentence.

    Raises:
        EncoderUnavailableError: As `address`.
    """
    instance = _Instance()
    what = "ran already" if instance.is_running() else "has started"
    _ensure(instance)
    return f"The worker {what}: process {instance.told('pid')} with the model {instance.told('model')}."


def stop() -> str:
    """
    End the worker, after the requests that run.

    Returns:
        A sentence.

    Raises:
        OperationalError: It does not end in time. It is not killed.
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
    Tell of the worker.

    Returns:
        A JSON object. Whether it is *running* its lock says; *pid*, *model*, *address*, *since*, *heartbeat_seconds*
        (how long ago it beat last, about 1 in good health) and *requests* it said itself, and *error* the last one.
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


def serve() -> None:
    """
    Be the worker, until `stop`: `MeetUp2025.Worker.Run` calls it in a process of its own, which has the lock.

    What goes wrong is told to those who wait, by the global, and to messages.log.
    """
    instance = _Instance()
    try:
        _serve(instance)
    except Exception as error:  # noqa: BLE001 - nobody is above to get it
        instance.tell(error=f"{type(error).__name__}: {error}")
        iris_process.log(f"MeetUp2025.Worker: {type(error).__name__}: {error}")
    iris_process.log(f"MeetUp2025.Worker: process {os.getpid()} ends.")


def _serve(instance: _Instance) -> None:
    from meetup2025.embedding import local_encoder
    from meetup2025.embedding.server import serve_forever

    began = time.monotonic()
    encoder = local_encoder()
    encoder.check()
    took = time.monotonic() - began
    requests = _Requests()
    serve_forever(
        instance.address(),
        model=encoder,
        stop=lambda: bool(instance.told("stop")),
        heartbeat=lambda: _beat(instance, requests),
        ready=lambda where: _ready(instance, encoder, where, took),
        log=requests.hear,
    )


def _ready(instance: _Instance, encoder: Encoder, where: str, took: float) -> None:
    instance.tell(model=encoder.model, address=where, since=time.time())
    what = f"process {os.getpid()} loaded {encoder.model} in {took:.1f} seconds and serves {where}"
    iris_process.log(f"MeetUp2025.Worker: {what}.")


def _beat(instance: _Instance, requests: _Requests) -> None:
    instance.tell(pid=os.getpid(), beat=time.time(), requests=requests.count)
    while requests.failures:
        line = requests.failures.popleft()
        instance.tell(error=line)
        iris_process.log(f"MeetUp2025.Worker: {line}")


def _ensure(instance: _Instance) -> None:
    """Have a worker that takes requests, which is one whose heart beats; one start is tried, and waited for."""
    if not hasattr(socket, "AF_UNIX"):
        raise _unavailable("a system without Unix sockets; use `meetup2025 serve` on a port, and MEETUP2025_ENCODER")
    was_started = False
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        had_lock = bool(instance.told("pid"))  # before the lock: a process may take it, and tell, between the two looks
        if instance.is_running():
            if instance.told("beat") and not instance.told("stop"):
                return
        elif not was_started:
            instance.tell(pid="", beat="")  # of a dead one; one that others start meanwhile beats again within a second
            if not instance.start():
                raise _unavailable("no process that JOB could start in time")
            was_started = True
        elif had_lock:
            raise _unavailable(instance.told("error") or "one that ended; messages.log may say why")
        time.sleep(_LOOK)
    raise _unavailable(f"none that was ready within {START_SECONDS:g} seconds; messages.log may say why")


def _unavailable(got: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(f"The worker of this instance must run. Got: {got}")


def _moment(seconds: str) -> str | None:
    """Write a time as ISO 8601."""
    return datetime.fromtimestamp(float(seconds), timezone.utc).isoformat(timespec="seconds") if seconds else None


class _Requests:
    """
    What the server tells of its requests, in its threads; the main thread reads it.

    Attributes:
        count: Requests for vectors that were answered.
        failures: Lines of those that were the server's fault.
    """

    def __init__(self) -> None:
        self.count = 0
        self.failures: deque[str] = deque(maxlen=_MOST_FAILURES)
        self._lock = threading.Lock()

    def hear(self, line: str) -> None:
        """Take a line, as in `POST /v1/embeddings 200 12.0 ms`."""
        _, path, status, *_ = [*line.split(), "", ""]  # a line is cut where the path is long
        with self._lock:
            self.count += path == "/v1/embeddings"
        if status.startswith("5"):
            self.failures.append(line)


class _Instance:
    """
    The IRIS process that this Python runs in, as one that asks for the worker, or is it.

    Raises:
        EncoderUnavailableError: This Python runs in no such process.
    """

    def __init__(self) -> None:
        self._iris = iris_process.module()
        if self._iris is None:
            raise EncoderUnavailableError(
                "The setting Worker must be on inside InterSystems IRIS alone. Got another Python; "
                "unset MEETUP2025_WORKER, or use `meetup2025 serve` and MEETUP2025_ENCODER."
            )

    def is_running(self) -> bool:
        """Tell whether a process has the lock."""
        return bool(int(self._iris.cls("MeetUp2025.Worker").IsRunning()))

    def start(self) -> bool:
        """Start a process; it tells its *pid* when it has the lock."""
        return bool(int(self._iris.cls("MeetUp2025.Worker").Job()))

    def told(self, name: str) -> str:
        """Read a node of the global; empty where there is none."""
        value = self._iris.gref(GLOBAL).get([name])
        return "" if value is None else str(value)

    def tell(self, **values: Any) -> None:
        """Write nodes of the global."""
        for name, value in values.items():
            self._iris.gref(GLOBAL).set([name], value)

    def address(self) -> str:
        """Give the address of the socket: it is made of the folder, never read from a global that others may write."""
        folder = str(self._iris.cls("%Library.File").ManagerDirectory())
        return f"unix:{os.path.join(folder, SOCKET)}"  # noqa: PTH118 - text in, text out
