"""Many clients that ask one regressor for a row each (n = 2,000, d = 784, 10 outputs): with batching, without, and FastAPI with NumPy.

    python Benchmarks/batching.py --server .build/release/ntk-server

needs numpy, fastapi, uvicorn and orjson beside this Python, and wrk. The two servers and the peer run at the same time and take turns; what
is not asked costs nothing. With --fairness it measures a kernel of 8 × 20 while long work runs, instead.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import numpy as np

from peers.fastapi_predictions_kernel import DEPTH, ntk
from tools import load

N, FEATURES, OUTPUTS, BODIES = 2_000, 784, 10, 1_000
SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local next = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  next = next % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[next])
end
"""


def post(url: str, value) -> dict:
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


@contextlib.contextmanager
def server(program: str, *options: str):
    process = subprocess.Popen([program, "serve", "--port", "0", "--log-level", "error", *options], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def peer(arrays: pathlib.Path, port: int):
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fastapi_predictions:app", "--port", str(port), "--workers", str(os.cpu_count()), "--log-level", "error"],
        cwd=pathlib.Path(__file__).parent / "peers", env=os.environ | {"REGRESSOR": str(arrays), "OPENBLAS_NUM_THREADS": "1"})
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def batching(program: str, seconds: int, rounds: int) -> None:
    generator = np.random.default_rng(0)
    x_train, y_train = generator.standard_normal((N, FEATURES)), generator.standard_normal((N, OUTPUTS))
    rows = generator.standard_normal((BODIES, FEATURES))
    ridge = 1.0
    norms = np.linalg.norm(x_train, axis=1)
    kernel = ntk(x_train, x_train / norms[:, None], norms)
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        np.savez(folder / "train.npz", x_train=x_train, coefficients=np.linalg.solve(kernel + ridge * np.eye(N), y_train))
        (folder / "bodies").write_text("".join(json.dumps({"x": [row.tolist()]}) + "\n" for row in rows))
        script = folder / "script.lua"
        script.write_text(SCRIPT)
        os.environ["BODIES"] = str(folder / "bodies")
        fit = {
            "kernel": {"architecture": {"type": "mlp", "depth": DEPTH, "w_std": 2**0.5, "last_w_std": 2**0.5}, "kind": "ntk"},
            "x_train": x_train.tolist(), "y_train": y_train.tolist(), "ridge": ridge,
        }
        with server(program) as on, server(program, "--batch-max-rows", "1") as off, peer(folder / "train.npz", 18_733) as fastapi:
            identity = post(f"{on}/v1/regressors", fit)["id"]
            post(f"{off}/v1/regressors", fit)
            urls = {
                "batched": f"{on}/v1/regressors/{identity}/predictions", "unbatched": f"{off}/v1/regressors/{identity}/predictions",
                "FastAPI": f"{fastapi}/predictions",
            }
            for _ in range(100):
                with contextlib.suppress(OSError):
                    answers = {name: np.array(post(url, {"x": rows[:1].tolist()})["mean"]) for name, url in urls.items()}
                    break
                time.sleep(0.2)
            assert (answers["batched"] == answers["unbatched"]).all()
            print("largest difference to FastAPI:", abs(answers["batched"] - answers["FastAPI"]).max())
            results = {(name, connections): [] for name in urls for connections in (64, 1)}
            for _ in range(rounds):
                for name in urls:
                    results[name, 64].append(load(urls[name], 64, seconds, script))
            # A few microseconds are to be told apart: many short turns.
            for _ in range(8 * rounds):
                for name in urls:
                    results[name, 1].append(load(urls[name], 1, 1, script))
    print(f"\n| | connections | requests/s | p50 ms | p99 ms |\n|---|---:|---:|---:|---:|")
    middle = {}
    for (name, connections), loads in results.items():
        middle[name, connections] = best = sorted(loads, key=lambda one: one.requests_per_second)[len(loads) // 2]
        print(f"| {name} | {connections} | {best.requests_per_second:,.0f} | {best.p50_ms:.2f} | {best.p99_ms:.2f} |")
    rate = {name: middle[name, 64].requests_per_second for name in urls}
    print(f"\nbatched to unbatched, 64 connections: {rate['batched'] / rate['unbatched']:.1f} ×; to FastAPI: {rate['batched'] / rate['FastAPI']:.1f} ×")
    p50 = {name: statistics.median(one.p50_ms for one in results[name, 1]) for name in urls}
    print(f"p50 at one connection, batched to unbatched: {p50['batched'] / p50['unbatched']:.3f}")


def fairness(program: str, seconds: float) -> None:
    generator = np.random.default_rng(0)
    small = {"architecture": {"type": "mlp", "depth": 3}, "x1": generator.standard_normal((8, 20)).tolist()}
    medium = {"architecture": {"type": "mlp", "depth": 3}, "x1": generator.standard_normal((100, 20)).tolist()}
    images = generator.standard_normal((400, 16, 16, 1)).tolist()
    convolution = [{"type": "conv", "filter_shape": [3, 3], "padding": "same"}, {"type": "relu"}]
    kernel = {"architecture": {"type": "serial", "layers": convolution * 6 + [{"type": "global_avg_pool"}, {"type": "dense"}]}, "x1": images}
    n = 6_000
    fit = {
        "kernel": {"architecture": {"type": "mlp", "depth": 3}}, "x_train": generator.standard_normal((n, 50)).tolist(),
        "y_train": generator.standard_normal(n).tolist(), "ridge": {"select": "leave_one_out", "candidates": [0.1, 1.0]},
    }
    works = {
        "nothing": [], "a kernel that takes minutes": [("kernels", kernel)], "a fit with eigenvectors": [("predictions", fit | {"x_test": fit["x_train"][:1]})],
        "both": [("kernels", kernel), ("predictions", fit | {"x_test": fit["x_train"][:1]})],
        "two fits": [("predictions", fit | {"x_test": fit["x_train"][k : k + 1]}) for k in (1, 2)],
    }
    print("| beside | kernel of | requests | p50 ms | p99 ms | longest ms |\n|---|---|---:|---:|---:|---:|")
    with server(program) as address:
        for name, bodies in works.items():
            stop = []

            def run(route, body):
                process = subprocess.Popen(
                    ["curl", "-s", "-o", os.devnull, "-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", "@-", f"{address}/v1/{route}"],
                    stdin=subprocess.PIPE)
                stop.append(process)
                process.stdin.write(json.dumps(body).encode())
                process.stdin.close()

            threads = [threading.Thread(target=run, args=work) for work in bodies]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            time.sleep(3 if bodies else 0)
            for size, body in (("8 × 20", small), ("100 × 20", medium)):
                times = requests(address, body, seconds)
                running = all(process.poll() is None for process in stop)
                order = sorted(times)
                print(f"| {name}{'' if running else ' (ended meanwhile)'} | {size} | {len(order)} | {statistics.median(order):.2f} | {order[int(len(order) * 0.99)]:.2f} | {order[-1]:.2f} |", flush=True)
            for process in stop:
                process.kill()
            time.sleep(1)


def requests(address: str, body: dict, seconds: float) -> list[float]:
    """Milliseconds of one request after another on one connection, a few milliseconds apart."""
    import http.client

    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    text = json.dumps(body)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        connection.request("POST", "/v1/kernels", text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        times.append((time.perf_counter() - start) * 1e3)
        time.sleep(0.003)
    return times


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fairness", action="store_true")
    options = parser.parse_args()
    if options.fairness:
        fairness(options.server, options.seconds)
    else:
        batching(options.server, options.seconds, options.rounds)
