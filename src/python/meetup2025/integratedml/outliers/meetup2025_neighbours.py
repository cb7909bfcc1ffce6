"""The detector Neighbours, for IntegratedML."""

from meetup2025.integratedml.custom_model import OutlierModel


class IRISModel(OutlierModel):
    """Odd or not, by Neighbours."""

    name = "meetup2025_neighbours"
    model_type = "Neighbours"
