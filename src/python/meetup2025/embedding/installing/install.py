"""The installation of a model: from the files of its authors to a folder that any machine can run."""

from __future__ import annotations

import json
import os
import shutil
import statistics
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.embedding import processors
from meetup2025.embedding.installing import (
    agreement,
    extra,
    golden,
    hub,
    layouts,
    places,
    preprocessing,
    published,
    quantisation,
    ready,
    recipes,
    tokenization,
    towers,
)
from meetup2025.embedding.models import (
    COLUMN,
    FORMAT,
    SEVEN_BITS,
    ModelInfo,
    OriginalInfo,
    QuantisedInfo,
    TextInfo,
    check_hashes,
    file_hash,
    folder_name,
    read_model,
)
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.errors import BrokenModelError, MissingModelError, NotSupportedError, UntrustedCodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meetup2025.embedding.installing.agreement import Peer
    from meetup2025.embedding.installing.original import Original
    from meetup2025.embedding.installing.published import Published
    from meetup2025.embedding.installing.ready import Proof, Ready
    from meetup2025.embedding.installing.recipes import Recipe
    from meetup2025.embedding.models import ImageInfo

TEXT_FILE, TOKENIZER_FILE = "text.onnx", "tokenizer.json"


@dataclass(frozen=True)
class Wishes:
    """
    The wishes for an installation.

    Attributes:
        revision: Commit, branch or tag. By default the newest.
        called: Id of the model here. By default the name of its repository or folder.
        texts: Repository or folder of the text half, if it is another, for a model that is published in ONNX.
        precision: `int8`, `float32` or `float16`, for a model that is published in ONNX. By default the first of
            these that there is.
        against_original: Whether a model that is published in ONNX is compared with its original too.
        from_cache: Whether to use only the cache, and no network.
        int8: Whether to add a quantised picture half.
        consent: Called with a sentence. Returns whether code that the model brings may run.
        report: Called with a few words about the present step.
    """

    revision: str | None = None
    called: str | None = None
    texts: str | None = None
    precision: str | None = None
    against_original: bool = False
    from_cache: bool = False
    int8: bool = False
    consent: Callable[[str], bool] = lambda _: False
    report: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Installed:
    """
    An installed model.

    Attributes:
        info: Content of its `model.json`.
        least: Its lowest golden cosine, or None if it was installed already.
        fault: Why this processor cannot run its quantised half, or an empty text if it can.
        proof: What was measured, if it is a model that is published in ONNX.
    """

    info: ModelInfo
    least: float | None = None
    fault: str = ""
    proof: Proof | None = None


def install(name: str, wishes: Wishes) -> Installed:
    """
    Install a published model, or a model folder of another machine.

    Args:
        name: Name of a recipe, a repository of the Hugging Face Hub, as in `a/b`, or a folder. A model that is
            published in ONNX is taken as it is, and any other is exported.
        wishes: Wishes for the installation.

    Raises:
        MissingModelError: The model does not exist, or not in an allowed place.
        MissingExtraError: torch or transformers are missing, or have an unknown version.
        UntrustedCodeError: The model brings code that may not run.
        NotSupportedError: No model folder can hold a model of this kind.
        BrokenModelError: The model is broken, or the folder does not give its vectors.
        OperationalError: The network or the disk failed.
    """
    folder = Path(name).expanduser()
    if (folder / "model.json").is_file():
        return _copied(folder, wishes)
    with extra.switched(offline=wishes.from_cache):
        if recipe := _recipe(name, folder, wishes):
            return _installed_ready(recipe, wishes)
        if known := recipes.known().get(name):
            name = known.published
        return _exported(name, folder, wishes)


def _exported(name: str, folder: Path, wishes: Wishes) -> Installed:
    """Install a model of transformers."""
    if wishes.texts or wishes.precision or wishes.against_original:
        rule = "--texts, --precision and --against-original are for models that are published in ONNX"
        raise NotSupportedError(f"{rule}. Got {name}, which is exported; leave them out.")
    _check_folder(name, folder)
    extra.check()
    found = published.published(name, revision=wishes.revision, called=wishes.called, from_cache=wishes.from_cache)
    return _installed(found, wishes)


def _recipe(name: str, folder: Path, wishes: Wishes) -> Recipe | None:
    """Return how to install a model that is published in ONNX, or None if it is not."""
    known = recipes.known().get(name)
    if known and known.image:
        if wishes.revision or wishes.texts:
            raise NotSupportedError(f"{name} has fixed files. Got --revision or --texts; name its repository instead.")
        return replace(known, name=wishes.called or name)
    if known or not _is_in_onnx(name, folder, wishes):
        return None
    image = recipes.Source(name, wishes.revision)
    text = recipes.Source(wishes.texts) if wishes.texts else image
    called = wishes.called or (folder.name if folder.is_dir() else name)
    published.check_id(called)
    what = f"{name} with the texts of {wishes.texts}" if wishes.texts else name
    return recipes.Recipe(called, f"{what}, as published in ONNX.", "", (), 0, None, image, text)


