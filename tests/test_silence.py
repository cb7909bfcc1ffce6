"""Nothing is reported to anybody: embedding opens no socket, and writes no file."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("home", "cache", "temporary", "here")

EMBED = """
from PIL import Image
from meetup2025.embedding import encoder
model = encoder("sketch")
model.texts(["サバ"])
model.images([Image.new("RGB", (64, 32), "navy")])
"""
WATCHED = f"""
import os, sys
seen = []
def watch(event, arguments):
    if event.startswith("socket."):
        seen.append(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(str(arguments[0]))
sys.addaudithook(watch)
{EMBED}
if os.path.isdir("/proc/self/fd"):
    links = [f"/proc/self/fd/{{number}}" for number in os.listdir("/proc/self/fd")]
    seen += [os.readlink(link) for link in links if os.path.exists(link) and "socket" in os.readlink(link)]
print(seen)
"""


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a program whose folders for files of its own are all empty, and return what it prints."""
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    home, cache, temporary, here = (str(folder / name) for name in FOLDERS)
    own = {"HOME": home, "XDG_CACHE_HOME": cache, "XDG_DATA_HOME": home, "LOCALAPPDATA": cache, "TMPDIR": temporary}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    environment = {**kept, **own, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder: Path) -> list[str]:
    """List the files that it left."""
    return [str(path.relative_to(folder)) for name in FOLDERS for path in (folder / name).rglob("*")]


@pytest.mark.parametrize("switch", ["", "0"])
def test_embedding_is_silent(tmp_path, switch):
    """A text and a picture are embedded without a socket and without a file, whatever the environment says."""
    assert run(tmp_path, sys.executable, "-c", WATCHED, ORT_DISABLE_TELEMETRY=switch) == "[]\n"
    assert written(tmp_path) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace, which sees what libraries in C do")
def test_embedding_asks_the_system_for_no_socket(tmp_path):
    """No library opens a socket, or a file to write, while a text and a picture are embedded."""
    calls = "trace=network,open,openat,creat,mkdir,mkdirat"
    log = tmp_path / "calls"
    run(tmp_path, "strace", "-f", "-qq", "-o", str(log), "-e", calls, sys.executable, "-c", EMBED)
    lines = [line for line in log.read_text().splitlines() if "(" in line]
    foreign = [line for line in lines if "open" not in line or any(mode in line for mode in ("O_WR", "O_RDWR", "O_CR"))]
    assert any("text.onnx" in line for line in lines)
    assert [line for line in foreign if '"/dev/' not in line] == []


def test_the_library_is_told_before_it_is_loaded(tmp_path):
    """ONNX Runtime finds its switch set when it is loaded, and is told once more for a host that loaded it before."""
    fake = "import os\nprint(os.environ['ORT_DISABLE_TELEMETRY'])\ndef disable_telemetry_events(): print('told')\n"
    (tmp_path / "onnxruntime.py").write_text(fake)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    program = "from meetup2025.embedding import runtime; runtime.library()"
    assert run(tmp_path, sys.executable, "-c", program, PYTHONPATH=path).split() == ["1", "told"]


def imports(source: str) -> set[str]:
    """Give the libraries that a module imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_one_place_imports_the_library():
    """One module imports ONNX Runtime: scripts, benchmarks and tests take it from there."""
    folders = [ROOT / name for name in ("src", "scripts", "benchmarks", "notebooks", "tests")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    found = [path for path in files if "onnxruntime" in imports(path.read_text("utf-8"))]
    assert found == [ROOT / "src" / "python" / "meetup2025" / "embedding" / "runtime.py"]
