"""A small Hugging Face Hub on this machine: repositories from folders, at one commit each, over HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMIT = "89abcdef01" * 4

_ASKED = re.compile(r"/(?:api/models/)?([\w.-]+/[\w.-]+)(?:/(?:revision|resolve|tree)/([\w.%-]+))?(?:/(.+))?")

_NEVER = re.compile("$.^")


class _Handler(BaseHTTPRequestHandler):
    """A handler of the requests of the library huggingface_hub: the content of a repository, and its files."""

    protocol_version = "HTTP/1.1"
    repositories: Mapping[str, Path]
    gated: frozenset[str]
    cut: re.Pattern[str]
    changed: re.Pattern[str]
    is_html: bool
    starts: list[int]
    left: list[bool]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def _answer(self) -> None:
        if self.is_html:
            self._send(b"<html><body>Log in to this network</body></html>", {"Content-Type": "text/html"})
        else:
            self._answer_as_hub()

    def _answer_as_hub(self) -> None:
        path = self.path.partition("?")[0]
        asked = _ASKED.fullmatch(path)
        name, revision, file = asked.groups() if asked else ("", None, None)
        if name in self.gated:
            return self._refuse(403, "GatedRepo")
        if name not in self.repositories:
            return self._refuse(404, "RepoNotFound")
        if revision not in {None, "main", COMMIT}:
            return self._refuse(404, "RevisionNotFound")
        folder = self.repositories[name]
        if path.startswith("/api/"):
            return self._describe(name, is_tree="/tree/" in path)
        if not file or not (folder / file).is_file():
            return self._refuse(404, "EntryNotFound")
        data = (folder / file).read_bytes()
        if self.changed.fullmatch(file):
            data = data[:-1] + bytes([data[-1] ^ 1])
        return self._send(data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"'}, cut=bool(self.cut.fullmatch(file)))

    def _describe(self, name: str, *, is_tree: bool) -> None:
        folder = self.repositories[name]
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        siblings = [_sibling(folder, each) for each in sorted(files)]
        described = {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings}
        data = [*map(_of_tree, siblings)] if is_tree else described  # versions from 2 on ask for the tree
        self._send(json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _send(self, data: bytes, headers: Mapping[str, str], *, cut: bool = False) -> None:
        start = int((re.search(r"\d+", self.headers.get("Range", "")) or ["0"])[0])
        if self.command == "GET":
            self.starts.append(start)
            cut = cut and bool(self.left) and self.left.pop()
        self.send_response(206 if start else 200)
        for name, value in {**headers, "X-Repo-Commit": COMMIT, "Content-Length": str(len(data) - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[start : start + (len(data) - start) // 2] if cut else data[start:])
        self.close_connection = cut

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        for name, value in {"X-Error-Code": code, "X-Error-Message": code, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()


def _sibling(folder: Path, file: str) -> dict[str, Any]:
    """Describe a file as the Hub does: large kinds have their SHA-256."""
    data = (folder / file).read_bytes()
    lfs = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    is_large = file.endswith((".onnx", ".onnx_data", ".safetensors", ".bin"))
    return {"rfilename": file, "size": len(data), **({"lfs": lfs} if is_large else {})}


def _of_tree(sibling: dict[str, Any]) -> dict[str, Any]:
    """Describe the same file as in a list of a folder."""
    lfs = {"lfs": {**sibling["lfs"], "oid": sibling["lfs"]["sha256"]}} if "lfs" in sibling else {}
    return {"type": "file", "path": sibling["rfilename"], "size": sibling["size"], "oid": "0" * 40, **lfs}


@contextmanager
def serving(
    repositories: Mapping[str, Path],
    *,
    gated: frozenset[str] = frozenset(),
    cut: re.Pattern[str] = _NEVER,
    changed: re.Pattern[str] = _NEVER,
    is_html: bool = False,
    starts: list[int] | None = None,
    cuts: int = 100,
) -> Iterator[str]:
    """
    Serve repositories.

    Args:
        repositories: Name of a repository -> its folder.
        gated: Names that are open only to accounts.
        cut: Files whose connection ends in their middle.
        changed: Files that come with another last byte.
        is_html: Whether every answer is a page, as of a proxy that wants a login.
        starts: List that gets the first byte of each answer.
        cuts: Most connections that end in the middle.

    Yields:
        The address, for HF_ENDPOINT.
    """
    values = {"repositories": repositories, "gated": gated, "cut": cut, "changed": changed, "is_html": is_html}
    values |= {"starts": [] if starts is None else starts, "left": [True] * cuts}
    handler = type("Handler", (_Handler,), values)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def reached(address: str, cache: Path) -> Iterator[None]:
    """Let the library of this process reach a hub, with a cache of its own. It reads its settings at its import."""
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import disable_progress_bars

    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    disable_progress_bars()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", address)
        for module in (constants, file_download):  # versions from 1 on have it in the first alone
            patch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        try:
            yield
        finally:
            if "transformers.utils.hub" in sys.modules:  # it may have been imported meanwhile, and keeps what it read
                sys.modules["transformers.utils.hub"]._is_offline_mode = True
