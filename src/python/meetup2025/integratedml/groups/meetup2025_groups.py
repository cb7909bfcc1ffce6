"""The nearest group, for IntegratedML."""

from typing import Any

from meetup2025.integratedml.custom_model import CustomModel
from meetup2025.integratedml.estimators import NearestGroup


class IRISModel(CustomModel):
    """The group whose centre is nearest. Nothing in it is random."""

    name = "meetup2025_groups"
    model_type = "NearestGroup"

    def __init__(self, **_others: Any) -> None:
        super().__init__(NearestGroup())
