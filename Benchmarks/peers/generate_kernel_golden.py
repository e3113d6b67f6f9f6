"""Writes architectures.json: neural-tangents 0.6.5 in float64 on architectures that kernels.json has not: masks, graphs, three dimensions,
transposed and circular windows, every kind of attention, fan-ins along positions, selections.

    .venv/bin/python generate_kernel_golden.py ../../Tests/NTKServiceTests/Golden/architectures.json
"""
import json
import sys

import neural_tangents_without_tensorflow  # noqa: F401
import jax

jax.config.update("jax_enable_x64", True)

import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402
from stax_from_architecture import build  # noqa: E402

RELU = {"type": "relu"}
GAP = {"type": "global_avg_pool"}
rng = np.random.default_rng(7)


def serial(*layers):
    return {"type": "serial", "layers": list(layers)}


def conv(f=(3, 3), kind="conv", **k):
    return {"type": kind, "filter_shape": list(f), "b_std": 0.2, **k}


def dense(**k):
    return {"type": "dense", **k}


def branches(*parts):
    return [{"type": "fan_out", "count": len(parts)}, {"type": "parallel", "branches": list(parts)}]


def attention(**k):
    return {"type": "global_self_attention", "heads": 2, **k}


IMAGE, VOLUME, SEQUENCE = (5, 4, 2), (3, 4, 3, 2), (6, 3)
CASES = [(f"conv_transpose {p} {f} {s}", serial(conv(f, "conv_transpose", strides=s, padding=p), RELU, conv((2, 2), padding="same"), GAP, dense()), IMAGE)
         for p in ("valid", "same", "circular") for f, s in (([3, 3], [2, 2]), ([2, 3], [3, 1]), ([4, 2], [2, 2]))]
CASES += [
    ("volume gap", serial(conv((2, 3, 2), padding="same"), RELU, conv((3, 2, 2), padding="circular"), {"type": "erf"}, GAP, dense()), VOLUME),
    ("volume flatten", serial(conv((2, 3, 2), padding="same"), RELU, conv((2, 2, 2)), RELU, {"type": "flatten"}, dense()), VOLUME),
    ("even circular", serial(conv((4, 2), padding="circular"), RELU, conv((2, 4), padding="circular", strides=[2, 1]), RELU, GAP, dense()), IMAGE),
    ("long window", serial(conv((5, 4), padding="same"), RELU, conv((5, 1), padding="same"), RELU, GAP, dense()), IMAGE),
    ("two pools", serial(conv(padding="same"), RELU, {"type": "avg_pool", "window_shape": [2, 2], "padding": "circular"}, conv(padding="same"), RELU,
                         {"type": "avg_pool", "window_shape": [2, 2], "strides": [2, 2], "padding": "same"}, conv((2, 2)), {"type": "gelu"}, {"type": "flatten"}, dense()), IMAGE),
    ("conv local then conv", serial(conv(kind="conv_local", padding="same"), RELU, conv(padding="same"), RELU, GAP, dense()), IMAGE),
    ("conv local flatten", serial(conv(kind="conv_local"), RELU, {"type": "flatten"}, dense(b_std=0.3)), IMAGE),
    ("dropout conv", serial(conv(padding="same"), RELU, {"type": "dropout", "keep_probability": 0.8}, conv(padding="same"), RELU, GAP, dense()), IMAGE),
    ("dropout flatten", serial(conv(padding="same"), RELU, {"type": "dropout", "keep_probability": 0.6}, {"type": "flatten"}, dense(), RELU, dense()), IMAGE),
    ("layer norm channel", serial(conv(padding="same"), {"type": "layer_norm"}, RELU, conv(padding="same"), {"type": "layer_norm", "axes": [2, "channel"], "eps": 0.1}, {"type": "erf"}, GAP, dense()), IMAGE),
    # After an odd number of convolutions neural-tangents resizes the wrong axes.
    ("resize linear", serial(conv(padding="same"), RELU, conv(padding="same"), RELU, {"type": "image_resize", "shape": [-1, 3, 7, -1], "method": "linear"}, GAP, dense()), IMAGE),
    ("resize linear plain", serial(conv(padding="same"), RELU, {"type": "image_resize", "shape": [-1, 3, 3, -1], "method": "linear", "antialias": False}, {"type": "flatten"}, dense()), IMAGE),
    ("product of convs", serial(conv(padding="same"), *branches(serial(RELU, conv(padding="same")), serial({"type": "gelu"}, conv((1, 1)))), {"type": "fan_in_prod"}, GAP, dense()), IMAGE),
    ("concat channels", serial(conv(padding="same"), *branches(serial(RELU, conv(padding="same", width=5)), serial({"type": "erf"}, conv((1, 1), width=15))), {"type": "fan_in_concat", "axis": -1}, conv(padding="same"), RELU, GAP, dense()), IMAGE),
    ("concat rows", serial(conv(padding="same"), *branches(serial(RELU, conv(padding="same")), serial({"type": "erf"}, conv((2, 1)))), {"type": "fan_in_concat", "axis": 1}, RELU, conv(padding="same"), RELU, GAP, dense()), IMAGE),
    ("concat columns", serial(conv(padding="same"), *branches(serial(RELU, conv(padding="same")), conv((1, 2))), {"type": "fan_in_concat", "axis": 2}, RELU, {"type": "flatten"}, dense()), IMAGE),
    ("standard conv", serial(conv(padding="same", parameterization="standard", width=12), RELU, conv((2, 2), parameterization="standard", width=20, b_std=None), RELU, GAP, dense(parameterization="standard", width=4)), IMAGE),
    ("sum pools", serial(conv(padding="same"), RELU, {"type": "sum_pool", "window_shape": [2, 3], "padding": "same"}, {"type": "global_sum_pool"}, dense()), IMAGE),
    ("flatten first", serial({"type": "flatten"}, dense(b_std=0.1), RELU, dense()), IMAGE),
    ("dense on positions", serial(dense(b_std=0.1), RELU, dense(), {"type": "gelu"}, GAP, dense()), IMAGE),
]
for k in ({}, {"mechanism": "identity"}, {"mechanism": "abs"}, {"mechanism": "relu"}, {"positional_embedding": "sum", "w_positional_std": 0.6},
          {"positional_embedding": "sum", "value_positional_embedding": True}, {"linear_scaling": False, "mechanism": "identity", "b_std": 0.3},
          {"linear_scaling": False, "mechanism": "identity", "positional_embedding": "sum"},
          {"linear_scaling": False, "mechanism": "identity", "positional_embedding": "sum", "value_positional_embedding": True}):
    CASES.append((f"attention {k}", serial(conv((3,), padding="same"), RELU, dense(), attention(w_key_std=1.1, w_value_std=0.8, **k), RELU, conv((2,)), RELU, GAP, dense()), SEQUENCE))
    CASES.append((f"attention last {k}", serial(conv((3,), padding="same"), RELU, dense(), attention(**k), {"type": "flatten"}, dense()), SEQUENCE))
