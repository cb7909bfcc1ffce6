"""Servers: HTTP that no browser sends, slow and idle clients, and ten thousand requests, with a good client beside."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness import PROGRAM, Tally, folder, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

_TOKEN = "a-token-of-the-campaign"  # noqa: S105 - of the campaign
_REQUESTS, _ASKED, _IDLE = 10_000, 40, 1_000
_SLOWER, _GROWTH = 3, 1.05
_FLOOR = 0.25
"""Seconds that a good client may always wait at the 95th percentile, so that noise is no fault."""

_HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LINES = (
    *(b"Content-Length : %d", b"Content-Length\t: %d", b"Content-Length: %d\0", b"foo\r\nContent-Length: %d"),
    *(b": x\r\nContent-Length: %d", b"Content\0-Length: %d", b"X: y\nContent-Length: %d", b"X: y\rContent-Length: %d"),
    *(b"Content-Length: +%d", b"Content-Length: 0x%x", b"Content-Length: %d, 5", b"Content-Length: -1"),
    *(b"Content-Length: 5\r\nContent-Length: %d", b"Content-Length:\r\n %d", b"Transfer-Encoding : chunked"),
    *(b"Transfer-Encoding\x0b: chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: gzip, chunked"),
    *(b"Transfer-Encoding: chunked\r\nContent-Length: %d", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
    *(b"Transfer-Encoding: \x0bchunked", b"TRANSFER-ENCODING: x", b"Content-Length: \xb2", b"Content-Length: %d 5"),
    *(b"Host: a\r\nHost: b\r\nContent-Length : %d", b"Content-Length: 1_0", b"X: y\r\n\tz\r\nContent-Length : %d"),
)  # fmt: skip


@part
def servers(random: Random) -> Iterator[Tally]:
    """Attack the encoder server and the web pages, each as a process of its own."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name, ask, words in _servers():
        with folder() as place, served(place, *words) as (process, address):
            good = partial(ask, address)
            yield _heads(name, address, good)
            alone = _waits(good)
            for attack, begin in _ATTACKS.items():
                yield _during(random, f"{name}: {attack}", address, good, begin, alone)
            yield _many(name, process.pid, good)


def _servers() -> Iterator[tuple[str, Callable[[tuple[str, int]], float], tuple[str, ...]]]:
    os.environ["MEETUP2025_ENCODER_TOKEN"] = _TOKEN
    yield "serve", _embed, ("serve", "--listen", "http://127.0.0.1:0")
    del os.environ["MEETUP2025_ENCODER_TOKEN"]
    yield "web", _look, ("web", "--listen", "http://127.0.0.1:0")


