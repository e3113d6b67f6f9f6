"""Writes Tests/NTKServiceTests/Golden/positions.json: requests for networks with positions, and their right values."""

import itertools
import json
import pathlib

from mpmath import mpf

from network import Network

TARGET = pathlib.Path(__file__).resolve().parents[1] / "NTKServiceTests/Golden/positions.json"


def serial(*layers):
    return {"type": "serial", "layers": [{"type": layer} if isinstance(layer, str) else layer for layer in layers]}


def conv(size, **fields):
    return {"type": "conv", "filter_shape": [size], "padding": "same"} | fields


DENSE = {"type": "dense"}
ATTENTION = {"type": "global_self_attention", "heads": 2, "b_std": 0.2}
BIASED = {"type": "dense", "w_std": 1.4, "b_std": 0.2}
IMAGE = [[0.126, -0.132], [0.64, 0.105], [-0.536, 0.362], [1.304, 0.947], [-0.704, -1.265]]
OTHER = [[0.346, 0.822], [0.33, -1.303], [0.905, 0.446], [-0.537, 0.581], [0.365, 0.294]]
LINE = [[[0.3], [-1.2], [0.7], [2.1]], [[1.1], [0.4], [-0.9], [0.2]]]
SPARSE = [[[0.0], [0.0], [1.3], [0.0], [0.0], [-0.7]], [[0.9], [0.0], [0.0], [0.0], [0.4], [0.0]]]


def scaled(image, factor):
    return [[x * factor for x in position] for position in image]


def near(image, distance):
    return [[x + (1 if (i + j) % 2 else -0.7) * distance for j, x in enumerate(position)] for i, position in enumerate(image)]


def cases():
    """(name, body, tolerance)."""
    points = [[[1.0], [2.0], [3.0]], [[0.5], [1.0], [-1.0]]]
    mlp = lambda *layers: serial(conv(1, w_std=1.1, b_std=0.3), *layers)
    product = [{"type": "fan_out", "count": 2}, {"type": "parallel", "branches": [conv(1, w_std=1.1), conv(1, b_std=0.3)]}, "fan_in_prod"]
    block = [
        {"type": "residual", "layers": [{"type": "layer_norm"}, ATTENTION]},
        {"type": "residual", "layers": [{"type": "layer_norm"}, BIASED, {"type": "gelu"}, BIASED]}]
    normed = {
        "attention": mlp(ATTENTION, "layer_norm", "global_avg_pool", DENSE), "attention, flattened": mlp(ATTENTION, "layer_norm", "flatten"),
        "a product": mlp(*product, conv(1, b_std=0.3), "layer_norm", "flatten", DENSE), "a transformer": mlp(*block, "layer_norm", "global_avg_pool", DENSE),
        "a pool": mlp({"type": "avg_pool", "window_shape": [2]}, "layer_norm", "flatten", DENSE),
        "a pool and a convolution": mlp({"type": "avg_pool", "window_shape": [2]}, conv(2), "layer_norm", "global_sum_pool", DENSE),
        "resizing": mlp({"type": "image_resize", "shape": [-1, 5, -1], "method": "linear"}, "layer_norm", "flatten", DENSE),
        "a constant": mlp({"type": "dot_general", "rhs": [[1, 2], [0, -1], [0.5, 0.3]], "lhs_contracting": [1], "rhs_contracting": [0]}, DENSE,
                          "layer_norm", "flatten")}
    for name, architecture in normed.items():
        yield f"layer_norm behind {name}", {"architecture": architecture, "x1": points}, 1e-13
    graph = {"pattern1": [[[1, 1, 0], [1, 1, 1], [0, 1, 1]], [[1, 0, 1], [0, 1, 1], [1, 1, 1]]]}
    yield "layer_norm behind aggregation", {"architecture": serial("aggregate", BIASED, "layer_norm", "global_avg_pool", DENSE), "x1": points} | graph, 1e-13

    masked = [[[0.13, -0.13], [None, None], [-0.54, 0.36], [1.3, 0.95]], [[None, None], [-0.62, 0.04], [-2.33, -0.22], [None, None]]]
    for kind in ("sum", "concat"):
        for linear in (True, False):
            attention = {"type": "global_self_attention", "linear_scaling": linear, "mechanism": "identity", "positional_embedding": kind,
                         "value_positional_embedding": True}
            yield f"masked embeddings, {kind}, linear {linear}", {
                "architecture": serial(conv(1, b_std=0.3, width=4), attention, "relu", "global_avg_pool", DENSE), "x1": masked}, 1e-13

    plain = serial(conv(3, w_std=1.4), "relu", conv(3, w_std=1.4), "relu", "global_avg_pool", DENSE)
    for factor in (1e-6, 1e-20, 1e-150, 1e9, 1e150):
        yield f"images of unequal scale, {factor}", {"architecture": plain, "x1": [IMAGE], "x2": [scaled(OTHER, factor)]}, 1e-13
    yield "images of unequal scale, float32", {"architecture": plain, "x1": [IMAGE], "x2": [scaled(OTHER, 1e-6)], "precision": "float32"}, 1e-6
    for name, activation in (("sign", "sign"), ("erf", "erf"), ("rectified", {"type": "rectified_monomial", "degree": 1})):
        yield f"small images before {name}", {
            "architecture": serial(conv(3), activation, conv(3), activation, "flatten", DENSE), "x1": [scaled(IMAGE, 1e-100), scaled(OTHER, 1e-100)]}, 1e-13
    for size in (1, 3):
        for end in ("global_avg_pool", "flatten"):
            architecture = serial(conv(size, w_std=1.4), "relu", conv(size, w_std=1.4), "relu", end, DENSE)
            yield f"positions on a line, {size}, {end}", {"architecture": architecture, "x1": LINE}, 1e-13
            yield f"sparse positions, {size}, {end}", {"architecture": architecture, "x1": SPARSE}, 1e-13
            yield f"sparse positions, float32, {size}, {end}", {"architecture": architecture, "x1": SPARSE, "precision": "float32"}, 1e-6
    for activation in ("relu", "abs", "sign", "erf", "sin", {"type": "leaky_relu", "alpha": 0.1}):
        # Of a sign behind a sign each takes the root of the distance's rounding again.
        for distance in (1e-5, 0) if activation == "sign" else (1e-5, 1e-9, 1e-14, 0):
            architecture = serial(conv(3, b_std=0.1), activation, conv(2, b_std=0.2), activation, "flatten", DENSE, activation, DENSE)
            yield f"images {distance} apart behind {activation}", {"architecture": architecture, "x1": [IMAGE, near(IMAGE, distance)]}, 1e-13


