"""
Analyses as runs: fitted once, stored with everything they need, read as often as wanted.

A run has a fingerprint of its inputs. One transaction writes all of it at the end, so a cancelled run leaves nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from meetup2025 import __version__
from meetup2025.analytics import fitted
from meetup2025.errors import BrokenModelError, DataError, IntegrityError
from meetup2025.loading.tables import run_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from meetup2025.engines import Connection

T = TypeVar("T")

_LIBRARIES = ("numpy", "scikit-learn", "umap-learn", "numba", "kneed")
"""Libraries on which the numbers of a result depend."""

_PART = 2_250_000
"""Bytes of a fitted model in a row: three million characters, which fit into a string of IRIS."""

_INSERT = """
INSERT INTO MeetUp2025.Analysis
(Kind, Source, Parameters, Seed, Model, Items, Seconds, Versions, Created, Asked, SourceHash, Fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, CURRENT_TIMESTAMP, 1, ?, ?)"""
_INSERT_METRIC = "INSERT INTO MeetUp2025.Metric (Run, Subject, Name, Value, Low, High) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_PART = "INSERT INTO MeetUp2025.FittedModel (Run, Part, Content) VALUES (?, ?, ?)"

ITEM = ("Source", "Item", "Name")
"""Columns with which a row about an item begins, as in `Items.rows`."""

RESULT_TABLES = (
    *("ClusterGroup", "ClusterItem", "CurvePoint", "ElbowPoint", "FittedModel", "MapPoint", "Metric", "MovedItem"),
    *("OutlierItem", "Prototype", "SelectedItem", "SimilarPair", "Suspect", "Trial"),
)
"""The tables with a column Run. Deleting a run deletes its rows there."""


_LARGEST_SEED = 2**32 - 1
"""Largest seed that all random numbers take."""


@dataclass(frozen=True)
class Metric:
    """A number for the quality of a result. *low* and *high* bound it, *subject* names its subject."""

    name: str
    value: float | None
    subject: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Basis:
    """The source of a run in its present state. *hash* shows whether it has changed."""

    source: str
    hash: str
    model: str
    items: int


@dataclass(frozen=True)
class Request:
    """
    The request for a run.

    Attributes:
        kind: Kind of the run, for example `Clusters`.
        basis: Source of the run.
        parameters: Parameters, as values that JSON can hold.
        seed: Seed of the random choices, or None where nothing is random.
    """

    kind: str
    basis: Basis
    parameters: Mapping[str, Any]
    seed: int | None = None


@dataclass(frozen=True)
class Result:
    """
    Rows of a result table.

    Attributes:
        table: Name of the table, which has a column Run.
        columns: Columns that the rows fill, without Run.
        rows: A tuple for each row, in the order of the columns.
    """

    table: str
    columns: Sequence[str]
    rows: Iterable[tuple[Any, ...]]

    @property
    def insert(self) -> str:
        """Return the statement that writes a row. Run is its first parameter. Features is the text of a vector."""
        marks = ", ".join(["?", *("TO_VECTOR(?, DOUBLE)" if name == "Features" else "?" for name in self.columns)])
        return f"INSERT INTO MeetUp2025.{self.table} ({', '.join(('Run', *self.columns))}) VALUES ({marks})"


@dataclass(frozen=True)
class Outcome:
    """
    The outcome of a fit.

    Attributes:
        results: Rows to store.
        metrics: Metrics, in the order in which they are read.
        model: Fitted model for new vectors, or None.
    """

    results: Sequence[Result] = ()
    metrics: Sequence[Metric] = ()
    model: Any = None


@dataclass(frozen=True)
class StoredRun:
    """A row of `MeetUp2025.Analysis`."""

    run: int
    kind: str
    basis: Basis
    parameters: Mapping[str, Any] = field(hash=False)
    seed: int | None
    fingerprint: str


def fitted_run(connection: Connection, request: Request, fit: Callable[[], Outcome]) -> int:
    """
    Fit and store a run, unless there is a run with the same source, parameters, seed and versions.

    Args:
        connection: An open connection. The run is stored in one transaction.
        request: Kind, source and parameters of the run.
        fit: Function that fits the run.

    Returns:
        Number of the run, new or known.

    Raises:
        DataError: The seed is below 0 or above 2**32 - 1.
    """
    if not 0 <= (request.seed or 0) <= _LARGEST_SEED:
        raise DataError(f"seed must be from 0 to {_LARGEST_SEED}. Got {request.seed}.")
    basis, versions = request.basis, _versions()
    made_of = [request.kind, basis.source, basis.hash, request.parameters, request.seed, versions]
    fingerprint = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    if known := _asked_again(connection, fingerprint):
        return known
    started = time.perf_counter()
    outcome = fit()
    seconds = round(time.perf_counter() - started, 3)
    words = json.dumps(request.parameters, ensure_ascii=False)
    asked = (request.kind, basis.source, words, request.seed)
    row = (*asked, basis.model, basis.items, seconds, versions, basis.hash, fingerprint)
    try:
        return _store(connection, row, outcome)
    except IntegrityError:  # another process has stored the same run in the meantime
        if known := _asked_again(connection, fingerprint):
            return known
        raise


def stored_run(connection: Connection, run: int, *kinds: str) -> StoredRun:
    """
    Find a run.

    Args:
        connection: An open connection.
        run: Number of the run.
        kinds: Kinds that the run may have. Without kinds, any is allowed.

    Raises:
        DataError: There is no such run, or it is of another kind.
    """
    with connection.cursor() as cursor:
        rows = cursor.execute(f"{_SELECT} WHERE %ID = ?", [run]).fetchall()
    if not rows:
        raise DataError(f"A run must exist. Got {run}; SELECT Run FROM MeetUp2025.Runs() lists all runs.")
    found = _stored(rows[0])
    if kinds and found.kind not in kinds:
        those = f"SELECT Run FROM MeetUp2025.Runs('{kinds[0]}')"
        raise DataError(
            f"Run {run} must be of the kind {' or '.join(kinds)}. Got {found.kind}; {those} lists such runs."
        )
    return found


def newest_run(connection: Connection, kind: str, source: str) -> StoredRun | None:
    """Find the newest run of a kind and a source. It is None where there is none."""
    with connection.cursor() as cursor:
        row = cursor.execute(f"{_SELECT} WHERE Kind = ? AND Source = ? ORDER BY %ID DESC", [kind, source]).fetchone()
    return _stored(row) if row else None


def runs_of(connection: Connection, kind: str, source: str) -> list[StoredRun]:
    """Find all runs of a kind and a source, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} WHERE Kind = ? AND Source = ? ORDER BY %ID", [kind, source])
        return [_stored(row) for row in cursor.fetchall()]


