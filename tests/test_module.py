"""What IPM installs: module.xml as IPM reads it, and requirements.txt as pip installs it and the classes need it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import urllib.request
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import ipm
import numpy as np
import pytest
from ipm import PACKAGE, ROOT, RULES
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from meetup2025 import procedures, settings, vectors
from meetup2025.engines.classes import examples

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable

MODULE = (ROOT / "module.xml").read_text("utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text("utf-8")
REQUIRED = [Requirement(line) for line in ipm.read_requirements(REQUIREMENTS)]

# Rule, what is changed in module.xml, and into what: each breaks the rule.
BREACHES = [
    ("known_places", 'Overlay="1"', 'Overlay="1" Overwrite="1"'),
    ("known_places", "Packaging>", "Package>"),
    ("known_places", "<Test Name", "<Tests Name"),
    ("known_places", "<Arg>${Photos}</Arg>", "<Argument>${Photos}</Argument>"),
    ("fitting_texts", ">src<", f">{'s' * 21}<"),
    ("fitting_texts", "<Arg>${Model}</Arg>", f"<Arg>{'${Model}' * 32}</Arg>"),
    ("fitting_texts", 'Phase="Configure"', 'Phase="Configuration"'),
    ("fitting_texts", 'When="After"', 'When="Later"'),
    ("fitting_texts", 'Preload="true"', 'Preload="yes"'),
    ("fitting_texts", 'Phase="test"', 'Phase="integration"'),
    ("needed_places", "<Version>0.2.0</Version>", ""),
    ("needed_places", 'Method="Check"', ""),
    ("needed_places", 'Target="${mgrdir}python/meetup2025/"', ""),
    ("full_versions", ">=3.10.0", ">=3.10"),
    ("full_versions", ">=2025.1", "^2025.1"),
    ("existing_paths", ">src<", ">source<"),
    ("existing_paths", "MeetUp2025.PKG", "MeetUp2026.PKG"),
    ("existing_paths", "MeetUp2025.Guard.CLS", "MeetUp2025.Guards.CLS"),
    ("existing_paths", ' Preload="true"', ""),
    ("existing_paths", 'Name="/src/python/meetup2025/"', 'Name="/python/meetup2025/"'),
    ("existing_paths", 'Package="MeetUp2025.UnitTests"', 'Package="MeetUp2025.Tests"'),
    ("slashed_folders", 'Name="/src/python/meetup2025/"', 'Name="src/python/meetup2025/"'),
    ("slashed_folders", 'Name="/src/python/meetup2025/"', 'Name="/src/python/meetup2025"'),
    ("slashed_folders", 'Name="/tests/iris/"', 'Name="tests/iris"'),
    ("own_folders", "${mgrdir}python/meetup2025/", "${mgrdir}python/"),
    ("own_folders", "${mgrdir}python/meetup2025/", "${libdir}python/meetup2025/"),
    ("own_folders", "${mgrdir}python/meetup2025/", "${mgrdir}"),
    ("overlaid_folders", ' Overlay="1"', ""),
    ("overlaid_folders", 'Overlay="1"', 'Overlay="0"'),
    ("separate_tests", 'Name="/tests/iris/"', 'Name="/tests/"'),
    ("declared_names", "<Arg>${Photos}</Arg>", "<Arg>${Photo}</Arg>"),
    ("declared_names", '<Default Name="Photos"/>', ""),
    ("declared_names", "${mgrdir}python", "${manager}python"),
    ("called_methods", 'Class="MeetUp2025.Setup" Method="Install"', 'Class="MeetUp2025.Setups" Method="Install"'),
    ("called_methods", 'Method="Uninstall"', 'Method="Remove"'),
    ("called_methods", 'Method="Uninstall"', 'Method="EraseData"'),
    ("called_methods", "<Arg>${Model}</Arg>", "<Arg>${Model}</Arg><Arg>1</Arg>"),
    ("existing_paths", 'WSGIAppName="meetup2025_wsgi"', 'WSGIAppName="meetup2025_web"'),
    ("existing_paths", "meetup2025/web/wsgi/", "meetup2025/web/"),
    ("guarded_applications", 'AutheEnabled="32"', 'AutheEnabled="64"'),
    ("guarded_applications", ":${globalsDbRole}", ":%All"),
    ("guarded_applications", 'NameSpace="${ns}"', 'NameSpace="USER"'),
    ("checked_calls", ' CheckStatus="true"', ""),
]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """What pyproject.toml says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


