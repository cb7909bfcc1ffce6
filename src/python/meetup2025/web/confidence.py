"""
How sure a naming is, by a rule that was measured; a model that was not measured is never called sure.

The rule: the first name is sure when its cosine is high enough, and far enough above the second. Both bounds belong
to a model, since models differ in how high their cosines are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SURE, UNSURE, UNMEASURED = "sure", "unsure", "unmeasured"


@dataclass(frozen=True)
class Bounds:
    """The least cosine of a sure name, and the least lead before the second; both inclusive."""

    score: float
    lead: float


# Fresh drawings, six of each kind; docs/web.md has what the bounds let through.
MEASURED = {"sketch": Bounds(score=0.90, lead=0.10)}


def confidence(scores: Sequence[float], model: str) -> str:
    """
    Judge a naming.

    Args:
        scores: Cosines of the names, from -1 to 1, the best first; at least two to be sure of anything.
        model: Model of the vectors, for example sketch@1.

    Returns:
        `sure`, `unsure`, or `unmeasured` when nothing is known of the model.
    """
    bounds = MEASURED.get(model.partition("@")[0])
    if bounds is None:
        return UNMEASURED
    if len(scores) < 2:
        return UNSURE
    return SURE if scores[0] >= bounds.score and scores[0] - scores[1] >= bounds.lead else UNSURE


def knows_only_drawings(model: str) -> bool:
    """Tell whether a model was trained on drawings alone."""
    return model.partition("@")[0] == "sketch"
