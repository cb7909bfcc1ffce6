"""
Detectors and groups for `PREDICT()`: the custom models of IntegratedML.

The public sources are named in `docs/integratedml.md`, with the questions that they leave open. As far as they describe
the contract, AutoML imports all files of a folder that the `USING` clause names. It makes an instance of the class
`IRISModel` of a file, and trains the estimator of scikit-learn in its attribute `model`, on columns that AutoML has
scaled, binned and chosen before. The fitted estimator is pickled into the server's own store and read by other
processes. So every process must be able to import its class: the class is in this package, and only `IRISModel` is in
the folders.

Nothing here was run on an IRIS server.
"""

from __future__ import annotations

from pathlib import Path

OUTLIERS = str(Path(__file__).parent / "outliers")
"""Folder for `pathtoclassifiers`: one file for each detector. The label is 1 where an item is odd, otherwise 0."""

GROUPS = str(Path(__file__).parent / "groups")
"""Folder for `pathtoclassifiers`: the nearest group. The label is the number of a group."""
