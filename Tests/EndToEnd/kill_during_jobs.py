#!/usr/bin/env python3
"""Kills a server at random moments while it works on jobs, starts it again, and looks after what it had promised.

    Tests/EndToEnd/kill_during_jobs.py [--server .build/debug/ntk-server] [--kills 20] [--seed 0]

Fails if a job that was answered with 202 is missing, if the same Idempotency-Key gives another job, if a result is not, byte for byte, what
a server that is never killed answers, if anything is left that only a running job needs, or if none went on from blocks that had been
finished. Only Python's standard library is needed.
"""
import argparse
import collections
import http.client
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from served import Served, on_directory

STARTED = time.monotonic()
# To ask regressors at.
POINTS = 3


def points(rng: random.Random, n: int, features: int = 3) -> list:
    return [[round(rng.gauss(0, 1), 3) for _ in range(features)] for _ in range(n)]


def requests() -> dict[str, tuple[str, bytes]]:
    """Work of some tenths of a second up to some seconds, of each kind that is kept in its own way."""
    rng = random.Random(1)
    conv = {"type": "conv", "filter_shape": [3, 3], "padding": "same", "w_std": 1.4142135623730951}
    # Pooled, so that a pair takes enough for the kernel to be cut into several blocks.
    images = [[[[round(rng.gauss(0, 1), 3)] for _ in range(12)] for _ in range(12)] for _ in range(140)]
    cnn = {"type": "serial", "layers": [conv, {"type": "relu"}, conv, {"type": "relu"}, {"type": "global_avg_pool"}, {"type": "dense"}]}
    mlp = {"type": "mlp", "depth": 3, "b_std": 0.1}

    def dense(width: int) -> dict:
        return {"type": "dense", "width": width, "parameterization": "ntk"}

    def network(*widths: int) -> dict:
        layers = [layer for width in widths for layer in (dense(width), {"type": "relu"})][:-1]
        return {"architecture": {"type": "serial", "layers": layers}, "initialization": {"seed": 3}}

    train, targets = points(rng, 140), [rng.gauss(0, 1) for _ in range(140)]
    fit = {"kernel": {"architecture": cnn}, "x_train": images, "y_train": targets, "ridge": 1e-3}
    # Layers so wide that only some points go together.
    wide = points(rng, 180)
    return {name: (path, json.dumps(request).encode()) for name, path, request in [
        ("kernel of two sets", "/v1/kernels", {"architecture": cnn, "x1": images[:100], "x2": images[60:], "precision": "float32"}),
        ("empirical kernel of two sets", "/v1/empirical-kernels",
         {"network": network(100_000, 10), "x1": wide[:100], "x2": wide[100:], "outputs": "diagonal", "precision": "float32"}),
        ("fit", "/v1/regressors", fit),
        ("short kernel", "/v1/kernels", {"architecture": mlp, "x1": points(rng, 600)}),
        ("fit by conjugate gradients", "/v1/regressors", fit | {"solver": "conjugate_gradient", "ridge": 1e-2}),
        ("training", "/v1/trainings",
         {"network": network(1_000, 500, 1), "x_train": train, "y_train": targets, "steps": [0, 30, 120], "momentum": 0.5}),
        ("convergence", "/v1/convergence", {"architecture": {"type": "mlp", "depth": 2}, "x": train[:8], "widths": [64, 4_096], "samples": 20}),
        ("prediction of a network", "/v1/predictions", {
            "kernel": {"network": network(200_000, 2)}, "x_train": wide, "y_train": points(rng, 180, 2), "x_test": wide[:60], "ridge": 1e-3}),
        ("short prediction", "/v1/predictions", {
            "kernel": {"architecture": mlp}, "x_train": points(rng, 300), "y_train": [rng.gauss(0, 1) for _ in range(300)],
            "x_test": points(rng, 20), "ridge": 1e-3, "covariance": "full"}),
        ("kernel", "/v1/kernels", {"architecture": cnn, "x1": images, "kinds": ["nngp", "ntk"]}),
        ("empirical kernel", "/v1/empirical-kernels", {"network": network(100_000, 10), "x1": wide, "kinds": ["nngp", "ntk"], "layerwise": True}),
        ("prediction", "/v1/predictions", fit | {"x_test": images[:70], "covariance": "full", "posterior": "ensemble"}),
    ]}


def submit(server: Served, path: str, body: bytes, key: str) -> str:
    status, headers, answer = server.send(
        "POST", path, body, {"Content-Type": "application/json", "Prefer": "respond-async", "Idempotency-Key": key})
    assert status == 202, (status, answer)
    return headers["Location"]


def variant(fit: bytes, number: int) -> bytes:
    """Another fit: one that was made before would be found."""
    request = json.loads(fit)
    return json.dumps(request | {"ridge": request["ridge"] * (1 + number)}).encode()


def result(server: Served, name: str, body: bytes, answer: bytes) -> bytes:
    """What was answered; of a regressor, which bears the time of its making, what it predicts."""
    if "fit" not in name:
        return answer
    regressor = json.loads(answer)
    images = json.dumps({"x": json.loads(body)["x_train"][:POINTS]}).encode()
    status, _, prediction = server.send("POST", f"/v1/regressors/{regressor['id']}/predictions", images, {"Content-Type": "application/json"})
    assert status == 200, prediction
    return json.dumps(regressor["diagnostics"]).encode() + prediction


