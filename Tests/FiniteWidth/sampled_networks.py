#!/usr/bin/env python3
"""The order 1/width of kernels against networks that a server draws: mean and variance of Θ̂ at a pair of points.

    sampled_networks.py --server .build/release/ntk-server --networks 20000

For each activation and each of the widths 32, 64 and 128, mean and variance over networks are compared with limit + correction/n and variance/n,
and must differ by less than three standard errors (of the largest of many comparisons: four) and what the next order may be: of the mean
(correction/n)²/limit + variance/n² , of the variance its own size times 12 layers/n. Printed are all of them in standard errors.
"""
import argparse
import concurrent.futures
import http.client
import json
import math
import pathlib
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
X = [[0.65, -1.36, -0.38, 0.34], [-0.68, -0.12, 0.22, -1.47]]
CASES = {"relu": (2.0**0.5, None), "erf": (1.5, 0.3), "gelu": (1.98305826**0.5, None), "tanh": (1.2, 0.2)}


def ask(connection, path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "Host": "localhost"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {text.decode()[:300]}")
    return json.loads(text)


def layers(activation, w_std, b_std, depth, width):
    dense = {"type": "dense", "w_std": w_std, "parameterization": "ntk"} | ({} if b_std is None else {"b_std": b_std})
    hidden = [layer for _ in range(depth) for layer in (dense | {"width": width}, {"type": activation})]
    return {"type": "serial", "layers": [*hidden, dense | {"width": 1}]}


def sample(port, architecture, seeds):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    kernels = []
    for seed in seeds:
        network = {"architecture": architecture, "initialization": {"seed": seed}}
        kernels.append(ask(connection, "/v1/empirical-kernels", {"network": network, "x1": X})["ntk"])
    return kernels


def compare(port, name, depth, width, count, threads):
    architecture = layers(name, *CASES[name], depth, width)
    theory = ask(http.client.HTTPConnection("127.0.0.1", port), "/v1/finite-width", {"architecture": architecture, "x1": X})
    first = zlib.crc32(f"{name} {width}".encode()) * 100_000
    parts = [range(first + part, first + count, threads) for part in range(threads)]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        kernels = [kernel for part in pool.map(lambda seeds: sample(port, architecture, seeds), parts) for kernel in part]
    worst = 0.0
    for i, j in ((0, 0), (0, 1), (1, 1)):
        values = [kernel[i][j] for kernel in kernels]
        mean = math.fsum(values) / count
        powers = [math.fsum((value - mean) ** k for value in values) / count for k in (2, 4)]
        limit, correction, variance = (theory[f"ntk{part}"][i][j] for part in ("", "_correction", "_variance"))
        scale = math.sqrt(theory["ntk"][i][i] * theory["ntk"][j][j])
        next_order = (abs(correction) * theory["ntk_variance"][i][i] / scale**2 + abs(correction)) * depth / width**2
        off = max(abs(mean - limit - correction / width) - next_order, 0) / math.sqrt(powers[0] / count)
        spread = variance / width
        rough = max(abs(powers[0] - spread) - 12 * depth / width * spread, 0) / math.sqrt(max(powers[1] - powers[0] ** 2, 1e-300) / count)
        print(f"{name} width {width} [{i}{j}]: mean {mean:.6f}, predicted {limit + correction / width:.6f}, limit {limit:.6f} ({off:.1f} errors); "
              f"n·variance {powers[0] * width:.4f}, predicted {variance:.4f} ({rough:.1f} errors)", flush=True)
        worst = max(worst, off, rough)
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default=str(ROOT / ".build/release/ntk-server"))
    parser.add_argument("--networks", type=int, default=20_000)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    server = subprocess.Popen([given.server, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        worst = max(compare(port, name, given.depth, width, given.networks, given.threads) for name in CASES for width in given.widths)
    finally:
        server.terminate()
        server.wait()
    print(f"at most {worst:.2f} standard errors beyond the next order")
    sys.exit(worst > 4)


if __name__ == "__main__":
    main()
