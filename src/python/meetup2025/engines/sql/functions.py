"""
The functions, predicates and types of IRIS SQL, as tables from the name in IRIS to the text in DuckDB.

In a template ``{0}`` is the first argument. The templates of a function say how many arguments it takes. A name that is
not in the tables is refused: as missing in this engine if it is in `KNOWN`, otherwise as IRIS refuses it (SQLCODE
-359).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXACT = 'CAST({0} AS VARCHAR) COLLATE "binary"'
_SECONDS = "date_trunc('second', current_localtimestamp())"

LONGEST = 3_641_144
"""Most characters of a text of IRIS (documentation: "Long Strings"). A longer one is <MAXSTRING> there."""


def _bounded(length: str, argument: str) -> str:
    """Write an argument, or an error where the text would be longer than IRIS has it. DuckDB would take minutes."""
    message = f"A text must have at most {LONGEST} characters. Got more."
    return f"CASE WHEN CAST({length} AS DOUBLE) > {LONGEST} THEN error('{message}') ELSE {argument} END"


_REST = "length(replace({0}, {1}, ''))"
_REPLACED = f"({_REST} + (length({{0}}) - {_REST}) / greatest(length({{1}}), 1) * length({{2}}))"

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    # collation
    "%EXACT": (_EXACT,),
    "%SQLUPPER": ("upper(CAST({0} AS VARCHAR))",),
    "%EXTERNAL": ("{0}",),
    # strings
    "LENGTH": ("length(rtrim(CAST({0} AS VARCHAR)))",),  # IRIS does not count blanks at the end here
    "CHAR_LENGTH": ("length(CAST({0} AS VARCHAR))",),
    "CHARACTER_LENGTH": ("length(CAST({0} AS VARCHAR))",),
    "$LENGTH": ("coalesce(length(CAST({0} AS VARCHAR)), 0)",),
    "UPPER": ("upper({0})",),
    "UCASE": ("upper({0})",),
    "LOWER": ("lower({0})",),
    "LCASE": ("lower({0})",),
    # A start below 1 shortens the length of SUBSTRING. A negative start counts from the end in SUBSTR alone.
    "SUBSTRING": (
        "substr(CAST({0} AS VARCHAR), greatest({1}, 1))",
        "substr(CAST({0} AS VARCHAR), greatest({1}, 1), greatest({2} + least(({1}) - 1, 0), 0))",
    ),
    "SUBSTR": (
        "nullif(substr(CAST({0} AS VARCHAR), {1}), '')",
        "nullif(substr(CAST({0} AS VARCHAR), {1}, greatest({2}, 0)), '')",
    ),
    "LEFT": ("left(CAST({0} AS VARCHAR), greatest({1}, 0))",),
    "RIGHT": ("right(CAST({0} AS VARCHAR), greatest({1}, 0))",),
    "TRIM": ("trim({0})", "trim({0}, {1})"),
    "TRIM LEADING": ("ltrim({0})", "ltrim({0}, {1})"),
    "TRIM TRAILING": ("rtrim({0})", "rtrim({0}, {1})"),
    "LTRIM": ("ltrim({0})",),
    "RTRIM": ("rtrim({0})",),
    "REPLACE": (f"replace({{0}}, {{1}}, {_bounded(_REPLACED, '{2}')})",),
    "CONCAT": ("({0} || {1})",),
    "INSTR": ("instr({0}, {1})",),
    "POSITION": ("instr({1}, {0})",),
    "CHARINDEX": ("instr({1}, {0})",),
    "REPEAT": (f"repeat({{0}}, {_bounded('length({0}) * CAST({1} AS DOUBLE)', '{1}')})",),
    "REVERSE": ("reverse({0})",),
    "SPACE": (f"repeat(' ', {_bounded('{0}', '{0}')})",),
    "LPAD": tuple(f"lpad({{0}}, {_bounded('{1}', '{1}')}, {by})" for by in ("' '", "{2}")),
    "RPAD": tuple(f"rpad({{0}}, {_bounded('{1}', '{1}')}, {by})" for by in ("' '", "{2}")),
    "ASCII": ("ascii({0})",),
    "CHAR": ("chr({0})",),
    "$PIECE": (
        "split_part({0}, {1}, 1)",
        "split_part({0}, {1}, greatest({2}, 0))",
    ),
    "$LISTFROMSTRING": ("string_split({0}, ',')", "string_split({0}, {1})"),
    # conditions
    "NVL": ("coalesce({0}, {1})",),
    "ISNULL": ("coalesce({0}, {1})",),
    "IFNULL": (
        "CASE WHEN {0} IS NULL THEN {1} END",  # NULL where {0} is not NULL, unlike NVL
        "CASE WHEN {0} IS NULL THEN {1} ELSE {2} END",
    ),
    "NULLIF": ("nullif({0}, {1})",),
    # numbers
    "ABS": ("abs({0})",),
    "CEILING": ("ceil({0})",),
    "FLOOR": ("floor({0})",),
    "ROUND": ("round({0}, {1})", "CASE {2} WHEN 0 THEN round({0}, {1}) ELSE trunc({0}, {1}) END"),
    "TRUNCATE": ("trunc({0}, {1})",),
    "MOD": ("(({0}) % ({1}))",),
    "POWER": ("power({0}, {1})",),
    "SQRT": ("sqrt({0})",),
    "SQUARE": ("power({0}, 2)",),
    "SIGN": ("sign({0})",),
    "EXP": ("exp({0})",),
    "LOG": ("ln({0})",),
    "LOG10": ("log10({0})",),
    "SIN": ("sin({0})",),
    "COS": ("cos({0})",),
    "TAN": ("tan({0})",),
    "PI": ("pi()",),
    # dates
    "GETDATE": (_SECONDS,),
    "NOW": (_SECONDS,),
    "SYSDATE": (_SECONDS,),
    "CURRENT_TIMESTAMP": (_SECONDS,),
    "CURRENT_DATE": ("current_date",),
    "CURDATE": ("current_date",),
    "CURRENT_TIME": (f"CAST({_SECONDS} AS TIME)",),
    "YEAR": ("year(CAST({0} AS TIMESTAMP))",),
    "MONTH": ("month(CAST({0} AS TIMESTAMP))",),
    "DAY": ("day(CAST({0} AS TIMESTAMP))",),
    "DAYOFMONTH": ("day(CAST({0} AS TIMESTAMP))",),
    "HOUR": ("hour(CAST({0} AS TIMESTAMP))",),
    "MINUTE": ("minute(CAST({0} AS TIMESTAMP))",),
    "SECOND": ("second(CAST({0} AS TIMESTAMP))",),
    "DATEDIFF": ("date_diff({0}, CAST({1} AS TIMESTAMP), CAST({2} AS TIMESTAMP))",),
    "DATEADD": ("(CAST({2} AS TIMESTAMP) + ({1}) * CAST('1 ' || {0} AS INTERVAL))",),
    # vectors: `array_` becomes `list_` where no length is known
    "VECTOR_COSINE": ("array_cosine_similarity({0}, {1})",),
    "VECTOR_DOT_PRODUCT": ("array_inner_product({0}, {1})",),
}

# Functions of two to 140 arguments. GREATEST and LEAST of DuckDB skip NULL, and IRIS does not: so a list is sorted.
VARIADIC: Mapping[str, str] = {
    "COALESCE": "coalesce({all})",
    "GREATEST": "list_sort([{all}], 'DESC', 'NULLS FIRST')[1]",
    "LEAST": "list_sort([{all}], 'ASC', 'NULLS FIRST')[1]",
}

AGGREGATES: Mapping[str, str] = {
    "COUNT": "count({0})",
    "SUM": "sum({0})",
    "AVG": "avg({0})",
    "MIN": "min({0})",
    "MAX": "max({0})",
    "LIST": "array_to_string(list({0}), ',')",
    "STDDEV": "stddev_samp({0})",
    "STDDEV_SAMP": "stddev_samp({0})",
    "STDDEV_POP": "stddev_pop({0})",
    "VARIANCE": "var_samp({0})",
    "VAR_SAMP": "var_samp({0})",
    "VAR_POP": "var_pop({0})",
}

# Conditions. [ is case-sensitive in IRIS. %STARTSWITH and %INLIST follow the collation of the first operand.
TESTS: Mapping[str, str] = {
    "[": f"contains({_EXACT}, CAST({{1}} AS VARCHAR))",
    "%STARTSWITH": "starts_with(CAST({0} AS VARCHAR), CAST({1} AS VARCHAR))",
    "%INLIST": "{0} = ANY({1})",
}

# A cast to an integer cuts the decimal places, where DuckDB rounds. DOUBLE holds the decimal places of numbers below
# 2**53 exactly, and larger numbers have none. A cast to a string cuts it to its length, 30 or 1 if not declared.
CASTS: Mapping[str, str] = {
    "VARCHAR": "left(CAST({value} AS VARCHAR), {length})",
    "INTEGER": (
        "CASE WHEN abs(CAST({value} AS DOUBLE)) < 9007199254740992 "
        "THEN CAST(trunc(CAST({value} AS DOUBLE)) AS {type}) ELSE CAST({value} AS {type}) END"
    ),
    "other": "CAST({value} AS {type})",
}

# Type of IRIS -> type of DuckDB. `(?)` stands for the declared precision and scale.
TYPES: Mapping[str, str] = {
    "VARCHAR": "VARCHAR", "CHAR": "VARCHAR", "CHARACTER": "VARCHAR", "NVARCHAR": "VARCHAR", "NCHAR": "VARCHAR",
    "CHAR VARYING": "VARCHAR", "CHARACTER VARYING": "VARCHAR", "VARCHAR2": "VARCHAR",
    "LONGVARCHAR": "TEXT", "LONG VARCHAR": "TEXT", "CLOB": "TEXT", "TEXT": "TEXT",
    "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INTEGER": "INTEGER", "INT": "INTEGER", "BIGINT": "BIGINT",
    "BIT": "TINYINT",
    "NUMERIC": "DECIMAL(?)", "DECIMAL": "DECIMAL(?)", "DEC": "DECIMAL(?)", "NUMBER": "DECIMAL(?)",
    "DOUBLE": "DOUBLE", "DOUBLE PRECISION": "DOUBLE", "FLOAT": "DOUBLE", "REAL": "DOUBLE",
    "DATE": "DATE", "TIME": "TIME", "TIMESTAMP": "TIMESTAMP", "DATETIME": "TIMESTAMP",
    "VARBINARY": "BLOB", "BINARY": "BLOB", "LONGVARBINARY": "BLOB", "BLOB": "BLOB",
    "VECTOR": "",
}  # fmt: skip

# Length of a string type that declares none: first as a column, then as the target of CAST.
DEFAULT_LENGTHS: Mapping[str, tuple[int, int | None]] = {
    "VARCHAR": (1, 30), "NVARCHAR": (1, 30), "VARCHAR2": (1, 30), "CHAR": (1, 1), "CHARACTER": (1, 1), "NCHAR": (1, 1),
    "CHAR VARYING": (1, None), "CHARACTER VARYING": (1, None),
}  # fmt: skip

# Element type in VECTOR and TO_VECTOR -> type of DuckDB. This engine does not store DECIMAL and TIMESTAMP.
ELEMENT_TYPES: Mapping[str, str] = {
    "DOUBLE": "DOUBLE", "FLOAT": "FLOAT", "INTEGER": "BIGINT", "INT": "BIGINT", "DECIMAL": "DECIMAL",
    "TIMESTAMP": "TIMESTAMP",
}  # fmt: skip

DATE_PARTS: Mapping[str, str] = {
    abbreviation: part
    for part, abbreviations in {
        "year": "year yyyy yy", "month": "month mm m", "week": "week wk ww",
        "day": "day dd d weekday dw w dayofyear dy y",
        "hour": "hour hh h", "minute": "minute mi n", "second": "second ss s",
        "millisecond": "millisecond ms", "microsecond": "microsecond mcs",
    }.items()
    for abbreviation in abbreviations.split()
}  # fmt: skip

# Numbers of arguments that IRIS takes and that have no template in `FUNCTIONS`.
LONGER: Mapping[str, tuple[int, ...]] = {
    "INSTR": (3, 4), "CHARINDEX": (3,), "$PIECE": (4,), "$LENGTH": (2,), "CURRENT_TIMESTAMP": (1,),
    "CURRENT_TIME": (1,), "GETDATE": (1,),
}  # fmt: skip

# Functions that are written without parentheses.
BARE = frozenset(["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "SYSDATE"])

# Functions that IRIS documents in the form `{fn NAME(…)}` alone, and all functions that may be written so.
ODBC_ONLY = frozenset(
    "CONCAT COS CURDATE DAYOFMONTH EXP HOUR LEFT LOG LOG10 MINUTE PI RIGHT SECOND SIN TAN TRUNCATE".split()  # noqa: SIM905 - as above
)
ODBC = ODBC_ONLY | frozenset(
    """
    ABS ASCII CEILING CHAR DAY FLOOR IFNULL LCASE LENGTH LTRIM MOD MONTH NOW POWER REPEAT ROUND RTRIM SIGN SPACE SQRT
    SUBSTRING UCASE YEAR
    """.split()  # noqa: SIM905 - as above
)

# Functions that IRIS documents and that this engine does not have.
KNOWN = frozenset(
    """
    $EXTRACT $FIND $HOROLOG $JUSTIFY $LIST $LISTBUILD $LISTDATA $LISTFIND $LISTGET $LISTLENGTH $LISTSAME
    $LISTTOSTRING $TRANSLATE $TSQL_NEWID $ZTIMESTAMP %ALPHAUP %DLIST %INTERNAL %MINUS %MVR %OBJECT %ODBCIN
    %ODBCOUT %OID %PLUS %SPACE %SQLSTRING %STRING %TRUNCATE %UPPER ACOS APPROX_COUNT_DISTINCT ASIN ATAN ATAN2
    CORR COT COVAR_POP COVAR_SAMP CURTIME DATABASE DATALENGTH DATE DATE_TRUNC DATENAME DATEPART DAYNAME
    DAYOFWEEK DAYOFYEAR DECODE DEGREES DENSE_RANK EMBEDDING EXTRACT FIRST_VALUE GETUTCDATE HASHBYTES ISNUMERIC
    JSON_ARRAY JSON_ARRAYAGG JSON_OBJECT JSON_TABLE LAG LAST_DAY LAST_IDENTITY LAST_VALUE LEAD LEN LOCATE
    MONTHNAME NTH_VALUE NTILE PERCENT_RANK PREDICT PROBABILITY QUARTER RADIANS RANK ROW_NUMBER SEARCH_INDEX
    SQLUPPER STR STRING STUFF TIMESTAMPADD TIMESTAMPDIFF TO_CHAR TO_DATE TO_NUMBER TO_POSIXTIME TO_TIMESTAMP
    UNIX_TIMESTAMP USER WEEK XMLAGG XMLATTRIBUTES XMLCONCAT XMLELEMENT XMLFOREST
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


@cache
def arities(name: str) -> frozenset[int]:
    """Return the numbers of arguments that the function *name* takes."""
    if name in VARIADIC:
        return frozenset(range(2, 141))
    if name in AGGREGATES:
        return frozenset({1})
    return frozenset(len(set(re.findall(r"{\d}", template))) for template in FUNCTIONS[name])


def render(name: str, arguments: list[str]) -> str:
    """Return the call of function or aggregate *name* in DuckDB. *arguments* are DuckDB texts, as many as it takes."""
    if name in VARIADIC:
        return VARIADIC[name].format(all=", ".join(arguments))
    templates = (AGGREGATES[name],) if name in AGGREGATES else FUNCTIONS[name]
    template = next(text for text in templates if len(set(re.findall(r"{\d}", text))) == len(arguments))
    return template.format(*arguments)
