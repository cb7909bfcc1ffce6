"""
InterSystems IRIS as an engine: a server behind its driver, or the process in which this Python runs.

Both have the same PEP 249 connection over different sessions: `remote` uses intersystems-irispython, `process` uses the
`%SQL.Statement` of Embedded Python. Importing this package imports neither.
"""

from __future__ import annotations

from meetup2025.engines.iris.connection import IrisConnection
from meetup2025.engines.iris.process import ProcessSession
from meetup2025.engines.iris.remote import RemoteSession


def connect_iris(url: str, *, autocommit: bool = False) -> IrisConnection:
    """
    Open an IRIS database.

    Args:
        url: `iris://user@host:1972/NAMESPACE`, see `address`, or `iris+emb:///` for the process in which this Python
            runs.
        autocommit: Whether each statement is its own transaction.

    Raises:
        InterfaceError: The URL is wrong, or there is no password.
        EngineUnavailableError: No server answers, the server refuses, or this is no IRIS process.
        MissingExtraError: The driver is not installed.
    """
    if url.startswith("iris+emb:"):
        return IrisConnection(ProcessSession(autocommit=autocommit), autocommit=autocommit)
    return IrisConnection(RemoteSession(url, autocommit=autocommit), autocommit=autocommit)
