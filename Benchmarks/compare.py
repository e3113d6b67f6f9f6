"""Measures NTK Server beside its peers in one run, and writes the table into RESULTS.md.

Run by `make bench`, or, with everything built: Benchmarks/peers/.venv/bin/python Benchmarks/compare.py --server BINARY [--hummingbird BINARY].
Everything is warmed up first, the subjects take turns, and every figure is a median.
"""
import argparse
import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

import subjects
from tools import Load, MatrixProduct, RoundTrip, load, output, round_trip

ROOT = pathlib.Path(__file__).resolve().parents[1]
ARCHITECTURE = {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 2**0.5}
POINTS, FEATURES = 2000, 784
T = TypeVar("T")


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", "| " + " | ".join(self.columns) + " |", "|---" + "|---:" * (len(self.columns) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines + [""] + self.notes + ([""] if self.notes else []))


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def in_turns(repetitions: int, runs: dict[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Each run once a round, in an order that changes from round to round, so that drift hits all alike."""
    results: dict[str, list[T]] = defaultdict(list)
    names = list(runs)
    for repetition in range(repetitions):
        for name in names[repetition % len(names):] + names[:repetition % len(names)]:
            results[name].append(runs[name]())
    return results


def write_bodies(directory: pathlib.Path, x1: np.ndarray, x2: np.ndarray | None = None) -> dict[str, pathlib.Path]:
    """The same request in both precisions."""
    bodies = {}
    for precision in ("float64", "float32"):
        request = {"architecture": ARCHITECTURE, "x1": x1.tolist(), "precision": precision} | ({} if x2 is None else {"x2": x2.tolist()})
        bodies[precision] = directory / f"{len(x1)}-{precision}.json"
        bodies[precision].write_text(json.dumps(request))
    return bodies


def agreement(directory: pathlib.Path, ours: str, peer: str, body: pathlib.Path) -> float:
    """The largest difference of the two servers' kernels, relative to the largest entry; it also warms both up."""
    kernels = []
    for address in (ours, peer):
        answer = directory / "answer.json"
        round_trip(address, body, str(answer))
        kernels.append(np.array(json.loads(answer.read_bytes())["ntk"]))
    return float(np.abs(kernels[0] - kernels[1]).max() / np.abs(kernels[1]).max())


def large_kernel(directory: pathlib.Path, server: str, repetitions: int, notes: list[str]) -> list[Table]:
    """n = 2000: the whole round trip, the computation beside the matrix product, and the memory."""
    x = np.random.default_rng(1).standard_normal((POINTS, FEATURES))
    bodies = write_bodies(directory, x)
    product = MatrixProduct(directory)
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(subjects.ntk_server(server))
        peers = {precision: stack.enter_context(subjects.neural_tangents(precision)) for precision in bodies}
        for precision, peer in peers.items():
            difference = agreement(directory, ours.address, peer.address, bodies[precision])
            # A wrong answer is not worth timing. neural-tangents itself loses half its digits where points nearly coincide.
            assert difference < {"float64": 1e-7, "float32": 1e-3}[precision], f"{precision}: the kernels differ by {difference}"
            notes.append(f"largest difference of the two servers' n = {POINTS} kernels, relative to the largest entry, {precision}: {difference:.1e}")
        runs: dict[str, Callable[[], RoundTrip | dict[str, float]]] = {}
        for precision, body in bodies.items():
            runs[f"ours {precision}"] = lambda body=body: round_trip(ours.address, body)
            runs[f"peer {precision}"] = lambda body=body, address=peers[precision].address: round_trip(address, body)
        runs["product"] = lambda: product.seconds(POINTS, FEATURES, 1)
        results = in_turns(repetitions, runs)
        peaks = {precision: peer.peak_bytes() for precision, peer in peers.items()}
    notes.append("OpenBLAS: " + product.configuration.strip())

    seconds = {name: median(r.seconds for r in trips) for name, trips in results.items() if name != "product"}
    compute = {name: median(r.server_timing["compute"] for r in trips) / 1000 for name, trips in results.items() if name != "product"}
    blas = {name: median(r[name] for r in results["product"]) for name in ("dgemm", "sgemm")}
    sent = bodies["float64"].stat().st_size / 1e6

    trips = Table(f"Round trip: n = {POINTS}, d = {FEATURES}, ReLU, depth 3, JSON to JSON", ["", "seconds", "sent, MB", "received, MB", "ratio to ours"])
    times = Table("Computation only, of the same requests", ["", "seconds", "ratio to ours", "ratio to one full matrix product"])
    for precision in bodies:
        gemm = {"float64": "dgemm", "float32": "sgemm"}[precision]
        for who, name in (("ours", "NTK Server"), ("peer", "FastAPI + neural-tangents")):
            key = f"{who} {precision}"
            received = results[key][0].received_bytes / 1e6
            trips.rows.append([f"{name}, {precision}", f"{seconds[key]:.3f}", f"{sent:.1f}", f"{received:.1f}",
                               f"{seconds[key] / seconds[f'ours {precision}']:.2f}"])
            times.rows.append([f"{name}, {precision}", f"{compute[key]:.3f}", f"{compute[key] / compute[f'ours {precision}']:.2f}",
                               f"{compute[key] / blas[gemm]:.2f}"])
        times.rows.append([f"OpenBLAS {gemm}, {POINTS}×{FEATURES} by {FEATURES}×{POINTS}", f"{blas[gemm]:.3f}",
                           f"{blas[gemm] / compute[f'ours {precision}']:.2f}", "1.00"])
    times.notes = ["The servers' own times are `compute` of their `Server-Timing`; neural-tangents' is the jitted call, already compiled,",
                   "until the result is a numpy array."]
    return [trips, times, memory(server, bodies, peaks)]


def memory(server: str, bodies: dict[str, pathlib.Path], peaks: dict[str, int]) -> Table:
    table = Table(f"Peak memory (VmHWM) over one n = {POINTS} round trip of a new process",
                  ["", "before, MB", "peak, MB", "4 × (matrix + body), MB", "peak / that"])
    for precision, body in bodies.items():
        matrix = POINTS**2 * {"float64": 8, "float32": 4}[precision]
        bound = 4 * (matrix + body.stat().st_size)
        with subjects.ntk_server(server) as ours:
            before = ours.peak_bytes()
            round_trip(ours.address, body)
            peak = ours.peak_bytes()
        table.rows.append([f"NTK Server, {precision}", f"{before / 1e6:.0f}", f"{peak / 1e6:.0f}", f"{bound / 1e6:.0f}", f"{peak / bound:.2f}"])
        table.rows.append([f"FastAPI + neural-tangents, {precision} (after all round trips)", "", f"{peaks[precision] / 1e6:.0f}", f"{bound / 1e6:.0f}",
                           f"{peaks[precision] / bound:.2f}"])
    return table


def load_row(name: str, loads: list[Load], ours: float) -> list[str]:
    rate = median(x.requests_per_second for x in loads)
    return [name, f"{rate:,.0f}", f"{median(x.p50_ms for x in loads):.3f}", f"{median(x.p99_ms for x in loads):.3f}", f"{rate / ours:.3f}"]


LOAD_COLUMNS = ["", "requests/s", "p50, ms", "p99, ms", "rate / ours"]


def small_kernels(directory: pathlib.Path, server: str, rounds: int, seconds: int) -> Table:
    """An 8×20 kernel of 16 features under 16 connections."""
    random = np.random.default_rng(2)
    bodies = write_bodies(directory, random.standard_normal((8, 16)), random.standard_normal((20, 16)))
    scripts = {}
    for precision, body in bodies.items():
        scripts[precision] = body.with_suffix(".lua")
        scripts[precision].write_text(
            f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{body.read_text()}]==]\n')
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(subjects.ntk_server(server))
        peers = {precision: stack.enter_context(subjects.neural_tangents(precision)) for precision in bodies}
        runs = {}
        for precision in bodies:
            for who, subject in (("NTK Server", ours), ("FastAPI + neural-tangents", peers[precision])):
                round_trip(subject.address, bodies[precision])
                runs[f"{who}, {precision}"] = lambda address=subject.address, precision=precision, seconds=seconds: load(
                    f"{address}/v1/kernels", 16, seconds, scripts[precision])
        in_turns(1, runs)  # warm-up
        results = in_turns(rounds, runs)
    table = Table(f"8×20 kernels of 16 features: wrk -t1 -c16 -d{seconds}s, {rounds} rounds", LOAD_COLUMNS)
    for name, loads in results.items():
        ours_rate = median(x.requests_per_second for x in results[f"NTK Server, {name.rsplit(' ', 1)[1]}"])
        table.rows.append(load_row(name, loads, ours_rate))
    return table


def liveness(server: str, hummingbird: str | None, rounds: int, seconds: int) -> list[Table]:
    """GET /livez: what HTTP itself costs."""
    tables = []
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(subjects.ntk_server(server))]
        if hummingbird:
            running.append(stack.enter_context(subjects.hummingbird(hummingbird)))
        for connections in (32, 1):
            runs = {s.name: lambda s=s, connections=connections: load(f"{s.address}/livez", connections, seconds) for s in running}
            in_turns(1, runs)  # warm-up
            results = in_turns(rounds, runs)
            ours_rate = median(x.requests_per_second for x in results["NTK Server"])
            rows = [load_row(name, loads, ours_rate) for name, loads in results.items()]
            tables.append(Table(f"GET /livez: wrk -t1 -c{connections} -d{seconds}s, {rounds} rounds", LOAD_COLUMNS, rows))
            if not hummingbird:
                tables[-1].notes = ["Hummingbird was not measured: it was not built."]
    return tables


