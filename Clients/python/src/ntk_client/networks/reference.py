"""What a framework says of a network, and whether the server says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import MismatchError

if TYPE_CHECKING:
    from .network import Network

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """What the server's answers are compared with.

    Attributes
    ----------
    points
        What the module was called with, [rows, …], as a request has it.
    outputs
        [rows, outputs], outputs flattened.
    kernel_points, kernel_outputs
        How many of the points, and which outputs, the kernel is compared at.
    kernel
        Each parameter's share of it, [points, points, outputs, outputs], by the parameter's name.
    precision
        Relative accuracy of the numbers above.
    """

    points: Any
    outputs: npt.NDArray[np.float64]
    kernel_points: int
    kernel_outputs: tuple[int, ...]
    kernel: Mapping[str, npt.NDArray[np.float64]]
    precision: float


class Asked(Protocol):
    """The part of a `Client` that gives a network's numbers."""

    def outputs(self, network: Any, x: Any, /) -> npt.NDArray[Any]:
        """Return a network's outputs."""

    def empirical_kernels(self, network: Any, x1: Any, /, *, outputs: Any, layerwise: bool) -> Any:
        """Return a network's kernel with each parameter's share."""


def default_client() -> Asked:
    """Return a client of the server that this process shares."""
    from ..client import Client

    return Client()


def compare(client: Asked, network: Network, reference: Reference) -> None:
    """Compare a server's numbers with those of the framework that the network comes from.

    Parameters
    ----------
    client
        Of the server.
    network, reference
        The network, and its framework's outputs and derivatives.

    Raises
    ------
    MismatchError
        Where outputs, or a parameter's share of the kernel, are others.
    """
    outputs = np.asarray(client.outputs(network, reference.points), dtype=np.float64)
    _compare_outputs(outputs.reshape(len(outputs), -1), reference)
    if not reference.kernel:
        return
    answer = client.empirical_kernels(
        network, _rows(reference.points, reference.kernel_points), outputs=list(reference.kernel_outputs), layerwise=True
    )
    _compare_kernels({name: np.asarray(share, dtype=np.float64) for name, share in (answer.layerwise or {}).items()}, reference)


def _rows(points: Any, count: int) -> Any:
    return {name: one[:count] for name, one in points.items()} if isinstance(points, Mapping) else points[:count]


def _compare_outputs(outputs: Doubles, reference: Reference) -> None:
    expected = reference.outputs
    if outputs.shape != expected.shape:
        raise MismatchError(f"outputs of shape {expected.shape} expected at the example, flattened; the server's have {outputs.shape}")
    difference = np.abs(outputs - expected)
    # Not a number is no small difference.
    if not difference.max() <= reference.precision * np.abs(expected).max():
        point, output = (int(place) for place in np.unravel_index(np.argmax(np.nan_to_num(difference, nan=np.inf)), expected.shape))
        raise MismatchError(
            f"output {output} of point {point} of the example is {expected[point, output]:.9g} in the framework and "
            f"{outputs[point, output]:.9g} at the server; {int((difference > reference.precision * np.abs(expected).max()).sum())} of "
            f"{expected.size} outputs differ"
        )


def _compare_kernels(shares: Mapping[str, Doubles], reference: Reference) -> None:
    unknown = sorted(set(shares) - set(reference.kernel))
    if unknown:
        raise MismatchError(f"the server counts parameters that the framework does not: {_listed(unknown)}")
    largest = max(float(np.abs(share).max(initial=0)) for share in reference.kernel.values())
    differences = {}
    for name, expected in reference.kernel.items():
        share = shares.get(name, np.zeros_like(expected))
        difference = float(np.abs(share - expected).max(initial=0)) if share.shape == expected.shape else float("inf")
        if not difference <= 10 * reference.precision * largest:
            differences[name] = difference / (largest or 1)
    if differences:
        worst = sorted(differences, key=lambda name: -differences[name])
        raise MismatchError(
            "outputs agree, derivatives do not: shares of the kernel at the example differ, relative to its largest entry, for "
            + _listed([f"{name} ({differences[name]:.1e})" for name in worst])
            + ". A file has the function only: what stops or changes gradients (detach, no_grad, a backward pass of one's own, "
            "hooks on gradients) has no place in it"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
