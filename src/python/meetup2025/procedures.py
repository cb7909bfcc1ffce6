"""
The one door from SQL: a function for each Python method of `src/cls`, with the same name and arguments.

`from_sql` converts the arguments of IRIS once. A function finds its database by `engines.current()` and hands both to
the function that does the work. It returns a value that SQL can carry: a text or a number.
"""

from __future__ import annotations

import functools
import inspect
import json
from typing import TYPE_CHECKING, Any, TypeVar

from meetup2025 import files, images, settings, vectors
from meetup2025.analytics import region as regions
from meetup2025.analytics.maps import compile_now
from meetup2025.embedding import encoder, local_encoder, worker
from meetup2025.embedding.installing import recipes
from meetup2025.embedding.models import faults, find, installed
from meetup2025.engines import current
from meetup2025.engines.arguments import as_double, as_integer, as_text, is_missing
from meetup2025.errors import DataError, Error, MissingModelError, shown
from meetup2025.loading import names as catalogue, photos, tables
from meetup2025.loading.folders import is_settled, photo_files
from meetup2025.loading.prompts import fitting
from meetup2025.loading.records import LONGEST_LABEL, read_templates
from meetup2025.loading.spelling import check_text, composed, folded, normal
from meetup2025.runs import (
    benchmark,
    changes,
    clusters as groups,
    evaluation,
    management,
    maps,
    nearest,
    outliers,
    quality,
    recall,
    recogniser,
    recognition,
    selections,
    sightings,
    sources,
    store,
    tuning,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.embedding import Encoder

T = TypeVar("T")

TABLES = ("Fish", "FishImage")
"""Tables that can be searched and loaded."""


# --- the door -------------------------------------------------------------------------------------------------------


def from_sql(function: Callable[..., T]) -> Callable[..., T]:
    """
    Convert the arguments of a function to the types of its annotations: int, float or str.

    For a str, NULL and the empty text become the empty text. For a number, they become its default.

    Raises:
        DataError: A value is no number. The message names the argument.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def converted(*values: Any, **named: Any) -> T:
        given = signature.bind(*values, **named)
        for name, value in given.arguments.items():
            given.arguments[name] = _converted(signature.parameters[name], value)
        return function(*given.args, **given.kwargs)

    return converted


def _converted(parameter: inspect.Parameter, value: Any) -> Any:
    if parameter.annotation == "str":
        return as_text(value)
    if is_missing(value) and parameter.default is not parameter.empty:
        return parameter.default
    convert = {"float": as_double, "int": as_integer}[parameter.annotation]
    return convert(parameter.name, value)


# --- vectors --------------------------------------------------------------------------------------------------------


@from_sql
def embed_text(text: str) -> str:
    """
    Return the unit vector of a text, as comma-separated text: `MeetUp2025.EmbedText`.

    Raises:
        DataError: The text is empty.
    """
    return vectors.to_text(encoder().texts([text])[0])


def _embed_texts(texts: list[str | None]) -> list[str]:
    """Return what `embed_text` returns for each of many texts."""
    return [vectors.to_text(row) for row in encoder().texts([as_text(text) for text in texts])]


MANY: dict[str, Callable[[list[Any]], list[Any]]] = {"embed_text": _embed_texts}
"""Functions that run for many values at once, by the function for one."""


@from_sql
def embed_image(image: str) -> str:
    """
    Return the unit vector of a picture, as comma-separated text: `MeetUp2025.EmbedImage`.

    Args:
        image: The picture: Base64, a data URL, or a path below the allowed folder.

    Raises:
        UnreadableImageError: The image is not a picture, or it is broken.
        ForbiddenPathError: The path is outside the allowed folder.
    """
    model = encoder()
    return vectors.to_text(model.images([images.open_picture(image, longest=model.picture_size)])[0])


@from_sql
def get_embedding(type: str, input: str) -> str:  # noqa: A002 - the names of the workshop
    """
    Return the vector of a text (type `T`) or a picture (type `I`): `MeetUp2025.GetEmbedding`.

    Raises:
        DataError: The type is another.
    """
    if type.upper() == "T":
        return embed_text(input)
    if type.upper() == "I":
        return embed_image(input)
    raise DataError(f"type must be T (text) or I (image). Got {shown(type)}.")


@from_sql
def search_vector(table: str, type: str, input: str) -> str:  # noqa: A002
    """
    Return the vector for a search of a table: `MeetUp2025.SearchVector`.

    Raises:
        DataError: The table is empty.
        ModelMismatchError: The vectors of the table are of another model.
    """
    tables.check_search(current(), _table(table), encoder().model)
    return get_embedding(type, input)


@from_sql
def installed_models() -> str:
    """
    List the installed models as a JSON array of objects: `MeetUp2025.InstalledModels`.

    A broken model has the name of its folder as its id, and its fault.
    """
    fields = ("id", "revision", "dimension", "licence", "description", "bytes")
    used, origin = settings.model(), settings.model_origin()
    models = []
    for model in installed():
        is_used = used in {model.id, model.model}
        models.append({field: getattr(model, field) for field in fields} | {
            "used": is_used, "chosen_by": origin if is_used else None, "fault": None
        })
        if is_used and model.int8 and settings.runtime() in {"", "int8"}:
            models[-1]["revision"] += model.int8.suffix
    nothing = {**dict.fromkeys(fields), "used": False, "chosen_by": None}
    models += [{**nothing, "id": folder.name, "fault": fault} for folder, fault in faults().items()]
    return json.dumps(models, ensure_ascii=False)


# --- names ----------------------------------------------------------------------------------------------------------


@from_sql
def known_name(name: str) -> str:
    """
    Find the catalogue name for any name of a fish: `MeetUp2025.KnownName`.

    Raises:
        UnknownNameError: No row has this name.
    """
    return tables.known_names(current(), [name])[0]


@from_sql
def known_names(names: str) -> str:
    """
    Find the catalogue names for a comma-separated list: `MeetUp2025.KnownNames`.

    Raises:
        UnknownNameError: No row has one of the names.
    """
    return ",".join(tables.known_names(current(), names.split(",")))


# --- loading --------------------------------------------------------------------------------------------------------


@from_sql
def load_names(csv: str, prompts: str = "") -> int:
    """
    Load a catalogue of names, and return the number of rows added or changed: `MeetUp2025.LoadNames`.

    Args:
        csv: A CSV file: a path below the allowed folder, or a data URL.
        prompts: A CSV file of templates, in the same form. Empty means the bare names, or for a model that knows
            English alone the English ones.
    """
    model = encoder()
    model.check()
    chosen = fitting(model.languages)
    if prompts:
        with files.open_source(prompts) as (file, name):
            chosen = read_templates(file, name)
    with files.open_source(csv) as (file, name):
        return catalogue.load_names(current(), file, name, model, chosen)


@from_sql
def load_images(folder: str, prefix: str = "") -> int:
    """
    Load the photos of a folder, and return the number of rows added or changed: `MeetUp2025.LoadImages`.

    Args:
        folder: Path below the allowed folder.
        prefix: First part of the names of new photos.
    """
    model = encoder()
    model.check()
    changed = photos.load_images(current(), files.resolve_folder(folder), model, prefix)
    recogniser.refresh(current())  # also without changes: a load before may have been stopped
    return changed


@from_sql
def add_image(name: str, image: str, label: str = "", source: str = "") -> int:
    """
    Load one photo, teach its label, and return 1, or 0 where the row was right already: `MeetUp2025.AddImage`.

    Args:
        name: Name of the photo, the key of the table.
        image: The picture: Base64, a data URL, or a path below the allowed folder.
        label: Any name of the fish on the photo, or empty.
        source: Folder from which the photo comes, or empty.
    """
    model = encoder()
    model.check()
    connection, name, data = current(), composed(name.strip()), images.picture_bytes(image)
    return _taught(name, lambda: photos.add_image(connection, name, data, label, model, source))


def _taught(name: str, change: Callable[[], int]) -> int:
    """Change a photo, let the recogniser learn from it, in one transaction. Return what the change returns."""
    connection = current()
    with connection.transaction():
        before = recogniser.photo_of(connection, name)
        changed = change()
        if changed:
            recogniser.learn(connection, before, recogniser.photo_of(connection, name))
    return changed


@from_sql
def add_sighting(image: str, file: str = "", source: str = "") -> int:
    """
    Name a picture and store it, once for each content: `MeetUp2025.AddSighting`, `runs.sightings.add`.

    Args:
        image: The picture: Base64, a data URL, or a path below the allowed folder.
        file: Name of the file.
        source: Folder or camera.
    """
    return sightings.add(current(), _arrival(image, file, source), _naming())


@from_sql
def add_sightings(folder: str) -> int:
    """
    Name the new pictures of a folder: `MeetUp2025.AddSightings`.

    Args:
        folder: Path below the allowed folder.
    """
    found, model = files.resolve_folder(folder), _naming()
    written, _ = photo_files(found, files.open_below)
    ready = (each for each in written if is_settled(each.path))
    return sum(sightings.add(current(), _arrival(str(each.path), each.name, str(found)), model) for each in ready)


def _naming() -> Encoder:
    """Return the model that names pictures: it must be that of the names."""
    model = encoder()
    tables.check_search(current(), "Fish", model.model)
    return model


def _arrival(image: str, file: str, source: str) -> sightings.Arrival:
    try:
        data = images.picture_bytes(image)
    except (Error, OSError) as error:
        return sightings.Arrival(b"", photos.digest(f"{file}\n{error}".encode()), file, source, str(error))
    return sightings.Arrival(data, photos.digest(data), file, source)


@from_sql
def correct_sighting(sighting: int, label: str) -> int:
    """
    Set the right name of a sighting, and teach it: `MeetUp2025.CorrectSighting`, `runs.sightings.correct`.

    Args:
        sighting: Number of the sighting.
        label: Any name of the fish.
    """
    name = normal(label)
    if not name:
        raise DataError("A label must be a name. Got an empty one.")
    known = tables.names_of_fish(current()).get(folded(name), name)
    return sightings.correct(current(), sighting, check_text("A label", known, LONGEST_LABEL))


@from_sql
def label_image(name: str, label: str) -> int:
    """Change the label of a photo, teach it, and return 1, or 0 where it was right: `MeetUp2025.LabelImage`."""
    return _taught(name, lambda: photos.label_image(current(), name, label))


@from_sql
def load_vectors(jsonl: str, table: str, model: str) -> int:
    """
    Load vectors of another program, and return the number of rows added or changed: `MeetUp2025.LoadVectors`.

    Args:
        jsonl: A JSON Lines file: a path below the allowed folder, or a data URL.
        table: `Fish` or `FishImage`.
        model: Model that made the vectors.

    Raises:
        DataError: The model is missing, or the table is another.
    """
    if not model.strip():
        raise DataError("model must name the model that made the vectors, for example sketch@1. Got nothing.")
    with files.open_source(jsonl) as (file, name):
        return _refreshed(catalogue.load_vectors(current(), file, name, _table(table), model.strip()))


def _refreshed(changed: int) -> int:
    """Let the recogniser learn from what a load has changed; return the number of its rows."""
    if changed:
        recogniser.refresh(current())
    return changed


def _table(name: str) -> str:
    for table in TABLES:
        if name.upper() == table.upper():
            return table
    raise DataError(f"table must be {' or '.join(TABLES)}. Got {shown(name)}.")


# --- analyses: each returns the number of its run -------------------------------------------------------------------


@from_sql
def fit_clusters(source: str, clusters: int = 0, seed: int = 5, method: str = "KMeans", least: int = 5) -> int:
    """Group the vectors of a source: `MeetUp2025.FitClusters`, `runs.clusters.fit_clusters`."""
    return groups.fit_clusters(current(), source, clusters, seed, method, least)


@from_sql
def words_of_groups(run: int, column: str, k: int = 5) -> str:
    """Return the words of groups, as JSON: `MeetUp2025.WordsOfGroups`, `runs.clusters.words_of_groups`."""
    return groups.words_of_groups(current(), run, column, k)


@from_sql
def fit_assignment(run: int, source: str) -> int:
    """Assign a source to the groups of a run: `MeetUp2025.FitAssignment`, `runs.clusters.fit_assignment`."""
    return groups.fit_assignment(current(), run, source)


@from_sql
def fit_elbow(source: str, least: int = 2, most: int = 29, seed: int = 5) -> int:
    """Try numbers of clusters: `MeetUp2025.FitElbow`, `runs.clusters.fit_elbow`."""
    return groups.fit_elbow(current(), source, least, most, seed)


@from_sql
def fit_map(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    source: str,
    dimensions: int = 3,
    neighbours: int = 0,
    mindist: float = -1,
    seed: int = 5,
    supervised: int = 0,
    withoutgap: int = 0,
    metric: str = "cosine",
) -> int:
    """Lay out the vectors of a source: `MeetUp2025.FitMap`, `runs.maps.fit_map`."""
    return maps.fit_map(current(), source, dimensions, neighbours, mindist, seed, supervised, withoutgap, metric)


@from_sql
def fit_selection(run: int, name: str, items: str, link: str = "") -> int:
    """Save items of a map under a name: `MeetUp2025.FitSelection`, `runs.selections.fit_selection`."""
    return selections.fit_selection(current(), run, name, items, link)


@from_sql
def fit_placement(run: int, source: str) -> int:
    """Place a source on the map of a run: `MeetUp2025.FitPlacement`, `runs.maps.fit_placement`."""
    return maps.fit_placement(current(), run, source)


@from_sql
def fit_round_trip(run: int) -> int:
    """Compare two ways back from a map: `MeetUp2025.FitRoundTrip`, `runs.maps.fit_round_trip`."""
    return maps.fit_round_trip(current(), run)


@from_sql
def fit_outliers(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    source: str,
    method: str = "Neighbours",
    contamination: float = 0.03,
    normal: str = "",
    exemplars: str = "",
    seed: int = 5,
) -> int:
    """Find the outliers of a source: `MeetUp2025.FitOutliers`, `runs.outliers.fit_outliers`."""
    return outliers.fit_outliers(current(), source, method, contamination, normal, exemplars, seed)


@from_sql
def fit_scores(run: int, source: str) -> int:
    """Score a source by the detector of a run: `MeetUp2025.FitScores`, `runs.outliers.fit_scores`."""
    return outliers.fit_scores(current(), run, source)


@from_sql
def choose_threshold(run: int, labels: str) -> int:
    """Choose the best threshold of a run: `MeetUp2025.ChooseThreshold`, `runs.evaluation.choose_threshold`."""
    return evaluation.choose_threshold(current(), run, labels)


@from_sql
def fit_evaluation(run: int, labels: str) -> int:
    """Measure a run of Outliers by marks: `MeetUp2025.FitEvaluation`, `runs.evaluation.fit_evaluation`."""
    return evaluation.fit_evaluation(current(), run, labels)


@from_sql
def fit_comparison(source: str, labels: str, seed: int = 5) -> int:
    """Try every detector on a source: `MeetUp2025.FitComparison`, `runs.evaluation.fit_comparison`."""
    return evaluation.fit_comparison(current(), source, labels, seed)


@from_sql
def fit_changes(run: int, other: int) -> int:
    """Compare two runs of one kind: `MeetUp2025.FitChanges`, `runs.changes.fit_changes`."""
    return changes.fit_changes(current(), run, other)


@from_sql
def fit_suspects(source: str = "FishImage", threshold: float = 0.02) -> int:
    """Find doubtful labels: `MeetUp2025.FitSuspects`, `runs.quality.fit_suspects`."""
    return quality.fit_suspects(current(), source, threshold)


@from_sql
def fit_duplicates(source: str = "FishImage", threshold: float = 0) -> int:
    """Find pairs that are nearly the same: `MeetUp2025.FitDuplicates`, `runs.quality.fit_duplicates`."""
    return quality.fit_duplicates(current(), source, threshold)


@from_sql
def fit_recogniser(source: str = "FishImage", precision: float = 0.95, labels: str = "none") -> int:
    """Learn from labelled items; `MeetUp2025.FitRecogniser`, `runs.recogniser.fit_recogniser`."""
    return recogniser.fit_recogniser(current(), source, precision, labels)


@from_sql
def fit_benchmark(source: str = "FishImage", draws: int = 5, seed: int = 5) -> int:
    """Measure names, few items and both: `MeetUp2025.FitBenchmark`, `runs.benchmark.fit_benchmark`."""
    return benchmark.fit_benchmark(current(), source, draws, seed)


@from_sql
def fit_tuning(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    kind: str, source: str, trials: int = 20, measure: str = "", labels: str = "", seed: int = 5
) -> int:
    """Try parameters of an analysis: `MeetUp2025.FitTuning`, `runs.tuning.fit_tuning`."""
    return tuning.fit_tuning(current(), kind, source, trials, measure, labels, seed)


@from_sql
def recognise(vector: str, k: int = 3, by: str = "both") -> str:
    """Name a vector by names, labels or groups, as JSON; `MeetUp2025.Recognise`, `runs.recognition.recognise`."""
    return recognition.recognise(current(), vector, k, by)


# --- runs and sources -----------------------------------------------------------------------------------------------


@from_sql
def in_region(x: float, y: float, region: str) -> int:
    """Return 1 for a place inside a region of a map, otherwise 0: `analytics.region.contains`."""
    return int(regions.contains(region, x, y))


@from_sql
def place_of(run: int, vector: str) -> str:
    """Return the place of a vector on a map: `MeetUp2025.PlaceOf`, `runs.maps.place_of`."""
    return maps.place_of(current(), run, vector)


@from_sql
def vector_at(run: int, x: float, y: float, z: float = 0, method: str = "neighbours") -> str:
    """Return the vector at a place on a map: `MeetUp2025.VectorAt`, `runs.maps.vector_at`."""
    return maps.vector_at(current(), run, (x, y, z), method)


@from_sql
def known_run(run: int, kind: str = "") -> int:
    """
    Check that a run exists and is of a kind, and return its number: `MeetUp2025.KnownRun`.

    Args:
        run: Number of the run.
        kind: Required kind. Empty allows any.

    Raises:
        DataError: The run does not exist, or is of another kind.
    """
    return store.stored_run(current(), run, *([kind] if kind else [])).run


@from_sql
def source_changed(run: int) -> int:
    """Return 1 when the source of a run has changed since the run, otherwise 0: `MeetUp2025.SourceChanged`."""
    connection = current()
    return int(sources.has_changed(connection, store.stored_run(connection, run)))


@from_sql
def describe_run(run: int, name: str = "", note: str = "", tags: str = "", pinned: int = -1) -> int:
    """Set name, note, tags and pinning of a run: `MeetUp2025.DescribeRun`, `runs.management.describe`."""
    return management.describe(current(), run, name, note, tags, pinned)


@from_sql
def fit_again(run: int) -> int:
    """Make an analysis again: `MeetUp2025.FitAgain`, `runs.management.fit_again`."""
    return management.fit_again(current(), run)


@from_sql
def delete_runs_before(time: str) -> int:
    """Delete old runs: `MeetUp2025.DeleteRunsBefore`, `runs.management.delete_before`."""
    return management.delete_before(current(), time)


@from_sql
def delete_run(run: int) -> int:
    """Delete a run and its results, and return its number: `MeetUp2025.DeleteRun`."""
    store.delete_run(current(), run)
    return run


@from_sql
def fit_search_recall(source: str, k: int = 10, sample: int = 100, seed: int = 5) -> int:
    """Count the best rows that searches find: `MeetUp2025.FitSearchRecall`, `runs.recall.fit_search_recall`."""
    return recall.fit_search_recall(current(), source, k, sample, seed)


@from_sql
def columns_of(source: str) -> str:
    """Return the columns of a source, as JSON: `MeetUp2025.ColumnsOf`, `runs.sources.columns_of`."""
    return sources.columns_of(current(), source)


@from_sql
def item_neighbours(source: str, item: str, k: int = 5, within: str = "") -> str:
    """Return the items nearest to an item, as JSON: `MeetUp2025.ItemNeighbours`, `runs.nearest.item_neighbours`."""
    return nearest.item_neighbours(current(), source, item, k, within)


@from_sql
def vector_neighbours(source: str, vector: str, k: int = 5) -> str:
    """Return the items nearest to a vector: `MeetUp2025.VectorNeighbours`, `runs.nearest.vector_neighbours`."""
    return nearest.vector_neighbours(current(), source, vector, k)


@from_sql
def register_source(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    source: str, table: str, itemcolumn: str, namecolumn: str, vectorcolumn: str, labelcolumn: str = ""
) -> str:
    """Make a table a source of analyses, and return its name: `MeetUp2025.RegisterSource`, `runs.sources.register`."""
    columns = (itemcolumn, namecolumn, vectorcolumn, labelcolumn)
    return sources.register(current(), sources.Registered(source, table, *columns))


# --- what an administrator does: SQL never sees it ------------------------------------------------------------------


@from_sql
def setup_compile_maps() -> None:
    """
    Compile the functions that maps need, unless they are compiled: `MeetUp2025.Setup`, `analytics.maps.compile_now`.
    """
    compile_now()


@from_sql
def setup_save_setting(name: str, value: str) -> None:
    """Write a setting to the file of the installation: `MeetUp2025.Setup`, `settings.save`."""
    settings.save(name, value)


@from_sql
def setup_install_model() -> None:
    """
    Download the model of the settings, if it has a recipe for ONNX and is not installed: `MeetUp2025.Setup`.

    Raises:
        MissingExtraError: huggingface_hub or safetensors are missing.
        OperationalError: The network or the disk failed.
    """
    known = recipes.known().get(settings.model())
    if known is None or known.published:
        return
    try:
        find(known.name)
    except MissingModelError:
        from meetup2025.embedding.installing.install import Wishes, install

        install(known.name, Wishes())


@from_sql
def worker_start() -> str:
    """Start the resident process: `MeetUp2025.Worker`, `embedding.worker.start`."""
    return worker.start()


@from_sql
def worker_stop() -> str:
    """End the resident process: `MeetUp2025.Worker`, `embedding.worker.stop`."""
    return worker.stop()


@from_sql
def worker_status() -> str:
    """Return the state of the resident process: `MeetUp2025.Worker`, `embedding.worker.status`."""
    return worker.status()


@from_sql
def worker_serve() -> None:
    """Run as the resident process: `MeetUp2025.Worker`, `embedding.worker.serve`."""
    worker.serve(local_encoder)
