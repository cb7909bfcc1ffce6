"""What keeps the project simple: the rules of the design, held by tests."""

from __future__ import annotations

import ast
import graphlib
import importlib.util
import inspect
import re
import statistics
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

import class_rules
import pytest
from class_rules import RULES

import meetup2025
from meetup2025 import procedures
from meetup2025.engines.classes import Class, parse_class, read_package
from meetup2025.engines.classes.catalog import catalog_lines
from meetup2025.engines.classes.program import class_folder
from meetup2025.loading import records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeGuard

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "python" / "meetup2025"
MODULES = sorted(PACKAGE.rglob("*.py"))

# --- the classes ----------------------------------------------------------------------------------------------------

GOOD = (ROOT / "tests" / "expected" / "Thing.cls").read_text("utf-8")
NAMED = {rule.__name__: rule for rule in RULES}

# A method that SQL calls, and one that it does not see.
SQL_PROC = "(MAXLEN = 1000)) As %String(MAXLEN = 32000) [ Language = python, SqlName = EmbedText, SqlProc ]"
UNSEEN = "(MAXLEN = 1000)) As %String(MAXLEN = 32000) [ Language = python ]"

# Rule, what is changed in the good class, and into what: each breaks the rule.
BREACHES = [
    # names
    ("one_level", "Class MeetUp2025.Thing", "Class MeetUp2025.Sea.Thing"),
    ("explicit_names", "SqlName = EmbedText, ", ""),
    ("explicit_names", "SqlName = EmbedText", "SqlName = Embed_JSON"),
    ("unique_names", "SqlName = EmbedText", "SqlName = findthings"),
    ("unique_names", "SqlName = EmbedText", "SqlName = Thing"),
    ("unreserved_names", "SqlName = EmbedText", "SqlName = Extract"),
    ("unreserved_names", "Property Name As", "Property Level As"),
    ("unreserved_names", "Score:%Double", "Section:%Double"),
    # tables
    ("table_keywords", "DdlAllowed, ", ""),
    ("table_keywords", "SqlRowIdPrivate, ", ""),
    ("table_keywords", "DdlAllowed, ", "DdlAllowed, Final, "),
    ("system_ids", "On Name [ Unique ]", "On Name [ IdKey, Unique ]"),
    ("vector_columns", '"DOUBLE", LEN = 512', '"FLOAT", LEN = 512'),
    ("vector_columns", 'DATATYPE = "DOUBLE", LEN', "LEN"),
    ("vector_columns", '"DOUBLE", LEN = 512', '"DOUBLE"'),
    ("hnsw_indexes", "On (Features)", "On (Name)"),
    ("hnsw_indexes", "On (Features)", "On (Features, Name)"),
    ("hnsw_indexes", 'HNSW(Distance = "Cosine")', "HNSW(M = 16)"),
    ("hnsw_indexes", '"Cosine")', '"Euclidean")'),
    ("hnsw_indexes", '"Cosine")', '"Cosine", M = 101)'),
    ("hnsw_indexes", '"Cosine")', '"Cosine", efConstruction = 16)'),
    ("linked_lengths", "Likeness As %String(MAXLEN = 60)", "Likeness As %String"),
    # routines
    ("lengths", "(text As %String(MAXLEN = 1000)) As", "(text As %String) As"),
    ("lengths", "(text As %String(MAXLEN = 1000)) As", "(text As %String(MAXLEN = 4000000)) As"),
    ("lengths", "As %String(MAXLEN = 32000) [ Language", "As %String [ Language"),
    ("result_lengths", "As %String(MAXLEN = 32000) [ Language", "As %String(MAXLEN = 32001) [ Language"),
    ("vector_lengths", "(vector As %String(MAXLEN = 32000)", "(vector As %String(MAXLEN = 10000)"),
    ("vector_lengths", "(vector As %String(MAXLEN = 32000)", "(vector As %Double"),
    ("vector_lengths", "As %String(MAXLEN = 32000) [ Language", "As %String(MAXLEN = 10000) [ Language"),
    ("argument_lengths", "(name As %String(MAXLEN = 60))", "(name As %String)"),
    ("known_types", "k As %Integer = 3) As %SQLQuery", "k As %Status = 3) As %SQLQuery"),
    ("results", "ClassMethod EmbedText", "Method EmbedText"),
    ("results", "As %String(MAXLEN = 32000) [ Language", "As %Vector [ Language"),
    ("results", "As %String(MAXLEN = 32000) [ Language", "[ Language"),
    ("results", "ReturnResultsets, ", ""),
    ("by_value", "EmbedText(text As", "EmbedText(ByRef text As"),
    ("by_value", "EmbedText(text As", "EmbedText(Output text As"),
    ("by_value", f"text As %String{SQL_PROC}", f"ByRef text As %String{UNSEEN}"),
    ("fixed_arguments", "k As %Integer = 3) [ ReturnResultsets", "k... As %Integer) [ ReturnResultsets"),
    ("defaults_last", "(text As %String(MAXLEN = 1000)", '(a As %String = "", text As %String(MAXLEN = 1000)'),
    ("few_members", "/// Vector of a text.\n", "Query One() As %SQLQuery\n{\nSELECT 1\n}\n\n" * 201),
    ("documented", "/// Things that have a name.\n", ""),
    ("documented", "/// What it is called.", "/// What it is called"),
    ("documented", "/// Things near to a vector.\n", "///\n/// Things near to a vector.\n"),
    ("exemplified", "MeetUp2025.EmbedText('a')", "MeetUp2025.EmbedTexts('a')"),
    ("exemplified", "/// <example>\n/// CALL MeetUp2025.FindThings('a', 3)\n/// </example>\n", ""),
    # bodies
    ("balanced", "    set vector", '    if 1 { set a = "}" }\n    // {\n    set vector'),
    ("compilable", "    return procedures", "    return return procedures"),
    ("importable", "from meetup2025 import procedures", "from meetup2025 import procedure"),
    ("importable", "procedures.embed_text(text)", "procedures.embedded_text(text)"),
    ("silent", "    return procedures", "    print(text)\n    return procedures"),
    ("python_bodies", "procedures.embed_text(text)", "procedures.embed(text)"),
    ("python_bodies", "    from meetup2025", "    # a remark\n    from meetup2025"),
    (
        "python_bodies",
        "EmbedText(text As %String(MAXLEN = 1000))",
        "EmbedText(text As %String(MAXLEN = 1000), more As %Integer)",
    ),
    ("objectscript_bodies", SQL_PROC, UNSEEN),
    ("objectscript_bodies", "    set vector", "    set more = 1\n    set vector"),
    ("objectscript_bodies", "    set vector = ##class(MeetUp2025.Thing).EmbedText(text)\n", ""),
    ("objectscript_bodies", "(MeetUp2025.Procedure).Return", "(MeetUp2025.Thing).Return"),
    ("objectscript_bodies", "ReturnResultsets, ", ""),
    ("embedders", "Extends %Persistent", "Extends %Embedding.Interface"),
    # queries
    ("readable", "FROM MeetUp2025.Thing) thing", "FROM MeetUp2025.Thing ORDER BY Name) thing"),
    ("readable", "AS Score\nFROM", "AS Score INTO :name, :score\nFROM"),
    ("readable", "COUNT(*)", f"GREATEST({', '.join('1' * 141)})"),
    ("callable_queries", "%SQLQuery(CONTAINID = 0, ", "%SQLQuery("),
    ("callable_queries", "As %SQLQuery(", "As %Query("),
    ("callable_queries", "SqlName = NearestThings, SqlProc", "SqlName = NearestThings"),
    ("callable_queries", "ORDER BY Score DESC", "ORDER BY Score DESC;"),
    ("double_vectors", "TO_VECTOR(:vector, DOUBLE)", "TO_VECTOR(:vector)"),
    ("double_vectors", "TO_VECTOR(:vector, DOUBLE)", "TO_VECTOR(:vector, FLOAT)"),
    ("double_vectors", "TO_VECTOR(:vector, DOUBLE)", "TO_VECTOR(:vector, DOUBLE, 512)"),
    ("ordered_searches", "TOP :k ", ""),
    ("ordered_searches", "ORDER BY Score DESC", ""),
    ("ordered_searches", "ORDER BY Score DESC", "ORDER BY Score"),
    ("sized_casts", "COUNT(*)", "CAST(COUNT(*) AS VARCHAR)"),
    ("sized_casts", "COUNT(*)", "CONVERT(CHAR, COUNT(*))"),
    ("grouped", "WHERE Name <> :name\nGROUP BY %EXACT(Likeness)", "HAVING Name <> :name"),
    ("derived_groups", "SELECT %EXACT(Likeness)", "WITH one AS (SELECT 1 AS a) SELECT %EXACT(Likeness)"),
    ("single_values", "<> :name", "<> (SELECT Name FROM MeetUp2025.Thing)"),
    ("single_values", "<> :name", "<> (SELECT TOP 2 Name FROM MeetUp2025.Thing)"),
    ("exact_groups", "GROUP BY %EXACT(Likeness)", "GROUP BY Likeness"),
    ("plain_arguments", "FindThings('a', 3)", "FindThings(MeetUp2025.EmbedText('a'), 3)"),
    ("plain_arguments", "NearestThings(?, 3)", "NearestThings(MeetUp2025.EmbedText('a'), 3)"),
    ("constant_calls", "TO_VECTOR(:vector, DOUBLE)", "TO_VECTOR(MeetUp2025.EmbedText(Name), DOUBLE)"),
    ("no_empty_texts", "<> :name", "<> MeetUp2025.EmbedText('')"),
    ("row_specs", "Name:%String(MAXLEN=60),Score:%Double", "Score:%Double,Name:%String(MAXLEN=60)"),
    ("row_specs", "AS Score", "AS Cosine"),
    ("host_variables", "(:vector,", "(:vektor,"),
    ("host_variables", "k As %Integer = 3) As %SQLQuery", "k As %Integer = 3, more As %Integer = 1) As %SQLQuery"),
    ("row_lengths", "Name:%String(MAXLEN=60)", "Name:%String"),
    ("row_lengths", "Likeness:%String(MAXLEN=60)", "Likeness:%String(MAXLEN=59)"),
    ("compared_lengths", "(name As %String(MAXLEN = 60))", "(name As %String)"),
    ("whole_results", "k As %Integer = 3) As %SQLQuery", "k As %Integer = 1000000) As %SQLQuery"),
    ("whole_results", "vector, k)", "vector, 1000)"),
    # storage
    ("own_globals", '"^MeetUp2025.Thing";', '"^CJ7T.CuqN";'),
    ("own_globals", "USEEXTENTSET = 1", "USEEXTENTSET = 0"),
    ("own_globals", ">^MeetUp2025.Thing.2<", ">^MeetUp2025.Fish.2<"),
    ("own_globals", ">^MeetUp2025.Thing.2<", ">^MeetUp2025.Thing.NameIndexOfThings<"),
    ("separate_globals", ">^MeetUp2025.Thing.2<", ">^MeetUp2025.Thing.3<"),
    ("fixed_elements", ">increment<", ">sequence<"),
    ("fixed_elements", "<StreamLocation>^MeetUp2025.Thing.S</StreamLocation>\n", ""),
    ("fixed_elements", "<IdFunction>", "<ExtentSize>93</ExtentSize>\n<IdFunction>"),
    ("stored_columns", "<Value>Likeness</Value>", "<Value>Liking</Value>"),
    ("stored_columns", "<Value>%%CLASSNAME</Value>", "<Value>Name</Value>"),
    ("stored_columns", "<Structure>node<", "<Structure>listnode<"),
    ("stored_columns", "Thing.1.P1<", "Thing.1<"),
    ("stored_indexes", '<Index name="NameIndex">', '<Index name="LikenessIndex">'),
]


