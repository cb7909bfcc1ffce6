"""
The original of an installed model as an `Encoder`, to compare: slow, and never inside a database.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import iris_process, vectors
from meetup2025.embedding.installing import extra
from meetup2025.embedding.models import read_model
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import MissingModelError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from meetup2025.embedding.installing.original import Original
    from meetup2025.embedding.models import OriginalInfo


class OriginalEncoder:
    """
    An `Encoder` of the published model from which a folder was made.

    Its code, if it brings any, was allowed to run at its installation.

    Raises:
        MissingModelError: The folder does not name its original.
        NotSupportedError: This process belongs to InterSystems IRIS.
    """

    def __init__(self, folder: Path) -> None:
        self.info = read_model(folder)
        if self.info.original is None:
            got = f"Got {self.info.model}, which does not say; take another MEETUP2025_RUNTIME"
            raise MissingModelError(f"For MEETUP2025_RUNTIME=torch a model must be made of a published one. {got}.")
        if iris_process.module() is not None:
            raise NotSupportedError("MEETUP2025_RUNTIME=torch is for comparison outside IRIS. Got a process of IRIS.")
        self._source: OriginalInfo = self.info.original
        self._loaded: Original | None = None
        self._lock = threading.Lock()
        self.model = self.info.model
        self.dimension = self.info.dimension
        self.picture_size = self.info.image.seen
        self.languages = self.info.languages

    def check(self) -> None:
        """
        Load the original.

        Raises:
            MissingModelError: The original is not in its place any more.
            BrokenModelError: The original cannot be loaded.
        """
        self._original()

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts.

        Raises:
            DataError: A text is empty.
        """
        return self._unit(self._original().texts(to_embed(texts))) if texts else self._nothing()

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures."""
        return self._unit(self._original().images(pictures)) if pictures else self._nothing()

    def _original(self) -> Original:
        from meetup2025.embedding.installing.original import Original

        with self._lock:
            if self._loaded is None:
                with extra.switched(offline=True):
                    extra.check()
                    self._loaded = Original(self._folder(), remote_code=self._source.remote_code)
            return self._loaded

    def _folder(self) -> Path:
        from meetup2025.embedding.installing.published import published

        source = self._source
        if Path(source.source).is_absolute() and not Path(source.source).is_dir():
            raise MissingModelError(f"The original of {self.model} must be where it was. Got no {source.source}.")
        return published(source.source, revision=source.revision, from_cache=True).folder

    def _unit(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return vectors.unit(rows).astype(np.float32)

    def _nothing(self) -> NDArray[np.float32]:
        return np.empty((0, self.dimension), np.float32)
