"""Random hostile regression problems: rows, targets and ridges of any scale, no-data markers, near duplicates, kernels that are all but singular."""

import math
import random


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
