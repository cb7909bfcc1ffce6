"""The detector IsolationForest, for IntegratedML."""

from meetup2025.integratedml.custom_model import OutlierModel


class IRISModel(OutlierModel):
    """Odd or not, by IsolationForest."""

    name = "meetup2025_isolation_forest"
    model_type = "IsolationForest"
