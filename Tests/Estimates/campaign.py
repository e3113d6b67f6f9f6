#!/usr/bin/env python3
"""Random requests of every kind, each asked first what it will cost: estimate / time must be within [0.1, 10].

    Tests/Estimates/campaign.py --server .build/release/ntk-server [--count 500] [--seed 0] [--target 0.01 0.2] [--limit 40] [--table FILE]

Time is what the server says it computed (Server-Timing), the least of some runs. Where other processes want the same cores that is more than
the request's own time: what is between it and the processor time divided by the workers will do. Below 5 ms what is off by less than 20 ms is
right as well.
Only Python's standard library is needed. The server must be a release build.
"""
import argparse
import functools
import http.client
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

import random_requests

BOUNDS = (0.1, 10)
# What takes less is decided by other things than what is computed.
LEAST, SLACK = 0.005, 0.02


class Server:
    def __init__(self, binary: str, directory: pathlib.Path):
        with open(directory / "log", "wb") as log:
            command = [binary, "serve", "--port", "0", "--workers", str(os.cpu_count()), "--data-dir", str(directory / "data")]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), line
        self.port = int(line.rsplit(":", 1)[1])
        self.workers = os.cpu_count()

    def post(self, path: str, body: bytes, **fields: str) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=200)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", "Request-Timeout": "90", **fields})
            response = connection.getresponse()
            content = response.read()
            return response.status, dict(response.getheaders()), content
        finally:
            connection.close()

    def processor(self) -> float:
        """Seconds that all threads have run so far, in hundredths."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, "the server did not stop cleanly"


class Refused(Exception):
    pass


def prepared(server: Server, path: str, body: dict) -> tuple[str, bytes]:
    """The request as it is sent; where it needs a regressor that is made first."""
    if "fit" in body:
        status, _, content = server.post("/v1/regressors", json.dumps(body.pop("fit")).encode())
        if status not in (200, 201):
            raise Refused(content[:300])
        path = path.format(json.loads(content)["id"])
    return path, json.dumps(body).encode()


def estimate(server: Server, path: str, body: bytes) -> float:
    status, _, content = server.post(path + "?estimate_only=true", body)
    if status != 200:
        raise Refused(content[:300])
    return json.loads(content)["estimate"]["seconds"]


def compute(server: Server, path: str, body: bytes) -> tuple[float, float]:
    """Seconds of computing, and the seconds that it would have taken if all cores had been there for it all the time."""
    before, used = time.monotonic(), server.processor()
    # Numbers as they are: to write them as text takes longer than to compute many a kernel.
    status, fields, content = server.post(path, body, Accept="application/x-npz, application/json;q=0.5")
    if status == 504:
        return (time.monotonic() - before,) * 2
    if status not in (200, 201):
        raise Refused(content[:300])
    timing = fields.get("server-timing") or fields.get("Server-Timing")
    seconds = float(re.search(r"compute;dur=([\d.]+)", timing).group(1)) / 1000
    # A hundredth more, as that is how finely it is counted.
    return seconds, min(seconds, (server.processor() - used + 0.01) / server.workers)


def sized(server: Server, make, seed: int, target: float) -> tuple[str, bytes, float]:
    """The request in the least size that is estimated to take so long."""
    for size in (4, 16, 64, 256, 1024, 4096):
        path, body = prepared(server, *make(random.Random(seed), size))
        seconds = estimate(server, path, body)
        if seconds >= target or len(body) > 20_000_000:
            break
    return path, body, seconds


def result(number, kind: str, expected: float, runs: list[tuple[float, float]], path: str, body: bytes) -> dict:
    seconds, alone = (min(times) for times in zip(*runs))
    # Of all times that the request may have taken alone the one that is nearest to the estimate.
    nearest = min(max(expected, min(alone, seconds)), seconds)
    return {"number": number, "kind": kind, "estimate": expected, "seconds": nearest, "path": path, "body": body.decode()}


def measure(server: Server, number: int, seed: int, target: tuple[float, float]) -> dict:
    """The least time of some runs of request `number`, and its estimate."""
    kind, make = random_requests.maker(number)
    rng = random.Random(f"{seed} {number}")
    for _ in range(30):
        own = rng.randrange(1 << 40)
        wanted = target[0] * (target[1] / target[0]) ** rng.random()
        try:
            path, body, expected = sized(server, make, own, wanted)
            runs = [compute(server, path, body)]
            # A regressor that is there is not fitted again, nor is its factor made again.
            if not path.startswith("/v1/regressors") and runs[0][0] < 2:
                runs += [compute(server, path, body) for _ in range(2)]
        except Refused as refusal:
            last = str(refusal.args[0])
            continue
        return result(number, kind, expected, runs, path, body)
    raise AssertionError(f"request {number} ({kind}) was refused thirty times, at last with {last}")


def measure_example(server: Server, name: str) -> dict:
    path, body = random_requests.EXAMPLES[name]
    body = json.dumps(body).encode()
    expected = estimate(server, path, body)
    return result("example", name, expected, [compute(server, path, body) for _ in range(3)], path, body)


def is_right(row: dict) -> bool:
    ratio = row["estimate"] / max(row["seconds"], 1e-9)
    if BOUNDS[0] <= ratio <= BOUNDS[1]:
        return True
    return row["seconds"] < LEAST and abs(row["estimate"] - row["seconds"]) < SLACK


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first request")
    parser.add_argument("--stride", type=int, default=1, help="from a request's number to the next one's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", type=float, nargs=2, default=(0.01, 0.2))
    parser.add_argument("--limit", type=float, default=1e9, help="seconds after which no more requests are begun")
    parser.add_argument("--table", help="where every request's line goes")
    options = parser.parse_args()
    start = time.monotonic()
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        server = Server(options.server, pathlib.Path(directory))
        try:
            examples = [functools.partial(measure_example, server, name) for name in random_requests.EXAMPLES]
            others = [functools.partial(measure, server, options.first + number * options.stride, options.seed, tuple(options.target))
                      for number in range(options.count)]
            for one in examples + others:
                if time.monotonic() - start > options.limit:
                    break
                row = one()
                rows.append(row)
                if options.table:
                    with open(options.table, "a") as table:
                        print(f"{row['estimate'] / max(row['seconds'], 1e-9):9.3f} {row['estimate']:.5f} {row['seconds']:.5f} "
                              f"{row['number']} {row['kind']} {row['path']} {row['body'][:600]}", file=table)
        finally:
            server.stop()
    wrong = [row for row in rows if not is_right(row)]
    for row in wrong:
        print(f"request {row['number']} ({row['kind']}): estimated {row['estimate']:.4f} s, took {row['seconds']:.4f} s: "
              f"{row['path']} {row['body'][:400]}", file=sys.stderr)
    ratios = [row["estimate"] / max(row["seconds"], 1e-9) for row in rows if row["seconds"] >= LEAST] or [1]
    print(f"{len(rows)} requests in {time.monotonic() - start:.0f} s, {len(ratios)} of them of {LEAST * 1000:.0f} ms and more: estimate / time "
          f"{min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}; {len(wrong)} outside [{BOUNDS[0]}, {BOUNDS[1]}]")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
