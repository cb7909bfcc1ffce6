"""The client of an encoder server gives the vectors of the server's model, or one clear error."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictures import corners, noise
from servers import LONG, TOKEN, GatedEncoder, answering, http_answer, served, through_tls, until

from meetup2025 import images
from meetup2025.embedding import client, encoder as shared
from meetup2025.embedding.addresses import ServerAddress, parse_address
from meetup2025.embedding.client import RemoteEncoder, data_url, remote_encoder
from meetup2025.embedding.server import Limits
from meetup2025.errors import (
    BrokenModelError,
    DataError,
    EncoderUnavailableError,
    InterfaceError,
    MissingModelError,
    ModelMismatchError,
)

TOLD = {"id": "gated", "model": "gated@1", "dimension": 8, "picture_size": 16}
MODELS = http_answer({"object": "list", "data": [TOLD]})
ROW = [1.0, 0, 0, 0, 0, 0, 0, 0]


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    """The token of the servers, and no patience with those that are dead."""
    monkeypatch.setenv("MEETUP2025_ENCODER_TOKEN", TOKEN)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(client, "_encoders", {})


@pytest.fixture
def encoder():
    """A model that the test can hold up."""
    return GatedEncoder()


@pytest.fixture
def server(encoder):
    """A server of that model."""
    with served(encoder) as running:
        yield running


def answer(*rows, model="gated@1", **changes):
    """Write the answer of a server."""
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    return http_answer({"object": "list", "data": data, "model": model, **changes})


# --- vectors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_texts(server, count):
    """Texts have the vectors that the model gives them here, in their order, in requests of 32 at most."""
    texts = [f"マアジ {place}" for place in range(count)]
    found = RemoteEncoder(server.url, "gated").texts(texts)
    assert (found.shape, found.dtype) == ((count, 8), np.float32)
    assert count == 0 or np.allclose(found, GatedEncoder().texts(texts), rtol=0, atol=1e-6)


def test_texts_are_spelled(server, encoder):
    """A server of whatever make gets each text in the one spelling of the project."""
    asked = RemoteEncoder(server.url, "gated").texts(["\u3000ﾌﾞﾘ \n", "\ufeffred  fish"])
    assert np.array_equal(asked, RemoteEncoder(server.url, "gated").texts(["ブリ", "red fish"]))
    assert encoder.batches[0] == ["ブリ", "red fish"]


@pytest.mark.slow
def test_ten_thousand_texts(server, encoder):
    """Any number of texts is embedded."""
    texts = [f"text {place}" for place in range(10_000)]
    found = RemoteEncoder(server.url, "gated").texts(texts)
    assert np.allclose(found, GatedEncoder().texts(texts), rtol=0, atol=1e-6)
    assert {len(batch) for batch in encoder.batches} == {8}


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK"])
@pytest.mark.parametrize("size", [(60, 40), (16, 16), (31, 31), (32, 32), (5, 3), (1, 300)])
def test_images(server, mode, size):
    """A picture of any mode and size has the vector that it has here, once `open_picture` has made it small."""
    picture = corners(*size).convert(mode)
    small = picture.convert("RGB").reduce(max(1, max(size) // 16))
    found = RemoteEncoder(server.url, "gated").images([picture, corners()])
    assert found.shape == (2, 8)
    assert np.allclose(found[0], GatedEncoder().images([small])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("is_packed", [True, False])
def test_pictures_lose_nothing(is_packed):
    """A picture arrives pixel by pixel as it was sent."""
    picture = noise(31, 20)
    found = images.open_picture(data_url(picture, 16, is_packed=is_packed), longest=16)
    assert np.array_equal(np.asarray(found), np.asarray(picture))


def test_many_large_pictures(encoder, monkeypatch):
    """Pictures are sent in requests that a server takes, however large they are together."""
    monkeypatch.setattr(client, "BATCH_CHARACTERS", 8_000)
    with served(encoder, limits=Limits(body=10_000)) as running:
        assert RemoteEncoder(running.url, "gated").images([noise(30, 30)] * 5).shape == (5, 8)
    assert [len(batch) for batch in encoder.batches] == [2, 2, 1]


def test_what_it_says(server):
    """A client takes name, dimension and picture size from the server, and needs no model here."""
    found = RemoteEncoder(server.url, "gated")
    assert (found.model, found.dimension, found.picture_size) == ("gated@1", 8, 16)
    assert RemoteEncoder(server.url, "gated@1").model == "gated@1"
    found.check()


def test_encoder(server, monkeypatch):
    """MEETUP2025_ENCODER makes the encoder of a process that of the server: one object."""
    monkeypatch.setenv("MEETUP2025_ENCODER", server.url)
    monkeypatch.setenv("MEETUP2025_MODEL", "gated")
    assert isinstance(shared(), RemoteEncoder)
    assert shared() is shared("gated")
    assert shared().model == "gated@1"


def test_client_loads_no_model(server):
    """A process that uses a server loads neither ONNX Runtime nor a tokenizer."""
    program = (
        "import sys; from PIL import Image; from meetup2025.embedding import encoder; "
        "encoder().images([Image.new('RGB', (64, 32))]); encoder().texts(['a']); "
        "print([name for name in ('onnxruntime', 'tokenizers', 'duckdb') if name in sys.modules])"
    )
    own = {**os.environ, "MEETUP2025_ENCODER": server.url, "MEETUP2025_MODEL": "gated"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=own)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


# --- connections ----------------------------------------------------------------------------------------------------


def test_connections_are_kept(server):
    """A thread keeps its connection; each thread has its own."""
    found = RemoteEncoder(server.url, "gated")
    kept = [found._exchange._connection(time.monotonic() + LONG) for _ in range(2)]
    found.texts(["a"])
    assert kept[0][0] is kept[1][0] is found._exchange._kept.connection
    assert [is_new for _, is_new in kept] == [False, False]
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(found.texts, [[f"text {place}"] for place in range(64)]))
    assert np.allclose(np.vstack(rows), GatedEncoder().texts([f"text {place}" for place in range(64)]), atol=1e-6)


def test_connection_that_was_closed_meanwhile(encoder):
    """A kept connection that the server has closed costs nothing but another one."""
    with served(encoder, limits=Limits(idle=1)) as running:
        found = RemoteEncoder(running.url, "gated")
        kept = found._exchange._kept.connection
        assert kept.sock.recv(1) == b""
        assert found.texts(["a"]).shape == (1, 8)
        assert found._exchange._kept.connection is not kept


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later, where there are threads
def test_forked_process(server):
    """A forked process opens a connection of its own; that of its parent goes on."""
    found = RemoteEncoder(server.url, "gated")
    expected = found.texts(["a"])
    mine = found._exchange._kept.connection
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        is_right = np.array_equal(found.texts(["a"]), expected) and found._exchange._kept.connection is not mine
        os.write(writing, b"1" if is_right else b"0")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.close(writing)
    assert np.array_equal(found.texts(["a"]), expected)
    assert found._exchange._kept.connection is mine


@pytest.mark.parametrize("signal", [KeyboardInterrupt, MemoryError])
def test_interrupted_request(server, monkeypatch, signal):
    """After an interruption the next request does not get the answer to the one before."""
    found = RemoteEncoder(server.url, "gated")

    def interrupt(*_):
        raise signal

    with monkeypatch.context() as patch:
        patch.setattr("http.client.HTTPConnection.getresponse", interrupt)
        with pytest.raises(signal):
            found.texts(["a"])
    assert np.allclose(found.texts(["b"]), GatedEncoder().texts(["b"]), atol=1e-6)


@pytest.fixture
def certificate(tmp_path):
    """A certificate of this machine, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = [tmp_path / "certificate", tmp_path / "key"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    command += ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.mark.parametrize("is_known", [True, False])
def test_tls(server, certificate, monkeypatch, is_known):
    """A server behind a proxy that speaks TLS is used when its certificate is known, and not otherwise."""
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with through_tls(server, *certificate) as url:
        if is_known:
            found = RemoteEncoder(url, "gated").texts(["a", "b"])
            assert np.allclose(found, GatedEncoder().texts(["a", "b"]), atol=1e-6)
        else:
            error = failed(url)
            assert isinstance(error, EncoderUnavailableError)
            assert "certificate" in str(error)


# --- a server that does not answer ----------------------------------------------------------------------------------


def failed(url, name="gated", use=None):
    """Use a server that fails; give the one error."""
    with pytest.raises(Exception, match=r"127\.0\.0\.1|unix:") as caught:
        (use or (lambda each: each.texts(["a"])))(RemoteEncoder(url, name))
    return caught.value


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "unix:/nowhere/at/all"])
def test_no_server(url):
    """A server that is not there is one error that says what to do."""
    error = failed(url)
    assert isinstance(error, (EncoderUnavailableError, ConnectionError))
    assert "Got no connection" in str(error)
    assert "unset MEETUP2025_ENCODER" in str(error)