def environment(notes: list[str]) -> str:
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    packages = ("neural-tangents", "jax", "jaxlib", "fastapi", "uvicorn", "uvloop", "httptools", "orjson", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    commit = output("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD").strip()
    # RESULTS.md is what this program writes.
    changed = output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", ".", ":!Benchmarks/RESULTS.md").strip()
    swift = output("swift", "--version").splitlines()[0]
    curl = output("curl", "--version").split()[1]
    lines = [
        f"machine: {cpu}, {os.cpu_count()} cores, Linux {platform.release()}",
        f"commit: {commit}{' and uncommitted changes' if changed else ''}, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}",
        f"versions: {swift}; Python {platform.python_version()}, {versions}; curl {curl}",
    ]
    return "\n".join(f"- {line}" for line in lines + notes)


def write_between(path: pathlib.Path, name: str, text: str) -> None:
    """Replaces what stands between the file's markers `<!-- begin: NAME -->` and `<!-- end: NAME -->`."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise RuntimeError(f"{path} lacks the markers {begin} and {end}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="release binary of ntk-server")
    parser.add_argument("--hummingbird", help="release binary of Benchmarks/peers/hummingbird-server")
    parser.add_argument("--repetitions", type=int, default=7, help="of each large round trip")
    parser.add_argument("--rounds", type=int, default=5, help="of each load")
    parser.add_argument("--seconds", type=int, default=3, help="of one load")
    parser.add_argument("--results", type=pathlib.Path, help="file to write the tables into, between its markers")
    arguments = parser.parse_args()
    notes = [f"load average at the start: {os.getloadavg()[0]:.2f}"]
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        tables = large_kernel(directory, arguments.server, arguments.repetitions, notes)
        tables.append(small_kernels(directory, arguments.server, arguments.rounds, arguments.seconds))
        tables += liveness(arguments.server, arguments.hummingbird, arguments.rounds, arguments.seconds)
    text = "\n".join([environment(notes), ""] + [table.markdown() for table in tables]).rstrip()
    print(text)
    # The product's own program, built beside the server.
    core = output(str(pathlib.Path(arguments.server).with_name("ntk-benchmark"))).strip()
    print(core)
    if arguments.results:
        write_between(arguments.results, "serving", text)
        write_between(arguments.results, "core", core)


if __name__ == "__main__":
    main()
