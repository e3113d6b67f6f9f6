"""Writes duals.json: E[phi(u) phi(v)] and E[phi'(u) phi'(v)] by two-dimensional quadrature with mpmath, 20 digits.

A pair is given by the variances q1, q2 and the gap h of its correlation to the nearer pole: c = 1 - h, or -(1 - h) where far is true.
"""
import json
from mpmath import mp, mpf, quad, exp, log, sqrt, tanh, erf, pi, cos, asin, factorial

mp.dps = 20


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def step(x):
    return mpf(1) if x > 0 else mpf(0) if x < 0 else mpf(1) / 2


def power(n):
    return (lambda x: x ** n if x > 0 else (mpf(1) / 2 if n == 0 and x == 0 else mpf(0)),
            lambda x: mpf(0) if n == 0 else (n * x ** (n - 1) if x > 0 else (mpf(1) / 2 if n == 1 and x == 0 else mpf(0))))


def softplus(x):
    return log(1 + exp(x))


def mish(x):
    return x * tanh(softplus(x))


def mish_slope(x):
    t = tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


FUNCTIONS = {
    "tanh": (tanh, lambda x: 1 - tanh(x) ** 2),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "softplus": (softplus, sigmoid),
    "swish": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x)),
    "mish": (mish, mish_slope),
    "elu": (lambda x: x if x > 0 else exp(x) - 1, lambda x: mpf(1) if x > 0 else exp(x)),
    "gelu": (lambda x: x * (1 + erf(x / sqrt(mpf(2)))) / 2, lambda x: (1 + erf(x / sqrt(mpf(2)))) / 2 + x * density(x)),
    "polynomial": (lambda x: mpf("1.3") - mpf("1.2") * x ** 2 - mpf("0.5") * x ** 3, lambda x: -mpf("2.4") * x - mpf("1.5") * x ** 2),
    **{f"rectified_monomial {n}": power(n) for n in range(5)},
}
PAIRS = [
    ("0.7", "1.3", "0.5", False), ("1", "1", "1e-6", False), ("2.5", "0.1", "0.4", True), ("1", "1", "0", False), ("1", "2", "0", True),
    ("4", "9", "0.7", False), ("0.7", "1.3", "1e-3", True), ("0", "1", "1", False),
]
# Slow ones at fewer pairs.
FEWER = {"swish": (0, 2, 5), "mish": (0, 2), "gelu": (0, 2, 6), "elu": (0, 1, 2, 5)}


def rectified(n, q1, q2, h, far):
    """E[u_+^n v_+^n] in polar coordinates, the radius integrated out."""
    if q1 * q2 == 0:
        return mpf(1) / 4 if n == 0 else mpf(0)
    angle = pi - 2 * asin(sqrt(h / 2)) if far else 2 * asin(sqrt(h / 2))
    around = quad(lambda a: (cos(a) * cos(a - angle)) ** n, [angle - pi / 2, angle / 2, pi / 2])
    return sqrt(q1 * q2) ** n * mpf(2) ** n * factorial(n) / (2 * pi) * around


def dual(f, q1, q2, h, far):
    c = -(1 - h) if far else 1 - h
    s = sqrt(h * (2 - h))
    a, b = sqrt(q1), sqrt(q2)
    edges = sorted({-mpf(12), -mpf(3), -mpf(1), mpf(0), mpf(1), mpf(3), mpf(12)} | ({-8 * s, 8 * s} if 0 < s < mpf("0.1") else set()))
    if s == 0:
        return quad(lambda x: density(x) * f(a * x) * f(b * c * x), edges)

    def inner(x):
        split = -c * x / s
        points = sorted({-mpf(12), mpf(-3), mpf(0), mpf(3), mpf(12)} | ({split} if abs(split) < 12 else set()))
        return quad(lambda y: density(y) * f(b * (c * x + s * y)), points, maxdegree=6)

    return quad(lambda x: density(x) * f(a * x) * inner(x), edges, maxdegree=6)


if __name__ == "__main__":
    cases = []
    for name, (f, slope) in FUNCTIONS.items():
        degree = int(name.split()[1]) if name.startswith("rectified") else None
        for q1, q2, h, far in [PAIRS[k] for k in FEWER.get(name, range(len(PAIRS)))]:
            numbers = [mpf(q1), mpf(q2), mpf(h)]
            if degree is None:
                kappa, dot, own1, own2 = (dual(f, *numbers, far), dual(slope, *numbers, far), dual(f, numbers[0], numbers[0], mpf(0), False),
                                          dual(f, numbers[1], numbers[1], mpf(0), False))
            else:
                kappa, own1, own2 = (rectified(degree, *numbers, far), rectified(degree, numbers[0], numbers[0], mpf(0), False),
                                     rectified(degree, numbers[1], numbers[1], mpf(0), False))
                dot = degree ** 2 * rectified(degree - 1, *numbers, far) if degree else mpf(0)
            cases.append({"activation": name, "q1": float(q1), "q2": float(q2), "gap": float(h), "far": far, "kappa": float(kappa),
                          "kappa_dot": float(dot), "own1": float(own1), "own2": float(own2)})
            print(cases[-1], flush=True)
    with open("duals.json", "w") as file:
        json.dump({"source": "mpmath, 20 digits", "cases": cases}, file, indent=0)
