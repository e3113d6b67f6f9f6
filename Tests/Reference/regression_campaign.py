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
import random
import re
import sys
import time
from collections import Counter

from mpmath import mp, mpf

from asked_server import Server, send

mp.dps = 150
EPS = mpf(2) ** -52
LARGEST = mpf("1.7e308")
SMALLEST = mpf("1e-290")


# Problems.


def gram(source, n):
    """A Gram matrix [n][n] of scale 1 in float64, and whether it is exact."""
    kind = source.choice(["integers", "integers", "gaussian", "gaussian", "near", "equal", "hilbert", "diagonal", "low rank"])
    if kind in ("integers", "low rank"):
        width = source.randint(1, n) if kind == "low rank" else n + source.randint(0, 2)
        rows = [[source.randint(-4, 4) for _ in range(width)] for _ in range(n)]
        if source.random() < 0.2:
            rows[source.randrange(n)] = list(rows[source.randrange(n)])
        return [[float(sum(a * b for a, b in zip(x, y))) for y in rows] for x in rows], True
    if kind == "gaussian":
        rows = [[source.gauss(0, 1) for _ in range(n + source.randint(0, 2))] for _ in range(n)]
        return [[math.fsum(a * b for a, b in zip(x, y)) for y in rows] for x in rows], False
    if kind == "near":
        points = [source.gauss(0, 1) for _ in range(n)]
        for i in range(1, n):
            if source.random() < 0.4:
                points[i] = points[i - 1] + 10 ** source.uniform(-7, -1)
        return [[math.exp(-abs(x - y)) for y in points] for x in points], False
    if kind == "equal":
        rho = 1 - 10 ** source.uniform(-12, 0)
        return [[1.0 if i == j else rho for j in range(n)] for i in range(n)], False
    if kind == "hilbert":
        return [[1 / (i + j + 1) for j in range(n)] for i in range(n)], False
    return [[float(i == j) for j in range(n)] for i in range(n)], True


def scales(source, n):
    """Powers of two for rows."""
    kind = source.choice(["one", "one", "wide", "wide", "mild", "marker", "marker"])
    if kind == "one":
        return [source.choice([0, 0, source.randint(-480, 480)])] * n
    if kind == "wide":
        return [source.randint(-480, 480) for _ in range(n)]
    if kind == "mild":
        return [source.randint(-12, 12) for _ in range(n)]
    own = [source.randint(-1, 1) for _ in range(n)]
    own[source.randrange(n)] = source.choice([24, 30, 60, 300, -60])
    return own