@pytest.fixture(scope="module")
def classes() -> tuple[Class, ...]:
    """The classes of the package."""
    return read_package(class_folder())


def test_classes_keep_the_rules(classes: tuple[Class, ...]) -> None:
    """The classes of the package keep each rule."""
    assert [(name, fault) for name, rule in NAMED.items() for fault in rule(classes)] == []


def test_good_class_keeps_the_rules() -> None:
    """A class that does nothing wrong has no fault."""
    assert [(name, fault) for name, rule in NAMED.items() for fault in rule([parse_class(GOOD)])] == []


def is_found(rule: str, old: str, new: str) -> bool:
    """Check that a rule finds the good class at fault once a text in it is changed."""
    return old in GOOD and any(NAMED[rule]([parse_class(GOOD.replace(old, new, 1))]))


def test_rules_find_their_breaches() -> None:
    """Each rule finds the classes that break it."""
    assert [breach for breach in BREACHES if not is_found(*breach)] == []


def test_every_rule_is_proved() -> None:
    """Each rule has a class that breaks it."""
    assert {rule for rule, _, _ in BREACHES} == set(NAMED)


@pytest.mark.parametrize("name", class_rules.LIFECYCLE)
@pytest.mark.parametrize(("keywords", "count"), [("", 0), ("[ SqlProc ]", 1)])
def test_methods_that_sql_does_not_see(name: str, keywords: str, count: int) -> None:
    """A class of the life cycle may hold any ObjectScript, but in what SQL calls."""
    text = f"Class {name}\n{{\nClassMethod Do() {keywords}\n{{\n    set a = 1\n}}\n}}\n"

    assert len(list(class_rules.objectscript_bodies([parse_class(text)]))) == count


