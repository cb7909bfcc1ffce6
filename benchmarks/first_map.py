"""
One map in a new process: `python -m benchmarks.first_map ours|workshop|compile ROWS.npy`. It prints its memory in MB.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.measure import OURS, WORKSHOP, peak_memory as inherited_peak


def peak_memory() -> float:
    """Return the largest memory of this process, in MB, without its parent where the system can separate them."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return inherited_peak()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def main() -> None:
    """Import the libraries of a way, then make its map of the vectors in the file."""
    way, path = sys.argv[1:]
    if way == WORKSHOP:
        import umap  # noqa: F401 - its memory is not that of the map

        from benchmarks.maps import workshop_map as make
    else:
        from meetup2025.analytics.maps import compile_now, fit_map as make

        compile_now()
    if way in {OURS, WORKSHOP}:
        rows = np.load(path)
        before = peak_memory()
        make(rows)
        print(f"{peak_memory() - before:.0f}")


if __name__ == "__main__":
    main()
