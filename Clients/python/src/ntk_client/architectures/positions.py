"""Layers over positions and channels that have no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from ._base import Architecture, Padding, make

Selection: TypeAlias = int | slice | None
"""What `index` takes of an axis: one position, a slice of them, or (None) all."""


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


def group_norm(groups: int, *, eps: float | None = None) -> Architecture:
    """Normalize groups of channels over all positions."""
    return make("group_norm", groups=groups, eps=eps)


def dropout(keep_probability: float, *, mode: Literal["train", "test"] | None = None) -> Architecture:
    """Keep an element with a probability, and divide by it."""
    return make("dropout", keep_probability=keep_probability, mode=mode)


def aggregate(axes: Sequence[int] | None = None) -> Architecture:
    """Sum over the neighbours in a graph, whose adjacency comes with each point (`pattern1`, `pattern2`)."""
    return make("aggregate", axes=None if axes is None else list(axes))


def image_resize(shape: Sequence[int], method: Literal["nearest", "linear"], *, antialias: bool | None = None) -> Architecture:
    """Resize the spatial axes by interpolation.

    Parameters
    ----------
    shape
        The extent of each axis, samples and channels included; -1 keeps an axis.
    """
    return make("image_resize", shape=list(shape), method=method, antialias=antialias)


def index(idx: Sequence[Selection]) -> Architecture:
    """Select positions.

    Parameters
    ----------
    idx
        One entry for each axis, beginning with the sample axis: None takes all positions, an integer takes one and removes the axis,
        a slice takes those that it takes of a list.
    """
    return make("index", idx=[_entry(entry) for entry in idx])


def _entry(entry: Selection) -> Any:
    if not isinstance(entry, slice):
        return entry
    bounds = {"start": entry.start, "stop": entry.stop, "step": entry.step}
    return {name: value for name, value in bounds.items() if value is not None}


def dot_general(
    lhs: Any = None,
    rhs: Any = None,
    *,
    lhs_contracting: Sequence[int] | None = None,
    rhs_contracting: Sequence[int] | None = None,
    lhs_batch: Sequence[int] | None = None,
    rhs_batch: Sequence[int] | None = None,
) -> Architecture:
    """Multiply by a constant over spatial axes, as ``jax.lax.dot_general`` does.

    Parameters
    ----------
    lhs, rhs
        Exactly one of them: the constant, on that side.
    lhs_contracting, rhs_contracting
        The axes of both sides that are summed over.
    lhs_batch, rhs_batch
        The axes of both sides that are paired.
    """
    return make(
        "dot_general",
        lhs=None if lhs is None else np.asarray(lhs, dtype=float).tolist(),
        rhs=None if rhs is None else np.asarray(rhs, dtype=float).tolist(),
        lhs_contracting=None if lhs_contracting is None else list(lhs_contracting),
        rhs_contracting=None if rhs_contracting is None else list(rhs_contracting),
        lhs_batch=None if lhs_batch is None else list(lhs_batch),
        rhs_batch=None if rhs_batch is None else list(rhs_batch),
    )