MASKED = [
    ("masked gap", serial(conv(padding="same"), RELU, conv(padding="same"), RELU, GAP, dense(b_std=0.1)), IMAGE),
    ("masked flatten", serial(conv(padding="same"), RELU, conv(padding="same", strides=[2, 2]), RELU, {"type": "flatten"}, dense()), IMAGE),
    ("masked pool", serial(conv(padding="same"), RELU, {"type": "avg_pool", "window_shape": [2, 2]}, conv(padding="same"), {"type": "erf"}, GAP, dense()), IMAGE),
    ("masked attention", serial(conv((3,), padding="same"), RELU, attention(), GAP, dense()), SEQUENCE),
]


def graphs(count, nodes):
    upper = np.triu(rng.random((count, nodes, nodes)) < 0.4, 1)
    return (upper | upper.transpose(0, 2, 1) | np.eye(nodes, dtype=bool)).astype(float) + np.triu(np.ones((nodes, nodes)), 2) * 0.25


def record(name, architecture, kernel_fn, x1, x2, masks=False, patterns=None):
    def call(x2, p):
        extra = {"mask_constant": np.nan} if masks else {}
        if p is not None:
            extra["pattern"] = p
        k = kernel_fn(x1, x2, ("nngp", "ntk"), **extra)
        return {"nngp": np.asarray(k.nngp).tolist(), "ntk": np.asarray(k.ntk).tolist()}

    def plain(x):
        return np.where(np.isnan(x), None, x).tolist()

    case = {"name": name, "architecture": architecture, "x1": plain(x1), "x2": plain(x2),
            "cross": call(x2, patterns), "same": call(None, patterns and (patterns[0], patterns[0]))}
    if patterns:
        case["pattern1"], case["pattern2"] = (p.tolist() for p in patterns)
    return case


if __name__ == "__main__":
    out = []
    for name, architecture, shape in CASES + MASKED:
        x1, x2 = rng.standard_normal((3, *shape)), rng.standard_normal((2, *shape))
        masks = (name, architecture, shape) in MASKED
        if masks:
            for x in (x1, x2):
                x[rng.random(x.shape[:-1]) < 0.2] = np.nan
        out.append(record(name, architecture, build(architecture)[2], x1, x2, masks))
    aggregate = serial({"type": "aggregate"}, dense(w_std=1.4), RELU, {"type": "aggregate"}, dense(b_std=0.2), RELU, {"type": "global_sum_pool"}, dense())
    kernel_fn = stax.serial(stax.Aggregate(aggregate_axis=1), stax.Dense(8, W_std=1.4), stax.Relu(), stax.Aggregate(aggregate_axis=1),
                            stax.Dense(8, b_std=0.2), stax.Relu(), stax.GlobalSumPool(), stax.Dense(1))[2]
    out.append(record("graph", aggregate, kernel_fn, rng.standard_normal((3, 5, 2)), rng.standard_normal((2, 5, 2)), patterns=(graphs(3, 5), graphs(2, 5))))
    with open(sys.argv[1], "w") as file:
        json.dump({"source": "neural-tangents 0.6.5, float64", "cases": out}, file)
    print(len(out), "cases")