def draw(seed):
    source = random.Random(seed)
    n, t = source.choice([1, 2, 2, 3, 3, 4, 5, 6, 8]), source.randint(1, 2)
    base, _ = gram(source, n + t)
    powers = scales(source, n + t)
    if source.random() < 0.5:
        powers[n:] = [source.choice(powers[:n]) for _ in range(t)]
    joint = [[math.ldexp(base[i][j], powers[i] + powers[j]) for j in range(n + t)] for i in range(n + t)]
    if source.random() < 0.05:
        row = source.randrange(n)
        for i in range(n + t):
            joint[i][row] = joint[row][i] = 0.0
    k = source.choice([1, 1, 1, 2])
    unit = [source.choice([0, 0, 0, source.randint(-480, 480)]) for _ in range(k)]
    follows = source.random() < 0.5
    y = [[math.ldexp(source.gauss(0, 1), max(-1000, min(1000, unit[c] + (powers[i] if follows else 0)))) for c in range(k)] for i in range(n)]
    if source.random() < 0.1:
        y = [[float(round(math.ldexp(v, -math.frexp(v)[1] + 3))) for v in row] for row in y]
    diagonal = [joint[i][i] for i in range(n) if joint[i][i] > 0] or [1.0]
    ridge = source.choice(
        [0.0, 0.0, 0.0, 1e-3, 1.0, 1e-100, 1e20, source.choice(diagonal) * 10 ** source.uniform(-14, 3), 10 ** source.uniform(-300, 300)])
    ridge = min(max(ridge, 0.0), 1e300)
    matrices = {"train_train": [row[:n] for row in joint[:n]], "test_train": [row[:n] for row in joint[n:]]}
    path = source.choice(["/v1/predictions"] * 6 + ["/v1/dynamics", "/v1/spectra"])
    if path == "/v1/spectra":
        del matrices["test_train"]
        return path, {"kernel": {"matrices": matrices}, "y": y, "ridge": ridge, "sample_sizes": [source.choice([1, 2, n, 1e15])]}
    body = {"kernel": {"matrices": matrices}, "y_train": y}
    if path == "/v1/dynamics":
        kind = source.choice(["gradient_flow", "gradient_descent", "heavy_ball"])
        largest = max(diagonal) * n
        rate = min(max(10 ** source.uniform(-3, 0) * n * k / largest, 1e-300), 1e300)
        body["optimizer"] = {"type": kind, "learning_rate": rate}
        if kind == "heavy_ball":
            body["optimizer"]["momentum"] = source.choice([0.9, 0.99, 0.0, source.random(), 1 - 10 ** source.uniform(-10, -1)])
        steps = [source.choice([0, 1, 2, 3, 10, 1000, 10**6, 10**12, 2**53, int(10 ** source.uniform(0, 15))]) for _ in range(3)]
        body["times"] = [s * source.random() if kind == "gradient_flow" else s for s in steps]
        return path, body
    body["ridge"] = ridge
    if source.random() < 0.4:
        matrices["test_test"] = [joint[n + i][n + i] for i in range(t)]
        body["covariance"] = "diagonal"
    if source.random() < 0.1:
        body["on_singular"] = source.choice(["jitter", "refuse"])
    if source.random() < 0.15:
        body["ridge"] = {"select": source.choice(["leave_one_out", "gcv", "marginal_likelihood"])}
        if source.random() < 0.7:
            body["ridge"]["candidates"] = [source.choice(diagonal) * 10 ** source.uniform(-6, 2) for _ in range(3)]
            if not all(0 < c < 1e300 for c in body["ridge"]["candidates"]):
                body["ridge"].pop("candidates")
    return path, body


# The right answers.


class System:
    """K + λI scaled to unit diagonal, factored in 150 digits."""

    def __init__(self, kernel, ridge):
        n = self.n = len(kernel)
        full = [[mpf(kernel[i][j]) + (mpf(ridge) if i == j else 0) for j in range(n)] for i in range(n)]
        self.kernel, self.ridge = kernel, mpf(ridge)
        self.roots = [mp.sqrt(full[i][i]) if full[i][i] > 0 else mpf(1) for i in range(n)]
        self.scaled = [[full[i][j] / self.roots[i] / self.roots[j] for j in range(n)] for i in range(n)]
        self.inverse = invert(self.scaled)
        if self.inverse:
            self.condition = norm(self.scaled) * norm(self.inverse)

    def solve(self, y):
        """α for one output."""
        right = [mpf(v) / r for v, r in zip(y, self.roots)]
        return [mp.fdot(row, right) / r for row, r in zip(self.inverse, self.roots)]


def norm(matrix):
    return max(sum(abs(v) for v in row) for row in matrix)


def invert(matrix):
    """By Cholesky without square roots; None if the matrix is not positive definite to a few digits more than float64 could tell."""
    n = len(matrix)
    lower = [[mpf(0)] * n for _ in range(n)]
    pivots = []
    for j in range(n):
        pivot = matrix[j][j] - mp.fsum(lower[j][s] ** 2 * pivots[s] for s in range(j))
        if pivot <= mpf("1e-60"):
            return None
        pivots.append(pivot)
        lower[j][j] = mpf(1)
        for i in range(j + 1, n):
            lower[i][j] = (matrix[i][j] - mp.fsum(lower[i][s] * lower[j][s] * pivots[s] for s in range(j))) / pivot
    # Columns of L⁻¹.
    below = [[mpf(0)] * n for _ in range(n)]
    for j in range(n):
        below[j][j] = mpf(1)
        for i in range(j + 1, n):
            below[i][j] = -mp.fsum(lower[i][s] * below[s][j] for s in range(j, i))
    return [[mp.fsum(below[s][i] * below[s][j] / pivots[s] for s in range(max(i, j), n)) for j in range(n)] for i in range(n)]


def column(y, output):
    return [row[output] for row in y]


