"""A load on real Ray clusters: of this machine, with nodes that die, and at addresses where there is none."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from photo_rows import assert_same_photos, fill, photo_rows, skipped_rows
from PIL import Image

import meetup2025
from meetup2025.errors import InterfaceError, MissingExtraError, ModelMismatchError, OperationalError
from meetup2025.loading import ray
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection
    from meetup2025.loading.photos import Changes

# Ray warns of what its next versions will change, and leaves sockets to the collector.
pytestmark = pytest.mark.filterwarnings("ignore")

MANY = 120
"""Photos of the long loads: 30 tasks of 4."""

DRIVER = """
import sys
from meetup2025 import distributed
from meetup2025.cli import main

distributed._TASK = 4
store = distributed._store

def told(connection, changes):
    count = store(connection, changes)
    print("stored", file=sys.stderr, flush=True)
    return count

distributed._store = told
main()
"""


@pytest.fixture(scope="session")
def _ray() -> None:
    """Skip without Ray; with it, lock the clusters of the tests, whose ports others could use."""
    if importlib.util.find_spec("ray") is None:
        if os.environ.get("MEETUP2025_REQUIRE_RAY") == "1":
            pytest.fail("MEETUP2025_REQUIRE_RAY=1 asks for Ray: pip install -e '.[ray]'")
        pytest.skip("no Ray: pip install -e '.[ray]'")
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), RAY_USAGE_STATS_ENABLED="0")


@pytest.fixture(scope="module")
def cluster(_ray: None) -> Iterator[Any]:
    """Cluster of one node with one processor."""
    from ray.cluster_utils import Cluster

    # Else it takes Ray 15 seconds to believe that a node is dead.
    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def address(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of the cluster, for loads of this process; those of the command try in earnest whether they may join."""
    monkeypatch.setattr(ray, "_check_join", lambda _: None)
    return str(cluster.address)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with fourteen photos and a file that is none; SQL may read it."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path / "photos"))
    return fill(tmp_path / "photos")


