#!/usr/bin/env python3
"""A constant mixed load with cancellations and deadlines for a long time, and the server's memory all the while.

    Benchmarks/hold/long.py [--minutes 10] [--clients 8]

Small and larger kernels, predictions, classifications, empirical kernels, spectra and dynamics of random sizes; one in ten clients goes before its
answer, one in ten gives a deadline that is too short, one in twenty sends what cannot be computed.
"""
import argparse
import http.client
import json
import random
import threading
import time

from serving import Server

MLP = {"type": "mlp", "depth": 2, "b_std": 0.1}
CNN = {"type": "serial", "layers": [{"type": "conv", "filter_shape": [3], "padding": "same"}, {"type": "relu"}, {"type": "global_avg_pool"}, {"type": "dense"}]}
NETWORK = {"architecture": {"type": "serial", "layers": [{"type": "dense", "width": 16}, {"type": "relu"}, {"type": "dense", "width": 1}]}}


def points(rng: random.Random, n: int, d: int = 3) -> list:
    return [[rng.gauss(0, 1) for _ in range(d)] for _ in range(n)]


def request(rng: random.Random) -> tuple[str, dict]:
    n = rng.choice([2, 5, 20, 60, 150])
    match rng.randrange(8):
        case 0 | 1: return "/v1/kernels", {"architecture": MLP, "x1": points(rng, n), "precision": rng.choice(["float32", "float64"])}
        case 2: return "/v1/kernels", {"architecture": CNN, "x1": [points(rng, 6, 1) for _ in range(min(n, 20))]}
        case 3: return "/v1/predictions", {
            "kernel": {"architecture": MLP}, "x_train": points(rng, n), "y_train": [rng.random() for _ in range(n)], "x_test": points(rng, 5),
            "ridge": 0.01, "covariance": "diagonal"}
        case 4: return "/v1/predictions", {
            "kernel": {"architecture": MLP}, "x_train": points(rng, n), "labels": [f"c{i % 2}" for i in range(n)], "x_test": points(rng, 5), "ridge": 0.01}
        case 5: return "/v1/empirical-kernels", {"network": NETWORK | {"initialization": {"seed": rng.randrange(99)}}, "x1": points(rng, min(n, 20))}
        case 6: return "/v1/spectra", {"kernel": {"architecture": MLP}, "x": points(rng, n), "y": [rng.random() for _ in range(n)]}
        case _: return "/v1/dynamics", {
            "kernel": {"architecture": MLP}, "x_train": points(rng, n), "y_train": [rng.random() for _ in range(n)], "x_test": points(rng, 3),
            "times": [0, 1, 10]}


def client(port: int, number: int, end: float, counts: list[int]) -> None:
    rng = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < end:
        path, body = request(rng)
        fields = {"Content-Type": "application/json"}
        kind = rng.random()
        if kind < 0.1:
            fields["Request-Timeout"] = rng.choice(["0.001", "0.01"])
        elif kind < 0.15:
            body["ridge"] = "none"
        try:
            connection.request("POST", path, json.dumps(body), fields)
            if 0.2 < kind < 0.3:
                connection.close()
            else:
                connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
        counts[number] += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with Server() as server:
        start = time.monotonic()
        counts = [0] * options.clients
        threads = [
            threading.Thread(target=client, args=(server.port, number, start + 60 * options.minutes, counts)) for number in range(options.clients)]
        for thread in threads:
            thread.start()
        print("| minutes | requests | resident memory, MB |")
        print("|---:|---:|---:|")
        step = max(60 * options.minutes / 20, 5)
        while any(thread.is_alive() for thread in threads):
            time.sleep(step)
            print(f"| {(time.monotonic() - start) / 60:.1f} | {sum(counts):,} | {server.resident / 1e6:.1f} |", flush=True)
