"""Class files are read exactly, or refused with the place of the fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetup2025.engines.classes import (
    Class,
    Column,
    Expression,
    Method,
    Step,
    Variable,
    examples,
    parse_class,
    procedure_steps,
    python_call,
    read_package,
    summary,
)
from meetup2025.errors import ClassSyntaxError, OperationalError

CLASSES = Path(__file__).parents[1] / "src" / "cls"

FISH = '''\
Include %occInclude

/// One species &amp; its <var>vector</var>.
/// The second line.
Class MeetUp2025.Fish Extends (%Persistent, %XML.Adaptor) [ ddlAllowed, Not Final, SqlTableName = Fishes ]
{

Parameter USEEXTENTSET = 1;

Parameter GREETING As STRING = "say ""hi""";

/// Key of the catalogue.
Property FishID As %String(MAXLEN = 10, VALUELIST = ",a,b") [ Required ];

Property Weight As %Double [ InitialExpression = 0.5, SqlFieldName = Kilograms ];

Property Added As %TimeStamp [ InitialExpression = {$zdatetime($ztimestamp, 3)} ];

// a comment, which is nobody's documentation
Property Features As %Library.Vector(DATATYPE = "DOUBLE", LEN = 512);

Index FishIDIndex On FishID [ Unique ];

Index Both On (FishID, Weight);

Index BitmapExtent [ Extent, Type = bitmap ];

Index HNSWIndex On (Features) As %SQL.Index.HNSW(Distance = "Cosine");

/// Names far from every exemplar.
/// <example>
/// SELECT Name FROM MeetUp2025.Anomalies('マアジ') WHERE Score &lt; 1
/// </example>
Query Anomalies(exemplars As %String(MAXLEN = 1000) = "マアジ,マダコ",
    threshold As %Double = -.6, k As %Integer = 5)
  As %SQLQuery(CONTAINID = 0, ROWSPEC = "FishID:%String(MAXLEN=10,TRUNCATE=1),Score:%Double")
  [ SqlName = Odd, sqlproc ]
{
    SELECT TOP :k FishID, {fn ABS(Weight)} AS Score   -- not '}'
      FROM MeetUp2025.Fish
}

/// The vector of a text.
ClassMethod EmbedText(text As %String(MAXLEN = 32000)) As %String(MAXLEN = 100)
  [ Language = python, SqlName = EmbedText, SqlProc ]
{
    from meetup2025 import procedures
    return procedures.embed_text(text)
}

ClassMethod Return(class, ByRef query As %String = {$h}, Output rows, args...) [ Private ]
{
    if class = "" { quit }
    throw ##class(%Exception.General).%New("}")
}

Method Twice(n As %Integer) As %Integer { quit n * 2 }

XData Notes [ MimeType = application/json ]
{
{"a": 1}
}