@pytest.fixture
def many(folder: Path) -> Path:
    """Folder with more photos, and the file that is none."""
    for at in range(MANY - 14):
        Image.new("RGB", (600, 600), (at, 255 - at, at // 2)).save(folder / f"{at:03}.bmp")
    return folder


@pytest.fixture
def plain() -> Iterator[Connection]:
    """Database in memory for what LoadImages makes of a folder."""
    with meetup2025.connect("duckdb://") as connection:
        yield connection


def load_plainly(connection: Connection, folder: Path) -> None:
    """Load a folder as SQL does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadImages(?)", [str(folder)])
    connection.commit()


def load(url: str, folder: Path, address: str) -> int:
    """Load a folder on a cluster."""
    with meetup2025.connect(url) as connection:
        return ray.load_photos(connection, folder, address)[0]


def started(folder: Path, url: str, address: str, script: str = DRIVER, **more: Any) -> subprocess.Popen[str]:
    """Start the command line in another process."""
    command = [sys.executable, "-c", script, "load", "photos", str(folder), "--ray", address, "--url", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def wait_for_rows(process: subprocess.Popen[str], tasks: int) -> None:
    """Wait until some tasks are stored."""
    assert process.stderr is not None
    lines: list[str] = []
    while lines.count("stored\n") < tasks:
        line = process.stderr.readline()
        assert line, lines
        lines.append(line)


# --- a cluster that is there


@pytest.mark.ray
def test_command(cluster: Any, folder: Path, plain: Connection, tmp_path: Path) -> None:
    """The command gives the table of LoadImages; what it writes is its own result and its own report, nothing else."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with started(folder, url, cluster.address, "from meetup2025.cli import main; main()") as process:
        out, err = process.communicate(timeout=120)
    with plain.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
    load_plainly(plain, folder)

    assert (process.returncode, out.partition(", ")[0]) == (1, "14 photos added or changed")
    assert [line.split(":")[1].strip() for line in err.splitlines()] == ["the catalogue was empty", "broken.jpg"]
    with meetup2025.connect(url) as connection:
        assert_same_photos(connection, plain)
        assert skipped_rows(connection) == skipped_rows(plain)


@pytest.mark.ray
def test_second_run(address: str, folder: Path, tmp_path: Path) -> None:
    """A second run writes the new photo alone."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    first = load(url, folder, address)
    Image.new("RGB", (8, 8), "red").save(folder / "new.png")

    assert (first, load(url, folder, address)) == (14, 1)


@pytest.mark.ray
@pytest.mark.parametrize("count", [0, 1])
def test_few_photos(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A folder of no photo, or of one, needs no more than another."""
    photos = tmp_path / "few"
    photos.mkdir()
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(photos))
    for at in range(count):
        Image.new("RGB", (8, 8), "red").save(photos / f"{at}.png")

    assert load("duckdb://", photos, address) == count


@pytest.mark.ray
def test_machine_without_the_model(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a machine comes back as it is, and ends the load."""
    monkeypatch.setattr(ray, "_model", lambda _: "sketch@9")
    with pytest.raises(ModelMismatchError, match=r"sketch@9.*machine"):
        load("duckdb://", folder, address)


@pytest.mark.ray
def test_machine_without_the_package(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot start is an error, and no photo is taken for a bad one."""

    class Absent(ray.Worker):
        """A worker of a package that is not there."""

        def __init__(self, *_: str) -> None:
            raise ModuleNotFoundError("No module named 'meetup2025'")

    monkeypatch.setattr(ray, "Worker", Absent)
    with pytest.raises(OperationalError, match="No module named 'meetup2025'"):
        load("duckdb://", folder, address)


@pytest.mark.ray
def test_photo_that_ends_its_process(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo that ends its process each time costs itself alone: one line of the report."""

    class Fragile(ray.Worker):
        """A worker that one photo kills."""

        def _changes(self, task: ray.Task) -> Changes:
            if any(photo.name == "saba.png" for photo, _ in task.photos):
                os.kill(os.getpid(), signal.SIGKILL)
            return super()._changes(task)

    monkeypatch.setattr(ray, "Worker", Fragile)
    monkeypatch.setattr(ray, "RETRIES", 0)
    with meetup2025.connect("duckdb://") as connection:
        changed, skipped = ray.load_photos(connection, folder, address)
        assert (changed, [name for name, _ in skipped]) == (13, ["broken.jpg", "saba.png"])
        assert "saba.png" in dict(skipped_rows(connection))
        assert "saba.png" not in [row[0] for row in photo_rows(connection)]


@pytest.mark.ray
def test_lost_node(cluster: Any, address: str, many: Path, plain: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that dies in the middle costs time and nothing else."""
    node = cluster.add_node(num_cpus=1)
    store, nodes = ray._store, [node]

    def losing(connection: Connection, changes: Changes) -> int:
        count = store(connection, changes)
        if nodes:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        return count

    monkeypatch.setattr(ray, "_TASK", 4)
    monkeypatch.setattr(ray, "_store", losing)
    load_plainly(plain, many)
    with meetup2025.connect("duckdb://") as connection:
        assert ray.load_photos(connection, many, address)[0] == MANY
        assert_same_photos(connection, plain)
        assert skipped_rows(connection) == skipped_rows(plain)
    assert nodes == []


@pytest.mark.ray
def test_two_runs_at_once(address: str, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run, amid the first one, goes from beginning to end: each photo is there once, and counted once."""
    path = f"duckdb:///{tmp_path / 'fish.db'}"
    monkeypatch.setattr(ray, "_TASK", 4)
    store, counts = ray._store, []

    def disturbed(connection: Connection, changes: Changes) -> int:
        monkeypatch.setattr(ray, "_store", store)
        with meetup2025.connect(path) as other:
            monkeypatch.setattr(ray, "connected", lambda _: contextlib.nullcontext(1))
            counts.append(ray.load_photos(other, many, address)[0])
        return store(connection, changes)

    monkeypatch.setattr(ray, "_store", disturbed)
    with meetup2025.connect(path) as connection:
        counts.append(ray.load_photos(connection, many, address)[0])
        assert (len(photo_rows(connection)), sum(counts)) == (MANY, MANY)


# --- a driver that ends


@pytest.mark.ray
@pytest.mark.usefixtures("_ray")
def test_killed_driver(many: Path, plain: Connection, tmp_path: Path) -> None:
    """A load that is killed keeps whole tasks and leaves no process behind; the next one ends with the same table."""
    url, session = f"duckdb:///{tmp_path / 'fish.db'}", tmp_path.parent / "r"
    environment = {**os.environ, "RAY_TMPDIR": str(session), "HOME": str(tmp_path)}
    with started(many, url, "local", env=environment) as process:
        wait_for_rows(process, 3)
        process.send_signal(signal.SIGKILL)
    with meetup2025.connect(url) as connection:
        assert 11 <= len(photo_rows(connection)) < MANY
    wait_until_none(str(session))

    with started(many, url, "local", env=environment) as process:
        out, _ = process.communicate(timeout=120)
    with meetup2025.connect(url) as connection:
        with plain.cursor() as cursor:
            cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        load_plainly(plain, many)
        assert_same_photos(connection, plain)
        assert skipped_rows(connection) == skipped_rows(plain)
        assert f"{MANY} in the database" in out
        assert not out.startswith(f"{MANY} photos")
    assert not (tmp_path / ".ray").exists()
    wait_until_none(str(session))


def wait_until_none(words: str) -> None:
    """Wait until no process has *words* in its command line."""
    end = time.monotonic() + 60
    while left := [path for path in Path("/proc").glob("[0-9]*/cmdline") if words in command_line(path)]:
        assert time.monotonic() < end, [command_line(path) for path in left]
        time.sleep(0.2)


def command_line(path: Path) -> str:
    """Give the command line of a process; empty when it is gone."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


@pytest.mark.ray
def test_interrupted_driver(cluster: Any, many: Path, tmp_path: Path) -> None:
    """Ctrl-C ends the load at once with its exit code; whole tasks stay."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with started(many, url, cluster.address) as process:
        wait_for_rows(process, 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)

    assert (process.returncode, "Traceback" in err) == (130, False)
    with meetup2025.connect(url) as connection:
        assert 7 <= len(photo_rows(connection)) < MANY


# --- addresses


@pytest.mark.ray
@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize("address", ["", "host", "host:", ":6379", "ray://host:10001", "host:6379/x", "auto"])
def test_address_of_another_form(address: str) -> None:
    """An address is that of the head of a cluster, or local."""
    with pytest.raises(InterfaceError, match="HOST:PORT"), ray.connected(address):
        pass


@pytest.mark.ray
@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:6379", "127.0.0.1:99999"])
def test_address_where_nothing_answers(address: str) -> None:
    """An address where nothing answers is one error, at once."""
    with pytest.raises(OperationalError, match="must answer"), ray.connected(address):
        pass


@pytest.mark.ray
@pytest.mark.usefixtures("_ray")
def test_address_of_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that listens and is no Ray is an error within the time limit; Ray itself would try for minutes."""
    monkeypatch.setattr(ray, "JOIN_TIMEOUT", 4)
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(OperationalError, match="no answer of Ray in 4 seconds"),
        ray.connected(f"127.0.0.1:{other.getsockname()[1]}"),
    ):
        pass


@pytest.mark.ray
def test_cluster_that_wants_a_token(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that wants a token says so, when this process has another."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    monkeypatch.setattr(ray, "JOIN_TIMEOUT", 5)
    with pytest.raises(OperationalError, match="RAY_AUTH_TOKEN"), ray.connected(cluster.address):
        pass


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray the error says what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("ray"))), ray.connected("x:1"):
        pass
