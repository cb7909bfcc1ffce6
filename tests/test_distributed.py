"""
A load with many machines: what is planned, stored and told. The machines are this process; test_ray.py has real ones.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import iris_doubles
import pytest
from click.testing import CliRunner, Result as Ran
from iris_doubles import Server
from photo_rows import assert_same_photos, fill, photo_rows, skipped_rows
from PIL import Image

import meetup2025
from meetup2025.cli import main
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import (
    BrokenModelError,
    Error,
    ForbiddenPathError,
    IntegrityError,
    MissingModelError,
    ModelMismatchError,
    OperationalError,
)
from meetup2025.loading import ray
from meetup2025.loading.collection import Collection
from meetup2025.loading.photos import Changes, Photo, Placing, find_photos
from meetup2025.loading.ray import Task, TaskResult, Worker
from meetup2025.loading.tables import stored_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines import Connection

pytestmark = pytest.mark.slow

PROCESSORS = 2


def run_here(worker: type, arguments: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
    """Run tasks in this process, the last one first; what goes to a machine and comes back is pickled."""
    machine = worker(*arguments)
    for task in reversed(tasks):
        yield travelled(machine(travelled(task)))


def travelled(item: Any) -> Any:
    """Give what another machine has of an object."""
    return pickle.loads(pickle.dumps(item))  # noqa: S301


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be the machines, with two processors; its environment is restored after the test."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", "")
    monkeypatch.setattr(ray, "connected", lambda _: contextlib.nullcontext(PROCESSORS))
    monkeypatch.setattr(ray, "run", run_here)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with the samples, two below, a label, and a file that is no picture; SQL may read it."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path / "photos"))
    return fill(tmp_path / "photos")


@pytest.fixture
def database() -> Iterator[Connection]:
    """Empty database in memory."""
    with meetup2025.connect("duckdb://") as connection:
        yield connection


def load(connection: Connection, folder: Path) -> int:
    """Load a folder; the number of rows added or changed."""
    return ray.load_photos(connection, folder, "nowhere:1")[0]


def load_plainly(connection: Connection, folder: Path) -> int:
    """Load a folder as SQL does."""
    with connection.cursor() as cursor:
        count = cursor.execute("SELECT MeetUp2025.LoadImages(?)", [str(folder)]).fetchall()[0][0]
    connection.commit()
    return int(count)


def execute(connection: Connection, sql: str) -> None:
    """Run a statement, and commit."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.commit()


# --- what is stored


