"""
Vectors of texts and pictures.

A model turns a text or a picture into a vector, and `encoder` finds the model: in this process, in a server that many
processes share (`client`), or in the worker of this IRIS instance (`worker`).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from meetup2025 import settings
from meetup2025.embedding.models import find, read_model, state

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
        model: Id and revision of the model, for example `sketch@1`. Only vectors of one model can be compared.
        dimension: Length d of the vectors.
        picture_size: Side in pixels of the square that the model sees. A larger picture gains nothing.
        languages: Languages of its texts, as `ja`. Empty means unknown.
    """

    @property
    def model(self) -> str: ...  # noqa: D102 - described above

    @property
    def dimension(self) -> int: ...  # noqa: D102

    @property
    def picture_size(self) -> int: ...  # noqa: D102

    @property
    def languages(self) -> tuple[str, ...]: ...  # noqa: D102

    def check(self) -> None:
        """
        Check the whole model, before its vectors are stored.

        Raises:
            BrokenModelError: The model fails a check.
        """

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts in the one spelling of `texts.normal`: blanks around a text change nothing.

        Returns:
            Array of shape (n, d), in the order of the texts. Rows have unit length.

        Raises:
            DataError: A text is empty.
        """

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """
        Embed pictures.

        Returns:
            Array of shape (n, d), in the order of the pictures. Rows have unit length.
        """


def encoder(name: str | None = None) -> Encoder:
    """
    Return the model of a name.

    The server MEETUP2025_ENCODER comes first. Without it, the worker of the IRIS instance has the model if
    MEETUP2025_WORKER is on, and otherwise this process loads the model.

    Args:
        name: Id of a model. Without a server the path of a model folder is taken too. None means MEETUP2025_MODEL.

    Raises:
        MissingModelError: The model is not there. No other model takes its place.
        BrokenModelError: The model folder fails its checks, or the server returns no vectors.
        EncoderUnavailableError: The server does not answer, or the worker is not ready in time.
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
    Return a model of this process. The process has one object for a model, and loads it at its first use.

    Args:
        name: Id of an installed model, or path of a model folder. None means MEETUP2025_MODEL.

    Raises:
        MissingModelError: The model is not installed.
        BrokenModelError: The model folder fails its checks.
        InterfaceError: MEETUP2025_RUNTIME has an unknown value.
    """
    folder = find(name or settings.model())
    return _encoder(folder, settings.runtime(), state(folder))


@functools.lru_cache(maxsize=8)
def _encoder(folder: Path, runtime: str, _: tuple[int, int, int]) -> Encoder:
    if runtime == "torch":
        from meetup2025.embedding.installing.encoder import OriginalEncoder

        return OriginalEncoder(folder)
    from meetup2025.embedding.onnx import OnnxEncoder

    return OnnxEncoder(folder, int8=runtime == "int8" or (not runtime and read_model(folder).int8 is not None))
