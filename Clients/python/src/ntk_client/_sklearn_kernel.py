"""The kernel of an infinitely wide network as a kernel of scikit-learn's Gaussian processes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from . import _codec
from ._sklearn_shared import architecture_of, client_of
from .architectures import Layer
from .client import Kind, Precision
from .results import Floats


class NTKKernel(Kernel):  # type: ignore[misc]
    """The kernel of an infinitely wide network for ``sklearn.gaussian_process``.

    `w_std` and `b_std` are hyperparameters that ``GaussianProcessRegressor`` tunes within their bounds (their derivatives are central
    differences); "fixed" for bounds keeps one as it is.

    Parameters
    ----------
    architecture, depth, activation, w_std, b_std, kind, address, api_key
        See `NTKRegressor`.
    w_std_bounds, b_std_bounds
        Lower and upper bound, or "fixed".
    precision
        What the server computes in.
    """

    def __init__(
        self,
        architecture: Layer | None = None,
        *,
        depth: int = 3,
        activation: str | Layer = "relu",
        w_std: float = 2.0**0.5,
        w_std_bounds: tuple[float, float] | Literal["fixed"] = (0.1, 10.0),
        b_std: float | None = 0.1,
        b_std_bounds: tuple[float, float] | Literal["fixed"] = (1e-3, 10.0),
        kind: Kind = "ntk",
        precision: Precision = "float64",
        address: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.architecture = architecture
        self.depth = depth
        self.activation = activation
        self.w_std = w_std
        self.w_std_bounds = w_std_bounds
        self.b_std = b_std
        self.b_std_bounds = b_std_bounds
        self.kind = kind
        self.precision = precision
        self.address = address
        self.api_key = api_key

    @property
    def hyperparameter_w_std(self) -> Hyperparameter:
        """Of the weights."""
        return Hyperparameter("w_std", "numeric", self.w_std_bounds)

    @property
    def hyperparameter_b_std(self) -> Hyperparameter:
        """Of the biases; fixed where there are none."""
        return Hyperparameter("b_std", "numeric", "fixed" if self.b_std is None else self.b_std_bounds)

    def _kernel(self, X: Floats, Y: Floats | None, w_std: float, b_std: float | None, *, diagonal: bool = False) -> Floats:
        architecture = architecture_of(self.architecture, self.depth, self.activation, w_std, b_std)
        return client_of(self.address, self.api_key).kernel(architecture, X, Y, kind=self.kind, precision=self.precision, diagonal=diagonal)

    def __call__(self, X: npt.ArrayLike, Y: npt.ArrayLike | None = None, eval_gradient: bool = False) -> Any:
        """Return k(X, Y), and its derivatives by the logarithms of the free hyperparameters [n, n, hyperparameters] if asked for.

        Parameters
        ----------
        X, Y
            Points, [n, d] and [m, d]; X alone if Y is None.
        eval_gradient
            Whether to return the derivatives; Y must be None then.
        """
        points = np.atleast_2d(_codec.unmasked(X).astype(np.float64))
        others = None if Y is None else np.atleast_2d(_codec.unmasked(Y).astype(np.float64))
        matrix = self._kernel(points, others, self.w_std, self.b_std).astype(np.float64, copy=False)
        if not eval_gradient:
            return matrix
        if others is not None:
            raise ValueError("a gradient can be had only where Y is None")
        # Central differences in log θ: an error of h² beside one of ε/h.
        h = np.cbrt(np.finfo(self.precision).eps)
        gradients = []
        for hyperparameter in self.hyperparameters:
            if hyperparameter.fixed:
                continue
            sides = []
            for sign in (1, -1):
                values: dict[str, Any] = {"w_std": self.w_std, "b_std": self.b_std}
                values[hyperparameter.name] = getattr(self, hyperparameter.name) * np.exp(sign * h)
                sides.append(self._kernel(points, None, **values).astype(np.float64, copy=False))
            gradients.append((sides[0] - sides[1]) / (2 * h))
        return matrix, np.stack(gradients, axis=2) if gradients else np.empty((len(points), len(points), 0))

    def diag(self, X: npt.ArrayLike) -> Floats:
        """Return k(x, x) at points [n, d]."""
        points = np.atleast_2d(_codec.unmasked(X).astype(np.float64))
        return self._kernel(points, None, self.w_std, self.b_std, diagonal=True).astype(np.float64, copy=False)

    def is_stationary(self) -> bool:
        """Return whether k(x, y) is a function of x − y: it is not."""
        return False

    def __repr__(self) -> str:
        what = "architecture" if self.architecture is not None else f"depth={self.depth}, activation={self.activation!r}"
        scales = f"w_std={self.w_std:.3g}" + ("" if self.b_std is None else f", b_std={self.b_std:.3g}")
        return f"NTKKernel({what}, {scales}, kind={self.kind!r})"
