"""
One map in a new process: `python -m benchmarks.first_map ours|workshop|compile ROWS.npy`; prints its memory in MB.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.measure import OURS, WORKSHOP, peak_memory


def main() -> None:
    """Import what a way needs, then make its map of the vectors in the file."""
    way, path = sys.argv[1:]
    if way == WORKSHOP:
        import umap  # noqa: F401 - its memory is not that of the map

        from benchmarks.maps import workshop_map as make
    else:
        from meetup2025.analytics.compiled import compile_now
        from meetup2025.analytics.maps import fit_map as make

        compile_now()
    if way in {OURS, WORKSHOP}:
        before = peak_memory()
        make(np.load(path))
        print(f"{peak_memory() - before:.0f}")


if __name__ == "__main__":
    main()