Storage Default
{
<Data name="FishDefaultData"/>
}

}
'''


@pytest.fixture(scope="module")
def fish() -> Class:
    """Read the class above."""
    return parse_class(FISH, "Fish.cls")


def class_of(*members: str, head: str = "Class A.B Extends %Persistent") -> str:
    """Write a class of these members; the first one starts on line 4."""
    return "\n".join([head, "{", "", *(f"{member}\n" for member in members), "}", ""])


def method_of(body: str, arguments: str = "image As %String, k As %Integer = 3", language: str = "") -> Method:
    """Read a method with this body, which starts on line 6, column 5."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    keywords = f" [ Language = {language} ]" if language else ""
    return parse_class(class_of(f"ClassMethod M({arguments}){keywords}\n{{\n{lines}\n}}"), "B.cls").methods[0]


# --- records


def test_class(fish):
    """A class has its names, superclasses, keywords, parameters and doc."""
    assert (fish.name, fish.package, fish.short_name, fish.sql_name) == (
        "MeetUp2025.Fish",
        "MeetUp2025",
        "Fish",
        "Fishes",
    )
    assert fish.extends == ("%Persistent", "%XML.Adaptor")
    assert fish.keywords == {"DdlAllowed": "", "SqlTableName": "Fishes"}
    assert fish.parameters == {"USEEXTENTSET": 1, "GREETING": 'say "hi"'}
    assert fish.doc == "One species &amp; its <var>vector</var>.\nThe second line."
    assert fish.path == "Fish.cls"


def test_class_without_anything():
    """A class may extend nothing, contain nothing and say nothing."""
    empty = parse_class("Class A.B.C\n{\n}\n")
    assert (empty.package, empty.short_name, empty.sql_name) == ("A.B", "C", "C")
    assert (empty.extends, empty.keywords, empty.parameters, empty.doc) == ((), {}, {}, "")
    assert (empty.properties, empty.indexes, empty.methods, empty.queries) == ((), (), (), ())


def test_properties(fish):
    """A property has its type, parameters, keywords, initial value and doc."""
    key, weight, added, features = fish.properties
    assert (key.name, key.type, key.doc) == ("FishID", "%String", "Key of the catalogue.")
    assert key.parameters == {"MAXLEN": "10", "VALUELIST": ",a,b"}
    assert (key.keywords, key.initial, key.sql_name) == ({"Required": ""}, None, "FishID")
    assert (weight.initial, weight.sql_name) == (0.5, "Kilograms")
    assert added.initial == Expression("{$zdatetime($ztimestamp, 3)}")
    assert (features.type, features.doc) == ("%Library.Vector", "")
    assert features.parameters == {"DATATYPE": "DOUBLE", "LEN": "512"}


def test_indexes(fish):
    """An index has its properties, its type with parameters, and its keywords."""
    found = {index.name: (index.properties, index.type, index.parameters, index.keywords) for index in fish.indexes}
    assert found == {
        "FishIDIndex": (("FishID",), "", {}, {"Unique": ""}),
        "Both": (("FishID", "Weight"), "", {}, {}),
        "BitmapExtent": ((), "", {}, {"Extent": "", "Type": "bitmap"}),
        "HNSWIndex": (("Features",), "%SQL.Index.HNSW", {"Distance": "Cosine"}, {}),
    }


def test_query(fish):
    """A query has typed arguments with defaults, columns, and SQL as it was written, less the indentation."""
    (query,) = fish.queries
    assert [(argument.name, argument.type, argument.default) for argument in query.arguments] == [
        ("exemplars", "%String", "マアジ,マダコ"),
        ("threshold", "%Double", -0.6),
        ("k", "%Integer", 5),
    ]
    assert query.arguments[0].parameters == {"MAXLEN": "1000"}
    assert (query.name, query.sql_name, query.is_procedure, query.type) == (
        "Anomalies",
        "Odd",
        True,
        "%SQLQuery",
    )
    assert query.columns == (
        Column("FishID", "%String", {"MAXLEN": "10", "TRUNCATE": "1"}),
        Column("Score", "%Double", {}),
    )
    assert query.sql == ("SELECT TOP :k FishID, {fn ABS(Weight)} AS Score   -- not '}'\n  FROM MeetUp2025.Fish")


def test_methods(fish):
    """A method has its language, result, body and place."""
    embed, helper, twice = fish.methods
    assert (embed.language, embed.is_procedure, embed.is_class_method) == ("python", True, True)
    assert embed.returns == ("%String", {"MAXLEN": "100"})
    assert embed.body == "from meetup2025 import procedures\nreturn procedures.embed_text(text)"
    assert FISH.splitlines()[embed.line - 1].startswith("ClassMethod EmbedText")
    assert FISH.splitlines()[embed.place[0] - 1][embed.place[1] - 1 :] == "from meetup2025 import procedures"
    assert (helper.language, helper.is_procedure, helper.returns) == ("objectscript", False, ("", {}))
    assert helper.keywords == {"Private": ""}
    assert (twice.is_class_method, twice.body, twice.returns) == (False, "quit n * 2", ("%Integer", {}))


def test_arguments(fish):
    """An argument knows how it is passed, and whether it has a default."""
    found = [
        (argument.name, argument.passing, argument.variadic, argument.has_default, argument.default)
        for argument in fish.methods[1].arguments
    ]
    assert found == [
        ("class", "", False, False, None),
        ("query", "ByRef", False, True, Expression("{$h}")),
        ("rows", "Output", False, False, None),
        ("args", "", True, False, None),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"a ""b"""', 'a "b"'),
        ("5", 5),
        ("-1", -1),
        (".5", 0.5),
        ("-.25", -0.25),
        ("1E-3", 0.001),
        ("0.60", 0.6),
        ('{"x"}', Expression('{"x"}')),
    ],
)
def test_default(text, value):
    """A default is the Python value of its literal."""
    method = method_of("quit", arguments=f"a = {text}")
    assert method.arguments[0].default == value
    assert type(method.arguments[0].default) is type(value)


def test_documentation(fish):
    """The summary and the examples of a doc comment are plain text."""
    assert summary(fish.doc) == "One species & its vector."
    assert examples(fish.queries[0].doc) == ["SELECT Name FROM MeetUp2025.Anomalies('マアジ') WHERE Score < 1"]
    assert (summary(""), examples("No example.")) == ("", [])
    assert examples("<example>\n  a\n    b\n</example> <example>c</example>") == ["a\n  b", "c"]


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), "\ufeff{}".format])
def test_line_ends_and_byte_order_mark(fish, change):
    """Windows line ends and a byte order mark change nothing."""
    assert parse_class(change(FISH), "Fish.cls") == fish


def test_byte_order_mark_before_the_class():
    """A byte order mark may stand right before the class."""
    assert parse_class("\ufeffClass A.B\n{\n}\n").name == "A.B"


def test_index_without_parentheses():
    """A typed index may name its property without parentheses."""
    text = class_of('Index X On P As %SQL.Index.HNSW(Distance = "Cosine") [ Unique ];')
    (index,) = parse_class(text).indexes
    assert (index.properties, index.type, index.keywords) == (("P",), "%SQL.Index.HNSW", {"Unique": ""})


def test_quoted_name():
    """An SQL name may be quoted."""
    (index,) = parse_class(class_of('Index X [ Extent, SqlName = "%%DDLBEIndex", Type = bitmap ];')).indexes
    assert index.keywords == {"Extent": "", "SqlName": "%%DDLBEIndex", "Type": "bitmap"}


def test_schema_name():
    """A class may name its schema."""
    found = parse_class(class_of(head="Class A.B [ SqlSchemaName = Sea, SqlTableName = Fish ]"))
    assert found.keywords == {"SqlSchemaName": "Sea", "SqlTableName": "Fish"}


# --- refusals


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (class_of("Property P As %String [ Requird ];"), (4, 25), ["`Requird ];`", "`Property P`"]),
        (class_of('Property P As %String(MAXLEN = "魚") [ Requird ];'), (4, 39), ["`Requird ];`"]),
        (class_of("ClassMethod M() [ Languge = python ]\n{\n}"), (4, 19), ["Languge", "`ClassMethod M`"]),
        (class_of("Property P As %String;", "Propery Q As %String;"), (6, 1), ["Propery Q", "`Property P`"]),
        (
            class_of('ClassMethod M()\n{\n    set a = $length("x"\n    do ..N()\n}'),
            (7, 5),
            ["`)` is missing. Got `do ..N()`", "`ClassMethod M`"],
        ),
        (
            class_of("ClassMethod M() [ Language = python ]\n{\n    return {1: 2\n}", "Property P As %String;"),
            (4, 1),
            ["swallows the next", "`ClassMethod M`"],
        ),
        (
            class_of("ClassMethod M() [ Language = python ]\n{\n    return 1}\n}", "Property P As %String;"),
            (9, 1),
            ["check the braces", "`Property P`"],
        ),
        (class_of("Property P As %String [ Requird ];", "Propery Q As %String;"), (4, 25), ["`Requird ];`"]),
        ("Class A.B\n{\nProperty P As %String;\n", (4, 1), ["`}` is missing. Got ``", "`Property P`"]),
        ("", (1, 1), ["must hold a class"]),
        ("// nothing but a comment\n", (1, 1), ["must hold a class"]),
        (class_of("Trigger T [ Event = INSERT ]\n{\n    set x = 1\n}"), (4, 1), ["not a trigger"]),
        (class_of("ForeignKey F(P) References A.C();"), (4, 1), ["not a foreignkey"]),
    ],
)
def test_syntax_error(text, place, words):
    """A fault is reported with file, line, column and member."""
    with pytest.raises(ClassSyntaxError) as caught:
        parse_class(text, "Fish.cls")
    assert (caught.value.line, caught.value.column) == place
    assert [word for word in ["Fish.cls", *words] if word not in str(caught.value)] == []


# --- packages


def test_package(tmp_path):
    """A package is every class file of a folder and its subfolders, by path."""
    (tmp_path / "sub").mkdir()
    for path, name in (("B.cls", "A.B"), ("A.cls", "A.A"), ("sub/C.cls", "A.C")):
        (tmp_path / path).write_text(f"Class {name}\n{{\n}}\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a class", encoding="utf-8")
    assert [found.name for found in read_package(tmp_path)] == ["A.A", "A.B", "A.C"]


def test_empty_package(tmp_path):
    """A folder without classes is an error, not an empty package."""
    with pytest.raises(OperationalError, match=r"\.cls"):
        read_package(tmp_path)


def test_package_in_another_encoding(tmp_path):
    """A file that is not UTF-8 is refused by name."""
    (tmp_path / "A.cls").write_bytes("/// 魚\nClass A.A\n{\n}\n".encode("cp932"))
    with pytest.raises(ClassSyntaxError, match=r"A\.cls must be UTF-8"):
        read_package(tmp_path)


def test_own_package():
    """Every procedure of this project has a name in SQL, and a body of a kind that an engine can run."""
    methods = [method for found in read_package(CLASSES) for method in found.methods if method.is_procedure]
    assert methods != []
    for method in methods:
        assert "SqlName" in method.keywords
        assert python_call(method) if method.language == "python" else procedure_steps(method)


# --- bodies


def test_procedure_steps():
    """A procedure computes values and then does something with them."""
    body = """\
set vector = ##class(MeetUp2025.Embedding).SearchVector("Fish", "I", image)   // once

// then
Do ..Return("a ""b"", (c)", -1.5, vector,
    k)
set none = ..Nothing()"""
    assert procedure_steps(method_of(body)) == (
        Step("vector", "MeetUp2025.Embedding", "SearchVector", ("Fish", "I", Variable("image"))),
        Step(None, None, "Return", ('a "b", (c)', -1.5, Variable("vector"), Variable("k"))),
        Step("none", None, "Nothing", ()),
    )


@pytest.mark.parametrize(
    ("body", "place", "got"),
    [
        ("quit 1", (6, 5), "quit 1"),
        ("set a = 1", (6, 5), "set a = 1"),
        ("do ..M(image)\nset a = ..M(k) + 1", (7, 5), "set a = ..M(k) + 1"),
        ("do ..M(image), ..M(k)", (6, 5), "do ..M(image), ..M(k)"),
        ("do:k ..M(image)", (6, 5), "do:k ..M(image)"),
        ("do ..M(..M(k))", (6, 5), "do ..M(..M(k))"),
        ("do ..M(k + 1)", (6, 12), "k + 1"),
        ("do ..M(image, $$$OK)", (6, 18), "$$$OK"),
        ("do ..M(image,, k)", (6, 18), ", k"),
        ("do ..M(image,)", (6, 12), "image,"),
        ("do ..M(image,\n    vectr)", (6, 18), "vectr"),
        ("do ..M(later)\nset later = ..M(k)", (6, 12), "later"),
        ("// nothing", (6, 5), "nothing"),
    ],
)
def test_other_steps(body, place, got):
    """A body that holds anything else is refused, with the place."""
    with pytest.raises(ClassSyntaxError, match=r"B\.cls: the body of `M`") as caught:
        procedure_steps(method_of(body))
    assert (caught.value.line, caught.value.column) == place
    assert got in str(caught.value)


def test_python_call():
    """A Python body passes arguments on to one function."""
    body = "from meetup2025 import procedures\nreturn procedures.identify(image, k)"
    assert python_call(method_of(body, language="python")) == ("identify", ("image", "k"))
    bare = "from meetup2025 import procedures\n\n# why\nreturn procedures.version()"
    assert python_call(method_of(bare, arguments="", language="python")) == ("version", ())


def test_bodies_are_read_once():
    """A function that runs for each row of a table has its body read once, and a procedure that is called again too."""
    function = method_of("from meetup2025 import procedures\nreturn procedures.identify(image, k)", language="python")
    procedure = method_of('do ##class(MeetUp2025.Procedure).Return("MeetUp2025.Fish", "Nearest", k)')
    assert python_call(function) is python_call(function)
    assert procedure_steps(procedure) is procedure_steps(procedure)


@pytest.mark.parametrize(
    ("body", "place", "got"),
    [
        ("return procedures.identify(image)", (6, 5), "return procedures.identify(image)"),
        ("import os\nreturn procedures.f(image)", (6, 5), "import os"),
        ("from meetup2025 import runs\nreturn runs.f(image)", (6, 5), "import runs"),
        ("from meetup2025 import procedures\nreturn other.f(image)", (6, 5), "other.f"),
        ("from meetup2025 import procedures\nreturn runs.f(image)", (6, 5), "runs.f"),
        ("from meetup2025 import settings\nreturn settings.f(image)", (6, 5), "settings.f"),
        ("from meetup2025 import procedures\nreturn procedures.f(k=k)", (6, 5), "k=k"),
        ("from meetup2025 import procedures\nreturn procedures.f(*k)", (6, 5), "*k"),
        ("from meetup2025 import procedures\nreturn procedures.f(k + 1)", (6, 5), "k + 1"),
        ("from meetup2025 import procedures\nreturn procedures.f('1')", (6, 5), "'1'"),
        ("from meetup2025 import procedures\nk = 1\nreturn procedures.f(k)", (6, 5), "k = 1"),
        ("from meetup2025 import procedures\nreturn procedures.f(other)", (7, 5), "`other`"),
        ("from meetup2025 import procedures\nreturn procedures.f(", (7, 24), "never closed"),
    ],
)
def test_other_python(body, place, got):
    """A Python body that does anything else is refused, with the place."""
    with pytest.raises(ClassSyntaxError, match=r"B\.cls: the body of `M`") as caught:
        python_call(method_of(body, language="python"))
    assert (caught.value.line, caught.value.column) == place
    assert got in str(caught.value)
