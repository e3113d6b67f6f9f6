"""Kernels of infinitely wide networks from the formulas, in arbitrary precision, for any order of layers.

Everything is held at once: K and Theta between all positions of all points, as functions of two places (point, position). A layer is then
one formula, and no case needs another: a point with itself, two points, and two positions of one point are all pairs of places.
"""

import copy
from math import prod

from mpmath import mp, mpf

import duals
import geometry
import quadrature


class Refused(Exception):
    """A request that the formulas give no value for."""


class TooLarge(Refused):
    """A value beyond what a float64 holds."""


class Value:
    """One value of the network: K and Theta [place][place], symmetric, and which places are masked."""

    def __init__(self, shape, points, width):
        self.shape, self.points, self.width = list(shape), points, width
        self.k = self.theta = None
        self.masked = set()

    @property
    def positions(self):
        return prod(self.shape)

    @property
    def places(self):
        return self.points * self.positions

    def like(self, shape=None, width=...):
        value = Value(self.shape if shape is None else shape, self.points, self.width if width is ... else width)
        if shape is None:
            value.masked = set(self.masked)
        return value

    def fill(self, k, theta):
        """Sets K and Theta by functions of two places, with K = Theta = 0 where one is masked."""
        n = self.places
        self.k, self.theta = [[mpf(0)] * n for _ in range(n)], [[mpf(0)] * n for _ in range(n)]
        for a in range(n):
            if a in self.masked:
                continue
            for b in range(a, n):
                if b not in self.masked:
                    self.k[a][b] = self.k[b][a] = k(a, b)
                    self.theta[a][b] = self.theta[b][a] = theta(a, b)
        return self


