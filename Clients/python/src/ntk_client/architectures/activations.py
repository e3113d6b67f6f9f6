"""Activations."""

from __future__ import annotations

from ._base import Architecture, make


def relu() -> Architecture:
    """max(x, 0)."""
    return make("relu")


def leaky_relu(alpha: float | None = None) -> Architecture:
    """Let x through for x > 0, else alpha·x."""
    return make("leaky_relu", alpha=alpha)


def ab_relu(a: float, b: float) -> Architecture:
    """a·min(x, 0) + b·max(x, 0)."""
    return make("ab_relu", a=a, b=b)


def abs() -> Architecture:  # noqa: A001
    """|x|."""
    return make("abs")


def sign() -> Architecture:
    """-1, 0 or 1; its derivative is 0."""
    return make("sign")


def erf(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·erf(b·x) + c."""
    return make("erf", a=a, b=b, c=c)


def sigmoid_like() -> Architecture:
    """½·erf(x/2.402) + ½, close to the logistic sigmoid, with a kernel in closed form."""
    return make("sigmoid_like")


def gelu(*, approximate: bool | None = None) -> Architecture:
    """x·Φ(x)."""
    return make("gelu", approximate=approximate)


def sin(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·sin(b·x + c)."""
    return make("sin", a=a, b=b, c=c)


def cos(a: float | None = None, b: float | None = None, c: float | None = None) -> Architecture:
    """a·cos(b·x + c)."""
    return make("cos", a=a, b=b, c=c)


def rbf(gamma: float | None = None) -> Architecture:
    """Random features of the kernel exp(-gamma·|x - x'|²)."""
    return make("rbf", gamma=gamma)


def exp(a: float | None = None, b: float | None = None) -> Architecture:
    """a·exp(b·x)."""
    return make("exp", a=a, b=b)


def exp_normalized(gamma: float | None = None, shift: float | None = None) -> Architecture:
    """Take the kernel √(K11·K22)·exp(gamma·(cosine + shift)), which belongs to no activation."""
    return make("exp_normalized", gamma=gamma, shift=shift)


def gaussian(a: float | None = None, b: float | None = None) -> Architecture:
    """a·exp(b·x²); b is -1 if absent."""
    return make("gaussian", a=a, b=b)


def gabor() -> Architecture:
    """exp(-x²)·sin(x)."""
    return make("gabor")


def hermite(degree: int) -> Architecture:
    """Take the normalized Hermite polynomial; its input must have unit variance, as after `layer_norm`."""
    return make("hermite", degree=degree)


def monomial(degree: int) -> Architecture:
    """x^degree."""
    return make("monomial", degree=degree)


def rectified_monomial(degree: int) -> Architecture:
    """max(x, 0)^degree."""
    return make("rectified_monomial", degree=degree)


def tanh() -> Architecture:
    """tanh(x)."""
    return make("tanh")


def sigmoid() -> Architecture:
    """1/(1 + exp(-x))."""
    return make("sigmoid")


def softplus() -> Architecture:
    """log(1 + exp(x))."""
    return make("softplus")


def swish() -> Architecture:
    """x·sigmoid(x), PyTorch's SiLU."""
    return make("swish")


def elu(alpha: float | None = None) -> Architecture:
    """Let x through for x > 0, else alpha·(exp(x) - 1)."""
    return make("elu", alpha=alpha)


def selu() -> Architecture:
    """Apply the self-normalizing elu."""
    return make("selu")


def mish() -> Architecture:
    """x·tanh(softplus(x))."""
    return make("mish")


def hard_swish() -> Architecture:
    """x·min(max(x/6 + ½, 0), 1)."""
    return make("hard_swish")


def polynomial(*coefficients: float) -> Architecture:
    """Σ coefficients[i]·x^i."""
    return make("polynomial", coefficients=list(coefficients))


def elementwise(expression: str) -> Architecture:
    """Apply a function of one's own, an expression in x such as ``"x*tanh(log(1+exp(x)))"``."""
    return make("elementwise", expression=expression)
