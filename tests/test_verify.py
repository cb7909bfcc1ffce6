"""The claims that only a server can prove are whole, and the script that runs them tells true from false."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import meetup2025
from meetup2025 import Error
from meetup2025.cli import shell

if TYPE_CHECKING:
    from meetup2025.engines import Connection

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "docs" / f"verify-{name}.md" for name in ("on-iris", "models")]
SCRIPT = ROOT / "iris-docker" / "verify.sh"


class Claim(NamedTuple):
    """A section of the document."""

    number: int
    title: str
    text: str

    @property
    def language(self) -> str:
        """Language of the block."""
        return re.findall(r"^```(\w+)$", self.text, re.MULTILINE)[0]

    @property
    def block(self) -> str:
        """What is run."""
        return re.findall(r"^```\w+\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)[0]

    @property
    def expected(self) -> str:
        """Pattern that a line of the output must match."""
        return re.findall(r"^Expected: `(.*)`$", self.text, re.MULTILINE)[0]


def claims(document: Path) -> list[Claim]:
    """Read a document."""
    text = document.read_text("utf-8")
    found = re.findall(r"^### (\d+)\. (.*?)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return [Claim(int(number), title, body) for number, title, body in found]


CLAIMS = claims(DOCUMENTS[0])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_numbers(document: Path) -> None:
    """The claims are numbered from 1, without gaps."""
    numbers = [claim.number for claim in claims(document)]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


def is_whole(claim: Claim) -> bool:
    """Check that a claim has one block, a pattern that an empty output does not match, and what to change."""
    return (
        claim.language in {"sql", "objectscript", "bash"}
        and len(re.findall(r"^```\w+$", claim.text, re.MULTILINE)) == 1
        and not re.search(claim.expected, "")
        and re.search(r"^Otherwise: .", claim.text, re.MULTILINE) is not None
    )


def test_claims_are_whole() -> None:
    """A claim has one block, a pattern that an empty output does not match, and what to change."""
    assert [claim.title for claim in (*CLAIMS, *claims(DOCUMENTS[1])) if not is_whole(claim)] == []


@pytest.mark.anywhere
@pytest.mark.parametrize(
    "claim",
    [claim for claim in CLAIMS if claim.language == "sql" and "<!-- not run" not in claim.text],
    ids=lambda claim: claim.title,
)
def test_claim_holds_on_the_embedded_engine(
    bundled: Connection, claim: Claim, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the embedded engine can run has the output that is expected of a server."""
    try:
        for statement in shell.statements(claim.block):
            shell.run(bundled, statement, "csv")
    except Error as error:
        print(f"meetup2025: {error}")

    assert re.search(claim.expected, capsys.readouterr().out, re.MULTILINE)


PYTHON = re.compile(r"python3 - <<'PYTHON'\n([\s\S]*)PYTHON\n")
PROGRAMS = [claim for claim in CLAIMS if PYTHON.fullmatch(claim.block) and "<!-- not run" not in claim.text]


@pytest.mark.anywhere
@pytest.mark.parametrize("claim", PROGRAMS, ids=lambda claim: claim.title)
def test_claim_in_python_holds_on_the_embedded_engine(
    bundled: Connection, claim: Claim, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program does over the driver has the output that is expected of a server."""
    monkeypatch.setattr(meetup2025, "connect", lambda: contextlib.nullcontext(bundled))
    [code] = PYTHON.findall(claim.block)
    exec(code, {})  # noqa: S102 - a block of a document of ours

    assert re.search(claim.expected, capsys.readouterr().out, re.MULTILINE)


# --- the script -----------------------------------------------------------------------------------------------------

SMALL = """
# Claims

### 1. A true one

```sql
SELECT 1
```

Expected: `^sql SELECT 1$`

Otherwise: nothing.

### 2. One of the terminal

<!-- a remark -->
```objectscript
write "one"
write "`two`"
```

Expected: `^typed write "`two`"$`

Otherwise: nothing.

### 3. A false one

```bash
echo something else
exit 3
```

Expected: `^what was meant$`

Otherwise: nothing.

### 4. An error that is expected

```bash
echo "an error" >&2; exit 3
```

Expected: `an error`

Otherwise: nothing.
"""


@pytest.fixture
def verify(tmp_path: Path) -> dict[str, str]:
    """Environment in which the commands of the script are stand-ins that write what they are given."""
    document = tmp_path / "claims.md"
    document.write_text(SMALL, "utf-8")
    for name, says in (("meetup2025", "sql"), ("terminal", "typed")):
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\nsed 's/^/{says} /'\n", "utf-8")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "MEETUP2025_CLAIMS": str(document),
        "MEETUP2025_TERMINAL": "terminal",
    }


def run(environment: dict[str, str], *numbers: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run([SCRIPT, *numbers], env=environment, capture_output=True, text=True, check=False)


def test_table(verify: dict[str, str]) -> None:
    """Each claim is a line; one that fails shows what was expected and what came, and the exit code says so."""
    done = run(verify)
    lines = [line.split(None, 3) for line in done.stdout.splitlines() if line[:1].isalpha()]

    assert [(line[0], line[1]) for line in lines] == [("ok", "1"), ("ok", "2"), ("FAILED", "3"), ("ok", "4")]
    assert "expected ^what was meant$" in done.stdout
    assert "| something else" in done.stdout
    assert done.stdout.endswith("1 of 4 claims failed.\n")
    assert done.returncode == 1


def test_some_claims(verify: dict[str, str]) -> None:
    """The claims that are named are run, and no others."""
    done = run(verify, "4", "1")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 of 2 claims failed.")


def test_claim_that_there_is_not(verify: dict[str, str]) -> None:
    """A number of no claim is an error of the call."""
    assert run(verify, "5").returncode == 2
