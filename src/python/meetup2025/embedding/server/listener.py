"""
The socket a server listens on: a port, or a Unix socket that is the user's alone.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.embedding.addresses import Address

BACKLOG = 128
"""Connections that may wait to be accepted."""


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """
    Open a listening socket; at the end it is closed, and a Unix socket is removed.

    Raises:
        OperationalError: The address is in use, or may not be used.
    """
    with _unix(Path(address.host)) if address.scheme == "unix" else _port(address) as listener:
        listener.listen(BACKLOG)
        yield listener


def is_same_user(connection: socket.socket) -> bool:
    """
    Tell whether the other end of a Unix socket is a process of this user.

    Where the system does not tell (it is Linux that does), the rights of the socket's folder have decided already.
    """
    if connection.family != getattr(socket, "AF_UNIX", None):
        return False
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(user == os.geteuid())


def where(listener: socket.socket, address: Address) -> str:
    """Give the address that a client can use: with the port that the system chose, where port 0 asked it to."""
    if address.scheme == "unix":
        return str(address)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _port(address: Address) -> socket.socket:
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

    The lock tells a living server from one that was killed: the system frees it, whatever ends the process. Its file
    stays, since removing it would let two servers lock two files of the same name.
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
            f"The folder of the socket must be this user's alone (mode 0700). Got {folder}: {got}; "
            "give a folder that does not exist yet, and it is made so."
        )


def _remove_dead(path: Path) -> None:
    """Remove the socket that a killed server left; nothing else, and no socket that somebody answers."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise OperationalError(f"The socket must not be a file that is there already. Got {path}; give another name.")
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


def _unusable(address: Address | str, error: OSError) -> OperationalError:
    if error.errno == errno.EADDRINUSE:
        return _in_use(address)
    return OperationalError(f"The address {address} must be one that can be listened on. Got: {error.strerror}.")


def _in_use(address: Address | str) -> OperationalError:
    return OperationalError(
        f"The address {address} must be free. Got one that is in use; stop the other, or give another."
    )
