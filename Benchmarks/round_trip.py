#!/usr/bin/env python3
"""A kernel of n = 2,000 points of 784 features as files: the whole round trip beside the time that the server computes, and beside JSON.

    Benchmarks/round_trip.py [--server .build/release/ntk-server] [--points 2000] [--rounds 15]

The request is a .npz, the answer a .npy; the clock runs from the first byte that is sent until the kernel is a NumPy array. Needs numpy.
"""
import argparse
import http.client
import io
import json
import pathlib
import re
import statistics
import subprocess
import time
import zipfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
REQUEST = {"architecture": {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 1.4142135623730951}}


def archive(x: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, x1=x)
    with zipfile.ZipFile(content, "a") as members:
        members.writestr("meta.json", json.dumps(REQUEST))
    return content.getvalue()


def times(connection: http.client.HTTPConnection, body: bytes, content_type: str, accept: str, decode) -> tuple[float, dict[str, float], np.ndarray]:
    start = time.perf_counter()
    connection.request("POST", "/v1/kernels", body, {"Content-Type": content_type, "Accept": accept})
    response = connection.getresponse()
    content = response.read()
    kernel = decode(content)
    seconds = time.perf_counter() - start
    assert response.status == 200, content[:500]
    steps = {name: float(value) / 1000 for name, value in re.findall(r"(\w+);dur=([\d.]+)", response.headers["Server-Timing"])}
    return seconds, steps, kernel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=ROOT / ".build/release/ntk-server", type=pathlib.Path)
    parser.add_argument("--points", default=2000, type=int)
    parser.add_argument("--rounds", default=15, type=int)
    arguments = parser.parse_args()
    x = np.random.default_rng(0).standard_normal((arguments.points, 784))
    process = subprocess.Popen([arguments.server, "serve", "--port", "0", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
    try:
        connection = http.client.HTTPConnection(process.stdout.readline().strip().rpartition("//")[2], timeout=300)
        forms = {
            "float64 .npz, .npy back": (archive(x), "application/x-npz", "application/x-npy", lambda content: np.load(io.BytesIO(content))),
            "float32 .npz, .npy back": (
                archive(x.astype(np.float32)), "application/x-npz", "application/x-npy", lambda content: np.load(io.BytesIO(content))),
            "JSON both ways": (
                json.dumps({**REQUEST, "x1": x.tolist()}).encode(), "application/json", "application/json",
                lambda content: np.array(json.loads(content)["ntk"])),
        }
        results = {}
        for name, form in forms.items():
            rounds = 3 if "JSON" in name else arguments.rounds
            times(connection, *form)
            measured = [times(connection, *form) for _ in range(rounds)]
            results[name] = measured[-1][2]
            seconds = statistics.median(m[0] for m in measured)
            compute = statistics.median(m[1]["compute"] for m in measured)
            ratio = statistics.median(m[0] / m[1]["compute"] for m in measured)
            steps = ", ".join(f"{step} {statistics.median(m[1].get(step, 0) for m in measured) * 1e3:.1f}" for step in ("parse", "queue", "compute"))
            print(f"{name}: {seconds * 1e3:.0f} ms, {ratio:.2f} x the {compute * 1e3:.0f} ms of its computation ({steps} ms)")
        assert np.array_equal(results["float64 .npz, .npy back"], results["JSON both ways"])
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
