"""The URL of a server says where it is; the password comes from a safe place."""

from __future__ import annotations

import re
import sys

import pytest

import meetup2025
from meetup2025 import InterfaceError
from meetup2025.engines.iris.address import PASSWORD, Address, read_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("iris://fisher:pw@server", Address("server", 1972, "USER", "fisher", "pw")),
        ("iris://fisher:pw@server/", Address("server", 1972, "USER", "fisher", "pw")),
        ("iris://fisher:pw@10.0.0.1:51773/MEETUP", Address("10.0.0.1", 51773, "MEETUP", "fisher", "pw")),
        ("iris://fisher:pw@[::1]:1972/USER", Address("::1", 1972, "USER", "fisher", "pw")),
        ("iris://_SYSTEM:a%40b%2Fc@server/%25SYS", Address("server", 1972, "%SYS", "_SYSTEM", "a@b/c")),
        ("iris://fisher:pw@server?tls=fish&timeout=3", Address("server", 1972, "USER", "fisher", "pw", "fish", 3)),
        ("iris://fisher:@server", Address("server", 1972, "USER", "fisher", "")),
    ],
)
def test_parts_of_a_url(url: str, address: Address) -> None:
    """Host, port, namespace, user, password, TLS and the time to wait are parts of the URL; most have a default."""
    assert read_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "iris://", "iris://server", "iris://:pw@server", "iris://fisher:secret@", "iris://fisher:secret@server:x/USER",
        "iris://fisher:secret@server:70000/USER", "iris://fisher:secret@server/USER/more",
        "iris://fisher:secret@server/USER#part", "iris://fisher:secret@server?timeout=0",
        "iris://fisher:secret@server?timeout=-1", "iris://fisher:secret@server?timeout=1.5",
        "iris://fisher:secret@server?timeout=٣", "iris://fisher:secret@server?ssl=yes",
        "iris://fisher:secret@server?tls", "iris://fisher:secret@[::1/USER",
    ],
)  # fmt: skip
def test_wrong_url(url: str) -> None:
    """A wrong URL is refused with the right form, and the message does not repeat the password."""
    with pytest.raises(InterfaceError, match="iris://user@host:1972/NAMESPACE") as caught:
        read_address(url)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("options", ["tls=", "tls=a&tls=b", "timeout=1&timeout=2", "timeout=99999999999"])
def test_options_that_would_be_overlooked(options: str) -> None:
    """TLS without a name is not taken for none, an option is not given twice, and nobody waits for hours."""
    with pytest.raises(InterfaceError):
        read_address(f"iris://fisher:secret@server?{options}")


@pytest.mark.parametrize(
    "url",
    [
        "http://fisher:secret@h/USER", "IRIS://fisher:secret@h/USER", "iris//fisher:secret@h/USER",
        "fisher:secret@h:1972/USER", "duckdb://fisher:secret@h/x", "iris://fisher@h/USER?password=secret",
        "duckdb:///a.db?password=secret", "iris://fisher:top/secret@h", "iris://fisher:top#secret@h",
        "iris://fisher:top?secret@h", "iris://fisher:secret", "iris://fisher:secret/USER", "iris://fisher:1secret/USER",
    ],
)  # fmt: skip
def test_mistyped_url_keeps_its_password(url: str) -> None:
    """A URL of no engine is shown without what may be a password."""
    with pytest.raises(InterfaceError) as caught:
        meetup2025.connect(url)

    assert "secret" not in str(caught.value)
    assert "top" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://server:1972/USER", "http://[::1]:1972/USER", "http://server:/USER"])
def test_port_is_shown(url: str) -> None:
    """What stands in the place of a password and is a port is shown."""
    with pytest.raises(InterfaceError, match=re.escape(url)):
        meetup2025.connect(url)


def test_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL without a password takes that of the environment; one with a password takes its own."""
    monkeypatch.setenv(PASSWORD, "of the environment")

    urls = ("iris://fisher@server", "iris://fisher:own@server")

    assert [read_address(url).password for url in urls] == ["of the environment", "own"]


def test_no_password_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked, a missing password is an error that names the variable."""
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(InterfaceError, match=PASSWORD):
        read_address("iris://fisher@server")


def test_password_is_not_shown() -> None:
    """The address can be printed."""
    assert "secret" not in repr(read_address("iris://fisher:secret@server"))
