"""Tuning of an analysis: trials of its parameters, each of them a run, and the best so far."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from meetup2025.analytics.detectors import DETECTORS
from meetup2025.errors import DataError, MissingExtraError, shown
from meetup2025.iris_process import is_watched
from meetup2025.loading.spelling import known_word
from meetup2025.runs.clusters import CLUSTERS, METHODS
from meetup2025.runs.evaluation import validation_pr_auc
from meetup2025.runs.management import AGAIN
from meetup2025.runs.maps import MAP
from meetup2025.runs.outliers import BY_EXEMPLAR, OUTLIERS
from meetup2025.runs.sources import SHORT, read_items
from meetup2025.runs.store import Metric, Outcome, Request, Result, fitted_run, metrics_of, runs_of
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items
    from meetup2025.runs.store import StoredRun

TUNING = "Tuning"
"""Kind of the runs."""

_LEAST = 3
"""Fewest vectors: two groups need one more."""

_REPEATS = 30
"""Proposals in a row that are known already. Then nearly all has been tried, and the tuning ends."""

_WORST = -1.0
"""Value that the study is told for parameters that do not fit: below each measure, so it learns to leave them."""

_CONTAMINATION = 0.03
"""Share of odd items. It moves the threshold of a detector, not the order of the scores, by which it is judged."""


class Trial(NamedTuple):
    """A trial: number of its run and its value, or None for both where the parameters do not fit the source."""

    run: int | None
    parameters: Mapping[str, Any]
    value: float | None


@dataclass(frozen=True)
class _Kind:
    """
    What can be tuned in the runs of a kind.

    Attributes:
        measures: Metrics to choose from, the higher, the better. The first that the source allows is the default.
        propose: Takes a trial of Optuna and the number of vectors, and returns parameters of a run.
    """

    measures: tuple[str, ...]
    propose: Callable[[Any, int], dict[str, Any]]


def _map(trial: Any, count: int) -> dict[str, Any]:
    return {
        "dimensions": 3,
        "neighbours": trial.suggest_int("neighbours", 2, min(100, count - 1), log=True),
        "mindist": round(trial.suggest_float("mindist", 0, 0.99, step=0.01), 2),
        "supervised": 0,
        "withoutgap": 0,
        "metric": "cosine",
    }


def _clusters(trial: Any, count: int) -> dict[str, Any]:
    method = trial.suggest_categorical("method", METHODS)
    if method == METHODS[0]:
        return {"clusters": trial.suggest_int("clusters", 2, min(29, count - 1))}
    return {"method": method, "least": trial.suggest_int("least", 2, max(2, min(50, count // 4)))}


def _outliers(trial: Any, _: int) -> dict[str, Any]:
    return {"method": trial.suggest_categorical("method", [name for name in DETECTORS if name != BY_EXEMPLAR])}


_KINDS = {
    MAP: _Kind(("trustworthiness", "overlap", "continuity"), _map),
    CLUSTERS: _Kind(("labels_ari", "silhouette"), _clusters),
    OUTLIERS: _Kind(("pr_auc",), _outliers),
}


@dataclass(frozen=True)
class _Task:
    """What a tuning looks for. *items* is the source, *labels* a set of marks, or empty."""

    connection: Connection = field(repr=False)
    kind: str
    items: Items = field(repr=False)
    measure: str
    labels: str
    seed: int

    def propose(self, trial: Any) -> dict[str, Any]:
        """Return the parameters that a trial of Optuna proposes."""
        return _KINDS[self.kind].propose(trial, len(self.items))

    def fit(self, parameters: Mapping[str, Any]) -> Trial:
        """Make a run. Parameters that do not fit the source have no value."""
        given = {"contamination": _CONTAMINATION, "normal": self.items.source, **parameters}
        try:
            run = AGAIN[self.kind](self.connection, self.items.source, given, self.seed)
        except DataError:
            return Trial(None, parameters, None)
        return Trial(run, parameters, self.value(run))

    def value(self, run: int) -> float | None:
        """Return how good a run is. Items of no group count in the silhouette as 0, as an item alone in its group."""
        if self.measure == "pr_auc":
            return validation_pr_auc(self.connection, run, self.labels)
        found = metrics_of(self.connection, run)
        value = found.get(self.measure)
        if value is None or self.measure != "silhouette":
            return value
        return value * (1 - (found.get("noise") or 0) / len(self.items))


def fit_tuning(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection,
    kind: str,
    source: str,
    trials: int = 20,
    measure: str = "",
    labels: str = "",
    seed: int = 5,
) -> int:
    """
    Try parameters of an analysis by the tree-structured Parzen estimator of Optuna: `MeetUp2025.FitTuning`.

    Every trial is a run of the kind. Earlier runs of the source are given to the study first. So the next tuning goes
    on where this one ends. Ctrl-C ends the trials, and keeps those that are done.

    Args:
        connection: An open connection. With autocommit each trial is committed when it is done.
        kind: `Map`, `Clusters` or `Outliers`, in any case.
        source: Name of the source, of at least 3 vectors.
        trials: Number of new runs, at least 1. There are fewer where nothing is left to try.
        measure: Metric of the runs, the higher, the better. Empty means trustworthiness for maps, agreement with the
            labels for groups, or the silhouette where the source has no labels, and PR AUC for outliers.
        labels: Set of `MeetUp2025.Mark` whose validation items measure outliers. Only for Outliers, and needed there.
        seed: Seed of the trials and of each run.

    Returns:
        Number of the run. Metrics: `best`, `best_run`, `trials`, `earlier`, and `stopped`, 1 after Ctrl-C.

    Raises:
        DataError: An argument is out of range, the source has too few vectors or not what the measure needs, or no
            trial has a value.
        MissingExtraError: Optuna is not installed.

    References:
        J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, Algorithms for hyper-parameter optimization, NIPS 2011.
        T. Akiba et al., Optuna: a next-generation hyperparameter optimization framework, KDD 2019.
    """
    optuna = _imported()
    if trials < 1:
        raise DataError(f"The number of trials must be at least 1. Got {trials}.")
    chosen = known_word(kind, _KINDS)
    if not chosen:
        raise DataError(f"The kind of a tuning must be {', '.join(_KINDS)}. Got {shown(kind)}.")
    items = read_items(connection, source)
    if len(items) < _LEAST:
        raise DataError(f"A source to tune must have at least {_LEAST} vectors. Got {len(items)} in {items.source}.")
    if bool(labels) != (chosen == OUTLIERS):
        got = f"{shown(labels)} for {chosen}"
        raise DataError(f"Labels must be a set of MeetUp2025.Mark for {OUTLIERS}, and empty otherwise. Got {got}.")
    task = _Task(connection, chosen, items, _measure(chosen, items, measure), labels, seed)
    earlier = _earlier(task)
    parameters = {"kind": chosen, "measure": task.measure, "labels": labels, "trials": trials}
    digest = hashlib.sha256(repr([(run.fingerprint, value) for run, value in earlier]).encode()).hexdigest()[:SHORT]
    request = Request(TUNING, items.basis, parameters | {"earlier_hash": digest}, seed)
    return fitted_run(connection, request, lambda: _tuned(optuna, task, trials, earlier))


def _imported() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError(f"A tuning needs optuna: {install_command('tune')}.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _measure(kind: str, items: Items, given: str) -> str:
    measures = _KINDS[kind].measures
    has_labels = len({label for label in items.labels if label}) > 1
    if given.strip():
        measure = known_word(given, measures)
        if not measure:
            raise DataError(f"The measure of {kind} must be {', '.join(measures)}. Got {shown(given)}.")
        if measure == "labels_ari" and not has_labels:
            raise DataError(f"For labels_ari {items.source} must have two different labels. Got fewer.")
        return measure
    return next(name for name in measures if has_labels or name != "labels_ari")


def _earlier(task: _Task) -> list[tuple[StoredRun, float]]:
    """Return the earlier runs of the source that have a value, the oldest first."""
    known = [run for run in runs_of(task.connection, task.kind, task.items.source) if "of" not in run.parameters]
    if task.kind == OUTLIERS:  # they are measured now, against the source as it is
        own = {"normal": task.items.source, "normal_hash": task.items.hash}
        known = [run for run in known if own.items() <= run.parameters.items() and _is_present(task, run)]
    values = [(run, task.value(run.run)) for run in known]
    return [(run, value) for run, value in values if value is not None]


def _is_present(task: _Task, run: StoredRun) -> bool:
    """Return whether a run is of the source as it is now."""
    return run.basis.hash == task.items.hash


def _tuned(optuna: Any, task: _Task, trials: int, earlier: list[tuple[StoredRun, float]]) -> Outcome:
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=(task.seed + len(earlier)) % 2**32)
    )
    for run, value in earlier:
        _give(optuna, study, task, run, value)
    present = [Trial(run.run, run.parameters, value) for run, value in earlier if _is_present(task, run)]
    done, stopped = _tried(study, task, trials, {trial.run for trial in present})
    every = [trial for trial in (*present, *done) if trial.value is not None]
    if not every:
        got = f"no value in {len(done)} trials, of which the last is {json.dumps(done[-1].parameters)}"
        raise DataError(
            f"Parameters that fit {task.items.source} must be found. Got {got}; fit these by hand to see why."
        )
    best = max(every, key=lambda trial: trial.value or 0)
    metrics = [Metric("best", best.value), Metric("best_run", best.run), Metric("trials", len(done))]
    metrics += [Metric("earlier", len(earlier)), Metric("stopped", int(stopped))]
    columns = ("Trial", "Fitted", "Parameters", "Value", "Best")
    return Outcome([Result("Trial", columns, _rows(present, done))], metrics)


def _give(optuna: Any, study: Any, task: _Task, run: StoredRun, value: float) -> None:
    """Give an earlier run to a study. Runs with parameters that a trial cannot have tell it nothing."""
    flat = {"method": METHODS[0], **run.parameters}
    fixed = optuna.trial.FixedTrial(flat)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Optuna warns of values out of range
            proposed = task.propose(fixed)
    except (ValueError, UserWarning):
        return
    if proposed.items() <= run.parameters.items():
        study.add_trial(optuna.trial.create_trial(params=fixed.params, distributions=fixed.distributions, value=value))


def _tried(study: Any, task: _Task, trials: int, known: set[int | None]) -> tuple[list[Trial], bool]:
    """Make new runs, until there are enough, nothing new is proposed, or Ctrl-C. Return whether it was Ctrl-C."""
    from tqdm import tqdm

    done: list[Trial] = []
    values: dict[str, Trial] = {}
    repeats = 0
    try:
        with tqdm(total=trials, unit=" trials", disable=not is_watched(), leave=False) as bar:
            while len(done) < trials and repeats < _REPEATS:
                asked = study.ask()
                parameters = task.propose(asked)
                words = json.dumps(parameters)
                trial = values[words] if words in values else task.fit(parameters)
                study.tell(asked, _WORST if trial.value is None else trial.value)
                is_new = words not in values and (trial.run is None or trial.run not in known)
                values[words] = trial
                repeats = 0 if is_new else repeats + 1
                if is_new:
                    done.append(trial)
                    bar.update()
    except KeyboardInterrupt:
        if not done:
            raise
        return done, True
    return done, False


def _rows(present: list[Trial], done: list[Trial]) -> list[tuple[Any, ...]]:
    """Return a row for each trial, with the best value of all runs until then."""
    values = [trial.value for trial in present if trial.value is not None]
    rows: list[tuple[Any, ...]] = []
    for number, trial in enumerate(done, 1):
        values += [] if trial.value is None else [trial.value]
        words = json.dumps(trial.parameters, ensure_ascii=False)
        rows.append((number, trial.run, words, trial.value, max(values, default=None)))
    return rows
