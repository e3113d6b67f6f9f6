#!/usr/bin/env python3
"""Kills a server at random moments while it works on jobs, starts it again, and looks after what it had promised.

    Tests/EndToEnd/kill_during_jobs.py [--server .build/debug/ntk-server] [--kills 20] [--seed 0]

Fails if a job that was answered with 202 is missing, if the same Idempotency-Key gives another job, if a result is not, byte for byte, what
a server that is never killed answers, or if no kernel went on from blocks that had been finished. Only Python's standard library is needed.
"""
import argparse
import http.client
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kill_during_fits import Server as FitServer

STARTED = time.monotonic()


class Server(FitServer):
    def send(self, method: str, path: str, body: bytes = b"", headers: dict | None = None) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


def points(rng: random.Random, n: int) -> list:
    return [[rng.gauss(0, 1) for _ in range(3)] for _ in range(n)]


def requests() -> list[tuple[str, bytes]]:
    """Work of some tenths of a second up to some seconds, of each kind that is kept in its own way."""
    rng = random.Random(1)
    conv = {"type": "conv", "filter_shape": [3, 3], "padding": "same", "w_std": 1.4142135623730951}
    # Pooled, so that a pair takes enough for the kernel to be cut into several blocks.
    images = [[[[round(rng.gauss(0, 1), 3)] for _ in range(12)] for _ in range(12)] for _ in range(140)]
    serial = {"type": "serial", "layers": [conv, {"type": "relu"}, conv, {"type": "relu"}, {"type": "global_avg_pool"}, {"type": "dense"}]}
    mlp = {"type": "mlp", "depth": 3, "b_std": 0.1}
    network = {"architecture": {"type": "serial", "layers": [
        {"type": "dense", "width": 64, "parameterization": "ntk"}, {"type": "relu"}, {"type": "dense", "width": 1, "parameterization": "ntk"}]},
        "initialization": {"seed": 3}}
    train = points(rng, 40)
    return [(path, json.dumps(request).encode()) for path, request in [
        ("/v1/kernels", {"architecture": serial, "x1": images, "kinds": ["nngp", "ntk"]}),
        ("/v1/kernels", {"architecture": serial, "x1": images[:100], "x2": images[60:], "precision": "float32"}),
        ("/v1/predictions", {"kernel": {"architecture": mlp}, "x_train": points(rng, 300), "y_train": [rng.gauss(0, 1) for _ in range(300)],
                             "x_test": points(rng, 20), "ridge": 1e-3, "covariance": "full"}),
        ("/v1/trainings", {"network": network, "x_train": train, "y_train": [rng.gauss(0, 1) for _ in train], "steps": [0, 50, 200]}),
        ("/v1/kernels", {"architecture": mlp, "x1": points(rng, 600)}),
    ]]


def submit(server: Server, path: str, body: bytes, key: str) -> str:
    status, headers, answer = server.send(
        "POST", path, body, {"Content-Type": "application/json", "Prefer": "respond-async", "Idempotency-Key": key})
    assert status == 202, (status, answer)
    return headers["Location"]


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--kills", default=20, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    work = requests()
    jobs: dict[str, tuple[str, int]] = {}  # By key: where it is, and which request it was.
    pending: set[str] = set()
    resumed = 0
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other:
        reference = Server(arguments.server, other)
        try:
            expected = []
            for path, body in work:
                status, _, answer = reference.send("POST", path, body, {"Content-Type": "application/json", "Accept": "application/x-npz"})
                assert status == 200, answer
                expected.append(answer)
        finally:
            reference.kill()
        server = Server(arguments.server, data)
        try:
            for kill in range(arguments.kills):
                killer = threading.Timer(rng.uniform(0, 1.2), server.kill)
                killer.start()
                # A few more jobs than are done, so that there is always one in work.
                while len(pending) < 3:
                    key, index = f"key-{kill}-{len(jobs) + len(pending)}", rng.randrange(len(work))
                    pending.add(key)
                    jobs[key] = ("", index)
                    try:
                        jobs[key] = (submit(server, *work[index], key), index)
                    except (OSError, http.client.HTTPException, ValueError):
                        break  # Killed meanwhile: it is asked for again.
                killer.join()
                # The log of a kernel's blocks: a first line that tells the plan, then four bytes for each that is finished.
                logs = [path.read_bytes() for path in pathlib.Path(data, "jobs").glob("job_*/blocks")]
                partial = [log for log in logs if len(log.partition(b"\n")[2]) >= 4]
                server = Server(arguments.server, data)
                for key in sorted(pending):
                    location, index = jobs[key]
                    again = submit(server, *work[index], key)
                    assert location in ("", again), f"{key} was {location}, and is {again}"
                    jobs[key] = (again, index)
                    status, _, answer = server.send("GET", again)
                    assert status == 200, answer
                    if json.loads(answer)["status"] == "succeeded":
                        pending.discard(key)
                resumed += len(partial)
            deadline = time.monotonic() + 600
            for key, (location, index) in jobs.items():
                while True:
                    status, _, answer = server.send("GET", location)
                    assert status == 200, answer
                    job = json.loads(answer)
                    if job["finished_at"] is not None:
                        break
                    assert time.monotonic() < deadline, job
                    time.sleep(0.1)
                assert job["status"] == "succeeded", job
                status, _, answer = server.send("GET", location + "/result", headers={"Accept": "application/x-npz"})
                assert status == 200 and answer == expected[index], f"{key}: the result differs from that of a server that was not killed"
            listed = json.loads(server.send("GET", "/v1/jobs?limit=1000")[2])["jobs"]
            assert {f"/v1/jobs/{job['id']}" for job in listed} == {location for location, _ in jobs.values()}
            attempts = max(job["attempts"] for job in listed)
        finally:
            server.kill()
    print(f"{arguments.kills} kills, {len(jobs)} jobs, up to {attempts} attempts at one, {resumed} times with finished blocks of a kernel kept: "
          f"all results are, byte for byte, those of a server that was not killed ({time.monotonic() - STARTED:.0f} s)")
    sys.exit(0 if attempts > 1 and resumed > 0 else 1)


if __name__ == "__main__":
    main()
