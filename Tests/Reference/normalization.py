"""Layers that divide by what a point has itself, and dropout."""

from mpmath import mp, mpf


def layer_norm(self, layer, value):
    rank = len(value.shape) + 2
    axes = {rank - 1 if axis == "channel" else axis % rank for axis in layer.get("axes", ["channel"])} - {rank - 1}
    sums = {}
    for place in range(value.places):
        if place not in value.masked:
            sums.setdefault(group(value, place, axes), []).append(value.k[place][place])
    scales = []
    for place in range(value.places):
        members = sums.get(group(value, place, axes), [])
        mean = mpf(layer.get("eps", 1e-12)) + (sum(members) / len(members) if members else 0)
        scales.append(1 / mp.sqrt(mean) if mean > 0 else mpf(0))
    return value.like().fill(
        lambda a, b: value.k[a][b] * scales[a] * scales[b], lambda a, b: value.theta[a][b] * scales[a] * scales[b])


def group(value, place, axes):
    point, position = divmod(place, value.positions)
    index = []
    for n in reversed(value.shape):
        position, i = divmod(position, n)
        index.append(i)
    return point, tuple(0 if axis + 1 in axes else i for axis, i in enumerate(reversed(index)))


def dropout(self, layer, value):
    if layer.get("mode", "train") != "train":
        return value
    growth = 1 / mpf(layer["keep_probability"])
    return value.like().fill(
        lambda a, b: value.k[a][b] * (growth if a == b else 1), lambda a, b: value.theta[a][b] * (growth if a == b else 1))
