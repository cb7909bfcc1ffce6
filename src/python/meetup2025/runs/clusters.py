"""Groups of similar items by K-means or HDBSCAN, and the choice of their number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.changes import agreement
from meetup2025.analytics.clusters import NOISE, Clusters, assign, cluster_names, fit_clusters as fit
from meetup2025.analytics.elbow import choose, elbow
from meetup2025.errors import DataError, shown
from meetup2025.loading.spelling import known_word
from meetup2025.runs.json_rows import json_rows
from meetup2025.runs.sources import check_same_model, read_items, texts_of
from meetup2025.runs.store import ITEM, Metric, Outcome, Request, Result, fitted_run, stored_model, stored_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.analytics.elbow import Choice, Sweep
    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items

CLUSTERS, ELBOW = "Clusters", "Elbow"
"""Kinds of runs."""

METHODS = ("KMeans", "HDBSCAN")


def fit_clusters(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection, source: str, clusters: int = 0, seed: int = 5, method: str = METHODS[0], least: int = 5
) -> int:
    """
    Group the vectors of a source: `MeetUp2025.FitClusters`.

    Args:
        connection: An open connection.
        source: Name of the source.
        clusters: Number of groups of K-means, from 1 to the number of vectors. 0 lets the elbow and the silhouette
            choose. HDBSCAN finds the number itself.
        seed: Seed of the first centres, or of the map on which HDBSCAN works.
        method: `KMeans` or `HDBSCAN`, in any case.
        least: Fewest members of a group of HDBSCAN, from 2.

    Returns:
        Number of the run. By K-means with 0 clusters, the metrics `elbow_chooses` and `silhouette_chooses` are the
        choices of both rules. The subject of `decided` is the deciding rule and its reason. `clear` is 1 if the number
        is clear. By HDBSCAN, the metric `noise` is the number of items without a group: their cluster is 0.

    Raises:
        DataError: An argument is out of range, there are too few vectors, or HDBSCAN finds no group.
    """
    chosen = known_word(method, METHODS)
    if not chosen:
        raise DataError(f"The method of groups must be {' or '.join(METHODS)}. Got {shown(method)}.")
    items = read_items(connection, source)
    if chosen == "HDBSCAN":
        return _fit_density(connection, items, clusters, seed, least)
    request = Request(CLUSTERS, items.basis, {"clusters": clusters}, seed)
    return fitted_run(connection, request, lambda: _grouped(items, clusters, seed))


def _fit_density(connection: Connection, items: Items, clusters: int, seed: int, least: int) -> int:
    if clusters:
        raise DataError(f"The number of groups is found by HDBSCAN: clusters must be 0. Got {clusters}.")
    from meetup2025.analytics.density import fit_density

    request = Request(CLUSTERS, items.basis, {"method": "HDBSCAN", "least": least}, seed)
    return fitted_run(connection, request, lambda: _outcome(items, fit_density(items.vectors, least, seed=seed)))


def fit_assignment(connection: Connection, run: int, source: str) -> int:
    """
    Assign the vectors of a source to the groups of an earlier run: `MeetUp2025.FitAssignment`.

    Raises:
        DataError: The run does not exist or is of another kind, or the vectors have another length.
        ModelMismatchError: The vectors are of another model.
    """
    known = stored_run(connection, run, CLUSTERS)
    items = read_items(connection, source)
    check_same_model(items, known)
    request = Request(CLUSTERS, items.basis, {"of": run})
    return fitted_run(connection, request, lambda: _assigned(items, stored_model(connection, run, Clusters)))


def fit_elbow(connection: Connection, source: str, least: int = 2, most: int = 29, seed: int = 5) -> int:
    """
    Try numbers of clusters: `MeetUp2025.FitElbow`.

    Args:
        connection: An open connection.
        source: Name of the source.
        least: Fewest clusters, from 1.
        most: Most clusters, above *least*.
        seed: Seed of the first centres.

    Returns:
        Number of the run.

    Raises:
        DataError: There are fewer vectors than clusters, or too few numbers to try.
    """
    items = read_items(connection, source)
    request = Request(ELBOW, items.basis, {"least": least, "most": most}, seed)
    return fitted_run(connection, request, lambda: _swept(items, elbow(items.vectors, least, most, seed=seed), seed))


def words_of_groups(connection: Connection, run: int, column: str, k: int = 5) -> str:
    """
    Return the words that tell the groups of a run apart, by a column of its source: `MeetUp2025.WordsOfGroups`.

    Args:
        connection: An open connection.
        run: Number of the run.
        column: Column of the source with texts, in any case.
        k: Most words of a group, from 1 to 50.

    Returns:
        A JSON array of objects: place, cluster and words. Groups without a word are left out, and so is noise.

    Raises:
        DataError: There is no such run or column, or *k* is out of range.
    """
    from meetup2025.analytics.words import telling_words

    if not 1 <= k <= _WORDS:
        raise DataError(f"k must be a whole number from 1 to {_WORDS}. Got {k}.")
    known = stored_run(connection, run, CLUSTERS)
    sql = "SELECT Source, Item, Cluster FROM MeetUp2025.ClusterItem WHERE Run = ? AND Cluster > 0"
    with connection.cursor() as cursor:
        clusters = {(source, item): int(number) for source, item, number in cursor.execute(sql, [run]).fetchall()}
    texts = texts_of(connection, known.basis.source, column)
    grouped = [(text, clusters[key]) for key, text in texts.items() if key in clusters]
    found = telling_words([text for text, _ in grouped], [number for _, number in grouped], k)
    return json_rows({"cluster": number, "words": ", ".join(words)} for number, words in found.items())


_WORDS = 50
"""Most words of a group."""


def _grouped(items: Items, clusters: int, seed: int) -> Outcome:
    if clusters:
        return _outcome(items, fit(items.vectors, clusters, seed=seed))
    choice = choose(elbow(items.vectors, seed=seed))
    found = _outcome(items, fit(items.vectors, choice.k, seed=seed))
    return replace(found, metrics=[*found.metrics, *_choices(choice)])


def _choices(choice: Choice) -> list[Metric]:
    """Return the choice of each rule, the rule that decided, and whether the number is clear."""
    return [
        Metric("elbow_chooses", choice.elbow),
        Metric("silhouette_chooses", choice.silhouette),
        Metric("decided", choice.k, choice.decided),
        Metric("clear", int(choice.clear), "" if choice.clear else "no clear number of groups"),
    ]


def _assigned(items: Items, model: Clusters) -> Outcome:
    labels, distances = assign(model, items.vectors)
    sizes = np.bincount(labels, minlength=len(model.sizes))
    return _outcome(
        items, replace(model, labels=labels, distances=distances, sizes=sizes, sse=float(distances @ distances))
    )


def _outcome(items: Items, model: Clusters) -> Outcome:
    names = cluster_names(model, items.names)
    groups = [
        (number, name, len(rows), float(model.distances[rows].mean()) if len(rows) else None)
        for number, (name, rows) in enumerate(zip(names, model.members, strict=True), 1)
    ]
    metrics = [Metric("clusters", len(groups)), Metric("sse", model.sse), Metric("silhouette", _score(items, model))]
    metrics += [Metric("noise", len(model.noise))] if len(model.noise) else []
    metrics += _by_labels(items, model)
    results = [
        Result("ClusterItem", (*ITEM, "Cluster", "Distance", "Central"), _members(items, model)),
        Result("ClusterGroup", ("Cluster", "Name", "Items", "Spread"), groups),
    ]
    return Outcome(results, metrics, model)


def _by_labels(items: Items, model: Clusters) -> list[Metric]:
    """Tell how many labels the items have, and how well the groups agree with them; nothing where two have none."""
    labelled = [place for place, label in enumerate(items.labels) if label]
    labels = [items.labels[place].upper() for place in labelled]
    if len(labels) < 2:
        return []
    found = agreement(labels, model.labels[labelled])
    agreed = [Metric("labels_ari", found.adjusted_rand), Metric("labels_nmi", found.mutual_information)]
    return [Metric("labels", len(found.before)), *agreed]


def _score(items: Items, model: Clusters) -> float | None:
    """Return the mean silhouette without noise. It is not defined for one group, nor for groups of one item each."""
    from meetup2025.analytics.silhouette import silhouette

    grouped = model.labels != NOISE
    labels = model.labels[grouped]
    return silhouette(items.vectors[grouped], labels).score if 2 <= len(set(labels)) < len(labels) else None


def _members(items: Items, model: Clusters) -> Iterator[tuple[Any, ...]]:
    for number, rows in enumerate((model.noise, *model.members)):
        for central, (row, known) in enumerate(zip(rows, items.rows(rows), strict=True), 1):
            yield (*known, number, model.distances[row], central)


def _swept(items: Items, sweep: Sweep, seed: int) -> Outcome:
    chosen = {"elbow": sweep.elbow, "silhouette": sweep.roundest}
    rows = [
        (k, sse, silhouette, ", ".join(rule for rule, choice in chosen.items() if choice == k))
        for k, sse, silhouette in zip(sweep.ks, sweep.sse, sweep.silhouettes, strict=True)
    ]
    metrics = [*(Metric(rule, k) for rule, k in chosen.items()), Metric("sampled", sweep.sampled)]
    if any(items.labels):
        metrics += _by_labels(items, fit(items.vectors, sweep.chosen, seed=seed))
    return Outcome([Result("ElbowPoint", ("Clusters", "SSE", "Silhouette", "Choice"), rows)], metrics)
