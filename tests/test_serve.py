"""The encoder server answers in the OpenAI form, keeps its limits, and embeds together what comes together."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import socket
import threading
from contextlib import closing

import numpy as np
import pytest
from pictures import corners, encoded, jpeg_of_size, png_header
from servers import AUTHORIZED, FREE_PORT, LONG, TOKEN, Asking, GatedEncoder, ask, served, until

from meetup2025 import images
from meetup2025.embedding.server import Limits, serve_forever
from meetup2025.embedding.server.batcher import BATCH
from meetup2025.errors import DataError, InterfaceError

PICTURE = f"data:image/png;base64,{base64.b64encode(encoded(corners())).decode()}"
BOMB = f"data:image/png;base64,{base64.b64encode(png_header(50_000, 50_000)).decode()}"


@pytest.fixture
def encoder():
    """A model that the test can hold up."""
    return GatedEncoder()


@pytest.fixture
def server(encoder):
    """A server of that model."""
    with served(encoder) as running:
        yield running


def vectors(answer):
    """Read the vectors of an answer, in the order of their indexes."""
    data = sorted(answer["data"], key=lambda each: each["index"])
    rows = [each["embedding"] for each in data]
    return np.array([np.frombuffer(base64.b64decode(row), "<f4") if isinstance(row, str) else row for row in rows])


def exchanged(running, data, *, wait=LONG):
    """Send bytes on a connection and read until the server closes it."""
    with socket.create_connection(running.place, timeout=wait) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def error_of(answer):
    """Read the error of an answer of HTTP."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


def head(*lines, path="/v1/embeddings", method="POST"):
    """Write the head of a request."""
    authorization = f"Authorization: Bearer {TOKEN}"
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", authorization, *lines, "", "")).encode()


# --- the form -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("マアジ", ["マアジ"]),
        (["マアジ", "b"], ["マアジ", "b"]),
        ([{"text": "b"}], ["b"]),
        ({"text": "b"}, ["b"]),
        (PICTURE, [PICTURE]),
        ([{"image": PICTURE}], [PICTURE]),
        ([PICTURE, "b", {"image": PICTURE}, {"text": "c"}], [PICTURE, "b", PICTURE, "c"]),
    ],
)
@pytest.mark.parametrize("form", ["float", "base64", None])
def test_inputs(server, given, expected, form):
    """Texts and pictures, also mixed, have their vectors in their order, as numbers or as base64."""
    local = GatedEncoder()
    body = {"model": "gated", "input": given, **({"encoding_format": form} if form else {})}

    status, answer, headers = ask(server, body)

    rows = [
        local.images([images.open_picture(each, longest=local.picture_size)])
        if each is PICTURE
        else local.texts([each])
        for each in expected
    ]
    assert (status, headers["Content-Type"], answer["object"], answer["model"]) == (
        200, "application/json", "list", "gated@1",
    )  # fmt: skip
    assert all(isinstance(each["embedding"], str) == (form == "base64") for each in answer["data"])
    assert np.array_equal(vectors(answer).astype(np.float32), np.vstack(rows))


def test_modality(server):
    """Data URLs with the modality `image` are pictures, and nothing else may stand among them."""
    assert ask(server, {"input": [PICTURE], "modality": "image"})[0] == 200
    status, answer, _ = ask(server, {"input": ["https://example.org/a.jpg"], "modality": "image"})
    assert (status, answer["error"]["param"]) == (400, "input[0]")


@pytest.mark.parametrize("name", ["gated", "gated@1", None])
def test_names_of_the_model(server, name):
    """The model is asked for by its id, with or without its revision, or not at all."""
    assert ask(server, {"input": "a", "model": name})[0] == 200


def test_models(server):
    """The list of models tells what a client must know of the one there is."""
    status, answer, _ = ask(server, path="/v1/models")

    (model,) = answer["data"]
    assert (status, model["id"], model["object"]) == (200, "gated", "model")
    assert (model["model"], model["dimension"], model["picture_size"]) == ("gated@1", 8, 16)


