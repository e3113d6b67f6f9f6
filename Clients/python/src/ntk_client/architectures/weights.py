"""Layers with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ._base import Architecture, Layer, Padding, Parameterization, make


def mlp(
    depth: int,
    activation: str | Layer = "relu",
    *,
    w_std: float | None = None,
    b_std: float | None = None,
    last_w_std: float | None = None,
    width: int | None = None,
    outputs: int | None = None,
    bias: bool | None = None,
    parameterization: Parameterization | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """`depth` hidden dense layers, each with the activation after it, and a dense readout.

    Parameters
    ----------
    width, outputs
        Of a finite network: units of each hidden layer, and of the readout, which has one without.
    """
    return make(
        "mlp",
        depth=depth,
        activation=activation,
        w_std=w_std,
        b_std=b_std,
        last_w_std=last_w_std,
        width=width,
        outputs=outputs,
        bias=bias,
        parameterization=parameterization,
        trainable=trainable,
    )


def dense(
    width: int | None = None,
    *,
    w_std: float | None = None,
    b_std: float | None = None,
    bias: bool | None = None,
    parameterization: Parameterization | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """Build a fully-connected layer, (w_std/√fan-in)·Wx + b_std·b with N(0, 1) weights and biases.

    Parameters
    ----------
    width
        Units of the finite network.
    w_std
        Standard deviation of the weights, times √fan-in; 1 if absent.
    b_std
        Standard deviation of the biases; no biases if absent.
    bias
        PyTorch's word: whether there is a bias, in the "standard" parameterization.
    parameterization
        "ntk" if absent; "standard" in finite networks.
    trainable
        Whether the layer's gradient counts in the tangent kernel; False freezes it.
    """
    return make(
        "dense",
        width=width,
        w_std=w_std,
        b_std=b_std,
        bias=bias,
        parameterization=parameterization,
        trainable=trainable,
    )


def _convolution(type_: str, width: int | None, filter_shape: Sequence[int], **fields: Any) -> Architecture:
    strides = fields.pop("strides")
    return make(
        type_,
        width=width,
        filter_shape=list(filter_shape),
        strides=None if strides is None else list(strides),
        **fields,
    )


def conv(
    width: int | None = None,
    filter_shape: Sequence[int] = (3, 3),
    *,
    strides: Sequence[int] | None = None,
    padding: Padding | None = None,
    w_std: float | None = None,
    b_std: float | None = None,
    bias: bool | None = None,
    parameterization: Parameterization | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """Build a convolution with a filter of `filter_shape`, one extent for each spatial axis."""
    return _convolution(
        "conv",
        width,
        filter_shape,
        strides=strides,
        padding=padding,
        w_std=w_std,
        b_std=b_std,
        bias=bias,
        parameterization=parameterization,
        trainable=trainable,
    )


def conv_local(
    width: int | None = None,
    filter_shape: Sequence[int] = (3, 3),
    *,
    strides: Sequence[int] | None = None,
    padding: Padding | None = None,
    w_std: float | None = None,
    b_std: float | None = None,
    bias: bool | None = None,
    parameterization: Parameterization | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """Build a convolution whose filters differ from position to position."""
    return _convolution(
        "conv_local",
        width,
        filter_shape,
        strides=strides,
        padding=padding,
        w_std=w_std,
        b_std=b_std,
        bias=bias,
        parameterization=parameterization,
        trainable=trainable,
    )


def conv_transpose(
    width: int | None = None,
    filter_shape: Sequence[int] = (3, 3),
    *,
    strides: Sequence[int] | None = None,
    padding: Padding | None = None,
    w_std: float | None = None,
    b_std: float | None = None,
    bias: bool | None = None,
    parameterization: Parameterization | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """Build a transposed convolution: with strides the output is larger than the input."""
    return _convolution(
        "conv_transpose",
        width,
        filter_shape,
        strides=strides,
        padding=padding,
        w_std=w_std,
        b_std=b_std,
        bias=bias,
        parameterization=parameterization,
        trainable=trainable,
    )


def global_self_attention(
    width: int | None = None,
    heads: int | None = None,
    *,
    linear_scaling: bool | None = None,
    w_key_std: float | None = None,
    w_value_std: float | None = None,
    w_query_std: float | None = None,
    w_out_std: float | None = None,
    b_std: float | None = None,
    mechanism: Literal["softmax", "identity", "abs", "relu"] | None = None,
    positional_embedding: Literal["none", "sum", "concat"] | None = None,
    positional_p_norm: float | None = None,
    positional_decay: float | None = None,
    w_positional_std: float | None = None,
    positional_width: int | None = None,
    value_positional_embedding: bool | None = None,
    trainable: bool | None = None,
) -> Architecture:
    """Self-attention over all positions, in the limit of many heads (Hron et al. 2020)."""
    return make(
        "global_self_attention",
        width=width,
        heads=heads,
        linear_scaling=linear_scaling,
        w_key_std=w_key_std,
        w_value_std=w_value_std,
        w_query_std=w_query_std,
        w_out_std=w_out_std,
        b_std=b_std,
        mechanism=mechanism,
        positional_embedding=positional_embedding,
        positional_p_norm=positional_p_norm,
        positional_decay=positional_decay,
        w_positional_std=w_positional_std,
        positional_width=positional_width,
        value_positional_embedding=value_positional_embedding,
        trainable=trainable,
    )
