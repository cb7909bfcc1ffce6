"""
The Python side of the classes: one function for each Python method of `src/cls`, of the same name and arguments.

A function takes and gives what SQL can carry: text, numbers. It finds its database by `engines.current()`.
Everything heavy is imported when it is first needed, since every IRIS process pays for it.
"""

from __future__ import annotations

from meetup2025.errors import DataError, UnknownNameError

TABLES = ("Fish", "FishImage")
"""Tables that can be searched and loaded."""


def embed_text(text: str) -> str:
    """
    Make the vector of a text; `MeetUp2025.EmbedText`.

    Args:
        text: Not empty.

    Returns:
        The unit vector, as comma-separated text.
    """
    from meetup2025 import vectors
    from meetup2025.embedding import encoder

    return vectors.to_text(encoder().texts([_text(text)])[0])


def embed_image(image: str) -> str:
    """
    Make the vector of a picture; `MeetUp2025.EmbedImage`.

    Args:
        image: Base64, a data URL, or a path below the allowed folder.

    Returns:
        The unit vector, as comma-separated text.

    Raises:
        UnreadableImageError: Not a picture, or a broken one.
        ForbiddenPathError: A path outside the allowed folder.
    """
    from meetup2025 import images, vectors
    from meetup2025.embedding import encoder

    model = encoder()
    return vectors.to_text(model.images([images.open_picture(image, longest=model.picture_size)])[0])


def get_embedding(type: str, input: str) -> str:  # noqa: A002 - the names of the workshop
    """
    Make the vector of a text (type `T`) or a picture (type `I`); `MeetUp2025.GetEmbedding`.

    Raises:
        DataError: Another type.
    """
    if type.upper() == "T":
        return embed_text(input)
    if type.upper() == "I":
        return embed_image(input)
    raise DataError(f"type must be T (text) or I (image). Got {type!r}.")


def search_vector(table: str, type: str, input: str) -> str:  # noqa: A002
    """
    Make the vector for a search of *table*; `MeetUp2025.SearchVector`.

    Raises:
        DataError: The table is empty.
        ModelMismatchError: The vectors of the table are of another model.
    """
    from meetup2025.embedding import encoder
    from meetup2025.engines import current
    from meetup2025.loading import tables

    tables.check_search(current(), _table(table), encoder().model)
    return get_embedding(type, input)


def known_name(name: str) -> str:
    """
    Find the catalogue name for any name of a fish; `MeetUp2025.KnownName`.

    Raises:
        UnknownNameError: No row has this name.
    """
    return _known_names([name])[0]


def known_names(names: str) -> str:
    """
    Find the catalogue names for a comma-separated list; `MeetUp2025.KnownNames`.

    Raises:
        UnknownNameError: No row has one of the names.
    """
    return ",".join(_known_names(names.split(",")))


def _known_names(names: list[str]) -> list[str]:
    from meetup2025.engines import current
    from meetup2025.loading import spelling, tables

    catalogue = tables.names_of_fish(current())
    unknown = [name.strip() for name in map(_text, names) if spelling.normal(name).upper() not in catalogue]
    if unknown:
        raise UnknownNameError(
            f"A name must be that of one fish of MeetUp2025.Fish. Not so: {', '.join(map(repr, unknown))}; "
            "SELECT * FROM MeetUp2025.FishCatalogue() lists the names."
        )
    return [catalogue[spelling.normal(name).upper()] for name in names]


def load_names(csv: str, prompts: str = "") -> int:
    """
    Load a catalogue of names; `MeetUp2025.LoadNames`.

    Args:
        csv: A CSV file: a path below the allowed folder, or a data URL.
        prompts: A CSV file of templates, given so too; empty for the bare names.

    Returns:
        Number of rows added or changed.
    """
    from meetup2025 import files
    from meetup2025.embedding import encoder
    from meetup2025.engines import current
    from meetup2025.loading import names, records
    from meetup2025.loading.prompts import BARE

    model = encoder()
    model.check()
    chosen = BARE
    if _text(prompts):
        with files.open_source(prompts) as (file, name):
            chosen = records.read_templates(file, name)
    with files.open_source(csv) as (file, name):
        return names.load_names(current(), file, name, model, chosen)


