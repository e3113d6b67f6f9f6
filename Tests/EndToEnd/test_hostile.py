"""Small bodies with absurd numbers: each is answered in a moment, with what is wrong or right, and nothing that it describes is ever made."""
import io
import json
import threading
import zipfile

import numpy
import pytest
from running import Server

K, NETWORKS, OUTPUTS, CONVERGENCE = "/v1/kernels", "/v1/networks", "/v1/network-outputs", "/v1/convergence"


def serial(*layers: dict) -> dict:
    return {"type": "serial", "layers": list(layers)}


def kernel(*layers: dict, x: list) -> dict:
    return {"architecture": serial(*layers), "x1": x}


def image(side: int) -> list:
    return [[[[float((7 * row + 3 * column) % 5)] for column in range(side)] for row in range(side)]]


def network(*layers: dict, **fields: object) -> dict:
    return {"architecture": serial(*layers), "initialization": {"seed": 1}, **fields}


def repeat(layer: dict, count: int = 10_000) -> dict:
    return {"type": "repeat", "count": count, "layer": layer}


DENSE, RELU, FLATTEN, IDENTITY = {"type": "dense"}, {"type": "relu"}, {"type": "flatten"}, {"type": "identity"}
WIDE = {"type": "dense", "width": 1 << 40}
POOL = {"type": "global_avg_pool"}
ONE = [[[[[1.0]]]]]  # A point of three axes of one position.
FOUR = [[[[[[1.0]]]]]]
EMPTY = {"type": "dot_general", "rhs": [[]], "lhs_contracting": [1], "rhs_contracting": [0]}
RESIZED = {"type": "image_resize", "method": "linear"}
LARGE_FILTER = {"type": "conv", "filter_shape": [1 << 20] * 4, "padding": "same"}
LARGE_STRIDES = {"type": "conv_transpose", "filter_shape": [1] * 4, "strides": [1 << 20] * 4}
NODES = [[float(i)] for i in range(1 << 12)]

