"""Infinitely wide networks as scikit-learn's estimators, and their kernels as kernels of its Gaussian processes.

The server's address is a parameter like any other. Where it is None, NTK_ADDRESS says where the server is, or each process starts
one when it first needs it.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _codec
from ._sklearn_kernel import NTKKernel
from ._sklearn_shared import architecture_of, client_of
from .architectures import Layer
from .client import Kind, Regressor, kernel_of
from .errors import NotFoundError
from .results import Floats, Prediction

__all__ = ["NTKClassifier", "NTKKernel", "NTKRegressor"]


def _without_mask(value: Any) -> Any:
    """Return an array with NaN where it was masked, which validation then refuses; what has no mask as it is, with its columns' names."""
    return _codec.unmasked(value) if _codec.is_masked(value) else value


class _NTKEstimator(BaseEstimator):  # type: ignore[misc]
    """What the regressor and the classifier have in common; see `NTKRegressor`."""

    def __init__(
        self,
        architecture: Layer | None = None,
        *,
        depth: int = 3,
        activation: str | Layer = "relu",
        w_std: float | None = 2.0**0.5,
        b_std: float | None = None,
        kind: Kind = "ntk",
        ridge: float | dict[str, Any] = 1e-3,
        ridge_scale: Literal["absolute", "relative"] = "relative",
        posterior: Literal["gp", "ensemble"] = "gp",
        solver: Literal["automatic", "direct", "conjugate_gradient"] = "automatic",
        diagnostics: Literal["automatic", "complete", "fast"] = "automatic",
        address: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.architecture = architecture
        self.depth = depth
        self.activation = activation
        self.w_std = w_std
        self.b_std = b_std
        self.kind = kind
        self.ridge = ridge
        self.ridge_scale = ridge_scale
        self.posterior = posterior
        self.solver = solver
        self.diagnostics = diagnostics
        self.address = address
        self.api_key = api_key

    def _fit(self, X: Floats, **targets: Any) -> None:
        self._X = X
        self._targets = targets
        regressor = self._fit_at_server()
        self.regressor_id_ = regressor.id
        self.diagnostics_ = regressor.diagnostics

    def _fit_at_server(self) -> Regressor:
        architecture = architecture_of(self.architecture, self.depth, self.activation, self.w_std, self.b_std)
        return client_of(self.address, self.api_key).fit(
            kernel_of(architecture, self.kind),
            self._X,
            ridge=self.ridge,
            ridge_scale=self.ridge_scale,
            posterior=self.posterior,
            solver=self.solver,
            diagnostics=self.diagnostics,
            **self._targets,
        )

    def _predict(self, X: npt.ArrayLike, covariance: Literal["none", "diagonal", "full"] = "none") -> Prediction:
        check_is_fitted(self)
        points = validate_data(self, _without_mask(X), reset=False, dtype=np.float64)
        client = client_of(self.address, self.api_key)
        regressor = Regressor(client, {"id": self.regressor_id_})
        try:
            return regressor.predict(points, covariance=covariance)
        except NotFoundError:
            # Another server than that of the fit, after unpickling for one: what was fitted is here, and its id is its content.
            return self._fit_at_server().predict(points, covariance=covariance)


class NTKRegressor(RegressorMixin, _NTKEstimator):  # type: ignore[misc]
    """Regression by an infinitely wide network that is trained to the end.

    Parameters
    ----------
    architecture
        See `ntk_client.architectures`; layers with weights that do not state a `w_std` or `b_std` get those below. If None, an
        `mlp` of `depth` hidden layers with `activation`.
    depth, activation
        Of the `mlp`.
    w_std, b_std
        Standard deviations of weights (times √fan-in) and biases; no biases where `b_std` is None.
    kind
        "ntk": all layers are trained; "nngp": the readout alone.
    ridge
        λ, or how to choose it: ``{"select": "leave_one_out" | "gcv" | "marginal_likelihood"}``, with ``"candidates"`` if need be.
    ridge_scale
        "relative": λ is `ridge` times the mean of the kernel matrix's diagonal.
    posterior
        What `predict` returns the standard deviation of: "gp", targets of a Gaussian process with this kernel and noise λ, both times
        the factor with which the training targets are most likely (`diagnostics_["signal_variances"]`), or "ensemble", outputs of
        networks trained to convergence, over their initializations.
    solver, diagnostics
        As the server's openapi.yaml has them.
    address, api_key
        The server's; see the module.

    Attributes
    ----------
    regressor_id_ : str
        The SHA-256 of what was fitted, the fit's name at the server.
    diagnostics_ : dict
        What the fit says of itself: ridge, rank, leave-one-out error and more.
    n_features_in_ : int
        Number of features.
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to points [n, d] and targets [n] or [n, k]."""
        points, targets = validate_data(self, _without_mask(X), _without_mask(y), dtype=np.float64, multi_output=True, y_numeric=True)
        self._fit(points, y_train=targets.astype(np.float64, copy=False))
        return self

    def predict(self, X: npt.ArrayLike, return_std: bool = False, return_cov: bool = False) -> Floats | tuple[Floats, Floats]:
        """Predict at points [m, d].

        Parameters
        ----------
        X
            Points, [m, d].
        return_std, return_cov
            Whether to return the standard deviation at each point, or the covariance [m, m], too: in the units of the targets. Of the
            Gaussian process they are those of a new target, noise included, so that ±1.96 standard deviations are a band of 95 %.

        Returns
        -------
        ndarray or tuple of ndarray
            [m] or [m, k], as the targets were; a covariance is [m, m] or [m, m, k].
        """
        if return_std and return_cov:
            raise ValueError("at most one of return_std and return_cov expected")
        prediction = self._predict(X, "full" if return_cov else "diagonal" if return_std else "none")
        assert prediction.mean is not None
        if return_cov:
            assert prediction.covariance is not None
            return prediction.mean, self._in_units_of_targets(prediction.covariance, np.eye(len(prediction.covariance)), prediction.mean)
        if return_std:
            assert prediction.variance is not None
            noise = np.ones_like(prediction.variance)
            return prediction.mean, np.sqrt(self._in_units_of_targets(prediction.variance, noise, prediction.mean))
        return prediction.mean

    def _in_units_of_targets(self, moments: Floats, noise: Floats, mean: Floats) -> Floats:
        """Moments of new targets from those of a Gaussian process whose kernel has the factor 1; [..., k] where the mean has k outputs."""
        factors = self.diagnostics_.get("signal_variances")
        if self.posterior != "gp" or factors is None:
            return moments
        added: Floats = moments + (self.diagnostics_["ridge"] + self.diagnostics_["jitter"]) * noise
        scaled = added[..., np.newaxis] * np.asarray(factors, dtype=np.float64)
        return scaled if mean.ndim == 2 else scaled[..., 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class NTKClassifier(ClassifierMixin, _NTKEstimator):  # type: ignore[misc]
    """Classification by an infinitely wide network that is trained to the end on codes of the classes.

    The parameters are those of `NTKRegressor`.

    Attributes
    ----------
    classes_ : ndarray
        The classes, in ascending order.
    regressor_id_, diagnostics_, n_features_in_
        See `NTKRegressor`; ``diagnostics_["calibration"]`` has the leave-one-out accuracy.
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to points [n, d] and their classes [n]."""
        points, labels = validate_data(self, _without_mask(X), y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"two classes or more expected; one class came: {self.classes_[0]!r}")
        self._fit(points, labels=indices)
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the class with the highest score at each point, [m]."""
        prediction = self._predict(X)
        return np.asarray(self.classes_[np.asarray(prediction.labels)])

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the scores of the classes, [m, k]; of two, the score of the second less that of the first, [m]."""
        scores = self._predict(X).scores
        assert scores is not None
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Return the probabilities of the classes, [m, k], calibrated on leave-one-out scores.

        Raises
        ------
        ValueError
            Above 4,096 training points unless `diagnostics` is "complete": there are no leave-one-out scores then.
        """
        probabilities = self._predict(X).probabilities
        if probabilities is None:
            raise ValueError('probabilities come from leave-one-out scores: diagnostics="complete" expected')
        return probabilities