def frozen_attention(linear):
    return {"type": "global_self_attention", "linear_scaling": linear, "mechanism": "identity", "positional_embedding": "sum",
            "value_positional_embedding": True, "trainable": False}


def later_cases():
    points = [[[1.0], [2.0], [3.0]], [[0.5], [1.0], [-1.0]]]
    for linear in (True, False):
        yield f"frozen attention with embedded values, linear {linear}", {
            "architecture": serial(conv(1, w_std=1.1, b_std=0.3), frozen_attention(linear), "global_avg_pool", DENSE), "x1": points}, 1e-13
    # Scores of positions of very different length.
    uneven = [[1.2e37], [2.0e10], [-1.8e22], [2.0e6], [-5.7e29], [0.5], [2.3e28], [-4.9e4]]
    for mechanism in ("softmax", "identity", "relu"):
        attention = {"type": "global_self_attention", "mechanism": mechanism, "w_query_std": 0.66}
        scaled_down = [[x / 1e37 for x in position] for position in uneven]
        yield f"{mechanism} of uneven positions", {
            "architecture": serial(attention, "flatten"), "x1": [uneven if mechanism == "softmax" else scaled_down]}, 1e-13
    # Polynomials and what follows them where one point is far beyond the other.
    polynomial = {"type": "polynomial", "coefficients": [0.788, 0.483, 0.401]}
    biased = {"type": "dense", "b_std": 1}
    for last in ("sigmoid_like", "erf", "sign", "gelu"):
        yield f"{last} behind a polynomial, unequal scales", {
            "architecture": serial(biased, polynomial, DENSE, last, DENSE), "x1": [[1e6], [-1e36], [1e70], [3e36], [1e-60]]}, 1e-13
    # What is left of a sum whose terms cancel, with its estimate.
    for precision, tolerance in (("float64", 1e-13), ("float32", 1e-6)):
        yield f"a sum that cancels, {precision}", {
            "architecture": serial(DENSE, "global_avg_pool", {"type": "dense", "w_std": 1.4142135623730951, "b_std": 0.0783}),
            "x1": [[[1662966.8915070982], [-1662966.8915070982]], [[-589124.9707848246], [0.0]]], "precision": precision}, tolerance


def joined(*branches):
    return [{"type": "fan_out", "count": len(branches)}, {"type": "parallel", "branches": [serial(*branch) for branch in branches]}, "fan_in_prod"]


