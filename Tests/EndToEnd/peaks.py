"""The memory that requests take, as the system sees it, beside what their estimates say: never more, and of the same order."""
import io
import json
import pathlib
import re
import zipfile

import numpy
import pytest
from running import Server

# Bytes that any request may take unsaid: threads that are started, their stacks, code that is read, what the allocator keeps.
UNSAID = 28 << 20
# Estimates are of the worst case: every thread is at work on pairs of points at the same time, and each has met a pair whose angles squared distances
# tell badly, so that it holds the buffers of both ways to compute one.
MOST_OF_TAKEN = 8


def serial(*layers: dict) -> dict:
    return {"type": "serial", "layers": list(layers)}


def points(*shape: int) -> numpy.ndarray:
    return numpy.random.default_rng(1).standard_normal(shape)


DENSE, LAST, RELU, FLATTEN, POOL = {"type": "dense"}, {"type": "dense", "width": 1}, {"type": "relu"}, {"type": "flatten"}, {"type": "global_avg_pool"}
CONV = {"type": "conv", "filter_shape": [3, 3], "padding": "same"}
WIDE = {"type": "dense", "width": 512}


def kernel(*layers: dict, x1: numpy.ndarray, **fields: object) -> tuple[str, dict]:
    return "/v1/kernels", {"architecture": serial(*layers), "x1": x1, **fields}


def network(*layers: dict) -> dict:
    return {"architecture": serial(*layers), "initialization": {"seed": 1}}


CASES = {
    "vectors": kernel(DENSE, RELU, DENSE, x1=points(1500, 300), kinds=["ntk", "nngp"]),
    "vectors in float32": kernel(DENSE, RELU, DENSE, x1=points(2500, 200), precision="float32"),
    "vectors, deep": kernel({"type": "mlp", "depth": 3000, "b_std": 0.1}, x1=points(300, 2), diagonal=True),
    "vectors, erf": kernel({"type": "mlp", "depth": 200, "activation": "erf"}, x1=points(2000, 2), diagonal=True),
    "images, flattened": kernel(CONV, RELU, CONV, RELU, FLATTEN, DENSE, x1=points(2, 400, 400, 1)),
    "images, pooled": kernel(CONV, RELU, CONV, RELU, POOL, DENSE, x1=points(2, 48, 48, 1)),
    "images, pooled on the way": kernel(CONV, RELU, {"type": "avg_pool", "window_shape": [2, 2], "strides": [2, 2]}, FLATTEN, DENSE, x1=points(2, 40, 40, 1)),
    "sequences, pooled": kernel({"type": "conv", "filter_shape": [5], "padding": "same"}, RELU, POOL, DENSE, x1=points(2, 1500, 1)),
    "filters around a ring": kernel({"type": "conv", "filter_shape": [600], "padding": "circular"}, RELU, POOL, DENSE, x1=points(1, 200, 1)),
    "local filters": kernel({**CONV, "type": "conv_local"}, RELU, FLATTEN, DENSE, x1=points(2, 300, 300, 1)),
    "strides of the input": kernel({"type": "conv_transpose", "filter_shape": [3], "strides": [40]}, RELU, POOL, DENSE, x1=points(1, 40, 1)),
    "attention": kernel(DENSE, {"type": "global_self_attention"}, POOL, DENSE, x1=points(2, 900, 1)),
    "attention with embeddings": kernel(DENSE, {"type": "global_self_attention", "linear_scaling": False, "mechanism": "identity", "positional_embedding": "sum"},
                                        FLATTEN, DENSE, x1=points(2, 700, 1)),
    "resized": kernel({"type": "image_resize", "shape": [-1, 700, 700, -1], "method": "linear"}, CONV, RELU, FLATTEN, DENSE, x1=points(2, 20, 20, 1)),
    "resized on the way": kernel(CONV, RELU, {"type": "image_resize", "shape": [-1, 300, 300, -1], "method": "linear"}, FLATTEN, DENSE, x1=points(1, 36, 36, 1)),
    "pairs resized": kernel(CONV, RELU, {"type": "image_resize", "shape": [-1, 45, 45, -1], "method": "linear"}, POOL, DENSE, x1=points(1, 30, 30, 1)),
    "a constant": kernel(DENSE, {"type": "dot_general", "rhs": numpy.ones((800, 900)).tolist(), "lhs_contracting": [1], "rhs_contracting": [0]}, POOL, DENSE,
                         x1=points(1, 800, 1)),
    "branches": kernel({"type": "fan_out", "count": 6}, {"type": "parallel", "branches": [serial(CONV, RELU, CONV)] * 6}, {"type": "fan_in_sum"}, POOL, DENSE,
                       x1=points(1, 32, 32, 1)),
    "side by side": kernel(CONV, {"type": "fan_out", "count": 2}, {"type": "parallel", "branches": [CONV, CONV]}, {"type": "fan_in_concat", "axis": 1}, RELU, POOL,
                           DENSE, x1=points(1, 24, 24, 1)),
    "graphs": kernel({"type": "aggregate"}, DENSE, RELU, POOL, DENSE, x1=points(2, 600, 1), pattern1=numpy.ones((2, 600, 600))),
    "normalized": kernel(CONV, {"type": "layer_norm", "axes": [1, 2, "channel"]}, RELU, POOL, DENSE, x1=points(2, 40, 40, 1)),
    "outputs": ("/v1/network-outputs", {"network": network(WIDE, RELU, WIDE, RELU, LAST), "x": points(4000, 20)}),
    "outputs of images": ("/v1/network-outputs", {"network": network({**CONV, "width": 16}, RELU, {**CONV, "width": 16}, FLATTEN, LAST), "x": points(64, 64, 64, 1)}),
    "outputs of wide windows": ("/v1/network-outputs", {
        "network": network({"type": "conv", "filter_shape": [31, 31], "padding": "same", "width": 2}, FLATTEN, LAST), "x": points(3, 32, 32, 16)}),
    "weights": ("/v1/network-outputs", {"network": network({"type": "dense", "width": 6000}, {"type": "dense", "width": 1000}), "x": points(2, 20)}),
    "gradients": ("/v1/empirical-kernels", {"network": network(WIDE, RELU, WIDE, RELU, LAST), "x1": points(600, 20)}),
    "gradients of outputs": ("/v1/empirical-kernels", {"network": network(WIDE, RELU, {"type": "dense", "width": 12}), "x1": points(120, 20), "outputs": "full"}),
    "convergence": ("/v1/convergence", {"architecture": serial(DENSE, RELU, DENSE), "x": points(500, 20), "widths": [64, 1024], "samples": 2}),
    "a training": ("/v1/trainings", {"network": network(WIDE, RELU, LAST), "x_train": points(300, 20), "y_train": points(300), "steps": [0, 1, 2]}),
    "predictions": ("/v1/predictions", {"kernel": {"architecture": {"type": "mlp", "depth": 2}}, "x_train": points(1500, 20), "y_train": points(1500), "ridge": 1e-3,
                                        "x_test": points(500, 20), "covariance": "full"}),
    "predictions, selected": ("/v1/predictions", {"kernel": {"architecture": {"type": "mlp", "depth": 2}}, "x_train": points(900, 20), "y_train": points(900),
                                                  "ridge": {"select": "leave_one_out"}, "x_test": points(100, 20)}),
    "predictions of an ensemble": ("/v1/predictions", {"kernel": {"architecture": {"type": "mlp", "depth": 2}}, "x_train": points(900, 20), "y_train": points(900),
                                                       "ridge": 1e-3, "x_test": points(300, 20), "covariance": "full", "posterior": "ensemble"}),
    "classes": ("/v1/predictions", {"kernel": {"architecture": {"type": "mlp", "depth": 1}}, "x_train": points(1200, 4), "labels": list(range(1200)), "ridge": 1,
                                    "x_test": points(10, 4)}),
    "dynamics": ("/v1/dynamics", {"kernel": {"architecture": {"type": "mlp", "depth": 2}}, "x_train": points(1000, 20), "y_train": points(1000), "x_test": points(500, 20),
                                  "times": [1.0] * 2000}),
    "a spectrum": ("/v1/spectra", {"kernel": {"architecture": {"type": "mlp", "depth": 2}}, "x": points(1200, 20), "y": points(1200)}),
}


