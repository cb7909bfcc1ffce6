"""
Files that pages are made of: the pages, scripts and styles of this package, and its sample pictures.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from functools import cache
from pathlib import Path

from meetup2025.figures import palette
from meetup2025.files import LARGEST_PICTURE
from meetup2025.web.answer import Answer
from meetup2025.web.texts import texts

_HERE = Path(__file__).parent
_SAMPLES = _HERE.parent / "samples"

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def samples() -> list[str]:
    """Return the names of the sample pictures that browsers can show."""
    return sorted(path.name for path in _SAMPLES.iterdir() if path.suffix in _KINDS)


@cache
def static(name: str) -> Answer | None:
    """Return a script, a style or the icon, or None if there is none of that name."""
    return _file(_HERE / "static", name)


@cache
def sample(name: str) -> Answer | None:
    """Return a sample picture, or None if there is none of that name."""
    return _file(_SAMPLES, name)


def _file(folder: Path, name: str) -> Answer | None:
    for path in folder.iterdir():
        if path.name == name and path.suffix in _KINDS:
            data = path.read_bytes()
            return Answer(data, _KINDS[path.suffix], tag=_tag(data))
    return None


def page(name: str, *, language: str, token: str, adding: bool, reading: bool = False) -> Answer:
    """
    Return a page in a language: its own part in the frame of all pages.

    `{{key}}` in the HTML stands for a text of `texts`.
    """
    said = texts(language)
    values = {**said, "language": language, "page": name, "token": token, "title": said[f"{name}_title"]}
    values |= {"samples": " ".join(samples()), "adding": "yes" if adding else "no"}
    values["reading"] = "yes" if reading else "no"
    values["largest"] = str(LARGEST_PICTURE)
    values = {key: html.escape(each) for key, each in values.items()} | {
        "texts": _script_json(said),
        "palette": _script_json(palette.for_pages()),
    }
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _page(name))
    return Answer(filled.encode("utf-8"), "text/html; charset=utf-8")


@cache
def _page(name: str) -> str:
    folder = _HERE / "pages"
    shared = (folder / "shared.html").read_text("utf-8")
    link = f'<a href="{"./" if name == "identify" else name}"'
    shared = shared.replace(link, f'{link} aria-current="page"')
    return shared.replace("<!-- main -->", (folder / f"{name}.html").read_text("utf-8"))


def _script_json(value: object) -> str:
    """Return JSON for a script element: no text in it can end the element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:20]}"'
