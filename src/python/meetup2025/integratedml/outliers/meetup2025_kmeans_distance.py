"""The detector KMeansDistance, for IntegratedML."""

from meetup2025.integratedml.custom_model import OutlierModel


class IRISModel(OutlierModel):
    """Odd or not, by KMeansDistance."""

    name = "meetup2025_kmeans_distance"
    model_type = "KMeansDistance"