# --- module.xml -----------------------------------------------------------------------------------------------------


def test_module_keeps_the_rules() -> None:
    """module.xml keeps each rule."""
    assert [(rule.__name__, fault) for rule in RULES for fault in rule(ipm.read_module(MODULE))] == []


def is_found(rule: str, old: str, new: str) -> bool:
    """Check that a rule finds module.xml at fault once a text in it is changed."""
    return old in MODULE and any(getattr(ipm, rule)(ipm.read_module(MODULE.replace(old, new))))


def test_rules_find_their_breaches() -> None:
    """Each rule finds a module.xml that breaks it."""
    assert [breach for breach in BREACHES if not is_found(*breach)] == []


def test_every_rule_is_proved() -> None:
    """Each rule has a module.xml that breaks it."""
    assert {rule for rule, _, _ in BREACHES} == {rule.__name__ for rule in RULES}


def test_document_of_the_module() -> None:
    """IPM finds a module by the name of its document, with the extension ZPM."""
    name = ipm.read_module(MODULE).findtext("Name")

    assert name == "meetup2025"
    assert f'<Document name="{name}.ZPM">' in MODULE


def test_what_the_module_says_of_itself(project: dict[str, Any]) -> None:
    """Description, keywords and licence are those of pyproject.toml."""
    module = ipm.read_module(MODULE)

    assert module.findtext("Description") == project["description"]
    assert module.findtext("Keywords") == ",".join(project["keywords"])
    assert module.findtext("Author/License") == project["license"]


def test_versions_of_python(project: dict[str, Any]) -> None:
    """The module takes the versions of Python that the package takes."""
    [needs] = ipm.read_module(MODULE).iter("SystemRequirements")

    assert SpecifierSet(",".join(needs.attrib["PythonVersion"].split())) == SpecifierSet(project["requires-python"])


def test_phases() -> None:
    """Guard looks before classes are loaded; Setup installs after classes and files, and uninstalls before they go."""
    invokes = ipm.read_module(MODULE).iter("Invoke")

    assert [(each.get("Method"), each.get("Phase"), each.get("When")) for each in invokes] == [
        ("Check", "Reload", "Before"),
        ("Install", "Configure", "After"),
        ("Uninstall", "Unconfigure", "Before"),
    ]


def test_settings_are_passed_by_name() -> None:
    """Each argument of Install is the Default of its name, and has none of its own: empty leaves a setting as it is."""
    module = ipm.read_module(MODULE)
    [install] = (
        method
        for each in ipm.classes()
        for method in each.methods
        if (each.name, method.name) == ("MeetUp2025.Setup", "Install")
    )

    assert [each.get("Name") for each in module.iter("Default")] == list(map(str.title, settings.NAMES))
    assert [each.text for each in module.iter("Arg")] == [f"${{{each.name.title()}}}" for each in install.arguments]
    assert [each.get("Value") for each in module.iter("Default")] == [None for _ in install.arguments]
    assert [each.default for each in install.arguments] == ["" for _ in install.arguments]


