"""Errors of IRIS become errors of this package, with their SQLCODE and what to do."""

from __future__ import annotations

import pytest

from meetup2025 import errors
from meetup2025.engines.iris.address import Address
from meetup2025.engines.iris.faults import from_driver, from_refusal, from_statement, from_status

OWN = "<PYTHON EXCEPTION> *<class 'meetup2025.errors.UnreadableImageError'>: The picture must be one. Got zero bytes."
NESTED = "SQL Function MEETUP2025.EMBEDIMAGE failed with error:  SQLCODE=-400,%msg="
ENGLISH, JAPANESE = "ERROR #5002: ObjectScript error: ", "エラー #5002: ObjectScript エラー:"

ADDRESS = Address("server", 1972, "USER", "fisher", "secret")


@pytest.mark.parametrize(
    ("sqlcode", "kind"),
    [
        (-1, errors.ProgrammingError), (-29, errors.ProgrammingError), (-30, errors.ProgrammingError),
        (-99, errors.ProgrammingError), (-104, errors.DataError), (-105, errors.DataError),
        (-108, errors.IntegrityError), (-110, errors.OperationalError), (-114, errors.OperationalError),
        (-119, errors.IntegrityError), (-120, errors.IntegrityError), (-124, errors.IntegrityError),
        (-146, errors.DataError), (-201, errors.ProgrammingError), (-257, errors.InvalidVectorError),
        (-258, errors.InvalidVectorError), (-259, errors.InvalidVectorError), (-359, errors.ProgrammingError),
        (-370, errors.ProgrammingError), (-400, errors.DatabaseError), (-417, errors.OperationalError),
        (-428, errors.ProgrammingError), (-460, errors.OperationalError),
    ],
)  # fmt: skip
def test_class_of_a_code(sqlcode: int, kind: type[errors.Error]) -> None:
    """Each SQLCODE has the class of PEP 249 that fits, keeps its number and its message."""
    error = from_statement(sqlcode, "What  was\nwrong")

    assert type(error) is kind
    assert error.sqlcode == sqlcode
    assert "What was wrong" in str(error)


@pytest.mark.parametrize(
    ("sqlcode", "message"),
    [
        (-149, NESTED + ENGLISH + OWN), (-149, NESTED + JAPANESE + OWN), (-400, ENGLISH + OWN), (-400, JAPANESE + OWN),
        (-400, OWN), (-400, f"{ENGLISH}{OWN} -"), (-149, f"{NESTED}{JAPANESE}{OWN}\n"),
    ],
)  # fmt: skip
def test_error_of_a_function_in_python(sqlcode: int, message: str) -> None:
    """An error that a function raised on the server is raised as what it was, in each form and language of IRIS."""
    texts = [f"[SQLCODE: <{sqlcode}>:<Error>]\n[Location: <ServerLoop - Query Open()>]\n[%msg: <{message}>]"]
    found = [from_statement(sqlcode, message), *map(from_driver, map(RuntimeError, texts))]

    assert [(type(each), each.sqlcode) for each in found] == [(errors.UnreadableImageError, sqlcode)] * 2
    assert [str(each) for each in found] == ["The picture must be one. Got zero bytes."] * 2


def test_message_that_is_cut() -> None:
    """What IRIS cuts off a long message is the end of it: the class and the rule are still there."""
    error = from_statement(-400, (ENGLISH + OWN.replace("zero bytes", "x" * 1000))[:512])

    assert type(error) is errors.UnreadableImageError
    assert str(error).startswith("The picture must be one. Got xxx")


