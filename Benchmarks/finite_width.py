"""Time of the order 1/width of a pair of points at depth 3, and of large sets of modes, by a server's own clock.

usage: finite_width.py --server .build/release/ntk-server

Computation only, on one thread.
"""
import argparse
import json
import random
import subprocess
import urllib.request


def ask(address: str, path: str, body: dict) -> float:
    """Milliseconds of computation."""
    headers = {"Content-Type": "application/json", "Accept": "application/x-npz"}
    with urllib.request.urlopen(urllib.request.Request(address + path, json.dumps(body).encode(), headers)) as answer:
        answer.read()
        parts = dict(part.strip().split(";dur=") for part in answer.headers["Server-Timing"].split(","))
    return float(parts["compute"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    given = parser.parse_args()
    server = subprocess.Popen([given.server, "serve", "--port", "0", "--workers", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = server.stdout.readline().split()[-1]
        draw = random.Random(1)
        count = 300
        x = [[draw.gauss(0, 1) for _ in range(10)] for _ in range(count)]
        pairs = count * (count + 1) / 2
        print("| activation | µs a pair, depth 3 |\n|---|---:|")
        for name in ("relu", "erf", "gelu", "tanh"):
            architecture = {"type": "mlp", "depth": 3, "activation": name, "w_std": 1.4, "b_std": 0.1}
            best = min(ask(address, "/v1/finite-width", {"architecture": architecture, "x1": x, "kinds": ["ntk", "nngp"]}) for _ in range(3))
            print(f"| {name} | {best * 1000 / pairs:.1f} |")
        hermite = {
            "method": "hermite", "kernel": {"architecture": {"type": "mlp", "depth": 1, "b_std": 0.3}}, "modes": 100_000, "ridge": 0.001,
            "covariance_eigenvalues": [1 / (index + 6) for index in range(100)], "target_coefficients": [{"components": [0], "coefficient": 1}],
            "sample_sizes": [100],
        }
        best = min(ask(address, "/v1/learning-curves", hermite) for _ in range(3))
        print(f"\n100,000 modes of the Hermite ansatz and one size: {best / 1000:.2f} s")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
