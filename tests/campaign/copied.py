"""The bundled model under another id, as a folder that can be installed and damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from meetup2025 import embedding

MODEL = "own/sketch"


def copied_model(folder: Path) -> Path:
    """Copy the bundled model into a folder of models, and return its own folder."""
    target = folder / "own--sketch@1"
    shutil.copytree(Path(embedding.__file__).with_name("sketch"), target)
    about = json.loads((target / "model.json").read_text("utf-8"))
    (target / "model.json").write_text(json.dumps({**about, "id": MODEL}, ensure_ascii=False, indent=2), "utf-8")
    return target
