"""The ObjectScript of the class files keeps the rules, and each rule finds what breaks it."""

from __future__ import annotations

import pytest
from class_rules import RULES_OF_TESTS
from objectscript_rules import RULES
from objectscript_tree import Source, read_sources, sql_texts, unset_variables, word

from meetup2025.engines.classes import parse_class
from meetup2025.engines.classes.reader import _MASKS, _parser

NAMED = {rule.__name__: rule for rule in RULES}

WORKER = """\
/// Answers questions in a process of its own.
Class MeetUp2025.Worker Extends %RegisteredObject
{

Parameter EVENT = "MeetUp2025";

Index NameIndex On (Name) As %SQL.Index.HNSW(Distance = "Cosine");

/// Things of a name.
Query Things(name As %String(MAXLEN = 50)) As %SQLQuery [ SqlName = Things, SqlProc ]
{
SELECT Name FROM MeetUp2025.Worker WHERE Name = :name
}

/// Starts the process; the number of questions that wait.
ClassMethod Start(limit As %Integer = 5) As %Integer
{
    // 日本語
    lock +^MeetUp2025.Worker:limit
    if '$test {
        return 0
    }
    job ..Serve("names", 1)::5
    for place = 1:1:10 {
        hang 0.1
        set waiting(place) = $get(waiting(place - 1)) + 1
    }
    lock -^MeetUp2025.Worker
    quit waiting(10)
}

/// Answers one question.
ClassMethod Serve(question As %String, number As %Integer, more...) As %Status
{
    set status = $$$OK
    tstart
    try {
        set message = $system.Event.WaitMsg(..#EVENT, 5)
        &sql(SELECT Name, Model INTO :name, :model FROM MeetUp2025.Worker WHERE Name = :question)
        set statement = ##class(%SQL.Statement).%New()
        do ..Check(statement.%Prepare("SELECT Name "_"FROM MeetUp2025.Worker"))
        set rows = ##class(%SQL.Statement).%ExecDirect(, "SELECT Name FROM MeetUp2025.Worker WHERE Name = ?", name)
        while rows.%Next() {
            set $list(found, number) = rows.%Get("Name")_model_message_SQLCODE
        }
        tcommit
    } catch exception {
        trollback 1
        set status = exception.AsStatus()
    }
    quit status
}

/// Rows of a query, for SQL.
ClassMethod Rows(name As %String)
{
    do ##class(MeetUp2025.Worker).Check(..Serve(name, 1, 2, 3))
    do ##class(MeetUp2025.Procedure).Return("MeetUp2025.Things", name)
    if $isobject($get(%sqlcontext)) {
        set %sqlcontext.%Message = name
    }
}

ClassMethod Check(status As %Status) [ Internal ]
{
    if $system.Status.IsError(status) {
        throw ##class(%Exception.StatusException).CreateFromStatus(status)
    }
}

}
"""

PROCEDURE = """\
/// The last step.
Class MeetUp2025.Procedure Extends %RegisteredObject
{

ClassMethod Return(query As %String, arguments...)
{
    do ##class(%SQL.Statement).%New()
}

}
"""

UNIT_TEST = """\
/// The process answers.
Class MeetUp2025.UnitTests.Worker Extends %UnitTest.TestCase
{

Method OnBeforeAllTests() As %Status
{
    quit $$$OK
}

Method OnBeforeOneTest(name As %String) As %Status
{
    set status = 1
    try {
        tstart
        do $$$AssertTrue(1, "SELECT "_name)
    } catch exception {
        trollback
        set status = exception.AsStatus()
    }
    quit status
}

Method OnAfterOneTest(name As %String) As %Status
{
    trollback
    quit 1
}

/// It starts; this needs no password, and no /etc/passwd.
Method TestStart()
{
    do $$$AssertEquals(##class(MeetUp2025.Worker).Start(), 10, "ten wait")
}

Method TestServe()
{
    do ..Succeeds("names")
}

Method Succeeds(question As %String)
{
    do $$$AssertStatusOK(##class(MeetUp2025.Worker).Serve(question, 1), "it is served")
}

}
"""

