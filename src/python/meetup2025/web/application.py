"""
The WSGI application of the web pages (PEP 3333): a page or an answer for each path.

It needs no package for HTTP, so that InterSystems IRIS can run it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import meetup2025
from meetup2025.errors import DataError, Error, MeetUpError, OperationalError
from meetup2025.locale import translated
from meetup2025.web import answers, files
from meetup2025.web.answer import Answer, json_answer, redirect
from meetup2025.web.jobs import Jobs
from meetup2025.web.request import RefusedError, WebRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    StartResponse = Callable[[str, list[tuple[str, str]]], Any]

PAGES = {"/": "identify", "/map": "map", "/runs": "runs"}


class Application:
    """
    A WSGI callable. Each request opens a connection of its own, so that many threads may call it.

    Args:
        url: URL of the database for `meetup2025.connect`.
        adding: Whether users may add photos. The database may still refuse.
        at_once: Whether an analysis that a page asks for is made within the request, as inside IRIS.
        hosts: Names of this server. An IP address is allowed too. None leaves the check to a server in front.
    """

    def __init__(
        self, url: str, *, adding: bool = False, at_once: bool = False, hosts: Collection[str] | None = None
    ) -> None:
        self._url = url
        self._adding = adding
        self._hosts = hosts
        self._jobs = Jobs(lambda: meetup2025.connect(url), at_once=at_once)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = WebRequest(environ)
        status, headers, body = self._answer(request).to_wsgi(request)
        start_response(status, headers)
        return [body]

    def _answer(self, request: WebRequest) -> Answer:
        """Answer a request. The answer to an error has its message, and never a traceback."""
        try:
            if self._hosts is not None:
                request.check_host(self._hosts)
            return self._file(request) or self._rows(request)
        except RefusedError as error:
            return _failed(error.status, error.key, error, request.language)
        except DataError as error:
            return _failed("400 Bad Request", "wrong_input", error, request.language)
        except OperationalError as error:
            return _failed("503 Service Unavailable", "unavailable", error, request.language)
        except Error as error:
            return _failed("500 Internal Server Error", "failed", error, request.language)
        except Exception:
            logging.getLogger("meetup2025").exception("a request failed: %s %s", request.method, request.path)
            hidden = MeetUpError("The log of the server has more.")
            return _failed("500 Internal Server Error", "failed", hidden, request.language)

    def _file(self, request: WebRequest) -> Answer | None:
        """Return a page or a static file, or None for a path that needs the database."""
        if request.method not in {"GET", "HEAD"}:
            return None
        if not request.path:
            return redirect(f"{request.base.rpartition('/')[2]}/")
        if request.path in PAGES:
            name = PAGES[request.path]
            return files.page(name, language=request.language, token=request.token, adding=self._adding)
        folder, _, name = request.path[1:].rpartition("/")
        if folder == "static":
            return files.static(name)
        return files.sample(name) if folder == "samples" else None

    def _rows(self, request: WebRequest) -> Answer:
        method, answer = answers.ANSWERS.get(request.path, ("", None))
        made_by, make = answers.MAKING.get(request.path, ("", None))
        self._check_method(request, method or made_by)
        if make is not None:
            return json_answer(make(self._jobs, request))
        if answer in answers.WRITERS and not self._adding:
            raise RefusedError("403 Forbidden", "no_adding", "Adding must be on: meetup2025 web --allow-adding.")
        with meetup2025.connect(self._url) as connection:
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
    return json_answer({"error": key, "detail": translated(str(error), language)}, status=status)
