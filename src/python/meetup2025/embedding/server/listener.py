"""
The socket of a server: a port, or a Unix socket that only its user may use.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.embedding.addresses import ServerAddress

BACKLOG = 128
"""Connections that wait while the model is loaded."""


@contextmanager
def listening(address: ServerAddress) -> Iterator[socket.socket]:
    """
    Open a listening socket. At the end the socket is closed, and the file of a Unix socket is removed.

    Raises:
        OperationalError: The address is in use, or cannot be used.
    """
    with _unix(Path(address.host)) if address.scheme == "unix" else _port(address) as listener:
        listener.listen(BACKLOG)
        yield listener


def where(listener: socket.socket, address: ServerAddress) -> str:
    """Return the address for clients: it has the port that the system chose for port 0."""
    if address.scheme == "unix":
        return str(address)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _port(address: ServerAddress) -> socket.socket:
    if address.scheme != "http":
        raise OperationalError(
            f"A server must listen on http:// or unix:. Got {address}; put a proxy before it for TLS."
        )
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(found[0], found[1])
    except OSError as exc:
        raise _unusable(address, exc) from exc
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
    except OSError as exc:
        listener.close()
        raise _unusable(address, exc) from exc
    return listener


@contextmanager
def _unix(path: Path) -> Iterator[socket.socket]:
    """
    Bind a Unix socket.

    A running server holds a lock, and the system frees the lock when the process ends in any way. The file of the lock
    stays: if it were removed, two servers could lock two files of the same name.
    """
    with _locked(path):
        _remove_dead(path)
        with socket.socket(socket.AF_UNIX) as listener:
            try:
                listener.bind(str(path))
                path.chmod(0o600)
            except OSError as exc:
                raise _unusable(f"unix:{path}", exc) from exc
            try:
                yield listener
            finally:
                path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    _make_folder(path.parent)
    file = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as exc:
        raise _in_use(f"unix:{path}") from exc
    finally:
        os.close(file)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as exc:
        raise OperationalError(f"The folder {folder} must be usable. Got: {exc.strerror}.") from exc
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        got = f"mode {stat.S_IMODE(found.st_mode):04o}, owner {found.st_uid}"
        raise OperationalError(
            f"Only this user may have access to the folder of the socket (mode 0700). Got {folder}: {got}; "
            "give a folder that does not exist yet, and it gets this mode."
        )


def _remove_dead(path: Path) -> None:
    """Remove the socket of a killed server. Another file stays, and a socket that a program answers stays too."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise OperationalError(f"The socket must not be an existing file. Got {path}; give another name.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as exc:
            raise _unusable(f"unix:{path}", exc) from exc
    raise _in_use(f"unix:{path}")


def _unusable(address: ServerAddress | str, error: OSError) -> OperationalError:
    if error.errno == errno.EADDRINUSE:
        return _in_use(address)
    return OperationalError(f"A server must be able to listen on {address}. Got: {error.strerror}.")


def _in_use(address: ServerAddress | str) -> OperationalError:
    return OperationalError(
        f"The address {address} must be free. Got one that is in use; stop the other server, or give another address."
    )
