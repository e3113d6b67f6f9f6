#!/usr/bin/env python3
"""HTTPS beside HTTP: a kernel of 2,000 points as 70 MB of JSON, and handshakes a second.

    Benchmarks/hold/tls.py [--repeats 5]

curl asks; the two servers take turns, and each figure is a median.
"""
import argparse
import json
import statistics
import subprocess

from serving import Server, identity, temporary_directory

CURL = ["curl", "--silent", "--insecure", "--fail", "--output", "/dev/null"]


def seconds(server: Server, scheme: str, body: str) -> tuple[float, float]:
    """From the first octet of the answer to its last, and its megabytes."""
    out = subprocess.run(
        [*CURL, "--json", f"@{body}", "--write-out", "%{time_total} %{time_starttransfer} %{size_download}",
         f"{scheme}://127.0.0.1:{server.port}/v1/kernels"], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]) - float(out[1]), int(out[2]) / 1e6


def handshakes(server: Server, reuse: bool) -> int:
    out = subprocess.run(
        ["openssl", "s_time", "-connect", f"127.0.0.1:{server.port}", "-time", "3", "-reuse" if reuse else "-new"],
        capture_output=True, text=True).stdout
    line = [line for line in out.splitlines() if "real seconds" in line][-1]
    return int(line.split()[0]) / int(line.split("in")[1].split()[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with temporary_directory() as directory:
        body = f"{directory}/body.json"
        points = [[(i * 37 % 101) / 101, (i * 53 % 97) / 97, i / 2000] for i in range(2000)]
        with open(body, "w") as file:
            json.dump({"architecture": {"type": "mlp", "depth": 3, "b_std": 0.1}, "x1": points}, file)
        with Server() as plain, Server(*identity(directory)) as secure:
            rates = {"http": [], "https": []}
            for _ in range(repeats + 1):
                for scheme, server in (("http", plain), ("https", secure)):
                    time, size = seconds(server, scheme, body)
                    rates[scheme].append(size / time)
            medians = {scheme: statistics.median(values[1:]) for scheme, values in rates.items()}
            print(f"| {size:.0f} MB answer | MB/s | ratio |\n|---|---:|---:|")
            for scheme, rate in medians.items():
                print(f"| {scheme} | {rate:.0f} | {rate / medians['http']:.2f} |")
            print(f"\nHandshakes a second, one client: {handshakes(secure, False):.0f} whole, {handshakes(secure, True):.0f} resumed.")
