"""Predictions, and fits that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy.typing as npt

from ..results import Diagnostics, Prediction
from . import fields as of
from .fields import Covariance, KernelSource, Pattern, Points
from .requests import Requests


class Regressor:
    """A fit that the server keeps.

    Attributes
    ----------
    id : str
        The SHA-256 of what was fitted.
    description : dict
        What the server says of it.
    """

    def __init__(self, client: Requests, description: Mapping[str, Any]) -> None:
        self._client = client
        self.id = str(description["id"])
        self.description = dict(description)

    @property
    def diagnostics(self) -> Diagnostics:
        """What the fit says of itself: ridge, rank, leave-one-out error and more."""
        return dict(self.description["diagnostics"])

    def predict(
        self,
        x: Points,
        *,
        covariance: Covariance = "none",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Prediction:
        """Predict at points [m, …]; see `Client.predict`."""
        fields = {"x": of.points(x), "covariance": covariance, "pattern": of.pattern(pattern)}
        return self._client._compute(f"/v1/regressors/{self.id}/predictions", fields, Prediction.read, timeout)

    def delete(self) -> None:
        """Delete it at the server."""
        self._client._transport.ask("DELETE", f"/v1/regressors/{self.id}")

    def __repr__(self) -> str:
        return f"Regressor({self.id!r})"


class RegressionMethods(Requests):
    """`predict`, `fit`, `regressors`, `regressor`."""

    @staticmethod
    def _fit_fields(
        kernel: KernelSource,
        x_train: Points | None,
        y_train: npt.ArrayLike | None,
        labels: Any,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        if (y_train is None) == (labels is None):
            raise ValueError("either y_train, for regression, or labels, for classification, expected")
        pattern = options.get("pattern_train")
        return {
            "kernel": of.source(kernel),
            "x_train": of.points(x_train),
            "y_train": of.points(y_train),
            "labels": of.labels(labels),
            **options,
            "pattern_train": of.pattern(pattern),
        }

    def predict(
        self,
        kernel: KernelSource,
        x_train: Points | None,
        y_train: npt.ArrayLike | None = None,
        x_test: Points | None = None,
        *,
        labels: Any = None,
        ridge: float | Mapping[str, Any] = 0.0,
        ridge_scale: Literal["absolute", "relative"] = "absolute",
        posterior: Literal["gp", "ensemble"] = "gp",
        covariance: Covariance = "none",
        timeout: float | None = None,
        **options: Any,
    ) -> Prediction:
        """Predict by kernel ridge regression, which is what infinitely wide networks come to when they are trained to the end.

        Parameters
        ----------
        kernel
            An architecture (its NTK), what `kernel_of` or `kernel_matrices` returns, or a network (linearized at its weights).
        x_train, x_test
            Points, [n, …] and [m, …]; None where the kernel is given as matrices.
        y_train
            Targets, [n] or [n, k].
        labels
            Instead of targets: the class of each training point, strings or integers.
        ridge
            λ, added to the kernel's diagonal, or ``{"select": "leave_one_out" | "gcv" | "marginal_likelihood", "candidates": […]}``.
        ridge_scale
            "relative": times the mean of the kernel's diagonal.
        posterior
            Which distribution the covariance is of: a Gaussian process, or infinitely wide networks trained to convergence.
        covariance
            "diagonal" for the variance at each test point, "full" for the covariance among them.
        timeout
            Seconds after which to give up.
        **options
            ``on_singular``, ``diagnostics``, ``solver``, ``pattern_train``, ``pattern_test``, as the server's openapi.yaml has them.
        """
        options |= {"ridge": ridge, "ridge_scale": ridge_scale, "posterior": posterior}
        fields = self._fit_fields(kernel, x_train, y_train, labels, options)
        fields |= {
            "x_test": of.points(x_test),
            "pattern_test": of.pattern(options.get("pattern_test")),
            "covariance": covariance,
        }
        return self._compute("/v1/predictions", fields, Prediction.read, timeout)

    def fit(
        self,
        kernel: KernelSource,
        x_train: Points | None,
        y_train: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        ridge: float | Mapping[str, Any] = 0.0,
        ridge_scale: Literal["absolute", "relative"] = "absolute",
        posterior: Literal["gp", "ensemble"] = "gp",
        timeout: float | None = None,
        **options: Any,
    ) -> Regressor:
        """Fit once and keep the fit at the server; the parameters are those of `predict`."""
        options |= {"ridge": ridge, "ridge_scale": ridge_scale, "posterior": posterior}
        fields = self._fit_fields(kernel, x_train, y_train, labels, options)
        return self._compute("/v1/regressors", fields, lambda answer: Regressor(self, answer), timeout)

    def regressors(self) -> Iterator[Regressor]:
        """Yield the fits that the server keeps, in ascending order of their ids."""
        return (Regressor(self, one) for one in self._pages("/v1/regressors", "regressors"))

    def regressor(self, id: str) -> Regressor:  # noqa: A002
        """Return a fit that the server keeps."""
        return Regressor(self, self._transport.ask("GET", f"/v1/regressors/{id}")[2])
