#!/usr/bin/env python3
"""Makes calls on the file system fail, one after another, while a server fits, stores networks, works on jobs, reads and deletes.

    Tests/EndToEnd/fault_injection.py [--server .build/debug/ntk-server] [--faults 1000] [--seed 0]

The n-th call of some kind fails, for every n until none is left to fail, and with every error that a file system has. Fails if an answer is
neither that of an undisturbed server, byte for byte, nor a problem that says why; if anything that was promised is lost or half there; if a job
does not come to its end; or if the process dies. Needs gcc, and Python's standard library.
"""
import argparse
import errno
import http.client
import itertools
import json
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import served
from faults import WRITING, FaultyServer

STARTED = time.monotonic()
ERRORS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EMFILE]
POINTS = {"x": [[0.5, 0.25], [1.0, -1.0]]}


def send(port: int, method: str, path: str, body: dict | None = None, **fields: str) -> tuple[int, bytes]:
    headers = {name.replace("_", "-"): value for name, value in fields.items()} | ({"Content-Type": "application/json"} if body else {})
    status, _, answer = served.send(port, method, path, None if body is None else json.dumps(body), headers)
    return status, answer


class Refused(Exception):
    """A problem that says why."""


def checked(answer: tuple[int, bytes], *good: int) -> bytes:
    status, body = answer
    if status in good:
        return body
    problem = json.loads(body)
    assert status == 503 and problem["type"] == "/problems/unavailable" and problem["detail"], answer
    raise Refused(problem["detail"])


def fit(number: int) -> dict:
    return {"kernel": {"architecture": {"type": "mlp", "depth": 1}}, "x_train": [[float(number), 1.0], [0.5, -1.0], [2.0, 0.25]],
            "y_train": [1.0, 2.0, float(number)], "ridge": 0.1}


def network(number: int) -> dict:
    return {"architecture": {"type": "serial", "layers": [{"type": "dense", "width": 2}]},
            "parameters": {"0.weight": [[float(number), 0.5], [0.25, 1.0]], "0.bias": [0.0, 0.125]}}


def kernel(number: int) -> dict:
    points = [[float(number), float(i), (i * 7 % 11) / 8] for i in range(90)]
    return {"architecture": {"type": "mlp", "depth": 2, "b_std": 0.1}, "x1": points, "kinds": ["ntk", "nngp"]}


class Fits:
    """Each kind of thing: how it is made, and what it then answers."""
    name = "regressors"

    def make(self, port: int, number: int) -> str:
        return json.loads(checked(send(port, "POST", "/v1/regressors", fit(number)), 200, 201))["id"]

    def ask(self, port: int, identifier: str, number: int) -> bytes:
        return checked(send(port, "POST", f"/v1/regressors/{identifier}/predictions", POINTS), 200)

    def remove(self, port: int, identifier: str) -> None:
        checked(send(port, "DELETE", f"/v1/regressors/{identifier}"), 204, 404)


class Networks:
    name = "networks"

    def make(self, port: int, number: int) -> str:
        return json.loads(checked(send(port, "POST", "/v1/networks", network(number)), 200, 201))["id"]

    def ask(self, port: int, identifier: str, number: int) -> bytes:
        return checked(send(port, "POST", "/v1/network-outputs", {"network": identifier, "x": POINTS["x"]}), 200)

    def remove(self, port: int, identifier: str) -> None:
        checked(send(port, "DELETE", f"/v1/networks/{identifier}"), 204, 404)


class Jobs:
    name = "jobs"

    def make(self, port: int, number: int) -> str:
        path = checked(send(port, "POST", "/v1/kernels", kernel(number), Prefer="respond-async", Idempotency_Key=f"key-{number}"), 202)
        return json.loads(path)["id"]

    def ask(self, port: int, identifier: str, number: int) -> bytes:
        deadline = time.monotonic() + 100
        while True:
            job = json.loads(checked(send(port, "GET", f"/v1/jobs/{identifier}"), 200))
            if job["status"] not in ("queued", "running"):
                break
            assert time.monotonic() < deadline, job
            time.sleep(0.01)
        # Whatever failed, it was tried again.
        assert job["status"] == "succeeded", job
        try:
            return checked(send(port, "GET", f"/v1/jobs/{identifier}/result?format=npz"), 200)
        except (ConnectionResetError, http.client.IncompleteRead) as error:
            # A file that cannot be read on while it is sent.
            raise Refused("broken off") from error

    def remove(self, port: int, identifier: str) -> None:
        checked(send(port, "DELETE", f"/v1/jobs/{identifier}"), 204, 404)


