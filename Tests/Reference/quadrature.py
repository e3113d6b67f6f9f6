"""Duals of activations without a closed form, by quadrature that is fine enough at every scale.

With theta the angle between u and v, a1 and a2 their standard deviations, and k(theta) = E phi(u) phi(v):

    k(theta) = k(0) - a1 a2 * integral over 0..theta of kdot(t) sin t dt        (Price 1958)

k(0) and k(pi) are integrals over a line, done at 45 digits, so that the difference from coinciding (or opposite) points keeps its digits however small
it is; kdot, and at larger angles k itself, is an integral over a plane in extended precision.
Panels of Gauss-Legendre nodes are graded geometrically towards every kink and towards the function's own scale at zero.
"""

from functools import lru_cache

import numpy as np
from mpmath import mp, mpf

import expressions
from expressions import Arbitrary, Dual, Long

LINE_DIGITS = 45
SIGMAS = 13


class Function:
    """phi and phi' for both kinds of numbers."""

    def __init__(self, layer):
        name = layer["type"]
        texts = {
            "tanh": "tanh(x)",
            "sigmoid": "(1+tanh(x/2))/2",
            "mish": None,
            "softplus": None,
            "swish": "x*(1+tanh(x/2))/2",
        }
        alpha, scale = layer.get("alpha", 1), 1
        if name == "selu":
            alpha, scale = 1.6732632423543772, 1.0507009873554805
        self.kinks = []
        if name == "elementwise":
            self.function, self.kinks = expressions.compile(layer["expression"])
        elif name in ("elu", "selu"):
            self.kinks = [mpf(0)]

            def elu(x):
                lib = x.lib
                low = lib.where(x.value < 0, x.value, x.value * 0)
                grown = lib.exp(low)
                minus = -2 * Arbitrary.tanh(low / 2) / (Arbitrary.tanh(low / 2) - 1) if lib is Arbitrary else np.expm1(low)
                return Dual(
                    lib.where(x.value >= 0, scale * x.value, scale * alpha * minus),
                    lib.where(x.value >= 0, scale * x.slope, scale * alpha * grown * x.slope), lib)

            self.function = elu
        elif name in ("softplus", "mish"):

            def softplus(x):
                lib = x.lib
                low = -abs(x.value)
                rest = lib.log(1 + lib.exp(low)) if lib is Arbitrary else np.log1p(np.exp(low))
                gate = lib.where(x.value >= 0, 1 / (1 + lib.exp(low)), lib.exp(low) / (1 + lib.exp(low)))
                return Dual(lib.where(x.value >= 0, x.value, x.value * 0) + rest, gate * x.slope, lib)

            self.function = softplus if name == "softplus" else lambda x: x * softplus(x).apply("tanh")
        else:
            self.function, _ = expressions.compile(texts[name])

    def exact(self, x):
        return self.function(Dual(x, mpf(1), Arbitrary))

    def array(self, x):
        result = self.function(Dual(x, np.ones_like(x), Long))
        return result.value, result.slope


@lru_cache(maxsize=None)
def legendre(count, digits):
    """Nodes and weights on -1..1."""
    nodes = []
    with mp.workdps(digits + 10):
        for i in range(count):
            x = mp.cos(mp.pi * (mpf(i) + mpf(3) / 4) / (count + mpf(1) / 2))
            for _ in range(12):
                p, before = mpf(1), mpf(0)
                for n in range(count):
                    p, before = ((2 * n + 1) * x * p - n * before) / (n + 1), p
                slope = count * (x * p - before) / (x * x - 1)
                x -= p / slope
            nodes.append((x, 2 / ((1 - x * x) * slope * slope)))
    return nodes


def panels(centres, scale, reach, ratio=2):
    """Bounds of panels in -reach..reach whose widths grow from `scale` away from each centre."""
    bounds = {-reach, reach}
    for centre in centres:
        bounds.add(min(max(centre, -reach), reach))
        step = scale
        while step < 2 * reach:
            bounds.update(x for x in (centre - step, centre + step) if -reach < x < reach)
            step = step * ratio if step < 2 else step + 1
    ordered = sorted(bounds)
    kept = [ordered[0]]
    for bound in ordered[1:]:
        if bound - kept[-1] > scale / 1000:
            kept.append(bound)
    kept[-1] = ordered[-1]
    refined = [kept[0]]
    for bound in kept[1:]:
        parts = int(np.ceil(float(bound - refined[-1])))
        start = refined[-1]
        for part in range(1, max(parts, 1) + 1):
            refined.append(start + (bound - start) * part / max(parts, 1))
    return refined


