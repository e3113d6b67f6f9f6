"""Layers over positions and channels that have no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ._base import Architecture, Padding, make


def avg_pool(
    window_shape: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    padding: Padding | None = None,
    normalize_edges: bool | None = None,
) -> Architecture:
    """Mean over windows."""
    return make(
        "avg_pool",
        window_shape=list(window_shape),
        strides=None if strides is None else list(strides),
        padding=padding,
        normalize_edges=normalize_edges,
    )


def sum_pool(window_shape: Sequence[int], *, strides: Sequence[int] | None = None, padding: Padding | None = None) -> Architecture:
    """Sum over windows."""
    return make(
        "sum_pool",
        window_shape=list(window_shape),
        strides=None if strides is None else list(strides),
        padding=padding,
    )


def global_avg_pool() -> Architecture:
    """Mean over all positions."""
    return make("global_avg_pool")


def global_sum_pool() -> Architecture:
    """Sum over all positions."""
    return make("global_sum_pool")


def flatten() -> Architecture:
    """All positions and channels as channels."""
    return make("flatten")


def identity() -> Architecture:
    """Let the input through as it is."""
    return make("identity")


def layer_norm(axes: Sequence[int | Literal["channel"]] | None = None, *, eps: float | None = None) -> Architecture:
    """Normalize over `axes`, the channels if absent."""
    return make("layer_norm", axes=None if axes is None else list(axes), eps=eps)


def dropout(keep_probability: float, *, mode: Literal["train", "test"] | None = None) -> Architecture:
    """Keep an element with a probability, and divide by it."""
    return make("dropout", keep_probability=keep_probability, mode=mode)


def aggregate(axes: Sequence[int] | None = None) -> Architecture:
    """Sum over the neighbours in a graph, whose adjacency comes with each point (`pattern1`, `pattern2`)."""
    return make("aggregate", axes=None if axes is None else list(axes))
