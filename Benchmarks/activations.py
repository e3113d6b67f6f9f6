#!/usr/bin/env python3
"""Seconds of the NTK of n points for every activation, as a ratio to gelu's at the same depth and n, all in one run.

    Benchmarks/activations.py --server .build/release/ntk-server

Points are N(0, 1) in ten dimensions; `near`: as many around one point, 1e-9 apart, and `line`: numbers 1e-3 apart, whose angles are all small;
`large`: weights of 30, so that variances are near a thousand. The least of a few rounds in turn counts.
"""

import argparse
import http.client
import json
import random
import re
import subprocess
import sys

ACTIVATIONS = {
    "relu": {"type": "relu"}, "erf": {"type": "erf"}, "gelu": {"type": "gelu"}, "sin": {"type": "sin"}, "gaussian": {"type": "gaussian", "b": -0.5},
    "gabor": {"type": "gabor"}, "polynomial": {"type": "polynomial", "coefficients": [0.3, 1, -0.2, 0.1]},
    "rectified_monomial 2": {"type": "rectified_monomial", "degree": 2}, "tanh": {"type": "tanh"}, "sigmoid": {"type": "sigmoid"},
    "softplus": {"type": "softplus"}, "swish": {"type": "swish"}, "mish": {"type": "mish"}, "elu": {"type": "elu"}, "selu": {"type": "selu"},
    "relu6": {"type": "elementwise", "expression": "min(max(x,0),6)"},
    "hard sigmoid": {"type": "elementwise", "expression": "min(max(x/6+0.5,0),1)"},
    "hard tanh": {"type": "elementwise", "expression": "min(max(x,-1),1)"}, "abs(x-1)": {"type": "elementwise", "expression": "abs(x-1)"},
    "sin(10 x)": {"type": "elementwise", "expression": "sin(10*x)"},
}


def points(kind, n, source):
    if kind == "line":
        return [[1 + 1e-3 * k] for k in range(n)]
    base = [source.gauss(0, 1) for _ in range(10)]
    if kind == "near":
        return [[x + 1e-9 * source.gauss(0, 1) for x in base] for _ in range(n)]
    return [[source.gauss(0, 1) for _ in range(10)] for _ in range(n)]


class Server:
    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.connection = http.client.HTTPConnection("localhost", int(self.process.stdout.readline().rsplit(":", 1)[1]), timeout=600)

    def seconds(self, activation, depth, kind, x):
        dense = {"type": "dense", "w_std": 30 if kind == "large" else 1.4, "b_std": 0.1}
        body = {"architecture": {"type": "mlp", "depth": depth, "activation": activation} | {k: v for k, v in dense.items() if k != "type"},
                "x1": x, "kinds": ["ntk"]}
        self.connection.request("POST", "/v1/kernels", json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            return None, json.loads(content)["detail"]
        timing = re.search(r"compute;dur=([0-9.]+)", answer.getheader("Server-Timing", ""))
        return float(timing.group(1)) / 1000, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--points", type=int, nargs="+", default=[121, 400])
    parser.add_argument("--depths", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--kinds", nargs="+", default=["apart", "near", "line", "large"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    server = Server(options.server)
    try:
        for kind in options.kinds:
            for n in options.points:
                x = points(kind, n, random.Random(7))
                for depth in options.depths:
                    best = {}
                    for _ in range(options.rounds):
                        for name, activation in ACTIVATIONS.items():
                            seconds, refusal = server.seconds(activation, depth, kind, x)
                            best[name] = refusal if seconds is None else min(best.get(name, seconds), seconds)
                    gelu = best["gelu"]
                    print(f"{kind}, {n} points, depth {depth}: gelu {1000 * gelu:.2f} ms")
                    for name, entry in best.items():
                        told = f"{entry / gelu:8.1f} x   {1000 * entry:.2f} ms" if isinstance(entry, float) else f"refused: {entry[:80]}"
                        print(f"  {name:22s} {told}", flush=True)
    finally:
        server.process.terminate()
        server.process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