def test_message_after_installing() -> None:
    """The message is one line that IPM does not evaluate: an example of the classes, and the role that Setup makes."""
    message = ipm.read_module(MODULE).findtext("AfterInstallMessage") or ""
    shown = {example for each in ipm.classes() for method in each.methods for example in examples(method.doc)}
    [role] = (each.parameters["ROLE"] for each in ipm.classes() if each.name == "MeetUp2025.Setup")

    assert not set(message) & set("\n{")
    assert [example for example in shown if example in message] == ["CALL MeetUp2025.Identify('samples/saba.png', 3)"]
    assert f"the role {role}." in message


def test_no_settings_are_shipped() -> None:
    """The folder that is copied has no settings: they would take the place of those of the server."""
    assert not settings.FILE.exists()


# --- requirements.txt -----------------------------------------------------------------------------------------------


def test_requirements_are_those_of_the_project(project: dict[str, Any]) -> None:
    """Each requirement is a dependency of pyproject.toml, in the same range."""
    assert list(ipm.unequal_requirements(REQUIREMENTS, project["dependencies"])) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("numpy>=1.26,<3", "numpy>=1.26,<4"),
        ("numpy>=1.26,<3", "numpy"),
        ("numpy>=1.26,<3", "numpy>=1.26,<3; python_version < '3.13'"),
        ("numpy>=1.26,<3", "numpy @ https://example.org/numpy-2.0.0-py3-none-any.whl"),
        ("numpy>=1.26,<3", "--extra-index-url https://example.org/simple"),
        ("numpy>=1.26,<3", "intersystems-irispython>=5.3,<6"),
        ("numpy>=1.26,<3", "torch>=2.6,<3"),
        ("numpy>=1.26,<3", "requests>=2"),
    ],
)
def test_unequal_requirement_is_found(project: dict[str, Any], old: str, new: str) -> None:
    """Another range, marker, place or package is found, and what IRIS must never get even where the project has it."""
    dependencies = [*project["dependencies"], "intersystems-irispython>=5.3,<6", "torch>=2.6,<3"]

    assert old in REQUIREMENTS
    assert len(list(ipm.unequal_requirements(REQUIREMENTS.replace(old, new), dependencies))) == 1


def test_requirements_are_what_the_classes_import() -> None:
    """What runs inside IRIS imports the requirements, all of them and nothing else."""
    assert list(ipm.unmet_imports(REQUIREMENTS, ipm.called_modules())) == []


@pytest.mark.parametrize(("old", "new"), [("tokenizers>=0.20,<1\n", ""), ("tqdm>=4.66,<5", "tqdm\nduckdb>=1.5,<3")])
def test_unmet_import_is_found(old: str, new: str) -> None:
    """A requirement too few, or too many, is found."""
    assert old in REQUIREMENTS
    assert len(list(ipm.unmet_imports(REQUIREMENTS.replace(old, new), ipm.called_modules()))) == 1


def test_modules_inside_iris() -> None:
    """The walk of the imports reaches the functions, the models and the connection, and no embedded engine."""
    found = {path.relative_to(PACKAGE).as_posix() for path in ipm.called_modules()}

    assert found >= {"__init__.py", "procedures.py", "embedding/onnx.py", "loading/names.py", "engines/iris/process.py"}
    assert not found & {"cli/__init__.py", "engines/duckdb/__init__.py", "engines/classes/program.py"}


# --- the Python of IRIS ---------------------------------------------------------------------------------------------


def pip_command(target: Path) -> list[str]:
    """Give the command of IPM for a requirements.txt: Lifecycle.Base.InstallOrDownloadPythonRequirements."""
    into = ["-t", str(target), "--python-version", platform.python_version()]
    return [sys.executable, "-m", "pip", "install", "-r", "requirements.txt", *into, "--only-binary=:all:"]


def pypi_answers() -> bool:
    """Tell whether PyPI can be reached."""
    try:
        with urllib.request.urlopen("https://pypi.org/simple/tqdm/", timeout=30) as answer:
            return answer.status == 200
    except (URLError, TimeoutError):
        return False


