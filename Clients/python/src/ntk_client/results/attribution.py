"""What training points and weights do to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._base import Answer, Diagnostics, Floats, Labels


@dataclass(frozen=True, eq=False)
class Attribution(Answer):
    """What training points do to predictions.

    Attributes
    ----------
    influence
        [m, n] or [m, n, k]; of groups [m, groups] or [m, groups, k]; with `top` [m, top] or [m, top, k], of the points in `indices`.
    indices
        With `top`, the training points with the largest influence, [m, top].
    weights
        For the kind "weights", what targets are multiplied by, [m, n].
    groups
        The names of the groups.
    self_influence
        yᵢ − f₋ᵢ(xᵢ): how far the target of each training point is from what the others predict.
    leverage
        What the fit at each training point takes from its own target.
    mislabel_log_probability
        The log probability of each training point's own target by the others, [n]; the lowest are most likely mislabelled.
    mean, labels, classes, scores, probabilities
        The predictions, as of `predict`.
    diagnostics
        What the fit says of itself.
    """

    influence: Floats | None
    indices: npt.NDArray[np.intp] | None
    weights: Floats | None
    groups: list[str] | None
    self_influence: Floats | None
    leverage: Floats | None
    mislabel_log_probability: Floats | None
    mean: Floats | None
    labels: Labels | None
    classes: Labels | None
    scores: Floats | None
    probabilities: Floats | None
    diagnostics: Diagnostics | None

    _plain = frozenset({"indices", "groups", "labels", "classes", "diagnostics"})

    def __post_init__(self) -> None:
        for name in ("indices", "labels", "classes"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)))


@dataclass(frozen=True, eq=False)
class Posterior(Answer):
    """The Laplace approximation of a trained network.

    Attributes
    ----------
    mean, covariance
        Of the outputs at each test point, [m, k] and [m, k, k].
    probabilities
        In classification, [m, k].
    calibration
        Figures of the network's own probabilities and of the posterior's, where the classes of the test points were given.
    prior_precision, log_marginal_likelihood, log_likelihood, effective_parameters
        Numbers of the fit.
    """

    mean: Floats | None
    covariance: Floats | None
    probabilities: Floats | None
    calibration: dict[str, Any] | None
    prior_precision: float
    log_marginal_likelihood: float
    log_likelihood: float
    effective_parameters: float

    _plain = frozenset({"calibration", "prior_precision", "log_marginal_likelihood", "log_likelihood", "effective_parameters"})

    @property
    def std(self) -> Floats:
        """Standard deviations of the outputs, [m, k]."""
        if self.covariance is None:
            raise ValueError("a posterior at test points expected")
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))
