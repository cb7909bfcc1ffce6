"""
The rows behind the pages. Each function asks a database, and returns the rows with the SQL that found them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from meetup2025 import client, images
from meetup2025.embedding.confidence import Ranking, confidence, knows_only_drawings
from meetup2025.errors import DataError, shown as shown_value
from meetup2025.web import files, live, reading, statements
from meetup2025.web.answer import Answer
from meetup2025.web.statements import rows, script, shown, value
from meetup2025.web.view import Colour, View, colour_of, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL.Image import Image

    from meetup2025.engines import Connection
    from meetup2025.web.jobs import Jobs
    from meetup2025.web.request import WebRequest

_NAMES = 5
"""Names that a picture gets."""

_LONGEST, _SMALL = 512, 100_000
"""Most pixels (a side) and bytes of a picture in a statement: models see no more, and a person can still copy it."""

_VIEW = 384
"""Pixels of the longest side of a view, by which a naming is judged."""

_POINTS = 50_000
"""Most points of a map on a page: of more points a random part takes 3 seconds less to come."""

_LISTED, _FOUND, _CHANGED = 100, 20, 2000
"""Items of a list, photos for a text, and most items that are changed at once."""

_BARS = 10
"""Most colours whose values are counted or kept at once."""

_MOVED = 30
"""Items in the list of the largest moves."""

_OPENING = threading.Semaphore(2)
"""Held while a picture is opened, which may take half a gigabyte of memory."""

_WRITING = threading.Lock()
"""Held while rows are written: DuckDB refuses two changes of the same rows at once."""


def identify(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Name the fish in the sent picture."""
    return _named(connection, _picture(request))