class Campaign:
    def __init__(self, binary: pathlib.Path, scratch: pathlib.Path, rng: random.Random):
        self.rng = rng
        self.data = scratch / "data"
        self.faulty = FaultyServer(binary, scratch, self.data, "--cache-bytes", "1")
        self.reference = served.on_directory(binary, scratch / "reference")
        self.numbers = itertools.count(1)
        # What was promised: by kind and id the number it was made from, and what it answers.
        self.promised: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.kinds = {kind.name: kind for kind in (Fits(), Networks(), Jobs())}
        self.hits = self.refused = 0

    def close(self) -> None:
        for server in (self.faulty, self.reference):
            server.kill()

    def expected(self, kind, number: int) -> tuple[str, bytes]:
        port = self.reference.port
        identifier = kind.make(port, number)
        return identifier, kind.ask(port, identifier, number)

    def attempt(self, kind, step: str, nth: int, error: int, calls: list[str]) -> bool:
        """One step with one fault. Returns whether a call failed."""
        port, faults, number = self.faulty.port, self.faulty.faults, next(self.numbers)
        expected_id, expected = self.expected(kind, number)
        try:
            identifier = kind.make(port, number) if step != "make" else None
            if step == "remove":
                kind.ask(port, identifier, number)
            faults.fail_once(nth, error, calls)
            if step == "make":
                identifier = kind.make(port, number)
            if step in ("make", "ask"):
                # What it answers in spite of the fault is right.
                assert kind.ask(port, identifier, number) == expected
            if step == "remove":
                kind.remove(port, identifier)
        except Refused:
            self.refused += 1
        finally:
            hits = faults.stop()
        assert self.faulty.process.poll() is None, "the process died"
        # And without a fault all is as if nothing had been.
        if step == "remove":
            kind.remove(port, identifier)
            status, _ = send(port, "GET", f"/v1/{kind.name}/{identifier}")
            assert status == 404, status
        else:
            again = kind.make(port, number)
            assert again == expected_id and (identifier is None or identifier == again)
            assert kind.ask(port, again, number) == expected, f"{kind.name} {step} {nth} {errno.errorcode[error]}: another answer"
            self.promised[kind.name, again] = (number, expected)
        self.hits += hits
        return hits > 0

    def look_around(self) -> None:
        """Nothing that was promised is missing, nothing is half there or in the way."""
        port = self.faulty.port
        for name, kind in self.kinds.items():
            listed = json.loads(checked(send(port, "GET", f"/v1/{name}?limit=1000"), 200))[name]
            assert not any("unreadable" in entry for entry in listed), listed
            own = {identifier for other, identifier in self.promised if other == name}
            assert own == {entry["id"] for entry in listed}, f"{name}: {len(own)} promised, {len(listed)} listed"
            for identifier in self.rng.sample(sorted(own), min(5, len(own))):
                number, expected = self.promised[name, identifier]
                assert kind.ask(port, identifier, number) == expected
            left = [path.name for path in (self.data / name).iterdir() if path.name.startswith(".writing")]
            assert not left, left
            # The directory does not grow without end.
            while len(own) > 20:
                identifier = own.pop()
                kind.remove(port, identifier)
                del self.promised[name, identifier]
        # What only a running job needs, and a fault kept from being removed, goes when a server starts next.
        left = [str(path) for path in self.data.glob("jobs/job_*/*") if path.name.startswith(".")]
        assert not left, left

    def run(self, faults: int) -> None:
        # Writing in every way, then whatever reads, too.
        plans = [(kind, step, calls) for calls in (WRITING, [*WRITING, "open", "read", "list"], ["write"], ["sync"], ["rename"], ["allocate"])
                 for kind in self.kinds.values() for step in ("make", "remove", "ask")]
        for rounds in itertools.count():
            for kind, step, calls in plans:
                # Where calls to clear away fail, what is to be cleared away stays.
                calls = [call for call in calls if call != "remove"]
                nth = 0
                while self.hits < faults:
                    nth += 1
                    if not self.attempt(kind, step, nth, ERRORS[(nth + rounds) % len(ERRORS)], calls):
                        break
                self.look_around()
                if self.hits >= faults:
                    return


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--faults", default=1000, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        campaign = Campaign(arguments.server, pathlib.Path(scratch), random.Random(arguments.seed))
        try:
            campaign.run(arguments.faults)
        finally:
            campaign.close()
    print(f"{campaign.hits} calls on the file system failed during {next(campaign.numbers) - 1} fits, networks and jobs: {campaign.refused} were refused with the "
          f"reason, all others answered, byte for byte, what an undisturbed server answers, and all are there ({time.monotonic() - STARTED:.0f} s)")


if __name__ == "__main__":
    main()
