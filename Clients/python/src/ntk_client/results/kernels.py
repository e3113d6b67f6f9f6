"""Kernel matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

from ._base import Answer, Floats


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


@dataclass(frozen=True, eq=False)
class EmpiricalKernels(Answer):
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