def test_one_model(server):
    """The one model is told by its id as it is in the list, and another id is an error with the field."""
    listed = ask(server, path="/v1/models")[1]["data"]
    assert [ask(server, path="/v1/models/gated")[1]] == listed
    _, answer, _ = ask(server, path="/v1/models/org/another")
    assert (answer["error"]["code"], answer["error"]["param"]) == ("model_not_found", "model")
    assert 'Got "org/another"' in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "code", "parameter"),
    [
        (b"", 400, "invalid_json", None),
        (b"{", 400, "invalid_json", None),
        (b"[" * 100_000, 400, "invalid_json", None),
        (b'{"input": "\xff"}', 400, "invalid_json", None),
        (b"[]", 400, "invalid_json", None),
        ({}, 400, "invalid_input", "input"),
        ({"input": []}, 400, "invalid_input", "input"),
        ({"input": 5}, 400, "invalid_input", "input"),
        ({"input": [[1, 2, 3]]}, 400, "invalid_input", "input[0]"),
        ({"input": [1, 2]}, 400, "invalid_input", "input[0]"),
        ({"input": ["a", ""]}, 400, "invalid_input", "input[1]"),
        ({"input": " \n\u3000"}, 400, "invalid_input", "input[0]"),
        ({"input": "\ud800"}, 400, "invalid_input", "input[0]"),
        ({"input": [{"text": 5}]}, 400, "invalid_input", "input[0]"),
        ({"input": [{"text": "a", "image": PICTURE}]}, 400, "invalid_input", "input[0]"),
        ({"input": [{}]}, 400, "invalid_input", "input[0]"),
        ({"input": [{"image": "samples/saba.png"}]}, 400, "invalid_input", "input[0]"),
        ({"input": [{"image": "https://example.org/a.jpg"}]}, 400, "invalid_input", "input[0]"),
        ({"input": ["a", {"image": "data:image/png;base64,AAAA"}]}, 400, "invalid_picture", "input[1]"),
        ({"input": "data:image/png;base64,?"}, 400, "invalid_picture", "input[0]"),
        ({"input": "data:image/svg+xml,<svg/>"}, 400, "invalid_picture", "input[0]"),
        ({"input": BOMB}, 400, "invalid_picture", "input[0]"),
        ({"input": "a", "model": "other"}, 404, "model_not_found", "model"),
        ({"input": "a", "model": ["gated"]}, 404, "model_not_found", "model"),
        ({"input": "a", "model": "gated@2"}, 404, "model_not_found", "model"),
        ({"input": "a", "dimensions": 4}, 400, "invalid_input", "dimensions"),
        ({"input": "a", "encoding_format": "int8"}, 400, "invalid_input", "encoding_format"),
        ({"input": "a", "encoding_format": {}}, 400, "invalid_input", "encoding_format"),
        ({"input": "a", "modality": "audio"}, 400, "invalid_input", "modality"),
    ],
)
def test_what_is_no_request(server, encoder, body, status, code, parameter):
    """What is wrong is told in the error form of OpenAI, with the field; the model never sees it."""
    found, answer, _ = ask(server, body)

    error = answer["error"]
    assert (found, error["type"], error["code"], error["param"]) == (status, "invalid_request_error", code, parameter)
    assert error["message"].endswith(".")
    assert encoder.batches == []


# --- limits ---------------------------------------------------------------------------------------------------------


def test_body_of_200_megabytes(server):
    """A body above the limit is refused by its length."""
    answer = exchanged(server, head("Content-Length: 200000000"))
    assert answer.split()[1] == b"413"
    assert "at most 32.0 MB" in error_of(answer)["message"]
    assert error_of(answer)["code"] == "body_too_large"


