"""Predictions of fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._base import Answer, Diagnostics, Floats, Labels


@dataclass(frozen=True, eq=False)
class Prediction(Answer):
    """Predictions at m points.

    Attributes
    ----------
    mean
        [m] or [m, k] as the targets were; None in classification.
    variance, covariance
        [m] and [m, m], if asked for; of a network's kernel with k outputs [m, k] and [m·k, m·k].
    labels, classes
        In classification, the class with the highest score at each point, and the classes of the columns of `scores`.
    scores, probabilities
        [m, k]; probabilities are calibrated on leave-one-out scores and None where there are none.
    diagnostics
        What the fit says of itself.
    """

    mean: Floats | None
    variance: Floats | None
    covariance: Floats | None
    labels: Labels | None
    classes: Labels | None
    scores: Floats | None
    probabilities: Floats | None
    diagnostics: Diagnostics | None

    _plain = frozenset({"labels", "classes", "diagnostics"})

    def __post_init__(self) -> None:
        for name in ("labels", "classes"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)))

    @property
    def std(self) -> Floats:
        """Standard deviation at each point."""
        if self.variance is not None:
            return np.sqrt(self.variance)
        if self.covariance is not None:
            return np.sqrt(np.diagonal(self.covariance))
        raise ValueError('covariance="diagonal" or "full" expected in the request')
