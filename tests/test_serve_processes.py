"""`meetup2025 serve` as an operator runs it: processes, sockets of the file system, signals, SQL."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pictures import corners
from servers import FREE_PORT, LONG, TOKEN, GatedEncoder, process, served, socket_in, started, until

import meetup2025
from meetup2025.cli import main
from meetup2025.embedding import client, local_encoder
from meetup2025.embedding.client import RemoteEncoder
from meetup2025.errors import EncoderUnavailableError

SAMPLES = Path(meetup2025.__file__).parent / "samples"
TEXTS = [f"魚の写真 {place}" for place in range(96)]
IDENTIFY = "CALL MeetUp2025.Identify(?, 5)"
FIND = "CALL MeetUp2025.FindImages('赤い魚', 5)"

SLOW = """
import sys, time
import numpy as np
from meetup2025.embedding.server import serve_forever

class Slow:
    model, dimension, picture_size, languages = "slow@1", 2, 8, ()
    def check(self): pass
    def texts(self, texts):
        print("running", flush=True)
        time.sleep(float(sys.argv[2]))
        return np.ones((len(texts), 2), np.float32)

import signal, threading
stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
serve_forever(sys.argv[1], Slow, stop=stopped.is_set, ready=lambda url: print(url, flush=True))
"""
"""A server whose model takes as many seconds as it is told."""


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """No patience with servers that are dead."""
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.3)


@pytest.fixture
def address(tmp_path_factory):
    """Address of a socket; its path must be short."""
    return socket_in(Path(os.path.realpath(tmp_path_factory.mktemp("s"))))


def refused(*arguments, **environment):
    """Start a server that must fail; give its one line of error."""
    done = subprocess.run(
        [sys.executable, "-c", "from meetup2025.cli import main; main(prog_name='meetup2025')", "serve", *arguments],
        capture_output=True, text=True, check=False, timeout=LONG, env={**os.environ, **environment},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    return done.stderr


# --- the socket -----------------------------------------------------------------------------------------------------


def test_rights_of_the_socket(address):
    """The socket is its user's alone, and so is its folder; both ways to end a server remove it."""
    path = Path(address.removeprefix("unix:"))
    for number in (signal.SIGTERM, signal.SIGINT):
        with process("--listen", address) as (server, told):
            modes = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)]
            assert (told, modes) == (address, [0o700, 0o600])
            server.send_signal(number)
            assert (server.wait(LONG), *server.communicate()) == (0, "", "")
        assert not path.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_folder_that_others_may_enter(address, mode):
    """A socket is not made in a folder that others may use."""
    folder = Path(address.removeprefix("unix:")).parent
    folder.mkdir()
    folder.chmod(mode)
    assert f"(mode 0700). Got {folder}: mode {mode:04o}" in refused("--listen", address)
    assert list(folder.iterdir()) == []


def test_file_in_the_place_of_the_socket(address):
    """A file that is no socket is left alone."""
    path = Path(address.removeprefix("unix:"))
    path.parent.mkdir(mode=0o700)
    path.write_text("mine")
    assert "must not be an existing file" in refused("--listen", address)
    assert path.read_text() == "mine"


def test_socket_of_a_living_server(address):
    """A second server does not take the socket of one that lives."""
    with process("--listen", address):
        assert "must be free. Got one that is in use" in refused("--listen", address)
        assert RemoteEncoder(address, "sketch").texts(["a"]).shape == (1, 512)


def test_socket_of_another_program(address):
    """A socket that somebody answers is left alone, also where he took no lock."""
    path = Path(address.removeprefix("unix:"))
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert "must be free. Got one that is in use" in refused("--listen", address)
        assert path.exists()


def test_socket_of_a_killed_server(address):
    """The socket that a killed server left is taken over."""
    with process("--listen", address) as (server, _):
        server.kill()
        server.wait(LONG)
    assert Path(address.removeprefix("unix:")).exists()
    with process("--listen", address):
        assert RemoteEncoder(address, "sketch").texts(["a"]).shape == (1, 512)


NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


@needs_root
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later, where there are threads
def test_another_user(address):
    """The system keeps other users from the socket."""
    path = Path(address.removeprefix("unix:"))
    with process("--listen", address):
        assert "PermissionError" in _as_nobody(path)


def _as_nobody(path):
    """Ask for the models as another user, in a fork: that user may not start the interpreter of this one."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writing, _models_of(path).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found = pipe.read()
    os.wait()
    return found


def _models_of(path):
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /v1/models HTTP/1.0\r\n\r\n")
            return client.recv(9999).decode()
    except OSError as error:
        return type(error).__name__


# --- ports and tokens -----------------------------------------------------------------------------------------------


def test_port(tmp_path):
    """A port is served to those who have the token, from a file or the environment; never from the command line."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    for options, environment in ((["--token-file", str(file)], {}), ([], {"MEETUP2025_ENCODER_TOKEN": TOKEN})):
        with process("--listen", FREE_PORT, *options, environment=environment) as (server, url):
            with pytest.raises(EncoderUnavailableError, match="set MEETUP2025_ENCODER_TOKEN"):
                RemoteEncoder(url, "sketch")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MEETUP2025_ENCODER_TOKEN", TOKEN)
                assert RemoteEncoder(url, "sketch").texts(["a"]).shape == (1, 512)
            line = Path(f"/proc/{server.pid}/cmdline")
            assert not line.exists() or TOKEN.encode() not in line.read_bytes()


def test_port_without_a_token():
    """A port without a token is not served."""
    assert "A server on a port must have a token" in refused("--listen", FREE_PORT)


