"""
The WSGI application of the web pages (PEP 3333): a page or an answer for each path.

It needs no package for HTTP, so that InterSystems IRIS can run it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import meetup2025
from meetup2025 import client, settings
from meetup2025.embedding.server.log import PATH, Line
from meetup2025.engines import WAIT
from meetup2025.errors import (
    DataError,
    DeadlineError,
    Error,
    FileInUseError,
    MeetUpError,
    ModelMismatchError,
    OperationalError,
)
from meetup2025.locale import translated
from meetup2025.web import answers, files
from meetup2025.web.answer import Answer, json_answer, redirect
from meetup2025.web.jobs import Jobs
from meetup2025.web.request import RefusedError, WebRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from meetup2025.embedding.server.log import Numbers

    StartResponse = Callable[[str, list[tuple[str, str]]], Any]

HEALTH = "/healthz"

_TABLES = ("Fish", "FishImage", "Analysis")
"""Tables whose rows are counted for /metrics."""

PAGES = {"/": "identify", "/map": "map", "/runs": "runs", "/live": "live"}


class Application:
    """
    A WSGI callable. Each request opens a connection of its own, so that many threads may call it.

    Args:
        url: URL of the database for `meetup2025.connect`.
        adding: Whether users may add photos. The database may still refuse.
        reading: Whether users may run statements of their own, which must only read.
        at_once: Whether an analysis that a page asks for is made within the request, as inside IRIS.
        hosts: Names of this server. An IP address is allowed too. None leaves the check to a server in front.
        wait: Seconds that a request waits for a file that another program has.
        model: As for `meetup2025.connect`.
        metrics: Counts the requests, and answers /metrics.
        log: Called with a line for each request.
    """

    def __init__(  # noqa: PLR0913 - the choices of a server
        self,
        url: str,
        *,
        adding: bool = False,
        reading: bool = False,
        at_once: bool = False,
        hosts: Collection[str] | None = None,
        wait: float = WAIT,
        model: str = "",
        metrics: Numbers | None = None,
        log: Callable[[Line], None] | None = None,
    ) -> None:
        self._connect = partial(meetup2025.connect, url, model=model)
        self._wait = wait
        self._metrics = metrics
        self._log = log
        if metrics:
            metrics.rows(self._known_counts)
        self._adding = adding
        self._reading = reading
        self._hosts = hosts
        self._jobs = Jobs(lambda: self._connect(wait=wait), at_once=at_once)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = WebRequest(environ)
        began = time.monotonic()
        answer = self._answer(request)
        status, headers, body = answer.to_wsgi(request)
        self._note(request, int(status[:3]), time.monotonic() - began, answer.fault)
        start_response(status, headers)
        return [body]

    def _note(self, request: WebRequest, status: int, seconds: float, fault: str) -> None:
        if self._metrics:
            self._metrics.count(request.path, request.method, status, seconds)
        line = Line.of_request(request.method, request.path, status, seconds, [fault] if fault else [])
        if self._log:
            self._log(line)
        elif fault:
            logging.getLogger("meetup2025").error("%s", line)

    def _answer(self, request: WebRequest) -> Answer:
        """Answer a request. The answer to an error has its message, and never a traceback."""
        try:
            if self._hosts is not None:
                request.check_host(self._hosts)
            return self._state(request) or self._file(request) or self._rows(request)
        except RefusedError as error:
            return _failed(error.status, error.key, error, request.language)
        except (ModelMismatchError, OperationalError) as error:  # of the server, not of its user
            key = "too_slow" if isinstance(error, DeadlineError) else "unavailable"
            return _failed("503 Service Unavailable", key, error, request.language)
        except DataError as error:
            return _failed("400 Bad Request", "wrong_input", error, request.language)
        except Error as error:
            return _failed("500 Internal Server Error", "failed", error, request.language)
        except Exception:
            logging.getLogger("meetup2025").exception("a request failed: %s %s", request.method, request.path)
            hidden = MeetUpError("The log of the server has more.")
            return _failed("500 Internal Server Error", "failed", hidden, request.language)

    def _state(self, request: WebRequest) -> Answer | None:
        """Return how the server is, or None for another path."""
        if request.path == HEALTH:
            return self._health()
        if request.path == PATH and self._metrics:
            kind, numbers = self._metrics.page()
            return Answer(numbers, kind)
        return None

    def _file(self, request: WebRequest) -> Answer | None:
        """Return a page or a static file, or None for a path that needs the database."""
        if request.method not in {"GET", "HEAD"}:
            return None
        if not request.path:
            return redirect(f"{request.base.rpartition('/')[2]}/")
        if request.path in PAGES:
            name = PAGES[request.path]
            allowed = {"adding": self._adding, "reading": self._reading}
            return files.page(name, language=request.language, token=request.token, **allowed)
        folder, _, name = request.path[1:].rpartition("/")
        if folder == "static":
            return files.static(name)
        return files.sample(name) if folder == "samples" else None

    def _health(self) -> Answer:
        """Answer whether the database can be opened. A file that another program has now will be free later."""
        try:
            self._counts()
        except FileInUseError:
            return json_answer({"status": "ok", "database": "in use"})
        except Error as error:
            return _failed("503 Service Unavailable", "unavailable", error, "en")
        return json_answer({"status": "ok", "database": "free"})

    def _known_counts(self) -> dict[str, float]:
        try:
            return self._counts()
        except Error:
            return {}

    def _counts(self) -> dict[str, float]:
        with self._connect(wait=0) as connection:
            return {table: client.value(connection, f"SELECT COUNT(*) FROM MeetUp2025.{table}") for table in _TABLES}

    def _rows(self, request: WebRequest) -> Answer:
        method, answer = answers.ANSWERS.get(request.path, ("", None))
        made_by, make = answers.MAKING.get(request.path, ("", None))
        self._check_method(request, method or made_by)
        if make is not None:
            return json_answer(make(self._jobs, request))
        if answer in answers.WRITERS and not self._adding:
            raise RefusedError("403 Forbidden", "no_adding", "Adding must be on: meetup2025 web --allow-adding.")
        if answer is answers.read and not self._reading:
            raise RefusedError("403 Forbidden", "refused", "SQL must be asked for here. Got a server for others.")
        with self._connect(wait=self._wait) as connection, connection.deadline(settings.deadline()):
            given = answer(connection, request) if answer else {}
            return given if isinstance(given, Answer) else json_answer(given)

    @staticmethod
    def _check_method(request: WebRequest, method: str) -> None:
        if not method:
            raise RefusedError("404 Not Found", "refused", f"There must be a page of this path. Got {request.path!r}.")
        if request.method != method:
            raise RefusedError(
                "405 Method Not Allowed", "refused", f"{request.path} takes {method}. Got {request.method}."
            )
        if method == "POST":
            request.check_origin()


def _failed(status: str, key: str, error: Exception, language: str) -> Answer:
    answer = json_answer({"error": key, "detail": translated(str(error), language)}, status=status)
    return replace(answer, fault=str(error)) if status.startswith("5") else answer