def test_body_that_is_asked_for(server):
    """A client that waits for the word to go on gets it, then the answer."""
    body = b'{"input": "a"}'
    with socket.create_connection(server.place, timeout=LONG) as connection:
        connection.sendall(head(f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_body_in_chunks(server):
    """A body in chunks, whose length is not known at first, is read."""
    chunks = b'e\r\n{"input": "a"}\r\n0\r\n\r\n'
    answer = exchanged(server, head("Transfer-Encoding: chunked", "Connection: close") + chunks)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_number_of_inputs(server, encoder):
    """As many inputs as the limit are embedded, in batches; 10,000 are refused."""
    texts = [f"text {place}" for place in range(2048)]
    status, answer, _ = ask(server, {"input": texts, "encoding_format": "base64"})
    assert (status, {len(batch) for batch in encoder.batches}) == (200, {BATCH})
    assert np.array_equal(vectors(answer), GatedEncoder().texts(texts))

    status, answer, _ = ask(server, {"input": ["a"] * 10_000})
    assert (status, answer["error"]["param"]) == (400, "input")
    assert "Got 10000" in answer["error"]["message"]


def test_length_of_a_text(server):
    """A text of 10,000 characters is embedded, a longer one than the limit is not."""
    long = "マ" * 10_000
    assert np.allclose(vectors(ask(server, {"input": long})[1]), GatedEncoder().texts([long]), atol=1e-6)
    assert ask(server, {"input": "a" * 32_769})[0] == 400


def test_size_of_a_picture(encoder):
    """A picture file above the limit is refused before it is opened."""
    with served(encoder, limits=Limits(picture=1000)) as running:
        assert ask(running, {"input": PICTURE})[0] == 200
        large = f"data:image/png;base64,{'A' * 2000}"
        status, answer, _ = ask(running, {"input": ["a", {"image": large}]})
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (413, "picture_too_large", "input[1]")


@pytest.mark.parametrize(
    "data", [png_header(30_000, 30_000), jpeg_of_size(60_000, 60_000), encoded(corners())[:90]], ids=len
)
def test_bombs(server, data):
    """A picture that promises too many pixels, or is broken, is refused and harms no other request."""
    status, answer, _ = ask(server, {"input": f"data:image/png;base64,{base64.b64encode(data).decode()}"})
    assert (status, answer["error"]["code"]) == (400, "invalid_picture")
    assert ask(server, {"input": "a"})[0] == 200


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\n", head("Content-Length: 14")])
def test_silent_connections(server, sent):
    """A hundred connections that say nothing, or half a request, keep nobody waiting."""
    silent = [socket.create_connection(server.place, timeout=LONG) for _ in range(100)]
    for each in silent:
        each.sendall(sent)
    assert ask(server, {"input": "a"})[0] == 200
    for each in silent:
        each.close()


def test_silent_connections_are_closed(encoder):
    """A silent connection is closed after a while, and makes room for the next where as many are open as may be."""
    with served(encoder, limits=Limits(connections=4, idle=1)) as running:
        silent = [socket.create_connection(running.place, timeout=LONG) for _ in range(8)]
        assert ask(running, {"input": "a"})[0] == 200
        assert [each.recv(1) for each in silent] == [b""] * 8
        for each in silent:
            each.close()


def test_requests_wait_for_a_thread(encoder):
    """When all threads are busy, the next request waits until one is not."""
    with served(encoder, limits=Limits(requests=1)) as running:
        encoder.gate.clear()
        both = [Asking(running, {"input": text}) for text in "ab"]
        until(lambda: encoder.batches)
        encoder.gate.set()
        assert [each.answer()[0] for each in both] == [200, 200]
    assert sorted(encoder.batches) == [["a"], ["b"]]


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"],
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/embeddings"])
def test_no_token(server, value, path):
    """Without the token nothing is answered but the way to say it."""
    headers = {"X": "y"} if value is None else {"Authorization": value}
    status, answer, headers = ask(server, {"input": "a"} if path.endswith("s/") else None, path, headers=headers)
    assert (status, answer["error"]["code"], headers["WWW-Authenticate"]) == (401, "invalid_api_key", "Bearer")
    assert TOKEN not in json.dumps(answer)


def test_token_is_compared_in_constant_time(server, monkeypatch):
    """The time of the comparison says nothing of the token: all of it goes through `hmac.compare_digest`."""
    seen = []
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: seen.append(pair) or False)
    assert ask(server, path="/v1/models")[0] == 401
    assert seen == [(TOKEN.encode(), TOKEN.encode())]


@pytest.mark.parametrize("token", ["", "short", "with a space inside", "ト" * 20])
def test_token_of_a_port(token):
    """A port is not opened without a token that is worth the name; the message never shows it."""
    with pytest.raises(InterfaceError, match="token") as caught:
        serve_forever(FREE_PORT, GatedEncoder, token=token, stop=lambda: True)
    assert not token or token not in str(caught.value)


# --- HTTP -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (head("X: " + "y" * 70_000), 431),
        (head("Transfer-Encoding: gzip") + b"x", 501),
        (head("Content-Length: 14", "Content-Length: 15") + b'{"input": "a"}', 400),
        (head("Content-Length: -1"), 400),
        (head("Content-Length: +14") + b'{"input": "a"}', 400),
        (head("Content-Length: ４"), 400),
    ],
)
def test_what_is_no_http(server, sent, status):
    """What is not HTTP is refused in the error form of OpenAI, and the connection is closed."""
    answer = exchanged(server, sent)
    assert answer.split()[1] == str(status).encode()
    assert answer.count(b"HTTP/1.") == 1
    assert error_of(answer)["type"] == ("invalid_request_error" if status < 500 else "server_error")


