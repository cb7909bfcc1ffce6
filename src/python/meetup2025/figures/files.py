"""Figures as files: pages that open without a network, and pictures made by a browser of the machine."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from meetup2025.errors import DataError, MissingExtraError, OperationalError
from meetup2025.figures import palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WIDTH, HEIGHT = 1200, 800
"""Width and height of a picture, in units."""

_BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_SECONDS = 120
_SCALE = 2
_FRAME = 200
"""Units that are added to the height of a window: more than the frame that a browser takes from it."""

_SWITCHES = (
    "--headless",
    "--hide-scrollbars",
    f"--force-device-scale-factor={_SCALE}",
    "--enable-unsafe-swiftshader",  # draws three dimensions without a graphics card
    "--virtual-time-budget=10000",
    "--no-first-run",
)
_CONFIG = {"displaylogo": False, "responsive": True, "plotlyServerURL": "", "showSendToCloud": False}

_PAGE = Template("""<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline';
 style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:">
<link rel="icon" href="data:,">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; background: #ffffff; color: #1a1a1a; }
@media screen and (prefers-color-scheme: dark) { body { background: #161616; color: #e8e8e8; } }
#figure { min-width: 900px; min-height: 600px; }
#thumbnail { position: fixed; border: 2px solid #999999; pointer-events: none; }
@media print { .modebar { display: none; } }
@page { size: landscape; margin: 8mm; }
</style>
</head>
<body>
<noscript>This picture needs JavaScript.</noscript>
$figure
<img id="thumbnail" alt="" hidden>
<script>
const templates = $templates;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = (isDark) => Plotly.relayout("figure", {template: templates[isDark ? "dark" : "light"]});
if (dark.matches) paint(true);
dark.addEventListener("change", () => paint(dark.matches));
addEventListener("beforeprint", () => paint(false));
addEventListener("afterprint", () => paint(dark.matches));
const plot = document.getElementById("figure"), thumbnail = document.getElementById("thumbnail");
const thumbnails = plot.layout.meta?.thumbnails ?? {};
let mouse = {clientX: 0, clientY: 0};
addEventListener("mousemove", (event) => { mouse = event; });
plot.on("plotly_hover", ({points: [point]}) => {
  const url = thumbnails[[].concat(point.customdata ?? []).join("/")] ?? "";
  thumbnail.hidden = !url.startsWith("data:image/");
  if (thumbnail.hidden) return;
  thumbnail.src = url;
  thumbnail.style.left = Math.max(0, Math.min(mouse.clientX - 48, innerWidth - 110)) + "px";
  thumbnail.style.top = (mouse.clientY < innerHeight - 150 ? mouse.clientY + 40 : mouse.clientY - 140) + "px";
});
plot.on("plotly_unhover", () => { thumbnail.hidden = true; });
</script>
</body>
</html>
""")


def write_html(figure: Figure, path: str | os.PathLike[str], title: str = "", lang: str = "en") -> None:
    """
    Write a figure as a page that holds everything it needs (about 5 MB). The page is forbidden to fetch anything.

    Args:
        figure: Any figure of Plotly.
        path: File to write. An existing file is replaced, whole or not at all; behind a link, the file that it means.
            What is no file, such as a pipe or a device, is written into.
        title: Title of the page.
        lang: Language of its texts.

    Raises:
        DataError: The folder does not exist, or *path* is a folder.
    """
    check_file(path)
    _replace(Path(path), _page(figure, title, lang).encode())


def write_png(figure: Figure, path: str | os.PathLike[str], title: str = "", *, width: int = WIDTH) -> None:
    """
    Write a figure as a picture with two pixels a unit. Chromium draws it where it is installed, otherwise kaleido.

    Args:
        figure: Any figure of Plotly. A figure without a height gets 800 units.
        path: As for `write_html`.
        title: As for `write_html`.
        width: Width in units.

    Raises:
        DataError: As `write_html`.
        MissingExtraError: Neither Chromium nor kaleido is installed.
        OperationalError: The browser or kaleido fails.
    """
    check_file(path)
    height = int(figure.layout.height or HEIGHT)
    if browser := _browser():
        data = _screenshot(browser, _page(figure, title, "en", height), width, height)
    else:
        check_png()
        data = _by_kaleido(figure, width, height)
    _replace(Path(path), data)


def check_file(path: str | os.PathLike[str]) -> None:
    """
    Check that a file can be written, before the work for it begins.

    Raises:
        DataError: The folder does not exist or cannot be written, or *path* is a folder.
    """
    if _is_written_into(Path(path)):
        return
    wanted = Path(os.path.realpath(path))
    if not wanted.parent.is_dir():
        raise DataError(f"The folder of a picture must exist. Got {wanted}; make {wanted.parent}.")
    if wanted.is_dir():
        raise DataError(f"A picture must be a file. Got {wanted}, which is a folder; add a name.")
    if not os.access(wanted.parent, os.W_OK):
        raise DataError(f"The folder of a picture must be writable. Got {wanted.parent}.")


def check_png() -> None:
    """
    Check that PNG files can be made.

    Raises:
        MissingExtraError: There is neither a browser nor kaleido.
    """
    if not _browser() and not importlib.util.find_spec("kaleido"):
        raise MissingExtraError(
            "A PNG file needs a browser to draw it: install Chromium (Debian: apt install chromium) or Chrome, or "
            "pip install kaleido; or write HTML."
        )


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def _page(figure: Figure, title: str, lang: str, height: int | None = None) -> str:
    """Return the page. A page with a fixed *height* is for paper and has no buttons."""
    config = _CONFIG | ({"displayModeBar": False} if height else {})
    height = height or figure.layout.height
    drawn = figure.to_html(
        config=config,
        include_plotlyjs=True,
        full_html=False,
        div_id="figure",
        auto_play=False,
        default_height=f"{height}px" if height else "100vh",
    )
    templates = {scheme: palette.template(scheme) for scheme in ("light", "dark")}
    return _PAGE.substitute(
        lang=html.escape(lang), title=html.escape(title), figure=drawn, templates=json.dumps(templates)
    )


def _is_written_into(path: Path) -> bool:
    """Check for a device, a pipe or a socket, which a rename would remove."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, data: bytes) -> None:
    """Write a temporary file, then rename it, so that nobody ever sees half of the file."""
    if _is_written_into(path):
        with path.open("wb") as stream:
            stream.write(data)
        return
    path = Path(os.path.realpath(path))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        try:
            stream.write(data)
            stream.close()
            Path(stream.name).chmod(0o666 & ~_umask())
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    """Read the umask. The only way to read it is to set it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _by_kaleido(figure: Figure, width: int, height: int) -> bytes:
    try:
        return bytes(figure.to_image(format="png", width=width, height=height, scale=_SCALE))
    except (RuntimeError, ValueError) as error:  # kaleido needs a Chrome too, and looks for one in other places
        raise OperationalError(
            f"kaleido must draw the picture. It could not: {' '.join(str(error).split())}"
        ) from error


def _screenshot(browser: str, page: str, width: int, height: int) -> bytes:
    # The browser may still write to its profile after it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, picture = Path(folder, "figure.html"), Path(folder, "figure.png")
        source.write_text(page, "utf-8")
        command = [
            browser,
            *_SWITCHES,
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height + _FRAME}",
            f"--screenshot={picture}",
            source.as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # as root it works in no other way, and the page is our own
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise OperationalError(f"{browser} must draw a picture in {_SECONDS} seconds. It did not.") from error
        if done.returncode or not picture.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise OperationalError(f"{browser} must draw the picture. It ended with {done.returncode}: {said}")
        return _cut(picture, width, height)


def _cut(picture: Path, width: int, height: int) -> bytes:
    """Cut off the frame of the window, at the bottom."""
    from io import BytesIO

    from PIL import Image

    stream = BytesIO()
    with Image.open(picture) as opened:
        opened.crop((0, 0, _SCALE * width, _SCALE * height)).save(stream, "PNG", optimize=True)
    return stream.getvalue()
