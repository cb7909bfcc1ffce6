"""The class that IntegratedML loads from a file: a name, and the estimator to train."""

from __future__ import annotations

from typing import Any

from meetup2025.integratedml.estimators import OddItems

_SEED = 5


class CustomModel:
    """
    Base of all classes `IRISModel`.

    AutoML uses the attribute *model*. The methods of an estimator are here too and call *model*, because the sources
    disagree on whether they are needed.

    Attributes:
        name: Name of the model for AutoML. It is the name of the file, and no other model has it.
        model_type: Name in the log of a training.
        package: Origin of the model.
        model: The estimator.
    """

    name: str
    model_type: str
    package = "meetup2025"

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any, **_others: Any) -> CustomModel:
        """Train the estimator on rows of shape (n, d) and labels of shape (n,)."""
        self.model.fit(X, y)
        return self

    def predict(self, X: Any) -> Any:
        """Return the label of each row."""
        return self.model.predict(X)

    def predict_proba(self, X: Any) -> Any:
        """Return the weight of each label for each row."""
        return self.model.predict_proba(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - that is its signature
        """Return the parameters of the estimator."""
        parameters: dict[str, Any] = self.model.get_params(deep=deep)
        return parameters

    def set_params(self, **parameters: Any) -> CustomModel:
        """Set parameters of the estimator."""
        self.model.set_params(**parameters)
        return self


class OutlierModel(CustomModel):
    """
    Base of the classes `IRISModel` of the folder `outliers`: a detector.

    Attributes:
        model_type: Name of the detector.
    """

    def __init__(self, random_state: int | None = None, **_others: Any) -> None:
        # AutoML passes None where the statement has no seed, and passes more arguments than are needed here.
        super().__init__(OddItems(self.model_type, _SEED if random_state is None else random_state))
