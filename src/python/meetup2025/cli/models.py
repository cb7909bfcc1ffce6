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
from meetup2025.cli.options import common, complain, database, example, options
from meetup2025.embedding.installing import places
from meetup2025.embedding.models import BUNDLED, check_hashes, faults, find, read_model
from meetup2025.errors import BrokenModelError, DataError
from meetup2025.locale import translated

if TYPE_CHECKING:
    from meetup2025.embedding.installing.install import Installed
    from meetup2025.embedding.models import ModelInfo

_NAME = "line-corporation/clip-japanese-base"


@click.group(epilog=example(f"meetup2025 model install {_NAME} --int8", "meetup2025 model list"))
@common
def model() -> None:
    """Install, list and check the models that make vectors."""


@model.command(
    epilog=example(
        f"meetup2025 model install {_NAME} --trust-remote-code --int8",
        "meetup2025 model install ~/models/my-clip",
        "meetup2025 model install openai/clip-vit-base-patch16 --from-cache",
    )
)
@click.argument("name", metavar="NAME|FOLDER")
@click.option("--revision", help="Commit, branch or tag of the repository [main].")
@click.option("--as", "called", metavar="ID", help="Id of the model here [name of the repository or folder].")
@click.option("--int8", is_flag=True, help="Add a quantised picture half, for MEETUP2025_RUNTIME=int8.")
@click.option("--from-cache", is_flag=True, help="Use only the cache of Hugging Face, not the network.")
@click.option("--trust-remote-code", is_flag=True, help="Allow the model to run its own Python code now.")
@common
def install(name: str, **wishes: Any) -> None:
    """
    Install a published model, or a model folder of another machine.

    The model is exported to ONNX. It is installed only if its vectors equal the vectors of the original. The export
    needs the extra [clip]. The installed folder does not need it, and may be copied to other machines.
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


@model.command("list", epilog=example("meetup2025 model list", "meetup2025 model list --format json"))
@common
def list_models() -> None:
    """List the installed models. * marks the model in use, ! marks a broken model."""
    import json

    with database() as connection:
        models = json.loads(client.value(connection, "SELECT MeetUp2025.InstalledModels()"))
    style = options().format
    columns = ["id", "revision", "dimension", "bytes", "licence", "description", "used", "fault"]
    rows = [tuple(map(each.get, columns)) for each in models]
    if style == "table":
        columns = ["", "id", "revision", "dimension", "size", "licence", "description"]
        rows = [_shown(each) for each in models]
    output.write_rows(columns, rows, style, records=True)


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
    if folder.parent != settings.models_folders()[0]:
        raise DataError(f"A model to remove must be in {settings.models_folders()[0]}. Got {folder}; delete it there.")
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
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(translated(f"{what}. Let it run?"), default=False, err=True)


def _report(what: str) -> None:
    if sys.stderr.isatty():
        complain(what)


def _show_installed(done: Installed) -> None:
    info = done.info
    values: dict[str, Any] = {"model": info.model, "dimension": info.dimension, "bytes": info.bytes}
    sentence = f"{info.model}: {info.dimension} numbers, {info.bytes / 1e6:.0f} MB"
    if done.least is None:
        sentence += ", is installed already"
    else:
        sentence += f"; lowest cosine to the original {done.least:.6f}"
    if info.int8:
        sentence += f"; int8: median {info.int8.median:.4f}, lowest {info.int8.least:.4f}"
        values |= {"int8_median": info.int8.median, "int8_least": info.int8.least}
    values |= {"least": done.least, "folder": str(info.folder)}
    output.write_record(values, f"{sentence}\nTo use it: export MEETUP2025_MODEL={info.model}", options().format)


def _fields(info: ModelInfo) -> dict[str, Any]:
    """Return the description of a model as one level of names."""
    from dataclasses import asdict

    data = {**asdict(info), "folder": str(Path(info.folder)), "bytes": info.bytes}
    del data["sha256"]
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": each for key, each in value.items()}
        elif value is not None:
            flat[name] = value
    return flat
