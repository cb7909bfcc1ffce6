"""
The Python side of the classes that analyse: a function for each Python method, of the same name and arguments.

Each gives the number of a run, which stores all that it found (`store`). It finds its database by `engines.current()`.
Everything heavy is imported when it is first needed.
"""

from __future__ import annotations

from meetup2025.runs.changes import fit_changes
from meetup2025.runs.clusters import fit_assignment, fit_clusters, fit_elbow
from meetup2025.runs.evaluation import choose_threshold, fit_comparison, fit_evaluation
from meetup2025.runs.management import delete_run, known_run, register_source, source_changed
from meetup2025.runs.maps import fit_map, fit_placement, fit_round_trip, place_of, vector_at
from meetup2025.runs.outliers import fit_outliers, fit_scores
from meetup2025.runs.quality import fit_duplicates, fit_suspects
from meetup2025.runs.recogniser import fit_recogniser
from meetup2025.runs.recognition import recognise

__all__ = [
    "choose_threshold",
    "delete_run",
    "fit_assignment",
    "fit_changes",
    "fit_clusters",
    "fit_comparison",
    "fit_duplicates",
    "fit_elbow",
    "fit_evaluation",
    "fit_map",
    "fit_outliers",
    "fit_placement",
    "fit_recogniser",
    "fit_round_trip",
    "fit_scores",
    "fit_suspects",
    "known_run",
    "place_of",
    "recognise",
    "register_source",
    "source_changed",
    "vector_at",
]
