#!/usr/bin/env python3
"""A kernel of 2,000 points as 70 MB of JSON, as it is and in gzip: how fast it comes, and what a client of small kernels notices of it.

    Benchmarks/hold/compressed.py [--repeats 5]

curl asks and throws away what comes; figures of the large answer are medians from its first octet to its last.
"""
import argparse
import json
import statistics
import subprocess
import threading

from serving import GoodClient, Server, quantile, temporary_directory


def seconds(server: Server, body: str, *options: str) -> tuple[float, float]:
    """From the first octet of the answer to its last, and its megabytes."""
    out = subprocess.run(
        ["curl", "--silent", "--fail", "--output", "/dev/null", "--json", f"@{body}", *options,
         "--write-out", "%{time_total} %{time_starttransfer} %{size_download}", f"http://127.0.0.1:{server.port}/v1/kernels"],
        capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]) - float(out[1]), int(out[2]) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with temporary_directory() as directory, Server() as server:
        body = f"{directory}/body.json"
        points = [[(i * 37 % 101) / 101, (i * 53 % 97) / 97, i / 2000] for i in range(2000)]
        with open(body, "w") as file:
            json.dump({"architecture": {"type": "mlp", "depth": 3, "b_std": 0.1}, "x1": points}, file)
        client = GoodClient(server.port)
        client.times(1)
        print("| answer | MB sent | s | MB of content/s | small kernels beside it | p50, ms | p99, ms | longest, ms |\n"
              "|---|---:|---:|---:|---:|---:|---:|---:|")
        times = client.times(3)
        print(f"| none | | | | {len(times)} | {1e3 * quantile(times, .5):.2f} | {1e3 * quantile(times, .99):.2f} | {1e3 * times[-1]:.1f} |")
        whole = 0.0
        for name, options in (("as it is", ()), ("gzip", ("--header", "Accept-Encoding: gzip"))):
            times, done = [], threading.Event()

            def ask() -> None:
                while not done.is_set():
                    times.append(client.ask())
                    done.wait(0.005)

            thread = threading.Thread(target=ask)
            seconds(server, body, *options)
            thread.start()
            answers = [seconds(server, body, *options) for _ in range(repeats)]
            done.set()
            thread.join()
            times.sort()
            time, size = statistics.median(answer[0] for answer in answers), answers[0][1]
            whole = whole or size
            print(f"| {name} | {size:.1f} | {time:.2f} | {whole / time:.0f} | {len(times)} | {1e3 * quantile(times, .5):.2f} | "
                  f"{1e3 * quantile(times, .99):.2f} | {1e3 * times[-1]:.1f} |", flush=True)