def scale_cases():
    """Powers of variances that leave the range of numbers before a layer to which no variance is too small or too large."""
    scaleless = {"sign": "sign", "layer_norm": {"type": "layer_norm", "eps": 0}}
    vectors = [[1.0, 0.3], [0.4, -0.9], [1.0, 0.3000000001]]
    images = [[[1.0], [0.4], [-0.7]], [[0.3], [0.2], [1.1]]]
    cubic = {"type": "global_self_attention", "linear_scaling": False, "mechanism": "identity", "w_out_std": 0.7}
    for precision, tolerance in (("float64", 1e-13), ("float32", 1e-6)):
        for factor in (1e-150, 1e-90, 1e120):
            for last, layer in scaleless.items():
                label = f"{last} at {factor}, {precision}"
                for power in ("monomial", "hermite", "rectified_monomial"):
                    yield f"{power} before {label}", {
                        "architecture": serial(DENSE, {"type": power, "degree": 3}, DENSE, layer, BIASED),
                        "x1": scaled(vectors, factor) + scaled(vectors[1:2], factor / 1e7), "precision": precision}, tolerance
                yield f"a product before {label}", {
                    "architecture": serial(*joined([DENSE, "relu"], [DENSE], [DENSE]), DENSE, layer, BIASED), "x1": scaled(vectors, factor),
                    "precision": precision}, tolerance
                yield f"attention before {label}", {
                    "architecture": serial(conv(1), cubic, conv(2, w_std=1.2), layer, "global_avg_pool", BIASED),
                    "x1": [scaled(images[0], factor), scaled(images[1], factor * 3)], "precision": precision}, tolerance


def gap_cases():
    """Gaps of which twice the digits of a float64 leave none, before what makes them large."""
    biased = {"type": "dense", "b_std": 0.88}
    for first in ("gelu", "relu", "erf", {"type": "polynomial", "coefficients": [0.3, 0.7, 0.2]}):
        name = first if isinstance(first, str) else first["type"]
        for last in ("erf", "sin", "sign"):
            yield f"{last} behind {name} of large norms", {
                "architecture": serial(biased, first, DENSE, {"type": "dense", "w_std": 0.005, "b_std": 0.19}, last, DENSE),
                "x1": [[8.6e18], [1.36e16], [3.1e18], [1.0e12], [3.0000000001e18], [-2e15]]}, 1e-13
    wave = {"type": "cos", "b": 0.484}
    points = [[-132040.8597636929, 132040.8597636929, 0.0], [-132040.8597636931, 132040.85976369324, 0.0], [-132040.8597636929, 132040.9, 0.0]]
    yield "a wave of a product with a wave", {
        "architecture": serial(*joined([DENSE], [DENSE, wave]), DENSE, {"type": "cos", "b": 2.297, "c": -1.963}, DENSE), "x1": points}, 1e-13
    # The angles between positions have an absolute error, which such activations make larger: with its estimate.
    line = [[[0.0, -5.495515886722234e18], [2.0926012277299182e18, 1.5308303515850279e19]],
            [[0.0, -1.6486547660166702e18], [6.277803683189755e17, 4.5924910547550833e18]]]
    for last in ("erf", "sin", "sign"):
        yield f"{last} of long positions on a line", {
            "architecture": serial({"type": "dense", "b_std": 0.976}, DENSE, last, DENSE, last, "global_avg_pool"), "x1": line}, 1e-13
    opposite = [[[[4611.679671890498], [-4611.679671890498]]], [[[4611.679671892947], [-4611.6796718938385]]]]
    yield "a wave behind a pool that cancels", {
        "architecture": serial({"type": "dense", "b_std": 0.866}, {"type": "avg_pool", "window_shape": [1, 2]}, {"type": "cos", "b": 1.515}, "flatten"),
        "x1": opposite}, 1e-13
    # A point of which nothing is left behind its graph.
    yield "a graph that leaves nothing", {
        "architecture": serial(DENSE, "aggregate", {"type": "dense", "w_std": 0.19, "trainable": False}, "abs", "flatten", DENSE),
        "x1": [[[-8.156469916729037e-12, -7.660508209337477e-12], [None, None]], [[None, None], [6.352335494859215e-12, 1.967143929455572e-12]]],
        "pattern1": [[[0, 0], [0, 1]], [[1, 1], [1, 0]]]}, 1e-13


def main():
    records = []
    # What leaves the range of numbers may come back.
    Network.most = mpf(10) ** 5000
    for name, body, tolerance in itertools.chain(cases(), later_cases(), scale_cases(), gap_cases()):
        body["kinds"] = ["ntk", "nngp"]
        points = body["x1"] + body.get("x2", [])
        patterns = body["pattern1"] + body.get("pattern2", []) if "pattern1" in body else None
        network = Network(body["architecture"], points, patterns)
        offset = len(body["x1"]) if "x2" in body else 0
        expected, diagonals = {}, {}
        for kind, matrix in zip(("nngp", "ntk"), network.kernels()):
            expected[kind] = [[float(x) for x in row[offset:]] for row in matrix[: len(body["x1"])]]
            diagonals[kind] = [float(matrix[i][i]) for i in range(len(points))]
        records.append({"name": name, "body": body, "expected": expected, "diagonals": diagonals, "tolerance": tolerance})
    TARGET.write_text("[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]\n")


if __name__ == "__main__":
    main()
