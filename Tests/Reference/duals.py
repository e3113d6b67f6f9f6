"""Duals of activations in closed form, in arbitrary precision: E[phi(u) phi(v)] and E[phi'(u) phi'(v)] of a Gaussian pair.

Written from the formulas (Williams 1997; Cho & Saul 2009; Tsuchida et al. 2020; Han et al. 2022, arXiv 2209.04121), with
q1 = E u^2, q2 = E v^2, q = E u v, and not from the server's code. All numbers are mpmath's; at 80 digits a plain q1 q2 - q^2 keeps half of
them where u and v coincide, which is more than a float64 can tell.
"""

from math import factorial

from mpmath import mp, mpf

mp.dps = 80


def number(fields, name, default=None):
    return mpf(fields[name]) if fields.get(name) is not None else mpf(default)


def determinant(q1, q2, q):
    """q1 q2 - q^2, which no rounding makes negative."""
    value = q1 * q2 - q * q
    # What is left of equal or opposite points is rounding, far below any angle that a float64 can hold.
    return value if value > abs(q1 * q2) * mpf(10) ** (15 - mp.dps) else mpf(0)


def angle(q1, q2, q):
    """The angle between two points; a right one where one of them is zero."""
    if q1 == 0 or q2 == 0:
        return mp.pi / 2
    return mp.atan2(mp.sqrt(determinant(q1, q2, q)), q)


def ab_relu(a, b, q1, q2, q):
    difference = (a - b) ** 2 / (2 * mp.pi)
    dot = (a * a + b * b) / 2 - difference * angle(q1, q2, q)
    return difference * mp.sqrt(determinant(q1, q2, q)) + dot * q, dot


def sign(q1, q2, q):
    return (mpf(0) if q1 == 0 or q2 == 0 else 1 - 2 * angle(q1, q2, q) / mp.pi), mpf(0)


def erf(a, b, c, q1, q2, q):
    (q1, q2, q) = (b * b * q1, b * b * q2, b * b * q)
    root = mp.sqrt(1 + 2 * (q1 + q2) + 4 * determinant(q1, q2, q))
    return a * a * 2 / mp.pi * mp.atan2(2 * q, root) + c * c, a * a * b * b * 4 / mp.pi / root


def gelu(q1, q2, q):
    product = (1 + q1) * (1 + q2)
    square = 1 + q1 + q2 + determinant(q1, q2, q)
    root = mp.sqrt(square)
    turn = mp.atan2(q, root)
    value = ((q * q + q1 * q2 * square) / (product * root) + q * turn) / (2 * mp.pi) + q / 4
    dot = (1 / square + (1 - q1 * q2) / product + 1) * q / (2 * mp.pi * root) + mpf(1) / 4 + turn / (2 * mp.pi)
    return value, dot


def sine(a, b, c, q1, q2, q):
    """E sin(b u + c) sin(b v + c) = e^(-b^2 S / 2) (sinh(b^2 q) + e^(-b^2 q) sin^2 c), with S = q1 + q2."""
    half, product = b * b * (q1 + q2) / 2, b * b * q
    # As two exponentials: sinh alone overflows before the bell takes it back.
    low = mp.expm1(2 * product) * mp.exp(-half - product) / 2 if abs(product) < 1 else (mp.exp(product - half) - mp.exp(-product - half)) / 2
    opposite = mp.exp(-product - half)
    value = a * a * (low + opposite * mp.sin(c) ** 2)
    return value, a * a * b * b * (low + opposite * mp.cos(c) ** 2)


def exponential(a, b, q1, q2, q):
    value = a * a * mp.exp(b * b * ((q1 + q2) / 2 + q))
    return value, b * b * value


def exp_normalized(gamma, shift, q1, q2, q):
    if q1 == 0 or q2 == 0:
        return mpf(0), gamma * mp.exp(gamma * shift)
    root = mp.sqrt(q1 * q2)
    factor = mp.exp(gamma * (q / root + shift))
    return root * factor, gamma * factor


def gaussian(a, b, q1, q2, q):
    square = 1 - 2 * b * (q1 + q2) + 4 * b * b * determinant(q1, q2, q)
    if square <= 0 or 1 - 2 * b * q1 <= 0 or 1 - 2 * b * q2 <= 0:
        return mp.inf, mp.inf
    return a * a / mp.sqrt(square), 4 * a * a * b * b * q / square ** mpf(1.5)


