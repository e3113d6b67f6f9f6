"""Learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ._base import Floats


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Predicted test errors by the number of samples, [sizes]; NaN where there is no number.

    Attributes
    ----------
    samples, test_error, low, high
        Mean squared error on new points, and two standard deviations of it where it comes from a sample.
    ridge, kappa, learned_modes
        What was used, and what the theory says.
    spectrum_error
        The error by the sample's spectrum alone, up to a quarter of its size.
    extrapolated
        Beyond the sample.
    measured
        Leave-one-out errors, one entry a size: ``samples``, ``error``, ``standard_error``.
    required_samples
        The fewest whose error is at most the target; None without one, or where none are enough.
    exponent
        The error falls as samples^−exponent.
    effective_dimension, untreated_share, modes
        Of the covariance (of the Gram matrix for a sample); of the Hermite ansatz.
    """

    samples: Floats
    test_error: Floats
    low: Floats
    high: Floats
    ridge: Floats
    kappa: Floats
    learned_modes: Floats
    spectrum_error: Floats
    extrapolated: npt.NDArray[np.bool_]
    measured: list[dict[str, float]]
    required_samples: float | None
    exponent: float | None
    effective_dimension: float | None
    untreated_share: float | None
    modes: list[dict[str, Any]]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Pick the fields from an answer."""

        def column(name: str) -> Floats:
            return np.array([np.nan if (value := row.get(name)) is None else value for row in answer["curve"]], dtype=np.float64)

        return cls(
            samples=column("samples"),
            test_error=column("test_error"),
            low=column("low"),
            high=column("high"),
            ridge=column("ridge"),
            kappa=column("kappa"),
            learned_modes=column("learned_modes"),
            spectrum_error=column("spectrum_error"),
            extrapolated=np.array([row["extrapolated"] for row in answer["curve"]], dtype=np.bool_),
            measured=list(answer.get("measured", [])),
            required_samples=answer.get("required_samples"),
            exponent=answer.get("exponent"),
            effective_dimension=answer.get("effective_dimension"),
            untreated_share=answer.get("untreated_share"),
            modes=list(answer.get("modes", [])),
        )
