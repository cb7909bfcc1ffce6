"""
Analyses as runs: a module for each kind, `store` for what a run is, `sources` for what is analysed.

A function takes an open connection, fits, stores all that it found, and returns the number of the run.
"""
