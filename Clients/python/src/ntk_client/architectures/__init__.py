"""Architectures as the server reads them, in the names of neural-tangents' ``stax``.

Every function returns a plain ``dict`` that is sent as it is::

    serial(dense(512), relu(), dense(1))

Widths matter to finite networks only (and to the "standard" parameterization); an infinitely wide network needs none.
"""

from ._base import Architecture, Layer, Padding, Parameterization, layer
from .activations import (
    ab_relu,
    cos,
    elementwise,
    elu,
    erf,
    gelu,
    leaky_relu,
    mish,
    polynomial,
    rbf,
    relu,
    selu,
    sigmoid,
    sin,
    softplus,
    swish,
    tanh,
)
from .composition import fan_in_concat, fan_in_prod, fan_in_sum, fan_out, parallel, repeat, residual, serial, with_defaults
from .positions import aggregate, avg_pool, dropout, flatten, global_avg_pool, global_sum_pool, identity, layer_norm, sum_pool
from .weights import conv, conv_local, conv_transpose, dense, global_self_attention, mlp

__all__ = [
    "Architecture",
    "Layer",
    "Padding",
    "Parameterization",
    "ab_relu",
    "aggregate",
    "avg_pool",
    "conv",
    "conv_local",
    "conv_transpose",
    "cos",
    "dense",
    "dropout",
    "elementwise",
    "elu",
    "erf",
    "fan_in_concat",
    "fan_in_prod",
    "fan_in_sum",
    "fan_out",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_self_attention",
    "global_sum_pool",
    "identity",
    "layer",
    "layer_norm",
    "leaky_relu",
    "mish",
    "mlp",
    "parallel",
    "polynomial",
    "rbf",
    "relu",
    "repeat",
    "residual",
    "selu",
    "serial",
    "sigmoid",
    "sin",
    "softplus",
    "sum_pool",
    "swish",
    "tanh",
    "with_defaults",
]
