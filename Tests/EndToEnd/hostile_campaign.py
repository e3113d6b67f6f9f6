#!/usr/bin/env python3
"""Random requests to all endpoints, most of them with absurd numbers, and a probe beside them that asks whether the server lives.

    Tests/EndToEnd/hostile_campaign.py --server .build/release/ntk-server [--count 1000000 | --seconds 60] [--seed 0]
    Tests/EndToEnd/hostile_campaign.py --server … --again SEED:CONNECTION:NUMBER     # One request of a campaign, with what it is answered

Fails if the server dies, answers 5xx but 503 (with Retry-After) or 504, sends JSON with a NaN, closes a connection without an answer, takes longer
than a request's Request-Timeout and a second, or more memory than its budget and the program's own; or if one in a hundred probes takes 100 ms.
Each fault is printed with what repeats it.

Others may have the machine meanwhile: a request that was late is sent once more to a server of its own, and counts if it is late there, or was by
more than ten seconds; what the probe sleeps too long is taken off its times.
"""
import argparse
import collections
import json
import multiprocessing
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import yaml
from hostile.connection import Connection
from hostile.generator import Generator
from hostile.request import Request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUDGET = 1 << 30
# Bytes that the program takes beside what requests reserve: code, stacks, buffers of connections, what its allocator keeps.
PROGRAM = 384 << 20
PROBE_SECONDS = 0.1
# Beyond a request's Request-Timeout: what is asked again, and what is too long on any machine.
LATE, TOO_LATE = 1, 10
# As many are sent again at the most.
MOST_LATE = 100


