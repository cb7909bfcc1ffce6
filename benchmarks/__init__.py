"""Times of the program beside other ways of the same work: `python -m benchmarks`."""
