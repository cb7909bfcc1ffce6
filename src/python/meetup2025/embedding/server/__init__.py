"""
The shared encoder: one process holds the model, and many have their texts and pictures embedded by it, over HTTP.

What asks at the same time is embedded together. `meetup2025 serve` is this server on the command line;
`docs/serving.md` tells how it is operated.

    sockets (listener) -> a thread for each connection (connection) -> the form of OpenAI (form)
        -> handlers (service) -> one thread that runs the model (batches)
"""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING

from meetup2025.embedding import local_encoder
from meetup2025.embedding.addresses import parse_address
from meetup2025.embedding.server.form import Limits
from meetup2025.embedding.server.listener import listening, where
from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from meetup2025.embedding import Encoder
    from meetup2025.embedding.addresses import Address
    from meetup2025.embedding.server.app import Service

__all__ = ["Limits", "serve_forever"]

LEAST_TOKEN = 16
"""Characters of a token: fewer could be guessed."""

_TURN = 0.1
"""Seconds between two looks at whether to stop."""

_BEAT = 1.0
"""Seconds between two heartbeats."""


def serve_forever(  # noqa: PLR0913 - each is told by its name
    address: str,
    *,
    model: str | Encoder | None = None,
    token: str = "",
    limits: Limits | None = None,
    grace: float = 10.0,
    stop: Callable[[], bool] = lambda: False,
    heartbeat: Callable[[], None] = lambda: None,
    ready: Callable[[str], None] = lambda _: None,
    log: Callable[[str], None] | None = None,
) -> None:
    """
    Serve a model until *stop* says so, then finish the requests that run.

    It may be called in any thread, and sets no signal handlers: a process that InterSystems IRIS started with JOB calls
    it as it is. The callables *stop*, *heartbeat* and *ready* are called in the calling thread only, where the module
    `iris` may be used; *log* is called in others.

    Args:
        address: `unix:/path` or `http://127.0.0.1:8025`; port 0 lets the system choose one. A Unix socket gets the mode
            0600, and its folder must be the user's alone.
        model: Id of an installed model or path of its folder, which is held to its checks, or an encoder that is ready;
            None takes MEETUP2025_MODEL.
        token: What clients must send as `Authorization: Bearer …`; a port needs one. On a Unix socket processes of the
            same user need none.
        limits: What is taken.
        grace: Seconds for the requests that run when *stop* says so.
        stop: Asked several times a second.
        heartbeat: Called about once a second; from the model's loading to the first call it may take a few.
        ready: Told the address, when requests are taken.
        log: Gets a line for each request.

    Raises:
        InterfaceError: The address or the token is of no use.
        OperationalError: The address is in use.
        MissingModelError: The model is not installed.
        BrokenModelError: The model fails its checks.
    """
    from meetup2025.embedding.server.app import Service

    place = parse_address(address)
    _check_token(token, place)
    with listening(place) as listener:
        # The address first: a second server is told at once, and not after its model was loaded.
        service = Service(_checked(model), token, limits or Limits(), log)
        ready(where(listener, place))
        try:
            _accept(listener, service, stop, heartbeat)
        finally:
            listener.close()
            service.end(grace)


def _checked(model: str | Encoder | None) -> Encoder:
    if model is not None and not isinstance(model, str):
        return model
    encoder = local_encoder(model)
    encoder.check()
    return encoder


def _check_token(token: str, address: Address) -> None:
    if address.scheme != "unix" and not token:
        raise InterfaceError(
            f"A server on a port must have a token. Got none for {address}; set MEETUP2025_ENCODER_TOKEN, "
            "give a file that holds one, or listen on a Unix socket."
        )
    if token and (len(token) < LEAST_TOKEN or not (token.isascii() and token.isprintable() and " " not in token)):
        rule = f"A token must have at least {LEAST_TOKEN} characters of ASCII, and no space"
        raise InterfaceError(f"{rule}. Got another; make one with `openssl rand -hex 32`.")


def _accept(listener: socket.socket, service: Service, stop: Callable[[], bool], heartbeat: Callable[[], None]) -> None:
    """Accept connections until *stop* says so."""
    listener.settimeout(0)
    beat = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while not stop():
            if time.monotonic() - beat >= _BEAT:
                heartbeat()
                beat = time.monotonic()
            if not selector.select(_TURN):
                continue
            if service.has_room():
                _accept_one(listener, service)
            else:
                time.sleep(0.01)


def _accept_one(listener: socket.socket, service: Service) -> None:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return
    except OSError:  # the client has left, or there are no more descriptors for now
        time.sleep(0.01)
        return
    service.accept(connection)