class Wrong(Exception):
    pass


def compare(name, value, exact, size, condition, allowed=100):
    """Raises where a number is off by more than allowed × condition × ε × size."""
    if value is None:
        if abs(exact) < LARGEST / 1000 and size < LARGEST / 1000:
            raise Wrong(f"{name} is null, right: {mp.nstr(exact, 17)}")
        return
    bound = allowed * condition * EPS * size + SMALLEST * condition
    if abs(mpf(value) - exact) > bound:
        raise Wrong(
            f"{name} is {value!r}, right: {mp.nstr(exact, 20)}, off by {mp.nstr(abs(mpf(value) - exact) / size, 3)}, condition {mp.nstr(condition, 3)}")


def tame(*numbers):
    return all(n == 0 or SMALLEST * 1000 < abs(n) < LARGEST / 1000 for n in numbers)


def judge_prediction(body, status, answer):
    matrices, y = body["kernel"]["matrices"], body["y_train"]
    kernel, cross = matrices["train_train"], matrices["test_train"]
    ridge = body["ridge"]
    selected = isinstance(ridge, dict)
    if selected:
        if status != 200:
            return "refused"
        ridge = answer["diagnostics"]["ridge"]
    system = System(kernel, ridge)
    k = len(y[0])
    if status == 422 and (not system.inverse or system.condition * EPS * 100 > 1):
        return "singular"
    if not system.inverse:
        return singular(kernel, cross, y, ridge, answer)
    solutions = [system.solve(column(y, output)) for output in range(k)]
    means = [[mp.fdot(map(mpf, row), alpha) for alpha in solutions] for row in cross]
    if status != 200:
        # What cannot be said in float64 may be refused.
        everything = [v for row in means for v in row] + [1 / system.condition]
        if tame(*everything) and system.condition < 1e10:
            raise Wrong(f"refused: {answer.get('detail')} {answer.get('errors')}, right: {mp.nstr(means[0][0], 17)}")
        return "refused"
    condition = system.condition
    if condition * EPS * 100 > 1:
        return "without digits"
    diagnostics = answer["diagnostics"]
    for test, row in enumerate(cross):
        for output, alpha in enumerate(solutions):
            size = mp.fsum(abs(mpf(a) * b) for a, b in zip(row, alpha))
            # Errors of the solution are relative to its largest element, after scaling.
            whole = max(abs(b) * r for b, r in zip(alpha, system.roots)) * max(abs(mpf(a)) / r for a, r in zip(row, system.roots))
            if size < LARGEST / 100:
                compare(f"mean[{test}][{output}]", answer["mean"][test][output], means[test][output], size + whole / 4, condition)
        if "variance" in answer:
            prior = mpf(matrices["test_test"][test])
            own = [mpf(a) / r for a, r in zip(row, system.roots)]
            explained = mp.fsum(own[i] * own[j] * system.inverse[i][j] for i in range(system.n) for j in range(system.n))
            compare(f"variance[{test}]", answer["variance"][test], max(prior - explained, mpf(0)), prior + explained, condition)
    if diagnostics["method"] == "conjugate_gradient" or diagnostics["jitter"]:
        return "agrees"
    y = [[mpf(v) for v in row] for row in y]
    energy = mp.fsum(a * (v - system.ridge * a) for o, alpha in enumerate(solutions) for a, v in zip(alpha, column(y, o)))
    # Σ α K α as it stands.
    energy = mp.fsum(alpha[i] * alpha[j] * mpf(kernel[i][j]) for alpha in solutions for i in range(system.n) for j in range(system.n))
    parts = mp.fsum(abs(a * v) for o, alpha in enumerate(solutions) for a, v in zip(alpha, column(y, o)))
    if energy >= 0 and parts < LARGEST**2 and condition < 1e13:
        root = mp.sqrt(energy)
        if tame(root) and energy > parts * mpf("1e-25"):
            loose = mp.sqrt(max(parts / energy, mpf(1)))
            compare("rkhs_norm", diagnostics["rkhs_norm"], root, root, condition * loose, 1000)
    dimension = mp.fsum(
        system.inverse[i][j] * mpf(kernel[i][j]) / system.roots[i] / system.roots[j] for i in range(system.n) for j in range(system.n))
    if diagnostics["effective_dimension"] is not None and diagnostics["duplicates_merged"] == 0 and diagnostics["method"] == "cholesky":
        # Above 10⁻⁶ of the whole it is a difference.
        compare("effective_dimension", diagnostics["effective_dimension"], dimension, max(dimension, mpf("1e-250")), condition, 10**9)
        errors = [
            (alpha[i] * system.roots[i] ** 2 / system.inverse[i][i]) for alpha in solutions for i in range(system.n)]
        error = mp.fsum(e * e for e in errors) / len(errors)
        if tame(error):
            sizes = [
                mp.fsum(abs(system.inverse[i][j] * v[output] / system.roots[j]) for j, v in enumerate(y)) * system.roots[i] / system.inverse[i][i]
                for output in range(k) for i in range(system.n)]
            size = mp.fsum(s * s for s in sizes) / len(sizes)
            compare("leave_one_out_error", diagnostics["leave_one_out_error"], error, size, condition, 1000)
    return "agrees"


