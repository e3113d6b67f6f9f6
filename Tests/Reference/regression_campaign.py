"""Random hostile regression problems against a running server, compared with the same formulas in 150 digits.

    python regression_campaign.py --server .build/release/ntk-server --problems 100000

Scales of rows, targets and ridges from 2^-500 to 2^500, no-data markers, duplicates and near duplicates, points of no variance, singular and
all but singular kernels. What is demanded: no answer with status 200 is off by more than 100 × the condition number of the system scaled to
unit diagonal × 2^-52, relative to the sum of the magnitudes that the answer is a sum of; no answer is a fault of the server; nothing that has
an answer in the range of float64 is refused. `--case SEED` repeats a problem.
"""

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections import Counter

from mpmath import mp

from asked_server import Server, send
from regression.dynamics import judge_dynamics
from regression.predictions import judge_prediction
from regression.problems import draw
from regression.spectra import judge_spectrum
from regression.system import Wrong

JUDGES = {"/v1/predictions": judge_prediction, "/v1/dynamics": judge_dynamics, "/v1/spectra": judge_spectrum}


def run(job):
    port, seed = job
    path, body = draw(seed)
    started = time.monotonic()
    status, answer = send(port, path, body, 120)
    took = time.monotonic() - started
    if status not in (200, 422):
        return seed, path, "fails", f"{status} {answer.get('detail')}"
    if took > 20:
        return seed, path, "fails", f"took {took:.1f} s"
    try:
        return seed, path, JUDGES[path](body, status, answer), ""
    except Wrong as wrong:
        return seed, path, "wrong", str(wrong)
    except (mp.NoConvergence, ZeroDivisionError, ValueError, OverflowError) as error:
        return seed, path, "no reference", repr(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=".build/release/ntk-server", help="the binary, or the port of one that runs")
    parser.add_argument("--problems", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--case", type=int, help="one problem")
    arguments = parser.parse_args()
    server = Server(arguments.server)
    try:
        if arguments.case is not None:
            path, body = draw(arguments.case)
            print(path, json.dumps(body))
            print(*send(server.port, path, body, 120))
            print(*run((server.port, arguments.case)))
            return 0
        print(f"seed {arguments.seed}", flush=True)
        counts, failures, end = Counter(), 0, time.monotonic() + arguments.seconds
        with multiprocessing.Pool(arguments.workers) as pool:
            jobs = ((server.port, arguments.seed * 10**9 + i) for i in range(arguments.problems))
            batch = []
            while time.monotonic() < end:
                batch = [job for _, job in zip(range(200), jobs)]
                if not batch:
                    break
                for seed, path, verdict, detail in pool.imap_unordered(run, batch, chunksize=10):
                    counts[path, verdict] += 1
                    if verdict in ("wrong", "fails"):
                        failures += 1
                        if failures <= 40:
                            print(f"--case {seed} {path} {verdict}: {detail}", flush=True)
        for (path, verdict), count in sorted(counts.items()):
            print(f"{count:8} {path} {verdict}")
        print(f"{sum(counts.values())} problems, {failures} failures")
        # A campaign that compares nothing finds nothing.
        enough = sum(count for (_, verdict), count in counts.items() if verdict == "agrees") >= sum(counts.values()) / 4
        return 0 if failures == 0 and enough and counts else 1
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