class NumericalDual:
    def __init__(self, layer):
        self.phi = Function(layer)
        self.lines = {}

    def line(self, a1, a2):
        """E phi(a1 z) phi(a2 z) to LINE_DIGITS digits, for standard deviations of any sign."""
        if (a1, a2) not in self.lines:
            def product(z):
                first = self.phi.exact(a1 * z).value
                return first * (first if a1 == a2 else self.phi.exact(a2 * z).value)

            self.lines[a1, a2] = self.moment(product, a1, a2)
        return self.lines[a1, a2]

    def smooth(self, a1, a2, theta, wants_value):
        """The trapezoidal rule, which converges geometrically without kinks; None where two step widths disagree."""
        long = lambda x: np.longdouble(mp.nstr(x, 25))
        cos, sin = long(mp.cos(theta)), long(mp.sin(theta))
        results = []
        for factor in (1, 0.77, 0.4, 0.3, 0.15, 0.11):
            width = factor * min(0.45, 0.19 / float(max(a1, a2)))
            z = np.arange(-int(10 / width), int(10 / width) + 1).astype(np.longdouble) * np.longdouble(width)
            bell = np.exp(-z * z / 2) * np.longdouble(width) / np.sqrt(2 * Long.pi)
            first = self.phi.array(long(a1) * z)[0 if wants_value else 1]
            second = self.phi.array(long(a2) * (cos * z[:, None] + sin * z))[0 if wants_value else 1]
            results.append(np.sum(bell * first * np.sum(bell * second, axis=1)))
            if len(results) % 2 == 0:
                size = max(abs(results[-1]), np.longdouble(1e-3) * np.sum(bell * first * first))
                if abs(results[-2] - results[-1]) <= 1e-17 * size + 1e-300:
                    return mpf(str(results[-1]))
        return None

    def plane(self, a1, a2, theta, wants_value=False):
        """E phi'(u) phi'(v), or with `wants_value` E phi(u) phi(v), at an angle."""
        if not self.phi.kinks and max(a1, a2) < 12:
            result = self.smooth(a1, a2, theta, wants_value)
            if result is not None:
                return result
        cos, sin = mp.cos(theta), mp.sin(theta)
        small, large = (a1, a2) if a1 <= a2 else (a2, a1)
        nodes = [(np.longdouble(mp.nstr(x, 25)), np.longdouble(mp.nstr(w, 25))) for x, w in legendre(20, 30)]
        xs, ws = (np.array(part, np.longdouble) for part in zip(*nodes))

        def grid(bounds):
            bounds = np.array([np.longdouble(mp.nstr(mpf(b), 25)) for b in bounds], np.longdouble)
            middle, half = (bounds[1:] + bounds[:-1]) / 2, (bounds[1:] - bounds[:-1]) / 2
            return (middle[:, None] + half[:, None] * xs).ravel(), (half[:, None] * ws).ravel()

        reach = mpf(SIGMAS - 3)
        width = min(1 / (4 * large), mpf(1)) if large > 0 else mpf(1)
        kinks = [k / large for k in self.phi.kinks] if large > 0 else []
        # v, of the larger variance, is the outer variable; u = small (cos v + sin w) has its kinks on lines. Where they cross a kink of v, the
        # inner integral changes within an angle's width.
        fine = min(width, mpf(1)) * (min(sin, mpf(1)) / 2 if kinks else 1)
        kinks = kinks + [k / (small * cos) for k in self.phi.kinks if small > 0 and cos != 0]
        outer, outer_weights = grid(panels([mpf(0)] + [k for k in kinks if abs(k) < reach], max(fine, mpf(10) ** -16), reach))
        long = lambda x: np.longdouble(mp.nstr(x, 25))
        value, slope = self.phi.array(long(large) * outer)
        scale = width * (large / small if small > 0 else 1)
        step = min(scale / sin if sin > 0 else mpf(1), mpf(1))
        pattern = [mpf(0)]
        while pattern[-1] < 2 * reach:
            pattern.append(pattern[-1] + max(min(pattern[-1], mpf(1)), step))
        pattern = np.array([long(sign * x) for x in pattern for sign in (-1, 1)], np.longdouble)
        even = np.arange(-int(reach), int(reach) + 1).astype(np.longdouble)
        lines = [mpf(0)] + [k / small for k in self.phi.kinks] if small > 0 else [mpf(0)]
        total = np.longdouble(0)
        for start in range(0, len(outer), 64):
            v = outer[start : start + 64]
            centres = [(long(k) - long(cos) * v) / long(sin) for k in lines]
            bounds = np.concatenate([c[:, None] + pattern for c in centres] + [np.tile(even, (len(v), 1))], axis=1)
            bounds = np.sort(np.clip(bounds, -long(reach), long(reach)), axis=1)
            middle, half = (bounds[:, 1:] + bounds[:, :-1]) / 2, (bounds[:, 1:] - bounds[:, :-1]) / 2
            inner = middle[:, :, None] + half[:, :, None] * xs
            weights = half[:, :, None] * ws * np.exp(-inner * inner / 2)
            u_value, u_slope = self.phi.array(long(small) * (long(cos) * v[:, None, None] + long(sin) * inner))
            expected = np.sum(weights * (u_value if wants_value else u_slope), axis=(1, 2))
            part = slice(start, start + 64)
            total += np.sum(outer_weights[part] * np.exp(-v * v / 2) * (value if wants_value else slope)[part] * expected)
        return mpf(str(total / (2 * Long.pi)))

    def __call__(self, q1, q2, q):
        a1, a2 = mp.sqrt(q1), mp.sqrt(q2)
        if q1 == 0 or q2 == 0:
            slopes = [self.slope(a) for a in (a1, a2)]
            values = [self.mean(a) for a in (a1, a2)]
            return values[0] * values[1], slopes[0] * slopes[1]
        det = q1 * q2 - q * q
        sine = mp.sqrt(max(det, mpf(0)) / (q1 * q2))
        theta = mp.atan2(sine, q / mp.sqrt(q1 * q2))
        opposite = theta > mp.pi / 2
        gap = mp.pi - theta if opposite else theta
        if gap < mpf(10) ** -30:
            gap = mpf(0)
        at = (lambda t: mp.pi - t) if opposite else (lambda t: t)
        dot = self.line_slope(a1, -a2 if opposite else a2) if gap == 0 else self.plane(a1, a2, at(gap))
        value = self.line(a1, -a2 if opposite else a2)
        if gap == 0:
            return value, dot
        if gap > mpf(1) / 50:
            return self.plane(a1, a2, at(gap), wants_value=True), dot
        # Where phi is steep kdot falls within an angle of its width.
        bounds, least = [gap], min(1 / (50 * max(a1, a2)), mpf(1) / 50)
        while bounds[-1] > least:
            bounds.append(bounds[-1] / 4)
        bounds.append(mpf(0))
        total = mpf(0)
        for high, low in zip(bounds, bounds[1:]):
            for x, weight in legendre(8, 30):
                t = (high + low + (high - low) * x) / 2
                total += (high - low) / 2 * weight * mp.sin(t) * self.plane(a1, a2, at(t))
        return (value + a1 * a2 * total if opposite else value - a1 * a2 * total), dot

    def line_slope(self, a1, a2):
        key = ("slope", a1, a2)
        if key not in self.lines:
            self.lines[key] = self.moment(lambda z: self.phi.exact(a1 * z).slope * self.phi.exact(a2 * z).slope, a1, a2)
        return self.lines[key]

    def mean(self, a):
        return self.moment(lambda z: self.phi.exact(a * z).value, a, a)

    def slope(self, a):
        return self.moment(lambda z: self.phi.exact(a * z).slope, a, a)

    def moment(self, function, a1, a2):
        with mp.workdps(LINE_DIGITS):
            largest = max(abs(a1), abs(a2), mpf(10) ** -40)
            centres = [mpf(0)] + [k / a for k in self.phi.kinks for a in (a1, a2) if a != 0 and abs(k / a) < SIGMAS + 2]
            bounds = panels(centres, min(1 / (4 * largest), mpf(1)), mpf(SIGMAS + 2))
            total = mpf(0)
            for low, high in zip(bounds, bounds[1:]):
                middle, half = (low + high) / 2, (high - low) / 2
                for x, weight in legendre(24, LINE_DIGITS):
                    z = middle + half * x
                    total += half * weight * mp.exp(-z * z / 2) * function(z)
            return total / mp.sqrt(2 * mp.pi)
