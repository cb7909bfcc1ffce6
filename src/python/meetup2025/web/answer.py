"""
Answers to the browser, with the headers that protect a page from other sites.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meetup2025.web.request import LANGUAGE, TOKEN

if TYPE_CHECKING:
    from meetup2025.web.request import WebRequest

_SMALL = 1000
"""Most bytes of an answer that is not compressed."""

# No script of a page is inline or compiled while it runs, no style is inline, and nothing is from another site.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


@dataclass(frozen=True)
class Answer:
    """
    An answer of HTTP.

    Attributes:
        body: Body of the answer.
        kind: Content type.
        status: Status of HTTP.
        tag: ETag of the content. A browser that has the content does not get it again. Empty for an answer that the
            browser must not keep.
        headers: More headers.
        fault: Reason why the server could not answer, for its log.
    """

    body: bytes
    kind: str
    status: str = "200 OK"
    tag: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())
    fault: str = ""

    def to_wsgi(self, request: WebRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body for the browser of a request."""
        if self.tag and request.known_tag == self.tag:
            return "304 Not Modified", self._headers(request), b""
        body, encoding = self.body, ""
        if request.takes_gzip and len(body) > _SMALL and not self.kind.startswith("image/"):
            body, encoding = gzip.compress(body, 6), "gzip"
        sized = [("Content-Type", self.kind), ("Content-Length", str(len(body)))]
        sized += [("Content-Encoding", encoding)] if encoding else []
        return self.status, sized + self._headers(request), b"" if request.method == "HEAD" else body

    def _headers(self, request: WebRequest) -> list[tuple[str, str]]:
        kept = [("ETag", self.tag), ("Cache-Control", "no-cache")] if self.tag else [("Cache-Control", "no-store")]
        own = [("Content-Security-Policy", _POLICY), ("Vary", "Accept-Encoding, Accept-Language, Cookie"), *kept]
        return [*own, *_ALWAYS, *self.headers, *(_cookies(request) if self.kind.startswith("text/html") else ())]


def json_answer(value: Any, *, status: str = "200 OK") -> Answer:
    """Return a value as JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Answer(body, "application/json; charset=utf-8", status)


def redirect(path: str) -> Answer:
    """Redirect the browser to a relative path: in IRIS the application has a path of its own."""
    return Answer(b"", "text/plain; charset=utf-8", "302 Found", headers=(("Location", path),))


def _cookies(request: WebRequest) -> list[tuple[str, str]]:
    """Return the cookies: the token of the page, which no script can read, and the chosen language."""
    common = f"; Path={request.base or ''}/; SameSite=Strict{'; Secure' if request.is_secure else ''}"
    kept = [f"{TOKEN}={request.token}{common}; HttpOnly"]
    if request.chosen_language:
        kept.append(f"{LANGUAGE}={request.chosen_language}{common}; Max-Age=31536000")
    return [("Set-Cookie", each) for each in kept]