def _is_in_onnx(name: str, folder: Path, wishes: Wishes) -> bool:
    if folder.is_dir():
        return layouts.is_in_onnx(hub.of_folder(folder).files)
    _check_folder(name, folder)
    published.check_repository(name)
    return layouts.is_in_onnx(hub.repository(name, wishes.revision, from_cache=wishes.from_cache).files)


def _installed_ready(recipe: Recipe, wishes: Wishes) -> Installed:
    """Install a model that is published in ONNX, unless it is installed already."""
    if wishes.int8:
        raise NotSupportedError(f"{recipe.name} is published in ONNX. Got --int8; say --precision int8.")
    found = ready.gathered(recipe, wishes.precision, from_cache=wishes.from_cache, report=wishes.report)
    target = settings.models_folders()[0] / folder_name(found.id, found.revision)
    if (info := _whole(target)) and not wishes.against_original:
        return Installed(info)
    with places.disk(found.id), places.locked(lambda: wishes.report("waiting for another installation")) as at:
        if (info := _whole(target)) and not wishes.against_original:  # the other program made it
            return Installed(info)
        proof = ready.make(at / "made", found, wishes.report, lambda longest: _peers(at, found, wishes, longest))
        places.put(at / "made", target)
    return Installed(read_model(target), proof.least, proof=proof)


def _peers(at: Path, found: Ready, wishes: Wishes, longest: int) -> Iterator[tuple[str, Peer]]:
    """Yield the other forms of a model in ONNX: its files in float32 if they are on this machine, and its original."""
    if full := ready.full_precision(found):
        ready.write(at / "full", full)
        yield "float32", OnnxEncoder(at / "full", strict=False)
    if wishes.against_original:
        image, text = found.originals
        if not (image and text):
            rule = "A model to compare must say what it was made from (base_model in its README.md)"
            raise NotSupportedError(f"{rule}. Got {found.id}, which does not; leave out --against-original.")
        yield "the original", agreement.Originals(image, text, longest, from_cache=wishes.from_cache)


def _check_folder(name: str, folder: Path) -> None:
    """Refuse a wrong folder first, so that a server without a network is not asked for torch."""
    if folder.is_dir() and not (folder / "config.json").is_file():
        inside = ", ".join(sorted(each.parent.name for each in folder.glob("*/model.json"))) or "none"
        got = f"{name}, which has neither; model folders in it: {inside}"
        raise MissingModelError(f"A folder must have a model.json, or the config.json of a published model. Got {got}.")
    if not folder.exists() and (name.startswith((".", "~", os.sep)) or name.count("/") > 1 or not name.strip()):
        raise MissingModelError(f"A model must be a repository, as in a/b, or a folder that is there. Got {name!r}.")


def _installed(found: Published, wishes: Wishes) -> Installed:
    """Install a model of this machine, unless it is installed already."""
    target = settings.models_folder() / folder_name(found.id, found.revision)
    if (info := _whole(target)) and _is_enough(info, wishes):
        return Installed(info)
    _ask(found, wishes)
    with places.disk(found.id), places.locked(lambda: wishes.report("waiting for another installation")) as at:
        if (info := _whole(target)) and _is_enough(info, wishes):  # the other program made it
            return Installed(info)
        least = _make(at / "made", found, wishes)
        places.put(at / "made", target)
    return Installed(read_model(target), least)


def _is_enough(info: ModelInfo, wishes: Wishes) -> bool:
    """
    Check whether an installed model fulfils the wishes: where wished, it has a quantised half with weights of 7 bits.
    """
    return not wishes.int8 or (info.int8 is not None and info.int8.way == SEVEN_BITS)


def note_of_dimension(info: ModelInfo) -> str | None:
    """Return advice for a model whose vectors do not fit the tables, or None if they fit."""
    if info.dimension == COLUMN:
        return None
    return (
        f"{info.id} gives vectors of {info.dimension} numbers, and the tables hold {COLUMN}: they refuse its vectors. "
        f"Take a model of {COLUMN} numbers, or put its vectors into a table of your own (docs/analyses.md)"
    )


def _ask(found: Published, wishes: Wishes) -> None:
    if not found.code:
        return
    what = f"{found.source} at {found.revision} runs code of its own on this machine: {', '.join(found.code)}"
    if not wishes.consent(what):
        problem = f"Got no consent: {what}. Read it in {found.folder}, then say --trust-remote-code"
        raise UntrustedCodeError(f"Code that a model brings must be trusted to run. {problem}.")