def sample(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Name the fish in a sample picture of the package."""
    name = request.text("name")
    if name not in files.samples():
        raise DataError(f"name must be one of {', '.join(files.samples())}. Got {name!r}.")
    return _named(connection, f"samples/{name}")


def _named(connection: Connection, picture: str) -> dict[str, Any]:
    """Name a picture by one embedding of it. The shown statements have the same answer."""
    vector = _of_picture(connection, statements.VECTOR, picture)
    names = rows(connection, statements.NAMES, vector, _NAMES)
    is_fitted = any(each["sure"] is not None for each in names)
    groups = rows(connection, statements.GROUPS_OF, vector) if is_fitted else []
    models = rows(connection, statements.MODELS)
    model = str(models[0]["model"] or "") if models else ""
    used = [shown(statements.IDENTIFY, picture, _NAMES)]
    used += [shown(statements.IDENTIFY_GROUP, picture)] if is_fitted else []
    return {
        "names": names,
        "model": model,
        "answer": groups[0] if groups else None,
        "verdict": _verdict(groups) or _by_drawings(connection, names, model, picture),
        "only_drawings": knows_only_drawings(model),
        "sql": script(used),
    }


def _verdict(groups: Sequence[dict[str, Any]]) -> str:
    """Return the key of the text that says how sure the answer is. It is empty where no photos tell it."""
    if not groups or groups[0]["sure"] is None:
        return ""
    if not groups[0]["sure"]:
        return "not_sure"
    words = {"species": "sure_species", "none": "none_of_these"}
    return words.get(groups[0]["kind"], "sure_group" if groups[0]["english"] else "sure_taxon")


def _by_drawings(connection: Connection, names: list[dict[str, Any]], model: str, picture: str) -> str:
    """Return how sure the nearest name is by what was measured of the model alone, where photos have no say."""
    if any(each["photos"] for each in names):
        return "unfitted"
    ranking = [(each["name"], each["score"]) for each in names]
    return confidence(ranking, model, lambda: _opened(picture), lambda view: _ranking(connection, view))


def _opened(picture: str) -> Image:
    with _OPENING:
        opened = images.open_picture(picture, longest=_LONGEST)
    opened.thumbnail((_VIEW, _VIEW))
    return opened


def _ranking(connection: Connection, view: Image) -> Ranking:
    """Name a view of a picture."""
    stream = BytesIO()
    view.save(stream, "PNG", compress_level=1)
    url = images.to_data_url(stream.getvalue(), longest=_LONGEST)
    return [(each["name"], each["score"]) for each in rows(connection, statements.IDENTIFY, url, 2)]


def add(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Add the sent picture to the photos, with a name of the catalogue or a word of the user."""
    label = request.text("label", longest=100).strip()
    if not label:
        raise DataError("A label must have a visible character. Got none.")
    with _WRITING:
        changed, name, used = _added(connection, request, label)
        stored = value(connection, statements.LABEL_OF, name)
        connection.commit()
    return {"changed": changed, "name": name, "label": stored, "sql": used}


def none(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Add the sent picture to the photos, and mark it as none of the labels."""
    with _WRITING:
        _, name, used = _added(connection, request, "")
        marked = value(connection, statements.NONE_MARKED, name)
        if not marked:
            statements.run(connection, statements.MARK_NONE, name)
        connection.commit()
    return {"changed": int(not marked), "name": name, "sql": script([used, shown(statements.MARK_NONE, name)])}


def _added(connection: Connection, request: WebRequest, label: str) -> tuple[int, str, str]:
    """Add the sent picture. Return whether its row has changed, its name, and the statement."""
    data = request.body()
    given = f"web-{hashlib.sha256(data).hexdigest()[:16]}", _statement_picture(data), label
    return _of_picture(connection, statements.ADD, *given), given[0], shown(statements.ADD, *given)


def read(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Run the sent statements, which must only read."""
    return {"answers": reading.answers(connection, request.body().decode("utf-8", "replace"))}


def change(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """
    Label photos, or mark items as odd. Return what was there before, with which the same request undoes it.

    The request is JSON: `what` is `label` or `odd`, `items` has a source, a key and a value for each item. An empty
    value takes a label or a mark away.
    """
    what, wanted = _changes(request)
    one = {"label": _label, "odd": _mark}[what]
    with _WRITING:
        changed = [one(connection, *each) for each in wanted]
        connection.commit()
    return {"before": [old for old, _ in changed], "sql": script([sql for _, sql in changed])}


def _changes(request: WebRequest) -> tuple[str, list[tuple[str, str, Any]]]:
    try:
        sent = json.loads(request.body())
        wanted = [(str(source), str(item), new) for source, item, new in sent["items"]]
        what = str(sent["what"])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError("A change must be JSON with what and items, each [source, key, value]. Got another.") from error
    if what not in {"label", "odd"} or not 1 <= len(wanted) <= _CHANGED:
        got = f"{shown_value(what)}, {len(wanted)}"
        raise DataError(f"what must be label or odd, with 1 to {_CHANGED} items. Got {got}.")
    return what, wanted


def _label(connection: Connection, source: str, item: str, label: Any) -> tuple[list[Any], str]:
    if source != "FishImage":
        raise DataError(f"What gets a label must be a photo. Got an item of {shown_value(source)}.")
    known = rows(connection, statements.LABEL_OF, item)
    new = str(label or "")
    value(connection, statements.LABEL, item, new)
    return [source, item, known[0]["label"] if known else None], shown(statements.LABEL, item, new)


def _mark(connection: Connection, source: str, item: str, odd: Any) -> tuple[list[Any], str]:
    known = rows(connection, statements.MARKED, source, item)
    statements.run(connection, statements.UNMARK, source, item)
    used = [shown(statements.UNMARK, source, item)]
    if odd is not None:
        statements.run(connection, statements.MARK, source, item, int(bool(odd)))
        used.append(shown(statements.MARK, source, item, int(bool(odd))))
    return [source, item, known[0]["odd"] if known else None], script(used)


def runs(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """List the runs, newest first."""
    most = request.whole("k", default=1000)
    return {"runs": rows(connection, statements.RUNS, most), "sql": shown(statements.RUNS, most)}


def run(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the metrics of a run, and whether its source has changed since."""
    number = request.whole("run")
    return {
        "metrics": rows(connection, statements.METRICS, number),
        "changed": bool(value(connection, statements.CHANGED, number)),
        "sql": shown(statements.METRICS, number),
    }


def points(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the points of a map, a column at a time. Of a map that is too large, a random part of it."""
    run = request.whole("run")
    found = client.rows(connection, statements.MAP, (run, _POINTS))
    source, item, name, label, *axes = zip(*found, strict=True) if found else ((),) * 6
    places = {axis: [*map(_short, column)] for axis, column in zip("xyz", axes, strict=False) if None not in column}
    [total] = View(run).total().rows(connection)
    return {
        "columns": {"source": _coded(source), "label": _coded(label), "item": item, "name": name, **places},
        "total": total["items"],
        "sql": shown(statements.MAP, run, _POINTS),
    }


def _short(number: float) -> float:
    """Return a coordinate with 5 digits: a screen has fewer pixels."""
    return float(f"{number:.5g}")


def _coded(values: Sequence[Any]) -> dict[str, Any]:
    """Return each different value once, and for each row the place of its value."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return {"values": [*places], "places": [places[value] for value in values]}


def colours(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the columns of a source that may colour its maps, with their keys in a link."""
    found = rows(connection, statements.COLUMNS, request.text("source"))
    return {"columns": [{"key": key_of(row), "name": row["columnname"], "of": row["source"]} for row in found]}


def coloured(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the value of a colour for each point of a map: what is counted, the numbers of a scale, or both."""
    view = View(request.whole("run"), colour_of(connection, request.text("colour")))
    by_item = {(row["source"], row["item"]): row for row in view.colouring(_POINTS).rows(connection)}
    columns = {name: [row[name] for row in by_item.values() if name in row] for name in ("value", "score")}
    kind, _, number = view.colour.key.partition(":")
    groups = rows(connection, statements.GROUPS, int(number)) if kind == "Clusters" else []
    return {
        "values": _coded(columns["value"]) if columns["value"] else None,
        "numbers": columns["score"] or None,
        "names": {row["cluster"]: row["name"] or "" for row in groups},
    }


def items(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return what is shown of a map: its first items, how many there are, and how many of each value of the colours."""
    view = _view(connection, request)
    found = view.listing(request.whole("k", most=2000, default=_LISTED)).rows(connection)
    runs_of = {name: request.whole(name, least=0, default=0) for name in ("outliers", "duplicates")}
    [total] = view.total(**runs_of).rows(connection)
    bars = [view.colour, *(colour_of(connection, key) for key in request.texts("by", most=_BARS))]
    return {
        "items": _seen(connection, found),
        "total": total["items"],
        "about": {name: int(total[name] or 0) for name in ("unnamed", "odd", "copies") if name in total},
        "counts": {colour.key: view.counts(connection, colour) for colour in bars},
        "sql": str(view.listing()),
    }


def table(connection: Connection, request: WebRequest) -> Answer:
    """Return all of what is shown of a map as a CSV file."""
    listing = _view(connection, request).listing()
    text = StringIO(newline="")
    writer = csv.writer(text)
    with connection.cursor() as cursor:
        cursor.execute(listing.sql, listing.given)
        writer.writerow([str(column[0]).lower() for column in cursor.description or ()])
        writer.writerows([*map(_plain_cell, row)] for row in cursor.fetchall())
    return _file(text.getvalue().encode("utf-8-sig"), "items.csv", "text/csv; charset=utf-8")


def parquet(connection: Connection, request: WebRequest) -> Answer:
    """Return all of what is shown of a map as a Parquet file."""
    listing = _view(connection, request).listing()
    from meetup2025.engines.exchange import file_of

    with connection.cursor() as cursor:
        cursor.execute(listing.sql, listing.given)
        columns = {name.lower(): column for name, column in cursor.fetchnumpy().items()}
    return _file(file_of(columns, "parquet"), "items.parquet", "application/vnd.apache.parquet")


def _file(data: bytes, name: str, kind: str) -> Answer:
    return Answer(data, kind, headers=(("Content-Disposition", f'attachment; filename="{name}"'),))


def _plain_cell(value: Any) -> Any:
    """Return a value for a spreadsheet: a text that begins as a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _view(connection: Connection, request: WebRequest) -> View:
    region = request.text("region", longest=4000)
    kept = tuple(_kept(connection, each) for each in request.texts("keep", most=_BARS, longest=500))
    colour = colour_of(connection, request.text("colour"))
    return View(request.whole("run"), colour, region, request.text("find"), kept)


def _kept(connection: Connection, given: str) -> tuple[Colour, str]:
    try:
        key, value = json.loads(given)
    except (ValueError, TypeError) as error:
        raise DataError(f"keep must be a JSON array of a colour and a value. Got {shown_value(given)}.") from error
    return colour_of(connection, str(key)), str(value)


def save(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Save what is shown of a map under a name, as a run of Selection, with the link that shows it."""
    view = _view(connection, request)
    listing = view.listing()
    found = client.rows(connection, listing.sql, listing.given)
    keys = json.dumps([row[:2] for row in found], ensure_ascii=False, separators=(",", ":"))
    given = view.run, request.text("name"), keys, request.text("link", longest=3000)
    with _WRITING:
        number = value(connection, statements.SAVE, *given)
        connection.commit()
    return {"run": number, "sql": shown(statements.SELECTED, number)}


def saved(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """List the saved selections, newest first."""
    found = rows(connection, statements.SAVED, request.whole("k", default=_LISTED))
    kept = [{**row, **_parameters(row.pop("parameters"))} for row in found]
    return {"saved": kept, "sql": shown(statements.SAVED, _LISTED)}


def forget(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Delete a saved selection."""
    number = request.whole("run")
    if number not in [row["run"] for row in rows(connection, statements.SAVED, client.ALL)]:
        raise DataError(f"What is deleted here must be a saved selection. Got run {number}.")
    with _WRITING:
        value(connection, statements.DELETE, number)
        connection.commit()
    return {"run": number}


def _parameters(text: str) -> dict[str, Any]:
    given = json.loads(text)
    return {name: given.get(name, "") for name in ("name", "of", "link")}


def near(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the items whose vectors are nearest to that of an item of a map, with their pictures."""
    given = *map(request.text, ("source", "item")), request.whole("k", most=30, default=5), request.text("within")
    found = _seen(connection, rows(connection, statements.LIKE, *given))
    own = _seen(connection, [{"source": given[0], "item": given[1]}])
    return {"near": found, "picture": own[0]["picture"], "sql": shown(statements.LIKE, *given)}


def place(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the place of the sent picture on a map, and the items that are nearest to it."""
    number, picture = request.whole("run"), _picture(request)
    found = [float(each) for each in str(_of_picture(connection, statements.PLACE, number, picture)).split(",")]
    others, used = _near_picture(connection, request.text("within"), picture, (number, *[*found, 0.0][:3], _NAMES))
    return {"place": found, "near": others, "sql": script([shown(statements.PLACE, number, picture), *used])}


def _near_picture(
    connection: Connection, source: str, picture: str, place: Sequence[float]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the names and photos nearest to a picture by vector. On other maps, the items near its place."""
    if source not in {"Fish", "FishImage", "Both"}:
        return rows(connection, statements.NEAR, *place), [shown(statements.NEAR, *place)]
    vector = value(connection, statements.EMBED, picture)
    names = rows(connection, statements.NEAR_NAMES, vector, _NAMES) if source != "FishImage" else []
    photos = rows(connection, statements.NEAR_PHOTOS, vector, _NAMES) if source != "Fish" else []
    nearest = sorted([*names, *photos], key=lambda row: -float(row["score"]))[:_NAMES]
    used = [statements.IDENTIFY] * bool(names) + [statements.SIMILAR] * bool(photos)
    return _seen(connection, nearest), [shown(sql, picture, _NAMES) for sql in used]


def find(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Find photos for a text, with their thumbnails."""
    given = request.text("find"), request.whole("k", most=100, default=_FOUND)
    found = [{"source": "FishImage", "item": row["name"], **row} for row in rows(connection, statements.FIND, *given)]
    return {"found": _seen(connection, found), "sql": shown(statements.FIND, *given)}


def pictures(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the thumbnails of photos, in the order of their names."""
    names = request.texts("item", most=100)
    return {"pictures": client.thumbnails(connection, [("FishImage", name) for name in names])}


def _seen(connection: Connection, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return items with the thumbnails of those that are photos."""
    seen = client.thumbnails(connection, [(row["source"], row["item"]) for row in found])
    return [{**row, "picture": picture} for row, picture in zip(found, seen, strict=True)]


def sources(connection: Connection, request: WebRequest) -> dict[str, Any]:  # noqa: ARG001 - as all answers
    """Return what can be made from a page, and of which sources."""
    filled = sorted(row["source"] for row in rows(connection, statements.SOURCES))
    both = ["Both"] if len(filled) > 1 else []
    registered = [row["source"] for row in rows(connection, statements.REGISTERED)]
    return {"kinds": [*statements.MADE], "sources": [*both, *filled, *registered]}


def compare(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Compare two runs. Return the number of the run that has their differences."""
    given = request.whole("run"), request.whole("other")
    with _WRITING:
        number = value(connection, statements.COMPARE, *given)
        connection.commit()
    return {"run": number, "sql": shown(statements.COMPARE, *given)}


def changes(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the differences of two runs, and the items that moved most."""
    number = request.whole("run")
    used = shown(statements.METRICS, number), shown(statements.CHANGES, number, _MOVED)
    return {
        "metrics": rows(connection, statements.METRICS, number),
        "moved": rows(connection, statements.CHANGES, number, _MOVED),
        "sql": script(used),
    }


def sightings(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the newest sightings, how many there are of each day and name, and whether there is any at all."""
    view = _live_view(request)
    listing, counts = view.listing(request.whole("k", most=2000, default=_LISTED)), view.counts()
    return {
        "sightings": listing.rows(connection),
        "counts": counts.rows(connection),
        "any": bool(value(connection, live.ANY)),
        "sources": sorted(row["source"] for row in rows(connection, live.SOURCES)),
        "sql": script([str(listing), str(counts)]),
    }


def _live_view(request: WebRequest) -> live.Sightings:
    sure, days = request.text("sure"), request.whole("days", least=0, most=36500, default=0)
    if sure and sure not in live.SURE:
        raise DataError(f"sure must be one of {', '.join(live.SURE)}. Got {shown_value(sure)}.")
    first = datetime.now().astimezone() - timedelta(days=days - 1)
    since = f"{first:%Y-%m-%d}" if days else live.ALWAYS
    return live.Sightings(since, request.text("find"), sure, request.text("source", longest=500))


def glimpses(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Return the small pictures of sightings, by number. A file that is no picture has none."""
    wanted = request.texts("sighting", most=100)
    if not wanted or not all(each.isascii() and each.isdecimal() and len(each) < 10 for each in wanted):
        raise DataError(f"sighting must be the number of a sighting. Got {shown_value(wanted)}.")
    found = live.pictures([*map(int, wanted)]).rows(connection)
    return {"pictures": {row["sighting"]: row["picture"] for row in found}}


def correct(connection: Connection, request: WebRequest) -> dict[str, Any]:
    """Set the right name of a sighting, and teach it. An empty name takes that back."""
    number, label = request.whole("sighting"), request.text("label", longest=100).strip()
    with _WRITING:
        known = rows(connection, live.BEFORE, number)
        if not known:
            raise DataError(f"A sighting must be a number of MeetUp2025.Sightings. Got {number}.")
        before = known[0]["label"]
        used = _corrected(connection, number, label) if label else _forgotten(connection, number, known[0])
        [now] = rows(connection, live.BEFORE, number)
        connection.commit()
    return {"before": before or "", "label": now["label"] or "", "sql": script(used)}


def _corrected(connection: Connection, number: int, label: str) -> list[str]:
    value(connection, live.CORRECT, number, label)
    return [shown(live.CORRECT, number, label)]


def _forgotten(connection: Connection, number: int, known: dict[str, Any]) -> list[str]:
    """Take the correction of a sighting back, with the photo that taught it."""
    if not known["label"]:
        return []
    photo = f"sighting-{known['hash'][:16]}"
    value(connection, live.UNLEARN, photo)
    changes = [(live.FORGET, number), (live.HIDE, photo), (live.REMOVE, photo)]
    for change_ in changes:
        statements.run(connection, *change_)
    return [shown(live.UNLEARN, photo), *(shown(*each) for each in changes)]


ANSWERS: Mapping[str, tuple[str, Callable[[Connection, WebRequest], dict[str, Any] | Answer]]] = {
    "/api/identify": ("POST", identify),
    "/api/sample": ("GET", sample),
    "/api/add": ("POST", add),
    "/api/none": ("POST", none),
    "/api/change": ("POST", change),
    "/api/sql": ("POST", read),
    "/api/runs": ("GET", runs),
    "/api/run": ("GET", run),
    "/api/map": ("GET", points),
    "/api/colours": ("GET", colours),
    "/api/colour": ("GET", coloured),
    "/api/items": ("GET", items),
    "/api/items.csv": ("GET", table),
    "/api/items.parquet": ("GET", parquet),
    "/api/save": ("POST", save),
    "/api/saved": ("GET", saved),
    "/api/forget": ("POST", forget),
    "/api/sources": ("GET", sources),
    "/api/near": ("GET", near),
    "/api/find": ("GET", find),
    "/api/pictures": ("GET", pictures),
    "/api/place": ("POST", place),
    "/api/compare": ("POST", compare),
    "/api/changes": ("GET", changes),
    "/api/sightings": ("GET", sightings),
    "/api/glimpses": ("GET", glimpses),
    "/api/correct": ("POST", correct),
}
"""Method of HTTP and function for each path."""

WRITERS = (add, none, change, correct)
"""What is allowed only where users may add photos."""


def fit(jobs: Jobs, request: WebRequest) -> dict[str, Any]:
    """Begin to make a map, groups or outliers."""
    kind = request.text("kind")
    if kind not in statements.MADE:
        raise DataError(f"kind must be one of {', '.join(statements.MADE)}. Got {shown_value(kind)}.")
    return jobs.start(kind, request.text("source")).shown()


def listed_jobs(jobs: Jobs, request: WebRequest) -> dict[str, Any]:  # noqa: ARG001 - as all answers
    """Return what is being made, newest first."""
    return {"jobs": [job.shown() for job in jobs.listed()]}


def cancel(jobs: Jobs, request: WebRequest) -> dict[str, Any]:
    """Cancel what is being made."""
    return jobs.cancel(request.whole("job")).shown()


MAKING: Mapping[str, tuple[str, Callable[[Jobs, WebRequest], dict[str, Any]]]] = {
    "/api/fit": ("POST", fit),
    "/api/jobs": ("GET", listed_jobs),
    "/api/cancel": ("POST", cancel),
}
"""Method of HTTP and function for each path of the jobs."""


def _picture(request: WebRequest) -> str:
    return _statement_picture(request.body())


def _of_picture(connection: Connection, statement: str, *given: Any) -> Any:
    """Return the value of a statement that opens a picture. A small file may have many pixels."""
    with _OPENING:
        return value(connection, statement, *given)


def _statement_picture(data: bytes) -> str:
    with _OPENING:
        return images.to_data_url(data, longest=_LONGEST, limit=_SMALL)
