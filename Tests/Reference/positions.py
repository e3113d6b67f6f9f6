"""Layers that combine positions: each a linear map of a point's positions, but for attention, whose map comes from the point itself."""

from math import prod

from mpmath import mp, mpf

import geometry


def transform(value, shape, rows, masked):
    """x <- A x: K <- A K A^T, with `rows(point)` the rows of A as [(position, weight)], `masked(point, output)` what it masks."""
    out = value.like(shape)
    before, after = value.positions, out.positions
    tables = [[[(point * before + p, weight) for p, weight in row if weight != 0] for row in rows(point)] for point in range(value.points)]
    out.masked = {i * after + p for i in range(value.points) for p in range(after) if masked(i, p)}

    def apply(matrix):
        half = [[sum((w * line[q] for q, w in row), mpf(0)) for table in tables for row in table] for line in matrix]
        flat = [row for table in tables for row in table]
        return [[sum((w * half[q][b] for q, w in row), mpf(0)) for b in range(len(flat))] for row in flat]

    k, theta = apply(value.k), apply(value.theta)
    return out.fill(lambda a, b: k[a][b], lambda a, b: theta[a][b])


def unmasked(value, point):
    base = point * value.positions
    return [p for p in range(value.positions) if base + p not in value.masked]


def flatten(self, layer, value):
    """All positions and channels as channels: the mean over positions of each with its own."""
    out = value.like([], width=None if value.width is None else value.width * value.positions)
    size = value.positions
    out.masked = {i for i in range(value.points) if not unmasked(value, i)}
    mean = lambda matrix: lambda a, b: sum((matrix[a * size + p][b * size + p] for p in range(size)), mpf(0)) / size
    return out.fill(mean(value.k), mean(value.theta))


def pool_globally(value, average):
    def rows(point):
        kept = unmasked(value, point)
        return [[(p, mpf(1) / len(kept) if average else mpf(1)) for p in kept]]

    return transform(value, [], rows, lambda i, p: not unmasked(value, i))


def global_avg_pool(self, layer, value):
    return pool_globally(value, True)


def global_sum_pool(self, layer, value):
    return pool_globally(value, False)


def pool(layer, value, average):
    shape, taps, centres = geometry.windows(value.shape, layer["window_shape"], layer.get("strides"), layer.get("padding", "valid"))
    rows = []
    for tap in taps:
        inside = [p for p in tap if p is not None]
        count = len(inside) if layer.get("normalize_edges") else prod(layer["window_shape"])
        weights = {}
        for p in inside:
            # Around a ring a wide window meets a position twice.
            weights[p] = weights.get(p, 0) + (mpf(1) / count if average else mpf(1))
        rows.append(list(weights.items()))
    return transform(
        value, shape, lambda point: rows,
        lambda i, p: centres[p] is not None and i * value.positions + centres[p] in value.masked)


def avg_pool(self, layer, value):
    return pool(layer, value, True)


def sum_pool(self, layer, value):
    return pool(layer | {"normalize_edges": False}, value, False)


def fixed(value, shape, rows):
    """A constant map; an output is masked if all positions that it sees are."""
    return transform(
        value, shape, lambda point: rows,
        lambda i, p: bool(rows[p]) and all(i * value.positions + q in value.masked for q, _ in rows[p]))


def image_resize(self, layer, value):
    shape = [old if new == -1 else new for old, new in zip(value.shape, layer["shape"][1:-1])]
    axes = [geometry.resize_axis(old, new, layer["method"], layer.get("antialias", True)) for old, new in zip(value.shape, shape)]
    rows = [[(p, mpf(w.numerator) / w.denominator) for p, w in row] for row in geometry.product_of_axes(axes, value.shape)]
    return fixed(value, shape, rows)


def index(self, layer, value):
    axes, shape = [], []
    for axis, size in enumerate(value.shape):
        choice = layer["idx"][axis + 1] if axis + 1 < len(layer["idx"]) else None
        if isinstance(choice, int):
            axes.append([choice % size])
            continue
        choice = choice or {}
        axes.append(list(range(size))[slice(choice.get("start"), choice.get("stop"), choice.get("step"))])
        shape.append(len(axes[-1]))
    rows = geometry.product_of_axes([[[(p, 1)] for p in axis] for axis in axes], value.shape)
    return fixed(value, shape, [[(p, mpf(1)) for p, _ in row] for row in rows])


def dot_general(self, layer, value):
    """A constant against spatial axes: paired axes stay where they are, free axes of the constant come after the spatial ones."""
    side = "rhs" if "rhs" in layer else "lhs"
    mine, its = ("lhs", "rhs") if side == "rhs" else ("rhs", "lhs")
    contracted = list(zip(layer.get(mine + "_contracting", []), layer.get(its + "_contracting", [])))
    paired = list(zip(layer.get(mine + "_batch", []), layer.get(its + "_batch", [])))
    constant, extents = layer[side], []
    while isinstance(constant, list):
        extents.append(len(constant))
        constant = constant[0]
    summed = [axis for axis, _ in contracted]
    kept = [axis for axis in range(1, len(value.shape) + 1) if axis not in summed]
    free = [axis for axis in range(len(extents)) if axis not in [b for _, b in contracted + paired]]
    shape = [value.shape[axis - 1] for axis in kept] + [extents[axis] for axis in free]
    rows = []
    for output in geometry.indices(shape):
        place = dict(zip(kept, output))
        element = dict(zip(free, output[len(kept):])) | {b: place[a] for a, b in paired}
        row = []
        for inner in geometry.indices([value.shape[axis - 1] for axis in summed]):
            place |= dict(zip(summed, inner))
            element |= {b: place[a] for a, b in contracted}
            weight = layer[side]
            for axis in range(len(extents)):
                weight = weight[element[axis]]
            if weight != 0:
                row.append((geometry.flat([place[axis] for axis in range(1, len(value.shape) + 1)], value.shape), mpf(weight)))
        rows.append(row)
    return fixed(value, shape, rows)