HIDDEN = head(path="/v1/models", method="GET")

AMBIGUOUS = {
    "space before the colon": f"Content-Length : {len(HIDDEN)}",
    "tab before the colon": f"Content-Length\t: {len(HIDDEN)}",
    "space after the name of an encoding": "Transfer-Encoding : chunked",
    "vertical tab in a name": "Transfer-Encoding\x0b: chunked",
    "null in a name": f"Content\0-Length: {len(HIDDEN)}",
    "line that goes on with nothing": f" X: y\r\nContent-Length: {len(HIDDEN)}",
    "line without a colon": f"foo\r\nContent-Length: {len(HIDDEN)}",
    "colon alone": f": y\r\nContent-Length: {len(HIDDEN)}",
    "bare line feed": f"X: y\nContent-Length: {len(HIDDEN)}",
    "length and chunks": f"Content-Length: {len(HIDDEN)}\r\nTransfer-Encoding: chunked",
}


@pytest.mark.parametrize("line", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_head_that_can_be_read_in_two_ways(server, line):
    """No request hides in the body of another: an ambiguous head is refused, or is one request."""
    first = f"POST /healthz HTTP/1.1\r\n{line}\r\nHost: x\r\n\r\n".encode("latin-1")
    answer = exchanged(server, first + HIDDEN.replace(b"Host: x", b"Connection: close"))
    assert answer.split()[1] in {b"400", b"405"}
    assert answer.count(b"HTTP/1.") == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404), ("GET", "/v1/embedding", 404), ("GET", "/v1/embeddings", 405), ("POST", "/v1/models", 405),
        ("DELETE", "/v1/models", 405), ("HEAD", "/v1/models", 200), ("GET", "/v1/models?a=b", 200),
        ("GET", "/v1/models/gated", 200), ("GET", "/v1/models/gated@1", 200), ("GET", "/v1/models/gated%401", 200),
        ("GET", "/v1/models/other", 404), ("GET", "/v1/models/", 404), ("POST", "/v1/models/gated", 405),
        ("BREW", "/v1/models", 405),
    ],
)  # fmt: skip
def test_paths(server, method, path, status):
    """Each path has its method."""
    found, answer, headers = ask(server, None, path, method=method)
    assert (found, answer is None) == (status, method == "HEAD")
    assert (headers["Allow"] is not None) == (status == 405)


def test_body_where_none_belongs(server):
    """A body that is not read is never taken for a next request."""
    lines = (f"Content-Length: {len(HIDDEN)}", "Connection: close")
    answer = exchanged(server, head(*lines, path="/healthz", method="GET") + HIDDEN)
    assert answer.count(b"HTTP/1.1 200") == 1


def test_requests_on_one_connection(server):
    """A connection serves request after request, also after an error, and such as are sent at once."""
    with closing(http.client.HTTPConnection(*server.place, timeout=LONG)) as connection:
        for body, status in (({"input": "a"}, 200), ({"input": ""}, 400), ({"input": "b"}, 200)):
            connection.request("POST", "/v1/embeddings", json.dumps(body), AUTHORIZED)
            port = connection.sock.getsockname()
            response = connection.getresponse()
            response.read()
            assert (response.status, connection.sock and connection.sock.getsockname()) == (status, port)
    request = head("Content-Length: 14") + b'{"input": "a"}'
    last = head("Content-Length: 14", "Connection: close") + b'{"input": "a"}'
    assert exchanged(server, request + request + last).count(b"HTTP/1.1 200") == 3