# Rule, what is changed in the good classes, and into what: each breaks the rule.
BREACHES = [
    # files
    ("readable", "    tstart\n", "    tstarts\n"),
    (
        "readable",
        "Extends %RegisteredObject\n{\n\nParameter",
        "Extends %RegisteredObject [ Language = python ]\n{\n\nParameter",
    ),
    (
        "readable",
        "    } catch exception {\n        trollback 1\n        set status = exception.AsStatus()\n    }\n",
        "    }\n",
    ),
    ("named_files", "Class MeetUp2025.Worker", "Class MeetUp2025.Workers"),
    ("named_files", "/// Answers questions", "\ufeff/// Answers questions"),
    ("named_files", "\n\nParameter", "\r\n\r\nParameter"),
    ("documented_members", "/// Starts the", "/// Nothing.\n\n/// Starts the"),
    ("last_storage", "Parameter EVENT", "Storage Default\n{\n<Type>%Storage.Persistent</Type>\n}\n\nParameter EVENT"),
    ("last_storage", "Worker Extends %RegisteredObject", "Worker Extends %Persistent"),
    ("parenthesised_indexes", "On (Name) As", "On Name As"),
    ("plain_letters", "waiting(10)", "waiting(10) + 数"),
    ("no_passwords", 'EVENT = "MeetUp2025"', 'PASSWORD = "SYS"'),
    ("argument_names", "more...", "outputs..."),
    # words and names
    ("full_commands", "    tstart\n", "    TSTART\n"),
    ("full_commands", "    set status", "    s status"),
    ("full_commands", "while rows", "While rows"),
    ("full_commands", "} catch exception", "} CATCH exception"),
    ("known_macros", "$$$OK\n    tstart", "$$$OKAY\n    tstart"),
    ("known_macros", "$$$OK\n    tstart", '$$$AssertTrue(1, "x")\n    tstart'),
    ("known_macros", "$$$AssertStatusOK", "$$$AssertStatusTrue"),
    ("known_calls", "##class(MeetUp2025.Worker).Check", "##class(MeetUp2025.Workers).Check"),
    ("known_calls", "##class(MeetUp2025.Worker).Check", "##class(MeetUp2025.Worker).Checks"),
    ("known_calls", "..Serve(name, 1, 2, 3)", "..Serve(name)"),
    ("known_calls", "..Check(statement", "..Check(1, statement"),
    ("known_calls", "##class(MeetUp2025.Worker).Start()", "##class(MeetUp2025.Worker).Start(1, 2)"),
    ("known_calls", "do ..Check(statement", "do ..Checked(statement"),
    ("known_queries", 'Return("MeetUp2025.Things"', 'Return("MeetUp2025.Thing"'),
    ("known_queries", 'Return("MeetUp2025.Things"', "Return(name"),
    ("known_queries", '"MeetUp2025.Things", name)', '"MeetUp2025.Things", name, 1)'),
    ("known_sql_names", "FROM MeetUp2025.Worker WHERE Name = ?", "FROM MeetUp2025.Workers WHERE Name = ?"),
    ("known_sql_names", "FROM MeetUp2025.Worker WHERE Name = :question", "FROM MeetUp2025.Nobody"),
    ("known_sql_names", "FROM MeetUp2025.Worker WHERE Name = ?", "FROM MeetUp2025_Tests.Worker"),
    ("variables", "quit waiting(10)", "quit wating(10)"),
    ("variables", "$get(waiting(place - 1))", "waiting(place - 1)"),
    ("variables", "INTO :name, :model", "INTO :name"),
    # flow
    ("caught", "        trollback 1\n        set status = exception.AsStatus()\n", ""),
    ("quits", "        tcommit\n", "        tcommit\n        quit status\n"),
    ("quits", "hang 0.1", "quit 1"),
    ("returned", "    quit status\n", "    quit\n"),
    ("returned", "Rows(name As %String)\n{", "Rows(name As %String)\n{\n    return 1"),
    ("checked_statuses", "do ..Check(statement.%Prepare(", "do statement.%Prepare(("),
    ("checked_statuses", "do ##class(MeetUp2025.Worker).Check(..Serve(name, 1, 2, 3))", "do ..Serve(name, 1)"),
    ("transactions", "        tcommit\n", ""),
    ("transactions", "        trollback 1\n", ""),
    ("transactions", "{\n    trollback\n", "{\n"),
    ("transactions", "OnBeforeOneTest", "Before"),
    ("locks", "Worker:limit", "Worker"),
    ("locks", "    lock -^MeetUp2025.Worker\n", ""),
    ("locks", "lock -^MeetUp2025.Worker", "lock"),
    ("locks", "lock +^", "lock ^"),
    ("locks", "Worker:limit", 'Worker#"S":limit'),
    ("waits", "1)::5", "1)"),
    ("waits", "..#EVENT, 5", "..#EVENT"),
    ("waits", "for place = 1:1:10 {", "while 1 {"),
    # safety
    ("no_back_doors", "    tstart", '    xecute "set a = 1"\n    tstart'),
    ("no_back_doors", "    tstart", '    set a = $zf(-100, "", "ls")\n    tstart'),
    ("no_back_doors", "%ExecDirect(", "%ExecDirectNoPriv("),
    ("no_back_doors", '"FROM MeetUp2025.Worker")', '"FROM MeetUp2025.Worker", 0)'),
    ("constant_sql", 'WHERE Name = ?", name', 'WHERE Name = \'"_name_"\'"'),
    ("constant_sql", '"SELECT Name "_"FROM', '"SELECT Name "_question_"FROM'),
    ("constant_sql", '"SELECT Name "_"FROM MeetUp2025.Worker"', '"/* */ SELECT "_question'),
    ("constant_sql", "    tstart", '    set sql = "DELETE FROM "_question\n    tstart'),
    ("constant_sql", '..Succeeds("names")', '$$$AssertTrue(..Succeeds("SELECT "_..Start()), 1)'),
    ("bound_values", 'Name = ?", name)', 'Name = ?")'),
    ("bound_values", 'Name = ?", name)', "Name = '?'\", name)"),
    ("checked_sql", "_SQLCODE", ""),
    ("guarded_context", "if $isobject($get(%sqlcontext))", "if 1"),
    ("fetched", "set rows = ##class(%SQL.Statement).%Exec", "do ##class(%SQL.Statement).%Exec"),
    ("identified_users", "    do ..Succeeds(", '    do ..Check("CREATE USER Nobody")\n    do ..Succeeds('),
    # unit tests
    ("unit_tests", "    do ..Succeeds(", "    set a = ..Other("),
    ("unit_tests", "OnBeforeAllTests() As %Status", "OnBeforeAllTests()"),
    ("unit_tests", "    quit $$$OK\n}", '    do $$$AssertSkipped("no model")\n    quit $$$OK\n}'),
]


