#!/usr/bin/env python3
"""Stops servers at random moments while they work on jobs (SIGSTOP), lets them go on later (SIGCONT), and looks after the results.

    Tests/EndToEnd/stop_during_jobs.py [--server .build/debug/ntk-server] [--stops 50] [--jobs 50] [--seed 0]

Two servers share a directory and work on its jobs; a third one answers. Most stops last until the other server has gone on with a job, so that
the one that wakes up finds that it has. Fails if a job does not succeed, if a result is not, byte for byte, what a server that is never stopped
answers, or if fewer than a tenth of the stops made a job go over. Only Python's standard library is needed.
"""
import argparse
import json
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kill_during_jobs import Reference, requests, result, submit, variant
from served import Served, on_directory

STARTED = time.monotonic()
LEASE = 3


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
    stops = took_over = 0
    # Else nothing was tried.
    needed = max(1, arguments.stops // 10)
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other:
        def start(workers: int) -> Served:
            return on_directory(arguments.server, data, "--job-lease", str(LEASE), "--job-workers", str(workers))

        front = start(0)
        # Each can take what the other one leaves.
        workers = [start(2) for _ in range(2)]
        reference = Reference(arguments.server, other)

        def states() -> list[dict]:
            return json.loads(front.send("GET", "/v1/jobs?limit=1000")[2])["jobs"]

        def are_missing() -> bool:
            return stops < arguments.stops or (took_over < needed and stops < 10 * arguments.stops)

        def attempts() -> dict[str, int]:
            return {job["id"]: job["attempts"] for job in states()}

        def stop(worker: Served, seconds: float, is_patient: bool = False) -> bool:
            """Whether a job went over meanwhile, which ends what patience there is."""
            before = attempts()
            worker.process.send_signal(signal.SIGSTOP)
            end = time.monotonic() + seconds
            went_over = False
            while is_patient and not went_over and time.monotonic() < end and any(job["finished_at"] is None for job in states()):
                time.sleep(0.2)
                went_over = any(count > before.get(job, 1) for job, count in attempts().items())
            # Then it wakes up at any moment of the other's work.
            time.sleep(rng.uniform(0, 2) if is_patient else seconds)
            worker.process.send_signal(signal.SIGCONT)
            return went_over

        try:
            deadline = time.monotonic() + 3600
            while True:
                listed = states()
                open_jobs = [job for job in listed if job["finished_at"] is None]
                # There is work as long as there are stops to come, and in all as many jobs as are wanted.
                while (len(jobs) < arguments.jobs or are_missing()) and len(open_jobs) < 4:
                    name = list(work)[len(jobs)] if len(jobs) < len(work) else rng.choice(list(work))
                    path, body = work[name]
                    if "fit" in name:
                        body = variant(body, len(jobs))
                    location = submit(front, path, body, f"key-{len(jobs)}")
                    jobs.append((location, name, body))
                    open_jobs.append({})
                if not are_missing() and not open_jobs:
                    break
                assert time.monotonic() < deadline, open_jobs
                time.sleep(rng.uniform(0, 1.5))
                if are_missing():
                    chosen = rng.choice(workers)
                    stops += 1
                    # Now and then so short that nothing goes over; or the other one, too.
                    is_patient = rng.random() < 0.8
                    both = [threading.Thread(target=stop, args=[worker, rng.uniform(0.1, 2)]) for worker in workers if worker is not chosen and rng.random() < 0.2]
                    for thread in both:
                        thread.start()
                    took_over += stop(chosen, LEASE + 20 if is_patient else rng.uniform(0.05, 1), is_patient)
                    for thread in both:
                        thread.join()
                    assert all(worker.process.poll() is None for worker in workers)
            for location, name, body in jobs:
                status, _, answer = front.send("GET", location)
                assert status == 200 and json.loads(answer)["status"] == "succeeded", answer
                status, _, answer = front.send("GET", location + "/result", headers={"Accept": "application/json" if "fit" in name else "application/x-npz"})
                assert status == 200 and result(front, name, body, answer) == reference.expected(name, work[name][0], body), \
                    f"{location}, {name}: the result differs from that of a server that was not stopped"
            counts = list(attempts().values())
            # A server that woke up after the end of its job has left nothing behind.
            time.sleep(2)
            left = [str(path) for path in pathlib.Path(data, "jobs").glob("job_*/*") if path.name == "request" or path.name.startswith(".")]
            assert not left, left
        finally:
            for server in (front, *workers, reference.server):
                server.kill()
    print(f"{stops} stops during {len(jobs)} jobs: {took_over} times another server went on with a job, up to {max(counts)} attempts at one; all results are, byte "
          f"for byte, those of a server that was not stopped ({time.monotonic() - STARTED:.0f} s)")
    sys.exit(0 if took_over >= needed else 1)


if __name__ == "__main__":
    main()