def test_server_that_is_being_started(encoder, monkeypatch):
    """A server that comes up within the time for connecting is waited for."""
    monkeypatch.setattr(client, "CONNECT_SECONDS", LONG)
    with served(encoder) as running:
        place = running.url
    found = []
    asking = threading.Thread(target=lambda: found.append(RemoteEncoder(place, "gated").texts(["a"])))
    asking.start()
    time.sleep(0.3)
    with served(encoder, place):
        asking.join(LONG)
    assert found[0].shape == (1, 8)


@pytest.mark.parametrize("pause", [1000, 0.05])
def test_slow_server(pause):
    """A server that says nothing, or a byte now and then, is given up when the time is over."""
    with answering(MODELS, pause=pause) as (url, _):
        error = failed(f"{url}?timeout=0.5")
    assert isinstance(error, EncoderUnavailableError)
    assert "no answer within 0.5 seconds" in str(error)


def test_slow_model(encoder):
    """The time that a server takes is bounded by the client, and by the server."""
    with served(encoder) as running:
        found = RemoteEncoder(f"{running.url}?timeout=0.4", "gated")
        encoder.gate.clear()
        with pytest.raises(EncoderUnavailableError, match=r"within 0\.4 seconds"):
            found.texts(["a"])
        encoder.gate.set()
    with served(encoder, limits=Limits(seconds=0.3)) as running:
        found = RemoteEncoder(running.url, "gated")
        encoder.gate.clear()
        with pytest.raises(EncoderUnavailableError, match="status 504: The model must answer in time"):
            found.texts(["a"])


