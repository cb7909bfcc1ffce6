"""
Databases that run the classes of `src/cls`, behind one PEP 249 connection.

Importing this package imports no database: the URL of a connection loads its engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from meetup2025 import settings
from meetup2025.engines.pep249 import CURRENT
from meetup2025.engines.urls import masked
from meetup2025.errors import EngineUnavailableError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from typing_extensions import Self


class Cursor(Protocol):
    """
    A PEP 249 cursor, also a context manager and an iterator over its rows.

    Attributes:
        wants_arrays: Whether vectors come as arrays, where the engine has numbers. Otherwise they come as text.
    """

    wants_arrays: bool

    @property
    def description(self) -> Sequence[tuple[Any, ...]] | None:
        """Columns of the rows: name, type and five more values, or None without rows."""

    @property
    def rowcount(self) -> int:
        """Number of rows that the last statement changed, or -1 where it is not known."""

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement of IRIS SQL."""

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> Cursor:
        """Run one statement once for each row of parameters."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return up to *size* rows."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the remaining rows."""

    def insert_columns(self, operation: str, columns: Sequence[Any]) -> Cursor:
        """Run an INSERT of values once for each row of columns: lists, columns of Arrow, vectors."""

    def fetchnumpy(self) -> dict[str, NDArray[Any]]:
        """Return the remaining rows as arrays, by the names of their columns."""

    def df(self) -> Any:
        """Return the remaining rows as a data frame of pandas."""

    def pl(self) -> Any:
        """Return the remaining rows as a data frame of polars."""

    def arrow(self) -> Any:
        """Return the remaining rows as a table of pyarrow."""

    def close(self) -> None:
        """Close the cursor."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class Connection(Protocol):
    """A PEP 249 connection, and `transaction` for code that may run inside the transaction of a caller."""

    autocommit: bool

    @property
    def in_transaction(self) -> bool:
        """Whether changes wait for `commit` or `rollback`."""

    def cursor(self) -> Cursor:
        """Open a cursor."""

    def commit(self) -> None:
        """Commit the changes."""

    def rollback(self) -> None:
        """Roll back the changes since the last commit."""

    def close(self) -> None:
        """Roll back the changes since the last commit, and close the database."""

    def transaction(self) -> AbstractContextManager[None]:
        """Do all of a block or nothing, within the caller's transaction if there is one."""

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """
        Stop the statement of a block that runs after some seconds, and refuse later ones. 0 is no deadline.

        Raises:
            DeadlineError: By the statement. What it has changed is undone.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


WAIT = 10.0
"""Seconds that `connect` waits for a file of another process."""


def connect(  # noqa: PLR0913 - the choices of a connection
    url: str | None = None,
    *,
    autocommit: bool = False,
    model: str = "",
    folders: Sequence[str] = (),
    read_only: bool = False,
    wait: float = WAIT,
) -> Connection:
    """
    Open a database.

    Args:
        url: `duckdb:///relative.db`, `duckdb:////absolute.db`, `duckdb://` for a database in memory,
            `iris://user@host:1972/NAMESPACE` for a server, or `iris+emb:///` for the IRIS process in which this Python
            runs. Without it, the setting MEETUP2025_URL or a file in the user's data folder counts.
        autocommit: Whether each statement is its own transaction. Otherwise `commit` makes changes permanent.
        model: Id of the model that makes the vectors, for the embedded engine. Without it, the setting MEETUP2025_MODEL
            counts.
        folders: Folders that SQL of the embedded engine may read, in addition to the folders of MEETUP2025_PHOTOS.
        read_only: Whether the embedded engine refuses changes. Many programs may read a file at once. A file that is
            not there is not made.
        wait: Seconds to wait for a file that another program has. A server lets many programs in at once.

    Returns:
        A PEP 249 connection that takes IRIS SQL.

    Raises:
        InterfaceError: The URL belongs to no engine, or a server is given a model, folders or `read_only`.
        FileInUseError: Another program has the file.
        EngineUnavailableError: The database cannot be opened.
        MissingExtraError: The driver of the engine is not installed.
    """
    url = settings.url() if url is None else url
    if not isinstance(url, str):
        raise InterfaceError(f"The URL of a database must be a text. Got {type(url).__name__}.")
    scheme, separator, path = url.partition("://")
    shown = masked(url)
    if scheme == "duckdb" and separator:
        if path and (not path.startswith("/") or "?" in path):
            raise InterfaceError(
                f"A file is duckdb:///relative.db or duckdb:////absolute.db, without ?. Got {shown!r}."
            )
        from meetup2025.engines.duckdb import DuckDBConnection

        if read_only and not path:
            raise InterfaceError("A database that is only read must be a file. Got a database in memory.")
        return DuckDBConnection(
            path.removeprefix("/"),
            autocommit=autocommit,
            model=model,
            folders=folders,
            read_only=read_only,
            wait=wait,
        )
    if scheme in {"iris", "iris+emb"} and separator:
        if model or folders:
            raise InterfaceError("A server must keep the model and the folders that its administrator set. Got others.")
        if read_only:
            raise InterfaceError("A server must say by its roles who may only read. Got read_only=True.")
        from meetup2025.engines.iris import connect_iris

        return connect_iris(url, autocommit=autocommit)
    raise InterfaceError(f"The URL of a database must begin with duckdb://, iris:// or iris+emb://. Got {shown!r}.")


def current() -> Connection:
    """
    Return the connection whose statement is running. Procedures find their database by it.

    In an IRIS process, this is the connection to the process. There the tables can also be used for each row of a
    statement.

    Raises:
        EngineUnavailableError: No statement is running, or it calls the procedure once for each row.
    """
    connection = CURRENT.get()
    if connection is None:
        from meetup2025.engines.iris.process import current_process

        connection = current_process()
    if connection is None:
        raise EngineUnavailableError(
            "A function that reads or writes tables must be called by SQL, with constants or ? as arguments. "
            "Got a call from outside of SQL, or with columns as arguments."
        )
    return connection
