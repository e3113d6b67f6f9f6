#!/usr/bin/env python3
"""A kernel over several servers by Dask: the same bits as one server's, with a server killed midway, and the time by their number.

usage: distributed.py check [--n 20000] [--chunk 2000]     three servers, one of them killed after a third of the blocks, beside one server
       distributed.py time [--n 8000] [--chunk 1000]       one and two servers of one worker each
       distributed.py simulate                             servers that wait instead of computing: one, two, two and a slow one

Needs Clients/python with its extra `distributed`, and the server's binary by NTK_SERVER. `check` writes the matrix into a temporary file of 8n² bytes.
"""
import argparse
import os
import pathlib
import tempfile
import threading
import time

import dask
import dask.array as da
import numpy as np

from ntk_client import Client, LocalServer, mlp
from ntk_client.distributed import Replicas, kernel_array

ONE_WORKER = ["--workers", "1"]
ARCHITECTURE = mlp(3, "relu", w_std=2**0.5, b_std=0.1)


def points(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 64))


def compute(replicas: Replicas, x: np.ndarray, chunk: int, target: np.ndarray, architecture: dict = ARCHITECTURE) -> float:
    start = time.perf_counter()
    with dask.config.set(scheduler="threads", num_workers=2 * len(replicas)):
        da.store(kernel_array(replicas, architecture, x, chunk=chunk), target, lock=False)
    return time.perf_counter() - start


def check(n: int, chunk: int) -> None:
    x = points(n)
    blocks = -(-n // chunk)
    total = blocks * (blocks + 1) // 2
    with tempfile.TemporaryDirectory() as folder:
        kernel = np.lib.format.open_memmap(pathlib.Path(folder) / "kernel.npy", mode="w+", dtype=np.float64, shape=(n, n))
        servers = [LocalServer(arguments=ONE_WORKER) for _ in range(3)]
        replicas = Replicas([one.address for one in servers])

        def kill() -> None:
            while sum(one["blocks"] for one in replicas.statistics().values()) < total // 3:
                time.sleep(0.01)
            os.kill(servers[0].pid, 9)
            print(f"killed {servers[0].address} after {replicas.statistics()[servers[0].address]['blocks']} blocks")

        threading.Thread(target=kill, daemon=True).start()
        seconds = compute(replicas, x, chunk, kernel)
        print(f"{n} x {n} in {total} blocks by three servers, two from a third on: {seconds:.1f} s")
        for address, one in replicas.statistics().items():
            print(f"  {address}: {one['blocks']} blocks, {one['failures']} failures")
        for one in servers:
            one.stop()
        different = 0
        with Client.local() as single:
            start = time.perf_counter()
            for first in range(0, n, chunk):
                panel = single.kernel(ARCHITECTURE, x[first : first + chunk], x)
                # A point with itself has its own formula in a symmetric matrix.
                np.fill_diagonal(panel[:, first:], single.kernel(ARCHITECTURE, x[first : first + chunk], diagonal=True))
                different += np.count_nonzero(panel.view(np.uint64) != kernel[first : first + chunk].view(np.uint64))
            print(f"one server, two workers, all of both halves, compared: {time.perf_counter() - start:.1f} s")
        print(f"{different} of {n * n} entries differ in any bit")
        if different:
            raise SystemExit(1)


def time_replicas(n: int, chunk: int) -> None:
    x = points(n)
    target = np.empty((n, n))
    for name, architecture in {"relu, depth 3": ARCHITECTURE, "gelu, depth 6": mlp(6, "gelu", w_std=1.5, b_std=0.1)}.items():
        seconds = {}
        for count in (1, 2):
            servers = [LocalServer(arguments=ONE_WORKER) for _ in range(count)]
            replicas = Replicas([one.address for one in servers])
            compute(replicas, x[: 2 * chunk], chunk, target[: 2 * chunk, : 2 * chunk], architecture)
            seconds[count] = min(compute(replicas, x, chunk, target, architecture) for _ in range(2))
            for one in servers:
                one.stop()
        print(f"{name}, n = {n}: one server {seconds[1]:.2f} s, two {seconds[2]:.2f} s, ratio {seconds[2] / seconds[1]:.2f}")


class Waiting:
    """Stands for a server's client: waits as long as a server of some speed would compute, one block after the other."""

    def __init__(self, name: str, seconds_per_block: float) -> None:
        self.address, self.seconds, self.lock = name, seconds_per_block, threading.Lock()

    def kernel(self, architecture: dict, x1: np.ndarray, x2: np.ndarray | None = None, **_: object) -> np.ndarray:
        with self.lock:
            time.sleep(self.seconds)
        return np.zeros((len(x1), len(x1 if x2 is None else x2)))


def simulate() -> None:
    base = None
    for name, paces in {"one": [0.05], "two": [0.05, 0.05], "two, and one four times slower": [0.05, 0.05, 0.2]}.items():
        replicas = Replicas([f"http://replica-{index}" for index in range(len(paces))])
        for replica, pace in zip(replicas._replicas, paces):
            replica.client = Waiting(replica.client.address, pace)
        n, chunk = 2000, 100
        seconds = compute(replicas, points(n), chunk, np.empty((n, n)))
        base = base or seconds
        blocks = [int(one["blocks"]) for one in replicas.statistics().values()]
        print(f"{name}: {seconds:.2f} s, ratio {seconds / base:.3f} (ideal {paces[0] ** -1 / sum(1 / pace for pace in paces):.3f}), blocks {blocks}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["check", "time", "simulate"])
    parser.add_argument("--n", type=int)
    parser.add_argument("--chunk", type=int)
    options = parser.parse_args()
    if options.what == "check":
        check(options.n or 20000, options.chunk or 2000)
    elif options.what == "time":
        time_replicas(options.n or 8000, options.chunk or 1000)
    else:
        simulate()


if __name__ == "__main__":
    main()
