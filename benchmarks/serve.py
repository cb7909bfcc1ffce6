"""Sixteen processes that share one encoder server, beside one process that embeds everything in bulk."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import clip, pictures
from benchmarks.measure import OURS, Result, Way, by_turns
from meetup2025 import images
from meetup2025.embedding import local_encoder
from meetup2025.embedding.client import remote_encoder
from meetup2025.embedding.server import serve_forever

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.pool import Pool

CLIENTS = 16
LEAST_SHARE = 0.9
"""Share of the bulk throughput that the clients together should reach."""


@dataclass(frozen=True)
class _Served:
    """A running server with its clients. *model* is its name or folder, *name* is the server's own name for it."""

    address: str
    model: str
    name: str
    clients: Pool


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Measure the bundled model (texts, pictures, pictures in batches) and a model of 150 M parameters (pictures)."""
    paths = pictures.drawings(folder, 32)
    with _server(folder, "sketch") as served:
        texts = [f"魚の写真 {place}" for place in range(32)]
        yield from _shared("sketch, a text a request", served, texts, each=100)
        seen = _opened(paths, "sketch")
        yield from _shared("sketch, a picture a request", served, seen, each=50)
        yield from _shared("sketch, 32 pictures a request", served, seen, each=3, at_once=32)
    if not clip.is_possible():
        yield Result("150 M parameters", OURS, (), note="left out: needs torch, transformers and onnx")
        return
    own = folder / "clip"
    clip.write(folder / "published", own)
    with _server(folder, str(own)) as served:
        yield from _shared("150 M, a picture a request", served, _opened(paths, str(own)), each=6)


def _shared(what: str, served: _Served, items: Sequence[Any], *, each: int, at_once: int = 1) -> Iterator[Result]:
    """Compare the time for an item with all clients and in bulk. Return the times of single requests."""
    total = CLIENTS * each * at_once
    every = [items[place % len(items)] for place in range(total)]
    orders = [(served.address, served.name, every[place : place + at_once], each) for place in range(CLIENTS)]
    taken: list[float] = []

    def together() -> None:
        taken.extend(second for seconds in served.clients.map(_ask, orders, chunksize=1) for second in seconds)

    local = local_encoder(served.model)
    ours, bulk = by_turns(
        f"{what}: for an item",
        Way(OURS, together, 1 / total, note=f"{CLIENTS} processes, one server"),
        Way("one process, in bulk", lambda: _embed(local, every), 1 / total, note="ratio: share of its throughput"),
        runs=5,
    )
    yield replace(ours, processor=(), aim=(bulk.median or 0) / LEAST_SHARE)
    yield bulk
    yield Result(f"{what}: a request", OURS, tuple(taken[CLIENTS * each :]), note=f"{CLIENTS} at once")
    remote = remote_encoder(served.address, served.name)
    yield from by_turns(
        f"{what}: alone",
        Way(OURS, lambda: _embed(remote, items[:at_once])),
        Way("in this process", lambda: _embed(local, items[:at_once])),
        runs=30,
    )


def _embed(encoder: Any, items: Sequence[Any]) -> None:
    encoder.texts(items) if isinstance(items[0], str) else encoder.images(items)


def _ask(order: tuple[str, str, Sequence[Any], int]) -> list[float]:
    """Send requests one after the other, as a client. Return the seconds of each request."""
    address, name, items, count = order
    encoder = remote_encoder(address, name)
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        _embed(encoder, items)
        seconds.append(time.perf_counter() - started)
    return seconds


def _opened(paths: Sequence[Path], model: str) -> list[Any]:
    size = local_encoder(model).picture_size
    return [images.open_picture(path.read_bytes(), longest=size) for path in paths]


@contextmanager
def _server(folder: Path, model: str) -> Iterator[_Served]:
    """Start a server and its clients, each a process."""
    name = Path(model).name
    address = f"unix:{folder / f'own-{name}' / 'socket'}"
    context = multiprocessing.get_context("spawn")
    stop, ready = context.Event(), context.Event()
    server = context.Process(target=_serve, args=(address, model, stop, ready))
    server.start()
    ready.wait()
    with context.Pool(CLIENTS) as clients:
        yield _Served(address, model, name, clients)
    stop.set()
    server.join()


def _serve(address: str, model: str, stop: Any, ready: Any) -> None:
    serve_forever(address, lambda: local_encoder(model), stop=stop.is_set, ready=lambda _: ready.set())
