"""
The command `model`: it installs, lists, shows, verifies and removes the models that make vectors.

Models are folders, not rows. Only the list asks the database. The other commands need no database.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetup2025 import client, settings
from meetup2025.cli import output
from meetup2025.cli.options import common, complain, database, example, has_terminal, options
from meetup2025.embedding.installing import places, recipes
from meetup2025.embedding.installing.layouts import PRECISIONS
from meetup2025.embedding.models import BUNDLED, check_hashes, faults, find, read_model
from meetup2025.errors import BrokenModelError, DataError, MissingModelError, listed
from meetup2025.iris_process import is_watched
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meetup2025.embedding.installing.install import Installed
    from meetup2025.embedding.installing.ready import Proof
    from meetup2025.embedding.models import ModelInfo
    from meetup2025.engines import Connection

_NAME = recipes.DEFAULT


@click.group(epilog=example("meetup2025 model available", f"meetup2025 model install {_NAME}", "meetup2025 model list"))
@common
def model() -> None:
    """Install, list and check the models that make vectors."""


@model.command(
    epilog=example(
        "meetup2025 model install",
        "meetup2025 model install Xenova/clip-vit-base-patch16 --precision float32",
        "meetup2025 model install line-corporation/clip-japanese-base --trust-remote-code --int8",
        "meetup2025 model install ~/models/my-clip",
    )
)
@click.argument("name", metavar="NAME|FOLDER", default=_NAME)
@click.option("--revision", help="Commit, branch or tag of the repository [main].")
@click.option("--as", "called", metavar="ID", help="Id of the model here [name of the repository or folder].")
@click.option("--texts", metavar="NAME|FOLDER", help="Repository of the text half in ONNX, if it is another.")
@click.option("--precision", type=click.Choice(PRECISIONS), help="Which published file in ONNX [int8 if there is one].")
@click.option("--against-original", is_flag=True, help="Compare published files in ONNX with the original, by [clip].")
@click.option("--int8", is_flag=True, help="Add a quantised picture half to an exported model.")
@click.option("--from-cache", is_flag=True, help="Use only the cache of Hugging Face, not the network.")
@click.option("--trust-remote-code", is_flag=True, help="Allow the model to run its own Python code now.")
@common
def install(name: str, **wishes: Any) -> None:
    """
    Install a published model, or a model folder of another machine.

    NAME is one of `meetup2025 model available` (without it: clip-multilingual), or a repository of the Hugging Face
    Hub. A model that is published in ONNX is downloaded as it is (extra [hub]). It is installed only if it finds the
    words for drawn pictures. Any other is exported (extra [clip]). It is installed only if its vectors equal the
    vectors of the original. The installed folder needs no extra, and may be copied to other machines.
    """
    from meetup2025.embedding.installing.install import Wishes, install, note_of_dimension

    _this_machine()
    trusted = wishes.pop("trust_remote_code")
    done = install(name, Wishes(consent=lambda what: trusted or _consent(what), report=_report, **wishes))
    _show_installed(done)
    if done.fault:
        complain(done.fault)
    if note := note_of_dimension(done.info):
        complain(note)


@model.command(epilog=example("meetup2025 model available", f"meetup2025 model install {_NAME}"))
@common
def available() -> None:
    """List the models that can be installed by a short name."""
    known = recipes.known().values()
    style = options().format
    if style == "table":
        columns = ["name", "languages", "numbers", "download", "needs", "licence", "description"]
        needs = ["[clip]" if each.published else "[hub]" for each in known]
        rows: list[tuple[Any, ...]] = [
            (each.name, " ".join(each.languages), each.numbers, each.size, extra, each.licence, each.description)
            for each, extra in zip(known, needs, strict=True)
        ]
    else:
        columns = ["name", "languages", "numbers", "bytes", "extra", "licence", "description"]
        rows = [
            (each.name, " ".join(each.languages), each.numbers, each.bytes, "clip" if each.published else "hub",
             each.licence, each.description)
            for each in known
        ]  # fmt: skip
    output.write_rows(columns, rows, style, records=True)


@model.command(epilog=example(f"meetup2025 model use {_NAME} --embed", "meetup2025 model use sketch"))
@click.argument("name")
@click.option("--embed", is_flag=True, help="Make the vectors of names and photos again with this model.")
@common
def use(name: str, embed: bool) -> None:  # noqa: FBT001 - click gives it by name
    """
    Choose the model that makes the vectors from now on.

    A model of `meetup2025 model available` is installed first, if it is not there. The choice is kept in the data
    folder. The option --model and the variable MEETUP2025_MODEL come before it. Vectors of different models cannot be
    compared. With --embed, the names and photos of the database get vectors of this model. Photos whose files are gone
    get them from their thumbnails.
    """
    _this_machine()
    if embed and not options().is_embedded:
        raise click.UsageError("The vectors of a server are made there: leave out --embed.")
    info = _there_or_installed(name)
    file = settings.choose_model(info.model if "@" in name else info.id)
    sentence = ""
    if options().is_embedded:
        with database(model=info.model) as connection:
            sentence = _embed_again(connection, info) if embed else _to_embed(connection, info)
            connection.commit()
    if (origin := settings.model_origin()) != settings.CHOSEN and settings.model() not in {info.id, info.model}:
        complain(f"{origin} still chooses {settings.model()}: remove this setting to use your choice")
    told = f"{info.model} is in use now"
    output.write_record({"model": info.model, "file": str(file)}, f"{told}\n{sentence}".strip(), options().format)


def _there_or_installed(name: str) -> ModelInfo:
    """Find an installed model. A model with a recipe is installed if it is not there."""
    from meetup2025.embedding.installing.install import Wishes, install

    try:
        return read_model(find(name))
    except MissingModelError:
        if name not in recipes.known():
            raise
    done = install(name, Wishes(consent=_consent, report=_report))
    if done.fault:
        complain(done.fault)
    return done.info


def _embed_again(connection: Connection, info: ModelInfo) -> str:
    """Make all vectors with a model, and say how many."""
    from meetup2025.embedding import local_encoder
    from meetup2025.loading.again import embed_again

    done = embed_again(connection, local_encoder(info.model))
    if done.photos and client.rows(connection, "SELECT Run FROM MeetUp2025.Runs('Recogniser', 1)"):
        client.value(connection, "SELECT MeetUp2025.FitRecogniser('FishImage')")
    if done.small:
        complain(
            f"the files of {len(done.small)} photos are gone or changed, so their thumbnails of 96 pixels are "
            f"embedded: load these photos again. They are {listed(done.small)}"
        )
    return f"{done.names} names and {done.photos} photos have vectors of it"


def _to_embed(connection: Connection, info: ModelInfo) -> str:
    """Say what has vectors of other models."""
    found = client.rows(connection, "SELECT Source, Model, Vectors FROM MeetUp2025.VectorModels()")
    others = [f"{source}: {count} of {other}" for source, other, count in found if (other or "") != _model_of(info)]
    if not others:
        return ""
    return (
        f"Vectors of other models cannot be searched with it ({', '.join(others)}).\n"
        f"To make them again: meetup2025 model use {info.id} --embed"
    )


def _model_of(info: ModelInfo) -> str:
    """Return the model as its vectors name it."""
    from meetup2025.embedding import local_encoder

    return local_encoder(info.model).model


@model.command("list", epilog=example("meetup2025 model list", "meetup2025 model list --format json"))
@common
def list_models() -> None:
    """List the installed models. * marks the model in use and tells why, ! marks a broken model."""
    import json

    with database() as connection:
        models = json.loads(client.value(connection, "SELECT MeetUp2025.InstalledModels()"))
    style = options().format
    columns = ["id", "revision", "dimension", "bytes", "licence", "description", "used", "chosen_by", "fault"]
    rows = [tuple(map(each.get, columns)) for each in models]
    if style == "table":
        columns = ["", "id", "revision", "dimension", "size", "licence", "description"]
        rows = [_shown(each) for each in models]
    output.write_rows(columns, rows, style, records=True)
    if style == "table":
        for each in models:
            if each["used"]:
                click.echo(translated(f"* {each['id']} is in use: {each['chosen_by']}"))


@model.command(epilog=example(f"meetup2025 model show {_NAME}"))
@click.argument("name")
@common
def show(name: str) -> None:
    """Show a model: vectors, preparation of pictures, origin."""
    info = _found(name)
    values = _fields(info)
    style = options().format
    if style == "json":
        output.write_json(values)
    else:
        output.write_rows(("field", "value"), [(key, str(value)) for key, value in values.items()], style)


@model.command(epilog=example(f"meetup2025 model verify {_NAME}"))
@click.argument("name")
@common
def verify(name: str) -> None:
    """
    Test an installed model.

    The test compares the hashes of its files, and the vectors of its golden texts and pictures. The exit code is 3 if a
    test fails.
    """
    from meetup2025.embedding.onnx import OnnxEncoder

    info = _found(name)
    check_hashes(info.folder)
    runtimes = [("onnx", OnnxEncoder(info.folder, strict=False))]
    if info.int8:
        runtimes.append(("int8", OnnxEncoder(info.folder, int8=True, strict=False)))
    rows = [
        (runtime, item, cosine, cosine >= least)
        for runtime, encoder in runtimes
        for item, cosine, least in encoder.verify()
    ]
    output.write_rows(("runtime", "item", "cosine", "right"), rows, options().format)
    wrong = [row for row in rows if not row[3]]
    if wrong:
        raise BrokenModelError(f"A model must give its published vectors. Got {len(wrong)} of {len(rows)} wrong.")


@model.command(epilog=example(f"meetup2025 model remove {_NAME}"))
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def remove(name: str, yes: bool) -> None:  # noqa: FBT001 - click gives it by name
    """Remove a model, even if it is broken. Its vectors stay in the tables."""
    folder, what = _removable(name)
    if not yes:
        if not sys.stdin.isatty():
            raise DataError(f"Removing {what} must be confirmed. There is no terminal to ask on; add --yes.")
        click.confirm(translated(f"Remove {what}, {folder}?"), abort=True, err=True)
    with places.disk(what):
        places.take_out(folder)
    output.write_record({"removed": what}, f"{what} removed", options().format)


def _removable(name: str) -> tuple[Path, str]:
    """Return the folder of a model, and its id. A broken model has the name of its folder."""
    _this_machine()

    found = {folder.name: folder for folder in faults()}.get(name)
    info = None if found else _found(name)
    folder, what = (info.folder, info.model) if info else (found or Path(), name)
    if folder.parent == BUNDLED:
        raise DataError(f"A model to remove must be installed. Got {what}, which is part of the package.")
    if folder.parent != settings.models_folder():
        raise DataError(f"A model to remove must be in {settings.models_folder()}. Got {folder}; delete it there.")
    return folder, what


def _shown(model: dict[str, Any]) -> tuple[Any, ...]:
    """Return the row of a model, for people."""
    if fault := model.get("fault"):
        return "!", model["id"], "", "", "", "", fault
    size = f"{model['bytes'] / 1e6:.1f} MB"
    mark = "*" if model["used"] else ""
    return mark, model["id"], model["revision"], model["dimension"], size, model["licence"], model["description"]


def _this_machine() -> None:
    """
    Refuse the URL of a server. Its models cannot be changed from here.

    Without this check, the commands would change the models of this machine by mistake.
    """
    if options().url and not options().is_embedded:
        raise click.UsageError(
            "Models are folders of this machine, and `model list` alone asks a server: leave out --url."
        )


def _found(name: str) -> ModelInfo:
    _this_machine()
    return read_model(find(name))


def _consent(what: str) -> bool:
    """Ask the user, if there is a terminal."""
    return has_terminal() and click.confirm(translated(f"{what}. Let it run?"), default=False, err=True)


def _report(what: str) -> None:
    if is_watched():
        complain(what)


def _show_installed(done: Installed) -> None:
    info = done.info
    values: dict[str, Any] = {"model": info.model, "dimension": info.dimension, "bytes": info.bytes}
    sentence = f"{info.model}: {info.dimension} numbers, {info.bytes / 1e6:.0f} MB"
    if done.least is None:
        sentence += ", is installed already"
    elif done.proof is None:
        sentence += f"; lowest cosine to the original {done.least:.6f}"
    else:
        measured = _proved(done.proof)
        sentence += f"; {'; '.join(measured.values())}"
        values["measured"] = measured
    if info.int8:
        sentence += f"; int8: median {info.int8.median:.4f}, lowest {info.int8.least:.4f}"
        values |= {"int8_median": info.int8.median, "int8_least": info.int8.least}
    values |= {"least": done.least, "folder": str(info.folder)}
    output.write_record(values, f"{sentence}\nTo use it: meetup2025 model use {info.id} --embed", options().format)


def _proved(proof: Proof) -> dict[str, str]:
    """Return what was measured about a model that is published in ONNX, in words."""
    understood = ", ".join(f"{each.language} {each.all:.2f} (colours {each.colours:.2f})" for each in proof.meanings)
    said = {"meaning": f"finds words for drawn pictures: {understood}"}
    for name, near in proof.agreements.items():
        said[f"agreement with {name}"] = (
            f"cosine to {name}: pictures {near.pictures[0]:.4f} (lowest {near.pictures[1]:.4f}), "
            f"texts {near.texts[0]:.4f} (lowest {near.texts[1]:.4f})"
        )
    if cost := proof.cost:
        kept = f"cosines correlate by {cost.correlation:.4f}, {cost.same:.0%} of the nearest items stay"
        said["projection"] = f"projected to 512 numbers: {kept}"
    return said


def _fields(info: ModelInfo) -> dict[str, Any]:
    """Return the description of a model as one level of names."""
    from dataclasses import asdict

    data = {**asdict(info), "folder": str(Path(info.folder)), "bytes": info.bytes}
    del data["sha256"]
    return dict(_flat(data))


def _flat(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a record, and of records in it, with their names joined by dots."""
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", value
