"""
Analyses as runs: a module for each kind, `store` for the runs themselves, `sources` for their data.

A function takes an open connection, fits a model, stores all results, and returns the number of the run.
"""
