#!/usr/bin/env python3
"""Processor seconds of the same fits by two servers in turns, the least of some runs: what a change costs, whatever else the machine does.

    Benchmarks/fit_pairs.py old/ntk-server .build/release/ntk-server
    Benchmarks/fit_pairs.py --kernels Prescott SkylakeX .build/release/ntk-server .build/release/ntk-server

`--kernels` names OpenBLAS's kernels for each. n points of ten features, NTK of depth 2 with biases, one prediction with its variance.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess


class Server:
    def __init__(self, binary: str, kernels: str | None):
        environment = os.environ | ({"OPENBLAS_CORETYPE": kernels} if kernels else {})
        self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def processor(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fit(self, body: bytes) -> float:
        before = self.processor()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request("POST", "/v1/predictions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return self.processor() - before


def request(count: int, ridge) -> bytes:
    rng = random.Random(count)
    points = [[rng.gauss(0, 1) for _ in range(10)] for _ in range(count)]
    kernel = {"architecture": {"type": "mlp", "depth": 2, "b_std": 0.1}, "kind": "ntk"}
    body = {"kernel": kernel, "x_train": points, "y_train": [rng.gauss(0, 1) for _ in points], "x_test": [[0.1] * 10]}
    return json.dumps(body | {"covariance": "diagonal", "ridge": ridge}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs=2)
    parser.add_argument("--kernels", nargs=2, default=(None, None))
    parser.add_argument("--counts", type=int, nargs="+", default=(1000, 2000, 5000))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    servers = [Server(binary, kernels) for binary, kernels in zip(options.servers, options.kernels)]
    try:
        print("| fit | first | second | ratio |\n|---|---:|---:|---:|")
        for count in options.counts:
            for ridge in (0.1, {"select": "gcv"}):
                body = request(count, ridge)
                times = [[], []]
                for _ in range(options.runs):
                    for own, server in zip(times, servers):
                        own.append(server.fit(body))
                first, second = map(min, times)
                name = "ridge 0.1" if ridge == 0.1 else "ridge by gcv"
                print(f"| n = {count}, {name} | {first:.2f} | {second:.2f} | {second / max(first, 0.01):.2f} |", flush=True)
    finally:
        for server in servers:
            server.process.terminate()
            server.process.wait(60)


if __name__ == "__main__":
    main()