def test_closed_without_an_answer():
    """A request that gets no answer is sent three times, and no more: it may be what ends the server."""
    with answering(MODELS, b"") as (url, heard):
        error = failed(url)
    assert isinstance(error, EncoderUnavailableError)
    assert "no answer, 3 times" in str(error)
    assert len(heard) == 1 + 3


@pytest.mark.parametrize(
    "lost", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", http_answer(b"lost", "502 Bad Gateway")]
)
def test_lost_once(lost):
    """A request that gets no answer, half an answer, or one of a proxy that lost the server, is sent again."""
    with answering(MODELS, lost, answer(ROW)) as (url, heard):
        assert RemoteEncoder(url, "gated").texts(["a"]).shape == (1, 8)
    assert heard[1] == heard[2]


def test_busy_server():
    """A server that asks to come again is asked again, after the time that it says."""
    busy = http_answer({"error": {"message": "busy"}}, "429 Too Many Requests", Retry_After="1")
    with answering(MODELS, busy, answer(ROW)) as (url, heard):
        assert RemoteEncoder(url, "gated").texts(["a"]).shape == (1, 8)
    assert len(heard) == 3


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_server_that_stays_busy(status):
    """A server that is busy for longer than the time is given up, without waiting for its end."""
    busy = http_answer({"error": {"message": "busy"}}, status, Retry_After="3600")
    with answering(MODELS, busy) as (url, _):
        error = failed(url)
    assert isinstance(error, EncoderUnavailableError)
    assert f"status {status[:3]}: it is busy" in str(error)


# --- a server that answers what it should not -----------------------------------------------------------------------

NO_SENSE = [
    b"garbage\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    http_answer(b"<html>It works!</html>"),
    http_answer(b"[" * 100_000),
    http_answer([]),
    http_answer({"error": {"message": "moved"}}, "302 Found", Location="http://127.0.0.1:1/"),
    http_answer({"error": {"message": "a fault"}}, "500 Internal Server Error"),
    http_answer({"error": "no such path"}, "404 Not Found"),
    http_answer({"detail": "no"}, "503 Service Unavailable"),
    http_answer({}, "503 Service Unavailable", Retry_After="soon"),
    answer(ROW, model=None),
    http_answer({}),
    answer(data=None),
    answer(data={}),
    answer(data=[5]),
    answer(data=[{"index": 0}]),
    answer(),
    answer(ROW, ROW),
    answer(ROW, data=[{"index": 0, "embedding": ROW}] * 2),
    answer(ROW, data=[{"index": 1, "embedding": ROW}]),
    answer(ROW, data=[{"index": [], "embedding": ROW}]),
    answer([[1.0]]),
    answer(["x"]),
    answer("?"),
    answer("AAA="),
    answer(5),
]


