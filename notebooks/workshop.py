"""
What the notebooks share: answers as tables, drawings to be named, a map that answers to clicks.
"""

from __future__ import annotations

import html
import io
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from meetup2025 import client, images
from meetup2025.cli import upload
from meetup2025.errors import InvalidFileError, UnreadableImageError
from meetup2025.loading import folders

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from sketch.draw import SEEDS, draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from IPython.display import HTML
    from ipywidgets import VBox
    from plotly.graph_objects import Figure

    from meetup2025.engines import Connection

SPECIES = (
    *("マアジ", "マサバ", "マイワシ", "サンマ", "クロマグロ", "カツオ", "マダイ", "イシダイ", "キンメダイ", "ヒラメ"),
    *("カレイ", "トラフグ", "マンボウ", "タチウオ", "ウツボ", "タツノオトシゴ", "ミノカサゴ", "ジンベエザメ", "マダコ"),
    *("アオリイカ", "ボタンエビ", "イセエビ", "ズワイガニ", "ミズクラゲ"),
)
"""What is drawn for the notebooks."""

STRAYS = ("モクギョ", "タイヤキ", "コイノボリ", "カマボコ")
"""What looks like a fish and is none: a wooden gong, a cake, a streamer, a fish paste."""

_SHOWN = 20
_LONGEST = 60
_FIRST = SEEDS["test"][600_000]
"""Of the drawings that trained no model."""


class Answer(list[tuple[Any, ...]]):
    """Rows of an answer, which a notebook shows as a table."""

    columns: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(column)}</th>" for column in self.columns)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in self[:_SHOWN])
        more = f"<p>… {len(self)} rows</p>" if len(self) > _SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'<td style="text-align: left">{html.escape(short)}</td>'


def ask(connection: Connection, sql: str, *values: Any) -> Answer:
    """Run a statement, keep what it changed, and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        answer = Answer(cursor.fetchall() if cursor.description else [])
        answer.columns = tuple(column[0] for column in cursor.description or ())
    connection.commit()
    return answer


class Picture(NamedTuple):
    """A picture: the name of its file, a data URL, and what it shows, where that is known."""

    file: str
    url: str
    label: str


def drawings(names: Iterable[str] = SPECIES, each: int = 8) -> list[Picture]:
    """Draw each name some times, in poses, colours and light of its own; the same pictures each time."""
    return [
        Picture(f"ws/{name}-{number + 1}", _drawing(name, number), "" if name in STRAYS else name)
        for name in tqdm(names, "drawing", disable=None)
        for number in range(each)
    ]


def _drawing(name: str, number: int) -> str:
    stream = io.BytesIO()
    draw(name, _FIRST + number, size=224).save(stream, "JPEG", quality=85)
    return upload.picture(stream.getvalue())


def photos(folder: str) -> list[Picture]:
    """Take the photos of a folder, labelled as `meetup2025 load photos` does; print what is no readable picture."""
    files, left_out = folders.photo_files(Path(folder).expanduser(), lambda path: path.open("rb"))
    read = [_read(file) for file in tqdm(files, "reading", disable=None)]
    for each in [*left_out, *(each for each in read if isinstance(each, folders.Skipped))]:
        print(f"{each.name}: {each.reason}")
    found = [each for each in read if isinstance(each, Picture)]
    if not found:
        raise InvalidFileError(
            f"A folder of photos must have one that can be read. Got none in {Path(folder).resolve()}."
        )
    return found


def _read(file: folders.PhotoFile) -> Picture | folders.Skipped:
    """Read a photo, or tell what is wrong with it."""
    try:
        url = upload.picture(file.path)
        images.open_picture(url)  # whole, not its header alone
    except UnreadableImageError as error:
        return folders.Skipped(file.name, str(error))
    return Picture(file.name, url, file.label)


def prepare(connection: Connection, pictures: Iterable[Picture]) -> None:
    """Load the catalogue and pictures; what is there already stays as it is."""
    ask(connection, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
    for picture in tqdm(pictures, "loading", disable=None):
        ask(connection, "SELECT MeetUp2025.AddImage(?, ?, ?)", *picture)


def named(connection: Connection, pictures: Iterable[Picture]) -> list[dict[str, Any]]:
    """Name pictures, for `figures.identified`."""
    sql = "CALL MeetUp2025.Identify(?, 3)"
    return [
        {"picture": each.file, "thumbnail": each.url, "names": client.records(connection, sql, [each.url])}
        for each in pictures
    ]


def gallery(pictures: Iterable[Picture], captions: Iterable[str] = ()) -> HTML:
    """Show pictures in rows, each above its caption, or its label."""
    from IPython.display import HTML

    shown = itertools.zip_longest(pictures, captions)
    return HTML("".join(_figure(picture, picture.label if said is None else said) for picture, said in shown))


def _figure(picture: Picture, caption: str) -> str:
    image = f'<img src="{picture.url}" alt="" style="height: 110px">'
    return (
        '<figure style="display: inline-block; margin: 4px; text-align: center">'
        f"{image}<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def clickable(connection: Connection, figure: Figure, run: int) -> VBox:
    """Make a map of `figures.map` answer to clicks: below it stands what is near the point, by SQL."""
    from ipywidgets import HTML, VBox
    from plotly.graph_objects import FigureWidget

    cloud, told = FigureWidget(figure), HTML()
    for trace in cloud.data:
        trace.on_click(lambda trace, points, _: _tell(connection, run, trace, points.point_inds, told))
    return VBox([cloud, told])


def _tell(connection: Connection, run: int, trace: Any, clicked: Sequence[int], told: Any) -> None:
    for number in clicked:
        place = [float(getattr(trace, axis)[number]) for axis in "xyz" if axis in trace]
        sql = "SELECT Source, Name, Label, Distance FROM MeetUp2025.NearestOnMap(?, ?, ?, ?, 6)"
        near = ask(connection, sql, run, *place, *[0.0] * (3 - len(place)))
        small = client.thumbnails(connection, [(source, name) for source, name, *_ in near])
        pictures = [Picture(name, url, name) for (_, name, *_), url in zip(near, small, strict=True) if url]
        told.value = gallery(pictures).data + near._repr_html_()
