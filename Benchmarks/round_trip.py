#!/usr/bin/env python3
"""A kernel of n = 2,000 points of 784 features as files: the whole round trip beside the time that the server computes, and beside JSON.

    Benchmarks/round_trip.py [--server .build/release/ntk-server] [--points 2000] [--rounds 15]

Three clients: `ntk_client` (a multipart body with a .npy part), Python's own http.client with a .npz, and with JSON; the answers are .npy, and
JSON. The clock runs from the first byte that is sent until the kernel is a NumPy array of its own. Needs numpy and urllib3.
"""
import argparse
import contextlib
import http.client
import io
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Clients/python/src"))
from ntk_client import _codec  # noqa: E402
from ntk_client._transport import Transport  # noqa: E402

REQUEST = {"architecture": {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 1.4142135623730951}}
# Seconds of the whole, the server's own account of its steps, and the kernel.
Measured = tuple[float, dict[str, float], np.ndarray]


def steps(timing: str) -> dict[str, float]:
    return {name: float(value) / 1000 for name, value in re.findall(r"(\w+);dur=([\d.]+)", timing)}


def archive(x: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, x1=x)
    with zipfile.ZipFile(content, "a") as members:
        members.writestr("meta.json", json.dumps(REQUEST))
    return content.getvalue()


def by_client(transport: Transport, x: np.ndarray, precision: str) -> Callable[[], Measured]:
    def once() -> Measured:
        start = time.perf_counter()
        _, headers, answer = transport.ask("POST", "/v1/kernels", fields={**REQUEST, "x1": x, "precision": precision}, only_array="ntk")
        return time.perf_counter() - start, steps(headers["Server-Timing"]), answer["ntk"]

    return once


def by_http(
    connection: http.client.HTTPConnection, body: bytes, content_type: str, accept: str, decode: Callable[[http.client.HTTPResponse], np.ndarray]
) -> Callable[[], Measured]:
    def once() -> Measured:
        start = time.perf_counter()
        connection.request("POST", "/v1/kernels", body, {"Content-Type": content_type, "Accept": accept})
        response = connection.getresponse()
        assert response.status == 200, response.read(500)
        kernel = decode(response)
        seconds = time.perf_counter() - start
        response.read()
        return seconds, steps(response.headers["Server-Timing"]), kernel

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=ROOT / ".build/release/ntk-server", type=pathlib.Path)
    parser.add_argument("--points", default=2000, type=int)
    parser.add_argument("--rounds", default=15, type=int)
    arguments = parser.parse_args()
    x = np.random.default_rng(0).standard_normal((arguments.points, 784))
    single = x.astype(np.float32)
    process = subprocess.Popen([arguments.server, "serve", "--port", "0", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip().rpartition(" ")[2]
        transport = Transport(address, api_key=None, retries=0, connections=1)
        connection = http.client.HTTPConnection(address.rpartition("//")[2], timeout=300)
        files = ("application/x-npz", "application/x-npy", _codec.read_npy)
        json_text = json.dumps({**REQUEST, "x1": x.tolist()}).encode()
        forms = {
            "float64, .npy by ntk_client": by_client(transport, x, "float64"),
            "float32 points, .npy by ntk_client": by_client(transport, single, "float64"),
            "float32 all through, .npy by ntk_client": by_client(transport, single, "float32"),
            "float64, .npz to .npy": by_http(connection, archive(x), *files),
            "float64, JSON both ways": by_http(
                connection, json_text, "application/json", "application/json", lambda response: np.array(json.loads(response.read())["ntk"])),
        }
        results = {}
        for name, once in forms.items():
            rounds = 3 if "JSON" in name else arguments.rounds
            once()
            measured = []
            for _ in range(rounds):
                seconds, timing, results[name] = once()
                measured.append((seconds, timing))
            seconds = statistics.median(m[0] for m in measured)
            compute = statistics.median(m[1]["compute"] for m in measured)
            ratios = sorted(m[0] / m[1]["compute"] for m in measured)
            quarters = (ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4])
            parts = ", ".join(f"{step} {statistics.median(m[1].get(step, 0) for m in measured) * 1e3:.1f}" for step in ("parse", "queue", "compute"))
            print(
                f"{name}: {seconds * 1e3:.0f} ms, {statistics.median(ratios):.2f} x the {compute * 1e3:.0f} ms of its computation "
                f"(quartiles {quarters[0]:.2f} and {quarters[1]:.2f}; {parts} ms)")
        exact = [kernel for name, kernel in results.items() if name.startswith("float64")]
        assert all(np.array_equal(kernel, exact[0]) for kernel in exact)
    finally:
        with contextlib.suppress(NameError):
            transport.close()
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