def singular(kernel, cross, y, ridge, answer):
    """A kernel of integers times powers of two that is exactly singular: the least-squares solution of the least norm."""
    if ridge != 0 or answer["diagnostics"]["jitter"] or answer["diagnostics"]["method"] != "minimum_norm":
        return "singular"
    n = len(kernel)
    exponents = [math.frexp(kernel[i][i])[1] // 2 for i in range(n)]
    if max(exponents) - min(exponents) > 100:
        return "singular"
    unit = mpf(2) ** max(exponents)
    matrix = mp.matrix([[mpf(v) / unit**2 for v in row] for row in kernel])
    with mp.workdps(200):
        values, vectors = mp.eigsy(matrix)
    # Of the kernel scaled to unit diagonal, what is small decides.
    roots = [mp.sqrt(mpf(kernel[i][i])) if kernel[i][i] > 0 else mpf(1) for i in range(n)]
    scaled = mp.matrix([[mpf(kernel[i][j]) / roots[i] / roots[j] for j in range(n)] for i in range(n)])
    modes = [v for v in mp.eigsy(scaled, eigvals_only=True)]
    used = [v for v in modes if abs(v) > mpf("1e-100")]
    if not used or min(used) < 0 or min(used) < mpf("1e-11"):
        return "singular"
    condition = max(used) / min(used)
    keep = [j for j in range(n) if abs(values[j]) > mpf("1e-100")]
    graded = mpf(2) ** (max(exponents) - min(exponents))
    for test, row in enumerate(cross):
        for output in range(len(y[0])):
            total, size = mpf(0), mpf(0)
            for j in keep:
                left = mp.fsum(mpf(row[i]) / unit * vectors[i, j] for i in range(n))
                right = mp.fsum(mpf(y[i][output]) * vectors[i, j] for i in range(n))
                norms = mp.sqrt(mp.fsum((mpf(row[i]) / unit * vectors[i, j]) ** 2 for i in range(n))) * mp.sqrt(
                    mp.fsum((mpf(y[i][output]) * vectors[i, j]) ** 2 for i in range(n)))
                total += left * right / values[j] / unit
                size += norms / values[j] / unit
            if tame(total, size):
                compare(f"mean[{test}][{output}] of least squares", answer["mean"][test][output], total, size, condition * graded, 10**4)
    return "least squares"


def response(optimizer, step, value, t):
    """(1 − ρ)/λ."""
    if value * step * t < mpf("1e-100"):
        return None
    rate = step * value
    if optimizer["type"] == "gradient_flow":
        return -mp.expm1(-rate * t) / value
    if optimizer["type"] == "gradient_descent" or optimizer["momentum"] == 0:
        return (1 - (1 - rate) ** int(t)) / value
    mu = mpf(optimizer["momentum"])
    trace = 1 + mu - rate
    root = mp.sqrt(mp.mpc(trace * trace - 4 * mu))
    z1, z2 = (trace + root) / 2, (trace - root) / 2
    if abs(root) < mpf("1e-60"):
        return None
    s = int(t)
    value_at = (z1 ** (s + 1) * (1 - z2) - z2 ** (s + 1) * (1 - z1)) / (z1 - z2)
    return (1 - value_at.real) / value


def judge_dynamics(body, status, answer):
    matrices, y, optimizer = body["kernel"]["matrices"], body["y_train"], body["optimizer"]
    kernel, cross = matrices["train_train"], matrices["test_train"]
    n, k = len(kernel), len(y[0])
    system = System(kernel, 0)
    if not system.inverse or system.condition > 1e12:
        return "singular"
    with mp.workdps(150 + 2 * 480 * 2 // 3):
        values, vectors = mp.eigsy(mp.matrix([[mpf(v) for v in row] for row in kernel]))
    step = mpf(optimizer["learning_rate"]) / (n * k)
    if optimizer["type"] != "gradient_flow" and step * max(values) >= mpf("1.99"):
        return "diverges"
    if status != 200:
        return refusal(answer)
    for index, t in enumerate(body["times"]):
        factors = [response(optimizer, step, values[j], mpf(t)) if t else mpf(0) for j in range(n)]
        if any(f is None for f in factors):
            continue
        # Of numbers of steps the rate's own rounding counts, step by step.
        steps = 1 if optimizer["type"] == "gradient_flow" else max(1, min(mpf(t), 1000 / (1 - mpf(optimizer.get("momentum", 0)))))
        for test, row in enumerate(cross):
            for output in range(k):
                total, size = mpf(0), mpf(0)
                for j in range(n):
                    left = [mpf(row[i]) * vectors[i, j] for i in range(n)]
                    right = [mpf(y[i][output]) * vectors[i, j] for i in range(n)]
                    total += mp.fsum(left) * mp.fsum(right) * factors[j]
                    size += mp.fsum(map(abs, left)) * mp.fsum(map(abs, right)) * (1 / values[j])
                if tame(total, size) and size < LARGEST / 1e10:
                    compare(f"mean[{index}][{test}][{output}]", answer["mean"][index][test][output], total, size, system.condition * steps, 1000)
    return "agrees"


def judge_spectrum(body, status, answer):
    kernel, y = body["kernel"]["matrices"]["train_train"], body["y"]
    system = System(kernel, 0)
    if not system.inverse or system.condition > 1e12:
        return "singular"
    n = len(kernel)
    with mp.workdps(150 + 2 * 480 * 2 // 3):
        values = sorted(mp.eigsy(mp.matrix([[mpf(v) for v in row] for row in kernel]), eigvals_only=True), reverse=True)
    if status != 200:
        return refusal(answer)
    for j, exact in enumerate(values):
        if tame(exact):
            compare(f"eigenvalues[{j}]", answer["eigenvalues"][j], exact, exact, system.condition, 1000)
    energy = mp.fsum(mpf(v) * a for o in range(len(y[0])) for v, a in zip(column(y, o), system.solve(column(y, o))))
    root = mp.sqrt(abs(energy))
    parts = mp.fsum(abs(mpf(v) * a) for o in range(len(y[0])) for v, a in zip(column(y, o), system.solve(column(y, o))))
    if tame(root) and energy > 0 and tame(*[mpf(v) for row in y for v in row]):
        compare("rkhs_norm", answer["rkhs_norm"], root, root, system.condition * mp.sqrt(parts / energy), 1000)
    ridge = mpf(body["ridge"])
    dimension = mp.fsum(v / (v + ridge) for v in values)
    if tame(dimension):
        compare("effective_dimension", answer["effective_dimension"], dimension, dimension, system.condition, 1000)
    theory = answer["eigenlearning"][0]
    kappa = mpf(theory["kappa"] or 0)
    if kappa > SMALLEST * 1000:
        excess = mp.fsum(v / n / (v / n + kappa) for v in values) + ridge / kappa - mpf(theory["samples"])
        slope = mp.fsum(v / n / (v / n + kappa) ** 2 for v in values) + ridge / kappa**2
        if abs(excess) > 10**4 * system.condition * EPS * max(slope * kappa, mpf(theory["samples"])):
            raise Wrong(f"kappa {kappa} leaves {mp.nstr(excess, 5)}")
    return "agrees"


def refusal(answer):
    if re.search("range|overflow", json.dumps(answer)):
        return "refused"
    raise Wrong(f"refused: {answer.get('detail')}")


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