def test_pip_finds_the_requirements(tmp_path: Path) -> None:
    """The command of IPM finds wheels of all requirements, and of nothing that hides the module of IRIS."""
    report = tmp_path / "report.json"
    command = [*pip_command(tmp_path / "python"), "--dry-run", "--quiet", "--report", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and not pypi_answers():
        pytest.skip("PyPI cannot be reached")

    assert done.returncode == 0, done.stderr
    found = {canonicalize_name(each["metadata"]["name"]) for each in json.loads(report.read_text("utf-8"))["install"]}
    assert {canonicalize_name(each.name) for each in REQUIRED} <= found
    assert not found & {"intersystems-irispython", "torch"}


@pytest.fixture(scope="module")
def python_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder mgr/python of a server: the requirements, what they require and nothing else, and the package."""
    folder = tmp_path_factory.mktemp("mgr") / "python"
    for each in required(REQUIRED):
        for file in each.files or ():
            if not {"..", "__pycache__"} & set(file.parts):
                link(Path(str(file.locate())), folder / file)
    shutil.copytree(PACKAGE, folder / PACKAGE.name)
    return folder


def link(source: Path, target: Path) -> None:
    """Link a file of a distribution into a folder, and a module as it was compiled."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)
    compiled = Path(cache_from_source(str(source)))
    if source.suffix == ".py" and compiled.exists():
        (target.parent / compiled.parent.name).mkdir(exist_ok=True)
        Path(cache_from_source(str(target))).symlink_to(compiled)


def required(requirements: Iterable[Requirement]) -> list[Distribution]:
    """Return the installed distributions of requirements, and of all that they require."""
    found: dict[tuple[str, str], Distribution] = {}
    todo = [(each, extra) for each in requirements for extra in ("", *each.extras)]
    while todo:
        requirement, extra = todo.pop()
        if (requirement.name, extra) not in found:
            installed = found[requirement.name, extra] = distribution(requirement.name)
            assert installed.version in requirement.specifier
            further = (Requirement(each) for each in installed.requires or ())
            wanted = [each for each in further if not each.marker or each.marker.evaluate({"extra": extra})]
            todo += [(each, extra) for each in wanted for extra in ("", *each.extras)]
    return list({each.name: each for each in found.values()}.values())


def run_alone(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where Python has its own library and one folder, and nothing else."""
    script = f"import sys; sys.path.append({str(folder)!r}); {code}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("function", "given"), [("embed_text", "マアジ"), ("embed_image", "samples/saba.png")])
def test_requirements_are_enough(python_folder: Path, function: str, given: str) -> None:
    """With the requirements alone, the functions make the vectors that they make here."""
    here = vectors.from_text(getattr(procedures, function)(given))

    done = run_alone(python_folder, f"from meetup2025 import procedures; print(procedures.{function}({given!a}))")

    assert done.returncode == 0, done.stderr
    assert float(np.dot(vectors.from_text(done.stdout.strip()), here)) == pytest.approx(1, abs=1e-4)


def test_modules_can_be_imported(python_folder: Path) -> None:
    """With the requirements alone, each module that runs inside IRIS can be imported."""
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in ipm.called_modules())
    names = sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)

    done = run_alone(python_folder, f"import {', '.join(names)}")

    assert done.returncode == 0, done.stderr


def test_nothing_hides_the_module_of_iris(python_folder: Path) -> None:
    """Neither the requirements nor what they bring has a module iris, or a torch."""
    names = {path.stem for path in python_folder.iterdir()}

    assert "numpy" in names
    assert not names & {"iris", "intersystems_iris", "irisnative", "torch"}


def test_package_needs_the_requirements(tmp_path: Path) -> None:
    """Without the requirements the package fails: the tests above see no packages but those of the folder."""
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)

    done = run_alone(tmp_path, "from meetup2025 import procedures; procedures.embed_text('a')")

    assert done.returncode == 1
    assert "No module named 'numpy'" in done.stderr
