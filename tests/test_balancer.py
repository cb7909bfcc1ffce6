"""Two servers behind a load balancer, with the files of the documentation, are one server that does not fail."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from servers import FREE_PORT, LONG, TOKEN, process, until

from meetup2025.embedding import local_encoder
from meetup2025.embedding.client import RemoteEncoder

PAGE = Path(__file__).parents[1] / "docs" / "serving.md"
TEXTS = [f"魚の写真 {place}" for place in range(400)]


def documented(language):
    """Give a file that the page on serving shows."""
    return re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]


def free_port():
    """Give a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def haproxy(file):
    """Run HAProxy."""
    with subprocess.Popen(["haproxy", "-db", "-q", "-f", str(file)]) as running:
        try:
            yield
        finally:
            running.terminate()


@contextmanager
def nginx(file):
    """Run nginx, with its own files in the folder of the test."""
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{name}_temp_path {file.parent / name};" for name in names)
    file.write_text(file.read_text("utf-8").replace("http {", f"http {{ access_log off; {own}"))
    first = f"daemon off; pid {file.parent / 'pid'}; error_log {file.parent / 'log'};"
    with subprocess.Popen(["nginx", "-c", str(file), "-g", first, "-e", str(file.parent / "first")]) as running:
        try:
            yield
        finally:
            running.terminate()


@pytest.mark.parametrize("balancer", [haproxy, nginx], ids=["haproxy", "nginx"])
def test_one_of_two_servers_is_killed(balancer, tmp_path, monkeypatch):
    """Every client gets its vectors, though one of two servers is killed amid the requests."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    monkeypatch.setenv("PATH", path)
    if not shutil.which(balancer.__name__):
        pytest.skip(f"no {balancer.__name__}")
    monkeypatch.setenv("MEETUP2025_ENCODER_TOKEN", TOKEN)
    with ExitStack() as stack:
        servers = [stack.enter_context(process("--listen", FREE_PORT, "--log")) for _ in range(2)]
        ports = [free_port(), *(int(url.rpartition(":")[2]) for _, url in servers)]
        text = documented(balancer.__name__)
        for documented_port, port in zip((8025, 8026, 8027), ports, strict=True):
            text = text.replace(f":{documented_port}", f":{port}")
        file = tmp_path / "configuration"
        file.write_text(text, "utf-8")
        stack.enter_context(balancer(file))
        until(lambda: _accepts(ports[0]))
        encoder = RemoteEncoder(f"http://127.0.0.1:{ports[0]}", "sketch")
        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(lambda text: encoder.texts([text]), TEXTS[:200]))
            second = pool.map(lambda text: encoder.texts([text]), TEXTS[200:])
            servers[0][0].kill()
            found = [*first, *second]
        servers[1][0].terminate()
        log = servers[1][0].communicate(timeout=LONG)[1]
    assert np.allclose(np.vstack(found), local_encoder("sketch").texts(TEXTS), rtol=0, atol=1e-6)
    assert 200 <= log.count("POST /v1/embeddings 200") < 400


def _accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=LONG).close()
    except ConnectionRefusedError:
        return False
    return True
