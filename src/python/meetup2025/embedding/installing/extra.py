"""The extra `[clip]`, in the versions that are known to load models correctly."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from meetup2025.errors import MissingExtraError
from meetup2025.iris_process import is_watched
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWEST, BELOW = (4, 49), (4, 52)
"""
Versions of transformers. 4.52 to 4.57 cannot read the configuration of clip-japanese-base.

5 leaves buffers that are not among the weights uninitialised, so that the vectors are noise.
"""

_SWITCHES = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_VERBOSITY": "error",
             "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}  # fmt: skip

_READ_AT_IMPORT = (("huggingface_hub.constants", "HF_HUB_OFFLINE"), ("transformers.utils.hub", "_is_offline_mode"))


@contextmanager
def switched(*, offline: bool) -> Iterator[None]:
    """
    Set the switches of the libraries, which read them at their import.

    Args:
        offline: Whether the network is forbidden, also for repositories that the code of a model asks for.
    """
    values = {**_SWITCHES, **({"HF_HUB_OFFLINE": "1"} if offline else {})}
    if not is_watched():  # on a terminal a download shows how far it is
        values["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    read = [(sys.modules[module], name) for module, name in _READ_AT_IMPORT if offline and module in sys.modules]
    as_read = [getattr(module, name) for module, name in read]
    for module, name in read:
        setattr(module, name, True)
    try:
        yield
    finally:
        for (module, name), value in zip(read, as_read, strict=True):
            setattr(module, name, value)
        for name, old in before.items():
            os.environ.pop(name)
            if old is not None:
                os.environ[name] = old


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of libraries about fixed shapes of an export and about later versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check() -> None:
    """
    Check for the extra before any download, without importing it.

    Raises:
        MissingExtraError: The extra is missing, or transformers has a version that is not known to be right.
    """
    missing = [name for name in ("torch", "transformers", "onnx") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Published models, to install or run them, need {' and '.join(missing)}. Got none: "
            f"{install_command('clip')}."
        )
    version = importlib.metadata.version("transformers")
    if not LOWEST <= tuple(int(part) for part in version.split(".")[:2]) < BELOW:
        span = f"{LOWEST[0]}.{LOWEST[1]} or later and before {BELOW[0]}.{BELOW[1]}"
        raise MissingExtraError(f"transformers must be {span}. Got {version}: {install_command('clip')}.")


def versions() -> str:
    """Return the versions that a model is made with."""
    import torch
    import transformers

    return f"transformers {transformers.__version__}, torch {torch.__version__}"
