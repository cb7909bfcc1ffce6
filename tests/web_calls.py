"""The web application, called by WSGI and as a process, with a database of analyses for both."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.web import Application

SAMPLES = Path(meetup2025.__file__).parent / "samples"

ANALYSES = {
    "map": "SELECT MeetUp2025.FitMap('Fish', 2)",
    "narrow": "SELECT MeetUp2025.FitMap('Fish', 2, 5)",
    "deep": "SELECT MeetUp2025.FitMap('Fish', 3)",
    "clusters": "SELECT MeetUp2025.FitClusters('Fish', 6)",
    "outliers": "SELECT MeetUp2025.FitOutliers('Fish')",
}
"""Name in the tests -> statement that fits it."""


def analyse(url: str) -> dict[str, int]:
    """Fit every analysis, and return the numbers of the runs."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        runs = {name: int(cursor.execute(sql).fetchall()[0][0]) for name, sql in ANALYSES.items()}
        connection.commit()
    return runs


@dataclass(frozen=True)
class Reply:
    """The answer of an application."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")


class Browser:
    """A client that calls an application by the rules of WSGI, checks these rules, and keeps cookies."""

    def __init__(self, application: Application, **headers: str) -> None:
        self._application = validator(application)
        self._headers = headers
        self.cookies: dict[str, str] = {}

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Reply:
        """Request a path. Headers have their names in WSGI, HTTP_HOST."""
        return self._call(method, path, b"", headers)

    def post(self, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send a body with the token of a page, which is opened first."""
        token = self.cookies.get("meetup2025_csrf") or self.opened()
        return self._call("POST", path, body, {"HTTP_X_CSRF_TOKEN": token, **headers})

    def opened(self) -> str:
        """Open the first page, and return its token."""
        self.get("/")
        return self.cookies["meetup2025_csrf"]

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        path, _, query = path.partition("?")
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
        environ["QUERY_STRING"] = quote(query, safe="=&;,.-")
        environ |= {"wsgi.input": BytesIO(body), "HTTP_HOST": "localhost:8080", "SERVER_PROTOCOL": "HTTP/1.1"}
        if body or method == "POST":
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        environ |= self._headers | headers
        setup_testing_defaults(environ)
        started: list[Any] = []
        result = self._application(environ, lambda *given: started.append(given) or (lambda _: None))
        content = b"".join(result)
        result.close()
        return self._reply(*started[0][:2], content)

    def _reply(self, status: str, headers: list[tuple[str, str]], content: bytes) -> Reply:
        set_now = SimpleCookie()
        for name, value in headers:
            if name == "Set-Cookie":
                set_now.load(value)
        fresh = {name: morsel.value for name, morsel in set_now.items()}
        self.cookies |= fresh
        named = dict(headers)
        if named.get("Content-Encoding") == "gzip" and content:
            content = gzip.decompress(content)
        return Reply(int(status[:3]), named, content, fresh)


@contextmanager
def web_server(url: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `meetup2025 web` on a free port, and return the process and its address."""
    code = "from meetup2025.cli import main; main(prog_name='meetup2025')"
    command = [sys.executable, "-c", code, "web", "--url", url, "--listen", "http://127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server, server.stdout.readline().strip()
        finally:
            server.terminate()
            server.wait(60)
