"""
Groups of like items: K-means, and how many groups there should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meetup2025.runs.store import Outcome

CLUSTERS, ELBOW = "Clusters", "Elbow"
"""Kinds of runs."""

_LEAST, _MOST = 2, 29
"""Numbers of clusters among which the elbow chooses, as in the workshop."""


def fit_clusters(source: str, clusters: int = 0, seed: int = 5) -> int:
    """
    Group the vectors of a source by K-means; `MeetUp2025.FitClusters`.

    Args:
        source: Its name.
        clusters: Number of groups, from 1 to that of the vectors; 0 lets the elbow choose.
        seed: Of the first centres.

    Returns:
        Number of the run.

    Raises:
        DataError: There are fewer vectors than groups, or no elbow.
    """
    from meetup2025.engines import current
    from meetup2025.runs.items import read_items
    from meetup2025.runs.store import fitted_run

    connection = current()
    items = read_items(connection, source)
    parameters = {"clusters": clusters}
    return fitted_run(connection, CLUSTERS, items, parameters, seed, lambda: _grouped(items, clusters, seed))


def fit_assignment(run: int, source: str) -> int:
    """
    Put the vectors of a source into the groups of an earlier run; `MeetUp2025.FitAssignment`.

    Raises:
        DataError: The run is not there or of another kind, or the vectors have another length.
        ModelMismatchError: They are of another model.
    """
    from meetup2025.analytics.clusters import Clusters, assign
    from meetup2025.engines import current
    from meetup2025.runs.items import check_same_model, read_items
    from meetup2025.runs.store import fitted_run, stored_model, stored_run

    connection = current()
    known = stored_run(connection, run, CLUSTERS)
    items = read_items(connection, source)
    check_same_model(items, known)
    model = stored_model(connection, run, Clusters)

    def fit() -> Outcome:
        return _outcome(items, model, *assign(model, items.vectors), keep=False)

    return fitted_run(connection, CLUSTERS, items, {"of": run}, None, fit)


def fit_elbow(source: str, least: int = 2, most: int = 29, seed: int = 5) -> int:
    """
    Try numbers of clusters; `MeetUp2025.FitElbow`.

    Args:
        source: Its name.
        least: Fewest clusters, from 1.
        most: Most clusters; above *least*.
        seed: Of the first centres.

    Returns:
        Number of the run.

    Raises:
        DataError: There are fewer vectors than clusters, or too few numbers to try.
    """
    from meetup2025.analytics.sweep import elbow
    from meetup2025.engines import current
    from meetup2025.runs.items import read_items
    from meetup2025.runs.store import fitted_run

    connection = current()
    items = read_items(connection, source)
    parameters = {"least": least, "most": most}
    return fitted_run(
        connection, ELBOW, items, parameters, seed, lambda: _swept(elbow(items.vectors, least, most, seed=seed))
    )