def doors() -> list[tuple[str, Callable[..., object]]]:
    """Give the functions behind the Python methods of the classes, by name."""
    members = inspect.getmembers(procedures, inspect.isfunction)
    own = [(name, each) for name, each in members if each.__module__ == procedures.__name__]
    return [(name, each) for name, each in own if not name.startswith("_") and name != "from_sql"]


def test_python_twins(classes: tuple[Class, ...]) -> None:
    """Each Python method of a class has a function of the same name and arguments, and no function is without one."""
    declared = {
        class_rules.python_twin(each, method): [argument.name for argument in method.arguments]
        for each in classes
        for method in each.methods
        if method.language == "python"
    }
    written = {name: list(inspect.signature(function).parameters) for name, function in doors()}

    assert declared == written


def test_door_has_no_other_types() -> None:
    """Each argument of a function behind a class is an int, a float or a str, which the door converts."""
    kinds = {each.annotation for _, function in doors() for each in inspect.signature(function).parameters.values()}

    assert kinds == {"int", "float", "str"}
    assert all(hasattr(function, "__wrapped__") for _, function in doors())


def test_lengths_of_columns_are_those_of_the_readers(classes: tuple[Class, ...]) -> None:
    """A text that the readers let pass fits its column, and a longer one they refuse."""
    columns = {
        (table.short_name, column.name): int(column.parameters["MAXLEN"])
        for table in class_rules.tables(classes)
        for column in table.properties
        if column.type == "%String"
    }

    assert {name: columns["Fish", name] for name in records._COLUMNS} == records._COLUMNS
    assert columns["FishImage", "Name"] == records.LONGEST_FILE_NAME


