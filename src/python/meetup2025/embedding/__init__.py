"""
Vectors of texts and pictures.

`encoder` finds the model, which turns both into points of one space. It is in this process, or in a server that many
processes share (`server`, `remote`), which may be a process of the same IRIS instance (`resident`).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from meetup2025 import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Encoder", "encoder", "local_encoder"]


class Encoder(Protocol):
    """
    A model for texts and pictures.

    Attributes:
        model: Id and revision, as in `sketch@1`. Vectors can be compared only within one model.
        dimension: Length d of the vectors.
        picture_size: Side in pixels of the square that the model sees; no picture need be larger.
    """

    @property
    def model(self) -> str: ...  # noqa: D102 - described above

    @property
    def dimension(self) -> int: ...  # noqa: D102

    @property
    def picture_size(self) -> int: ...  # noqa: D102

    def check(self) -> None:
        """
        Hold the whole model to its checks, before vectors of it are stored.

        Raises:
            BrokenModelError: It fails one.
        """

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts.

        Returns:
            Array of shape (n, d), in the order given; rows of unit length.

        Raises:
            DataError: A text is empty.
        """

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """
        Embed pictures.

        Returns:
            Array of shape (n, d), in the order given; rows of unit length.
        """


def encoder(name: str | None = None) -> Encoder:
    """
    Return the model of that name.

    It is that of the server MEETUP2025_ENCODER if there is one, else that of the resident process of the IRIS instance
    if MEETUP2025_WORKER is on, else one of this process.

    Args:
        name: Id of a model; without a server also the path of a model folder. None takes MEETUP2025_MODEL.

    Raises:
        MissingModelError: It is not there. No other model is taken in its place.
        BrokenModelError: Its folder fails its checks, or the server gives no vectors for it.
        EncoderUnavailableError: The server does not answer, or the resident process is not ready in time.
    """
    if url := settings.encoder_url() or _worker_address():
        from meetup2025.embedding.client import remote_encoder

        return remote_encoder(url, name or settings.model())
    return local_encoder(name)


def _worker_address() -> str:
    if not settings.uses_worker():
        return ""
    from meetup2025.embedding import worker

    return worker.address()


def local_encoder(name: str | None = None) -> Encoder:
    """
    Return a model of this process: one object, loaded when it is first used.

    Args:
        name: Id of an installed model, or the path of a model folder; None takes MEETUP2025_MODEL.

    Raises:
        MissingModelError: It is not installed.
        BrokenModelError: Its folder fails its checks.
        InterfaceError: MEETUP2025_RUNTIME is none.
    """
    from meetup2025.embedding.models import find, state

    folder = find(name or settings.model())
    return _encoder(folder, settings.runtime(), state(folder))


@functools.lru_cache(maxsize=8)
def _encoder(folder: Path, runtime: str, _: tuple[int, int, int]) -> Encoder:
    if runtime == "torch":
        from meetup2025.embedding.installing.encoder import OriginalEncoder

        return OriginalEncoder(folder)
    from meetup2025.embedding.onnx import OnnxEncoder

    return OnnxEncoder(folder, int8=runtime == "int8")
