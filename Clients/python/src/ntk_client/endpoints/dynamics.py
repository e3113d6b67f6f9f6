"""Training in closed form, and a kernel's modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy.typing as npt

from ..results import Dynamics, Floats, Spectrum
from . import fields as of
from .fields import Covariance, KernelSource, Pattern, Points
from .requests import Requests


class DynamicsMethods(Requests):
    """`dynamics`, `spectrum`."""

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
            "sample_sizes": None if sample_sizes is None else list(sample_sizes),
            "pattern": of.pattern(pattern),
        }
        return self._compute("/v1/spectra", fields, Spectrum.read, timeout)
