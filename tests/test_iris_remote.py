"""A server is reached over the driver; the driver is real, the servers that cannot be used are real sockets."""

from __future__ import annotations

import socket
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import iris_doubles
import pytest
from iris_doubles import Server
from planted import insert

import meetup2025
from meetup2025 import InterfaceError
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import EngineUnavailableError, MissingExtraError, UnreadableImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from planted import Planted

URL = "iris://fisher:secret@127.0.0.1"


def listening() -> socket.socket:
    """Open a port of this machine."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def url_of(server: socket.socket) -> str:
    """Give the URL of a port, with a short time to wait."""
    return f"{URL}:{server.getsockname()[1]}/USER?timeout=1"


# --- the real driver ------------------------------------------------------------------------------------------------


def test_no_server() -> None:
    """A port where nothing listens is one clear error, at once."""
    closed = listening()
    url = url_of(closed)
    closed.close()
    with pytest.raises(EngineUnavailableError, match="must answer there") as caught:
        meetup2025.connect(url)

    assert "secret" not in str(caught.value)


def test_server_that_never_answers() -> None:
    """A server that takes the connection and says nothing is given up after the time to wait."""
    with listening() as silent, pytest.raises(EngineUnavailableError, match="timed out"):
        meetup2025.connect(url_of(silent))


def test_server_of_another_kind() -> None:
    """What answers but is no IRIS is an error too."""
    with listening() as other:

        def answer() -> None:
            client, _ = other.accept()
            client.recv(100)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(300))
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(EngineUnavailableError):
            meetup2025.connect(url_of(other))
        thread.join()


def test_host_that_is_not_there() -> None:
    """A name that is no host is told."""
    with pytest.raises(EngineUnavailableError, match="no-such-host"):
        meetup2025.connect("iris://fisher:secret@no-such-host.invalid/USER?timeout=1")


def test_tls_that_is_not_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS without the file of configurations says which file is wanted."""
    monkeypatch.delenv("ISC_SSLconfigurations", raising=False)

    with pytest.raises(EngineUnavailableError, match="ISC_SSLconfigurations"):
        meetup2025.connect(f"{URL}:1/USER?tls=fish&timeout=1")


def test_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the message says what to install, and where not to."""
    monkeypatch.setitem(sys.modules, "iris", None)
    monkeypatch.setitem(sys.modules, "iris.dbapi", None)

    with pytest.raises(MissingExtraError, match=r"pip install -e '.*\[iris\]'.*mgr/python"):
        meetup2025.connect(f"{URL}/USER")


# --- a double of the driver -----------------------------------------------------------------------------------------


@pytest.fixture
def driver() -> Iterator[ModuleType]:
    """Module of the driver, with a server behind it."""
    with DuckDBConnection() as database:
        module = iris_doubles.driver_module(Server(database))
        with iris_doubles.installed(module):
            yield module


def test_options_of_the_driver(driver: ModuleType) -> None:
    """The parts of the URL are the options of the driver; TLS is one only where it is asked for."""
    meetup2025.connect("iris://fisher:pw@server:51773/MEETUP").close()
    meetup2025.connect("iris://fisher:pw@server?tls=fish&timeout=3", autocommit=True).close()
    plain, safe = driver.dbapi.connected

    assert plain == {
        "hostname": "server", "port": 51773, "namespace": "MEETUP", "username": "fisher", "password": "pw",
        "timeout": 10, "sharedmemory": False, "autoCommit": False,
    }  # fmt: skip
    assert (safe["sslconfig"], safe["timeout"], safe["autoCommit"]) == ("fish", 3, True)


@pytest.mark.usefixtures("driver")
def test_error_of_a_function_on_the_server() -> None:
    """An error that a function raised on the server has its type here too, though only its text came over."""
    with meetup2025.connect("iris://fisher:pw@server") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        with pytest.raises(UnreadableImageError, match="must be one of JPEG"):
            cursor.execute("CALL MeetUp2025.Identify(?, 3)", ["data:image/png;base64,AAAA"])


@pytest.mark.usefixtures("driver")
def test_close_takes_back(planted: Planted) -> None:
    """What was not committed is gone when the connection is closed, also after an error."""
    with meetup2025.connect("iris://fisher:pw@server") as connection:
        insert(connection, planted)
        connection.cursor().execute("DELETE FROM MeetUp2025.Fish")
        assert connection.in_transaction
    with meetup2025.connect("iris://fisher:pw@server") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchone() == (len(planted.names),)


def test_server_that_goes_away(driver: ModuleType) -> None:
    """A server that dies in the middle is an error of this package, and closing still works."""
    connection = meetup2025.connect("iris://fisher:pw@server")
    cursor = connection.cursor()

    def gone(*_: object) -> None:
        raise RuntimeError("<COMMUNICATION LINK ERROR> Failed to send message")

    connection.session()._connection = SimpleNamespace(cursor=gone, rollback=gone, close=gone)  # type: ignore[attr-defined]
    with pytest.raises(meetup2025.OperationalError, match="COMMUNICATION LINK ERROR"):
        cursor.execute("SELECT 1")
    connection.close()
    with pytest.raises(InterfaceError, match="closed"):
        cursor.execute("SELECT 1")
    assert driver.dbapi.connected
