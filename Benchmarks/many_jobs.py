#!/usr/bin/env python3
"""Times a new job and pages of the list in a directory of many ended jobs, and beside many that have not ended.

    Benchmarks/many_jobs.py [--server .build/release/ntk-server] [--jobs 20000] [--unfinished 4000]

The ended jobs are hard links to the files of one that was done. Times are medians of 21, and the slowest of them. Only Python's standard library
is needed.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests/EndToEnd"))
from served import Served

KERNEL = json.dumps({"architecture": {"type": "mlp", "depth": 2}, "x1": [[float(i), 1.0] for i in range(50)]})


class Server(Served):
    def __init__(self, binary: pathlib.Path, data: pathlib.Path, *options: str):
        super().__init__(binary, "--data-dir", data, "--log-level", "error", *options)

    def json(self, method: str, path: str, body: str | None = None, **fields: str) -> dict:
        headers = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in fields.items()}
        status, _, content = self.send(method, path, body, headers)
        answer = json.loads(content)
        assert status in (200, 202), answer
        return answer

    def submit(self, key: str) -> dict:
        return self.json("POST", "/v1/kernels", KERNEL, Prefer="respond-async", Idempotency_Key=key)


def milliseconds(act, times: int = 21) -> str:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return f"{statistics.median(seconds) * 1e3:.1f} | {max(seconds) * 1e3:.1f}"


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/release/ntk-server", type=pathlib.Path)
    parser.add_argument("--jobs", default=20_000, type=int)
    parser.add_argument("--unfinished", default=4_000, type=int)
    arguments = parser.parse_args()
    keys = iter(range(10**9))
    with tempfile.TemporaryDirectory() as scratch:
        data = pathlib.Path(scratch) / "data"
        server = Server(arguments.server, data)
        source = server.submit("first")["id"]
        while server.json("GET", f"/v1/jobs/{source}")["status"] != "succeeded":
            time.sleep(0.05)
        server.stop()

        def measure(text: str, *options: str) -> None:
            server = Server(arguments.server, data, *options)
            start = time.perf_counter()
            server.json("GET", "/v1/jobs")
            first = time.perf_counter() - start
            print(f"\n{text}: the server starts in {server.start:.2f} s, its first list takes {first * 1e3:.0f} ms\n\n| | median, ms | slowest |\n|---|---:|---:|")
            print("| a new job |", milliseconds(lambda: server.submit(f"key-{next(keys)}")), "|")
            for name, path in [("`GET /v1/jobs?status=running`", "/v1/jobs?status=running"), ("`GET /v1/jobs`", "/v1/jobs"), ("`GET /v1/jobs?limit=1000`", "/v1/jobs?limit=1000"),
                               ("one job", f"/v1/jobs/{source}"), ("its result", f"/v1/jobs/{source}/result")]:
                print(f"| {name} |", milliseconds(lambda: server.json("GET", path)), "|")
            print("| a key that is known |", milliseconds(lambda: server.submit("first")), "|")
            server.stop()

        measure("One ended job", "--job-queue", "10000")
        for number in range(arguments.jobs):
            copy = data / "jobs" / f"job_{number:032x}"
            copy.mkdir()
            for file in (data / "jobs" / source).iterdir():
                os.link(file, copy / file.name)
        measure(f"{arguments.jobs:,} ended jobs", "--job-queue", "10000")
        server = Server(arguments.server, data, "--job-workers", "0", "--job-queue", "10000")
        for _ in range(arguments.unfinished):
            server.submit(f"key-{next(keys)}")
        server.stop()
        measure(f"And {arguments.unfinished:,} that have not ended", "--job-workers", "0", "--job-queue", "10000")


if __name__ == "__main__":
    main()