# Name, path, body, statuses that are right.
CASES = [
    ("filters of 2^80 positions, where one is", K, kernel(LARGE_FILTER, FLATTEN, DENSE, x=FOUR), [200]),
    ("the same in the standard parameterization", K,
     kernel({**LARGE_FILTER, "parameterization": "standard"}, FLATTEN, DENSE, x=FOUR), [200]),
    ("2^80 output positions", K, kernel(LARGE_STRIDES, FLATTEN, DENSE, x=FOUR), [422]),
    ("a network of 2^80 positions", NETWORKS, network({**LARGE_STRIDES, "width": 1}, input_shape=[1, 1, 1, 1, 1]), [422]),
    ("a network of filters of 2^80", NETWORKS, network({**LARGE_FILTER, "width": 1}, input_shape=[1, 1, 1, 1, 1]), [422]),
    ("outputs at 2^80 positions", OUTPUTS, {"network": network({**LARGE_STRIDES, "width": 1}), "x": FOUR}, [422]),
    ("widths and 2^80 positions", CONVERGENCE, {"architecture": serial(LARGE_STRIDES, FLATTEN, DENSE), "x": FOUR, "widths": [1]}, [422]),
    ("the infinite limit on a long axis", CONVERGENCE,
     {"architecture": serial({**RESIZED, "shape": [-1, (1 << 16) + 1, -1]}, POOL, DENSE), "x": [[[0.5], [-1.0]]], "widths": [1], "samples": 2}, [422]),
    ("points of 2^31 positions", NETWORKS, network({"type": "conv", "filter_shape": [1], "width": 1}, input_shape=[1 << 31, 1]), [422]),
    ("points of 2^31 positions, pooled", NETWORKS, network({"type": "avg_pool", "window_shape": [1 << 20], "strides": [1 << 20]},
                                                          input_shape=[1 << 31, 1]), [422]),
    ("points of 2^32 channels", NETWORKS, network({"type": "layer_norm"}, input_shape=[1 << 32]), [422]),
    ("points of 2^31 positions, averaged", NETWORKS, network({"type": "global_avg_pool"}, input_shape=[1 << 31, 1]), [422]),
    ("widths of 2^53 and more by flatten", K,
     kernel({"type": "conv_transpose", "filter_shape": [1], "strides": [1 << 20], "width": 1 << 40}, FLATTEN, DENSE, x=[[[1.0], [2.0]]]), [422]),
    ("widths side by side", K, kernel({"type": "fan_out", "count": 1000},
                                      {"type": "parallel", "branches": [serial(DENSE, RELU, repeat(WIDE, 10))] * 1000},
                                      {"type": "fan_in_concat"}, DENSE, x=[[1.0]]), [200, 422, 504]),
    ("1,000 branches of 40", K, kernel({"type": "fan_out", "count": 1000},
                                       {"type": "parallel", "branches": [serial({"type": "fan_out", "count": 40}, {"type": "parallel", "branches": [
                                           serial(WIDE, RELU)] * 40}, {"type": "fan_in_concat"})] * 1000},
                                       {"type": "fan_in_concat"}, DENSE, x=[[1.0]]), [200, 422, 504]),
    ("two attentions on 2^24 positions by conjugate gradients", "/v1/predictions", {
        "kernel": {"architecture": serial(
            {"type": "conv_transpose", "filter_shape": [1], "strides": [1 << 20]}, {"type": "global_self_attention", "linear_scaling": True},
            {"type": "global_self_attention"}, POOL, DENSE)},
        "x_train": [[[1.0]] * 16, [[2.0]] * 16], "y_train": [1, 2], "x_test": [[[1.5]] * 16], "ridge": 0.1, "solver": "conjugate_gradient"}, [422]),
    ("resized to 2^40 positions", K, kernel({"type": "image_resize", "shape": [-1, 1 << 20, 1 << 20, -1], "method": "nearest"}, FLATTEN, DENSE,
                                           x=[[[[1.0]]]]), [422]),
    ("resized along long axes", K, kernel({**RESIZED, "shape": [-1, 1 << 16, 1, -1]}, {**RESIZED, "shape": [-1, 1, 1 << 16, -1]},
                                           {**RESIZED, "shape": [-1, 1 << 16, 1, -1]}, FLATTEN, DENSE, x=[[[[1.0]]]]), [200]),
    ("windows of 2^20 around rings of two", K, kernel({"type": "avg_pool", "window_shape": [1 << 20, 1 << 20], "padding": "circular"},
                                                     FLATTEN, DENSE, x=[[[[1.0], [2.0]], [[3.0], [4.0]]]]), [200]),
    ("windows of 65,535 around a ring of two", K, kernel({"type": "conv", "filter_shape": [65535], "padding": "circular"}, RELU, POOL, DENSE,
                                                        x=[[[1.0], [2.0]]]), [200]),
    ("strides of 65,535", K, kernel({"type": "conv_transpose", "filter_shape": [65535], "strides": [65535]}, RELU, POOL, DENSE,
                                    x=[[[1.0], [2.0]]]), [422]),
    ("strides of 4,096 in two axes", K, kernel({"type": "conv_transpose", "filter_shape": [1, 1], "strides": [4096, 4096]}, RELU, POOL, DENSE,
                                              x=[[[[1.0]]]]), [422, 504]),
    ("windows of 2^14 at 2^14 positions", K, kernel(
        {"type": "conv_transpose", "filter_shape": [1], "strides": [1 << 14]}, {"type": "avg_pool", "window_shape": [1 << 14], "padding": "same"},
        FLATTEN, DENSE, x=[[[1.0]]]), [200, 422, 504]),
    ("filters of 65,535 on two positions", K, kernel({"type": "conv", "filter_shape": [65535], "padding": "same"}, RELU, POOL, DENSE,
                                                    x=[[[1.0], [2.0]]]), [200]),
    ("loops of 10^12 without anything in them", K, kernel(repeat(repeat(repeat(IDENTITY))), DENSE, x=[[1.0]]), [422]),
    ("loops of 10^12 that are empty", K, kernel(repeat(repeat(repeat(serial()))), DENSE, x=[[1.0]]), [422]),
    ("loops of 10^12 in a network", NETWORKS, network(repeat(repeat(repeat(IDENTITY))), input_shape=[1]), [422]),
    ("loops of 10^8 branches", K, kernel(repeat(repeat({"type": "fan_out", "count": 1})), x=[[1.0]]), [422]),
    ("10,000 branches within each other", K, kernel(repeat({"type": "fan_out", "count": 1024}), x=[[1.0]]), [422]),
    ("loops of 0 around loops", K, kernel(repeat(repeat(repeat(IDENTITY)), 0), DENSE, x=[[1.0]]), [200]),
    ("1,000 different activations", K, kernel(*[layer for k in range(1000) for layer in (DENSE, {"type": "elu", "alpha": 1 + k / 1e6})], DENSE,
                                             x=[[1.0, 2.0]]), [200, 422, 504]),
    ("a constant of 2,000 by 2,000", K, kernel({"type": "dot_general", "rhs": [[float(i == j) for j in range(300)] for i in range(300)],
                                                "lhs_contracting": [1], "rhs_contracting": [0]}, FLATTEN, DENSE, x=[[[1.0]] * 300]), [200]),
    ("axes of a constant that no array has", K, kernel({"type": "dot_general", "rhs": [[1.0]], "lhs_contracting": [1], "rhs_contracting": [63]},
                                                      FLATTEN, DENSE, x=[[[1.0]]]), [422]),
    ("picks from 2^30 on", K, kernel({"type": "index", "idx": [None, {"start": -(1 << 30), "stop": 1 << 30, "step": 1 << 30}]}, FLATTEN, DENSE,
                                     x=[[[1.0], [2.0]]]), [200]),
    ("a constant of no positions", K, kernel(EMPTY, DENSE, RELU, FLATTEN, DENSE, x=[[[1.0]]]), [422]),
    ("a constant of no positions in a network", OUTPUTS, {"network": network({**EMPTY}, FLATTEN, {**DENSE, "width": 1}), "x": [[[1.0]]]}, [422]),
    ("a slice of no positions", K, kernel({"type": "index", "idx": [None, {"start": 1, "stop": 1}]}, DENSE, {"type": "tanh"}, FLATTEN, DENSE, x=[[[1.0]]]), [422]),
    ("a slice of no positions in a network", OUTPUTS, {
        "network": network({"type": "index", "idx": [None, {"start": 1, "stop": 1}]}, FLATTEN, {**DENSE, "width": 1}), "x": [[[1.0]]]}, [422]),
    ("windows of a network that are gathered", OUTPUTS, {
        "network": network({"type": "conv", "filter_shape": [63, 63], "padding": "same", "width": 1}, FLATTEN, {**DENSE, "width": 1}),
        "x": [[[[0] * 256] * 64] * 64]}, [422]),
    ("norms of squares beyond all numbers", CONVERGENCE, {
        "architecture": serial({"type": "fan_out", "count": 3}, {"type": "parallel", "branches": [serial(DENSE, RELU, DENSE)] * 3},
                               {"type": "fan_in_prod"}, DENSE), "x": [[1e30], [1e25]], "widths": [7], "samples": 3}, [200]),
    ("more widths than anybody draws", CONVERGENCE, {"architecture": serial(DENSE, RELU, DENSE), "x": [[1.0]], "widths": list(range(1, 10_000))}, [422]),
    ("200,000 outputs of a network", "/v1/empirical-kernels?estimate_only=true", {
        "network": network({"type": "dense", "width": 200_000}), "x1": [[1.0]], "outputs": list(range(200_000))}, [200, 422]),
    ("outputs by name twice", "/v1/empirical-kernels", {"network": network({"type": "dense", "width": 2}), "x1": [[1.0]], "outputs": [0, 0]}, [422]),
    ("11,000 classes", "/v1/predictions?estimate_only=true", {
        "kernel": {"architecture": serial(DENSE)}, "x_train": [[float(i)] for i in range(11_000)], "labels": list(range(11_000)),
        "x_test": [[0.0]], "ridge": 1}, [200, 422]),
    ("10,000 times of 1e308", "/v1/dynamics?estimate_only=true", {
        "kernel": {"architecture": serial(DENSE)}, "x_train": [[1.0]], "y_train": [1], "times": [1e308] * 10_000}, [200]),
    ("a million times", "/v1/dynamics", {"kernel": {"architecture": serial(DENSE)}, "x_train": [[1.0]], "y_train": [1], "times": [0] * 1_000_000}, [422]),
    ("a million steps", "/v1/trainings?estimate_only=true", {
        "network": network({"type": "dense", "width": 1}), "x_train": [[1.0]], "y_train": [1], "steps": [1_000_000]}, [200, 422]),
    ("a training of 2^24 weights a position", "/v1/trainings", {
        "network": network({"type": "dense", "width": 1 << 24}, {"type": "dense", "width": 1 << 24}), "x_train": [[1.0]], "y_train": [[1]],
        "steps": [1]}, [422]),
    ("heads and widths of 2^40", NETWORKS, network({"type": "global_self_attention", "heads": 65_536, "width": 1 << 40}, input_shape=[4, 1]), [422]),
    ("embeddings of 2^40", NETWORKS, network({"type": "global_self_attention", "width": 1, "positional_embedding": "concat",
                                             "positional_width": 1 << 40}, input_shape=[1 << 20, 1]), [422]),
    ("rows of 2^15 and more that all meet", K, kernel({"type": "conv_transpose", "filter_shape": [1, 1], "strides": [1 << 16, 1]}, RELU, POOL, DENSE,
                                                     x=[[[[1.0]]]]), [422]),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    server = Server(tmp_path_factory.mktemp("hostile"), "--memory-budget", str(2 << 30))
    yield server
    server.stop()


class Probe:
    """Asks beside what is tested whether the server lives."""

    def __init__(self, server: Server):
        self.server, self.ended, self.answers = server, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while True:
            head, _ = self.server.exchange(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            self.answers += 1
            if self.ended.wait(0.02):
                return

    def __enter__(self) -> "Probe":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        assert self.answers > 0


@pytest.mark.parametrize("form", ["answer", "estimate"])
@pytest.mark.parametrize(("path", "body", "statuses"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_is_answered_and_the_server_lives(server: Server, path: str, body: dict, statuses: list[int], form: str):
    if form == "estimate" and path == NETWORKS:
        pytest.skip("nothing is computed")
    if form == "estimate" and "?" not in path:
        path += "?estimate_only=true"
    with Probe(server):
        status, answer = server.post(path, json.dumps(body).encode(), "application/json", "Request-Timeout: 5")
    # Where the numbers are large but sound, a slow machine may need longer than is given.
    right = statuses + ([504] if 200 in statuses else []) + ([200, 422, 504] if form == "estimate" else [])
    assert status in right, answer
    if status == 422:
        assert answer.get("errors") or answer["type"] == "/problems/over-limit", answer
    assert server.process.poll() is None


def archive(names: list[str], meta: dict) -> bytes:
    file = io.BytesIO()
    numpy.save(file, numpy.zeros(1))
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as members:
        members.writestr("meta.json", json.dumps(meta))
        for name in names:
            members.writestr(f"{name}.npy", file.getvalue())
    return result.getvalue()


def test_a_name_of_30000_dots_is_refused(server: Server):
    status, answer = server.post(K, archive(["x1." + "." * 30_000 + "a"], {}), "application/x-npz")
    assert status == 422 and "parts" in answer["detail"]


def test_an_archive_of_many_members_is_put_together(server: Server):
    status, _ = server.post(K, archive([f"a.{k}" for k in range(3_000)], {"architecture": serial(DENSE)}), "application/x-npz")
    assert status == 422


def test_resized_images_are_computed(server: Server):
    """Where every position meets only itself, no pair of positions is held; the kernel is that of the resized image."""
    layer = {**RESIZED, "shape": [-1, 224, 224, -1]}
    status, resized = server.post(K, json.dumps(kernel(layer, FLATTEN, DENSE, x=image(32))).encode())
    assert status == 200, resized
    pixels = numpy.array(image(32))[0, :, :, 0]
    def weights(size: int, count: int) -> numpy.ndarray:
        place = (numpy.arange(count) + 0.5) * size / count - 0.5
        matrix = numpy.maximum(0, 1 - abs(place[:, None] - numpy.arange(size)[None, :]))
        return matrix / matrix.sum(1, keepdims=True)
    large = weights(32, 224) @ pixels @ weights(32, 224).T
    assert resized["ntk"][0][0] == pytest.approx(2 * 0 + (large**2).mean(), rel=1e-12)


def test_a_filter_wider_than_its_input_is_that_of_what_it_can_reach(server: Server):
    def ask(size: int) -> float:
        body = kernel({"type": "conv", "filter_shape": [size], "padding": "same", "w_std": float(size) ** 0.5}, RELU, POOL, DENSE, x=[[[1.0], [2.0]]])
        return server.post(K, json.dumps(body).encode())[1]["ntk"][0][0]
    # Every window holds both positions, and zeros, which only the number of taps counts.
    assert ask(65_535) == pytest.approx(ask(5), rel=1e-9)
