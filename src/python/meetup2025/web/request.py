"""
A request of the browser, with the checks that it must pass.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from meetup2025 import files
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection

TOKEN = "meetup2025_csrf"  # noqa: S105 - the name of a cookie
LANGUAGE = "meetup2025_language"
LANGUAGES = ("en", "ja")


class RefusedError(DataError):
    """
    A request is refused.

    Attributes:
        status: Status of HTTP.
        key: Key of the text for the user, in `texts`.
    """

    def __init__(self, status: str, key: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.key = key


class WebRequest:
    """
    A request of WSGI (PEP 3333).

    Attributes:
        method: Method of HTTP, for example `GET`.
        path: Path in the application. It begins with `/`.
        base: Path of the application itself, without a slash at its end.
        token: Token of the page, of the cookie or new.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.method = str(environ["REQUEST_METHOD"]).upper()
        self.path = str(environ.get("PATH_INFO", ""))
        self.base = str(environ.get("SCRIPT_NAME", "")).rstrip("/")
        self._query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
        self._cookies = _read_cookies(str(environ.get("HTTP_COOKIE", "")))
        kept = self._cookies.get(TOKEN, "")
        self.token = kept if re.fullmatch(r"[\w-]{32}", kept, re.ASCII) else secrets.token_urlsafe(24)

    @property
    def is_secure(self) -> bool:
        """Whether the browser uses TLS."""
        return bool(self._environ.get("wsgi.url_scheme") == "https")

    @property
    def takes_gzip(self) -> bool:
        """Whether the browser reads gzip."""
        return "gzip" in self._header("Accept-Encoding")

    @property
    def known_tag(self) -> str:
        """ETag of the content that the browser has already."""
        return self._header("If-None-Match")

    @property
    def chosen_language(self) -> str:
        """The language that this request chooses, or an empty text."""
        chosen = self.text("lang")
        return chosen if chosen in LANGUAGES else ""

    @property
    def language(self) -> str:
        """The language of the answer: chosen now, chosen before, or preferred by the browser."""
        kept = self._cookies.get(LANGUAGE, "")
        return self.chosen_language or (kept if kept in LANGUAGES else self._accepted_language())

    def text(self, name: str, *, longest: int = 200) -> str:
        """Return a text of the query, or an empty text if it is not there."""
        return self._checked(name, self._query.get(name, [""])[0], longest)

    def texts(self, name: str, *, most: int, longest: int = 200) -> list[str]:
        """Return all texts of the query that have a name."""
        given = self._query.get(name, [])
        if len(given) > most:
            raise RefusedError("400 Bad Request", "refused", f"{name} must be given at most {most} times. Got more.")
        return [self._checked(name, each, longest) for each in given]

    def has(self, name: str) -> bool:
        """Return whether the query has a name, perhaps with an empty text."""
        return name in self._query

    @staticmethod
    def _checked(name: str, given: str, longest: int) -> str:
        if len(given) > longest:
            raise RefusedError(
                "400 Bad Request", "refused", f"{name} must have at most {longest} characters. Got more."
            )
        return given

    def whole(self, name: str, *, least: int = 1, most: int = 2**31 - 1, default: int | None = None) -> int:
        """Return a whole number of the query."""
        given = self.text(name)
        if not given and default is not None:
            return default
        if given.isascii() and given.isdecimal() and least <= int(given) <= most:
            return int(given)
        raise RefusedError(
            "400 Bad Request", "refused", f"{name} must be a whole number from {least} to {most}. Got {given!r}."
        )

    def real(self, name: str, default: float = 0.0) -> float:
        """Return a number of the query."""
        given = self.text(name) or str(default)
        try:
            number = float(given)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise RefusedError("400 Bad Request", "refused", f"{name} must be a number. Got {given!r}.")
        return number

    def body(self) -> bytes:
        """Return the sent picture. A picture that is too large is refused before it is read."""
        given = str(self._environ.get("CONTENT_LENGTH") or "")
        if not given.isdecimal():
            raise RefusedError("411 Length Required", "refused", "A picture must come with its length. Got none.")
        if int(given) > files.LARGEST_PICTURE:
            most = files.LARGEST_PICTURE // 1_000_000
            raise RefusedError(
                "413 Content Too Large", "too_large", f"A picture must have at most {most} MB. Got {given} bytes."
            )
        return bytes(self._environ["wsgi.input"].read(int(given)))

    def check_host(self, names: Collection[str]) -> None:
        """
        Refuse a request for another name of host: a foreign site may have given its name this address (DNS rebinding).

        An IP address is allowed, since it is no name.
        """
        name = _host_name(self._header("Host"))
        if name not in names and not _is_address(name):
            message = f"The name of the host must be one of: {', '.join(sorted(names))}. Got {name!r}."
            raise RefusedError("421 Misdirected Request", "refused", message)

    def check_origin(self) -> None:
        """Refuse a request of a page of another site: it has no token of this application, or another origin."""
        site = self._header("Sec-Fetch-Site")
        is_own = hmac.compare_digest(self._header("X-CSRF-Token").encode(), self.token.encode())
        if not is_own or site not in {"", "same-origin"}:
            raise RefusedError(
                "403 Forbidden", "stale", "A change must come from a page of this application. Load the page again."
            )

    def _header(self, name: str) -> str:
        return str(self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    def _accepted_language(self) -> str:
        """Return the language of this application with the highest weight in Accept-Language (RFC 9110, 12.5.4)."""
        weights: dict[str, tuple[float, int]] = {}
        for index, part in enumerate(self._header("Accept-Language").split(",")[:20]):
            name, _, quality = part.strip().partition(";q=")
            language = name.partition("-")[0].lower()
            if language in LANGUAGES:
                weights.setdefault(language, (_quality(quality), -index))
        return max(weights, key=lambda each: weights[each], default="en")


def _quality(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


def _read_cookies(header: str) -> dict[str, str]:
    """Parse the two cookies of this application. http.cookies may take minutes for a hostile header (CVE-2024-7592)."""
    return dict(re.findall(rf"(?:^|; ?)({TOKEN}|{LANGUAGE})=([\w-]*)", header, re.ASCII))


def _host_name(host: str) -> str:
    """Return a host without its port: `[::1]:8080` becomes `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