class Network:
    """`ambiguous` is set where the limit is not one value, such as the slope of relu at zero points."""

    # Beyond this no value is followed any further.
    most = mpf(10) ** 330

    def __init__(self, architecture, points, patterns=None):
        self.ambiguous = False
        self.patterns = patterns
        self.activations = {}
        self.layers = 0
        # The largest number that any layer's values hold, and the smallest variance but zero.
        self.largest, self.smallest = mpf(0), mpf(1)
        self.output = self.apply(architecture, self.input(points))

    def kernels(self):
        value = self.output
        if isinstance(value, list) or value.shape:
            raise Refused("an output without spatial axes")
        return value.k, value.theta

    # Input.

    def input(self, points):
        shape, first = [], points[0]
        while isinstance(first, list):
            shape.append(len(first))
            first = first[0]
        *spatial, channels = shape
        value = Value(spatial, len(points), channels)

        def rows(array, depth):
            return [array] if depth == 0 else [row for part in array for row in rows(part, depth - 1)]

        places = [row for point in points for row in rows(point, len(spatial))]
        value.masked = {i for i, row in enumerate(places) if all(x is None for x in row)}
        exact = [[mpf(0) if x is None else mpf(x) for x in row] for row in places]
        return value.fill(
            lambda a, b: sum((x * y for x, y in zip(exact[a], exact[b])), mpf(0)) / channels, lambda a, b: mpf(0))

    # The tree.

    def apply(self, layer, flow):
        kind = layer["type"]
        if kind == "serial":
            for child in layer["layers"]:
                flow = self.apply(child, flow)
            return flow
        if kind == "residual":
            return self.fan_in_sum(layer, [self.apply({"type": "serial", "layers": layer["layers"]}, flow), flow])
        if kind == "repeat":
            for _ in range(layer["count"]):
                flow = self.apply(layer["layer"], flow)
            return flow
        if kind == "fan_out":
            return [flow] * layer["count"]
        if kind == "parallel":
            return [self.apply(child, part) for child, part in zip(layer["branches"], flow)]
        if kind == "mlp":
            activation = layer.get("activation", "relu")
            activation = {"type": activation} if isinstance(activation, str) else activation
            dense = {key: layer[key] for key in ("w_std", "b_std", "width", "parameterization", "trainable") if key in layer}
            readout = dense | ({"w_std": layer["last_w_std"]} if "last_w_std" in layer else {})
            readout = {key: entry for key, entry in readout.items() if key != "width"}
            for _ in range(layer["depth"]):
                flow = self.apply(activation, self.dense(dense, flow))
            return self.dense(readout, flow)
        self.layers += 1
        method = getattr(self, kind, None)
        result = method(layer, flow) if method else self.activation(layer, flow)
        self.largest = max([self.largest, *(abs(part[i][i]) for part in (result.k, result.theta) for i in range(result.places))])
        self.smallest = min([self.smallest, *(q for i in range(result.places) if (q := result.k[i][i]) > 0)])
        if self.largest > self.most:
            raise TooLarge(kind)
        return result

    def identity(self, layer, value):
        return value

    # Layers with weights.

    def affine(self, layer, value, taps):
        weight = mpf(layer.get("w_std", 1)) ** 2
        bias_std = layer.get("b_std")
        bias = mpf(bias_std if bias_std is not None else 0) ** 2
        out = value.like(width=layer.get("width"))
        if not layer.get("trainable", True):
            own = lambda k: mpf(0)
        elif layer.get("parameterization", "ntk") == "ntk":
            own = lambda k: weight * k + bias
        else:
            fan_in, constant = value.width * taps, (0 if bias_std is None else 1)
            own = lambda k: fan_in * k + constant
        return out.fill(lambda a, b: weight * value.k[a][b] + bias, lambda a, b: weight * value.theta[a][b] + own(value.k[a][b]))

    def dense(self, layer, value):
        return self.affine(layer, value, 1)

    def conv(self, layer, value, transposed=False):
        shape, taps, centres = geometry.windows(
            value.shape, layer["filter_shape"], layer.get("strides"), layer.get("padding", "valid"), transposed)
        out = value.like(shape)
        before, after = value.positions, out.positions
        out.masked = {
            i * after + p for i in range(value.points) for p in range(after)
            if centres[p] is not None and i * before + centres[p] in value.masked}
        size = prod(layer["filter_shape"])

        def mean(matrix):
            def entry(a, b):
                (i, p), (j, r) = divmod(a, after), divmod(b, after)
                rows = zip(taps[p], taps[r])
                return sum((matrix[i * before + x][j * before + y] for x, y in rows if x is not None and y is not None), mpf(0)) / size
            return entry

        return self.affine(layer, out.fill(mean(value.k), mean(value.theta)), size)

    def conv_transpose(self, layer, value):
        return self.conv(layer, value, transposed=True)

    def conv_local(self, layer, value):
        """Weights of their own at every position: positions become independent."""
        shared = self.conv(layer, value)
        size = shared.positions
        return shared.like().fill(
            lambda a, b: shared.k[a][b] if a % size == b % size else mpf(0),
            lambda a, b: shared.theta[a][b] if a % size == b % size else mpf(0))

    def activation(self, layer, value):
        key = repr(sorted(layer.items()))
        if key not in self.activations:
            self.activations[key] = {"dual": duals.closed(layer) or quadrature.NumericalDual(layer), "known": {}}
        dual, known = self.activations[key]["dual"], self.activations[key]["known"]

        def pair(a, b):
            q1, q2, q = value.k[a][a], value.k[b][b], value.k[a][b]
            if q1 == 0 or q2 == 0:
                # Whether a point that is exactly zero stands left, right or on a kink is not for the limit to say.
                if layer["type"] in ("rectified_monomial", "elementwise", "elu", "selu") or value.theta[a][b] != 0:
                    self.ambiguous = True
            if q1 > q2:
                q1, q2 = q2, q1
            if (q1, q2, q) not in known:
                known[q1, q2, q] = dual(q1, q2, q)
                if not all(mp.isfinite(part) for part in known[q1, q2, q]):
                    raise Refused("a dual that is not finite")
            return known[q1, q2, q]

        return value.like().fill(lambda a, b: pair(a, b)[0], lambda a, b: pair(a, b)[1] * value.theta[a][b])

    # Branches.

    def fan_in_sum(self, layer, values):
        out = self.joined(values)
        return out.fill(lambda a, b: sum(v.k[a][b] for v in values), lambda a, b: sum(v.theta[a][b] for v in values))

    @staticmethod
    def joined(values):
        out = values[0].like(width=next((v.width for v in values if v.width is not None), None))
        out.masked = set.intersection(*(v.masked for v in values))
        return out

    def fan_in_prod(self, layer, values):
        def product(a, b):
            result = mpf(1)
            for v in values:
                result *= v.k[a][b]
                # The first factors' product may leave the range of numbers where that of all does not.
                self.largest = max(self.largest, abs(result))
            return result

        def tangent(a, b):
            return sum(v.theta[a][b] * prod((w.k[a][b] for w in values if w is not v), start=mpf(1)) for v in branches)

        # The same value may come by two branches.
        branches = values = [copy.copy(v) for v in values]
        return self.joined(values).fill(product, tangent)

    def fan_in_concat(self, layer, values):
        rank = len(values[0].shape) + 2
        axis = layer.get("axis", "channel")
        axis = rank - 1 if axis == "channel" else axis % rank
        if axis == rank - 1:
            widths = [v.width if v.width is not None else 1 for v in values]
            out = self.joined(values)
            out.width = sum(widths) if values[0].width is not None else None
            mean = lambda part: lambda a, b: sum(w * getattr(v, part)[a][b] for v, w in zip(values, widths)) / mpf(sum(widths))
            return out.fill(mean("k"), mean("theta"))
        shape = list(values[0].shape)
        shape[axis - 1] = sum(v.shape[axis - 1] for v in values)
        out = values[0].like(shape)
        origins = []
        for point in range(out.points):
            for index in geometry.indices(shape):
                index, branch = list(index), 0
                while index[axis - 1] >= values[branch].shape[axis - 1]:
                    index[axis - 1] -= values[branch].shape[axis - 1]
                    branch += 1
                origins.append((branch, point * values[branch].positions + geometry.flat(index, values[branch].shape)))
        out.masked = {place for place, (branch, source) in enumerate(origins) if source in values[branch].masked}

        def pick(part):
            def entry(a, b):
                (i, x), (j, y) = origins[a], origins[b]
                return getattr(values[i], part)[x][y] if i == j else mpf(0)
            return entry

        return out.fill(pick("k"), pick("theta"))

    # Positions: in positions.py; normalization: in normalization.py.


import normalization  # noqa: E402
import positions  # noqa: E402

for _name in ("layer_norm", "dropout"):
    setattr(Network, _name, getattr(normalization, _name))

for _name in ("flatten", "global_avg_pool", "global_sum_pool", "avg_pool", "sum_pool", "image_resize", "index", "dot_general", "aggregate",
              "global_self_attention"):
    setattr(Network, _name, getattr(positions, _name))