def test_bodies_import_what_there_is(classes: tuple[Class, ...]) -> None:
    """Each name that a Python method of a class imports is there."""
    bodies = [method.body for each in classes for method in each.methods if method.language == "python"]

    assert [name for body in bodies for name in sorted(imported(body)) if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Tell whether a dotted name is a module, or an attribute of one."""
    module, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(module), attribute) or importlib.util.find_spec(name) is not None


def test_catalog() -> None:
    """What SQL can see is the recorded surface, so that a public change shows in a diff."""
    recorded = (ROOT / "tests" / "expected" / "catalog.txt").read_text("utf-8").splitlines()

    assert catalog_lines() == recorded, (
        "The SQL surface changed. If that is meant, record it:\n"
        "python -c \"from meetup2025.engines.classes.catalog import catalog_lines; print('\\n'.join(catalog_lines()))\""
        " > tests/expected/catalog.txt"
    )


# --- the modules ----------------------------------------------------------------------------------------------------

SKINS = ("cli", "client", "web")
CALLED = ("procedures", "runs", "loading")
GROUND = (
    *("analytics", "embedding", "installing", "integratedml"),
    *("errors", "files", "images", "iris_process", "settings", "vectors"),
)
FORBIDDEN = [
    (("cli", "client"), ("procedures", "runs", "analytics")),
    (("web",), (*CALLED, "analytics", "cli")),
    (("engines",), ("cli", "web", "client", "figures")),
    (CALLED, ("cli", "web", "client", "figures")),
    (("figures",), ("engines", *CALLED, *SKINS, *(part for part in GROUND if part != "errors"))),
    (("analytics",), ("embedding", "images", "files")),
    (GROUND, ("engines", "figures", *CALLED, *SKINS)),
]
"""Parts of the package, and the parts that they must not import."""

OWNERS = {
    "click": ("cli",),
    "duckdb": ("engines",),
    "iris": ("engines", "iris_process"),
    "kneed": ("analytics",),
    "nanoarrow": ("engines",),
    "numba": ("analytics",),
    "onnxruntime": ("embedding",),
    "orjson": ("engines", "loading"),
    "pandas": ("engines",),
    "plotly": ("figures", "web"),
    "polars": ("engines",),
    "prometheus_client": ("cli",),
    "prompt_toolkit": ("cli",),
    "pyarrow": ("engines",),
    "ray": ("loading",),
    "scipy": ("analytics", "figures"),
    "sklearn": ("analytics", "integratedml"),
    "sqlglot": ("engines",),
    "threadpoolctl": ("analytics",),
    "huggingface_hub": ("installing",),
    "onnx": ("installing",),
    "safetensors": ("installing",),
    "tokenizers": ("embedding", "installing"),
    "torch": ("installing",),
    "transformers": ("installing",),
    "tree_sitter": ("engines",),
    "tree_sitter_objectscript": ("engines",),
    "umap": ("analytics",),
    "waitress": ("embedding", "web"),
    "watchdog": ("cli",),
    "wcwidth": ("cli", "figures"),
}


def part_of(module: Path) -> str:
    """Give the part of the package that a module is in: a module of the top, or a folder."""
    parts = module.relative_to(PACKAGE).parts
    return "installing" if "installing" in parts else parts[0].removesuffix(".py")


def imported(source: str) -> set[str]:
    """Give the dotted names that a module imports when it runs; those for the type checker alone are left out."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        nodes += ast.iter_child_nodes(node)
    return found


def forbidden_imports(part: str, source: str) -> list[str]:
    """Give the imports of a module that its part of the package must not have."""
    own = {".".join(name.split(".")[1:2]) for name in imported(source) if name.startswith("meetup2025.")}
    faults = [other for parts, others in FORBIDDEN if part in parts for other in others if other in own]
    roots = {name.partition(".")[0] for name in imported(source)}
    return faults + [root for root in sorted(roots) if part not in OWNERS.get(root, (part,))]


def test_imports_point_down() -> None:
    """A module imports only what stands below it, and a library only where it belongs."""
    found = {str(module): forbidden_imports(part_of(module), module.read_text("utf-8")) for module in MODULES}

    assert {module: faults for module, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("part", "source", "faults"),
    [
        ("cli", "from meetup2025 import procedures", ["procedures"]),
        ("web", "from meetup2025 import runs", ["runs"]),
        ("cli", "import waitress", ["waitress"]),
        ("web", "def f():\n    from meetup2025.analytics import maps", ["analytics"]),
        ("engines", "import meetup2025.cli", ["cli"]),
        ("vectors", "from meetup2025.engines import current", ["engines"]),
        ("loading", "import duckdb", ["duckdb"]),
        ("embedding", "import torch.nn", ["torch"]),
        ("embedding", "def f():\n    from transformers import AutoModel", ["transformers"]),
        ("installing", "import torch.nn", []),
        ("installing", "from meetup2025 import engines", ["engines"]),
        ("embedding", "def f():\n    import iris", ["iris"]),
        ("embedding", "from meetup2025.cli import serve", ["cli"]),
        ("cli", "from meetup2025.loading import photos", []),
        ("engines", "import ray.data", ["ray"]),
        ("loading", "from meetup2025.cli import upload", ["cli"]),
        ("analytics", "from meetup2025.engines import current", ["engines"]),
        ("figures", "from meetup2025.engines import connect", ["engines"]),
        ("figures", "def f():\n    from meetup2025 import runs", ["runs"]),
        ("figures", "from meetup2025 import vectors", ["vectors"]),
        ("figures", "from meetup2025.errors import DataError\nimport plotly", []),
        ("runs", "from meetup2025 import figures", ["figures"]),
        ("cli", "from plotly.graph_objects import Figure", ["plotly"]),
        ("procedures", "from sklearn.cluster import KMeans", ["sklearn"]),
        ("loading", "if TYPE_CHECKING:\n    import duckdb\nelse:\n    import json", []),
        ("engines", "import duckdb\nimport sqlglot.exp", []),
    ],
)
def test_import_rule_finds_its_breach(part: str, source: str, faults: list[str]) -> None:
    """The rule of imports sees imports in functions, and leaves out those for the type checker."""
    assert forbidden_imports(part, source) == faults


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Give the modules that each module imports when it runs, in its functions too."""

    def owner(name: str) -> str | None:
        parts = name.split(".")
        names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((each for each in names if each in sources), None)

    found = {module: {owner(name) for name in imported(source)} for module, source in sources.items()}
    return {module: {each for each in others if each not in (None, module)} for module, others in found.items()}


def circle(sources: Mapping[str, str]) -> list[str]:
    """Give the modules of an import circle; none where there is no circle."""
    try:
        graphlib.TopologicalSorter(import_graph(sources)).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_circle() -> None:
    """No module imports itself by way of others, not even inside a function."""
    names = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in MODULES}
    sources = {name.removesuffix(".__init__"): path.read_text("utf-8") for name, path in names.items()}

    assert len(sources) == len(MODULES)
    assert circle(sources) == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a": "import b", "b": "def f():\n    from a import g"}, {"a", "b"}),
        ({"a": "from b import c", "b": "", "b.c": "import a.x", "a.x": "import a"}, {"a", "b.c", "a.x"}),
        ({"a": "import b", "b": "if TYPE_CHECKING:\n    import a"}, set()),
        ({"a": "import b.c", "b": "", "b.c": "import b"}, set()),
    ],
)
def test_circle_is_found(sources: dict[str, str], found: set[str]) -> None:
    """The rule of circles sees imports in functions and of submodules, and leaves out those for the type checker."""
    assert set(circle(sources)) == found


TOP = {
    *("__init__", "__main__"),
    *("client", "errors", "files", "images", "iris_process", "procedures", "settings", "vectors"),
    *("analytics", "cli", "embedding", "engines", "figures", "integratedml", "loading", "locale", "runs", "web"),
}
"""Modules and folders at the top of the package: what its layout has."""


def test_no_new_module_at_the_top() -> None:
    """The top of the package has the modules and folders of the layout, and no others."""
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert modules | folders == TOP


HEAVY = (
    *(
        "PIL",
        "click",
        "duckdb",
        "huggingface_hub",
        "kneed",
        "nanoarrow",
        "numba",
        "numpy",
        "onnx",
        "onnxruntime",
        "plotly",
        "ray",
    ),
    *("rich", "scipy", "sklearn", "sqlglot", "tokenizers", "torch", "transformers", "tree_sitter", "umap"),
)


def loaded_by(statement: str) -> set[str]:
    """Give the heavy libraries that a statement loads in a fresh interpreter."""
    script = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(HEAVY) & set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "loads"),
    [
        ("import meetup2025", set()),
        ("import meetup2025.procedures", {"PIL", "numpy"}),
        ("import meetup2025.cli", {"click"}),
        ("import meetup2025.loading.ray", {"PIL", "numpy"}),
        ("import meetup2025.figures", {"numpy"}),
        ("import meetup2025.integratedml", set()),
        ("import meetup2025.embedding.installing.install", {"PIL", "numpy"}),
        ("import meetup2025.web", {"PIL", "numpy"}),
        ("import numpy", {"numpy"}),
    ],
)
def test_import_budget(statement: str, loads: set[str]) -> None:
    """Importing the package loads none of its libraries: every IRIS process would pay for them."""
    assert loaded_by(statement) == loads


def test_exports_are_sorted() -> None:
    """`__all__` is in order: constants, classes, functions."""
    assert sorted(meetup2025.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == [
        *meetup2025.__all__
    ]


def test_exports_are_complete() -> None:
    """`__all__` names all that is public in the package."""
    public = {
        name
        for name, value in vars(meetup2025).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    of_python = {"annotations", "TYPE_CHECKING", "Any"}
    assert (public - of_python) | {"__version__", *meetup2025._PLACES} == set(meetup2025.__all__)


def function_lengths(source: str) -> list[int]:
    """Give the number of lines of each function, without its docstring."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            own = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
            found.append((node.end_lineno or node.lineno) - node.lineno + 1 - own)
    return found


def test_functions_are_short() -> None:
    """Half of the functions have at most 8 lines, and none has more than 45."""
    lengths = [length for module in MODULES for length in function_lengths(module.read_text("utf-8"))]

    assert statistics.median(lengths) <= 8
    assert max(lengths) <= 45


# --- the SQL of the loads -------------------------------------------------------------------------------------------

# Names that an SQL text may hold: columns and tables of closed lists, and question marks.
CLOSED_NAMES = {"column", "columns", "key", "marks", "table"}
LOADS = ("loading/names.py", "loading/photos.py", "loading/ray.py", "loading/tables.py", "procedures.py")


def open_sql(source: str) -> list[str]:
    """Give the SQL texts of a module that are built of more than constants and closed names."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and re.match(
            r"f['\"]+\s*(SELECT|INSERT|UPDATE|DELETE|CALL)\b", ast.unparse(node)
        ):
            parts = [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
            if any(not isinstance(part, ast.Name) or part.id not in CLOSED_NAMES for part in parts):
                faults.append(ast.unparse(node))
        if is_execute(node) and not isinstance(node.args[0], (ast.Constant, ast.JoinedStr, ast.Name)):
            faults.append(ast.unparse(node))
    return faults


def is_execute(node: ast.AST) -> TypeGuard[ast.Call]:
    """Tell a call of `execute` or `executemany`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("execute")


def test_sql_is_not_made_of_input() -> None:
    """The loads pass values as parameters; only names of closed lists stand in their SQL."""
    assert [(module, sql) for module in LOADS for sql in open_sql((PACKAGE / module).read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        "cursor.execute(f'SELECT Name FROM MeetUp2025.{user_table}')",
        "cursor.execute(f'DELETE FROM MeetUp2025.Fish WHERE Name = {row[0]}')",
        "cursor.execute('SELECT * FROM MeetUp2025.' + table)",
        "cursor.execute('SELECT * FROM {}'.format(table))",
        "cursor.executemany('DELETE FROM Fish WHERE Name = %s' % name, rows)",
    ],
)
def test_sql_rule_finds_its_breach(source: str) -> None:
    """The rule finds SQL that is made of other values."""
    assert len(open_sql(source)) == 1


# --- the version ----------------------------------------------------------------------------------------------------


def test_one_version() -> None:
    """The changelog, the citation, the IRIS package and the image are of the version of the package."""
    versions = {meetup2025.__version__}
    versions |= set(re.findall(r"^## \[?(\d[\w.]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[:1])
    versions |= set(re.findall(r"<Version>(.*?)</Version>", (ROOT / "module.xml").read_text("utf-8")))
    versions |= set(re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE))
    for of_image in ("docs/iris.md", "iris-docker/compose.yaml"):
        versions |= set(re.findall(r"meetup2025:(\d[\w.]*)", (ROOT / of_image).read_text("utf-8")))

    assert versions == {meetup2025.__version__}


def test_project_file_states_no_version() -> None:
    """pyproject.toml reads the version from the package."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")

    assert 'dynamic = ["version", "urls"]' in text
    assert re.search(r"^version\s*=", text, re.MULTILINE) is None
