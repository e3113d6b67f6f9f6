"""What the server answers, as numpy arrays with names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Labels: TypeAlias = npt.NDArray[Any]
Diagnostics: TypeAlias = dict[str, Any]
"""What a fit says of itself: ``method``, ``ridge``, ``rank``, ``leave_one_out_error`` and more; see the server's openapi.yaml."""


def floats(value: Any) -> Floats:
    """Return numbers as an array of floats; JSON's null, where a number has no value, is NaN."""
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class _KernelPair(NamedTuple):
    ntk: Floats | None
    nngp: Floats | None


class Kernels(_KernelPair):
    """Kernel matrices, [n1, n2], or their diagonals, [n1]; None for a kind that was not asked for. A pair: ``ntk, nngp = …`` works.

    Attributes
    ----------
    error_estimate
        The estimated error of an entry K_ij relative to √(K_ii K_jj), where some activation has no closed form; None elsewhere.
    """

    error_estimate: float | None = None

    def __new__(cls, ntk: Floats | None, nngp: Floats | None, error_estimate: float | None = None) -> Self:
        """Make the pair; the estimate is an attribute beside it."""
        pair = super().__new__(cls, ntk, nngp)
        pair.error_estimate = error_estimate
        return pair


class _Answer:
    """A dataclass whose fields are an answer's; all but those named in `_plain` are arrays."""

    _plain: frozenset[str] = frozenset()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Pick the fields from an answer; what is absent is None."""
        values = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            value = answer.get(field.name)
            values[field.name] = value if value is None or field.name in cls._plain else floats(value)
        return cls(**values)


@dataclass(frozen=True, eq=False)
class EmpiricalKernels(_Answer):
    """Kernels of a finite network's weights.

    Attributes
    ----------
    ntk, nngp
        [n1, n2], with outputs "diagonal" [n1, n2, k], with "full" or a list [n1, n2, k, k]; None for a kind that was not asked for.
    layerwise
        The share of each parameter by its name, if asked for.
    algorithms
        How the share of each layer was formed.
    """

    ntk: Floats | None
    nngp: Floats | None
    layerwise: dict[str, Floats] | None
    algorithms: dict[str, str] | None

    _plain = frozenset({"layerwise", "algorithms"})


@dataclass(frozen=True, eq=False)
class Prediction(_Answer):
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


@dataclass(frozen=True, eq=False)
class Dynamics(_Answer):
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
class Learning(_Answer):
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
class Spectrum(_Answer):
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


class WidthError(NamedTuple):
    """How far finite networks of one width are from the infinite one: mean and standard error over samples of ‖Θ̂ − Θ‖/‖Θ‖.

    `predicted` is its root mean square to the first order in 1/width, None where that is not known; `diagonal` is the mean of Θ̂(x, x).
    """

    width: int
    mean: float
    standard_error: float
    predicted: float | None = None
    diagonal: DiagonalMean | None = None


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
class Training(_Answer):
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
class Attribution(_Answer):
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
class Posterior(_Answer):
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
