"""
Detectors and groups for `PREDICT()`: what the custom models of IntegratedML load, train and keep.

The contract, as far as public sources have it (`docs/integratedml.md` names them, and what they leave open): AutoML
imports each file of a folder that the `USING` clause names, makes an instance of its class `IRISModel`, and trains the
estimator of scikit-learn in its attribute `model`, on columns that AutoML has scaled, binned and chosen before. The
fitted estimator is pickled into the server's own store and read by other processes, so its class must be one that every
process can import: it is in this package, and only `IRISModel` is in the folders.

Nothing here was run on an IRIS server.
"""

from __future__ import annotations

from pathlib import Path

OUTLIERS = str(Path(__file__).parent / "outliers")
"""Folder for `pathtoclassifiers`: one file for each detector, for a label that is 1 where an item is odd, else 0."""

GROUPS = str(Path(__file__).parent / "groups")
"""Folder for `pathtoclassifiers`: the nearest group, for a label that is the number of a group."""