def gabor(q1, q2, q):
    total, det = q1 + q2, 4 * determinant(q1, q2, q)
    den = 2 * total + det + 1
    left = mp.exp(-(total + det + 2 * q) / (2 * den))
    right = 2 * q / den
    even, odd = 1 + 2 * total + 4 * (q * q + q1 * q2), 4 * q * (det + 3 * total + 2)
    return left * mp.expm1(right) / (2 * mp.sqrt(den)), left * ((even - odd) + mp.exp(right) * (even + odd)) / (2 * den ** mpf(2.5))


def polynomial(coefficients, q1, q2, q):
    """Sum over l of r_l(q1) r_l(q2) q^l, from the expansion of each power in Hermite polynomials."""

    def part(degree, variance):
        total = mpf(0)
        for n in range(degree, len(coefficients), 2):
            i = (n - degree) // 2
            total += coefficients[n] * factorial(n) / (2**i * factorial(i)) * variance**i
        return total / mp.sqrt(factorial(degree))

    value, dot = mpf(0), mpf(0)
    for degree in range(len(coefficients)):
        both = part(degree, q1) * part(degree, q2)
        value += both * q**degree
        dot += degree * both * (q ** (degree - 1) if degree > 0 else 0)
    return value, dot


def monomial(degree, q1, q2, q):
    return polynomial([mpf(0)] * degree + [mpf(1)], q1, q2, q)


def arc_cosine(n, q1, q2, q):
    """E u^n v^n over u, v > 0 (Cho & Saul 2009): |u|^n |v|^n J_n(theta) / (2 pi)."""
    theta = angle(q1, q2, q)
    if n == 0:
        return (mp.pi - theta) / (2 * mp.pi)
    if q1 == 0 or q2 == 0:
        return mpf(0)
    cos, sin = mp.cos(theta), mp.sin(theta)
    before, last = mp.pi - theta, sin + (mp.pi - theta) * cos
    for k in range(1, n):
        before, last = last, (2 * k + 1) * cos * last + k * k * sin * sin * before
    return mp.sqrt(q1 * q2) ** n * last / (2 * mp.pi)


def rectified_monomial(n, q1, q2, q):
    return arc_cosine(n, q1, q2, q), n * n * arc_cosine(n - 1, q1, q2, q) if n > 0 else mpf(0)


def closed(layer):
    """The dual (q1, q2, q) -> (kappa, kappa dot) of an activation as the server names it; None if it has no closed form."""
    name = layer["type"]
    a, b, c = (lambda d: number(layer, "a", d)), (lambda d: number(layer, "b", d)), (lambda d: number(layer, "c", d))
    simple = {
        "relu": lambda: (ab_relu, mpf(0), mpf(1)),
        "leaky_relu": lambda: (ab_relu, number(layer, "alpha", 0.01), mpf(1)),
        "ab_relu": lambda: (ab_relu, a(0), b(0)),
        "abs": lambda: (ab_relu, mpf(-1), mpf(1)),
        "sign": lambda: (sign,),
        "erf": lambda: (erf, a(1), b(1), c(0)),
        "sigmoid_like": lambda: (erf, mpf(0.5), 1 / mpf("2.4020563531719796"), mpf(0.5)),
        "gelu": lambda: (gelu,),
        "sin": lambda: (sine, a(1), b(1), c(0)),
        "cos": lambda: (sine, a(1), b(1), c(0) + mp.pi / 2),
        "rbf": lambda: (sine, mp.sqrt(2), mp.sqrt(2 * number(layer, "gamma", 1)), mp.pi / 4),
        "exp": lambda: (exponential, a(1), b(1)),
        "exp_normalized": lambda: (exp_normalized, number(layer, "gamma", 1), number(layer, "shift", -1)),
        "gaussian": lambda: (gaussian, a(1), b(-1)),
        "gabor": lambda: (gabor,),
        # The normalized Hermite polynomial, of whose kernel the power is the definition.
        "hermite": lambda: (hermite, layer["degree"]),
        "monomial": lambda: (monomial, layer["degree"]),
        "rectified_monomial": lambda: (rectified_monomial, layer["degree"]),
        "polynomial": lambda: (polynomial, [mpf(value) for value in layer["coefficients"]]),
    }
    if name not in simple:
        return None
    function, *parameters = simple[name]()
    return lambda q1, q2, q: function(*parameters, q1, q2, q)


def hermite(degree, q1, q2, q):
    return q**degree, degree * q ** (degree - 1) if degree > 0 else mpf(0)