def sources(old: str = "", new: str = "") -> list[Source]:
    """Give the good classes, the first that holds *old* changed."""
    texts = {"Worker": WORKER, "Procedure": PROCEDURE, "UnitTests/Worker": UNIT_TEST}
    changed = next((name for name, text in texts.items() if old and old in text), "")
    return [
        Source(text.replace(old, new, 1) if name == changed else text, f"cls/MeetUp2025/{name}.cls")
        for name, text in texts.items()
    ]


@pytest.fixture(scope="module")
def files() -> list[Source]:
    """The class files of the package and of the unit tests."""
    return read_sources()


def test_class_files_keep_the_rules(files: list[Source]) -> None:
    """The class files keep each rule."""
    assert [(rule.__name__, fault) for rule in RULES for fault in rule(files)] == []


def test_unit_tests_keep_the_rules_of_classes(files: list[Source]) -> None:
    """Unit-test classes keep the rules of tables and of Python too."""
    records = [file.record for file in files if ".UnitTests." in file.record.name]

    assert records
    assert [(rule.__name__, fault) for rule in RULES_OF_TESTS for fault in rule(records)] == []


def test_good_classes_keep_the_rules() -> None:
    """Classes that do nothing wrong have no fault."""
    assert [(rule.__name__, fault) for rule in RULES for fault in rule(sources())] == []


