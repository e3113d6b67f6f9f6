"""Kernels of infinitely wide networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..architectures import Layer
from ..networks import DataFormat
from ..results import Convergence, FiniteWidth, Floats, Kernels, floats
from . import fields as of
from .fields import Kind, Pattern, Precision
from .requests import Requests


class KernelMethods(Requests):
    """`kernel`, `kernels`, `convergence`, `finite_width`."""

    def kernel(
        self,
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
        *,
        kind: Kind = "ntk",
        precision: Precision = "float64",
        diagonal: bool = False,
        data_format: DataFormat = "channels_last",
        pattern1: Pattern = None,
        pattern2: Pattern = None,
        timeout: float | None = None,
    ) -> Floats:
        """Return the kernel matrix of an infinitely wide network.

        Parameters
        ----------
        architecture
            See `ntk_client.architectures`.
        x1, x2
            Points, [n1, …] and [n2, …], channels last unless `data_format` says otherwise; x1 alone if x2 is absent. NaN is a masked entry.
        kind
            "ntk", the neural tangent kernel, or "nngp", the covariance of the outputs at initialization.
        precision
            What is computed in, and the type of the result.
        diagonal
            Whether to return k(x, x) for each x of x1 only.
        data_format
            Where the channels stand.
        pattern1, pattern2
            For `aggregate`, the adjacency of each point's graph, [n, V, V], or ``{"edges": [n, E, 2]}``.
        timeout
            Seconds after which to give up.

        Returns
        -------
        ndarray
            [n1, n2], symmetric bit for bit where x2 is absent; [n1] with `diagonal`.
        """
        fields = self._kernel_fields(architecture, x1, x2, [kind], precision, diagonal, data_format, pattern1, pattern2)
        dtype = np.dtype(precision)
        return self._compute(
            "/v1/kernels",
            fields,
            lambda answer: floats(answer[kind]).astype(dtype, copy=False),
            timeout,
            only_array=kind,
        )

    def kernels(
        self,
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
        *,
        kinds: Sequence[Kind] = ("ntk", "nngp"),
        precision: Precision = "float64",
        diagonal: bool = False,
        data_format: DataFormat = "channels_last",
        pattern1: Pattern = None,
        pattern2: Pattern = None,
        timeout: float | None = None,
    ) -> Kernels:
        """Return both kernels of an infinitely wide network, in one computation; see `kernel`."""
        fields = self._kernel_fields(architecture, x1, x2, list(kinds), precision, diagonal, data_format, pattern1, pattern2)

        def read(answer: dict[str, Any]) -> Kernels:
            found = {kind: floats(answer[kind]).astype(precision, copy=False) for kind in ("ntk", "nngp") if kind in answer}
            error = answer.get("error_estimate")
            return Kernels(found.get("ntk"), found.get("nngp"), None if error is None else float(error))

        return self._compute("/v1/kernels", fields, read, timeout)

    @staticmethod
    def _kernel_fields(
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None,
        kinds: list[Kind],
        precision: Precision,
        diagonal: bool,
        data_format: DataFormat,
        pattern1: Pattern,
        pattern2: Pattern,
    ) -> dict[str, Any]:
        return {
            "architecture": architecture,
            "x1": of.points(x1),
            "x2": of.points(x2),
            "kinds": kinds,
            "precision": precision,
            "diagonal": diagonal,
            "data_format": data_format,
            "pattern1": of.pattern(pattern1),
            "pattern2": of.pattern(pattern2),
        }

    def convergence(
        self,
        architecture: Layer,
        x: npt.ArrayLike,
        widths: Sequence[int],
        *,
        samples: int = 8,
        seed: int = 0,
        precision: Precision = "float64",
        data_format: DataFormat = "channels_last",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Convergence:
        """Return how far the kernels of finite networks of each width, drawn `samples` times, are from the infinite one."""
        fields = {
            "architecture": architecture,
            "x": of.points(x),
            "widths": list(widths),
            "samples": samples,
            "seed": seed,
            "precision": precision,
            "data_format": data_format,
            "pattern": of.pattern(pattern),
        }
        return self._compute("/v1/convergence", fields, Convergence.read, timeout)

    def finite_width(
        self,
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
        *,
        kinds: Sequence[Kind] = ("ntk", "nngp"),
        outputs: Literal["one", "mean"] = "one",
        tolerance: float | None = None,
        data_format: DataFormat = "channels_last",
        timeout: float | None = None,
    ) -> FiniteWidth:
        """Return mean and spread of the kernels of finite networks to the first order in 1/width, without sampling any.

        Parameters
        ----------
        architecture
            Dense layers with activations between them. The ratios of its hidden widths, if it gives any, are kept.
        x1, x2
            Points [n, …]; x2 is x1 if absent.
        kinds
            Which kernels.
        outputs
            The tangent kernel of one output, or the mean over the readout's outputs, which spreads less.
        tolerance
            `required_width` is the smallest width whose relative spread √(E‖Θ̂ − Θ‖²)/‖Θ‖ is at most this.
        data_format, timeout
            See `kernel`.

        Examples
        --------
        >>> result = client.finite_width(mlp(3), x, tolerance=0.05)  # doctest: +SKIP
        >>> result.ntk.mean(256), result.ntk.std(256), result.required_width  # doctest: +SKIP
        """
        fields = {
            "architecture": architecture,
            "x1": of.points(x1),
            "x2": of.points(x2),
            "kinds": list(kinds),
            "outputs": outputs,
            "tolerance": tolerance,
            "widths": [],
            "data_format": data_format,
        }
        return self._compute("/v1/finite-width", fields, FiniteWidth.read, timeout)