def aggregate(self, layer, value):
    """x <- A^T x over the graph's axes, with each point's own adjacency A; no output is masked."""
    axes = [axis % (len(value.shape) + 2) - 1 for axis in layer.get("axes") or range(1, len(value.shape) + 1)]
    nodes = [value.shape[axis] for axis in axes]

    def rows(point):
        result = []
        for target in geometry.indices(value.shape):
            row = []
            for node in geometry.indices(nodes):
                source = list(target)
                for axis, i in zip(axes, node):
                    source[axis] = i
                weight = self.patterns[point][geometry.flat(node, nodes)][geometry.flat([target[axis] for axis in axes], nodes)]
                row.append((geometry.flat(source, value.shape), mpf(weight)))
            result.append(row)
        return result

    return transform(value, value.shape, rows, lambda i, p: False)


def global_self_attention(self, layer, value):
    """Hron et al. 2020 (arXiv 2006.10540), in the limit of many heads; masked positions take no part, nor do their embeddings."""
    std = lambda name: mpf(layer.get(name, 1))
    scores_std, values_std = std("w_key_std") * std("w_query_std"), (std("w_out_std") * std("w_value_std")) ** 2
    bias = mpf(layer.get("b_std") or 0) ** 2
    trained = 1 if layer.get("trainable", True) else 0
    kind, size, places = layer.get("positional_embedding", "none"), value.positions, value.places
    embeds_values = layer.get("value_positional_embedding", False)
    own, extra = mpf(1), mpf(0)
    if kind == "sum":
        extra = std("w_positional_std") ** 2
    elif kind == "concat":
        channels = mpf(value.width)
        added = mpf(layer.get("positional_width") or value.width)
        own, extra = channels / (channels + added), std("w_positional_std") ** 2 * added / (channels + added)
    grid = list(geometry.indices(value.shape))

    def embedding(p, r):
        if layer.get("positional_decay") is None:
            return mpf(1 if p == r else 0)
        norm = mpf(layer.get("positional_p_norm", 2))
        distance = sum((mpf(abs(x - y)) ** norm if x != y else mpf(0) for x, y in zip(grid[p], grid[r])), mpf(0))
        return mp.exp(-mpf(layer["positional_decay"]) * distance)

    table = [[embedding(p, r) for r in range(size)] for p in range(size)] if extra != 0 else None

    def embedded(matrix, embedding):
        def entry(a, b):
            if a in value.masked or b in value.masked:
                return mpf(0)
            return own * matrix[a][b] + (embedding * table[a % size][b % size] if table else 0)
        return [[entry(a, b) for b in range(places)] for a in range(places)]

    # Embeddings that are not trained have no part in Theta.
    near_k, near_theta = embedded(value.k, extra), embedded(value.theta, trained * extra)
    out = value.like(width=layer.get("width"))
    if layer.get("linear_scaling", True):
        mechanism = layer.get("mechanism", "softmax")

        def weights(point):
            keys = unmasked(value, point)
            rows = []
            for p in range(size):
                scores = {r: scores_std * near_k[point * size + p][point * size + r] for r in keys}
                if mechanism == "softmax":
                    top = max(scores.values(), default=mpf(0))
                    scores = {r: mp.exp(score - top) for r, score in scores.items()}
                    total = sum(scores.values(), mpf(0))
                    scores = {r: score / total for r, score in scores.items()}
                elif mechanism != "identity":
                    scores = {r: abs(s) if mechanism == "abs" else max(s, mpf(0)) for r, s in scores.items()}
                rows.append(list(scores.items()))
            return rows

        source = value.like()
        source.k, source.theta = (near_k, near_theta) if embeds_values else (value.k, value.theta)
        mixed = transform(source, value.shape, weights, lambda i, p: i * size + p in value.masked)
        return out.fill(
            lambda a, b: values_std * mixed.k[a][b] + bias,
            lambda a, b: values_std * mixed.theta[a][b] + trained * (bias + 2 * values_std * mixed.k[a][b]))
    plain = kind == "none" or embeds_values
    other_k, other_theta = (near_k, near_theta) if plain else (value.k, value.theta)

    def block(first, second, i, j):
        return sum((first[i * size + p][j * size + r] * second[i * size + p][j * size + r] for p in range(size) for r in range(size)), mpf(0))

    overlap, tangent = {}, {}
    for i in range(value.points):
        for j in range(i, value.points):
            overlap[i, j] = block(near_k, other_k, i, j)
            tangent[i, j] = block(near_k, other_theta, i, j) + block(other_k, near_theta, i, j)
    scale = values_std * scores_std**2
    points = lambda a, b: (a // size, b // size)
    return out.fill(
        lambda a, b: scale * overlap[points(a, b)] * near_k[a][b] + bias,
        lambda a, b: scale * (tangent[points(a, b)] * near_k[a][b] + overlap[points(a, b)] * (near_theta[a][b] + trained * 4 * near_k[a][b]))
        + trained * bias)
