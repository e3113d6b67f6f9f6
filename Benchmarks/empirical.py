"""Empirical kernels beside neural-tangents in one run: speed, memory, and the convergence to the infinite width.

usage: empirical.py --benchmark .build/release/ntk-benchmark --server .build/release/ntk-server [--results RESULTS.md]

Prints its tables, and with --results writes them between the markers "empirical" of that file. Run it with Benchmarks/peers/.venv/bin/python.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import urllib.request

PEER = pathlib.Path(__file__).resolve().parent / "peers" / "empirical_neural_tangents.py"
# Implementation and repetitions; the slow ones once.
PEER_RUNS = {
    "mlp": [("structured derivatives", 10), ("NTK-vector products", 2), ("Jacobian contraction", 1)],
    "cnn full": [("structured derivatives", 4), ("NTK-vector products", 2), ("Jacobian contraction", 2)],
    "cnn trace": [("structured derivatives", 4), ("NTK-vector products", 2), ("Jacobian contraction", 2)],
}
TITLES = {
    "mlp": "MLP 784-512-512-10, n = 128, full 10×10 outputs",
    "cnn full": "CNN, 3 conv layers of 32 channels on 16×16×3, n = 64, full 10×10 outputs",
    "cnn trace": "the same CNN, trace over the outputs",
}
CONVERGENCE = {
    "architecture": {"type": "mlp", "depth": 2, "w_std": 2 ** 0.5}, "x": [[1, 0.5, -1, 0.2], [0.3, -1, 2, 0.1], [1, 1, 1, -1], [-0.4, 0.6, 0, 1]],
    "widths": [64, 128, 256, 512, 1024, 2048, 4096], "samples": 12, "seed": 1, "precision": "float64",
}
# One million parameters, ten outputs.
MEMORY = {"architecture": {"type": "serial", "layers": [
    {"type": "dense", "width": 600, "b_std": 0}, {"type": "relu"}, {"type": "dense", "width": 600, "b_std": 0}, {"type": "relu"},
    {"type": "dense", "width": 270, "b_std": 0}, {"type": "relu"}, {"type": "dense", "width": 10, "b_std": 0}]}, "initialization": {"seed": 0}}


def ours(benchmark: str) -> dict[str, dict]:
    text = subprocess.run([benchmark, "empirical"], check=True, capture_output=True, text=True).stdout
    return {row["name"]: row for row in map(json.loads, text.splitlines())}


def peer(name: str, implementation: str, repetitions: int) -> float:
    command = [sys.executable, str(PEER), f"{name}/{implementation}/{repetitions}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["seconds"]


def speed(benchmark: str) -> list[str]:
    """Both take turns, ours before and after the peer; the better of ours counts, as the peer's is the best of its repetitions."""
    first = ours(benchmark)
    times = {(name, run): peer(name, run, count) for name, runs in PEER_RUNS.items() for run, count in runs}
    second = ours(benchmark)
    rows = {name: min((first[name], second[name]), key=lambda row: row["seconds"]) for name in first}
    lines = ["### Speed, float32, seconds of the best run", "", "|  | seconds | ratio to ours |", "|---|---:|---:|"]
    for name, title in TITLES.items():
        own = rows[name]["seconds"]
        lines.append(f"| {title}: NTK Server ({', '.join(rows[name]['algorithms'])}) | {own:.4f} | 1.00 |")
        lines += [f"| neural-tangents, {run} | {times[name, run]:.4f} | {times[name, run] / own:.1f} |" for run, _ in PEER_RUNS[name]]
    own, limit = rows["trace"]["seconds"], rows["trace, its GEMMs"]["seconds"]
    lines.append(f"| MLP 784-1024-1024-1024-10, n = 1000, trace: NTK Server | {own:.3f} | 1.00 |")
    lines.append(f"| the GEMMs that it needs, OpenBLAS on two threads | {limit:.3f} | {limit / own:.2f} |")
    return lines


class Server:
    def __init__(self, binary: str):
        self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().removeprefix("listening on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def post(self, path: str, body: dict) -> dict:
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def peak_megabytes(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def memory(binary: str) -> list[str]:
    lines = ["", "### Peak memory (VmHWM) of a new server: n = 1000 points of 784 features, 10 outputs, trace, JSON to JSON", "",
             "|  | parameters | peak, MB |", "|---|---:|---:|"]
    x = [[((i * 7919 + j * 104729) % 2003) / 1000 - 1 for j in range(784)] for i in range(1000)]
    widths = [784, 600, 600, 270, 10]
    count = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    for precision in ("float64", "float32"):
        with Server(binary) as server:
            server.post("/v1/empirical-kernels", {"network": MEMORY, "x1": x, "outputs": "mean", "precision": precision})
            lines.append(f"| {precision} | {count:,} | {server.peak_megabytes():.0f} |")
    return lines


def convergence(binary: str) -> list[str]:
    with Server(binary) as server:
        answer = server.post("/v1/convergence", CONVERGENCE)
    lines = ["", f"### Convergence: relu, depth 2, {CONVERGENCE['samples']} networks a width, 4 points, float64", "",
             "| width | relative error | mean Θ̂(x, x) | standard error | Θ(x, x) | standard errors apart |", "|---:|---:|---:|---:|---:|---:|"]
    for row in answer["widths"]:
        error, diagonal = row["relative_error"], row["diagonal"]
        apart = (diagonal["mean"] - diagonal["infinite"]) / diagonal["standard_error"]
        lines.append(f"| {row['width']} | {error['mean']:.4f} ± {error['standard_error']:.4f} | {diagonal['mean']:.4f} | "
                     f"{diagonal['standard_error']:.4f} | {diagonal['infinite']:.4f} | {apart:+.1f} |")
    return lines + ["", f"Fitted rate: width^{answer['rate']:.3f} (theory: −½)."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--results", type=pathlib.Path)
    options = parser.parse_args()
    lines = convergence(options.server) + memory(options.server) + [""] + speed(options.benchmark)
    text = "\n".join(lines).strip()
    print(text)
    if options.results:
        begin, end = "<!-- begin: empirical -->", "<!-- end: empirical -->"
        before, rest = options.results.read_text().split(begin)
        options.results.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