def is_found(rule: str, old: str, new: str) -> bool:
    """Check that a rule finds the good classes at fault once a text in them is changed."""
    return old in WORKER + UNIT_TEST and any(NAMED[rule](sources(old, new)))


def test_rules_find_their_breaches() -> None:
    """Each rule finds the classes that break it."""
    assert [breach for breach in BREACHES if not is_found(*breach)] == []


def test_every_rule_is_proved() -> None:
    """Each rule has a class that breaks it."""
    assert {rule for rule, _, _ in BREACHES} == set(NAMED)


# --- the syntax tree ------------------------------------------------------------------------------------------------

# What IRIS accepts and the grammar refuses; `reader` masks it.
FALSE_ALARMS = [
    'Index A On B As %SQL.Index.HNSW(Distance = "Cosine");',
    'Index A [ Extent, SqlName = "%%DDLBEIndex", Type = bitmap ];',
    "SqlSchemaName = C",
]


@pytest.mark.parametrize("text", FALSE_ALARMS)
def test_false_alarms(text: str) -> None:
    """The grammar of ObjectScript still refuses what IRIS accepts, and the reader still reads it."""
    keyword, member = ("", text) if text.startswith("Index") else (f"[ {text} ]", "")
    source = f"Class A.B Extends %Persistent {keyword}\n{{\n\nProperty B As %String;\n\n{member}\n\n}}\n"

    assert _parser().parse(source.encode()).root_node.has_error
    assert parse_class(source).name == "A.B"


def test_false_alarms_are_complete() -> None:
    """Each mask of the reader has its false alarm here."""
    assert len(FALSE_ALARMS) == len(_MASKS)


@pytest.mark.parametrize(
    ("body", "unset"),
    [
        ("set a = 1, b = a + c", ["c"]),
        ("set (a, b) = 1 write a, b, c", ["c"]),
        ("set a(i) = 1", ["i"]),
        ("set a = a", ["a"]),
        ("for i = 1:1:n { write i } write i", ["n"]),
        ("do ..M(.a, b) write a", ["b"]),
        ("try { set a = 1 } catch e { write e, a, f } write e", ["f"]),
        ("set a = $get(b(c)), d = $data(e, f) write f, g", ["c", "g"]),
        ("set $list(a, b) = 1 write a", ["b"]),
        ("set $listbuild(a, b) = c write a, b", ["c"]),
        ("while $listnext(l, p, v) { write v }", ["l", "p"]),
        ("set k = $order(^G(k), 1, v) write v", ["k"]),
        ("merge a = ^G write a", []),
        ("kill a new b read c:5 write c, a", ["a"]),
        ("&sql(SELECT a into :a, :b FROM t) write a, b, SQLCODE, c", ["c"]),
        ("write %a, argument, $horolog", []),
        ('set j = {"a": (b)}', ["b"]),
        ("set @n = 1 write a", []),
    ],
)
def test_variables_are_found(body: str, unset: list[str]) -> None:
    """The scan knows what sets a variable and what uses one; where names are made at run time it says nothing."""
    text = f"Class A.B\n{{\n\nClassMethod M(argument)\n{{\n    {body}\n}}\n\n}}\n"

    assert [word(node).partition("(")[0] for node in unset_variables(Source(text, "B.cls").bodies[0])] == unset


def test_sql_is_found() -> None:
    """SQL is a string that begins as a statement, alone or in pieces, and embedded SQL without what it sets."""
    (worker, *_) = sources()

    assert sql_texts(worker) == [
        "SELECT Name FROM MeetUp2025.Worker",
        "SELECT Name FROM MeetUp2025.Worker WHERE Name = ?",
        "SELECT Name, Model FROM MeetUp2025.Worker WHERE Name = :question",
    ]
