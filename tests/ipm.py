"""
The rules of module.xml and requirements.txt: a small function for each, with the facts about IPM.

A rule returns one text for each fault, so that a test shows all of them at once. The facts about IPM come from the
source of version 0.10.9.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from packaging.requirements import InvalidRequirement, Requirement
from test_contracts import imported

from meetup2025.engines.classes import Class, Method, read_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Element = ET.Element
    Rule = Callable[[Element], Iterable[str]]

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "python" / "meetup2025"


def read_module(text: str) -> Element:
    """Return the one module of a module.xml."""
    [module] = ET.fromstring(text).findall("./Document/Module")  # noqa: S314 - a file of this project
    return module


def read_fits() -> dict[str, str]:
    """Return the allowed content of each place of module.xml, as recorded in `expected/ipm.txt`."""
    lines = (Path(__file__).parent / "expected" / "ipm.txt").read_text("utf-8").splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {place: fits for place, fits, *_ in rows}


FITS = read_fits()
EXPRESSIONS = frozenset(place[2:-1].lower() for place in FITS if place.startswith("${"))


def places(element: Element, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each place below an element, and its text."""
    for child in element:
        place = f"{path}{child.tag}"
        yield place, (child.text or "").strip()
        yield from ((f"{place}@{name}", value) for name, value in child.attrib.items())
        yield from places(child, f"{place}/")


def classes() -> tuple[Class, ...]:
    """Return the classes of the module, with the classes of the folder preload."""
    return read_package(ROOT / "src" / "cls") + read_package(ROOT / "preload")


def known_places(module: Element) -> Iterator[str]:
    """IPM reads each element and attribute: it ignores any other, or stops."""
    return (f"IPM does not read {place}" for place, _ in places(module) if place not in FITS)


def fitting_texts(module: Element) -> Iterator[str]:
    """Each text is as long as IPM stores, or one of the texts that it knows."""
    for place, text in places(module):
        fits = FITS.get(place, "*").rstrip("!")
        if fits.isdecimal() and len(text) > int(fits):
            yield f"{place} has more than {fits} characters"
        elif fits == "flag" and text not in {"0", "1", "true", "false"}:
            yield f"{place} is {text!r}, no flag"
        elif fits[0].isalpha() and fits != "flag" and text not in fits.split("|"):
            yield f"{place} is {text!r}, not one of {fits}"


def needed_places(module: Element) -> Iterator[str]:
    """The elements that IPM requires exist."""
    for place in (place for place, fits in FITS.items() if fits.endswith("!")):
        tag, _, attribute = place.partition("@")
        if attribute:
            yield from (f"{tag} needs {attribute}" for each in module.iter(tag) if not each.get(attribute))
        elif not module.findtext(tag):
            yield f"the module needs {tag}"


def full_versions(module: Element) -> Iterator[str]:
    """A requirement has three numbers, or the two of a version of IRIS: `>=3.10` would be 3.10 alone."""
    for needs in module.iter("SystemRequirements"):
        for name in ("Version", "IPMVersion", "PythonVersion"):
            for part in needs.get(name, "").split():
                if not re.fullmatch(r"[<>]=?(20\d\d\.\d|\d+\.\d+\.\d+)", part):
                    yield f"{name} has {part}, which IPM takes for a range of its own"


def existing_paths(module: Element) -> Iterator[str]:
    """The files of the module are where IPM looks for them."""
    return (f"there is no {path}" for path in _paths(module) if not any(ROOT.glob(path)))


def _paths(module: Element) -> Iterator[str]:
    for each in module.iter("Resource"):
        name, _, kind = each.get("Name", "").rpartition(".")
        folder = f"{'preload/' if each.get('Preload') else ''}{module.findtext('SourcesRoot')}/cls"
        yield f"{folder}/{name.replace('.', '/')}{'.cls' if kind == 'CLS' else '/**/*.cls'}"
    for each in module.iter("FileCopy"):
        yield f"{each.get('Name', '').strip('/')}/__init__.py"
    for each in module.iter("WebApplication"):
        folder = each.get("WSGIAppLocation", "").replace("${mgrdir}python/", "src/python/")
        yield f"{folder}{each.get('WSGIAppName')}.py"
    for each in module.iter("Test"):
        yield f"{each.get('Name', '').strip('/')}/{each.get('Package', '').replace('.', '/')}/*.cls"


def slashed_folders(module: Element) -> Iterator[str]:
    """
    A folder has a slash at both ends.

    Without the last one, uninstalling takes it for a file after the source is gone (ResourceProcessor.FileCopy, Clean).
    Without the first, IPM 0.10.4 cannot package it (Lifecycle.Base.GetResourceRelativePath).
    """
    for each in (*module.iter("FileCopy"), *module.iter("Test")):
        if not re.fullmatch("/.+/", each.get("Name", "")):
            yield f"{each.tag} {each.get('Name')} needs a slash at both ends"


def own_folders(module: Element) -> Iterator[str]:
    """Files go to a folder of their own: uninstalling deletes all of it (ResourceProcessor.FileCopy, Clean)."""
    for each in module.iter("FileCopy"):
        own = f"${{mgrdir}}python/{Path(each.get('Name', '')).name}/"
        if each.get("Target") != own:
            yield f"{each.get('Target')} must be {own}"


def overlaid_folders(module: Element) -> Iterator[str]:
    """A copy adds to the folder: an upgrade must keep the settings of the server, which are in it."""
    return (f"{each.get('Target')} needs Overlay" for each in module.iter("FileCopy") if each.get("Overlay") != "1")


