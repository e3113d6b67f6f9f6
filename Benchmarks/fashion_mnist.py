#!/usr/bin/env python3
"""Exact NTK regression on all 60,000 images of Fashion-MNIST through the API, by preconditioned conjugate gradients.

    Benchmarks/fashion_mnist.py [--data /usr/share/datasets/fashion-mnist] [--train 60000] [--ridge 1e-3] [--depth 3]
                                [--server .build/release/ntk-server]

The data is that of Debian's package dataset-fashion-mnist. Prints the time, the residual, the iterations and the test accuracy. Takes about
11 GB of memory and some minutes. Only Python's standard library is needed.
"""
import argparse
import gzip
import http.client
import json
import pathlib
import subprocess
import sys
import time


def images(path: pathlib.Path, count: int) -> list[list[int]]:
    data = gzip.open(path).read()
    return [list(data[16 + 784 * i : 16 + 784 * (i + 1)]) for i in range(min(count, (len(data) - 16) // 784))]


def labels(path: pathlib.Path, count: int) -> list[int]:
    return list(gzip.open(path).read()[8 : 8 + count])


def peak_bytes(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", type=pathlib.Path)
    parser.add_argument("--train", default=60_000, type=int)
    parser.add_argument("--ridge", default=1e-3, type=float)
    parser.add_argument("--depth", default=3, type=int)
    parser.add_argument("--solver", default="conjugate_gradient")
    parser.add_argument("--server", default=root / ".build/release/ntk-server", type=pathlib.Path)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"{arguments.data} is missing: apt-get install dataset-fashion-mnist, or give --data")
    server = subprocess.Popen([arguments.server, "serve", "--port", "0", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.stdout.readline().rsplit(":", 1)[1]), timeout=3600)

        def post(path: str, request: dict) -> dict:
            connection.request("POST", path, json.dumps(request), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status not in (200, 201):
                sys.exit(f"{response.status}: {answer}")
            return answer | {"timing": response.headers["Server-Timing"]}

        training = images(arguments.data / "train-images-idx3-ubyte.gz", arguments.train)
        start = time.perf_counter()
        regressor = post("/v1/regressors", {
            "kernel": {"architecture": {"type": "mlp", "depth": arguments.depth, "w_std": 2**0.5}}, "x_train": training,
            "labels": labels(arguments.data / "train-labels-idx1-ubyte.gz", arguments.train), "ridge": arguments.ridge,
            "ridge_scale": "relative", "solver": arguments.solver, "diagnostics": "fast",
        })
        seconds = time.perf_counter() - start
        report = regressor["diagnostics"]
        print(f"fit of {len(training)} images: {seconds:.0f} s ({regressor['timing']}), peak memory {peak_bytes(server.pid) / 1e9:.1f} GB")
        print(f"{report['method']}: {report.get('iterations', '-')} iterations, preconditioner of rank {report.get('preconditioner_rank', '-')}, "
              f"relative residual {report['relative_residual']:.1e}, duplicates merged {report['duplicates_merged']}", flush=True)
        tests = images(arguments.data / "t10k-images-idx3-ubyte.gz", 10_000)
        truth = labels(arguments.data / "t10k-labels-idx1-ubyte.gz", 10_000)
        start = time.perf_counter()
        right = 0
        for first in range(0, len(tests), 2_000):
            answer = post(f"/v1/regressors/{regressor['id']}/predictions", {"x": tests[first : first + 2_000]})
            right += sum(own == label for own, label in zip(answer["labels"], truth[first:]))
        print(f"test accuracy {100 * right / len(tests):.2f} % ({right} of {len(tests)}), predicted in {time.perf_counter() - start:.0f} s")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