# --- batches --------------------------------------------------------------------------------------------------------


def test_two_clients_are_embedded_together(server, encoder):
    """What comes while the model is busy is one batch, and each client gets its own vectors."""
    encoder.gate.clear()
    first = Asking(server, {"input": "a"})
    until(lambda: encoder.batches == [["a"]])
    others = {text: Asking(server, {"input": text}) for text in ("b", "c", "d")}
    until(lambda: _waiting(server) == 3)
    encoder.gate.set()

    assert first.answer()[0] == 200
    for text, asking in others.items():
        assert np.allclose(vectors(asking.answer()[1]), GatedEncoder().texts([text]), atol=1e-6)
    assert sorted(map(sorted, encoder.batches)) == [["a"], ["b", "c", "d"]]
    assert sum("batch 3" in line for line in server.log) == 3


def _waiting(running):
    """Ask how many items wait for the model."""
    return ask(running, path="/healthz")[1]["waiting"]


def test_texts_and_pictures_are_not_mixed(server, encoder):
    """Texts and pictures that wait are two batches."""
    encoder.gate.clear()
    first = Asking(server, {"input": "a"})
    until(lambda: encoder.batches)
    both = Asking(server, {"input": ["b", PICTURE]})
    until(lambda: _waiting(server) == 2)
    encoder.gate.set()

    assert (first.answer()[0], both.answer()[0]) == (200, 200)
    assert encoder.batches == [["a"], ["b"], [(20, 14)]]


def test_a_long_request_leaves_room(server, encoder):
    """A request of many texts takes turns with a short one."""
    encoder.gate.clear()
    long = Asking(server, {"input": [f"long {place}" for place in range(320)]})
    until(lambda: encoder.batches)
    short = Asking(server, {"input": "short"})
    until(lambda: _waiting(server) == 320 - BATCH + 1)
    encoder.gate.set()

    assert (long.answer()[0], short.answer()[0]) == (200, 200)
    assert next(place for place, batch in enumerate(encoder.batches) if "short" in batch) <= 2


def test_full_queue(encoder):
    """When too many wait, the next is told to come again."""
    with served(encoder, limits=Limits(waiting=2)) as running:
        encoder.gate.clear()
        accepted = [Asking(running, {"input": "a"})]
        until(lambda: encoder.batches)
        accepted.append(Asking(running, {"input": ["b", "c"]}))
        until(lambda: _waiting(running) == 2)
        status, answer, headers = ask(running, {"input": "d"})
        encoder.gate.set()
        assert [each.answer()[0] for each in accepted] == [200, 200]
    assert (status, headers["Retry-After"]) == (429, "1")
    assert (answer["error"]["type"], answer["error"]["code"]) == ("rate_limit_error", "queue_full")


def test_slow_model(encoder):
    """Who waits too long is told so: 504 while the model runs, 503 before it began; what waited is dropped."""
    with served(encoder, limits=Limits(seconds=0.5)) as running:
        encoder.gate.clear()
        runs = Asking(running, {"input": "a"})
        until(lambda: encoder.batches)
        waits = Asking(running, {"input": "b"})
        assert (runs.answer()[0], waits.answer()[0]) == (504, 503)
        assert waits.answer()[2]["Retry-After"] == "1"
        assert runs.answer()[1]["error"]["type"] == "server_error"
        encoder.gate.set()
        assert ask(running, {"input": "c"})[0] == 200
    assert encoder.batches == [["a"], ["c"]]


def test_health(encoder):
    """Whether the server is well is told to everybody; a model that does not come back is not well."""
    with served(encoder, limits=Limits(seconds=0.3)) as running:
        assert ask(running, path="/healthz", headers={"X": "y"})[:2] == (200, {"status": "ok", "waiting": 0})
        encoder.gate.clear()
        Asking(running, {"input": "a"})
        until(lambda: ask(running, path="/healthz")[0] == 503)
        encoder.gate.set()
        until(lambda: ask(running, path="/healthz")[0] == 200)


