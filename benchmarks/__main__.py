"""
Run the benchmarks: `python -m benchmarks [NAME…] [--photos FOLDER] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.machine import load, machine
from benchmarks.subjects import SUBJECTS, run

_KEPT = {"MEETUP2025_MODEL", "MEETUP2025_MODELS"}


def main() -> None:
    """Run the chosen subjects, and write their results."""
    given = _arguments()
    for name in [name for name in os.environ if name.startswith("MEETUP2025_") and name not in _KEPT]:
        del os.environ[name]
    described = machine()
    print("\n".join(f"{name:12} {value}" for name, value in described.items()))
    done = [_shown(name, given.photos) for name in given.names or SUBJECTS]
    if given.json:
        text = json.dumps(report.record(described, done), ensure_ascii=False, indent=1)
        given.json.write_text(text + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time the program.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"subject: {', '.join(SUBJECTS)}; all when left out")
    own, told = os.environ.get("MEETUP2025_BENCH_PHOTOS"), "JPEG photos for jpeg [$MEETUP2025_BENCH_PHOTOS]"
    parser.add_argument("--photos", metavar="FOLDER", type=Path, default=own, help=told)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the results, every run of them, as JSON")
    given = parser.parse_args()
    if unknown := set(given.names) - set(SUBJECTS):
        parser.error(f"a NAME must be one of {', '.join(SUBJECTS)}. Got {', '.join(sorted(unknown))}")
    return given


def _shown(name: str, photos: Path | None) -> dict[str, Any]:
    """Run a subject and print its table."""
    if sys.stderr.isatty():
        print(f"measuring {name}…", end="\r", file=sys.stderr)
    before = load()
    results = run(name, photos)
    after = load()
    print(f"\n{name}: load of the machine {before} before, {after} after\n")
    print("\n".join(report.lines(results)), flush=True)
    return {"subject": name, "load_before": before, "load_after": after, "results": results}


if __name__ == "__main__":
    main()
