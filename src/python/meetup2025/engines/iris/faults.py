"""
Errors of IRIS as the errors of this package.

A function of the classes may raise an error of this package on the server. The client gets its class and its message in
`%msg`, as SQLCODE -149 of a SELECT and -400 of a CALL, and raises the same error again. The language of the messages
depends on the locale of the server. So only SQLCODEs, `<…>` and names of classes are parsed.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from meetup2025 import errors
from meetup2025.errors import (
    DatabaseError,
    DataError,
    DeadlineError,
    EngineUnavailableError,
    Error,
    IntegrityError,
    InvalidVectorError,
    OperationalError,
    ProgrammingError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meetup2025.engines.iris.address import Address

# Message of a driver: [SQLCODE: <-30>:<Table or view not found>] … [%msg: < Table 'MEETUP2025.FISH' not found>]
_CODE = re.compile(r"\[SQLCODE: <(-?\d+)>:\s*<(.*?)>\]", re.DOTALL)
_MESSAGE = re.compile(r"\[%msg: <(.*)>\]", re.DOTALL)

# Message of a status: #5540: SQLCODE: -30 Message: Table 'MEETUP2025.FISH' not found
_STATUS = re.compile(r"SQLCODE: *(-\d+)\s+[^\s:]+:\s*(.*)", re.DOTALL)

# Rest of an error of Python: <PYTHON EXCEPTION> *<class 'meetup2025.errors.DataError'>: k must be … -
_OWN_ERROR = re.compile(r"<class '(?:meetup2025\.)?errors\.(\w+)'>:\s*(.*?)(?:\s+-)?\s*\Z", re.DOTALL)

_NOT_THERE = (-30, -359, -428)
_NO_RIGHT = -99

# SQLCODEs of the error reference that have a class of their own: first and last of a range.
_KINDS: tuple[tuple[int, int, type[Error]], ...] = (
    (-99, -1, ProgrammingError),
    (-105, -104, DataError),
    (-108, -108, IntegrityError),
    (-110, -110, OperationalError),
    (-114, -114, OperationalError),
    (-127, -119, IntegrityError),
    (-149, -146, DataError),
    (-259, -257, InvalidVectorError),
    (-399, -201, ProgrammingError),
    (-428, -428, ProgrammingError),
    (-450, -450, DeadlineError),
    (-499, -401, OperationalError),
)

_REFUSALS: tuple[tuple[str, str], ...] = (
    (r"<LICENSE", "The server must have a free licence unit. Close other connections, or wait for one."),
    (
        r"(?i)<-402>|<-417>|access denied|password|login",
        "The user and the password must be right, and the user must have %Service_Bindings and the namespace.",
    ),
    (r"(?i)namespace", "The namespace must exist, and the user must be allowed to use it."),
    (r"(?i)ssl|tls", "TLS must be configured on both sides: check ?tls= and the file of ISC_SSLconfigurations."),
    (r"", "InterSystems IRIS must answer there. Start it, or check host, port and firewall."),
)


@contextlib.contextmanager
def translated(make: Callable[[Exception], Error], *kinds: type[Exception]) -> Iterator[None]:
    """Convert exceptions of *kinds* in a block by *make*. Errors of this package pass."""
    try:
        yield
    except Error:
        raise
    except kinds as error:
        raise make(error) from error


def from_statement(sqlcode: int, message: str) -> Error:
    """Make the error of a statement from its negative SQLCODE and its `%msg`."""
    own = _OWN_ERROR.search(message)
    if own:
        return _own_class(own[1], DatabaseError)(own[2], sqlcode=sqlcode)
    kind = next((kind for low, high, kind in _KINDS if low <= sqlcode <= high), DatabaseError)
    said = " ".join(message.split()) or "no message"
    return kind(f"{said} (SQLCODE {sqlcode}){_advice(sqlcode, said)}", sqlcode=sqlcode)


def from_status(text: str, sqlcode: int) -> Error:
    """
    Make the error of a statement that cannot be prepared, from the SQLCODE in its text, or otherwise from *sqlcode*.
    """
    found = _STATUS.search(text)
    return from_statement(int(found[1]), found[2]) if found else from_statement(sqlcode, text)


def from_driver(error: Exception) -> Error:
    """Make an error of this package from one of the driver."""
    text = str(error)
    code = _CODE.search(text)
    if code:
        message = _MESSAGE.search(text)
        return from_statement(int(code[1]), message[1].strip() if message else code[2])
    said = " ".join(text.split()) or type(error).__name__
    return _own_class(type(error).__name__, OperationalError)(said)


def from_bridge(error: Exception) -> OperationalError:
    """Make an error of this package from an error of Embedded Python: a RuntimeError for an error of ObjectScript."""
    return OperationalError(f"The statement must run in this IRIS process. Got: {error}")


def from_refusal(error: Exception, address: Address) -> EngineUnavailableError:
    """Make the error of a connection that failed."""
    text = " ".join(str(error).split()) or type(error).__name__
    rule = next(rule for words, rule in _REFUSALS if re.search(words, text))
    return EngineUnavailableError(f"{rule} Got, from {address.place} for {address.user}: {text}")


def _own_class(name: str, default: type[Error]) -> type[Error]:
    """Find the class of this package that has the name of a class elsewhere."""
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, Error) else default


def _advice(sqlcode: int, message: str) -> str:
    if sqlcode in _NOT_THERE and "MEETUP2025" in message.upper():
        return '. Install the module in this namespace: zpm "install meetup2025".'
    if sqlcode == _NO_RIGHT:
        return ". Ask an administrator for the role MeetUp2025_User, or for rights on what the statement names."
    return ""
