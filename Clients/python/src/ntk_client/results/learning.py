"""Training in closed form, and spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ._base import Answer, Floats, Labels


@dataclass(frozen=True, eq=False)
class Dynamics(Answer):
    """Networks while they are trained, at T times.

    Attributes
    ----------
    times
        [T].
    train_mean, mean
        Outputs at the training points, [T, n] or [T, n, k], and at the test points.
    train_loss, test_loss
        ½ · mean squared error, [T].
    variance, covariance
        Over initializations, [T, m] and [T, m, m], if asked for.
    max_learning_rate
        From which on discrete training does not converge.
    time_to_loss
        When the training loss is first at most `target_loss`; None if never.
    train_accuracy, classes
        With cross-entropy: the part of the training points that are right, [T], and the classes of the outputs.
    rank, duplicates_merged
        Modes of the distinct points' kernel, and points equal to others.
    """

    times: Floats
    train_mean: Floats
    train_loss: Floats
    mean: Floats | None
    test_loss: Floats | None
    variance: Floats | None
    covariance: Floats | None
    max_learning_rate: float | None
    time_to_loss: float | None
    rank: int | None
    duplicates_merged: int | None
    train_accuracy: Floats | None
    classes: Labels | None

    _plain = frozenset({"max_learning_rate", "time_to_loss", "rank", "duplicates_merged", "classes"})


@dataclass(frozen=True, eq=False)
class Learning(Answer):
    """What eigenlearning says of a training set of some size.

    Attributes
    ----------
    samples, kappa
        The size, and its effective ridge.
    learnability
        Of each mode, 0 to 1.
    test_error, train_error
        Mean squared errors, noise included; None where infinite.
    overfitting_coefficient
        E₀; None where infinite.
    """

    samples: float
    kappa: float
    learnability: Floats
    test_error: float | None
    train_error: float | None
    overfitting_coefficient: float | None

    _plain = frozenset({"samples", "kappa", "test_error", "train_error", "overfitting_coefficient"})


@dataclass(frozen=True, eq=False)
class Spectrum(Answer):
    """A kernel in its modes; numbers without a value are None, within arrays NaN.

    Attributes
    ----------
    eigenvalues, half_lives
        λ in descending order, and ln 2 · n k/(η λ), both [n].
    coefficients
        uᵀy of each mode, [n] or [n, k], where there are targets.
    rank, condition_number, trace, effective_dimension, participation_ratio
        Of the kernel.
    rkhs_norm, generalization_bound, alignment, unreachable_targets
        Of the targets in it.
    eigenlearning
        For each of the sample sizes.
    """

    eigenvalues: Floats
    half_lives: Floats
    coefficients: Floats | None
    rank: int
    condition_number: float | None
    trace: float
    effective_dimension: float
    participation_ratio: float | None
    rkhs_norm: float | None
    generalization_bound: float | None
    alignment: float | None
    unreachable_targets: float | None
    eigenlearning: list[Learning] | None

    _plain = frozenset(
        {
            "rank",
            "condition_number",
            "trace",
            "effective_dimension",
            "participation_ratio",
            "rkhs_norm",
            "generalization_bound",
            "alignment",
            "unreachable_targets",
            "eigenlearning",
        }
    )

    def __post_init__(self) -> None:
        if self.eigenlearning is not None:
            object.__setattr__(self, "eigenlearning", [Learning.read(one) for one in self.eigenlearning])  # type: ignore[arg-type]


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
