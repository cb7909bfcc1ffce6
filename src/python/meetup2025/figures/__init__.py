"""
Pictures of results, for notebooks and for files.

A function takes rows from SQL (tuples in the order of the query, or mappings) and returns a figure of Plotly. Nothing
here asks a database.
"""

from meetup2025.figures.files import check_file, check_png, write_html, write_png
from meetup2025.figures.groups import clusters, elbow, tuning
from meetup2025.figures.maps import gap, map_ as map  # noqa: A004 - figures.map is what it is called
from meetup2025.figures.scores import comparison, curves, outliers, recogniser
from meetup2025.figures.sheets import identified
from meetup2025.figures.steps import steps

__all__ = [
    "check_file",
    "check_png",
    "clusters",
    "comparison",
    "curves",
    "elbow",
    "gap",
    "identified",
    "map",
    "outliers",
    "recogniser",
    "steps",
    "tuning",
    "write_html",
    "write_png",
]
