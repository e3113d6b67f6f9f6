"""Times neural-tangents' empirical NTK, jitted and compiled, in float32: one JSON line for each network and implementation.

usage: empirical_neural_tangents.py [NAME …]: mlp, cnn-full, cnn-trace, trace; all but the slowest implementations if none is named.
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import jax
import neural_tangents_without_tensorflow  # noqa: F401
import neural_tangents as nt
from jax import random
from neural_tangents import stax

IMPLEMENTATIONS = {
    "structured derivatives": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
    "NTK-vector products": nt.NtkImplementation.NTK_VECTOR_PRODUCTS,
    "Jacobian contraction": nt.NtkImplementation.JACOBIAN_CONTRACTION,
}


def dense(widths):
    layers = []
    for width in widths[:-1]:
        layers += [stax.Dense(width, b_std=0.1, parameterization="standard"), stax.Relu()]
    return stax.serial(*layers, stax.Dense(widths[-1], b_std=0.1, parameterization="standard"))


def cnn():
    layers = []
    for _ in range(3):
        layers += [stax.Conv(32, (3, 3), padding="SAME", b_std=0.1, parameterization="standard"), stax.Relu()]
    return stax.serial(*layers, stax.GlobalAvgPool(), stax.Dense(10, b_std=0.1, parameterization="standard"))


NETWORKS = {
    "mlp": (lambda: dense([512, 512, 10]), (128, 784), ()),
    "cnn full": (cnn, (64, 16, 16, 3), ()),
    "cnn trace": (cnn, (64, 16, 16, 3), (-1,)),
    "trace": (lambda: dense([1024, 1024, 1024, 10]), (1000, 784), (-1,)),
}


def measure(name: str, implementation: str, repetitions: int) -> float:
    make, shape, trace_axes = NETWORKS[name]
    init, apply, _ = make()
    x = random.normal(random.PRNGKey(0), shape)
    _, params = init(random.PRNGKey(1), shape)
    kernel = jax.jit(nt.empirical_ntk_fn(
        apply, trace_axes=trace_axes, vmap_axes=0, implementation=IMPLEMENTATIONS[implementation]))
    kernel(x, None, params).block_until_ready()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        kernel(x, None, params).block_until_ready()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        name, implementation, repetitions = argument.split("/")
        seconds = measure(name, implementation, int(repetitions))
        print(json.dumps({"name": name, "implementation": implementation, "seconds": seconds}), flush=True)
