"""The command line does what its help says, on real files and a real database."""

from __future__ import annotations

import csv
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from servers import until

import meetup2025
from meetup2025 import settings
from meetup2025.cli import main, shell, verdict
from meetup2025.engines.classes.catalog import catalog_lines

COMMAND = [sys.executable, "-c", "from meetup2025.cli import main; main(prog_name='meetup2025')"]
"""The program as a user starts it, whether it is installed or not."""

SAMPLES = Path(meetup2025.__file__).parent / "samples"
PHOTOS = [path for path in SAMPLES.glob("*") if path.suffix != ".csv"]
HOSTILE = "'); DROP TABLE MeetUp2025.Fish; --"
NAMES = "SELECT COUNT(*) FROM MeetUp2025.Fish"
DRAWINGS_ONLY = "meetup2025: the model sketch knows drawings: do not trust it with photographs"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The test's own folder, with its database."""
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'fish.duckdb'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def full(home, _bundled_file):
    """The test's own database, with the bundled names and sample photos in it."""
    shutil.copy(_bundled_file, home / "fish.duckdb")
    return home


def run(*arguments, stdin=None):
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], input=stdin)


def program(*arguments, **options):
    """Start the program as a user does."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False, **options)


def rows(sql):
    """Ask the database of the test."""
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def value(sql):
    """Ask the database of the test for one value."""
    return rows(sql)[0][0]


def read_csv(text):
    """Read rows back."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def commands(group=main, path=()):
    """Give each command with its path, the groups too."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


# --- help, versions, wrong usage ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_help_has_an_example(path):
    """The help of each command has an example that begins with the command itself."""
    result = run(*path, "--help")

    assert result.exit_code == 0
    assert f"Example:\n    {' '.join(('meetup2025', *path))}" in result.stdout


def test_help_tells_the_exit_codes():
    """The main help says what each exit code means."""
    codes = run("--help").stdout.partition("Exit codes:")[2].split("Example:")[0].split()

    assert {"0", "1", "2", "3", "130"} <= set(codes)


@pytest.mark.parametrize(
    "path", [path for path, command in commands() if not hasattr(command, "commands")], ids=" ".join
)
def test_each_command_has_the_common_options(path):
    """Database, model, form and debugging can be said of each command, after its name."""
    text = run(*path, "--help").stdout

    assert all(option in text for option in ("--url", "--model", "--format", "--debug"))


def test_version():
    """The version is that of the package."""
    assert f"meetup2025, version {meetup2025.__version__}\n" == run("--version").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("identify",),
        ("find",),
        ("nonsense",),
        ("load",),
        ("load", "photos"),
        ("load", "photos", "absent"),
        ("load", "photos", __file__),
        ("load", "names", "absent.csv"),
        ("load", "names", "."),
        ("load", "names", "--prompts", "absent.csv"),
        ("load", "vectors", "absent.jsonl"),
        ("load", "vectors", "x", "--table", "SkippedImage"),
        ("sql", "SELECT 1", "--format", "xml"),
        *[(command, "x", "-k", k) for command in ("identify", "find") for k in ("0", "-1", "three", "1.5")],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments):
    """What is written wrongly is told on standard error, before any database is made."""
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr
    assert not Path("fish.duckdb").exists()


def test_help_is_light():
    """The help needs click alone: nothing that opens pictures, databases, prompts or models."""
    heavy = {"PIL", "duckdb", "numpy", "onnxruntime", "prompt_toolkit", "sqlglot", "tokenizers", "tree_sitter", "tqdm"}
    script = f"import sys, meetup2025.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert result.stdout == "[]\n"


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("sql", "SELEC 1"),
        ("sql", "SELECT * FROM MeetUp2025.Nothing"),
        ("sql", "SELECT MeetUp2025.EmbedImage('/etc/hostname')"),
        ("sql", "SELECT 1", "--url", "oracle://x"),
        ("load", "names", "--model", "absent-model"),
    ],
    ids=" ".join,
)
def test_error_is_one_line_and_exit_code_3(arguments):
    """An error is one line on standard error, and nothing on standard output."""
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("meetup2025: ")
    assert result.stderr.count("\n") == 1


def test_debug_shows_where_an_error_comes_from():
    """With --debug the traceback is there, before the command or after it."""
    for arguments in (("--debug", "sql", "SELEC"), ("sql", "SELEC", "--debug")):
        result = run(*arguments)

        assert result.exit_code == 3
        assert "Traceback" in result.stderr
        assert "SQLSyntaxError" in result.stderr


def test_database_in_use_is_one_line():
    """A database that another process has is an error, told in one line."""
    with meetup2025.connect():
        result = program("sql", NAMES, "--wait", 0, text=True)

    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (3, "", 1)


def test_options_leave_no_trace(home):
    """A model and a folder of one run are not in the environment afterwards."""
    (home / "names.csv").write_text("FishID,Name\nT1,テスト\n", "utf-8")
    run("load", "names", "names.csv", "--model", "absent-model")

    assert {"MEETUP2025_MODEL", "MEETUP2025_PHOTOS"}.isdisjoint(os.environ)
    assert settings.photo_folders() == []


# --- sql ----------------------------------------------------------------------------------------------------


def test_sql_prints_rows_in_each_format():
    """One statement gives a table, an array of objects, or lines with a header."""
    statement = "SELECT 'マアジ' AS Name, 2 AS N"

    assert run("sql", statement).stdout == "Name    N\n──────  ─\nマアジ  2\n"
    assert json.loads(run("sql", statement, "--format", "json").stdout) == [{"Name": "マアジ", "N": 2}]
    assert read_csv(run("--format", "csv", "sql", statement).stdout) == [{"Name": "マアジ", "N": "2"}]


def test_sql_commits():
    """What a statement changes is there in the next run, and the number of rows is told."""
    insert = "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('T1', 'テスト')"

    assert run("sql", insert).stdout == "1 row changed\n"
    assert value(NAMES) == 1
    assert json.loads(run("sql", "DELETE FROM MeetUp2025.Fish", "--format", "json").stdout) == {"changed": 1}
    assert value(NAMES) == 0


@pytest.mark.parametrize("arguments", [("sql",), ("sql", "-")], ids=" ".join)
def test_sql_reads_statements_from_a_pipe(arguments):
    """Statements end with semicolons; those within texts and comments are text."""
    script = "SELECT 'a;\nb' AS A; -- not; here\nSELECT 2 AS B;\n\nSELECT 3 AS C -- the last one needs none\n"
    result = run(*arguments, "--format", "csv", stdin=script)

    assert (result.exit_code, result.stdout) == (0, 'A\n"a;\nb"\nB\n2\nC\n3\n')


@pytest.mark.parametrize("script", ["", "\n ;; \n", "-- nothing\n"])
def test_sql_with_nothing_to_do_does_nothing(script):
    """No statement is no error."""
    result = run("sql", stdin=script)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_sql_stops_at_the_first_error():
    """Statements before an error stay, those after it do not run."""
    row = "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('{0}', '{0}');\n"
    result = run("sql", stdin=row.format("T1") + "SELEC;\n" + row.format("T2"))

    assert result.exit_code == 3
    assert value("SELECT MAX(Name) FROM MeetUp2025.Fish") == "T1"


def test_sql_takes_back_a_transaction_that_fails():
    """A transaction of several statements is all or nothing."""
    script = "START TRANSACTION;\nINSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('T1', 'a');\nSELEC;\nCOMMIT;"

    assert run("sql", stdin=script).exit_code == 3
    assert value(NAMES) == 0


def test_sql_catalog_prints_the_surface():
    """--catalog lists each table, function, query and procedure with a line about it, and needs no database."""
    result = run("sql", "--catalog")

    assert catalog_lines() == result.stdout.splitlines()
    assert not Path("fish.duckdb").exists()


def test_catalog_has_what_the_classes_declare():
    """Tables have columns, routines have arguments with types and defaults; a documentation line follows each."""
    lines = catalog_lines()

    assert "      - FishID VARCHAR(10) NOT NULL   Key of the catalogue, for example F001." in lines
    assert "  MeetUp2025.Identify(image VARCHAR(3600000), k INTEGER = 3)" in lines
    assert "  MeetUp2025.EmbedText(text VARCHAR(1000)) -> VARCHAR(32000)" in lines
    assert any(line.endswith("k INTEGER = 3) -> Name, Label, Score") for line in lines)


@pytest.mark.usefixtures("full")
def test_broken_pipe_is_quiet():
    """A reader that stops early, such as head, leaves no message."""
    statement = "SELECT a.OtherNames, b.OtherNames FROM MeetUp2025.Fish a, MeetUp2025.Fish b"
    command = [*COMMAND, "sql", statement, "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        message = process.stderr.read()

    assert (message, process.returncode) == (b"", 141)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_interrupt_is_quiet():
    """Ctrl-C stops the program with its own exit code and without a word."""
    with subprocess.Popen(
        [*COMMAND, "sql", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(b"SELECT 1")
        process.stdin.flush()
        until(lambda: not unread(process.stdin))
        process.send_signal(signal.SIGINT)
        shown = process.communicate(timeout=60)

    assert (shown, process.returncode) == ((b"", b""), 130)


def unread(pipe):
    """Return how many bytes wait in a pipe; none when its reader waits for more."""
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


# --- the prompt ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ([], "")),
        (";;", ([], "")),
        ("SELECT 1", ([], "SELECT 1")),
        ("SELECT 1; SELECT 2;", (["SELECT 1", "SELECT 2"], "")),
        ("SELECT ';' ; x", (["SELECT ';'"], "x")),
        ("SELECT 'it''s;' ;", (["SELECT 'it''s;'"], "")),
        ('SELECT "a;b";', (['SELECT "a;b"'], "")),
        ("SELECT 1 -- ;\n;", (["SELECT 1 -- ;"], "")),
        ("/* a; */ SELECT 4/2-1;", (["/* a; */ SELECT 4/2-1"], "")),
        ("SELECT 'open;", ([], "SELECT 'open;")),
        ("-- only a comment", ([], "")),
        ("/* an open comment;", ([], "")),
        ("SELECT 1 /* an open comment;", ([], "SELECT 1 /* an open comment;")),
        ("SELECT 1 § 2; x", (["SELECT 1 § 2"], "x")),
    ],
)
def test_split(text, expected):
    """Statements end at semicolons outside of texts, names and comments."""
    assert expected == shell.split(text)


def converse(text, style="table"):
    """Type *text* at the prompt."""
    with (
        create_pipe_input() as keys,
        create_app_session(input=keys, output=DummyOutput()),
        meetup2025.connect("duckdb://", autocommit=True) as connection,
    ):
        keys.send_text(text)
        shell.ask(connection, style)


def test_prompt_runs_statements_of_several_lines(capsys):
    """Enter goes to the next line until a semicolon ends the statement."""
    converse("SELECT 1 +\r 1 AS N\r;\rSELECT 3 AS M; SELECT 4 AS L;\rexit\r")

    assert capsys.readouterr().out.splitlines()[1:] == ["N", "─", "2", "M", "─", "3", "L", "─", "4"]


def test_prompt_goes_on_after_an_error(capsys):
    """An error is shown on standard error, and the prompt goes on, in the open transaction too."""
    insert = "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('T1', 'a');"
    converse(f"START TRANSACTION;\r{insert}\rSELEC;\r{NAMES};\r\x04", "csv")
    shown = capsys.readouterr()

    assert shown.out.splitlines()[-1] == "1"
    assert shown.err.startswith("meetup2025: ")


def test_prompt_refuses_to_go_on_in_a_broken_transaction(capsys):
    """What follows an error of the database is not kept by itself: it waits for ROLLBACK, which takes all back."""
    inserts = [f"INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('{key}', '{key}');" for key in ("T1", "T1", "T3")]
    converse("\r".join(["START TRANSACTION;", *inserts, "COMMIT;", "ROLLBACK;", f"{NAMES};", "\x04"]), "csv")
    shown = capsys.readouterr()
    told = shown.err.splitlines()

    assert shown.out.splitlines()[-1] == "0"
    assert [
        "The open transaction ends with this" in told[0],
        "ROLLBACK" in told[1],
        "ROLLBACK" in told[2],
    ] == [True, True, True]


def test_sql_that_leaves_a_transaction_open():
    """Statements in a pipe that are not committed are taken back, which is told, with exit code 1."""
    insert = "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('T1', 'a');"
    result = run("sql", stdin=f"START TRANSACTION; {insert}")

    assert (result.exit_code, "not committed" in result.stderr) == (1, True)
    assert rows("SELECT COUNT(*) FROM MeetUp2025.Fish") == [(0,)]


def test_sql_in_another_encoding():
    """Statements that are not UTF-8 are refused in one line."""
    result = run("sql", stdin="SELECT 'マアジ'".encode("cp932"))

    assert (result.exit_code, "must be UTF-8" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("help", shell.HELP),
        (r"\help", shell.HELP),
        ("TABLES;", "MeetUp2025.SkippedImage"),
        ("catalog", "MeetUp2025.Identify("),
    ],
)
def test_prompt_answers_words(capsys, word, expected):
    """A few words need no semicolon and no SQL."""
    converse(f"{word}\rexit\r")

    assert expected in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["exit\r", "quit;\r", "\\q\r", "\x04"])
def test_prompt_can_be_left(capsys, ending):
    """Words and Ctrl-D leave; Ctrl-C forgets what is typed and does not."""
    converse(f"SELEC\x03{ending}")

    assert capsys.readouterr() == (shell.WELCOME + "\n", "")


def test_prompt_remembers(home):
    """What was typed is kept in the data folder, readable for its owner alone."""
    converse("SELECT 42 AS N;\rexit\r")
    history = home / "data" / "meetup2025" / "history"

    assert "SELECT 42 AS N;" in history.read_text("utf-8")
    assert history.stat().st_mode & 0o077 == 0


def test_prompt_works_without_a_place_for_its_history(home, capsys):
    """Where the data folder cannot be made, the prompt works all the same."""
    (home / "data").write_text("a file")
    converse("SELECT 42 AS N;\rexit\r")

    assert "42" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_prompt_on_a_terminal():
    """On a terminal, `meetup2025 sql` is a prompt that answers and ends with Ctrl-D."""
    import pty

    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "sql"], stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    ) as process:
        os.close(follower)
        try:
            screen = _until(leader, b"SQL>")
            os.write(leader, b"SELECT 6 * 7 AS Answer;\r")
            _until(leader, b"42")
            _until(leader, b"SQL>")
            os.write(leader, b"\x04")
            _until(leader, None)
        finally:
            os.close(leader)  # which ends the program, if it still runs

    assert process.returncode == 0
    assert shell.WELCOME.encode() in screen


def _until(terminal, end):
    """Read a terminal up to *end*, or to its end, for 20 seconds at most; answer where the cursor is when asked."""
    text = b""
    while end is None or end not in text:
        if not select.select([terminal], [], [], 20)[0]:
            pytest.fail(f"{end!r} must come. Got {text!r}")
        try:
            part = os.read(terminal, 10_000)
        except OSError:  # Linux, when the other side is closed
            break
        if b"\x1b[6n" in part:
            os.write(terminal, b"\x1b[1;1R")
        text += part
        if not part:
            break
    return text


# --- loading ------------------------------------------------------------------------------------------------


def test_load_names_loads_the_bundled_catalogue():
    """Without a file the bundled names are loaded; again, nothing changes."""
    first, again = run("load", "names"), run("load", "names", "--format", "json")

    assert (first.exit_code, first.stdout, first.stderr) == (
        0,
        "100 names added or changed, 100 in the catalogue\n",
        "",
    )
    assert json.loads(again.stdout) == {"changed": 0, "total": 100}


def test_load_names_reads_a_file_of_the_user(home):
    """A file in any folder of the user is read; what it says stays text, whatever it looks like."""
    folder = home / "釣り ' 記録"
    folder.mkdir()
    with (folder / "my names.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("FishID", "Name"), ("T1", HOSTILE), ("T2", "[red]markup[/red]")])
    result = run("load", "names", folder / "my names.csv", "--format", "csv")

    assert read_csv(result.stdout) == [{"changed": "2", "total": "2"}]
    assert HOSTILE in run("sql", "SELECT Name FROM MeetUp2025.Fish").stdout
    assert value(NAMES) == 2


def test_load_names_takes_templates(home):
    """A file of templates of the user, or of the package, changes the vectors once; without it they are bare again."""
    (home / "prompts.csv").write_text("Column,Template\nName,{}の絵\n", "utf-8")
    told = "SELECT MIN(%EXACT(Prompts)) FROM MeetUp2025.Fish"
    found = []
    for options in (["prompts.csv"], ["prompts.csv"], ["catalogue/prompts.csv"], []):
        named = [each for option in options for each in ("--prompts", option)]
        changed = json.loads(run("load", "names", *named, "--format", "json").stdout)["changed"]
        found.append((changed, value(told)))

    assert found == [
        (100, "Name {}の絵"),
        (0, "Name {}の絵"),
        (100, "Kanji {};Name {};Name {}の写真"),
        (100, None),
    ]


def test_load_names_says_what_is_wrong_with_templates(home):
    """A file of templates that breaks the rules is named, with line and column, and changes nothing."""
    (home / "prompts.csv").write_text("Column,Template\nName,絵\n", "utf-8")
    result = run("load", "names", "--prompts", "prompts.csv")

    assert result.exit_code == 3
    assert "prompts.csv: A template must have {} once" in result.stderr
    assert "line 2, column 2" in result.stderr
    assert value(NAMES) == 0


def test_load_names_says_what_is_wrong_with_a_file(home):
    """A file that breaks the rules is an error with line and column, and changes nothing."""
    (home / "names.csv").write_text("FishID,Name\nT1,\n", "utf-8")
    result = run("load", "names", "names.csv")

    assert result.exit_code == 3
    assert "line 2, column 2" in result.stderr
    assert value(NAMES) == 0


def test_load_refuses_a_folder_that_cannot_be_allowed(home):
    """The separator of a list of folders cannot be in the name of one."""
    folder = home / f"a{os.pathsep}b"
    folder.mkdir()
    result = run("load", "photos", folder)

    assert result.exit_code == 2
    assert "rename it" in result.stderr


def test_load_photos_tells_what_is_left_out(home):
    """Pictures are loaded, broken files are told with the reason, and the exit code says so."""
    photos = home / "photos"
    photos.mkdir()
    shutil.copy(SAMPLES / "saba.png", photos / "マサバ.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    (photos / "notes.txt").write_text("not a photo")
    run("load", "names")
    result = run("load", "photos", "photos", "--format", "json")

    assert (result.exit_code, json.loads(result.stdout)) == (1, {"changed": 1, "total": 1, "labelled": 1, "skipped": 1})
    assert result.stderr.startswith("meetup2025: broken.jpg: ")
    assert result.stderr.count("\n") == 1
    assert value("SELECT Label FROM MeetUp2025.FishImage") == "マサバ"


@pytest.mark.parametrize("command", [("identify", "samples/saba.png"), ("load", "photos", "samples")])
@pytest.mark.usefixtures("home")
def test_catalogue_is_left_out(command):
    """With --no-catalogue the names stay none; a search says what fills them."""
    done = run(*command, "--no-catalogue")

    assert value("SELECT COUNT(*) FROM MeetUp2025.Fish") == 0
    assert ("`meetup2025 load names`" in done.stdout + done.stderr) == (command[0] == "identify")


def test_load_photos_takes_the_samples(home):
    """The samples of the package go by their name; an empty folder is told, since its drive may not be mounted."""
    (home / "empty").mkdir()
    samples, empty = run("load", "photos", "samples"), run("load", "photos", "empty")
    count = len(PHOTOS)

    assert f"{count} photos added or changed, {count} in the database, 12 with a label\n" == samples.stdout
    assert empty.exit_code == 1
    assert empty.stdout == f"0 photos added or changed, {count} in the database, 12 with a label\n"
    assert "A folder to load must have photos. Got none" in empty.stderr


@pytest.mark.parametrize(("table", "key"), [("Fish", "fishname"), ("FishImage", "filename")])
def test_load_vectors(home, table, key):
    """Vectors go into either table, under the model that is said to have made them."""
    lines = [{"fishid": f"T{place}", key: f"name {place}", "embedding": [place + 1.0] * 512} for place in range(2)]
    (home / "vectors.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    result = run("load", "vectors", "vectors.jsonl", "--table", table, "--model-of", "mine@1")

    assert (0, f"2 vectors added or changed, 2 in {table}\n") == (result.exit_code, result.stdout)
    assert value(f"SELECT MAX(%EXACT(Model)) FROM MeetUp2025.{table}") == "mine@1"


# --- pictures and texts -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("full")
def test_identify_one_picture():
    """One picture gives a table of ranks, names and scores: those that SQL gives."""
    lines = run("identify", SAMPLES / "saba.png").stdout.splitlines()
    expected = [
        " ".join((str(rank), row[1], row[2], row[3], f"{row[4]:.3f}"))
        for rank, row in enumerate(rows("CALL MeetUp2025.Identify('samples/saba.png', 3)"), 1)
    ]

    assert lines[0].split() == ["rank", "name", "kanji", "English", "score"]
    assert expected == [" ".join(line.split()) for line in lines[2:]]


@pytest.mark.usefixtures("full")
def noise(path):
    """Write a picture of coloured noise, which is plainly no drawing."""
    pixels = np.random.default_rng(5).integers(0, 255, (64, 64, 3)).astype("uint8")
    Image.fromarray(pixels).resize((320, 240)).save(path)
    return path


@pytest.mark.usefixtures("full")
def test_a_photograph_is_answered_with_the_way_to_a_model_for_it(tmp_path):
    """What is no drawing is named, and the command for photographs is told; a drawing gets the short note."""
    photograph = run("identify", noise(tmp_path / "noise.png"))
    drawing = run("identify", SAMPLES / "saba.png")

    assert (photograph.exit_code, drawing.exit_code) == (0, 0)
    assert "noise.png: the model sketch knows drawings, and does not know this picture" in photograph.stderr
    assert "meetup2025 model use clip-multilingual --embed (downloads 229 MB" in photograph.stderr
    assert len(photograph.stdout.splitlines()) == 5
    assert drawing.stderr.splitlines() == [DRAWINGS_ONLY]


@pytest.mark.usefixtures("full")
def test_sql_reads_the_files_of_its_user(tmp_path, monkeypatch):
    """A path of this machine is a picture in SQL, from the root or from the folder at hand; a photograph is told."""
    noise(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    result = run("sql", "; ".join(f"CALL MeetUp2025.Identify('{at}noise.png', 1)" for at in (f"{tmp_path}/", "")))

    assert result.exit_code == 0, result.output
    assert result.stderr.count("the picture: the model sketch knows drawings, and does not know this picture") == 2


@pytest.mark.usefixtures("full")
def test_identify_takes_folders(tmp_path):
    """The pictures of a folder and its subfolders are named, and a pattern that no shell has filled in; others not."""
    (tmp_path / "sub").mkdir()
    shutil.copy(SAMPLES / "saba.png", tmp_path / "b.png")
    shutil.copy(SAMPLES / "madako.png", tmp_path / "sub" / "a.PNG")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "empty").mkdir()

    found = read_csv(run("identify", tmp_path, "-k", 1, "--format", "csv").stdout)
    matched = read_csv(run("identify", tmp_path / "*.png", "-k", 1, "--format", "csv").stdout)

    assert [(row["picture"], row["name"]) for row in found] == [
        (str(tmp_path / "b.png"), "マサバ"),
        (str(tmp_path / "sub" / "a.PNG"), "マダコ"),
    ]
    assert [row["picture"] for row in matched] == [str(tmp_path / "b.png")]
    assert run("identify", tmp_path / "empty").exit_code == 2


@pytest.mark.usefixtures("full")
def test_identify_gives_programs_the_same():
    """JSON and CSV have the same names, with the whole score, best first."""
    picture = str(SAMPLES / "saba.png")
    from_json = json.loads(run("identify", picture, "-k", 4, "--format", "json").stdout)
    from_csv = read_csv(run("identify", picture, "-k", 4, "--format", "csv").stdout)

    assert [picture] == [each["picture"] for each in from_json]
    assert list(from_csv[0])[:7] == ["picture", "rank", "fishid", "name", "kanji", "english", "score"]
    assert list(from_csv[0])[7:] == ["probability", "sure", "by", "photos", "nearest"]
    assert from_json[0]["answer"] is None  # nothing is fitted that tells how sure it is
    assert [(each["fishid"], str(each["score"])) for each in from_json[0]["names"]] == [
        (each["fishid"], each["score"]) for each in from_csv
    ]
    assert [each["rank"] for each in from_csv] == ["1", "2", "3", "4"]


def test_a_taught_picture_is_known():
    """--teach adds the picture with a label of any word, and the answer knows it at once."""
    picture = str(SAMPLES / "taiyaki.jpg")

    taught = run("identify", picture, "--teach", "たい焼き", "--format", "json")
    again = run("identify", picture, "--teach", "たい焼き", "--format", "json")

    first = json.loads(taught.stdout)[0]["names"][0]
    assert (first["name"], first["by"], first["photos"]) == ("たい焼き", "photos", 1)
    assert "added as たい焼き" in taught.stderr
    assert "is there already as たい焼き" in again.stderr


def test_teaching_says_what_is_stored():
    """The message has the label of the catalogue, and the label that it replaces."""
    picture = str(SAMPLES / "saba.png")

    assert "added as マサバ\n" in run("identify", picture, "--teach", "さば").stderr
    assert "changed from マサバ to ブリ\n" in run("identify", picture, "--teach", "ブリ").stderr


@pytest.mark.parametrize("label", ["", " ", "　"])
def test_a_label_is_visible(label):
    """A label of blanks is a command that is written wrongly."""
    result = run("identify", str(SAMPLES / "saba.png"), "--teach", label)

    assert (result.exit_code, "must have a visible character" in result.stderr) == (2, True)


@pytest.mark.usefixtures("full")
def test_a_recogniser_that_is_older_than_its_photos_says_so():
    """Photos that got a label by SQL are not known to the recogniser, and the answer says how many are missing."""
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        columns = "Label, Model, Features"
        copied = f"INSERT INTO MeetUp2025.FishImage (Name, {columns}) SELECT ?, {columns} FROM MeetUp2025.FishImage"
        for number in range(3):
            cursor.execute(f"{copied} WHERE Name = 'saba.png'", [f"saba {number}"])
        cursor.execute("UPDATE MeetUp2025.FishImage SET Label = NULL WHERE Name NOT LIKE 'saba%'")
        connection.commit()
    run("recogniser")
    fresh = run("identify", SAMPLES / "saba.png")
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE MeetUp2025.FishImage SET Label = 'マダコ' WHERE Name = 'madako.png'")
        connection.commit()
    stale = run("identify", SAMPLES / "saba.png")

    assert "older" not in fresh.stderr
    assert "it knows 4 labelled photos of 5. Run meetup2025 recogniser" in stale.stderr


@pytest.mark.usefixtures("full")
def test_the_recogniser_is_fitted_and_shown():
    """The command fits, tells how good it is, and lists the labels with their photos."""
    result = run("recogniser", "--format", "csv")

    assert "Recogniser of FishImage" in result.stderr
    assert "photos " in result.stderr
    assert read_csv(result.stdout)[0].keys() == {"label", "photos"}


@pytest.mark.parametrize(
    ("answer", "by", "sentence"),
    [
        (("species", "マサバ", "chub mackerel", 0.97, 1), "both", "Sure: マサバ, 0.97, by its name and 2 photos."),
        (("species", "マサバ", "chub mackerel", 0.4, 0), "name", "Not sure: マサバ comes first, 0.40, by its name."),
        (("family", "Scombridae", "mackerel", 0.93, 1), "both", "a mackerel of some kind (Scombridae), 0.93."),
        (("genus", "Octopus", "octopus", 0.93, 1), "photos", "genus alone: an octopus of some kind (Octopus), 0.93."),
        (("genus", "Scomber", None, 0.93, 1), "both", "genus alone: Scomber, 0.93."),
        (("none", None, None, None, 1), "both", "None of these: the picture is like no label."),
    ],
)
def test_the_verdict_says_how_sure_the_answer_is(answer, by, sentence):
    """Sure, not sure, a group or none of these: one sentence, with what it rests on."""
    given = dict(zip(("kind", "name", "english", "probability", "sure"), answer, strict=True))

    assert verdict(given, {"by": by, "photos": 2}).endswith(sentence)


def test_identify_goes_on_after_a_broken_picture(full):
    """Broken and absent pictures are told by name on standard error, the others are named, the exit code is 1."""
    data = (SAMPLES / "saba.png").read_bytes()
    (full / "cut.png").write_bytes(data[: len(data) // 2])
    (full / "text.jpg").write_text("no picture")
    pictures = ["cut.png", SAMPLES / "saba.png", "text.jpg", "absent.png"]
    result = run("identify", *pictures, "-k", 1, "--format", "json")
    found = json.loads(result.stdout)

    assert result.exit_code == 1
    assert [str(each) for each in pictures] == [each["picture"] for each in found]
    assert ["error" in each for each in found] == [True, False, True, True]
    assert [
        next((name for name in ("cut.png", "text.jpg", "absent.png") if name in line), "")
        for line in result.stderr.splitlines()
    ] == ["cut.png", "text.jpg", "absent.png", ""]
    assert result.stderr.splitlines()[-1] == DRAWINGS_ONLY


def test_identify_names_the_file_of_several(full):
    """With several pictures the file is the first column."""
    shutil.copy(SAMPLES / "saba.png", full / "漁 1.png")
    lines = run("identify", "漁 1.png", SAMPLES / "saba.png", "-k", 1).stdout.splitlines()

    assert lines[0].split()[0] == "picture"
    assert lines[2].startswith("漁 1.png  ")


@pytest.mark.usefixtures("full")
def test_identify_with_nothing_but_failures_prints_nothing():
    """No name is printed where no picture could be read."""
    result = run("identify", "absent.png")

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


@pytest.mark.usefixtures("full")
def test_identify_speaks_of_its_own_table():
    """Photos by another model are no reason to doubt the names: a command speaks of the table that it reads."""
    with meetup2025.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE MeetUp2025.Fish SET Model = NULL")
        connection.commit()

    assert run("identify", SAMPLES / "saba.png").stderr == ""
    assert run("find", "赤い魚").stderr.splitlines() == [DRAWINGS_ONLY]


@pytest.mark.usefixtures("full")
def test_identify_fetches_nothing():
    """An address of the web is told as that, with what to do."""
    result = run("identify", "https://example.org/a.jpg")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "'https://example.org/a.jpg' must be the picture itself or a path. Got a URL" in result.stderr


@pytest.mark.usefixtures("full")
def test_warnings_of_pillow_are_not_shown(home):
    """What Pillow has to say of a damaged file does not reach the user."""
    stream = BytesIO()
    Image.new("RGB", (64, 48)).save(stream, "TIFF")
    (home / "cut.tiff").write_bytes(stream.getvalue()[:120])
    done = program("identify", home / "cut.tiff")

    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.decode().splitlines()] == ["meetup2025"]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("closed", "arguments", "code", "told"),
    [
        (0, ["identify", "-"], 1, "Got zero bytes"),
        (0, ["sql", "-"], 0, ""),
        (1, ["sql", "SELECT 1"], 3, "The output must be writable. Got a closed one"),
        (1, ["sql", "SELECT 1", "--format", "csv"], 3, "The output must be writable. Got a closed one"),
        (2, ["sql", "SELECT 1"], 0, ""),
    ],
)
def test_closed_streams(closed, arguments, code, told):
    """A stream that the caller has closed leads to no traceback, and no file of the database takes its place."""
    done = program(*arguments, preexec_fn=lambda: os.close(closed))

    assert (done.returncode, told in done.stderr.decode(), b"Traceback" in done.stderr) == (code, True, False)
    assert value("SELECT COUNT(*) FROM MeetUp2025.Fish") == 100


def test_load_names_that_the_model_does_not_know(home):
    """Names with one and the same vector are named: the model tells none of them from the others."""
    (home / "mine.csv").write_text("FishID,Name\nX1,龘\nX2,驫\nX3,マアジ\n", "utf-8")
    result = run("load", "names", "mine.csv")

    assert (result.exit_code, result.stdout) == (0, "3 names added or changed, 3 in the catalogue\n")
    assert "2 of 3 names have the vector of another name: the model does not know these words" in result.stderr
    assert result.stderr.endswith("The names are 驫, 龘\n")
    assert run("load", "names", "mine.csv").stderr == ""


@pytest.mark.usefixtures("full")
def test_identify_reads_standard_input():
    """- is a picture that comes through a pipe; an empty one is told."""
    data = (SAMPLES / "saba.png").read_bytes()
    found = read_csv(run("identify", "-", "--format", "csv", stdin=data).stdout)
    empty = run("identify", "-", stdin=b"")

    assert [("-", row[1]) for row in rows("CALL MeetUp2025.Identify('samples/saba.png', 3)")] == [
        (each["picture"], each["name"]) for each in found
    ]
    assert (empty.exit_code, empty.stdout) == (1, "")
    assert empty.stderr.startswith("meetup2025: -: ")


def test_identify_loads_the_catalogue_once():
    """An empty database gets the bundled names, which is told on standard error, the first time only."""
    first, again = (run("identify", SAMPLES / "saba.png") for _ in range(2))

    assert "loaded the 100 names" in first.stderr
    assert (again.exit_code, again.stderr) == (0, f"{DRAWINGS_ONLY}\n")
    assert first.stdout == again.stdout


@pytest.mark.usefixtures("full")
def test_warning_follows_the_model_of_the_command(monkeypatch):
    """The word about photographs is told of the model that --model names, whatever the setting is."""
    monkeypatch.setenv("MEETUP2025_MODEL", "another")

    assert DRAWINGS_ONLY in run("identify", SAMPLES / "saba.png", "--model", "sketch").stderr


@pytest.mark.usefixtures("full")
def test_identify_takes_the_samples_by_their_name_in_sql():
    """A sample of the package has the same name as in SQL, unless a file here has it."""
    answers = json.loads(run("identify", "samples/saba.png", "-k", 1, "--format", "json").stdout)

    assert answers[0]["names"][0]["name"] == rows("CALL MeetUp2025.Identify('samples/saba.png', 1)")[0][1]


@pytest.mark.usefixtures("full")
def test_find_photos():
    """Photos come with rank, label and score, in each form."""
    shown = run("find", "赤い魚", "-k", 2)
    table = shown.stdout.splitlines()
    from_json = json.loads(run("find", "赤い魚", "-k", 2, "--format", "json").stdout)
    from_csv = read_csv(run("find", "赤い魚", "-k", 2, "--format", "csv").stdout)

    assert ["rank", "name", "label", "score"] == table[0].split() == list(from_csv[0]) == list(from_json[0])
    assert (
        [line.split()[1] for line in table[2:]]
        == [row["name"] for row in from_csv]
        == [row["name"] for row in from_json]
    )
    assert shown.stderr.splitlines() == [DRAWINGS_ONLY]


@pytest.mark.usefixtures("full")
def test_find_refuses_an_empty_text():
    """Nothing to look for is an error."""
    result = run("find", "")

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (3, "", 1)


def test_find_without_photos_says_how_to_load_them():
    """Nothing to search is exit code 1, with the command that helps."""
    result = run("find", "赤い魚")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "meetup2025 load photos" in result.stderr


@pytest.mark.usefixtures("full")
def test_find_more_than_there_is_gives_all():
    """A number beyond the photos is no error."""
    result = run("find", "魚", "-k", 10**6, "--format", "csv")

    assert len(PHOTOS) == len(read_csv(result.stdout))


def test_model_list_marks_the_one_in_use():
    """The bundled model is listed and marked; another one asked for is not."""
    table = run("model", "list").stdout.splitlines()
    used = json.loads(run("model", "list", "--format", "json").stdout)
    other = json.loads(run("model", "list", "--format", "json", "--model", "other").stdout)

    assert table[0].split() == ["id", "revision", "dimension", "size", "licence", "description"]
    assert next(line for line in table if "sketch" in line).split()[:2] == ["*", "sketch"]
    assert [(each["id"], each["used"], each["dimension"]) for each in used if each["used"]] == [("sketch", True, 512)]
    assert not any(each["used"] for each in other)


def test_demo_reads_from_start_to_end(home):
    """The demo runs each of its statements, shows it with its result, and touches no file."""
    result = run("demo")

    assert (result.exit_code, result.stderr) == (0, "")
    assert all(f"SQL> {statement};" in result.stdout for _, statement in shell.DEMO)
    assert result.stdout.count("─\n") == len(shell.DEMO)
    assert "drawings" in result.stdout
    assert not (home / "fish.duckdb").exists()


def test_demo_can_fill_a_database(home):
    """With --url the rows of the demo stay."""
    url = f"duckdb:///{home / 'demo.duckdb'}"
    run("demo", "--url", url)

    assert run("sql", NAMES, "--url", url, "--format", "csv").stdout.splitlines()[-1] == "104"


@pytest.mark.usefixtures("full")
def test_program_in_a_pipe_is_plain():
    """In a pipe: UTF-8 whatever the locale, no colours, no progress bars, one line for each row."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "COLUMNS": "20"}
    name = rows("CALL MeetUp2025.Identify('samples/saba.png', 1)")[0][1]
    result = program("identify", SAMPLES / "saba.png", env=environment)
    loaded = program("load", "photos", SAMPLES, env=environment)

    assert (result.returncode, len(result.stdout.splitlines())) == (0, 5)
    assert result.stderr.decode() == f"{DRAWINGS_ONLY}\n"
    assert name in result.stdout.decode()
    assert b"\x1b" not in result.stdout
    assert (loaded.returncode, loaded.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
@pytest.mark.usefixtures("full")
def test_file_name_that_is_not_utf8_is_shown():
    """A file name in another encoding is told as it can be; nothing breaks."""
    result = program("identify", os.fsdecode(b"\x83\x41.png"), "--format", "json")

    assert result.returncode == 1
    assert b"Traceback" not in result.stderr
    assert "error" in json.loads(result.stdout)[0]


@pytest.mark.parametrize("error", [MemoryError(), ImportError("no room"), RuntimeError("can't start new thread")])
def test_too_little_memory_is_a_sentence(monkeypatch, error):
    """Where the memory does not suffice, for a library or a thread, one line says so."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(meetup2025, "connect", fail)
    done = CliRunner().invoke(main, ["sql", "SELECT 1"])

    assert done.exit_code == 3
    assert done.stderr.startswith("meetup2025: The memory must suffice, and each library load. Got: ")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_outside_of_a_command(monkeypatch):
    """Ctrl-C before or after a command gives the exit code of SIGINT, and the handler of Python is back."""
    from meetup2025 import __main__ as program, cli

    seen = []

    def interrupted(**_: Any) -> None:
        seen.append(signal.getsignal(signal.SIGINT))
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        program.main()

    assert (ended.value.code, seen) == (130, [before])