@contextlib.contextmanager
def served(place: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """Run a server of the program, and return its process and address."""
    environment = {**os.environ, "MEETUP2025_URL": f"duckdb:///{place / 'web.duckdb'}"}
    command = [*PROGRAM, *words]
    with (place / "log").open("w") as log, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            told = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
            yield process, (str(urlsplit(told).hostname), int(urlsplit(told).port or 0))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _embed(address: tuple[str, int]) -> float:
    """Ask for a vector as a good client, and return the seconds."""
    body = json.dumps({"input": ["サバ"], "model": "sketch"})
    return _asked(address, "POST", "/v1/embeddings", body, {"Authorization": f"Bearer {_TOKEN}"})


def _look(address: tuple[str, int]) -> float:
    """Ask for the first page as a good client, and return the seconds."""
    return _asked(address, "GET", "/", None, {})


def _asked(address: tuple[str, int], method: str, path: str, body: str | None, headers: dict[str, str]) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request(method, path, body and body.encode(), headers)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return time.monotonic() - began if answer.status == 200 else 60.0


def _heads(name: str, address: tuple[str, int], good: Callable[[], float]) -> Tally:
    """Send heads that two servers could read in two ways: none is taken for two requests."""
    tally = Tally(f"{name}: heads read in two ways")
    for line in _LINES:
        given = line % len(_HIDDEN) if b"%" in line else line
        sent = b"POST /first HTTP/1.1\r\nHost: localhost\r\n" + given + b"\r\nX: y\r\n\r\n" + _HIDDEN
        answer = _exchanged(address, sent)
        statuses = [part.split()[0] for part in answer.split(b"HTTP/1.1 ")[1:]]
        is_refused = len(statuses) <= 1 and (not statuses or statuses[0][:1] in b"45")
        tally.check(f"{given[:60]!r} gave {statuses}", is_refused)
    tally.check("a good client is served after them", good() < 60)
    return tally


def _exchanged(address: tuple[str, int], sent: bytes) -> bytes:
    found = b""
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while some := connection.recv(65536):
            found += some
    return found


def _waits(good: Callable[[], float]) -> float:
    """Return the 95th percentile of the seconds that a good client waits."""
    good()
    return statistics.quantiles([good() for _ in range(_ASKED)], n=20)[-1]


def _during(
    random: Random,
    name: str,
    address: tuple[str, int],
    good: Callable[[], float],
    begin: Callable[[Random, tuple[str, int]], list[socket.socket]],
    alone: float,
) -> Tally:
    """Compare what a good client waits during an attack with what it waits alone."""
    tally, most = Tally(name), max(_FLOOR, _SLOWER * alone)
    connections = begin(random, address)
    found = _waits(good)
    tally.tries = len(connections) - 1
    tally.check(f"a good client waits {found:.3f} s, alone {alone:.3f} s", found <= most, found)
    for connection in connections:
        connection.close()
    return tally


def _opened(address: tuple[str, int], count: int, sent: bytes) -> list[socket.socket]:
    found = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            connection = socket.create_connection(address, timeout=20)
            found.append(connection)
            connection.setblocking(False)  # noqa: FBT003
            connection.send(sent)
    return found


def _idle(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    return _opened(address, _IDLE, b"\r\n")


def _kept(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    """Seventeen browsers of six connections, each with an answer, and open."""
    return _opened(address, 102, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")


def _slow(random: Random, address: tuple[str, int]) -> list[socket.socket]:
    return _opened(address, 300, b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + random.randbytes(9).hex().encode())


def _half(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    found = _opened(address, 200, b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    for connection in found:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
    return found


def _huge(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    heads = (
        b"Content-Length: 9999999999", chunked + b"ffffffff", chunked + b"1\r\na",
        b"X: " + b"a" * 200_000, b"\r\n".join(b"X%d: y" % number for number in range(5_000)),
    )  # fmt: skip
    return [
        each
        for head in heads
        for each in _opened(address, 10, b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
    ]


def _cookies(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    cookie = b'Cookie: a="' + b"\\x" * 100_000 + b'"'
    return _opened(address, 8, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + cookie + b"\r\n\r\n")


def _pipelined(_: Random, address: tuple[str, int]) -> list[socket.socket]:
    return _opened(address, 20, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)


_ATTACKS: dict[str, Callable[[Random, tuple[str, int]], list[socket.socket]]] = {
    "idle connections": _idle,
    "connections kept by a class of browsers": _kept,
    "slow heads": _slow,
    "half-closed bodies": _half,
    "huge heads, bodies and chunks": _huge,
    "cookies of 200 KB": _cookies,
    "pipelined requests": _pipelined,
}
"""Name of an attack -> what begins it, and returns its connections."""


def _many(name: str, pid: int, good: Callable[[], float]) -> Tally:
    """Ask ten thousand times: the memory of the server stays."""
    tally = Tally(f"{name}: {_REQUESTS:,} requests")
    for _ in range(_REQUESTS // 10):
        good()
    before = _memory(pid)
    for _ in range(_REQUESTS - _REQUESTS // 10):
        tally.seconds = max(tally.seconds, good())
    tally.peak, tally.tries = _memory(pid), _REQUESTS - 1
    tally.check(f"memory grew from {before} to {tally.peak}", tally.peak <= _GROWTH * before and tally.seconds < 60)
    return tally


def _memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()
