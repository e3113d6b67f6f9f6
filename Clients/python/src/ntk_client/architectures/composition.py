"""How layers are put together."""

from __future__ import annotations

import copy
from typing import Literal

from ._base import Architecture, Layer, make

_WEIGHTED = frozenset({"dense", "conv", "conv_local", "conv_transpose", "mlp"})


def serial(*layers: Layer) -> Architecture:
    """Layers one after the other."""
    return make("serial", layers=list(layers))


def parallel(*branches: Layer) -> Architecture:
    """Branches beside each other, each with its own input, after `fan_out`."""
    return make("parallel", branches=list(branches))


def repeat(layer: Layer, count: int) -> Architecture:
    """Repeat a layer `count` times, with weights of its own each time."""
    return make("repeat", layer=layer, count=count)


def residual(*layers: Layer) -> Architecture:
    """Add the input of the layers to what comes out of them."""
    return make("residual", layers=list(layers))


def fan_out(count: int) -> Architecture:
    """Copy the input, for `parallel`."""
    return make("fan_out", count=count)


def fan_in_sum() -> Architecture:
    """Sum of the branches."""
    return make("fan_in_sum")


def fan_in_prod() -> Architecture:
    """Product of the branches."""
    return make("fan_in_prod")


def fan_in_concat(axis: int | Literal["channel"] | None = None) -> Architecture:
    """Concatenation of the branches."""
    return make("fan_in_concat", axis=axis)


def with_defaults(architecture: Layer, *, w_std: float | None = None, b_std: float | None = None) -> Architecture:
    """Give a scale to every layer with weights that does not state its own.

    Parameters
    ----------
    architecture
        Any architecture; it is not changed.
    w_std, b_std
        What dense and convolutional layers (and `mlp`) without a `w_std` or `b_std` get; None leaves them as they are.

    Returns
    -------
    dict
        A copy.
    """
    result: Architecture = copy.deepcopy(dict(architecture))
    if result.get("type") in _WEIGHTED:
        for name, value in (("w_std", w_std), ("b_std", b_std)):
            if value is not None and name not in result:
                result[name] = value
    for name in ("layers", "branches"):
        if name in result:
            result[name] = [with_defaults(child, w_std=w_std, b_std=b_std) for child in result[name]]
    if "layer" in result:
        result["layer"] = with_defaults(result["layer"], w_std=w_std, b_std=b_std)
    return result
