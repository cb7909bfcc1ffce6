"""The nearest group, for IntegratedML."""

from typing import Any

from sklearn.neighbors import NearestCentroid

from meetup2025.integratedml.custom_model import CustomModel


class IRISModel(CustomModel):
    """The group whose mean is nearest, as a run of `FitClusters` has made the groups; nothing in it is random."""

    name = "meetup2025_groups"
    model_type = "Nearest mean"

    def __init__(self, **_others: Any) -> None:
        super().__init__(NearestCentroid())