def load_images(folder: str) -> int:
    """
    Load the photos of a folder; `MeetUp2025.LoadImages`.

    Args:
        folder: Path below the allowed folder.

    Returns:
        Number of rows added or changed; `MeetUp2025.SkippedImage` has the rest.
    """
    from meetup2025 import files
    from meetup2025.embedding import encoder
    from meetup2025.engines import current
    from meetup2025.loading import photos

    model = encoder()
    model.check()
    return _refreshed(photos.load_images(current(), files.resolve_folder(folder), model))


def add_image(name: str, image: str, label: str) -> int:
    """
    Load one photo, and let the recogniser learn from its label; `MeetUp2025.AddImage`.

    Args:
        name: Name of the photo, the key of the table.
        image: Base64, a data URL, or a path below the allowed folder.
        label: Any name of the fish that it shows, or empty.

    Returns:
        1, or 0 when the row was as it should be.
    """
    from meetup2025 import images
    from meetup2025.embedding import encoder
    from meetup2025.engines import current
    from meetup2025.loading import photos, spelling
    from meetup2025.runs import recogniser

    model = encoder()
    model.check()
    connection, name = current(), spelling.composed(_text(name).strip())
    data = images.picture_bytes(_text(image))
    with connection.transaction():
        before = recogniser.photo_of(connection, name)
        changed = photos.add_image(connection, name, data, _text(label), model)
        if changed:
            recogniser.learn(connection, before, recogniser.photo_of(connection, name))
    return changed


def load_vectors(jsonl: str, table: str, model: str) -> int:
    """
    Load vectors made elsewhere; `MeetUp2025.LoadVectors`.

    Args:
        jsonl: A JSON Lines file: a path below the allowed folder, or a data URL.
        table: `Fish` or `FishImage`.
        model: Model that made the vectors.

    Returns:
        Number of rows added or changed.
    """
    from meetup2025 import files
    from meetup2025.engines import current
    from meetup2025.loading import names

    if not model.strip():
        raise DataError("model must name the model that made the vectors, for example sketch@1. Got nothing.")
    with files.open_source(jsonl) as (file, name):
        return _refreshed(names.load_vectors(current(), file, name, _table(table), model.strip()))


def _refreshed(changed: int) -> int:
    """Let the recogniser learn from what a load has changed; the number of its rows."""
    from meetup2025.engines import current
    from meetup2025.runs import recogniser

    if changed:
        recogniser.refresh(current())
    return changed


def _text(value: str) -> str:
    """Read a text of SQL: the empty one, '', comes from IRIS as the character 0."""
    return "" if value == "\x00" else value


def _table(name: str) -> str:
    for table in TABLES:
        if name.upper() == table.upper():
            return table
    raise DataError(f"table must be {' or '.join(TABLES)}. Got {name!r}.")


def installed_models() -> str:
    """
    List the installed models; `MeetUp2025.InstalledModels`.

    Returns:
        A JSON array of objects. Of a model that is broken there are only the name of its folder, as its id, and the
        fault.
    """
    import json

    from meetup2025 import settings
    from meetup2025.embedding.models import QUANTISED, faults, installed

    names = ("id", "revision", "dimension", "licence", "description", "bytes")
    used = settings.model()
    models = [
        {name: getattr(model, name) for name in names} | {"used": used in {model.id, model.model}, "fault": None}
        for model in installed()
    ]
    for model in (each for each in models if each["used"] and settings.runtime() == "int8"):
        model["revision"] += QUANTISED
    nothing = {**dict.fromkeys(names), "used": False}
    models += [{**nothing, "id": folder.name, "fault": fault} for folder, fault in faults().items()]
    return json.dumps(models, ensure_ascii=False)