@pytest.mark.parametrize("answered", NO_SENSE, ids=range(len(NO_SENSE)))
def test_answers_without_sense(answered):
    """An answer that is not of the form is one error of one line that is not too long."""
    with answering(MODELS, answered) as (url, _):
        error = failed(url)
    assert isinstance(error, EncoderUnavailableError)
    assert len(str(error)) < 700


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ROW[:7]], "must have 8 items. Got 7"),
        ([[*ROW, 0.0]], "must have 8 items. Got 9"),
        ([[float("nan"), *ROW[1:]]], "Got nan at item 1"),
        ([[float("inf"), *ROW[1:]]], "Got inf at item 1"),
        ([[0.0] * 8], "Got 8 zeros"),
        ([base64.b64encode(np.full(8, np.nan, "<f4").tobytes()).decode()], "Got nan at item 1"),
        ([base64.b64encode(np.ones(9, "<f4").tobytes()).decode()], "must have 8 items. Got 9"),
        ([[]], "must have 8 items. Got 0"),
    ],
)
def test_no_vectors(rows, words):
    """Vectors that are none are a fault of the model, and never used."""
    with answering(MODELS, answer(*rows)) as (url, _):
        error = failed(url)
    assert isinstance(error, BrokenModelError)
    assert words in str(error)


def test_vectors_become_unit_vectors():
    """Vectors of another length, as foreign servers give them, have the length 1 here, in the order of the inputs."""
    swapped = answer(data=[{"index": 1, "embedding": [2.0] * 8}, {"index": 0, "embedding": [5.0, *ROW[1:]]}])
    with answering(MODELS, swapped) as (url, _):
        found = RemoteEncoder(url, "gated").texts(["a", "b"])
    assert np.allclose(found, [ROW, [8**-0.5] * 8], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "answered",
    [
        answer(ROW, model="gated@2"),
        http_answer({"error": {"message": "model must be gated or gated@2"}}, "404 Not Found"),
    ],
)
def test_another_model_by_now(answered):
    """A server that has another model than before is an error; the next use of it learns what it has."""
    second = http_answer({"data": [{**TOLD, "model": "gated@2"}]})
    with answering(MODELS, answered, second) as (url, _):
        before = remote_encoder(url, "gated")
        with pytest.raises(ModelMismatchError, match="must have gated@1, as it did before"):
            before.texts(["a"])
        assert before.model == "gated@1"
        assert remote_encoder(url, "gated").model == "gated@2"


def test_missing_model(server):
    """A model that the server does not have is an error that tells what it has; no other is taken."""
    error = failed(server.url, "sketch")
    assert isinstance(error, MissingModelError)
    assert "Got 'sketch'; it has: gated." in str(error)


@pytest.mark.parametrize("changes", [{"dimension": 0}, {"dimension": "8"}, {"picture_size": 10**9}, {"dimension": 9.5}])
def test_list_of_models_without_sense(changes):
    """A server that tells no sizes is refused at once."""
    with answering(http_answer({"data": [{**TOLD, **changes}]})) as (url, _):
        error = failed(url)
    assert isinstance(error, EncoderUnavailableError)
    assert next(iter(changes)) in str(error)


@pytest.mark.parametrize("given", ["", "wrong-token-of-some-length"])
def test_wrong_token(server, monkeypatch, given):
    """A token that the server does not know is told, and not shown."""
    monkeypatch.setenv("MEETUP2025_ENCODER_TOKEN", given)
    error = failed(server.url)
    assert isinstance(error, EncoderUnavailableError)
    assert "set MEETUP2025_ENCODER_TOKEN" in str(error)
    assert not given or given not in str(error)


def test_token_that_is_no_header(server, monkeypatch):
    """A token that could smuggle in a header is refused before anything is sent."""
    monkeypatch.setenv("MEETUP2025_ENCODER_TOKEN", "a\r\nX: y")
    with pytest.raises(InterfaceError, match="must be printable ASCII"):
        RemoteEncoder(server.url, "gated")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("400 Bad Request", {"error": {"message": "bad text"}}, "bad text"),
        ("422 Unprocessable Entity", {"detail": [{"msg": "bad field"}]}, "bad field"),
        ("413 Content Too Large", {"error": "too large"}, "too large"),
    ],
)
def test_refused_input(status, body, words):
    """What a server refuses is a fault of the data, told in the server's words."""
    with answering(MODELS, http_answer(body, status)) as (url, _):
        error = failed(url)
    assert isinstance(error, DataError)
    assert words in str(error)


@pytest.mark.parametrize("text", ["", " \n", "\u3000"])
def test_empty_text(server, encoder, text):
    """An empty text is refused as an encoder of this process does it, and not sent."""
    with pytest.raises(DataError, match=r"must not be empty. Got .*, text 2 of 2"):
        RemoteEncoder(server.url, "gated").texts(["a", text])
    assert encoder.batches == []