class Reference:
    """A server that is never killed."""

    def __init__(self, binary: pathlib.Path, data: str):
        self.server = on_directory(binary, data)
        self.results: dict[tuple[str, bytes], bytes] = {}

    def expected(self, name: str, path: str, body: bytes) -> bytes:
        if (name, body) not in self.results:
            accept = "application/json" if "fit" in name else "application/x-npz"
            status, _, answer = self.server.send("POST", path, body, {"Content-Type": "application/json", "Accept": accept})
            assert status in (200, 201), (name, answer)
            self.results[name, body] = result(self.server, name, body, answer)
        return self.results[name, body]


def kept(data: str) -> dict[str, int]:
    """The unfinished jobs that have blocks, and how many.

    A log of blocks has a first line that tells the plan, then eight bytes for each that is finished.
    """
    found: dict[str, int] = collections.Counter()
    for log in pathlib.Path(data, "jobs").glob("job_*/*blocks"):
        if not (log.parent / "outcome.json").exists():
            found[log.parent.name] += len(log.read_bytes().partition(b"\n")[2]) // 8
    return {job: count for job, count in found.items() if count}


def running(data: str) -> dict[str, int]:
    """The attempts at jobs that nobody has ended."""
    states = {path.parent.name: json.loads(path.read_text()) for path in pathlib.Path(data, "jobs").glob("job_*/state.json")
              if not (path.parent / "outcome.json").exists()}
    return {job: state["attempt"] for job, state in states.items() if state["status"] == "running"}


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--kills", default=20, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    work = requests()
    jobs: dict[str, tuple[str, str, bytes]] = {}  # By key: where it is, and which request it was.
    pending: set[str] = set()
    resumed: dict[str, int] = collections.Counter()
    kills = missed = 0
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other:
        server = on_directory(arguments.server, data)
        reference = Reference(arguments.server, other)
        before: dict[str, int] = {}
        try:
            while kills < arguments.kills:
                # Mostly before much is done; now and then late enough for any job to come on.
                killer = threading.Timer(rng.uniform(0, 1.2) if rng.random() < 0.7 else rng.uniform(1, 6), server.kill)
                killer.start()
                # A few more jobs than are done, so that there is always one in work.
                while len(pending) < 3:
                    # Each in its turn, then by chance.
                    key, name = f"key-{kills + missed}-{len(jobs)}", list(work)[len(jobs)] if len(jobs) < len(work) else rng.choice(list(work))
                    pending.add(key)
                    body = variant(work[name][1], len(jobs)) if "fit" in name else work[name][1]
                    jobs[key] = ("", name, body)
                    try:
                        jobs[key] = (submit(server, work[name][0], body, key), name, body)
                    except (OSError, http.client.HTTPException, ValueError):
                        break  # Killed meanwhile: it is asked for again.
                killer.join()
                # Only those that met an attempt at a job count.
                after = running(data)
                met = any(attempt > before.get(job, 0) for job, attempt in after.items())
                kills += met
                missed += not met
                before = after
                names = {location.rpartition("/")[2]: name for location, name, _ in jobs.values()}
                for job in kept(data):
                    if job in names:
                        resumed[names[job]] += 1
                server = on_directory(arguments.server, data)
                for key in sorted(pending):
                    location, name, body = jobs[key]
                    again = submit(server, work[name][0], body, key)
                    assert location in ("", again), f"{key} was {location}, and is {again}"
                    jobs[key] = (again, name, body)
                    status, _, answer = server.send("GET", again)
                    assert status == 200, answer
                    if json.loads(answer)["status"] == "succeeded":
                        pending.discard(key)
            deadline = time.monotonic() + 600
            for key, (location, name, body) in jobs.items():
                while True:
                    status, _, answer = server.send("GET", location)
                    assert status == 200, answer
                    job = json.loads(answer)
                    if job["finished_at"] is not None:
                        break
                    assert time.monotonic() < deadline, job
                    time.sleep(0.1)
                assert job["status"] == "succeeded", (job, server.send("GET", f"/v1/jobs/{job['id']}/result"))
                status, _, answer = server.send("GET", location + "/result", headers={"Accept": "application/json" if "fit" in name else "application/x-npz"})
                assert status == 200 and result(server, name, body, answer) == reference.expected(name, work[name][0], body), \
                    f"{key}, {name}: the result differs from that of a server that was not killed"
            listed = json.loads(server.send("GET", "/v1/jobs?limit=1000")[2])["jobs"]
            assert {f"/v1/jobs/{job['id']}" for job in listed} == {location for location, _, _ in jobs.values()}
            attempts = max(job["attempts"] for job in listed)
            left = [path for path in pathlib.Path(data, "jobs").glob("job_*/*") if path.name == "request" or "blocks" in path.name or "work" in path.name]
            assert not left, left
        finally:
            server.kill()
            reference.server.kill()
    print(f"{kills} kills during jobs ({missed} more when none was running), {len(jobs)} jobs, up to {attempts} attempts at one: all are there, and all "
          f"results are, byte for byte, those of a server that was not killed ({time.monotonic() - STARTED:.0f} s). Went on from finished blocks: "
          + ", ".join(f"{name} {count} times" for name, count in sorted(resumed.items())))
    sys.exit(0 if attempts > 1 and resumed else 1)


if __name__ == "__main__":
    main()
