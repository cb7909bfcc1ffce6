"""
The browser of the machine for tests of pages, without a network: the document of a page, and the browser's messages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

SWITCHES = (
    *("--headless", "--no-first-run", "--enable-logging=stderr", "--enable-unsafe-swiftshader"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--window-size=1200,900"),
)

needs_browser = pytest.mark.skipif(FOUND is None, reason="no Chromium on this machine")


def opened(page: Path, profile: Path, *switches: str) -> tuple[str, str]:
    """
    Open a page without resolving names. Return its document after its scripts have run, and the browser's messages.
    """
    command = [str(FOUND), *SWITCHES, *switches, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
