"""Architectures as the server reads them, in the names of neural-tangents' ``stax``.

Every function returns a plain ``dict`` that is sent as it is::

    serial(dense(512), relu(), dense(1))

Widths matter to finite networks only (and to the "standard" parameterization); an infinitely wide network needs none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

Architecture: TypeAlias = dict[str, Any]
"""A tree of layers, each a ``dict`` with its ``type``."""
Layer: TypeAlias = Mapping[str, Any]
Parameterization: TypeAlias = Literal["ntk", "standard"]
Padding: TypeAlias = Literal["valid", "same", "circular"]

_WEIGHTED = frozenset({"dense", "conv", "conv_local", "conv_transpose", "mlp"})


def _layer(type_: str, /, **fields: Any) -> Architecture:
    return {"type": type_, **{name: value for name, value in fields.items() if value is not None}}


def serial(*layers: Layer) -> Architecture:
    """Layers one after the other."""
    return _layer("serial", layers=list(layers))


def parallel(*branches: Layer) -> Architecture:
    """Branches beside each other, each with its own input, after `fan_out`."""
    return _layer("parallel", branches=list(branches))


def repeat(layer: Layer, count: int) -> Architecture:
    """Repeat a layer `count` times, with weights of its own each time."""
    return _layer("repeat", layer=layer, count=count)


def residual(*layers: Layer) -> Architecture:
    """Add the input of the layers to what comes out of them."""
    return _layer("residual", layers=list(layers))


def fan_out(count: int) -> Architecture:
    """Copy the input, for `parallel`."""
    return _layer("fan_out", count=count)


def fan_in_sum() -> Architecture:
    """Sum of the branches."""
    return _layer("fan_in_sum")


def fan_in_prod() -> Architecture:
    """Product of the branches."""
    return _layer("fan_in_prod")


def fan_in_concat(axis: int | Literal["channel"] | None = None) -> Architecture:
    """Concatenation of the branches."""
    return _layer("fan_in_concat", axis=axis)


def mlp(
    depth: int,
    activation: str | Layer = "relu",
    *,
    w_std: float | None = None,
    b_std: float | None = None,
    last_w_std: float | None = None,
    width: int | None = None,
    outputs: int | None = None,
    parameterization: Parameterization | None = None,
) -> Architecture:
    """`depth` hidden dense layers, each with the activation after it, and a dense readout.

    Parameters
    ----------
    width, outputs
        Of a finite network: units of each hidden layer, and of the readout, which has one without.
    """
    return _layer(
        "mlp",
        depth=depth,
        activation=activation,
        w_std=w_std,
        b_std=b_std,
        last_w_std=last_w_std,
        width=width,
        outputs=outputs,
        parameterization=parameterization,
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
    return _layer(
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
    return _layer(
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
        parameterization=parameterization,
        trainable=trainable,
    )


def avg_pool(
    window_shape: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    padding: Padding | None = None,
    normalize_edges: bool | None = None,
) -> Architecture:
    """Mean over windows."""
    return _layer(
        "avg_pool",
        window_shape=list(window_shape),
        strides=None if strides is None else list(strides),
        padding=padding,
        normalize_edges=normalize_edges,
    )


def sum_pool(window_shape: Sequence[int], *, strides: Sequence[int] | None = None, padding: Padding | None = None) -> Architecture:
    """Sum over windows."""
    return _layer(
        "sum_pool",
        window_shape=list(window_shape),
        strides=None if strides is None else list(strides),
        padding=padding,
    )


def global_avg_pool() -> Architecture:
    """Mean over all positions."""
    return _layer("global_avg_pool")


def global_sum_pool() -> Architecture:
    """Sum over all positions."""
    return _layer("global_sum_pool")


def flatten() -> Architecture:
    """All positions and channels as channels."""
    return _layer("flatten")


def identity() -> Architecture:
    """Let the input through as it is."""
    return _layer("identity")


def layer_norm(axes: Sequence[int | Literal["channel"]] | None = None, *, eps: float | None = None) -> Architecture:
    """Normalize over `axes`, the channels if absent."""
    return _layer("layer_norm", axes=None if axes is None else list(axes), eps=eps)


def dropout(keep_probability: float, *, mode: Literal["train", "test"] | None = None) -> Architecture:
    """Keep an element with a probability, and divide by it."""
    return _layer("dropout", keep_probability=keep_probability, mode=mode)


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
    return _layer(
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


def aggregate(axes: Sequence[int] | None = None) -> Architecture:
    """Sum over the neighbours in a graph, whose adjacency comes with each point (`pattern1`, `pattern2`)."""
    return _layer("aggregate", axes=None if axes is None else list(axes))


def relu() -> Architecture:
    """max(x, 0)."""
    return _layer("relu")


def leaky_relu(alpha: float | None = None) -> Architecture:
    """Let x through for x > 0, else alpha·x."""
    return _layer("leaky_relu", alpha=alpha)


def ab_relu(a: float, b: float) -> Architecture:
    """a·min(x, 0) + b·max(x, 0)."""
    return _layer("ab_relu", a=a, b=b)


def erf(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·erf(b·x) + c."""
    return _layer("erf", a=a, b=b, c=c)


def gelu(*, approximate: bool | None = None) -> Architecture:
    """x·Φ(x)."""
    return _layer("gelu", approximate=approximate)


def sin(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·sin(b·x + c)."""
    return _layer("sin", a=a, b=b, c=c)


def cos(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·cos(b·x + c)."""
    return _layer("cos", a=a, b=b, c=c)


def rbf(gamma: float | None = None) -> Architecture:
    """Random features of the kernel exp(-gamma·|x - x'|²)."""
    return _layer("rbf", gamma=gamma)


def tanh() -> Architecture:
    """tanh(x)."""
    return _layer("tanh")


def sigmoid() -> Architecture:
    """1/(1 + exp(-x))."""
    return _layer("sigmoid")


def softplus() -> Architecture:
    """log(1 + exp(x))."""
    return _layer("softplus")


def swish() -> Architecture:
    """x·sigmoid(x), PyTorch's SiLU."""
    return _layer("swish")


def elu(alpha: float | None = None) -> Architecture:
    """Let x through for x > 0, else alpha·(exp(x) - 1)."""
    return _layer("elu", alpha=alpha)


def selu() -> Architecture:
    """Apply the self-normalizing elu."""
    return _layer("selu")


def mish() -> Architecture:
    """x·tanh(softplus(x))."""
    return _layer("mish")


def polynomial(*coefficients: float) -> Architecture:
    """Σ coefficients[i]·x^i."""
    return _layer("polynomial", coefficients=list(coefficients))


def elementwise(expression: str) -> Architecture:
    """Apply a function of one's own, an expression in x such as ``"x*tanh(log(1+exp(x)))"``."""
    return _layer("elementwise", expression=expression)


def layer(type_: str, /, **fields: Any) -> Architecture:
    """Build any other layer of the server's, by its name and fields, such as ``layer("hermite", degree=3)``."""
    return {"type": type_, **fields}


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
