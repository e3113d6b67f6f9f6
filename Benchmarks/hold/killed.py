#!/usr/bin/env python3
"""What a kill costs: jobs whose server is killed by SIGKILL after two thirds of their time, and that a new server ends.

    Benchmarks/hold/killed.py

The result must be, byte for byte, that of the job that nobody disturbed. Only Python's standard library is needed.
"""
import http.client
import json
import random
import tempfile
import time

from serving import Server

RANDOM = random.Random(1)


def requests() -> list[tuple[str, str, dict]]:
    def points(n: int, features: int) -> list:
        return [[round(RANDOM.gauss(0, 1), 3) for _ in range(features)] for _ in range(n)]

    def network(*widths: int) -> dict:
        layers = [layer for width in widths for layer in ({"type": "dense", "width": width, "parameterization": "ntk"}, {"type": "relu"})][:-1]
        return {"architecture": {"type": "serial", "layers": layers}, "initialization": {"seed": 3}}

    images = [[[[pixel] for pixel in row] for row in points(12, 12)] for _ in range(500)]
    conv = {"type": "conv", "filter_shape": [3, 3], "padding": "same", "w_std": 2 ** 0.5}
    cnn = {"type": "serial", "layers": [conv, {"type": "relu"}, conv, {"type": "relu"}, {"type": "global_avg_pool"}, {"type": "dense"}]}

    def fit(n: int) -> dict:
        return {"kernel": {"architecture": cnn}, "x_train": images[:n], "y_train": points(n, 10), "x_test": images[-20:], "ridge": 1e-3}

    return [
        ("kernel of a CNN, 500 images", "/v1/kernels", {"architecture": cnn, "x1": images}),
        ("prediction by it from 500 images, Cholesky", "/v1/predictions", fit(500)),
        ("from 350, conjugate gradients", "/v1/predictions", fit(350) | {"solver": "conjugate_gradient"}),
        ("kernel of a network of 1.3 million weights, 400 points", "/v1/empirical-kernels", {"network": network(100_000, 10), "x1": points(400, 3)}),
        ("training of a network of 0.5 million weights, 300 steps", "/v1/trainings",
         {"network": network(1_000, 500, 1), "x_train": points(140, 3), "y_train": points(140, 1), "steps": [0, 300]}),
    ]


def ask(server: Server, method: str, path: str, body: bytes | None = None, **fields: str) -> tuple[dict, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request(method, path, body, fields)
        response = connection.getresponse()
        content = response.read()
        assert response.status < 300, content
        return dict(response.getheaders()), content
    finally:
        connection.close()


def ended(server: Server, job: str) -> bytes:
    """Waits for the end of a job; its result."""
    while True:
        state = json.loads(ask(server, "GET", job)[1])
        if state["finished_at"] is not None:
            assert state["status"] == "succeeded", state
            return ask(server, "GET", job + "/result", Accept="application/x-npz")[1]
        time.sleep(0.02)


def measure(title: str, path: str, request: dict) -> None:
    body = json.dumps(request).encode()
    fields = {"Content-Type": "application/json", "Prefer": "respond-async"}
    with tempfile.TemporaryDirectory() as data, Server("--data-dir", data) as server:
        start = time.monotonic()
        job = ask(server, "POST", path, body, **fields)[0]["Location"]
        undisturbed = ended(server, job)
        whole = time.monotonic() - start
    with tempfile.TemporaryDirectory() as data:
        with Server("--data-dir", data) as server:
            start = time.monotonic()
            job = ask(server, "POST", path, body, **fields)[0]["Location"]
            time.sleep(whole * 2 / 3)
            server.process.kill()
            before = time.monotonic() - start
        with Server("--data-dir", data) as server:
            start = time.monotonic()
            assert ended(server, job) == undisturbed, f"{title}: the result differs"
            after = time.monotonic() - start
    print(f"| {title} | {whole:.1f} | {before:.1f} | {after:.1f} | {(before + after) / whole:.2f} |", flush=True)


if __name__ == "__main__":
    print("| job | undisturbed, s | killed after, s | then still, s | together to undisturbed |\n|---|---:|---:|---:|---:|")
    for work in requests():
        measure(*work)