def archive(body: dict) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr("meta.json", json.dumps({name: value for name, value in body.items() if not isinstance(value, numpy.ndarray)}))
        for name, value in body.items():
            if isinstance(value, numpy.ndarray):
                member = io.BytesIO()
                numpy.save(member, value)
                members.writestr(f"{name}.npy", member.getvalue())
    return file.getvalue()


def resident(server: Server) -> int:
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


@pytest.mark.parametrize(("path", "body"), CASES.values(), ids=CASES)
def test_the_estimate_is_the_peak(tmp_path: pathlib.Path, path: str, body: dict):
    content = archive(body)
    server = Server(tmp_path, "--memory-budget", str(4 << 30))
    try:
        status, answer = server.post(path + "?estimate_only=true", content, "application/x-npz")
        assert status == 200, answer
        peak = answer["estimate"]["peak_bytes"]
        before = resident(server)
        head, answer = server.exchange(
            f"POST {path}?format=npz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-npz\r\nContent-Length: {len(content)}\r\n\r\n".encode(),
            content)
        assert head.startswith(b"HTTP/1.1 200 "), answer[:300]
        # The body is there beside what it becomes, and the answer is copied.
        taken = server.peak() - before
        said = peak + 3 * len(content) + 2 * len(answer) + UNSAID
        print(f"{path}: {taken >> 20} MiB taken, {peak >> 20} MiB estimated")
        assert taken <= 1.1 * said, f"{taken >> 20} MiB taken; {peak >> 20} MiB estimated, body {len(content) >> 20} MiB, answer {len(answer) >> 20} MiB"
        assert peak <= MOST_OF_TAKEN * (taken + UNSAID), f"{taken >> 20} MiB taken; {peak >> 20} MiB estimated"
    finally:
        server.stop()
