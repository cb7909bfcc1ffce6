"""
The Hugging Face Hub: the files of a repository at one commit, by its library (extra `[hub]`), or one clear error.

The library has the cache, resumes what was cut, and follows HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE and proxies.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025.embedding.installing.places import FULL
from meetup2025.errors import BrokenModelError, MissingExtraError, MissingModelError, OperationalError
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


@dataclass(frozen=True)
class Repository:
    """
    A repository of the Hub at one commit, or a folder.

    Attributes:
        name: Repository, as in `a/b`, or the path of the folder.
        commit: The whole revision. Empty for a folder.
        asked: The revision that was asked for.
        files: Path -> SHA-256 of the file, or an empty text if the Hub does not say.
        folder: Folder of the files, if they are on this machine.
    """

    name: str
    commit: str
    files: Mapping[str, str]
    folder: Path | None = None
    asked: str | None = None


def check() -> None:
    """
    Check for the extra before any download, without importing it.

    Raises:
        MissingExtraError: The extra is missing.
    """
    missing = [name for name in ("huggingface_hub", "safetensors") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"A model of the Hugging Face Hub needs {' and '.join(missing)}. Got none: {install_command('hub')}."
        )


def of_folder(folder: Path) -> Repository:
    """Return the files of a folder as a repository."""
    return Repository(str(folder), "", _files_in(folder), folder)


def repository(name: str, revision: str | None = None, *, from_cache: bool = False) -> Repository:
    """
    Return what a repository has.

    Args:
        name: Repository, as in `a/b`.
        revision: Commit, branch or tag, `main` by default.
        from_cache: Whether to use only the cache, and no network. HF_HUB_OFFLINE means the same.

    Raises:
        MissingExtraError: The library is missing.
        MissingModelError: The repository or revision does not exist, needs an account, or is not in the cache.
        OperationalError: The network failed.
    """
    check()
    import huggingface_hub
    from huggingface_hub import constants

    with _errors(f"{name}, revision {revision or 'main'}", from_cache=from_cache or constants.HF_HUB_OFFLINE):
        if from_cache or constants.HF_HUB_OFFLINE:
            folder = Path(huggingface_hub.snapshot_download(name, revision=revision, local_files_only=True))
            return Repository(name, folder.name, _files_in(folder), folder)
        found = huggingface_hub.HfApi().model_info(name, revision=revision, files_metadata=True)
        hashes = {each.rfilename: each.lfs.sha256 if each.lfs else "" for each in found.siblings or ()}
        return Repository(name, str(found.sha), hashes, asked=revision)


def downloaded(found: Repository, files: Collection[str]) -> Path:
    """
    Return the folder of some files of a repository, after the download of what is not on this machine.

    Raises:
        MissingModelError: The cache must have a file, and has it not.
        OperationalError: The network or the disk failed.
    """
    if found.folder is not None:
        if missing := sorted(set(files) - set(found.files)):
            raise MissingModelError(f"{found.name} must have {missing[0]} on this machine. Got no such file.")
        return found.folder
    import huggingface_hub

    with _errors(f"{found.name}, revision {found.asked or 'main'}"):
        patterns = [re.sub(r"([\[*?])", r"[\1]", each) for each in files]
        # By the name that was asked for, which the cache then knows.
        folder = Path(huggingface_hub.snapshot_download(found.name, revision=found.asked, allow_patterns=patterns))
    if folder.name != found.commit:
        raise OperationalError(
            f"{found.name} must stay as it is during its download. Got {folder.name} after {found.commit}; try again."
        )
    return folder


def is_here(found: Repository, file: str) -> bool:
    """Return whether a file of a repository is on this machine."""
    if found.folder is not None:
        return file in found.files
    import huggingface_hub

    return isinstance(huggingface_hub.try_to_load_from_cache(found.name, file, revision=found.commit), str)


def _files_in(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): "" for path in sorted(folder.rglob("*")) if path.is_file()}


@contextlib.contextmanager
def _errors(asked: str, *, from_cache: bool = False) -> Iterator[None]:
    """Raise the errors of the library as errors that say what to do."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as exc:
        problem = "is open only to accounts that accepted its terms: accept them on its page, then set HF_TOKEN"
        raise MissingModelError(f"The repository must be open to you. Got {asked}, which {problem}.") from exc
    except errors.RevisionNotFoundError as exc:
        raise MissingModelError(f"The revision must exist. Got {asked}, which does not; take another.") from exc
    except errors.RepositoryNotFoundError as exc:
        problem = "does not exist, or is private: check the name, or set HF_TOKEN"
        raise MissingModelError(f"The repository must exist. Got {asked}, which {problem}.") from exc
    except errors.LocalEntryNotFoundError as exc:
        raise _not_here(asked, exc, from_cache=from_cache) from exc
    except MemoryError:
        raise
    except Exception as exc:  # of the disk or the network: each version of the library raises other kinds
        raise _failure(exc, asked) from exc


def _not_here(asked: str, exc: Exception, *, from_cache: bool) -> Exception:
    if from_cache:
        problem = f"Got {asked}, which is not: install it without --from-cache where there is a network"
        return MissingModelError(f"With --from-cache the model must be in the cache of Hugging Face. {problem}.")
    return OperationalError(f"The download of {asked} must be whole. Got {_first_line(exc)}; try again.")


def _failure(exc: Exception, asked: str) -> OperationalError:
    """Return the error for a failure of the disk or the network."""
    if isinstance(exc, OSError) and exc.errno in FULL:
        problem = f"Got {exc.strerror}; make room, or set HF_HOME to another"
        return OperationalError(f"The cache of Hugging Face must have room for {asked}. {problem}.")
    if unreachable := _UNREACHABLE.search(str(exc)):
        problem = f"Got: {unreachable[0]}; try again, or say --from-cache where it is in the cache"
        return OperationalError(f"The Hugging Face Hub must answer for {asked}. {problem}.")
    if isinstance(exc, ValueError):  # what should be JSON is something else
        problem = "Got no JSON, as from a proxy that wants a login; check the network, HF_ENDPOINT and the proxy"
        return OperationalError(f"The Hugging Face Hub must answer for {asked}. {problem}.")
    got = f"{type(exc).__name__}: {_first_line(exc)}"
    return OperationalError(f"The download of {asked} must be whole. Got {got}; try again.")


_UNREACHABLE = re.compile(
    r"Failed to [^(\"]*[^(\" ]|timed out|Connection refused|Name or service not known|Temporary failure in name[ \w]*"
    r"|No address associated[ \w]*|Network is unreachable"
)


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]


def read_json(folder: Path, file: str) -> dict[str, Any]:
    """
    Read a JSON file of a repository. One that is not there is empty.

    Raises:
        BrokenModelError: The file is no object in JSON.
    """
    import json

    path = folder / file
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, RecursionError, ValueError) as exc:
        raise BrokenModelError(f"{file} of {folder} must be JSON in UTF-8. Got {exc}; download it again.") from exc
    if not isinstance(data, dict):
        raise BrokenModelError(f"{file} of {folder} must be an object of JSON. Got {type(data).__name__}.")
    return data