def _make(folder: Path, found: Published, wishes: Wishes) -> float:
    """Write the model folder, check it against the original, and return the lowest cosine."""
    from meetup2025.embedding.installing.original import Original, foreign

    folder.mkdir()
    wishes.report("loading the published model")
    original = Original(found.folder, remote_code=bool(found.code))
    with foreign(f"The model {found.id}"):
        wishes.report("asking it for its golden vectors")
        dimension = golden.write_golden(original, folder)
        image = preprocessing.measured(original.pixels)
        wishes.report("exporting the picture half")
        towers.export_images(original.model, image.size, folder / image.file)
        wishes.report("exporting the text half")
        text = _write_texts(original, folder)
        kind = _origin(found, original)
    del original  # its memory, before the halves are loaded again
    data = _manifest(found, dimension, image, text, kind)
    _write(folder, data)
    wishes.report("comparing the export with the original")
    least = golden.check(folder)
    if wishes.int8:
        wishes.report("quantising the picture half")
        _add_int8(folder, data, image)
    return least


def _write_texts(original: Original, folder: Path) -> TextInfo:
    tokenizer, longest = tokenization.converted(original)
    tokenizer.save(str(folder / TOKENIZER_FILE))
    inputs = original.text_inputs("魚の写真 photo")
    takes = tokenization.check_inputs(inputs)
    whole = bool(tokenizer.padding and tokenizer.padding["length"])
    example = (inputs["input_ids"].repeat(2, 1), (inputs["input_ids"] * 0 + 1).repeat(2, 1))
    towers.export_texts(original.model, takes, example, folder / TEXT_FILE, whole_rows=whole)
    return TextInfo(TEXT_FILE, TOKENIZER_FILE, longest)


def _origin(found: Published, original: Original) -> OriginalInfo:
    return OriginalInfo(found.source, found.commit, original.kind, bool(found.code), extra.versions())


def _manifest(
    found: Published, dimension: int, image: ImageInfo, text: TextInfo, origin: OriginalInfo
) -> dict[str, Any]:
    return {
        "format": FORMAT, "id": found.id, "revision": found.revision, "dimension": dimension,
        "licence": found.licence, "description": f"{origin.kind} of {found.source}, exported.",
        "image": asdict(image), "text": asdict(text), "golden": golden.FILE, "original": asdict(origin),
    }  # fmt: skip


def _write(folder: Path, data: dict[str, Any]) -> None:
    """Write model.json, with a hash of every file of the model."""
    graphs = [data["image"]["file"], data["text"]["file"], *([data["int8"]["file"]] if "int8" in data else [])]
    weights = {name: towers.weights_of(name) for name in graphs}
    names = [*graphs, *weights.values(), data["text"]["tokenizer"], data["golden"]]
    hashes = {name: file_hash(folder / name) for name in names}
    text = json.dumps({**data, "weights": weights, "sha256": hashes}, ensure_ascii=False, indent=2)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def _add_int8(folder: Path, data: dict[str, Any], image: ImageInfo) -> None:
    """Quantise the picture half, if it stays near the original."""
    graph = folder / "image.int8.onnx"
    quantisation.quantise(folder / image.file, graph)
    towers.put_weights_beside(graph, graph)
    _write(folder, {**data, "int8": asdict(QuantisedInfo(graph.name, SEVEN_BITS, 0.0, -1.0))})
    cosines = golden.of_quantised(folder)
    median, least = statistics.median(cosines), min(cosines)
    quantisation.check(median, least)
    _write(folder, {**data, "int8": asdict(QuantisedInfo(graph.name, SEVEN_BITS, median, least))})
    processors.remember(folder)


def _copied(source: Path, wishes: Wishes) -> Installed:
    """Install a model folder of another machine."""
    info = read_model(source)
    if wishes.called or wishes.revision or (wishes.int8 and info.int8 is None):
        rule = "A model folder must be taken as it is, without --as, --revision and another --int8"
        raise NotSupportedError(f"{rule}. Got {info.model}; install it again from the published model.")
    check_hashes(source)
    target = settings.models_folder() / folder_name(info.id, info.revision)
    if (whole := _whole(target)) and _is_same(source, target):
        return Installed(whole)
    with places.disk(info.id), places.locked(lambda: wishes.report("waiting for another installation")) as at:
        (at / "made").mkdir()
        for name in [*info.sha256, "model.json"]:
            shutil.copyfile(source / name, at / "made" / name)
        least = golden.check(at / "made")
        fault = golden.fault_of_quantised(at / "made") if info.int8 else ""
        places.put(at / "made", target)
    return Installed(read_model(target), least, fault)


def _is_same(one: Path, other: Path) -> bool:
    """Check whether two folders hold the same model. Their `model.json` has a hash of each file."""
    return file_hash(one / "model.json") == file_hash(other / "model.json")


def _whole(folder: Path) -> ModelInfo | None:
    """Return the model of a folder if all of its files are right, otherwise None."""
    if not (folder / "model.json").is_file():
        return None
    try:
        check_hashes(folder)
    except BrokenModelError:
        return None
    return read_model(folder)
