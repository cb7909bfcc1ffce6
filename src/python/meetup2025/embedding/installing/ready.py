"""
The installation of a model that is published in ONNX: no torch, and no code of others.

Its files are downloaded, or taken from a folder, and must have the hashes that are known. They become a model folder,
which must pass the test of meaning. Its own vectors become its golden vectors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import files, images
from meetup2025.embedding import processors, runtime
from meetup2025.embedding.installing import (
    agreement,
    golden,
    heads,
    hub,
    layouts,
    meaning,
    preprocessing,
    probes,
    projection,
    published,
    tokenization,
)
from meetup2025.embedding.models import COLUMN, FORMAT, HeadInfo, TextInfo, file_hash
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import BrokenModelError, MissingModelError, NotSupportedError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from meetup2025.embedding.installing.agreement import Agreement, Peer
    from meetup2025.embedding.installing.heads import Head
    from meetup2025.embedding.installing.hub import Repository
    from meetup2025.embedding.installing.layouts import Half
    from meetup2025.embedding.installing.meaning import Meaning
    from meetup2025.embedding.installing.projection import Cost
    from meetup2025.embedding.installing.recipes import Pinned, Recipe, Source

TOKENIZER_FILE = "tokenizer.json"

_PICTURES = ("preprocessor_config.json",)


@dataclass(frozen=True)
class Proof:
    """
    What was measured when a model was made.

    Attributes:
        least: Lowest golden cosine.
        meanings: What it understands, by language.
        agreements: Name of another form of the model -> how near it is to that form.
        cost: What the projection to the numbers of the tables costs, if there is one.
    """

    least: float
    meanings: Sequence[Meaning] = ()
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    cost: Cost | None = None


@dataclass(frozen=True)
class Part:
    """A half of a model on this machine: its repository, its files, and the hash of each."""

    source: Repository
    half: Half
    folder: Path
    hashes: Mapping[str, str]

    @property
    def graph(self) -> str:
        """Name of the graph in a model folder."""
        return self.half.file.rpartition("/")[2]

    @property
    def weights(self) -> str:
        """Name of the file with the weights of the graph, or empty."""
        return self.half.weights.rpartition("/")[2]

    def record(self) -> dict[str, Any]:
        """Return what `model.json` says about the origin of this half."""
        return {"repository": self.source.name, "revision": self.source.commit, "files": dict(self.hashes)}


@dataclass(frozen=True)
class Ready:
    """
    A model in ONNX on this machine, ready to become a model folder.

    Attributes:
        id: Id of the model here.
        revision: Made from the hashes of its files: the same files give the same revision on all machines.
        precision: Precision of both halves.
        licence: Licence on its page, or of its recipe.
        description: A sentence for people.
        languages: Languages that it must know. Empty means any.
        originals: Repositories of the models that the two halves were made from, empty where that is not known.
    """

    id: str
    precision: str
    licence: str
    description: str
    languages: tuple[str, ...]
    image: Part
    text: Part
    originals: tuple[str, str] = ("", "")
    revision: str = field(default="", init=False)

    def __post_init__(self) -> None:
        hashes = json.dumps([self.precision, sorted(self.image.hashes.items()), sorted(self.text.hashes.items())])
        digest = hashlib.sha256(hashes.encode()).hexdigest()[:12]
        object.__setattr__(self, "revision", f"{self.precision}-{digest}")


def gathered(recipe: Recipe, precision: str | None, *, from_cache: bool, report: Callable[[str], None]) -> Ready:
    """
    Download what is not on this machine yet, and check its hashes.

    Args:
        recipe: Where the two halves are.
        precision: One of `layouts.PRECISIONS`. None takes the first that both halves have.
        from_cache: Whether to use only the cache, and no network.
        report: Called with a few words about the present step.

    Raises:
        MissingModelError: A repository, revision or file does not exist.
        NotSupportedError: The layout of a repository is another.
        BrokenModelError: A file has another hash.
        OperationalError: The network or the disk failed.
    """
    sources = [_source(recipe, half) for half in ("image", "text")]
    places = {(each.repository, each.revision): each for each in sources}
    listings = {place: _listed(each, from_cache=from_cache) for place, each in places.items()}
    found = [listings[each.repository, each.revision] for each in sources]
    halves = _halves(sources, found, precision)
    parts = []
    for source, listing, half, stated in zip(sources, found, halves, (_PICTURES, None), strict=True):
        report(f"downloading {half.file} of {source.repository}")
        parts.append(_part(listing, half, source.files, stated))
    licence = recipe.licence or published.licence(parts[0].folder)
    known = [each.original or published.original(part.folder) for each, part in zip(sources, parts, strict=True)]
    facts = (recipe.name, halves[0].precision, licence, recipe.description, recipe.languages)
    return Ready(*facts, image=parts[0], text=parts[1], originals=(known[0], known[1]))


def _source(recipe: Recipe, half: str) -> Source:
    found: Source | None = getattr(recipe, half)
    if found is None:
        raise NotSupportedError(f"The recipe {recipe.name} must have two halves in ONNX. Got none for {half}.")
    return found


def _listed(source: Source, *, from_cache: bool) -> Repository:
    from pathlib import Path

    folder = Path(source.repository).expanduser()
    if folder.is_dir():
        return hub.of_folder(folder.resolve())
    return hub.repository(source.repository, source.revision, from_cache=from_cache)


def _halves(sources: Sequence[Source], found: Sequence[Repository], precision: str | None) -> tuple[Half, Half]:
    """Choose both halves in one precision."""
    ends = layouts.endings(cuts=not processors.sums_without_cut(), arm=processors.is_arm())
    (image, text), (pictures, texts) = sources, found
    for each in layouts.PRECISIONS if precision is None else (precision,):
        with contextlib.suppress(*([] if precision else [MissingModelError])):
            return (
                layouts.image_half(pictures, each, image.files, ends),
                layouts.text_half(texts, each, text.files, ends),
            )
    graphs = {each.name: sorted(name for name in each.files if name.endswith(".onnx")) for each in found}
    got = " and ".join(f"{listed(names)} in {name}" for name, names in graphs.items())
    raise MissingModelError(f"Both halves of a model must have one precision. Got {got}.")


def _part(found: Repository, half: Half, pinned: Mapping[str, Pinned], stated: Sequence[str] | None) -> Part:
    """Download the files of a half, and check them. *stated* are the files that say how its inputs are made."""
    wanted = [half.file, *([half.weights] if half.weights else []), *_stated(found, half, stated)]
    folder = hub.downloaded(found, [*wanted, *[name for name in ("config.json", "README.md") if name in found.files]])
    hashes = {name: file_hash(folder / name) for name in wanted}
    for name, digest in hashes.items():
        _check_hash(found, name, digest, pinned[name].sha256 if name in pinned else found.files[name])
    return Part(found, half, folder, hashes)


def _stated(found: Repository, half: Half, stated: Sequence[str] | None) -> Sequence[str]:
    if stated is None:
        stated = [TOKENIZER_FILE, *(name for name in ("tokenizer_config.json",) if name in found.files)]
        stated += layouts.sentence_files(found.files) if layouts.is_of_sentences(half) else []
    for name in stated:
        if name not in found.files:
            rule = f"The repository {found.name} must have {name}"
            raise NotSupportedError(f"{rule}. Got none; take another model, or add the file to a copy.")
    return stated


def _check_hash(found: Repository, name: str, digest: str, expected: str) -> None:
    if not digest.startswith(expected):
        path = (found.folder or hub.downloaded(found, [name])) / name
        rule = f"{name} of {found.name} must have the SHA-256 {expected}"
        raise BrokenModelError(f"{rule}. Got {digest}; remove {path.resolve()} and try again.")


def make(
    folder: Path, ready: Ready, report: Callable[[str], None], peers: Callable[[int], Iterable[tuple[str, Peer]]]
) -> Proof:
    """
    Write a model folder, and prove it.

    Args:
        folder: Folder to make.
        ready: What it is made of.
        report: Called with a few words about the present step.
        peers: Called with the most tokens of a text. Returns other forms of the model to compare with, by name.

    Raises:
        NotSupportedError: A graph, or how its inputs are made, has no form here.
        BrokenModelError: A file is broken, the halves do not fit, or the model fails the test of meaning.
    """
    report("reading the published files")
    data, own = write(folder, ready)
    near = {}
    for name, peer in peers(data["text"]["max_length"]):
        report(f"comparing it with {name}")
        near[name] = agreement.checked(OnnxEncoder(folder, strict=False), peer, ready.precision, name)
    cost = None
    if data["dimension"] > COLUMN:
        report(f"projecting {data['dimension']} numbers to {COLUMN}")
        cost = _project(folder, data, own)
    report("testing whether it finds words for drawn pictures")
    meanings = meaning.check(OnnxEncoder(folder, strict=False), ready.languages)
    data["languages"] = [each.language for each in meanings]
    report("making its golden vectors")
    golden.write_golden(OnnxEncoder(folder, strict=False), folder, spelled=True)
    _write(folder, data)
    least = golden.check(folder)
    for half in ("texts", "pictures"):
        processors.remember(folder, half)
    return Proof(least, meanings, near, cost)


def write(folder: Path, ready: Ready) -> tuple[dict[str, Any], dict[str, Head]]:
    """
    Write a model folder that has no golden vectors yet.

    Returns:
        The content of its `model.json`, and the head of each half.
    """
    folder.mkdir()
    data, own = _manifest(folder, ready)
    _write(folder, data)
    return data, own


def _manifest(folder: Path, ready: Ready) -> tuple[dict[str, Any], dict[str, Head]]:
    """Copy the graphs, and return the content of `model.json` and the heads of the graphs."""
    for part in (ready.image, ready.text):
        for name in filter(None, (part.half.file, part.half.weights)):
            _take(part.folder / name, folder / name.rpartition("/")[2], is_cached=bool(part.source.commit))
    image = preprocessing.stated(hub.read_json(ready.image.folder, "preprocessor_config.json"), ready.image.graph)
    longest = tokenization.stated(ready.text.folder, folder / TOKENIZER_FILE)
    sessions = {half: _session(folder / part.graph) for half, part in _parts(ready)}
    own = {half: _head(half, part, sessions[half]) for half, part in _parts(ready)}
    widths = {half: _width(sessions[half], own[half], image.size) for half in own}
    if len(set(widths.values())) > 1:
        rule = "The halves of a model must give vectors of one length"
        raise NotSupportedError(f"{rule}. Got {widths['image']} numbers for pictures, {widths['text']} for texts.")
    text = TextInfo(ready.text.graph, TOKENIZER_FILE, longest)
    np.savez(folder / golden.FILE)
    data = {
        "format": FORMAT, "id": ready.id, "revision": ready.revision, "dimension": widths["image"],
        "licence": ready.licence, "description": ready.description, "image": asdict(image), "text": asdict(text),
        "golden": golden.FILE, "precision": ready.precision, "languages": list(ready.languages),
        "weights": {part.graph: part.weights for _, part in _parts(ready) if part.weights},
        "heads": _written(folder, ready, own), "sources": {half: part.record() for half, part in _parts(ready)},
    }  # fmt: skip
    return data, own


def _parts(ready: Ready) -> tuple[tuple[str, Part], tuple[str, Part]]:
    return ("image", ready.image), ("text", ready.text)


def _take(source: Path, target: Path, *, is_cached: bool) -> None:
    """Copy a file. One of the cache needs no room on the disk twice, where both have one disk."""
    if is_cached:
        with contextlib.suppress(OSError):
            os.link(source.resolve(), target)
            return
    shutil.copyfile(source, target)


def _session(path: Path) -> Any:
    try:
        options = runtime.library().SessionOptions()
        options.log_severity_level = 3
        return runtime.library().InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:
        rule = f"The graph {path.name} must be one that ONNX Runtime can open"
        raise BrokenModelError(f"{rule}. Got: {' '.join(str(exc).split())[:300]}.") from exc


def _head(half: str, part: Part, session: Any) -> Head:
    outputs = [each.name for each in session.get_outputs()]
    if half == "text" and layouts.is_of_sentences(part.half):
        return heads.of_sentences(part.folder, outputs, part.graph)
    return heads.of_tower(half, outputs, part.graph)


def _width(session: Any, head: Head, size: int) -> int:
    """Return the length of the vectors: of a run, since graphs seldom say it."""
    kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}
    shape = (1, 3, size, size)
    feeds = {}
    for each in session.get_inputs():
        own = shape if len(each.shape) == 4 else (1, each.shape[-1] if isinstance(each.shape[-1], int) else 8)
        feeds[each.name] = np.ones(own, kinds.get(each.type, np.int32))
    try:
        (found,) = session.run([head.output], feeds)
    except Exception as exc:
        rule = "A graph of a model must take pictures or tokens"
        raise NotSupportedError(f"{rule}. Got: {' '.join(str(exc).split())[:300]}.") from exc
    if found.ndim != (2 if head.pooling == "none" else 3):
        raise NotSupportedError(f"The output {head.output} must have a vector for each item. Got shape {found.shape}.")
    if head.matrix is None:
        return int(found.shape[-1])
    if head.matrix.shape[0] != found.shape[-1]:
        got = f"{found.shape[-1]} numbers, and a matrix for {head.matrix.shape[0]}"
        raise BrokenModelError(f"The matrix of a text half must fit its vectors. Got {got}; download it again.")
    return int(head.matrix.shape[1])


def _written(folder: Path, ready: Ready, own: Mapping[str, Head]) -> dict[str, Any]:
    infos: dict[str, HeadInfo] = {
        part.graph: own[half].written(folder, f"{half}.head.npz") for half, part in _parts(ready)
    }
    return {graph: asdict(info) for graph, info in infos.items()}


def _write(folder: Path, data: dict[str, Any]) -> None:
    """Write model.json, with a hash of every file of the model."""
    names = [data["image"]["file"], data["text"]["file"], data["text"]["tokenizer"], data["golden"]]
    names += [*data["weights"].values(), *(head["file"] for head in data["heads"].values() if head["file"])]
    text = json.dumps(
        {**data, "sha256": {name: file_hash(folder / name) for name in names}}, ensure_ascii=False, indent=2
    )
    (folder / "model.json").write_text(text + "\n", "utf-8")


def _project(folder: Path, data: dict[str, Any], own: dict[str, Head]) -> Cost:
    """Project the vectors of both halves to the numbers of the tables, and return what it costs."""
    model = OnnxEncoder(folder, strict=False)
    kept, tried = _rows_of_catalogue(model), _rows_of_golden(model)
    cost = projection.cost(tried, projection.directions(kept))
    projection.check(cost)
    matrix = projection.directions(np.concatenate([kept, tried]))
    for half, graph in (("image", data["image"]["file"]), ("text", data["text"]["file"])):
        own[half] = own[half].projected(matrix)
        data["heads"][graph] = asdict(own[half].written(folder, f"{half}.head.npz"))
    data["dimension"] = COLUMN
    _write(folder, data)
    return cost


def _rows_of_catalogue(model: OnnxEncoder) -> np.ndarray[Any, Any]:
    """Embed the names of the catalogue and the bundled samples."""
    import csv

    with (files.PACKAGE / "catalogue" / "fish.csv").open(encoding="utf-8") as file:
        names = [word for row in csv.DictReader(file) for value in row.values() for word in value.split(";") if word]
    samples = [path for path in sorted((files.PACKAGE / "samples").iterdir()) if path.suffix != ".csv"]
    pictures = [images.open_picture(path.read_bytes(), longest=model.picture_size) for path in samples]
    return np.concatenate([model.texts(list(dict.fromkeys(names))), model.images(pictures)])


def _rows_of_golden(model: OnnxEncoder) -> np.ndarray[Any, Any]:
    words = [word for each in meaning.DRAWN for word in each.words]
    return np.concatenate([
        model.texts([*to_embed(probes.TEXTS), *words]),
        model.images([*probes.pictures(), *(each.picture() for each in meaning.DRAWN)]),
    ])


def full_precision(ready: Ready) -> Ready | None:
    """Return the same model in float32 if all of its files are on this machine, without a download."""
    parts = []
    for part in (ready.image, ready.text):
        file = part.half.full
        weights = f"{file}_data" if f"{file}_data" in part.source.files else ""
        if ready.precision == "float32" or not file or not all(
            hub.is_here(part.source, name) for name in filter(None, (file, weights))
        ):
            return None
        folder = hub.downloaded(part.source, [*part.hashes, *filter(None, (file, weights))])
        half = replace(part.half, file=file, weights=weights, precision="float32")
        parts.append(replace(part, half=half, folder=folder))
    return replace(ready, precision="float32", image=parts[0], text=parts[1])