_SELECT = "SELECT %ID, Kind, Source, SourceHash, Model, Items, Parameters, Seed, Fingerprint FROM MeetUp2025.Analysis"


def _stored(row: tuple[Any, ...]) -> StoredRun:
    run, kind, source, source_hash, model, count, parameters, seed, fingerprint = row
    basis = Basis(source, source_hash, model or "", int(count))
    return StoredRun(int(run), kind, basis, json.loads(parameters), None if seed is None else int(seed), fingerprint)


def stored_model(connection: Connection, run: int, kind: type[T]) -> T:
    """
    Read the fitted model of a run.

    Raises:
        BrokenModelError: The model is missing, or its bytes have changed.
    """
    return _model(run, _stored_parts(connection, run), kind)


def kept_model(connection: Connection, run: int, kind: type[T]) -> T:
    """Read a small fitted model, as `stored_model`. The process keeps it for as long as the run has the same bytes."""
    kept: Callable[..., T] = _kept_model  # the cache hides that the result is of *kind*
    return kept(run, _stored_parts(connection, run), kind)


def _stored_parts(connection: Connection, run: int) -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT Part, Content FROM MeetUp2025.FittedModel WHERE Run = ?", [run])
        return tuple(content for _, content in sorted((int(part), content) for part, content in cursor.fetchall()))


def _model(run: int, parts: tuple[str, ...], kind: type[T]) -> T:
    try:
        content = b"".join(base64.b64decode(part, validate=True) for part in parts)
    except ValueError as error:
        raise BrokenModelError(
            f"The model of run {run} must be as it was written. Got {error}; fit it again."
        ) from None
    return fitted.unpack(content, kind)


_kept_model = lru_cache(8)(_model)


def metric_of(connection: Connection, run: int, name: str) -> float:
    """
    Read a metric of a run.

    Raises:
        DataError: The run has no such metric.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT Value FROM MeetUp2025.Metric WHERE Run = ? AND Name = ?", [run, name])
        rows = cursor.fetchall()
    if not rows or rows[0][0] is None:
        raise DataError(f"Run {run} must have the metric {name}. Got none; fit it again.")
    return float(rows[0][0])


def metrics_of(connection: Connection, run: int) -> dict[str, float | None]:
    """Read the metrics of a run by their names."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Name, Value FROM MeetUp2025.Metric WHERE Run = ? ORDER BY %ID", [run])
        return {name: None if value is None else float(value) for name, value in cursor.fetchall()}


def delete_run(connection: Connection, run: int) -> None:
    """
    Delete a run and its results.

    Raises:
        DataError: There is no such run.
    """
    stored_run(connection, run)
    with connection.transaction(), connection.cursor() as cursor:
        for table in RESULT_TABLES:
            cursor.execute(f"DELETE FROM MeetUp2025.{table} WHERE Run = ?", [run])
        cursor.execute("DELETE FROM MeetUp2025.Analysis WHERE %ID = ?", [run])


def _asked_again(connection: Connection, fingerprint: str) -> int:
    with connection.cursor() as cursor:
        run = _run_of(cursor, fingerprint)
        if run:
            with connection.transaction():
                cursor.execute("UPDATE MeetUp2025.Analysis SET Asked = Asked + 1 WHERE %ID = ?", [run])
    return run


def _run_of(cursor: Any, fingerprint: str) -> int:
    cursor.execute("SELECT %ID FROM MeetUp2025.Analysis WHERE Fingerprint = ?", [fingerprint])
    rows = cursor.fetchall()
    return int(rows[0][0]) if rows else 0


def _store(connection: Connection, row: tuple[Any, ...], outcome: Outcome) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        run = _run_of(cursor, row[-1])
        for result in outcome.results:
            run_many(cursor, result.insert, _plain((run, *row) for row in result.rows))
        metrics = [(run, each.subject, each.name, each.value, each.low, each.high) for each in outcome.metrics]
        run_many(cursor, _INSERT_METRIC, _plain(metrics))
        if outcome.model is not None:
            parts = enumerate(_parts(fitted.pack(outcome.model)), 1)
            run_many(cursor, _INSERT_PART, [(run, number, part) for number, part in parts])
    return run


def _parts(content: bytes) -> list[str]:
    places = range(0, len(content), _PART)
    return [base64.b64encode(content[place : place + _PART]).decode() for place in places]


def _plain(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Convert numbers of numpy to numbers of Python. NaN becomes NULL."""
    for row in rows:
        values = (value.item() if hasattr(value, "item") else value for value in row)
        yield tuple(None if isinstance(value, float) and value != value else value for value in values)  # noqa: PLR0124


def _versions() -> str:
    from importlib.metadata import version

    return ", ".join([f"meetup2025 {__version__}", *(f"{name} {version(name)}" for name in _LIBRARIES)])
