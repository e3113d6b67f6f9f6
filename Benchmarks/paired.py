#!/usr/bin/env python3
"""Seconds of the same kernels from two servers in one run, such as of two versions.

    Benchmarks/paired.py --before OTHER/ntk-server --after .build/release/ntk-server

Both take turns, in an order that changes from round to round; the ratio is that of the medians of what each server says it computed.
"""

import argparse
import http.client
import json
import random
import re
import statistics
import subprocess

CONV = {"type": "conv", "filter_shape": [3, 3], "padding": "same", "w_std": 1.4, "b_std": 0.1}
DENSE = {"type": "dense", "w_std": 1.4}


def mlp(activation):
    return {"type": "mlp", "depth": 3, "activation": activation, "w_std": 1.4, "b_std": 0.1}


def cnn(activation, end):
    return {"type": "serial", "layers": [CONV, {"type": activation}] * 3 + [{"type": end}, DENSE]}


# Name, architecture, points, shape of a point.
CASES = [
    ("relu mlp, n = 2000, d = 784", mlp("relu"), 2000, [784]),
    ("erf mlp, n = 2000, d = 784", mlp("erf"), 2000, [784]),
    ("gelu mlp, n = 400, d = 100", mlp("gelu"), 400, [100]),
    ("relu CNN, flattened, 40 images of 16 × 16 × 3", cnn("relu", "flatten"), 40, [16, 16, 3]),
    ("relu CNN, pooled, 16 images of 16 × 16 × 3", cnn("relu", "global_avg_pool"), 16, [16, 16, 3]),
    ("gelu CNN, pooled, 4 images of 12 × 12 × 3", cnn("gelu", "global_avg_pool"), 4, [12, 12, 3]),
    ("erf CNN, pooled, 4 images of 12 × 12 × 3", cnn("erf", "global_avg_pool"), 4, [12, 12, 3]),
]


class Server:
    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.connection = http.client.HTTPConnection("localhost", int(self.process.stdout.readline().rsplit(":", 1)[1]), timeout=600)

    def seconds(self, body):
        self.connection.request("POST", "/v1/kernels?format=npz", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content[:300]
        return float(re.search(r"compute;dur=([0-9.]+)", answer.getheader("Server-Timing", "")).group(1)) / 1000

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def point(source, shape):
    return [point(source, shape[1:]) for _ in range(shape[0])] if shape else round(source.gauss(0, 1), 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", required=True)
    parser.add_argument("--after", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    servers = [Server(options.before), Server(options.after)]
    print("| kernel, float64 NTK | before, s | after, s | after / before |\n|---|---:|---:|---:|")
    try:
        for name, architecture, count, shape in CASES:
            source = random.Random(name)
            body = json.dumps({"architecture": architecture, "x1": [point(source, shape) for _ in range(count)], "kinds": ["ntk"]})
            seconds = [[], []]
            for round in range(options.rounds + 1):
                for which in (0, 1) if round % 2 else (1, 0):
                    taken = servers[which].seconds(body)
                    if round:
                        seconds[which].append(taken)
            before, after = (statistics.median(each) for each in seconds)
            print(f"| {name} | {before:.4f} | {after:.4f} | {after / before:.2f} |", flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