def separate_tests(module: Element) -> Iterator[str]:
    """The folder of the unit tests has no other classes: IPM loads every class file below it (Test.Manager)."""
    for each in module.iter("Test"):
        folder = ROOT / each.get("Name", "").strip("/")
        package = folder / each.get("Package", "").replace(".", "/")
        yield from (f"{path} is no unit test" for path in folder.rglob("*.cls") if path.parent != package)


def declared_names(module: Element) -> Iterator[str]:
    """The names in `${…}` come from a Default or from IPM, and each Default is used."""
    declared = {each.get("Name", "").lower() for each in module.iter("Default")}
    texts = " ".join(text for _, text in places(module))
    used = {name.lower() for name in re.findall(r"\$\{(.*?)\}", texts)}
    yield from (f"{name} is not declared" for name in sorted(used - declared - EXPRESSIONS))
    yield from (f"{name} is not used" for name in sorted(declared - used))


def called_methods(module: Element) -> Iterator[str]:
    """Each Invoke names a class method with the right number of arguments that returns a %Status."""
    methods = {(each.name, method.name): method for each in classes() for method in each.methods}
    for each in module.iter("Invoke"):
        method = methods.get((each.get("Class", ""), each.get("Method", "")))
        if method is None:
            yield f"there is no {each.get('Class')}.{each.get('Method')}"
        elif fault := _fault_of_call(method, len(each.findall("Arg"))):
            yield f"{method.name} {fault}"


def _fault_of_call(method: Method, given: int) -> str:
    if method.type != "%Status" or not method.is_class_method:
        return "must be a class method As %Status"
    least = sum(not argument.has_default for argument in method.arguments)
    return "" if least <= given <= len(method.arguments) else f"does not take {given} arguments"


def guarded_applications(module: Element) -> Iterator[str]:
    """
    A web application asks for a password (32), runs in the namespace of the module, and grants no role of its own.
    """
    for each in module.iter("WebApplication"):
        if each.get("AutheEnabled") != "32":
            yield f"{each.get('Url')} must ask for a password"
        if each.get("NameSpace") != "${ns}" or each.get("MatchRoles") != ":${globalsDbRole}":
            yield f"{each.get('Url')} must be in the namespace, with the role of its database"


def checked_calls(module: Element) -> Iterator[str]:
    """Each Invoke has CheckStatus: before 0.10.5, IPM goes on after an error without it."""
    for each in module.iter("Invoke"):
        if each.get("CheckStatus") != "true":
            yield f"{each.get('Method')} needs CheckStatus"


RULES: tuple[Rule, ...] = (
    known_places,
    fitting_texts,
    needed_places,
    full_versions,
    existing_paths,
    slashed_folders,
    own_folders,
    overlaid_folders,
    separate_tests,
    declared_names,
    called_methods,
    guarded_applications,
    checked_calls,
)

# --- requirements.txt -----------------------------------------------------------------------------------------------

# Packages that must not come into the Python of IRIS: a second module iris, and libraries that make models.
FORBIDDEN = frozenset({"intersystems-irispython", "sqlalchemy-iris", "torch", "transformers"})

# Modules that no requirement brings: IRIS has its own, and HEIC pictures and tuning are extras.
GIVEN = frozenset({"duckdb", "iris", "nanoarrow", "optuna", "pillow_heif"})
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "umap": "umap-learn"}


def read_requirements(text: str) -> list[str]:
    """Return the requirements of a requirements.txt."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def unequal_requirements(text: str, dependencies: Sequence[str]) -> Iterator[str]:
    """A requirement is a name and a range, as in the dependencies of the project. None is forbidden."""
    allowed = {each.name: each for each in map(Requirement, dependencies) if each.name not in FORBIDDEN}
    for line in read_requirements(text):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            yield f"{line} is no name and range"
            continue
        if allowed.get(requirement.name) != requirement:
            yield f"{line} must be {allowed.get(requirement.name, 'left out')}"


def unmet_imports(text: str, modules: Iterable[Path]) -> Iterator[str]:
    """The imports of the modules are required, and nothing else."""
    required = {Requirement(line).name for line in read_requirements(text)}
    roots = {name.partition(".")[0] for module in modules for name in imported(module.read_text("utf-8"))}
    wanted = {DISTRIBUTIONS.get(name, name) for name in roots - sys.stdlib_module_names - GIVEN - {"meetup2025"}}
    yield from (f"{name} is imported and not required" for name in sorted(wanted - required))
    yield from (f"{name} is required and not imported" for name in sorted(required - wanted))


NEVER_INSIDE = (PACKAGE / "engines" / "duckdb", PACKAGE / "embedding" / "installing")
"""The embedded engine, and the modules that need torch, which refuses to run in a process of IRIS."""


def called_modules() -> set[Path]:
    """Return the modules that the classes reach inside IRIS, by the imports of their methods and further imports."""
    bodies = (method.body for each in classes() for method in each.methods if method.language == "python")
    found: set[Path] = set()
    names = {name for body in bodies for name in imported(body)}
    while names:
        new = {path for name in names for path in _files(name)} - found
        found |= new
        names = {name for path in new for name in imported(path.read_text("utf-8"))}
    return found


def _files(name: str) -> Iterator[Path]:
    """
    Return the files that an import runs: the packages on the way, and the module.

    Files that IRIS never runs are left out.
    """
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        path = PACKAGE.parent.joinpath(*parts[:count])
        if path in NEVER_INSIDE:
            return
        yield from (file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file())
