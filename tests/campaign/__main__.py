"""
The campaign of attacks: `make campaign`, or `python tests/campaign PART…` for some parts.

Each part attacks one promise of docs/security.md. It is no part of `make test`: it takes minutes, and looks for what
nobody thought of. The seed is printed; the same seed makes the same attacks.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


def main() -> int:
    """Run the parts that the command line names, or all."""
    for name in [name for name in os.environ if name.startswith("MEETUP2025_")]:
        del os.environ[name]
    os.environ.setdefault("NUMBA_CACHE_DIR", str(HERE.parents[1] / ".pytest_cache" / "d" / "compiled"))
    import attacks_files
    import attacks_kills
    import attacks_models
    import attacks_pages
    import attacks_pictures
    import attacks_servers
    import attacks_sql
    import attacks_surroundings
    import harness

    loaded = (
        *(attacks_pictures, attacks_files, attacks_sql, attacks_models),
        *(attacks_kills, attacks_servers, attacks_pages, attacks_surroundings),
    )
    parser = argparse.ArgumentParser(description=__doc__, prog="python tests/campaign")
    known = [name for module in loaded for name in harness.PARTS if harness.PARTS[name].__module__ == module.__name__]
    parser.add_argument("parts", nargs="*", choices=[*known, []], metavar="PART", help=f"of {', '.join(known)}")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    return 1 if harness.run(given.parts or known, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
