#!/usr/bin/env python3
"""Stops servers at random moments while they work on jobs (SIGSTOP), lets them go on later (SIGCONT), and looks after the results.

    Tests/EndToEnd/stop_during_jobs.py [--server .build/debug/ntk-server] [--stops 50] [--jobs 50] [--seed 0]

Two servers share a directory and work on its jobs; a third one answers. Most stops are longer than the lease, so that the other server goes on
with the job, and the one that wakes up finds that it has. Fails if a job does not succeed, if a result is not, byte for byte, what a server that
is never stopped answers, or if no job ever went over. Only Python's standard library is needed.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kill_during_fits import Server
from kill_during_jobs import Reference, requests, result, submit, variant

STARTED = time.monotonic()
LEASE = 3


class Worker(Server):
    """A server that others may take jobs from."""

    def __init__(self, binary: pathlib.Path, data: str, workers: int):
        command = [binary, "serve", "--port", "0", "--data-dir", data, "--log-level", "error", "--job-lease", str(LEASE), "--job-workers", str(workers)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--stops", default=50, type=int)
    parser.add_argument("--jobs", default=50, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    work = requests()
    jobs: list[tuple[str, str, bytes]] = []
    stops = 0
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other:
        front = Worker(arguments.server, data, 0)
        workers = [Worker(arguments.server, data, 1) for _ in range(2)]
        reference = Reference(arguments.server, other)

        def states() -> list[dict]:
            return json.loads(front.send("GET", "/v1/jobs?limit=1000")[2])["jobs"]

        def stop(worker: Worker, seconds: float) -> None:
            worker.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            worker.process.send_signal(signal.SIGCONT)

        try:
            deadline = time.monotonic() + 3600
            while True:
                listed = states()
                open_jobs = [job for job in listed if job["finished_at"] is None]
                # At least one has to go over.
                wanted = arguments.stops if any(job["attempts"] > 1 for job in listed) else max(arguments.stops, min(stops + 1, 10 * arguments.stops))
                # There is work as long as there are stops to come, and in all as many jobs as are wanted.
                while (len(jobs) < arguments.jobs or stops < wanted) and len(open_jobs) < 4:
                    name = list(work)[len(jobs)] if len(jobs) < len(work) else rng.choice(list(work))
                    path, body = work[name]
                    if "fit" in name:
                        body = variant(body, len(jobs))
                    location = submit(front, path, body, f"key-{len(jobs)}")
                    jobs.append((location, name, body))
                    open_jobs.append({})
                if stops >= wanted and not open_jobs:
                    break
                assert time.monotonic() < deadline, open_jobs
                time.sleep(rng.uniform(0, 1.5))
                if stops < wanted:
                    chosen = rng.choice(workers)
                    stops += 1
                    # Now and then so short that nothing goes over; or the other one, too.
                    seconds = rng.uniform(0.05, 1) if rng.random() < 0.2 else rng.uniform(LEASE + 2, LEASE + 5)
                    both = [threading.Thread(target=stop, args=[worker, rng.uniform(0.1, 2)]) for worker in workers if worker is not chosen and rng.random() < 0.2]
                    for thread in both:
                        thread.start()
                    stop(chosen, seconds)
                    for thread in both:
                        thread.join()
                    assert all(worker.process.poll() is None for worker in workers)
            for location, name, body in jobs:
                status, _, answer = front.send("GET", location)
                assert status == 200 and json.loads(answer)["status"] == "succeeded", answer
                status, _, answer = front.send("GET", location + "/result", headers={"Accept": "application/json" if "fit" in name else "application/x-npz"})
                assert status == 200 and result(front, name, body, answer) == reference.expected(name, work[name][0], body), \
                    f"{location}, {name}: the result differs from that of a server that was not stopped"
            attempts = [job["attempts"] for job in states()]
            # A server that woke up after the end of its job has left nothing behind.
            time.sleep(2)
            left = [str(path) for path in pathlib.Path(data, "jobs").glob("job_*/*") if path.name == "request" or path.name.startswith(".")]
            assert not left, left
        finally:
            for server in (front, *workers, reference.server):
                server.kill()
    went_over = sum(count > 1 for count in attempts)
    print(f"{stops} stops during {len(jobs)} jobs: {went_over} went over to another attempt, up to {max(attempts)} at one; all results are, byte for byte, those "
          f"of a server that was not stopped ({time.monotonic() - STARTED:.0f} s)")
    sys.exit(0 if went_over else 1)


if __name__ == "__main__":
    main()
