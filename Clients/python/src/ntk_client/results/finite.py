"""Finite networks beside the infinite one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from ._base import Answer, Floats, Labels, floats


class DiagonalMean(NamedTuple):
    """The mean over points of Θ̂(x, x): sampled, in the limit, and predicted for one network."""

    mean: float
    standard_error: float
    infinite: float
    predicted_mean: float | None
    predicted_standard_deviation: float | None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Pick the fields from a row of an answer."""
        own, predicted = row["diagonal"], row.get("predicted", {}).get("diagonal", {})
        return cls(own["mean"], own["standard_error"], own["infinite"], predicted.get("mean"), predicted.get("standard_deviation"))


class WidthError(NamedTuple):
    """How far finite networks of one width are from the infinite one: mean and standard error over samples of ‖Θ̂ − Θ‖/‖Θ‖.

    `predicted` is its root mean square to the first order in 1/width, None where that is not known; `diagonal` is the mean of Θ̂(x, x).
    """

    width: int
    mean: float
    standard_error: float
    predicted: float | None = None
    diagonal: DiagonalMean | None = None


class FiniteMoments(NamedTuple):
    """A finite network's kernel to the first order in 1/n.

    With the limit, its correction and its variance [n1, n2], the mean at width n is ``limit + correction / n`` and the variance
    ``variance / n``.
    """

    limit: Floats
    correction: Floats
    variance: Floats

    def mean(self, width: float) -> Floats:
        """Return the mean over networks of a width."""
        return self.limit + self.correction / width

    def std(self, width: float) -> Floats:
        """Return the standard deviation over networks of a width."""
        return np.sqrt(np.maximum(self.variance, 0) / width)

    def relative_spread(self, width: float) -> float:
        """Return √(E‖Θ̂ − Θ‖²) / ‖Θ‖."""
        squares = np.maximum(self.variance, 0) / width + (self.correction / width) ** 2
        return float(np.sqrt(squares.sum() / (self.limit**2).sum()))


@dataclass(frozen=True, eq=False)
class FiniteWidth:
    """Kernels of finite networks, predicted without sampling any.

    Attributes
    ----------
    ntk, nngp
        `FiniteMoments` of the tangent kernel, and of the outputs' covariance given the layers before the readout; None if not asked for.
    excess_kurtosis
        Of an output at each point, times the width, [n1].
    width
        The architecture's smallest hidden width, to which coefficients belong; None if it gives none.
    required_width
        The smallest width whose relative spread is at most the tolerance; None without one, or where there is none.
    error_estimate
        How far averages may be off, relative to the largest of their kind.
    """

    ntk: FiniteMoments | None
    nngp: FiniteMoments | None
    excess_kurtosis: Floats
    width: int | None
    required_width: int | None
    error_estimate: float | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Pick the fields from an answer."""

        def moments(kind: str) -> FiniteMoments | None:
            if kind not in answer:
                return None
            return FiniteMoments(floats(answer[kind]), floats(answer[kind + "_correction"]), floats(answer[kind + "_variance"]))

        return cls(
            moments("ntk"),
            moments("nngp"),
            floats(answer["excess_kurtosis"]),
            answer["width"],
            answer.get("required_width"),
            answer["error_estimate"],
        )


@dataclass(frozen=True, eq=False)
class Convergence:
    """Finite networks beside the infinite one.

    Attributes
    ----------
    widths
        One entry a width.
    rate
        The exponent with which the error falls, near -½; None for one width.
    """

    widths: list[WidthError]
    rate: float | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Pick the fields from an answer."""
        widths = [
            WidthError(
                one["width"],
                one["relative_error"]["mean"],
                one["relative_error"]["standard_error"],
                one.get("predicted", {}).get("relative_error"),
                DiagonalMean.read(one),
            )
            for one in answer["widths"]
        ]
        return cls(widths, answer.get("rate"))


@dataclass(frozen=True, eq=False)
class Training(Answer):
    """A finite network's training beside what its kernel predicts, at S recorded steps.

    Attributes
    ----------
    steps
        [S].
    train_loss, kernel_train_loss, test_loss, kernel_test_loss
        ½ · mean squared error of the network and of the kernel's prediction, [S].
    kernel_drift
        ‖Θ_t − Θ₀‖ / ‖Θ₀‖: how lazy the training is not.
    parameter_distance, relative_parameter_distance
        ‖θ_t − θ₀‖, and the same divided by ‖θ₀‖.
    deviation
        ‖f − f_kernel‖ / ‖f_kernel‖ over the training points; NaN where the prediction is 0.
    train_outputs, kernel_train_outputs, test_outputs, kernel_test_outputs
        [S, n] or [S, n, k].
    learning_rate, max_learning_rate
        What was used, and with which the linearized network just does not converge.
    """

    steps: Floats
    train_loss: Floats
    kernel_train_loss: Floats
    test_loss: Floats | None
    kernel_test_loss: Floats | None
    kernel_drift: Floats
    parameter_distance: Floats
    relative_parameter_distance: Floats
    deviation: Floats
    train_outputs: Floats
    kernel_train_outputs: Floats
    test_outputs: Floats | None
    kernel_test_outputs: Floats | None
    learning_rate: float
    max_learning_rate: float | None

    _plain = frozenset({"learning_rate", "max_learning_rate"})


@dataclass(frozen=True, eq=False)
class Evolution:
    """The tangent kernel at each of T checkpoints.

    Attributes
    ----------
    trace, largest_eigenvalue, entropy, effective_rank
        [T], of the spectrum.
    alignment, class_alignments
        With the targets, [T], and with each of their columns, [T, k]; None without targets.
    distance_to_previous, distance_to_first
        1 − ⟨K, K'⟩/(‖K‖‖K'‖), [T]; NaN where there is none before.
    classes
        Of labels the classes of the columns.
    """

    trace: Floats
    largest_eigenvalue: Floats
    entropy: Floats
    effective_rank: Floats
    alignment: Floats | None
    class_alignments: Floats | None
    distance_to_previous: Floats
    distance_to_first: Floats
    classes: Labels | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Gather the numbers of all checkpoints."""
        states = answer["checkpoints"]

        def gathered(name: str) -> Any:
            return np.array([state[name] for state in states], dtype=np.float64) if name in states[0] else None

        names = [field.name for field in dataclasses.fields(cls) if field.name != "classes"]
        classes = answer.get("classes")
        return cls(**{name: gathered(name) for name in names}, classes=None if classes is None else np.asarray(classes))