class Server:
    def __init__(self, binary: pathlib.Path, directory: pathlib.Path):
        self.log = directory / "log"
        command = [str(binary), "serve", "--port", "0", "--data-dir", str(directory / "data"), "--memory-budget", str(BUDGET), "--memory-wait", "2",
                   "--max-connections-per-address", "0", "--job-queue", "10", "--job-storage", str(64 << 20), "--log-level", "warning"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def peak(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def fault(request: Request, status: int, fields: dict[str, str], body: bytes, seconds: float) -> str | None:
    if status >= 500 and status not in (503, 504):
        return f"status {status}: {body[:300]!r}"
    if status == 503 and "retry-after" not in fields:
        return f"503 without Retry-After: {body[:300]!r}"
    if seconds > request.timeout + TOO_LATE:
        return f"status {status} after {seconds:.2f} s; {request.timeout} s were given"
    if "json" in fields.get("content-type", "") and "content-encoding" not in fields and len(body) < 1 << 18 and request.method != "HEAD":
        def refuse(word: str) -> None:
            raise ValueError(f"{word} in an answer")
        try:
            json.loads(body, parse_constant=refuse)
        except ValueError as error:
            return f"{error}: {body[:300]!r}"
    return None


def crash(log: pathlib.Path) -> str:
    """What a server that died says: from the thread that crashed on, where there is one."""
    text = log.read_text(errors="replace")
    start = max(text.rfind("Fatal error"), text.rfind("*** "), 0)
    return text[start : start + 12_000] if start else text[-3000:]


def send(number: int, port: int, seed: int, share: int, end: float, done, current, events) -> None:
    """One connection: its requests are told by the seed, its number and theirs, but for the ids of what other requests have made."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    generator, connection = Generator(document), Connection(port)
    answers: collections.Counter = collections.Counter()
    for index in range(share):
        if time.monotonic() > end or done.value:
            break
        request = generator.request(random.Random(f"{seed}:{number}:{index}"))
        current[number] = index
        try:
            status, fields, body, seconds = connection.exchange(request.message(), request.timeout + 10)
        except (OSError, ValueError) as error:
            events.put(("fault", number, index, repr(error)))
            answers["none"] += 1
            # The server has ended, or will say so to all.
            time.sleep(0.2)
            continue
        found = fault(request, status, fields, body, seconds)
        if found:
            events.put(("fault", number, index, found))
        elif seconds > request.timeout + LATE:
            events.put(("late", number, index, seconds - request.timeout))
        answers[status] += 1
        generator.learn(request, status, body)
        if sum(answers.values()) % 200 == 0:
            events.put(("answers", answers))
            answers = collections.Counter()
    events.put(("answers", answers))
    events.put(("end", number))


def probe(port: int, done, events) -> None:
    connection, times, sleeps = Connection(port), [], []
    message = Request("GET", "/livez").message()
    while not done.value:
        start = time.monotonic()
        try:
            status = connection.exchange(message, 30)[0]
        except OSError as error:
            events.put(("probe-fault", repr(error)))
            break
        times.append(time.monotonic() - start if status == 200 else 30.0)
        start = time.monotonic()
        time.sleep(0.005)
        sleeps.append(time.monotonic() - start - 0.005)
    events.put(("probe", times, sleeps))


def campaign(arguments: argparse.Namespace) -> list[str]:
    faults: list[str] = []
    late: list[str] = []
    answers: collections.Counter = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        server = Server(arguments.server, pathlib.Path(name))
        events, done = multiprocessing.Queue(), multiprocessing.Value("b", 0)
        current = multiprocessing.Array("q", arguments.connections)
        start = time.monotonic()
        end = start + (arguments.seconds or 1e9)
        share = -(-(arguments.count or 1 << 60) // arguments.connections)
        senders = [multiprocessing.Process(target=send, args=(k, server.port, arguments.seed, share, end, done, current, events), daemon=True)
                   for k in range(arguments.connections)]
        prober = multiprocessing.Process(target=probe, args=(server.port, done, events), daemon=True)
        for process in [prober, *senders]:
            process.start()
        left, times, printed = len(senders), [], start
        while left:
            kind, *rest = events.get()
            if kind == "fault":
                number, index, text = rest
                faults.append(f"--again {arguments.seed}:{number}:{index}   {text}")
                print(faults[-1], flush=True)
            elif kind == "late":
                late.append(f"{arguments.seed}:{rest[0]}:{rest[1]}")
            elif kind == "answers":
                answers.update(rest[0])
            elif kind == "end":
                left -= 1
            elif kind == "probe-fault":
                faults.append(f"the probe: {rest[0]}")
            if server.process.poll() is not None or len(faults) > 100:
                faults.append(f"the server ended with {server.process.poll()}; being asked: "
                              + ", ".join(f"--again {arguments.seed}:{k}:{index}" for k, index in enumerate(current)))
                done.value = 1
                break
            if time.monotonic() > printed + 30:
                printed = time.monotonic()
                print(f"{sum(answers.values())} requests in {printed - start:.0f} s", flush=True)
        seconds = time.monotonic() - start
        done.value = 1
        while not times:
            kind, *rest = events.get(timeout=60)
            if kind == "probe":
                times, sleeps = sorted(rest[0]) or [0.0], sorted(rest[1]) or [0.0]
        for process in [prober, *senders]:
            process.terminate()
        if server.process.poll() is None:
            peak = server.peak()
            if peak > BUDGET + PROGRAM:
                faults.append(f"{peak >> 20} MiB were taken; the budget is {BUDGET >> 20} MiB")
            server.process.terminate()
            try:
                if server.process.wait(60) != 0:
                    faults.append("the server did not end cleanly")
            except subprocess.TimeoutExpired:
                faults.append("the server did not end within a minute")
                server.process.kill()
            print(f"peak memory {peak >> 20} MiB of a budget of {BUDGET >> 20} MiB and the program")
        else:
            print(crash(server.log))
        print(f"{len(late)} were late: they are sent again")
        for place in late[:MOST_LATE]:
            faults += [f"--again {place}   {text}" for text in again(arguments.server, place, prints=False)]
        share = lambda part, times=times: times[min(int(part * len(times)), len(times) - 1)] * 1000
        print(f"probe: {len(times)} answers, median {share(0.5):.1f} ms, p99 {share(0.99):.1f} ms, longest {times[-1] * 1000:.0f} ms; "
              f"it slept {share(0.99, sleeps):.1f} ms too long in one of a hundred")
        # The server waits for the machine as the probe does, before it reads and before it writes.
        if share(0.99) - 2 * share(0.99, sleeps) > PROBE_SECONDS * 1000:
            faults.append(f"one probe in a hundred took {share(0.99):.0f} ms or more")
        total = sum(answers.values())
        print(f"seed {arguments.seed}: {total} requests in {seconds:.0f} s ({total / seconds:.0f}/s): "
              + ", ".join(f"{status} {count}" for status, count in sorted(answers.items(), key=str)))
    return faults


def again(binary: pathlib.Path, place: str, prints: bool = True) -> list[str]:
    """One request of a campaign to a server of its own, twice where it is late: what the server does at its start is no fault of the request."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    request = Generator(document).request(random.Random(place))
    if prints:
        print(request.message()[:4000].decode("utf-8", "backslashreplace"))
    with tempfile.TemporaryDirectory() as name:
        server = Server(binary, pathlib.Path(name))
        try:
            for _ in range(2):
                try:
                    status, fields, body, seconds = Connection(server.port).exchange(request.message(), request.timeout + 60)
                except OSError as error:
                    time.sleep(0.5)
                    return [f"{error!r}; the server's status is {server.process.poll()}", crash(server.log)]
                if prints:
                    print(f"{status} after {seconds:.3f} s: {body[:1000]!r}")
                found = fault(request, status, fields, body, seconds)
                if found:
                    return [found]
                if seconds <= request.timeout + LATE:
                    return []
            return [f"status {status} after {seconds:.2f} s; {request.timeout} s were given"]
        finally:
            server.process.kill()
            server.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=None, help="a random one is taken and printed")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--again", metavar="SEED:CONNECTION:NUMBER")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {arguments.seed}", flush=True)
    faults = again(arguments.server, arguments.again) if arguments.again else campaign(arguments)
    for text in faults[-20:]:
        print(f"FAULT {text}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