def test_rows_are_those_of_load_images(database: Connection, folder: Path) -> None:
    """The tables are as LoadImages leaves them, the list of what was left out included."""
    execute(database, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
    with meetup2025.connect("duckdb://") as other:
        execute(other, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        assert load(database, folder) == load_plainly(other, folder) == 14
        assert_same_photos(database, other)
        assert skipped_rows(database) == skipped_rows(other)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_few_photos(database: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A folder may have no photo, one, or one more than there are tasks for the processors."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path))
    for at in range(count):
        Image.new("RGB", (8, 8), (at, 0, 0)).save(tmp_path / f"{at}.png")

    assert load(database, tmp_path) == count
    assert [row[0] for row in photo_rows(database)] == [f"{at}.png" for at in range(count)]


@pytest.mark.parametrize(("count", "size"), [(1, 1), (8, 1), (9, 2), (2048, 256), (100_000, 256)])
def test_size_of_a_task(monkeypatch: pytest.MonkeyPatch, count: int, size: int) -> None:
    """Each processor has four tasks where there are few photos; many are cut into tasks of 256."""
    sizes: list[int] = []

    def seen(_: type, __: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
        sizes.extend(len(task.photos) for task in tasks)
        return (TaskResult(task.number, Changes([])) for task in tasks)

    monkeypatch.setattr(ray, "run", seen)
    photo = Photo(Path("a.png"), "a.png", "", "")
    list(ray._embedded([(photo, None)] * count, PROCESSORS, ("", "")))

    assert (max(sizes), sum(sizes)) == (size, count)


def test_second_run(database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run embeds nothing and writes no photo."""
    load(database, folder)
    before = photo_rows(database)
    monkeypatch.setattr(Changes, "add", fail_on_pictures(Changes.add))

    assert (load(database, folder), photo_rows(database)) == (0, before)


def fail_on_pictures(add: Any) -> Any:
    """Make `Changes.add` fail when a vector is wanted."""

    def checked(self: Changes, results: Any, encoder: Any) -> None:
        assert not any(hasattr(each, "picture") for each in results)
        add(self, results, encoder)

    return checked


def test_changes_of_the_folder(database: Connection, folder: Path) -> None:
    """A photo that changed is embedded again, a label that changed is written, and the rest stays."""
    load(database, folder)
    (folder / "iseebi.png").write_bytes((folder / "saba.png").read_bytes() + b"\0\0")
    (folder / "labels.csv").write_text("File,Name\nmaaji.jpg,モクギョ\n", "utf-8")
    before = {row[0]: row for row in photo_rows(database)}

    assert load(database, folder) == 2
    changed = [row[0] for row in photo_rows(database) if row != before[row[0]]]
    assert changed == ["iseebi.png", "maaji.jpg"]


def test_each_task_is_a_transaction(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails in the middle keeps its whole tasks, and the next run ends with the table of an unbroken one."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    monkeypatch.setattr(ray, "run", broken_off(after=3))
    with meetup2025.connect(url) as connection, pytest.raises(OperationalError, match="gone"):
        load(connection, folder)

    monkeypatch.setattr(ray, "run", run_here)
    with meetup2025.connect(url) as connection, meetup2025.connect("duckdb://") as other:
        assert len(photo_rows(connection)) in {5, 6}  # three tasks of two files, one of which may be the broken one
        load(connection, folder)
        load(other, folder)
        assert_same_photos(connection, other)


def broken_off(after: int) -> Any:
    """Make a cluster that is gone after some tasks."""

    def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
        yield from run_here(worker, arguments, tasks[:after])
        raise OperationalError("The cluster is gone.")

    return run


@pytest.mark.parametrize("error", [KeyboardInterrupt, IntegrityError("Name must be unique.")])
def test_error_within_a_transaction(
    database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """What stops a transaction after its first rows takes them back; the transactions before it stay."""
    write = ray.write_rows
    written: list[int] = []

    def stopping(cursor: Any, changes: Changes) -> None:
        write(cursor, changes)
        written.append(len(changes.rows))
        if len(written) > 2:
            raise error

    monkeypatch.setattr(ray, "write_rows", stopping)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        load(database, folder)
    database.rollback()

    assert len(photo_rows(database)) == sum(written[:2])


# --- two runs


def test_two_runs_at_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs against a server, one amid the other, end with each photo once, and count each once."""
    path = str(tmp_path / "server.db")
    with DuckDBConnection(path) as first, DuckDBConnection(path) as second:
        monkeypatch.setenv("MEETUP2025_IRIS_PASSWORD", "secret")
        counts: list[int] = []
        outer, inner = connected(Server(first)), connected(Server(second))
        monkeypatch.setattr(ray, "run", amid(lambda: counts.append(load(inner, folder))))
        counts.append(load(outer, folder))

        assert (len(photo_rows(first)), sum(counts)) == (14, 14)
        assert min(counts) > 0
        assert len({row[0].upper() for row in photo_rows(first)}) == 14


def connected(server: Server) -> Connection:
    """Connect to a double of a server."""
    with iris_doubles.installed(iris_doubles.driver_module(server)):
        return meetup2025.connect("iris://fisher@server:1972/USER")


def amid(other: Any) -> Any:
    """Make a cluster where another run goes from its beginning to its end after the second task of this one."""
    started: list[bool] = []

    def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
        is_outer = not started
        started.append(True)
        for place, result in enumerate(run_here(worker, arguments, tasks)):
            yield result
            if is_outer and place == 1:
                other()

    return run


def test_row_that_appears_within_a_transaction(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that another run commits between the look and the INSERT is seen at the next attempt."""
    path = str(tmp_path / "fish.db")
    with DuckDBConnection(path) as one, DuckDBConnection(path) as other:
        write = ray.write_rows

        def late(cursor: Any, changes: Changes) -> None:
            monkeypatch.setattr(ray, "write_rows", write)
            there = Placing(Collection(stored_images(other)))
            assert ray._store(other, there, changes).count == len(changes.rows)
            write(cursor, changes)

        monkeypatch.setattr(ray, "write_rows", late)
        load(one, folder)

        assert len(photo_rows(one)) == 14


def test_error_that_stays(database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails each time is the error of the run, after three attempts."""
    attempts: list[int] = []

    def failing(*_: object) -> None:
        attempts.append(1)
        raise OperationalError("The disk is full.")

    monkeypatch.setattr(ray, "write_rows", failing)
    with pytest.raises(OperationalError, match="disk is full"):
        load(database, folder)

    assert len(attempts) == 3


# --- models


def test_photos_of_another_model(database: Connection, folder: Path) -> None:
    """Photos that stay with vectors of another model are refused before anything is embedded."""
    execute(database, "INSERT INTO MeetUp2025.FishImage (Name, Model) VALUES ('old.png', 'other@1')")
    with pytest.raises(ModelMismatchError, match="other@1"):
        load(database, folder)

    assert len(photo_rows(database)) == 1


def test_whole_folder_with_another_model(database: Connection, folder: Path) -> None:
    """A folder that has all photos of the table may be loaded with another model, which takes the place of the old."""
    load(database, folder)
    execute(database, "UPDATE MeetUp2025.FishImage SET Model = 'other@1'")

    assert load(database, folder) == 14
    assert {row[4] for row in photo_rows(database)} == {"sketch@1"}


def test_broken_photo_of_another_model(database: Connection, folder: Path) -> None:
    """A photo that is broken by now keeps its vector of another model, and that is an error; the others are stored."""
    load(database, folder)
    execute(database, "UPDATE MeetUp2025.FishImage SET Model = 'other@1'")
    (folder / "saba.png").write_bytes(b"broken")
    with pytest.raises(ModelMismatchError, match="other@1"):
        load(database, folder)

    assert [row[0] for row in photo_rows(database) if row[4] == "other@1"] == ["saba.png"]
    assert "saba.png" in dict(skipped_rows(database))


def test_model_of_the_database_that_is_nowhere(
    database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database whose model is not installed is an error before anything is embedded."""
    monkeypatch.setenv("MEETUP2025_MODEL", "nobody/nothing")
    with pytest.raises(MissingModelError, match="installed: sketch"):
        load(database, folder)


# --- the worker


def task_of(folder: Path) -> Task:
    """Give all photos of a folder as one task."""
    files, _ = find_photos(folder, {})
    return Task(7, [(file, None) for file in files])


def test_worker_reads_below_its_folder_only(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine reads that folder, whatever its own settings are, and no link that leads out of it."""
    (tmp_path / "secret.png").write_bytes((folder / "saba.png").read_bytes())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    task = task_of(folder)
    monkeypatch.setenv("MEETUP2025_PHOTOS", "")
    result = Worker(str(folder), "sketch@1")(task)

    assert result.changes is not None
    assert {each.name for each in result.changes.skipped} == {"broken.jpg", "link.png"}
    assert (result.number, len(result.changes.rows)) == (7, 14)


@pytest.mark.parametrize(
    ("at", "model", "error"),
    [
        ("nowhere", "sketch@1", ForbiddenPathError),
        ("empty", "sketch@1", ForbiddenPathError),
        ("photos", "sketch@9", ModelMismatchError),
        ("photos", "nobody/nothing@1", MissingModelError),
    ],
)
def test_machine_that_is_not_ready(folder: Path, tmp_path: Path, at: str, model: str, error: type[Error]) -> None:
    """A machine without the folder or the model is an error that names it, never a list of photos left out."""
    (tmp_path / "empty").mkdir()
    task = task_of(folder)
    result = travelled(Worker(str(tmp_path / at), model)(task))

    assert type(result.failure) is error
    assert socket.gethostname() in str(result.failure)
    with pytest.raises(error):
        ray._changes(result)


@pytest.mark.parametrize(
    ("raised", "error"), [(RuntimeError("out of memory"), OperationalError), (BrokenModelError("x"), BrokenModelError)]
)
def test_library_that_fails_on_a_machine(
    database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, error: type[Error]
) -> None:
    """A fault of a library on a machine ends the run with one error."""

    def failing(*_: object) -> None:
        raise raised

    monkeypatch.setattr(Changes, "add", failing)
    with pytest.raises(error, match=str(raised)):
        load(database, folder)


def test_photo_that_ends_its_process(database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a task that is lost with its process, the photos are tried one by one: one is left out, the others are not."""

    def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
        alive = [task for task in tasks if all(photo.name != "saba.png" for photo, _ in task.photos)]
        return run_here(worker, arguments, alive)

    monkeypatch.setattr(ray, "run", run)

    assert load(database, folder) == 13
    assert "must live" in dict(skipped_rows(database))["saba.png"]


def test_result_that_comes_twice(database: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that was done twice counts once."""

    def run(worker: type, arguments: Sequence[Any], tasks: Sequence[Task]) -> Iterator[TaskResult]:
        return run_here(worker, arguments, [*tasks, *tasks])

    monkeypatch.setattr(ray, "run", run)

    assert load(database, folder) == 14
    assert len(skipped_rows(database)) == 1


# --- the command


def command(*arguments: object) -> Ran:
    """Run a command."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_command(folder: Path, tmp_path: Path) -> None:
    """The command tells how many photos came, lists the file that is no picture, and says so with its exit code."""
    done = command("load", "photos", folder, "--ray", "x:1", "--url", f"duckdb:///{tmp_path / 'fish.db'}")

    assert (done.exit_code, done.stdout.partition(", ")[0]) == (1, "14 photos added or changed")
    assert done.stderr.splitlines()[-1].startswith("meetup2025: broken.jpg: ")


def test_command_against_a_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a server the machines embed too: vectors are sent to it, no pictures, and they are those of the machines."""
    monkeypatch.setenv("MEETUP2025_IRIS_PASSWORD", "secret")
    sent: list[str] = []
    run = iris_doubles.DriverCursor.execute

    def watched(self: Any, sql: str, parameters: tuple[object, ...] = ()) -> int:
        sent.extend(value for value in parameters if isinstance(value, str))
        return run(self, sql, parameters)

    monkeypatch.setattr(iris_doubles.DriverCursor, "execute", watched)
    with DuckDBConnection() as behind, meetup2025.connect("duckdb://") as other:
        execute(behind, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        with iris_doubles.installed(iris_doubles.driver_module(Server(behind))):
            done = command("load", "photos", folder, "--ray", "x:1", "--url", "iris://fisher@server/USER")
        assert (done.exit_code, done.stdout.partition(", ")[0]) == (1, "14 photos added or changed")
        assert [text for text in sent if text.startswith("data:")] == []
        execute(other, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        load_plainly(other, folder)
        assert_same_photos(behind, other)


def test_command_without_a_folder(tmp_path: Path) -> None:
    """A folder that is not there is a command written wrongly."""
    done = command("load", "photos", tmp_path / "nothing", "--ray", "x:1")

    assert (done.exit_code, "must exist" in done.output) == (2, True)
