"""Kernels and kernel ridge regression over many machines, by Dask.

The servers compute the blocks of a kernel matrix; Dask's scheduler, threads or a cluster, says when, and keeps them or spills them to
disk. A block waits for its server and computes nothing here, so that a scheduler needs a few threads for each server::

    with dask.config.set(scheduler="threads", num_workers=2 * len(replicas)): ...
    Client(LocalCluster(n_workers=1, threads_per_worker=2 * len(replicas)))  # a cluster that spills
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self

import dask
import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from scipy.linalg import solve_triangular

from . import _codec
from .architectures import Layer
from .client import Kind, Precision
from .networks import DataFormat
from .replicas import Replicas
from .results import Floats

__all__ = ["DistributedKernelRidge", "Replicas", "kernel_array"]


def kernel_array(
    replicas: Replicas,
    architecture: Layer,
    x1: npt.ArrayLike | da.Array,
    x2: npt.ArrayLike | da.Array | None = None,
    *,
    chunk: int = 2000,
    kind: Kind = "ntk",
    precision: Precision = "float64",
    data_format: DataFormat = "channels_last",
) -> da.Array:
    """Return a kernel matrix as a lazy Dask array.

    Parameters
    ----------
    replicas
        The servers.
    architecture
        See `ntk_client.architectures`.
    x1, x2
        Points, [n1, …] and [n2, …], arrays or Dask arrays; x1 alone if x2 is absent.
    chunk
        Points of a block's side; of Dask arrays their own chunks hold.
    kind, precision, data_format
        See `Client.kernel`.

    Returns
    -------
    dask.array.Array
        [n1, n2], bit for bit what one server would answer. Where x2 is absent the blocks above the diagonal are computed, and those
        below it are their transposes.
    """
    rows = _in_chunks(x1, chunk)
    columns = rows if x2 is None else _in_chunks(x2, chunk)
    block = partial(_block, replicas, dict(architecture), kind, precision, data_format)
    name = "ntk-" + tokenize(replicas, architecture, rows, columns, x2 is None, kind, precision, data_format)
    tail = (0,) * (rows.ndim - 1)
    graph: dict[tuple[str, int, int], Any] = {}
    for i in range(rows.numblocks[0]):
        for j in range(columns.numblocks[0]):
            if x2 is None and i > j:
                graph[name, i, j] = (np.transpose, (name, j, i))
            elif x2 is None and i == j:
                graph[name, i, j] = (block, (rows.name, i, *tail))
            else:
                graph[name, i, j] = (block, (rows.name, i, *tail), (columns.name, j, *tail))
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[rows, columns])
    return da.Array(layers, name, (rows.chunks[0], columns.chunks[0]), dtype=np.dtype(precision))


def _in_chunks(x: npt.ArrayLike | da.Array, chunk: int) -> da.Array:
    if isinstance(x, da.Array):
        return x.rechunk(dict.fromkeys(range(1, x.ndim), -1))
    array = _codec.unmasked(x)
    return da.from_array(array, chunks=(chunk, *array.shape[1:]))


def _block(
    replicas: Replicas,
    architecture: Layer,
    kind: Kind,
    precision: Precision,
    data_format: DataFormat,
    x1: Floats,
    x2: Floats | None = None,
) -> Floats:
    return replicas.kernel(architecture, x1, x2, kind=kind, precision=precision, data_format=data_format)


class DistributedKernelRidge:
    """Kernel ridge regression with as many points as the cluster has room for.

    Parameters
    ----------
    replicas, architecture, kind, chunk
        See `kernel_array`.
    ridge
        λ.
    ridge_scale
        "relative": λ is `ridge` times the mean of the kernel matrix's diagonal.
    solver
        "cholesky": Dask's blocked factorization. "conjugate_gradient": with a Nyström preconditioner; the matrix is only multiplied with.
    rank
        Landmark points of the preconditioner.
    tolerance
        Of conjugate gradients: the residual relative to the targets, in the 2-norm.
    seed
        Of the landmarks.

    Attributes
    ----------
    alpha_ : ndarray
        (K + λI)⁻¹y, [n] or [n, k].
    ridge_ : float
        λ as it was added to the diagonal.
    iterations_ : int or None
        Of conjugate gradients.
    """

    def __init__(
        self,
        replicas: Replicas,
        architecture: Layer,
        *,
        kind: Kind = "ntk",
        ridge: float = 1e-3,
        ridge_scale: Literal["absolute", "relative"] = "relative",
        solver: Literal["cholesky", "conjugate_gradient"] = "cholesky",
        chunk: int = 2000,
        rank: int = 500,
        tolerance: float = 1e-10,
        seed: int = 0,
    ) -> None:
        self.replicas = replicas
        self.architecture = architecture
        self.kind: Kind = kind
        self.ridge = ridge
        self.ridge_scale = ridge_scale
        self.solver = solver
        self.chunk = chunk
        self.rank = rank
        self.tolerance = tolerance
        self.seed = seed

    def fit(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Solve for points [n, …] and targets [n] or [n, k]."""
        self._x = _codec.unmasked(x)
        targets = _codec.unmasked(y).astype(np.float64)
        if not np.all(np.isfinite(targets)):
            raise ValueError("finite targets expected; some are masked, NaN or infinite")
        if len(targets) != len(self._x):
            raise ValueError(f"one target a point expected; {len(self._x)} points and {len(targets)} targets came")
        self.ridge_ = self.ridge
        if self.ridge_scale == "relative":
            self.ridge_ *= float(np.mean(self._diagonal()))
        kernel = kernel_array(self.replicas, self.architecture, self._x, chunk=self.chunk, kind=self.kind)
        columns = targets.reshape(len(targets), -1)
        self.iterations_: int | None = None
        solve = self._cholesky if self.solver == "cholesky" else self._conjugate_gradient
        alpha = solve(kernel, columns)
        self.alpha_: Floats = alpha.reshape(targets.shape)
        return self

    def predict(self, x: npt.ArrayLike) -> Floats:
        """Return the prediction at points [m, …], [m] or [m, k] as the targets were."""
        between = kernel_array(self.replicas, self.architecture, _codec.unmasked(x), self._x, chunk=self.chunk, kind=self.kind)
        alpha = da.from_array(self.alpha_, chunks=(self.chunk, *self.alpha_.shape[1:]))
        return np.asarray((between @ alpha).compute())

    def _diagonal(self) -> Floats:
        starts = range(0, len(self._x), self.chunk)
        kernel = dask.delayed(self.replicas.kernel)
        parts = [kernel(self.architecture, self._x[start : start + self.chunk], kind=self.kind, diagonal=True) for start in starts]
        return np.concatenate(dask.compute(*parts))

    def _cholesky(self, kernel: da.Array, y: Floats) -> Floats:
        """Solve with Dask's factorization, which wants blocks of one size: the last ones are filled up with a piece of the identity."""
        n = len(y)
        size = kernel.chunks[0][0]
        missing = -n % size
        padded = da.pad(kernel, ((0, missing), (0, missing))).rechunk(size)
        shift = np.concatenate([np.full(n, self.ridge_), np.ones(missing)])
        system = padded + da.diag(da.from_array(shift, chunks=size))
        blocks = da.from_array(np.pad(y, ((0, missing), (0, 0))), chunks=(size, y.shape[1]))
        return np.asarray(da.linalg.solve(system, blocks, assume_a="pos").compute())[:n]

    def _preconditioner(self) -> Any:
        """Return the product with P⁻¹, P = K_nm K_mm⁻¹ K_mn + λI, by Woodbury (Rudi, Carratino, Rosasco 2017)."""
        n = len(self._x)
        chosen = np.sort(np.random.default_rng(self.seed).choice(n, min(self.rank, n), replace=False))
        landmarks = self._x[chosen]
        across = kernel_array(self.replicas, self.architecture, self._x, landmarks, chunk=self.chunk, kind=self.kind).compute()
        middle = across[chosen]
        # K_mm to working precision; a preconditioner need not be exact.
        values, vectors = np.linalg.eigh((middle + middle.T) / 2)
        kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
        factor = across @ (vectors[:, kept] / np.sqrt(values[kept]))
        inner = np.linalg.cholesky(factor.T @ factor + self.ridge_ * np.eye(factor.shape[1]))

        def apply(residual: Floats) -> Floats:
            half = solve_triangular(inner, factor.T @ residual, lower=True)
            return np.asarray((residual - factor @ solve_triangular(inner, half, lower=True, trans="T")) / self.ridge_)

        return apply

    def _conjugate_gradient(self, kernel: da.Array, y: Floats) -> Floats:
        """Solve for all columns at once (Golub, Van Loan, algorithm 11.5.1), each with its own step."""
        if self.ridge_ <= 0:
            raise ValueError("conjugate gradients need a ridge above 0")
        kernel = kernel.persist()
        precondition = self._preconditioner()
        alpha = np.zeros_like(y)
        residual = y.copy()
        z = precondition(residual)
        direction = z.copy()
        product = np.sum(residual * z, axis=0)
        limit = self.tolerance * np.linalg.norm(y, axis=0)
        self.iterations_ = 0
        while np.any(np.linalg.norm(residual, axis=0) > limit) and self.iterations_ < 10 * len(y):
            blocks = da.from_array(direction, chunks=(self.chunk, y.shape[1]))
            image = np.asarray((kernel @ blocks).compute()) + self.ridge_ * direction
            curvature = np.sum(direction * image, axis=0)
            step = np.divide(product, curvature, out=np.zeros_like(product), where=curvature > 0)
            alpha += step * direction
            residual -= step * image
            z = precondition(residual)
            following = np.sum(residual * z, axis=0)
            ratio = np.divide(following, product, out=np.zeros_like(product), where=product > 0)
            direction = z + ratio * direction
            product = following
            self.iterations_ += 1
        return alpha