def test_port_in_use():
    """A port that is in use is told in one line."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        words = refused("--listen", url, MEETUP2025_ENCODER_TOKEN=TOKEN)
    assert f"The address {url} must be free. Got one that is in use" in words


@pytest.mark.parametrize("address", ["https://127.0.0.1:0", "http://192.0.2.1:80", "http://no-such-host.invalid:80"])
def test_address_that_cannot_be_served(address):
    """An address that is not of this machine, or wants TLS, is told in one line."""
    assert "must" in refused("--listen", address, MEETUP2025_ENCODER_TOKEN=TOKEN)


def test_no_address():
    """Without an address the command is written wrongly."""
    assert "--listen ADDRESS, or MEETUP2025_ENCODER" in CliRunner().invoke(main, ["serve"]).stderr


def test_missing_model(address):
    """A model that is not installed is told before anything is served."""
    assert "The model must be installed. Got 'nothing'" in refused("--listen", address, "--model", "nothing")


# --- many clients ---------------------------------------------------------------------------------------------------


def test_sixteen_clients(address):
    """Sixteen clients at once have the vectors that one process makes for itself, of texts and of pictures."""
    local = local_encoder("sketch")
    pictures = [corners(place + 50, 60) for place in range(32)]
    with process("--listen", address), ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: RemoteEncoder(address, "sketch").texts([text]), TEXTS))
        seen = list(pool.map(lambda picture: RemoteEncoder(address, "sketch").images([picture]), pictures))
    assert np.allclose(np.vstack(found), local.texts(TEXTS), rtol=0, atol=1e-6)
    assert np.allclose(np.vstack(seen), local.images(pictures), rtol=0, atol=1e-6)


def test_clients_in_other_processes(address):
    """Processes share a server; with the log, each request is a line on standard error."""
    with process("--listen", address, "--log") as (server, _):
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            found = list(pool.map(_vector, [address] * 4, TEXTS[:4]))
        server.terminate()
        lines = server.communicate()[1].splitlines()
    assert np.allclose(np.vstack(found), local_encoder("sketch").texts(TEXTS[:4]), rtol=0, atol=1e-6)
    assert sum(" POST /v1/embeddings 200 " in line for line in lines) == 4
    assert (" started on " in lines[0], lines[-1].endswith(" stopped")) == (True, True)


def _vector(address, text):
    return RemoteEncoder(address, "sketch").texts([text])


@pytest.mark.anywhere
def test_sql(bundled, address, monkeypatch):
    """SQL gives the same rows, whether a server makes the vectors or the process itself."""

    def rows():
        with bundled.cursor() as cursor:
            return [cursor.execute(IDENTIFY, ["samples/saba.png"]).fetchall(), cursor.execute(FIND).fetchall()]

    expected = rows()
    with process("--listen", address):
        monkeypatch.setenv("MEETUP2025_ENCODER", address)
        found = rows()
    for before, after in zip(chain(*expected), chain(*found), strict=True):
        assert before[:-1] == after[:-1]
        assert before[-1] == pytest.approx(after[-1], abs=1e-6)
    with bundled.cursor() as cursor, pytest.raises(EncoderUnavailableError, match=f"{address} must answer"):
        cursor.execute(IDENTIFY, ["samples/saba.png"])


def test_command_line(address, tmp_path):
    """The command line uses the server of its environment."""
    own = {"MEETUP2025_ENCODER": address, "MEETUP2025_URL": f"duckdb:///{tmp_path / 'fish.duckdb'}"}
    command = ["identify", str(SAMPLES / "saba.png"), "--format", "csv", "-k", "1"]
    with process("--listen", address, "--log") as (server, _):
        result = CliRunner(env=own).invoke(main, command)
        server.terminate()
        log = server.communicate()[1]
    assert "マサバ" in result.stdout
    assert log.count("POST /v1/embeddings 200") >= 2


# --- ends -----------------------------------------------------------------------------------------------------------


def test_end_finishes_the_running_request(address):
    """SIGTERM amid a request: its answer still comes, then the process ends with 0."""
    with started([sys.executable, "-c", SLOW, address, "0.5"]) as (server, _):
        encoder = RemoteEncoder(address, "slow")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(encoder.texts, ["a"])
            assert server.stdout.readline() == "running\n"
            server.terminate()
            assert running.result(LONG).shape == (1, 2)
        assert server.wait(LONG) == 0


def test_killed_amid_a_request(address):
    """SIGKILL amid a request is one clear error, before the time of the request is over."""
    with started([sys.executable, "-c", SLOW, address, "60"]) as (server, _):
        encoder = RemoteEncoder(f"{address}?timeout=30", "slow")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(encoder.texts, ["a"])
            assert server.stdout.readline() == "running\n"
            server.kill()
            with pytest.raises(EncoderUnavailableError, match=f"The encoder server {address} must answer. Got no"):
                running.result(LONG)


def test_two_signals(address):
    """A second signal ends a server at once, whatever runs."""
    with process("--listen", address) as (server, _), socket.socket(socket.AF_UNIX) as client:
        client.connect(address.removeprefix("unix:"))
        client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert client.recv(9999).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        server.terminate()
        until(lambda: _is_refused(address))
        assert server.poll() is None
        server.terminate()
        assert server.wait(LONG) == -signal.SIGTERM


def _is_refused(address):
    """Tell whether a server takes no connection any more."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(address.removeprefix("unix:")) != 0


def test_server_in_a_thread_of_a_client(address):
    """A server may run in a thread, and sets no signal handlers there."""
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    with served(GatedEncoder(), address, token="") as running:
        assert RemoteEncoder(running.url, "gated").texts(["a"]).shape == (1, 8)
        assert before == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    until(lambda: not Path(address.removeprefix("unix:")).exists())
