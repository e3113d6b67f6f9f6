"""The tools that measure: curl for one request, wrk for many, a C program for the matrix product."""
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

BENCHMARKS = pathlib.Path(__file__).resolve().parent


def output(*command: str, **options) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@dataclass
class RoundTrip:
    seconds: float
    received_bytes: int
    # Milliseconds by step, as the server's Server-Timing says.
    server_timing: dict[str, float]


def round_trip(address: str, body: pathlib.Path, answer: str = os.devnull) -> RoundTrip:
    """POSTs the body to /v1/kernels; the time is from the connection's start to the answer's last byte."""
    text = output(
        "curl", "--silent", "--show-error", "--fail", "--max-time", "600", "-H", "Content-Type: application/json", "-H", "Expect:",
        "--data-binary", f"@{body}", "-o", answer, "-D", "-", "-w", "\n%{time_total} %{size_download}", f"{address}/v1/kernels")
    head, _, measured = text.rpartition("\n")
    seconds, size = measured.split()
    timing = re.search(r"^server-timing:\s*(.*)$", head, re.IGNORECASE | re.MULTILINE)
    steps = re.findall(r"(\w+);dur=([0-9.]+)", timing[1]) if timing else []
    return RoundTrip(float(seconds), int(size), {name: float(value) for name, value in steps})


@dataclass
class Load:
    requests_per_second: float
    p50_ms: float
    p99_ms: float


_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def load(url: str, connections: int, seconds: int, script: pathlib.Path | None = None) -> Load:
    """One run of wrk on one thread. Fails if any answer was not 2xx."""
    arguments = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency"] + (["-s", str(script)] if script else [])
    text = output("wrk", *arguments, url)
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk had errors against {url}:\n{text}")
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    percentiles = {p: float(v) * _MILLISECONDS[u] for p, v, u in re.findall(r"^\s+(\d+)%\s+([0-9.]+)(us|ms|s)$", text, re.MULTILINE)}
    if not rate:
        raise RuntimeError(f"wrk said nothing of its rate:\n{text}")
    return Load(float(rate[1]), percentiles["50"], percentiles["99"])


class MatrixProduct:
    """OpenBLAS's own time for X·Xᵀ, on all cores."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.program = directory / "dgemm"
        output("cc", "-O2", "-o", str(self.program), str(BENCHMARKS / "limits/dgemm.c"), "-lopenblas")
        self.configuration = ""

    def seconds(self, rows: int, columns: int, repetitions: int = 5) -> dict[str, float]:
        """Of `dgemm` and `sgemm`."""
        threads = {"OPENBLAS_NUM_THREADS": str(os.cpu_count())}
        text = output(str(self.program), str(rows), str(columns), str(repetitions), env=os.environ | threads)
        times, self.configuration = text.strip().split("\n", 1)
        words = times.split()
        return {words[0]: float(words[1]), words[2]: float(words[3])}
