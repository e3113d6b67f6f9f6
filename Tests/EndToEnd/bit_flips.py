#!/usr/bin/env python3
"""Flips bits of the files in a data directory, one after another, and compares what a server answers with what it answered before.

    Tests/EndToEnd/bit_flips.py [--server .build/debug/ntk-server] [--flips 2000] [--seed 0]

Of fits, networks and jobs that have ended, any bit of any file; of jobs that were broken off by a kill, too, which then go on. Fails if an answer
is neither, byte for byte, what it was, nor a problem that names the damage; if what is damaged is missing in its list; if it is not made anew when
it is asked for again; or if the process dies. Only Python's standard library is needed.
"""
import argparse
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from fault_injection import Fits, Jobs, Networks, send
from served import Served, on_directory

STARTED = time.monotonic()
# Of a job: some seconds' work in blocks.
LONG = {"architecture": {"type": "serial", "layers": [
    {"type": "conv", "filter_shape": [3, 3], "padding": "same"}, {"type": "relu"}, {"type": "global_avg_pool"}, {"type": "dense"}]}}


class Damaged(Exception):
    """A problem that says what is damaged."""


def told(answer: tuple[int, bytes], *good: int) -> bytes:
    status, body = answer
    if status in good:
        return body
    problem = json.loads(body)
    assert status == 500 and problem["type"] == "/problems/damaged-artifact" and problem["detail"], answer
    raise Damaged(problem["detail"])


def asked(port: int, kind, identifier: str) -> list[bytes]:
    """All that a server says of what it has stored, but for what changes by itself."""
    if kind.name == "regressors":
        return [told(send(port, "GET", f"/v1/regressors/{identifier}"), 200),
                told(send(port, "POST", f"/v1/regressors/{identifier}/predictions", {"x": [[0.5, 0.25], [1.0, -1.0]], "covariance": "full"}), 200)]
    if kind.name == "networks":
        return [told(send(port, "GET", f"/v1/networks/{identifier}"), 200),
                told(send(port, "POST", "/v1/network-outputs", {"network": identifier, "x": [[0.5, 0.25], [1.0, -1.0]]}), 200)]
    return [told(send(port, "GET", f"/v1/jobs/{identifier}/result?format={form}"), 200) for form in ("npz", "json")]


