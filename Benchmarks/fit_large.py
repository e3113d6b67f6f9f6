#!/usr/bin/env python3
"""How long a fit of n points takes beside LAPACK's factorization of that size and the kernel's matrix product, in one run.

    Benchmarks/peers/.venv/bin/python Benchmarks/fit_large.py [--n 10000] [--server .build/release/ntk-server]

Posts n points of 100 features with 10 outputs to /v1/regressors and takes `compute` of Server-Timing; then the same OpenBLAS's dpotrf on both
cores and dgemm of the inputs, each from a C program that links it.
"""
import argparse
import http.client
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np

PROGRAM = r"""
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
void dpotrf_(const char *, const int *, double *, const int *, int *);
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
int main(int argc, char **argv) {
    int n = atoi(argv[1]), d = atoi(argv[2]), info = 0;
    double *x = malloc(sizeof(double) * n * d), *k = malloc(sizeof(double) * n * n);
    for (long i = 0; i < (long)n * d; i++) x[i] = drand48() - 0.5;
    for (long i = 0; i < (long)n * n; i++) k[i] = 0;
    double start = now();
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, d, 1, x, d, x, d, 0, k, n);
    double gemm = now() - start;
    for (long i = 0; i < n; i++) k[i * n + i] += n;
    start = now();
    dpotrf_("U", &n, k, &n, &info);
    printf("%f %f %d\n", gemm, now() - start, info);
}
"""


def limits(n: int, d: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "limit.c")
        source.write_text(PROGRAM)
        subprocess.run(["cc", "-O2", source, "-o", f"{directory}/limit", "-lopenblas"], check=True)
        gemm, potrf, info = subprocess.run([f"{directory}/limit", str(n), str(d)], check=True, capture_output=True, text=True).stdout.split()
        assert info == "0"
        return float(gemm), float(potrf)


def fit(port: int, body: bytes) -> tuple[float, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", "/v1/regressors", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    assert response.status == 201, answer
    return float(re.search(r"compute;dur=([\d.]+)", response.headers["Server-Timing"])[1]) / 1e3, answer


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--server", default=root / ".build/release/ntk-server", type=pathlib.Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(arguments.n, 100)), rng.normal(size=(arguments.n, 10))
    server = subprocess.Popen([arguments.server, "serve", "--port", "0", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        print("| fit | seconds | to dpotrf + dgemm | method | backward error |\n|---|---:|---:|---|---:|")
        gemm, potrf = limits(arguments.n, 100)
        print(f"| OpenBLAS dgemm {gemm:.2f} s + dpotrf {potrf:.2f} s | {gemm + potrf:.2f} | 1.00 | | |")
        for diagnostics in ("automatic", "fast", "complete"):
            request = {
                "kernel": {"architecture": {"type": "mlp", "depth": 3, "w_std": 2**0.5, "b_std": 0.1}}, "x_train": x.round(6).tolist(),
                "y_train": y.round(6).tolist(), "ridge": 1e-3, "diagnostics": diagnostics,
            }
            seconds, answer = fit(port, json.dumps(request).encode())
            report = answer["diagnostics"]
            print(f"| diagnostics {diagnostics} | {seconds:.2f} | {seconds / (gemm + potrf):.2f} | {report['method']} | "
                  f"{report['relative_residual']:.1e} |", flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
