"""Every command runs against a server; files of this machine are sent to it. The server is a double."""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import iris_doubles
import numpy as np
import pytest
from click.testing import CliRunner, Result
from iris_doubles import DriverCursor, Server
from PIL import Image

import meetup2025
from meetup2025 import files
from meetup2025.cli import main, upload
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import InvalidFileError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(meetup2025.__file__).parent / "samples"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """Server that the commands use; it reads no files of this machine."""
    monkeypatch.setenv("MEETUP2025_URL", "iris://fisher@server:1972/USER")
    monkeypatch.setenv("MEETUP2025_IRIS_PASSWORD", "secret")
    monkeypatch.chdir(tmp_path)
    with DuckDBConnection() as database:
        server = Server(database)
        with iris_doubles.installed(iris_doubles.driver_module(server)):
            yield server


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the texts that go to the server as parameters."""
    texts: list[str] = []
    execute = DriverCursor.execute

    def watched(self: DriverCursor, sql: str, parameters: tuple[object, ...] = ()) -> int:
        texts.extend(value for value in parameters if isinstance(value, str))
        return execute(self, sql, parameters)

    monkeypatch.setattr(DriverCursor, "execute", watched)
    return texts


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, [str(each) for each in arguments], input=stdin)


def ask(server: Server, sql: str) -> list[tuple[object, ...]]:
    """Ask the database of the server."""
    return server.database.cursor().execute(sql).fetchall()


def test_demo(server: Server) -> None:
    """The demo runs on the server that is named, and stays there."""
    done = run("demo", "--url", "iris://fisher@server")

    assert done.exit_code == 0, done.output
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(104,)]


@pytest.mark.usefixtures("server")
def test_identify_and_find() -> None:
    """A picture of this machine is named, one that is broken is told; photos are found."""
    run("load", "names")
    picture = shutil.copy(SAMPLES / "saba.png", "mine.png")
    Path("broken.png").write_bytes(b"no picture")
    done = run("identify", picture, "broken.png", "--format", "json")
    named, broken = json.loads(done.stdout)

    assert named["names"][0]["name"] == "マサバ"
    assert "JPEG" in broken["error"]
    assert done.exit_code == 1
    assert "sketch knows drawings" in done.stderr
    assert run("load", "photos", "samples").exit_code == 0
    assert "kinmedai.gif" in run("find", "赤い魚", "--format", "csv").stdout


@pytest.mark.slow
def test_pictures_are_sent_shrunk(server: Server, sent: list[str]) -> None:
    """A large picture goes as a small JPEG: the server needs no more, and a string of IRIS holds no more."""
    noise = np.random.default_rng(1).integers(0, 255, (3000, 4000, 3), np.uint8)
    Image.fromarray(noise).save("large.png")
    run("load", "names")
    assert run("identify", "large.png").exit_code == 0
    [url] = [text for text in sent if text.startswith("data:image")]
    picture = Image.open(BytesIO(base64.b64decode(url.partition(",")[2])))

    assert (picture.format, len(url) < 300_000) == ("JPEG", True)
    assert max(picture.size) <= 2 * upload.LONGEST
    assert server.level == 0


def test_empty_catalogue_of_a_server_stays_empty(server: Server) -> None:
    """A server is not filled without asking, and a pipe cannot be asked: the command that fills it is said."""
    done = run("load", "photos", "samples")

    assert done.exit_code == 0
    assert "load names with `meetup2025 load names`" in done.stderr
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(0,)]


@pytest.mark.parametrize(("answer", "names"), [("y", 100), ("n", 0)])
def test_empty_catalogue_of_a_server_is_asked_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, answer: str, names: int
) -> None:
    """On a terminal the user says whether a server without names gets the bundled ones."""
    monkeypatch.setattr(sys.modules["meetup2025.cli.options"], "has_terminal", lambda: True)
    run("load", "photos", "samples", stdin=f"{answer}\n".encode())

    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(names,)]


def test_names_are_sent(server: Server, sent: list[str]) -> None:
    """A catalogue of this machine goes whole; the bundled one has the name that it has on the server."""
    Path("mine.csv").write_text("FishID,Name\nX1,モクギョ\n", "utf-8")
    done = run("load", "names", "mine.csv")

    assert done.stdout.startswith("1 name added or changed, 1 in the catalogue")
    assert ask(server, "SELECT FishID, Name FROM MeetUp2025.Fish") == [("X1", "モクギョ")]
    assert run("load", "names").exit_code == 0
    assert sent[-2:] == ["catalogue/fish.csv", ""]


def test_templates_are_sent(server: Server, sent: list[str]) -> None:
    """A file of templates of this machine goes whole, beside a catalogue of either side; another is the server's."""
    Path("mine.csv").write_text("FishID,Name\nX1,モクギョ\n", "utf-8")
    Path("prompts.csv").write_text("Column,Template\nName,{}の絵\n", "utf-8")
    told = "SELECT %EXACT(Prompts), COUNT(*) FROM MeetUp2025.Fish GROUP BY %EXACT(Prompts)"

    assert run("load", "names", "mine.csv", "--prompts", "prompts.csv").exit_code == 0
    assert ask(server, told) == [("Name {}の絵", 1)]
    assert run("load", "names", "mine.csv", "--prompts", "catalogue/prompts.csv").exit_code == 0
    assert sent[-1] == "catalogue/prompts.csv"
    assert ask(server, told) == [("Kanji {};Name {};Name {}の写真", 1)]
    assert run("load", "names", "--prompts", "prompts.csv").stdout.startswith("100 names")


