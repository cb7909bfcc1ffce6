"""
The encoder server: one process holds the model, and embeds the texts and pictures of many processes over HTTP.

The items that wait at the same time are embedded together. `meetup2025 serve` is this server on the command line.
`docs/serving.md` describes how to operate it.

    a socket (listener) -> HTTP and threads (waitress) -> the WSGI application (app), in the form of OpenAI (form)
        -> one thread that runs the model (batcher)
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from meetup2025.embedding.addresses import parse_address
from meetup2025.embedding.server.form import Limits
from meetup2025.embedding.server.listener import listening, where
from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from meetup2025.embedding import Encoder
    from meetup2025.embedding.addresses import ServerAddress
    from meetup2025.embedding.server.app import EncoderApplication
    from meetup2025.embedding.server.log import Numbers

__all__ = ["Limits", "serve_forever"]

LEAST_TOKEN = 16
"""Least characters of a token. A shorter one could be guessed."""

_TURN = 0.1
"""Seconds between two calls of *stop*."""

_BEAT = 1.0
"""Seconds between two heartbeats."""

_LAST_ANSWERS = 1.0
"""Seconds for the last answers: a request that still waits when the server ends is told so."""

_CLEANUP = 5
"""Seconds between two searches for idle connections."""

_HEAD_BYTES = 65_536
"""Most bytes of the head of a request."""

_RECEIVED_BYTES = 262_144
"""Bytes that are received at once. A request with a picture has a quarter to one megabyte."""


def serve_forever(  # noqa: PLR0913 - callers name each argument
    address: str,
    load: Callable[[], Encoder],
    *,
    token: str = "",
    limits: Limits | None = None,
    grace: float = 10.0,
    stop: Callable[[], bool] = lambda: False,
    heartbeat: Callable[[], None] = lambda: None,
    ready: Callable[[str], None] = lambda _: None,
    log: Callable[[str], None] | None = None,
    metrics: Numbers | None = None,
) -> None:
    """
    Serve a model until *stop* returns true, then finish the running requests.

    The server runs in any thread and sets no signal handler, so that a process that InterSystems IRIS started with JOB
    can call it. *load*, *stop*, *heartbeat* and *ready* are called in the calling thread only, where the module `iris`
    may be used. *log* is called in other threads.

    Args:
        address: `unix:/path` or `http://127.0.0.1:8025`. With port 0 the system chooses a port. A Unix socket gets the
            mode 0600, and only its user may have access to its folder.
        load: Returns the model. It is called when the address is known to be free.
        token: Token that clients send as `Authorization: Bearer …`. A port needs one. A Unix socket asks for none.
        limits: Limits of requests and connections.
        grace: Seconds that running requests have after *stop* returned true.
        stop: Called ten times a second.
        heartbeat: Called once a second.
        ready: Called with the address when the server takes requests.
        log: Called with a line for each request.
        metrics: Counts the requests, and answers /metrics. Without it, there is no such path.

    Raises:
        InterfaceError: The address or the token has the wrong form.
        OperationalError: The address is in use, or cannot be used.
    """
    from meetup2025.embedding.server.app import EncoderApplication

    parsed = parse_address(address)
    _check_token(token, parsed)
    with listening(parsed) as listener:
        known = "" if parsed.scheme == "unix" else token
        application = EncoderApplication(load(), known, limits or Limits(), log, metrics)
        server = _Server(listener, application)
        ready(where(listener, parsed))
        try:
            server.run(stop, heartbeat)
        finally:
            server.end(grace)


def _check_token(token: str, address: ServerAddress) -> None:
    if address.scheme != "unix" and not token:
        raise InterfaceError(
            f"A server on a port must have a token. Got none for {address}; set MEETUP2025_ENCODER_TOKEN, "
            "give a file that holds one, or listen on a Unix socket."
        )
    if token and (len(token) < LEAST_TOKEN or not (token.isascii() and token.isprintable() and " " not in token)):
        rule = f"A token must have at least {LEAST_TOKEN} characters of ASCII, and no space"
        raise InterfaceError(f"{rule}. Got another; make one with `openssl rand -hex 32`.")


class _Server:
    """An HTTP server of waitress whose loop runs in the calling thread, turn by turn."""

    def __init__(self, listener: socket.socket, application: EncoderApplication) -> None:
        import waitress

        from meetup2025.embedding.server.refusal import Channel

        limits = application.limits
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits for a thread is no warning
        self._application = application
        self._sockets: dict[int, Any] = {}
        self._server = waitress.create_server(
            application,
            map=self._sockets,
            sockets=[listener],
            threads=limits.requests,
            connection_limit=limits.connections,
            channel_timeout=limits.idle,
            cleanup_interval=min(_CLEANUP, limits.idle),
            max_request_body_size=limits.body + 1,
            max_request_header_size=_HEAD_BYTES,
            recv_bytes=_RECEIVED_BYTES,
            ident=None,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,
        )
        self._server.channel_class = Channel

    def run(self, stop: Callable[[], bool], heartbeat: Callable[[], None]) -> None:
        """Serve until *stop* returns true."""
        beat = 0.0
        while not stop():
            if time.monotonic() - beat >= _BEAT:
                heartbeat()
                beat = time.monotonic()
            self._turn()

    def end(self, grace: float) -> None:
        """Take no new request, and finish the running requests within *grace* seconds."""
        from waitress import wasyncore

        wasyncore.dispatcher.close(self._server)  # the listening socket alone: threads still wake the loop
        self._finish(grace)
        self._application.end()
        self._finish(_LAST_ANSWERS)
        self._server.task_dispatcher.shutdown(timeout=_LAST_ANSWERS)
        wasyncore.close_all(self._sockets)

    def _finish(self, seconds: float) -> None:
        """Close each connection as soon as it has no request."""
        until = time.monotonic() + seconds
        while (channels := [*self._server.active_channels.values()]) and time.monotonic() < until:
            for channel in channels:
                channel.will_close |= not channel.is_busy
            self._turn()

    def _turn(self) -> None:
        from waitress import wasyncore

        wasyncore.loop(timeout=_TURN, use_poll=True, map=self._sockets, count=1)
