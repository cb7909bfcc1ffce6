"""The resident encoder: one process of an instance, a double here, embeds for all, and no caller waits for ever."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import iris_doubles
import numpy as np
import pytest
from instance_double import call, instance
from objectscript_tree import read_sources, word
from servers import LONG, until

from meetup2025 import iris_process, procedures, settings
from meetup2025.embedding import client, encoder, local_encoder, worker
from meetup2025.embedding.addresses import LONGEST_SOCKET_PATH
from meetup2025.errors import DataError, EncoderUnavailableError, MissingModelError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "The worker of this instance must run. Got: "


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the manager; the path of a socket must be short."""
    return Path(os.path.realpath(tmp_path_factory.mktemp("w")))


@pytest.fixture
def iris(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Process of an instance in which the setting Worker is on; nobody has patience with servers that are dead."""
    monkeypatch.setenv("MEETUP2025_WORKER", "1")
    monkeypatch.setenv("DOUBLE_FOLDER", str(folder))
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.3)
    with instance(folder) as iris:
        yield iris


def told() -> dict[str, Any]:
    """Give the status."""
    return dict(json.loads(worker.status()))


def is_running(iris: Any) -> bool:
    """Tell whether the lock is held."""
    return bool(iris.cls("MeetUp2025.Worker").IsRunning())


def lines(folder: Path) -> str:
    """Give messages.log."""
    path = folder / "messages.log"
    return path.read_text("utf-8") if path.exists() else ""


def kill(iris: Any) -> int:
    """End the worker as the system does when memory is short; give its process."""
    pid = int(told()["pid"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(iris))
    return pid


# --- a good day -----------------------------------------------------------------------------------------------------


def test_start_and_stop(iris: Any, folder: Path) -> None:
    """It starts, tells what it is, and ends, and its socket goes with it."""
    assert re.fullmatch(r"The worker has started: process \d+ with the model sketch@\S+\.", worker.start())
    assert is_running(iris)
    assert (folder / worker.SOCKET).is_socket()

    assert re.fullmatch(r"The worker has ended: process \d+\.", worker.stop())
    assert not is_running(iris)
    assert not (folder / worker.SOCKET).exists()


@pytest.mark.usefixtures("iris")
def test_stop_where_none_runs() -> None:
    """There is nothing to end, and that is no error."""
    assert worker.stop() == "No worker runs."
    assert told() == {"running": False, "error": ""}


@pytest.mark.usefixtures("iris")
def test_status() -> None:
    """The status has the process, the model, the address, the start, a beating heart, and the requests."""
    worker.start()
    address = worker.address()
    encoder().texts(["a"])
    encoder().texts(["b"])
    until(lambda: told()["requests"] == 2)
    first = told()

    assert (first["running"], first["model"], first["address"]) == (True, local_encoder().model, address)
    assert first["since"].endswith("+00:00")
    assert first["error"] == ""
    until(lambda: told()["heartbeat_seconds"] <= 0.1)
    assert set(first) >= {"pid", "heartbeat_seconds"}


@pytest.mark.usefixtures("iris")
def test_first_need_starts_it(folder: Path) -> None:
    """The first function that is called starts it, and gives the vectors of a model that its process did not load."""
    expected = np.stack([local_encoder().texts(["マアジ"])[0], local_encoder().texts(["赤い魚"])[0]])
    before = lines(folder)

    found = [np.array(procedures.embed_text(text).split(","), float) for text in ("マアジ", "赤い魚")]

    assert np.abs(np.stack(found) - expected).max() < 1e-6
    own = lines(folder).removeprefix(before)
    assert f"process {os.getpid()} loaded" not in own
    assert f"process {told()['pid']} loaded" in own


@pytest.mark.usefixtures("iris")
def test_started_twice() -> None:
    """A second start says that one runs, and leaves it alone."""
    worker.start()
    process = told()["pid"]

    assert worker.start().startswith(f"The worker ran already: process {process} ")
    assert told()["pid"] == process


def test_starts_at_once(iris: Any) -> None:
    """Of many starts at once one makes the worker, and all wait for it; the processes of the others end."""
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: worker.start(), range(4)))

    assert {re.findall(r"process (\d+)", each)[0] for each in said} == {told()["pid"]}
    jobs = iris.cls("MeetUp2025.Worker").jobs
    until(lambda: sum(job.poll() is None for job in jobs) == 1)


@pytest.mark.usefixtures("iris")
def test_socket_is_the_users_alone(folder: Path) -> None:
    """Nobody else of the machine may enter the folder, or use the socket."""
    worker.start()
    path = folder / worker.SOCKET

    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)] == [0o700, 0o600]


@pytest.mark.usefixtures("iris")
def test_server_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is named is used, and no worker is started."""
    monkeypatch.setenv("MEETUP2025_ENCODER", "http://127.0.0.1:9")

    with pytest.raises(EncoderUnavailableError, match=r"http://127\.0\.0\.1:9 must answer"):
        encoder()
    assert not told()["running"]


@pytest.mark.parametrize("value", ["0", ""])
def test_switched_off(iris: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    """Switched off, the process loads its own model, says how long that took, and starts nothing."""
    monkeypatch.setenv("MEETUP2025_WORKER", value)
    local_encoder.__globals__["_encoder"].cache_clear()

    assert encoder().texts(["a"]).shape == (1, 512)

    assert not is_running(iris)
    said = rf"MeetUp2025: process {os.getpid()} loaded sketch@\S+ for texts in \d+\.\d seconds\.\n"
    assert re.fullmatch(said, lines(folder))


# --- bad days -------------------------------------------------------------------------------------------------------


def test_killed_between_requests(iris: Any) -> None:
    """The next call finds the lock free, and starts another."""
    encoder().texts(["a"])
    killed = kill(iris)

    assert encoder().texts(["a"]).shape == (1, 512)
    assert int(told()["pid"]) != killed


def test_killed_amid_a_request(iris: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for an answer gets one clear error, long before its time is over, and the next call works."""
    monkeypatch.setenv("DOUBLE_MODEL", "answers late")
    model = encoder("fake")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(model.texts, ["long"])
        until((folder / "asked").exists)
        kill(iris)
        with pytest.raises(EncoderUnavailableError, match=r"encoder\.sock must answer\. Got no"):
            running.result(LONG)

    assert encoder("fake").texts(["short"]).shape == (1, 2)


@pytest.mark.usefixtures("iris")
def test_model_that_is_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why a worker could not load its model is the error of the caller, at once; no other model takes its place."""
    monkeypatch.setenv("MEETUP2025_MODEL", "nobody")

    with pytest.raises(EncoderUnavailableError, match=f"{RULE}MissingModelError: .*nobody"):
        encoder()
    with pytest.raises(EncoderUnavailableError, match="nobody"):
        worker.start()

    assert not told()["running"]
    assert told()["error"].startswith("MissingModelError: ")
    assert "MeetUp2025.Worker: MissingModelError: " in lines(folder)


@pytest.mark.usefixtures("iris")
def test_process_that_dies_while_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed before it is ready says nothing; its lock does."""
    monkeypatch.setenv("DOUBLE_MODEL", "dies")
    monkeypatch.setattr(worker, "START_SECONDS", LONG)

    with pytest.raises(EncoderUnavailableError, match=r"Got: a worker that ended; messages\.log may say why"):
        encoder("fake")


class Late:
    """An instance whose new process takes the lock right after a look at it."""

    def __init__(self, *, lives: bool) -> None:
        self.looks = 0
        self.lives = lives
        self.told = {"beat": "", "pid": "", "stop": "", "error": ""}.__getitem__

    def is_running(self) -> bool:
        """Take the lock after the second look."""
        self.looks += 1
        if self.looks == 2:
            self.told = {"beat": "1", "pid": "7", "stop": "", "error": "a fault"}.__getitem__
        return self.looks > 2 and self.lives

    def tell(self, **_: Any) -> None:
        """Forget the dead one."""

    def start(self) -> bool:
        """Start the process."""
        return True


def test_lock_that_is_taken_between_two_looks() -> None:
    """A process that takes the lock right after a look is not taken for one that has ended."""
    worker._ensure(Late(lives=True))  # type: ignore[arg-type]

    with pytest.raises(EncoderUnavailableError, match="a fault"):
        worker._ensure(Late(lives=False))  # type: ignore[arg-type]


@pytest.mark.usefixtures("iris")
def test_need_while_another_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who needs a worker while one ends waits for the end, and starts the next."""
    monkeypatch.setenv("DOUBLE_MODEL", "answers late")
    model = encoder("fake")
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(model.texts, ["short"])
        until((folder / "asked").exists)
        first = told()["pid"]
        stopping = pool.submit(worker.stop)
        until((folder / worker.GLOBAL[1:] / "stop").exists)
        worker.start()
        assert (running.result(LONG).shape, stopping.result(LONG)) == (
            (1, 2),
            f"The worker has ended: process {first}.",
        )

    assert told()["pid"] != first


@pytest.mark.usefixtures("iris")
def test_no_process_can_be_started(folder: Path) -> None:
    """Where JOB starts none, the caller is told."""
    (folder / "full").touch()

    with pytest.raises(EncoderUnavailableError, match=f"{RULE}no process that JOB could start in time"):
        encoder()


@pytest.mark.usefixtures("iris")
def test_start_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller waits as long as it is said, and no longer; the worker gets ready, and the next caller has it."""
    monkeypatch.setenv("DOUBLE_MODEL", "loads long")
    monkeypatch.setattr(worker, "START_SECONDS", 0.5)

    with pytest.raises(EncoderUnavailableError, match=r"no worker that was ready within 0\.5 seconds"):
        encoder("fake")

    monkeypatch.setattr(worker, "START_SECONDS", LONG)
    assert encoder("fake").texts(["a"]).shape == (1, 2)


def test_stop_takes_too_long(iris: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not end in time is reported with its process, and not killed; it ends when it can."""
    monkeypatch.setenv("DOUBLE_MODEL", "loads long")
    assert iris.cls("MeetUp2025.Worker").Job() == 1
    until(lambda: told().get("pid"))
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.2)

    with pytest.raises(OperationalError, match=rf"Got process {told()['pid']}, which still runs"):
        worker.stop()

    assert is_running(iris)
    until(lambda: not is_running(iris))


@pytest.mark.usefixtures("iris")
def test_stop_amid_a_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that runs is answered before the worker ends."""
    monkeypatch.setenv("DOUBLE_MODEL", "answers late")
    model = encoder("fake")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(model.texts, ["short"])
        until((folder / "asked").exists)
        worker.stop()
        assert running.result(LONG).shape == (1, 2)


@pytest.mark.usefixtures("iris")
def test_requests_that_fail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the model is an error of its caller, and told in the status and in messages.log; the worker lives."""
    monkeypatch.setenv("DOUBLE_MODEL", "fails")

    with pytest.raises(EncoderUnavailableError, match="Got status 500"):
        encoder("fake").texts(["a"])

    until(lambda: "500" in told()["error"])
    assert "MeetUp2025.Worker: POST /v1/embeddings 500" in lines(folder)
    assert told()["running"]


@pytest.mark.usefixtures("iris")
def test_worker_of_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the setting Model is another by now, the error says which one the worker has, until it is started again."""
    monkeypatch.setenv("DOUBLE_MODEL", "good")
    assert encoder("fake").texts(["a"]).shape == (1, 2)
    monkeypatch.delenv("DOUBLE_MODEL")

    with pytest.raises(MissingModelError, match="Got 'sketch'; it has: fake"):
        encoder()

    worker.stop()
    assert encoder().texts(["a"]).shape == (1, 512)


@pytest.mark.usefixtures("iris")
def test_folder_that_others_may_enter(folder: Path) -> None:
    """No socket is made in a folder that others may use."""
    place = (folder / worker.SOCKET).parent
    place.mkdir()
    place.chmod(0o755)

    with pytest.raises(EncoderUnavailableError, match=r"Only this user may have access to .* \(mode 0700\)"):
        worker.start()


def test_long_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose path leaves no room for a socket is told."""
    long = folder / ("x" * LONGEST_SOCKET_PATH)
    long.mkdir()
    monkeypatch.setenv("MEETUP2025_WORKER", "1")

    with instance(long), pytest.raises(EncoderUnavailableError, match=f"a socket may have {LONGEST_SOCKET_PATH}"):
        worker.start()


@pytest.mark.usefixtures("iris")
def test_system_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python has no Unix sockets, as on Windows, no process is started, and the error says what to use."""
    monkeypatch.delattr(socket, "AF_UNIX")

    with pytest.raises(EncoderUnavailableError, match="use `meetup2025 serve` on a port"):
        worker.start()
    assert not told()["running"]


def test_long_path_of_a_request() -> None:
    """A line of a request whose path leaves no room for its status is no fault of the server."""
    requests = worker._Requests()

    requests.count_line("GET /" + 490 * "x")
    requests.count_line("POST /v1/embeddings 200 1.0 ms")

    assert (requests.count, list(requests.failures)) == (1, [])


def test_no_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of IRIS there is no worker, and nothing else takes its place."""
    monkeypatch.setenv("MEETUP2025_WORKER", "1")

    for function in (encoder, worker.start, worker.stop, worker.status):
        with pytest.raises(EncoderUnavailableError, match="only inside InterSystems IRIS"):
            function()


@pytest.mark.parametrize("value", ["yes", "2", "on"])
def test_setting_that_is_no_switch(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The setting is 1 or 0, and another value is not taken for one of these."""
    monkeypatch.setenv("MEETUP2025_WORKER", value)

    with pytest.raises(DataError, match=f"must be 1 or 0. Got '{value}'"):
        settings.uses_worker()


# --- messages.log ---------------------------------------------------------------------------------------------------


def test_line_outside_of_iris(caplog: pytest.LogCaptureFixture) -> None:
    """Elsewhere a line goes to the logger of the package, which is silent unless asked."""
    with caplog.at_level(logging.INFO, logger="meetup2025"):
        iris_process.log("a\nb")

    assert caplog.messages == ["a b"]


def test_line_of_another_thread(iris: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The module of IRIS is used in the main thread alone."""
    assert iris is not None
    with caplog.at_level(logging.INFO, logger="meetup2025"):
        thread = threading.Thread(target=iris_process.log, args=["a"])
        thread.start()
        thread.join(LONG)

    assert (caplog.messages, lines(folder)) == (["a"], "")


def test_log_that_cannot_be_written(iris: Any) -> None:
    """A log that cannot be written does not end what it tells of."""

    def refuse(_: str) -> None:
        raise RuntimeError("<PRIVILEGE>")

    iris.cls("%SYS.System").WriteToConsoleLog = refuse
    iris_process.log("a")


@pytest.mark.usefixtures("iris")
def test_methods_of_the_class() -> None:
    """Start, Status and Stop of the class, as an administrator calls them, run a worker from its start to its end."""
    assert call("Start").startswith("The worker has started: process ")
    assert json.loads(call("Status"))["running"]
    assert call("Stop").startswith("The worker has ended: process ")


# --- the class ------------------------------------------------------------------------------------------------------

[WORKER] = [source for source in read_sources() if source.record.name == "MeetUp2025.Worker"]


def test_class_and_module_agree() -> None:
    """The lock and the global of the class are those of the module, and so are the times that it names."""
    names = set(re.findall(r"\^[A-Z][\w.]+\w", WORKER.text))
    docs = {method.name: method.doc for method in WORKER.record.methods}

    assert names == {worker.GLOBAL}
    assert f"{worker.START_SECONDS:g} seconds" in docs["Start"]
    assert f"{worker.STOP_SECONDS:g} seconds" in docs["Stop"]
    assert {"Job", "IsRunning"} <= set(docs)


def test_order_of_the_process() -> None:
    """The process empties the global only when it has the lock, and lets it go last."""
    [body] = [word(body.node) for body in WORKER.bodies if body.method.name == "Run"]
    steps = ["lock +", "if '$test", "quit", "kill ^", '("pid") =', "do ..Serve()", "catch", "lock -"]

    places = [body.index(step) for step in steps]
    assert places == sorted(places)


def test_sql_does_not_see_it() -> None:
    """No user of SQL can start, stop or ask the worker."""
    assert not any(method.is_procedure for method in WORKER.record.methods)


def test_doubles_have_a_log() -> None:
    """The double of a process that the other tests use has a log too."""
    iris = iris_doubles.process_module(None)  # type: ignore[arg-type]
    with iris_doubles.installed(iris):
        iris_process.log("a")

    assert iris.logged == ["a"]
