#!/usr/bin/env python3
"""Times kernels of several architectures beside neural-tangents on the same inputs, in turns, and writes the table into RESULTS.md.

    Benchmarks/peers/setup && swift build -c release
    Benchmarks/peers/.venv/bin/python Benchmarks/architectures.py --server .build/release/ntk-server

Ours is the `compute` step of the server's own times; neural-tangents' is its jitted call, compiled before, until the result is a numpy array.
Entries differ in number, as one of its pooled entries takes seconds: figures are milliseconds an entry. Limits: the matrix product of the
inputs for vectors; for convolutions, elements × layers at 1 ns an element and core, and the matrix products of attention.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import neural_tangents_without_tensorflow  # noqa: E402,F401
import jax  # noqa: E402
import numpy as np  # noqa: E402

from compare import write_between  # noqa: E402
from subjects import ntk_server  # noqa: E402

RELU = {"type": "relu"}
CONV = {"type": "conv", "filter_shape": [3, 3], "padding": "same", "w_std": 2 ** 0.5, "b_std": 0.1}
DENSE = {"type": "dense"}
GAP = {"type": "global_avg_pool"}


def serial(*layers):
    return {"type": "serial", "layers": list(layers)}


RESIDUAL = {"type": "residual", "layers": [RELU, CONV, RELU, CONV]}
ATTENTION = {"type": "global_self_attention", "heads": 4}
# Name, architecture, shape of a point, precision, points a side for us and for the peer, elements of a pair.
CASES = [
    ("mlp, depth 3, n = 2000, d = 784", {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 2 ** 0.5, "b_std": 0.1}, (784,), "float64", 2000, 2000),
    ("mlp, depth 3, n = 2000, d = 784", {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 2 ** 0.5, "b_std": 0.1}, (784,), "float32", 2000, 2000),
    ("21 convolutions, 32 × 32, pooled", serial(*[CONV, RELU] * 21, GAP, DENSE), (32, 32, 3), "float32", 8, 1),
    ("21 convolutions, 32 × 32, flattened", serial(*[CONV, RELU] * 21, {"type": "flatten"}, DENSE), (32, 32, 3), "float32", 128, 32),
    ("residual, 9 convolutions, 16 × 16, pooled", serial(CONV, *[RESIDUAL] * 4, RELU, GAP, DENSE), (16, 16, 3), "float32", 16, 4),
    ("convolutions and attention, 16 × 16, pooled", serial(CONV, RELU, CONV, RELU, ATTENTION, RELU, CONV, RELU, ATTENTION, GAP, DENSE), (16, 16, 3), "float32", 16, 4),
]


def ours(address, architecture, x, precision):
    request = {"architecture": architecture, "x1": x.tolist(), "precision": precision}
    if x.ndim > 2:
        request["x2"] = (x + 0.01).tolist()
    body = json.dumps(request).encode()
    request = urllib.request.Request(address + "/v1/kernels", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        timing = answer.headers["Server-Timing"]
        kernel = np.array(json.loads(answer.read())["ntk"])
    return float(timing.split("compute;dur=")[1].split(",")[0]), kernel


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = ["| kernel | precision | ours, ms an entry | neural-tangents | ratio | limit, two cores | ours / limit |", "|---|---|---:|---:|---:|---:|---:|"]
    with ntk_server(options.server) as server:
        for name, architecture, shape, precision, count, peer_count in CASES:
            jax.config.update("jax_enable_x64", precision == "float64")
            from stax_from_architecture import build
            kernel_fn = jax.jit(build(architecture)[2], static_argnums=2)
            x = rng.standard_normal((count, *shape))
            peer_x = x[:peer_count].astype(precision)
            # Vectors among themselves, as for training; images against others, so that every entry is computed.
            other = (x + 0.01)[:peer_count].astype(precision) if x.ndim > 2 else None
            peer = np.asarray(kernel_fn(peer_x, other, "ntk"))
            own_times, peer_times = [], []
            vectors = len(shape) == 1
            if vectors:
                # Memory is new to the server the first time, and was to the peer.
                ours(server.address, architecture, x, precision)
            for _ in range(options.repetitions * (5 if vectors else 1)):
                milliseconds, kernel = ours(server.address, architecture, x, precision)
                own_times.append(milliseconds / count ** 2)
                start = time.perf_counter()
                np.asarray(kernel_fn(peer_x, other, "ntk"))
                peer_times.append((time.perf_counter() - start) * 1e3 / peer_count ** 2)
            difference = np.abs(kernel[:peer_count, :peer_count] - peer).max() / np.abs(peer).max()
            if vectors:
                a = b = x.astype(precision)
                a @ b.T
                start = time.perf_counter()
                a @ b.T
                limit = (time.perf_counter() - start) * 1e3 / count ** 2
            else:
                positions = shape[0] * shape[1]
                pairs = positions if "flattened" in name else positions ** 2
                layers = json.dumps(architecture).count('"conv"') if "21" not in name else 21
                limit = pairs * layers * 1e-6 / os.cpu_count()
                # An attention before others takes A K Bᵀ and A Θ Bᵀ; one that is averaged, vectors only.
                a = np.ones((positions, positions), precision)
                start = time.perf_counter()
                for _ in range(20):
                    a @ a
                product = (time.perf_counter() - start) * 1e3 / 20
                limit += 4 * product * max(json.dumps(architecture).count("self_attention") - 1, 0)
            own, theirs = statistics.median(own_times), statistics.median(peer_times)
            rows.append(f"| {name} | {precision} | {own:.3g} | {theirs:.3g} | {theirs / own:.1f} × | {limit:.3g} | {own / limit:.2f} |")
            print(rows[-1], f"largest difference {difference:.1e}", flush=True)
    if options.results:
        write_between(options.results, "architectures", "\n".join(rows))


if __name__ == "__main__":
    main()
