"""Training in closed form, and a kernel's modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..results import Dynamics, Floats, LearningCurve, Spectrum
from . import fields as of
from .fields import Covariance, KernelSource, Pattern, Points
from .requests import Requests


class DynamicsMethods(Requests):
    """`dynamics`, `spectrum`, `learning_curve`."""

    def dynamics(
        self,
        kernel: KernelSource,
        x_train: Points | None,
        y_train: npt.ArrayLike | None,
        times: Sequence[float] | Floats,
        x_test: Points | None = None,
        *,
        y_test: npt.ArrayLike | None = None,
        labels: Any = None,
        optimizer: Mapping[str, Any] | None = None,
        initial_outputs: Mapping[str, npt.ArrayLike] | None = None,
        covariance: Covariance = "none",
        target_loss: float | None = None,
        loss: Literal["squared_error", "cross_entropy"] = "squared_error",
        timeout: float | None = None,
        **options: Any,
    ) -> Dynamics:
        """Return infinitely wide networks' outputs while they are trained, in closed form.

        Parameters
        ----------
        kernel, x_train, y_train, x_test, labels, covariance, timeout
            See `predict`.
        times
            Times of gradient flow, or numbers of steps.
        y_test
            For the test loss.
        optimizer
            Such as ``{"type": "heavy_ball", "learning_rate": 0.1, "momentum": 0.9}``; gradient flow if absent.
        initial_outputs
            The function before training, ``{"train": …, "test": …}``; 0 if absent.
        target_loss
            The result's `time_to_loss` is when the training loss is first at most this.
        loss
            "cross_entropy" needs labels, and is integrated numerically.
        **options
            ``pattern_train`` and ``pattern_test``.
        """
        fields = {
            "kernel": of.source(kernel),
            "x_train": of.points(x_train),
            "y_train": of.points(y_train),
            "labels": of.labels(labels),
            "times": [float(time) for time in times],
            "x_test": of.points(x_test),
            "y_test": of.points(y_test),
            "optimizer": optimizer,
            "initial_outputs": of.pattern(initial_outputs),
            "covariance": covariance,
            "target_loss": target_loss,
            "loss": loss,
            **{name: of.pattern(value) for name, value in options.items()},
        }
        return self._compute("/v1/dynamics", fields, Dynamics.read, timeout)

    def spectrum(
        self,
        kernel: KernelSource,
        x: Points | None,
        y: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        ridge: float = 0.0,
        noise: float = 0.0,
        learning_rate: float | None = None,
        sample_sizes: Sequence[float] | None = None,
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Spectrum:
        """Return a kernel's modes at the points, and what they say of learning the targets.

        Parameters
        ----------
        kernel, labels, timeout
            See `predict`.
        x, y
            Points [n, …] and targets [n] or [n, k].
        ridge, noise
            Of the effective dimension and of eigenlearning.
        learning_rate
            Of the half-lives.
        sample_sizes
            Sizes of training sets to predict the test error for.
        pattern
            For `aggregate`.
        """
        fields = {
            "kernel": of.source(kernel),
            "x": of.points(x),
            "y": of.points(y),
            "labels": of.labels(labels),
            "ridge": ridge,
            "noise": noise,
            "learning_rate": learning_rate,
            "sample_sizes": of.listed(sample_sizes),
            "pattern": of.pattern(pattern),
        }
        return self._compute("/v1/spectra", fields, Spectrum.read, timeout)

    def learning_curve(
        self,
        sample_sizes: Sequence[float] | Floats,
        kernel: KernelSource | None = None,
        x: Points | None = None,
        y: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        method: Literal["spectrum", "hermite"] = "spectrum",
        spectrum: Mapping[str, Any] | None = None,
        covariance_eigenvalues: npt.ArrayLike | None = None,
        target_coefficients: Sequence[Mapping[str, Any]] | None = None,
        modes: int | None = None,
        ridge: float | Literal["optimal"] = 0.0,
        noise: float = 0.0,
        features: float | None = None,
        target_error: float | None = None,
        seed: int = 0,
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> LearningCurve:
        """Predict the test error of kernel regression by the number of samples.

        Parameters
        ----------
        sample_sizes
            Sizes of training sets.
        kernel, x, y, labels, pattern, timeout
            See `spectrum`: a sample, from which the curve is measured and continued.
        method
            "hermite" works from the covariance of the data alone, for fully-connected kernels.
        spectrum
            In place of a sample: ``{"eigenvalues": …, "powers": …, "multiplicities": …, "tail": …}`` of the kernel's operator.
        covariance_eigenvalues, target_coefficients
            For "hermite" in place of `x` and `y`: variances, and ``[{"components": [0, 0, 3], "coefficient": 0.5}, …]``.
        modes
            Modes that "hermite" tells apart.
        ridge, noise
            On the Gram matrix, or "optimal"; and of the targets.
        features
            Random features in place of the kernel.
        target_error
            `required_samples` is the fewest whose error is at most this.
        seed
            Of the subsets of a sample.
        """
        fields = {
            "sample_sizes": [float(size) for size in sample_sizes],
            "method": method,
            "kernel": None if kernel is None else of.source(kernel),
            "x": of.points(x),
            "y": of.points(y),
            "labels": of.labels(labels),
            "pattern": of.pattern(pattern),
            "spectrum": None if spectrum is None else {name: np.asarray(value).tolist() for name, value in spectrum.items()},
            "covariance_eigenvalues": None
            if covariance_eigenvalues is None
            else np.asarray(covariance_eigenvalues, dtype=np.float64).tolist(),
            "target_coefficients": None if target_coefficients is None else [dict(one) for one in target_coefficients],
            "modes": modes,
            "ridge": ridge,
            "noise": noise,
            "features": features,
            "target_error": target_error,
            "seed": seed,
        }
        return self._compute("/v1/learning-curves", fields, LearningCurve.read, timeout)