def test_client_that_hangs_up_while_it_is_served(server, encoder):
    """A client that leaves while the model works on its text costs the server nothing else."""
    encoder.gate.clear()
    body = b'{"input": "left"}'
    with socket.create_connection(server.place) as connection:
        connection.sendall(head(f"Content-Length: {len(body)}") + body)
        until(lambda: encoder.batches)
    encoder.gate.set()
    assert ask(server, {"input": "b"})[0] == 200


def test_one_fault_of_a_batch(server, encoder):
    """A text that the model cannot embed fails alone; the others of its batch have their vectors."""
    encoder.gate.clear()
    first = Asking(server, {"input": "a"})
    until(lambda: encoder.batches)
    good, bad = Asking(server, {"input": "b"}), Asking(server, {"input": ["c", "fail"]})
    until(lambda: _waiting(server) == 3)
    encoder.gate.set()

    assert first.answer()[0] == 200
    assert np.allclose(vectors(good.answer()[1]), GatedEncoder().texts(["b"]), atol=1e-6)
    status, answer, _ = bad.answer()
    assert (status, answer["error"]["code"]) == (500, "internal_error")
    assert "fault of the model" not in json.dumps(answer)
    assert any("RuntimeError: a fault of the model" in line for line in server.log)


def test_text_that_the_model_does_not_know(server, monkeypatch):
    """What the model refuses is a fault of the request, in the words of the model."""

    def refuse(*_):
        raise DataError("A text to embed must have words that gated knows. Got '☃'.")

    monkeypatch.setattr(GatedEncoder, "texts", refuse)
    status, answer, _ = ask(server, {"input": "☃"})
    assert (status, answer["error"]["message"]) == (400, "A text to embed must have words that gated knows. Got '☃'.")


# --- the end --------------------------------------------------------------------------------------------------------


def test_end_finishes_what_runs(encoder):
    """A server that ends takes nothing new, answers what runs, and closes connections that wait for nothing."""
    with served(encoder, grace=LONG) as running:
        idle = socket.create_connection(running.place, timeout=LONG)
        encoder.gate.clear()
        runs = Asking(running, {"input": "a"})
        until(lambda: encoder.batches)
        running.stop.set()
        until(lambda: _is_refused(running))
        with idle:
            assert idle.recv(1) == b""
        encoder.gate.set()
        assert runs.answer()[0] == 200
        running.end()


def _is_refused(running):
    try:
        socket.create_connection(running.place, timeout=LONG).close()
    except ConnectionRefusedError:
        return True
    return False


def test_end_is_bounded(encoder):
    """A request that takes longer than the grace is told that the server ends."""
    with served(encoder, grace=0.2) as running:
        encoder.gate.clear()
        runs = Asking(running, {"input": "a"})
        until(lambda: encoder.batches)
        waits = Asking(running, {"input": "b"})
        until(lambda: _waiting(running) == 1)
        running.end()
        status, answer, headers = waits.answer()
        assert (status, answer["error"]["code"], headers["Retry-After"]) == (503, "ending", "1")
        runs.join(LONG)
        assert runs.result is None


def test_callables_of_the_calling_thread():
    """The stop and the heartbeat are called in the thread that serves, which need not be the main one."""
    threads, beats = set(), []

    def beat():
        threads.add(threading.current_thread())
        beats.append(1)

    with served(GatedEncoder(), heartbeat=beat) as running:
        assert ask(running, {"input": "a"})[0] == 200
        until(lambda: len(beats) >= 2)
        assert threads == {running.thread}


def test_failing_heartbeat():
    """An error of the caller's own ends the server, and is the caller's to see."""

    def beat():
        raise KeyError("beat")

    with pytest.raises(KeyError, match="beat"):
        serve_forever(FREE_PORT, GatedEncoder, token=TOKEN, heartbeat=beat)


def test_log(server):
    """A line of the log tells method, path, status and time, and holds nothing that a terminal would obey."""
    ask(server, {"input": ["a", "b"]})
    exchanged(server, b"GET /\x1b[2J\x07 HTTP/1.1\r\nConnection: close\r\n\r\n")
    until(lambda: len(server.log) == 2)
    assert server.log[0].startswith("POST /v1/embeddings 200 ")
    assert server.log[0].endswith(" ms 2 inputs batch 2")
    assert server.log[1].startswith("GET /?[2J? 404 ")
