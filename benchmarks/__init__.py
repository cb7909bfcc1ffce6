"""
How long the program takes, beside other ways of the same: `python -m benchmarks`.
"""