def flip(file: pathlib.Path, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    # As a disk does it: the file stays the same one.
    with open(file, "r+b") as target:
        target.write(content)


class Campaign:
    def __init__(self, binary: pathlib.Path, scratch: pathlib.Path, rng: random.Random):
        self.binary, self.scratch, self.rng = binary, scratch, rng
        self.data = scratch / "data"
        self.server: Served | None = None
        self.flips = self.seen = self.redone = 0
        self.files: dict[str, int] = {}

    def start(self) -> None:
        """A server that knows nothing yet, and keeps next to nothing."""
        self.close()
        self.server = on_directory(self.binary, self.data, "--cache-bytes", "1")

    def close(self) -> None:
        if self.server:
            self.server.kill()
        self.server = None

    def count(self, file: pathlib.Path) -> None:
        self.flips += 1
        self.files[file.name] = self.files.get(file.name, 0) + 1

    # MARK: What has ended

    def prepare(self) -> None:
        self.start()
        self.kinds = [Fits(), Networks(), Jobs()]
        self.made = {kind.name: kind.make(self.server.port, 1) for kind in self.kinds}
        for kind in self.kinds:
            kind.ask(self.server.port, self.made[kind.name], 1)
        self.right = {kind.name: asked(self.server.port, kind, self.made[kind.name]) for kind in self.kinds}

    def listed(self, kind) -> dict:
        entries = json.loads(told(send(self.server.port, "GET", f"/v1/{kind.name}"), 200))[kind.name]
        assert len(entries) == 1, entries
        return entries[0]

    def place(self, kind) -> pathlib.Path:
        return self.data / kind.name / self.made[kind.name].removeprefix("net_")

    def flip_one(self) -> None:
        kind = self.rng.choice(self.kinds)
        identifier = self.made[kind.name]
        file = self.rng.choice([path for path in sorted(self.place(kind).iterdir()) if path.is_file() and path.stat().st_size])
        bit = self.rng.randrange(file.stat().st_size * 8)
        what = f"bit {bit} of {kind.name}/{file.name}"
        flip(file, bit)
        self.count(file)
        if self.rng.random() < 0.1:
            self.start()
        is_damaged = False
        try:
            for come, right in zip(asked(self.server.port, kind, identifier), self.right[kind.name]):
                assert come == right, f"{what}: another answer"
        except Damaged:
            is_damaged = True
            self.seen += 1
        assert self.server.process.poll() is None, f"{what}: the process died"
        entry = self.listed(kind)
        assert entry["id"] == identifier and (not is_damaged or entry["status"] == "damaged"), f"{what}: {entry}"
        if self.rng.random() < 0.3:
            # Asked for again.
            assert kind.make(self.server.port, 1) == identifier, what
            kind.ask(self.server.port, identifier, 1)
            self.redone += is_damaged
            # A regressor that is made anew bears another date.
            come = asked(self.server.port, kind, identifier)
            assert come[1:] == self.right[kind.name][1:], f"{what}: another answer after it was made anew"
            self.right[kind.name] = come
            if not is_damaged and file.exists():
                # What nobody reads may stay so; the next flips are of what was written.
                self.repair(kind)
        else:
            flip(file, bit)
            if is_damaged:
                self.start()
            assert asked(self.server.port, kind, identifier) == self.right[kind.name], f"{what}, and back: another answer"

    def repair(self, kind) -> None:
        kind.remove(self.server.port, self.made[kind.name])
        assert kind.make(self.server.port, 1) == self.made[kind.name]
        kind.ask(self.server.port, self.made[kind.name], 1)
        come = asked(self.server.port, kind, self.made[kind.name])
        assert come[1:] == self.right[kind.name][1:]
        self.right[kind.name] = come

    # MARK: What was broken off

    def break_off(self) -> None:
        """A job that was killed in the middle, with some of its blocks."""
        self.close()
        rng = random.Random(5)
        images = [[[[round(rng.gauss(0, 1), 3)] for _ in range(10)] for _ in range(10)] for _ in range(110)]
        self.long = json.dumps(LONG | {"x1": images})
        _, _, self.expected = self.unbroken()
        for _ in range(50):
            shutil.rmtree(self.scratch / "broken", ignore_errors=True)
            server = on_directory(self.binary, self.scratch / "broken")
            identifier = self.submit(server)
            place = self.scratch / "broken/jobs" / identifier
            while not (place / "outcome.json").exists() and not ((place / "blocks").exists() and len((place / "blocks").read_bytes().partition(b"\n")[2]) >= 8):
                time.sleep(0.002)
            server.kill()
            if not (place / "outcome.json").exists():
                self.broken = identifier
                return
        raise AssertionError("no job could be broken off")

    def submit(self, server: Served) -> str:
        status, _, job = server.send("POST", "/v1/kernels", self.long, {"Content-Type": "application/json", "Prefer": "respond-async", "Idempotency-Key": "long"})
        assert status == 202, job
        return json.loads(job)["id"]

    def unbroken(self) -> tuple[int, dict, bytes]:
        server = on_directory(self.binary, self.scratch / "unbroken")
        try:
            return server.send("POST", "/v1/kernels", self.long, {"Content-Type": "application/json", "Accept": "application/x-npz"})
        finally:
            server.kill()

    def flip_broken(self) -> None:
        copy = self.scratch / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.scratch / "broken", copy)
        place = copy / "jobs" / self.broken
        file = self.rng.choice([path for path in sorted(place.iterdir()) if path.is_file() and path.stat().st_size])
        bit = self.rng.randrange(file.stat().st_size * 8)
        what = f"bit {bit} of an unfinished job's {file.name}"
        flip(file, bit)
        self.count(file)
        server = on_directory(self.binary, copy)
        try:
            for attempt in range(2):
                try:
                    assert self.result(server, what) == self.expected, f"{what}: another result"
                    break
                except Damaged:
                    assert attempt == 0, f"{what}: it stays damaged"
                    self.seen += 1
                    self.redone += 1
                    # Asked for again, it is done again.
                    assert self.submit(server) == self.broken
            assert server.process.poll() is None, f"{what}: the process died"
        finally:
            server.kill()

    def result(self, server: Served, what: str) -> bytes:
        deadline = time.monotonic() + 100
        path = f"/v1/jobs/{self.broken}"
        while json.loads(told(send(server.port, "GET", path), 200))["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, f"{what}: it does not end"
            time.sleep(0.02)
        return told(send(server.port, "GET", path + "/result?format=npz"), 200)

    def run(self, flips: int) -> None:
        """A tenth of them of a job that was broken off."""
        self.prepare()
        while self.flips < flips - flips // 10:
            self.flip_one()
        self.break_off()
        while self.flips < flips:
            self.flip_broken()


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--flips", default=2000, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        campaign = Campaign(arguments.server, pathlib.Path(scratch), random.Random(arguments.seed))
        try:
            campaign.run(arguments.flips)
        finally:
            campaign.close()
    files = ", ".join(f"{name} {count}" for name, count in sorted(campaign.files.items()))
    print(f"{campaign.flips} bits flipped ({files}): {campaign.seen} were told of by name, {campaign.redone} of these were then made anew; all other answers are, byte for "
          f"byte, what they were ({time.monotonic() - STARTED:.0f} s)")


if __name__ == "__main__":
    main()