def test_endless_answer(monkeypatch):
    """An answer has an end, whatever the server says."""
    monkeypatch.setattr(client, "MOST_BYTES", 100_000)
    with answering(MODELS, http_answer(b" " * 200_000)) as (url, _):
        error = failed(url)
    assert isinstance(error, EncoderUnavailableError)
    assert "more than 100000 bytes" in str(error)


# --- foreign servers ------------------------------------------------------------------------------------------------


def test_foreign_server():
    """A server without our extra fields: the dimension is that of its first answer, pictures are PNG of 512 pixels."""
    listed = http_answer({"object": "list", "data": [{"id": "org/clip", "object": "model"}]})
    vector = answer([3.0, 4.0], model="org/clip")
    with answering(listed, vector) as (url, heard):
        found = RemoteEncoder(url, "org/clip")
        assert (found.model, found.dimension, found.picture_size) == ("org/clip", 2, 512)
        assert np.allclose(found.images([noise(2000, 1000)]), [[0.6, 0.8]])
    assert heard[0].startswith(b"GET /v1/models ")
    body = json.loads(heard[-1].partition(b"\r\n\r\n")[2])
    assert body["model"] == "org/clip"
    assert body["input"][0]["image"].startswith("data:image/png;base64,")
    assert images.open_picture(body["input"][0]["image"], longest=512).size == (667, 334)


def test_foreign_server_by_settings():
    """Its prefix, picture size, time and form of pictures are said in the URL; it need have no list of models."""
    missing = http_answer({"detail": "Not Found"}, "404 Not Found")
    with answering(missing, answer([3.0, 4.0], model="clip")) as (url, heard):
        found = RemoteEncoder(f"{url}/api/?size=32&pictures=modality&timeout=5", "clip")
        assert (found.picture_size, found._exchange.timeout) == (32, 5)
        found.images([noise(64, 64)])
    assert [each.split()[1] for each in heard] == [b"/api/models", b"/api/embeddings", b"/api/embeddings"]
    body = json.loads(heard[-1].partition(b"\r\n\r\n")[2])
    assert body["modality"] == "image"
    assert body["input"][0].startswith("data:image/png;base64,")


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8025", ServerAddress("http", "127.0.0.1", 8025, "/v1", {})),
        ("http://[::1]:8025/", ServerAddress("http", "::1", 8025, "", {})),
        ("https://example.org/api/v1/", ServerAddress("https", "example.org", 443, "/api/v1", {})),
        ("http://host", ServerAddress("http", "host", 80, "/v1", {})),
        (" unix:/run/a/b?timeout=5 ", ServerAddress("unix", "/run/a/b", 0, "/v1", {"timeout": "5"})),
        ("unix:///run/a/b", ServerAddress("unix", "/run/a/b", 0, "/v1", {})),
    ],
)
def test_address(text, expected):
    """An address is a socket or a URL, with a prefix and options."""
    assert parse_address(text) == expected
    assert "?" not in str(expected)


@pytest.mark.parametrize(
    "text",
    ["", "localhost:8025", "127.0.0.1", "ftp://host", "http://", "http://host:99999", "http://host:x", "unix:",
     "unix:a",
     "unix://host/a",
     f"unix:/{'a' * 101}", "http://host/#a", "http://user:secret@host", "http://host?a&b"],
)  # fmt: skip
def test_wrong_address(text):
    """What is no address is refused, and a password in it is not shown."""
    with pytest.raises(InterfaceError, match=r"must be like unix:/path or http://127\.0\.0\.1:8025") as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("options", ["timeout=0", "timeout=x", "size=-1", "sise=5", "timeout=nan", "timeout=1e9"])
def test_wrong_options(options):
    """An option that is none, or no number above 0, is refused before anything is sent."""
    with pytest.raises(InterfaceError, match="must be"):
        RemoteEncoder(f"http://127.0.0.1:1?{options}", "gated")


def test_many_clients(server, encoder):
    """Sixteen clients at once get what one gets, and are embedded together."""
    texts = [f"text {place}" for place in range(160)]
    with ThreadPoolExecutor(16) as pool:
        rows = list(pool.map(lambda text: RemoteEncoder(server.url, "gated").texts([text]), texts))
    assert np.allclose(np.vstack(rows), GatedEncoder().texts(texts), rtol=0, atol=1e-6)
    until(lambda: len(encoder.batches) <= 160)
