"""What methods take, as the fields of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from .. import _codec
from ..architectures import Layer
from ..networks import DataFormat, Network

_Value = TypeVar("_Value")
Kind: TypeAlias = Literal["ntk", "nngp"]
Precision: TypeAlias = Literal["float64", "float32"]
Covariance: TypeAlias = Literal["none", "diagonal", "full"]
NetworkLike: TypeAlias = "Network | StoredNetwork | str"
Points: TypeAlias = "npt.ArrayLike | Mapping[str, npt.ArrayLike]"
Pattern: TypeAlias = "npt.ArrayLike | Mapping[str, npt.ArrayLike] | None"


class StoredNetwork:
    """A network that the server keeps.

    Attributes
    ----------
    id : str
        ``net_`` and the SHA-256 of the network.
    description : dict
        What the server says of it, with the shape of each parameter.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.id = str(description["id"])
        self.description = dict(description)

    def __repr__(self) -> str:
        return f"StoredNetwork({self.id!r})"


def kernel_of(architecture: Layer, kind: Kind = "ntk", *, data_format: DataFormat = "channels_last") -> dict[str, Any]:
    """Return the kernel source of an infinitely wide network, for predictions, dynamics and spectra."""
    return {"architecture": architecture, "kind": kind, "data_format": data_format}


def kernel_matrices(
    train_train: npt.ArrayLike, test_train: npt.ArrayLike | None = None, test_test: npt.ArrayLike | None = None
) -> dict[str, Any]:
    """Return a kernel source of matrices: K [n, n], k(x, x_train) [m, n], and k(x, x') [m, m] or its diagonal [m]."""
    given = {"train_train": train_train, "test_train": test_train, "test_test": test_test}
    return {"matrices": {name: _codec.as_array(value) for name, value in given.items() if value is not None}}


KernelSource: TypeAlias = "Mapping[str, Any] | NetworkLike"
"""An architecture, a kernel source from `kernel_of` or `kernel_matrices`, or a network (its empirical NTK)."""


def points(x: Points | None) -> Any:
    """Return points as an array, those of a network with several inputs by the inputs' names; None where there are none."""
    if isinstance(x, Mapping):
        return {name: _codec.as_array(value) for name, value in x.items()}
    return None if x is None else _codec.as_array(x)


def listed(values: Iterable[_Value] | None) -> list[_Value] | None:
    """Return what was given as a list; None where nothing was."""
    return None if values is None else list(values)


def pattern(pattern: Pattern) -> Any:
    """Return a pattern of adjacencies, or lists of edges by name."""
    if isinstance(pattern, Mapping):
        return {name: _codec.as_array(value) for name, value in pattern.items()}
    return points(pattern)


def network(network: NetworkLike) -> Any:
    """Return the fields of a network, or the id of one that is stored."""
    if isinstance(network, Network):
        return network.fields()
    return network.id if isinstance(network, StoredNetwork) else network


def source(kernel: KernelSource) -> dict[str, Any]:
    """Return the source of a kernel."""
    if isinstance(kernel, Network | StoredNetwork | str):
        return {"network": network(kernel)}
    return {"architecture": kernel} if "type" in kernel else dict(kernel)


def labels(labels: Any) -> list[Any] | None:
    """Return the class of each point."""
    if np.ma.is_masked(labels):
        raise ValueError("a class for each point expected; some of the labels are masked")
    return None if labels is None else np.asarray(labels).tolist()


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