def test_error_in_a_catalogue(server: Server) -> None:
    """An error in a file tells its name and line, as if the server had read it from a disk."""
    Path("mine.csv").write_text("FishID,Name\nX1,a\nX1,b\n", "utf-8")
    done = run("load", "names", "mine.csv")

    assert done.exit_code == 3
    assert re.search(r"mine\.csv.*line 3", done.stderr)
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(0,)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with two pictures, labels, a file that is no picture, and a folder below."""
    photos = tmp_path / "photos"
    (photos / "マダコ").mkdir(parents=True)
    shutil.copy(SAMPLES / "saba.png", photos / "one.png")
    shutil.copy(SAMPLES / "madako.png", photos / "マダコ" / "two.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    (photos / "labels.csv").write_text("File,Name\none.png,鯖\n", "utf-8")
    return photos


def test_photos_are_sent(server: Server, folder: Path) -> None:
    """A folder of this machine is loaded, with its labels; a file that is no picture is told; the rest stays."""
    run("load", "names")
    done = run("load", "photos", folder)

    assert done.exit_code == 1
    assert "2 photos added or changed, 2 in the database" in done.stdout
    assert "broken.jpg" in done.stderr
    assert ask(server, "SELECT Name, Label FROM MeetUp2025.FishImage ORDER BY Name") == [
        ("one.png", "マサバ"),
        ("マダコ/two.png", "マダコ"),
    ]


def test_photos_are_sent_once(server: Server, folder: Path, sent: list[str]) -> None:
    """What the server has is not sent again; a picture or a label that changed is."""
    run("load", "photos", folder)
    sent.clear()
    assert "0 photos added" in run("load", "photos", folder).stdout
    assert [text for text in sent if text.startswith("data:image")] == []

    (folder / "labels.csv").write_text("File,Name\none.png,マダコ\n", "utf-8")
    shutil.copy(SAMPLES / "iseebi.png", folder / "マダコ" / "two.png")
    assert "2 photos added" in run("load", "photos", folder).stdout
    assert ask(server, "SELECT Label FROM MeetUp2025.FishImage WHERE Name = 'one.png'") == [("マダコ",)]


def test_broken_connection_keeps_what_was_committed(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server goes away in the middle, the photos that were committed stay, and a second run sends the rest."""
    monkeypatch.setattr(upload, "_PHOTOS_AT_ONCE", 1)
    (folder / "broken.jpg").unlink()
    send, seen = upload._Sending.send, []

    def breaking(*arguments: object) -> int:
        seen.append(arguments)
        if len(seen) == 2:
            raise meetup2025.OperationalError("<COMMUNICATION LINK ERROR>")
        return send(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(upload._Sending, "send", breaking)
    done = run("load", "photos", folder)

    assert (done.exit_code, "COMMUNICATION LINK" in done.stderr) == (3, True)
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.FishImage") == [(1,)]
    assert "1 photo added" in run("load", "photos", folder).stdout


def vector_lines(count: int) -> list[str]:
    """Give lines of vectors."""
    rng = np.random.default_rng(7)
    return [
        json.dumps({"fishid": f"V{place:04}", "fishname": f"name {place}", "embedding": rng.normal(size=512).tolist()})
        for place in range(count)
    ]


def test_vectors_are_sent_in_pieces(server: Server, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is larger than a string goes in pieces, whole lines each, in one transaction."""
    monkeypatch.setattr(files, "LARGEST_SENT", 50_000)
    Path("fish.jsonl").write_text("\n".join(vector_lines(20)), "utf-8")
    done = run("load", "vectors", "fish.jsonl", "--model-of", "clip@1")

    assert done.stdout.startswith("20 vectors added or changed, 20 in Fish"), done.output
    assert len([text for text in sent if text.startswith("data:")]) > 3
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish WHERE Model = 'clip@1'") == [(20,)]


def test_error_in_a_later_piece(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in a later piece tells the line of the file, and nothing of the file stays."""
    monkeypatch.setattr(files, "LARGEST_SENT", 50_000)
    lines = vector_lines(20)
    lines[17] = "{}"
    Path("fish.jsonl").write_text("\n".join(lines), "utf-8")
    done = run("load", "vectors", "fish.jsonl", "--model-of", "clip@1")

    assert done.exit_code == 3
    assert re.search(r"fish\.jsonl.*line 18", done.stderr), done.stderr
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(0,)]


def test_sql(server: Server) -> None:
    """Statements run on the server, each in its own transaction; a pipe may hold several."""
    done = run(
        "sql", stdin=b"INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('X1', 'a'); SELECT Name FROM MeetUp2025.Fish;"
    )

    assert (done.exit_code, server.level) == (0, 0)
    assert "1 row changed" in done.stdout
    left = run("sql", stdin=b"START TRANSACTION; DELETE FROM MeetUp2025.Fish;")
    assert (left.exit_code, "was not committed" in left.stderr) == (1, True)


@pytest.mark.usefixtures("server")
def test_models_of_the_server() -> None:
    """The models are those of the server, and so is the mark of the one in use."""
    assert json.loads(run("model", "list", "--format", "json").stdout)[0]["used"] is True


@pytest.mark.usefixtures("server")
def test_model_is_not_for_a_client_to_choose() -> None:
    """A server has the model of its administrator: --model is refused, not overlooked."""
    done = run("identify", "x.png", "--model", "sketch")

    assert (done.exit_code, "administrator" in done.output) == (2, True)


@pytest.mark.usefixtures("server")
def test_password_in_the_url_is_warned_of() -> None:
    """A password in --url can be seen by others, and the warning does not repeat it."""
    done = run("sql", "SELECT 1", "--url", "iris://fisher:geheim@server/USER")

    assert done.exit_code == 0
    assert "MEETUP2025_IRIS_PASSWORD" in done.stderr
    assert "geheim" not in done.output


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down is one line, and the exit code of an error."""
    monkeypatch.setenv("MEETUP2025_IRIS_PASSWORD", "secret")
    done = run("find", "a", "--url", "iris://fisher@127.0.0.1:1/USER?timeout=1")

    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "must answer there" in done.stderr


def test_teaching_without_rights(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not add photos is told so in one line, and nothing is added."""
    assert run("load", "names").exit_code == 0
    allowed = server.run

    def refusing(sql: str, parameters: list[Any]) -> Any:
        if "AddImage" in sql:
            raise ProgrammingError("User fisher is not privileged for the operation", sqlcode=-99)
        return allowed(sql, parameters)

    monkeypatch.setattr(server, "run", refusing)
    done = run("identify", SAMPLES / "saba.png", "--teach", "サバ")

    assert done.exit_code == 3
    assert done.stderr.startswith("meetup2025: User fisher is not privileged for the operation")
    assert done.stderr.count("\n") == 1
    assert ask(server, "SELECT COUNT(*) FROM MeetUp2025.FishImage") == [(0,)]


def test_large_file_is_refused_unread(tmp_path):
    """A file of 10 GB that would be sent whole is refused after the bytes that may be sent, and a long line is cut."""
    path = tmp_path / "prompts.csv"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)

    with pytest.raises(InvalidFileError, match=r"at most 2\.5 MB\. Got prompts\.csv, which has more"):
        upload.whole(path)
    assert len(next(upload._pieces(path))) < 4_000_000