@pytest.mark.parametrize("start", [NESTED + ENGLISH, NESTED + JAPANESE])
def test_error_of_another_kind_in_python(start: str) -> None:
    """An error of Python itself keeps its words, and the number of the failing function."""
    error = from_statement(-149, f"{start}<PYTHON EXCEPTION> *<class 'TypeError'>: unsupported operand type(s) for +")

    assert (type(error), error.sqlcode) == (errors.DataError, -149)
    assert "<class 'TypeError'>: unsupported operand type(s) for +" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "ERROR #5540: SQLCODE: -30 Message:  Table 'MEETUP2025.FISH' not found",
        "エラー #5540: SQLCODE: -30 メッセージ:  Table 'MEETUP2025.FISH' not found",
    ],
)
def test_status_of_a_statement(text: str) -> None:
    """The number in the text of a status counts, in any language; without one, that of the exception."""
    error = from_status(text, -400)

    assert (type(error), error.sqlcode) == (errors.ProgrammingError, -30)
    assert str(error).startswith("Table 'MEETUP2025.FISH' not found (SQLCODE -30)")
    assert from_status("ERROR #5001: no", -400).sqlcode == -400


@pytest.mark.parametrize("name", ["annotations", "NoSuchError", "Warning", "re"])
def test_class_that_is_no_error_of_ours(name: str) -> None:
    """A name that is no error of this package makes an ordinary error of the database."""
    error = from_statement(-400, f"<PYTHON EXCEPTION> *<class 'meetup2025.errors.{name}'>: no")

    assert type(error) is errors.DatabaseError


def test_error_of_the_driver() -> None:
    """The text of the driver, as it was seen, gives the code and the message."""
    error = from_driver(
        RuntimeError(
            "[SQLCODE: <-99>:<Privilege violation>]\n[Error: <<INVALID OREF>SQLPUBLIC+1^%SYS.SQLSEC>]\n"
            "[Location: <Prepare>]\n[%msg: <User fisher is not privileged for the operation>]"
        )
    )

    assert (type(error), error.sqlcode) == (errors.ProgrammingError, -99)
    assert str(error).startswith("User fisher is not privileged for the operation")
    assert "MeetUp2025_User" in str(error)


def test_error_of_the_driver_without_a_message() -> None:
    """Where there is no %msg, the words of the code are the message."""
    error = from_driver(RuntimeError("[SQLCODE: <-29>:<Field not found in the applicable tables>]"))

    assert str(error) == "Field not found in the applicable tables (SQLCODE -29)"


@pytest.mark.parametrize(("name", "kind"), [("DataError", errors.DataError), ("Nothing", errors.OperationalError)])
def test_error_of_the_driver_without_a_code(name: str, kind: type[errors.Error]) -> None:
    """Without an SQLCODE the class of the driver's error is taken, where this package has it."""
    error = from_driver(type(name, (Exception,), {})("no\ncode"))

    assert (type(error), str(error)) == (kind, "no code")


@pytest.mark.parametrize("sqlcode", [-30, -359, -428])
def test_module_that_is_not_installed(sqlcode: int) -> None:
    """A table or routine of the project that is not there is told how to install; another one is not."""
    assert "zpm" in str(from_statement(sqlcode, "Table 'MEETUP2025.FISH' not found"))
    assert "zpm" not in str(from_statement(sqlcode, "Table 'SHOP.ITEM' not found"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<COMMUNICATION LINK ERROR> Failed to connect to server; Details: Error code: -1", "must answer there"),
        ("<COMMUNICATION LINK ERROR> Error code: 2 Error message: <SSL Error> Environment variable", "TLS"),
        ("[SQLCODE: <-417>:<Security error>] Access Denied", "the password must be right"),
        ("Access Denied", "the password must be right"),
        ("[SQLCODE: <-417>:<セキュリティ・エラー>] アクセスが拒否されました", "the password must be right"),
        ("[SQLCODE: <-402>:<ユーザ名/パスワードが不正です>]", "the password must be right"),
        ("<LICENSE LIMIT EXCEEDED>", "licence unit"),
        ("Invalid namespace NOPE", "The namespace must exist"),
        ("", "must answer there"),
    ],
)
def test_refused_connection(text: str, rule: str) -> None:
    """A connection that is refused says what must hold, from where, and what the server said; not the password."""
    error = from_refusal(RuntimeError(text), ADDRESS)

    assert rule in str(error)
    assert "server:1972/USER" in str(error)
    assert text in str(error)
    assert "secret" not in str(error)
