#!/usr/bin/env python3
"""Writes Tests/NTKTests/Golden/regression.json: what neural-tangents, scikit-learn and 50-digit arithmetic say of the same problems.

Run with Benchmarks/peers/.venv/bin/python, which Benchmarks/peers/setup makes. Kernels are given as matrices, so that only regression and
dynamics are compared.
"""
import collections
import json
import pathlib

import jax
import mpmath
import numpy as np
import neural_tangents_without_tensorflow  # noqa: F401  (must come before neural_tangents)
import neural_tangents as nt
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge

jax.config.update("jax_enable_x64", True)
mpmath.mp.dps = 50
OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/NTKTests/Golden/regression.json"
Kernel = collections.namedtuple("Kernel", ["nngp", "ntk"])


def problem(seed: int, n: int, t: int, k: int) -> dict:
    """NNGP and NTK over n training and t test points: random Gram matrices, the second larger than the first."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n + t, n + t + 3)), rng.normal(size=(n + t, n + t + 3))
    nngp = a @ a.T / n
    ntk = nngp + b @ b.T / n
    return {"nngp": (nngp + nngp.T) / 2, "ntk": (ntk + ntk.T) / 2, "y": rng.normal(size=(n, k)), "n": n}


def parts(p: dict, kind: str) -> tuple:
    n = p["n"]
    m = p[kind]
    return m[:n, :n], m[n:, :n], m[n:, n:]


def neural_tangents(seed: int) -> dict:
    p = problem(seed, 12, 4, 2)
    n = p["n"]
    train, test = np.zeros((n, 1)), np.ones((4, 1))

    def kernel_fn(x1, x2=None, get=None, **_):
        rows = slice(0, n) if x1.shape[0] == n else slice(n, None)
        columns = rows if x2 is None else (slice(0, n) if x2.shape[0] == n else slice(n, None))
        kernels = Kernel(*(jax.numpy.array(p[kind][rows, columns]) for kind in ("nngp", "ntk")))
        if isinstance(get, str):
            return getattr(kernels, get)
        return kernels if get is None else collections.namedtuple("Some", get)(*(getattr(kernels, g) for g in get))

    rate, regularizer = 0.7, 1e-3
    predict = nt.predict.gradient_descent_mse_ensemble(
        kernel_fn, train, p["y"], learning_rate=rate, diag_reg=regularizer, diag_reg_absolute_scale=True)
    plain = nt.predict.gradient_descent_mse_ensemble(kernel_fn, train, p["y"], learning_rate=rate)
    times = [0.0, 0.3, 5.0, 100.0, 1e4]
    flow = []
    for time in times:
        of = plain(t=time, x_test=test, get=("nngp", "ntk"), compute_cov=True)
        on_train = plain(t=time, x_test=None, get="ntk")
        flow.append({kind: {"mean": np.array(getattr(of, kind).mean).tolist(), "covariance": np.array(getattr(of, kind).covariance).tolist()}
                     for kind in ("nngp", "ntk")} | {"train_mean": np.array(on_train).tolist()})
    end = predict(t=None, x_test=test, get=("nngp", "ntk"), compute_cov=True)
    gp = nt.predict.gp_inference(Kernel(*(jax.numpy.array(parts(p, kind)[0]) for kind in ("nngp", "ntk"))), p["y"], regularizer, True)(
        get=("nngp",), k_test_train=Kernel(*(jax.numpy.array(parts(p, kind)[1]) for kind in ("nngp", "ntk"))), k_test_test=parts(p, "nngp")[2])
    return {
        "nngp": p["nngp"].tolist(), "ntk": p["ntk"].tolist(), "y": p["y"].tolist(), "learning_rate": rate, "ridge": regularizer,
        "times": times, "flow": flow,
        "end": {kind: {"mean": np.array(getattr(end, kind).mean).tolist(), "covariance": np.array(getattr(end, kind).covariance).tolist()}
                for kind in ("nngp", "ntk")},
        "gp_inference": {"mean": np.array(gp.nngp.mean).tolist(), "covariance": np.array(gp.nngp.covariance).tolist()},
        "max_learning_rate": float(nt.predict.max_learning_rate(parts(p, "ntk")[0], y_train_size=p["y"].size, momentum=0.9)),
    }


def scikit_learn(seed: int) -> dict:
    p = problem(seed, 30, 5, 3)
    train, cross, tests = parts(p, "nngp")
    ridge = 0.05
    fit = KernelRidge(alpha=ridge, kernel="precomputed").fit(train, p["y"])

    class Precomputed(__import__("sklearn.gaussian_process.kernels", fromlist=["Kernel"]).Kernel):
        """The kernel of points that are indices."""

        def __call__(self, x, y=None, eval_gradient=False):
            i = x[:, 0].astype(int)
            j = i if y is None else y[:, 0].astype(int)
            return p["nngp"][np.ix_(i, j)]

        def diag(self, x):
            return np.diag(p["nngp"])[x[:, 0].astype(int)]

        def is_stationary(self):
            return False

        def get_params(self, deep=True):
            return {}

    process = GaussianProcessRegressor(kernel=Precomputed(), alpha=ridge, optimizer=None).fit(np.arange(30.0)[:, None], p["y"])
    mean, covariance = process.predict(np.arange(30.0, 35.0)[:, None], return_cov=True)
    return {
        "kernel": p["nngp"].tolist(), "y": p["y"].tolist(), "ridge": ridge, "coefficients": fit.dual_coef_.tolist(),
        "mean": fit.predict(cross).tolist(), "process_mean": mean.tolist(), "covariance": covariance[..., 0].tolist(),
        "log_marginal_likelihood": float(process.log_marginal_likelihood(process.kernel_.theta)),
    }


def ill_conditioned(n: int) -> mpmath.matrix:
    """A Gram matrix whose entries float64 holds exactly: exp(-|i-j|²/…) rounded, condition number about 10¹⁰ without a ridge."""
    return mpmath.matrix([[float(np.exp(-((i - j) / 4) ** 2)) for j in range(n)] for i in range(n)])


def exact(ridge: float) -> dict:
    """Everything by its definition in 50 digits, leave-one-out by refits."""
    n, k = 12, 2
    kernel = ill_conditioned(n + 2)
    rng = np.random.default_rng(7)
    y = mpmath.matrix(rng.normal(size=(n, k)).tolist())
    train = kernel[:n, :n]
    cross = kernel[n:, :n]
    lam = mpmath.mpf(ridge)
    system = train + lam * mpmath.eye(n)
    inverse = system ** -1
    alpha = inverse * y
    residuals = []
    for left in range(n):
        rest = [i for i in range(n) if i != left]
        sub = mpmath.matrix([[system[i, j] for j in rest] for i in rest])
        a = mpmath.lu_solve(sub, mpmath.matrix([[y[i, o] for o in range(k)] for i in rest])) if k == 1 else sub ** -1 * mpmath.matrix(
            [[y[i, o] for o in range(k)] for i in rest])
        row = mpmath.matrix([[train[left, j] for j in rest]])
        residuals.append([y[left, o] - (row * a)[0, o] for o in range(k)])
    smoother = train * inverse
    # (I - A)y = λα and tr(I - A) = λ tr G: without λ, so that 0 is no exception.
    squares = sum(alpha[i, o] ** 2 for i in range(n) for o in range(k))
    trace = sum(inverse[i, i] for i in range(n))
    determinant = mpmath.log(mpmath.det(system))
    fit = sum(y[i, o] * alpha[i, o] for i in range(n) for o in range(k))
    norm = sum((alpha.T * train * alpha)[o, o] for o in range(k))
    covariance = kernel[n:, n:] - cross * inverse * cross.T
    values, vectors = mpmath.eigsy(train)
    return {
        "ridge": ridge, "kernel": [[float(v) for v in kernel[i, :]] for i in range(n + 2)], "y": [[float(v) for v in y[i, :]] for i in range(n)],
        "coefficients": floats(alpha), "mean": floats(cross * alpha), "covariance": floats(covariance),
        "leave_one_out_residuals": [[float(v) for v in row] for row in residuals],
        "leave_one_out_error": float(sum(v ** 2 for row in residuals for v in row) / (n * k)),
        "gcv": float(n * squares / trace ** 2),
        "log_marginal_likelihood": float(-(fit + k * (determinant + n * mpmath.log(2 * mpmath.pi))) / 2),
        "rkhs_norm": float(mpmath.sqrt(norm)), "effective_dimension": float(sum(smoother[i, i] for i in range(n))),
        "condition": float((values[n - 1] + lam) / (values[0] + lam)),
    }


def floats(m: mpmath.matrix) -> list:
    return [[float(m[i, j]) for j in range(m.cols)] for i in range(m.rows)]


def dynamics() -> dict:
    """Outputs at training and test points in 50 digits: the flow by eigenvectors, the discrete optimizers by explicit steps."""
    n, k, rate, momentum = 10, 2, 3.0, 0.9
    kernel = ill_conditioned(n + 2)
    rng = np.random.default_rng(11)
    y = mpmath.matrix(rng.normal(size=(n, k)).tolist())
    start, start_test = mpmath.matrix(rng.normal(size=(n, k)).tolist()), mpmath.matrix(rng.normal(size=(2, k)).tolist())
    train, cross = kernel[:n, :n], kernel[n:, :n]
    values, vectors = mpmath.eigsy(train)
    eta = mpmath.mpf(rate) / (n * k)
    flow = []
    for time in (0.0, 1e-9, 1.0, 1e3, 1e7):
        phi = mpmath.diag([-mpmath.expm1(-eta * v * time) / v for v in values])
        change = vectors * phi * vectors.T * (y - start)
        flow.append({"time": time, "train": floats(start + train * change), "test": floats(start_test + cross * change)})
    descent, ball = [], []
    for mu, out in ((mpmath.mpf(0), descent), (mpmath.mpf(momentum), ball)):
        f, g, last_f, last_g = start, start_test, start, start_test
        wanted = {0, 1, 2, 7, 1000}
        for step in range(1001):
            if step in wanted:
                out.append({"time": float(step), "train": floats(f), "test": floats(g)})
            error = y - f
            f, last_f = f + eta * (train * error) + mu * (f - last_f), f
            g, last_g = g + eta * (cross * error) + mu * (g - last_g), g
    return {
        "kernel": floats(kernel), "y": floats(y), "initial": floats(start), "initial_test": floats(start_test), "learning_rate": rate,
        "momentum": momentum, "gradient_flow": flow, "gradient_descent": descent, "heavy_ball": ball,
    }


def main() -> None:
    golden = {
        "neural_tangents": [neural_tangents(seed) for seed in range(3)],
        "scikit_learn": [scikit_learn(seed) for seed in range(10, 13)],
        "exact": [exact(ridge) for ridge in (1.0, 1e-3, 1e-6, 1e-9, 0.0)],
        "dynamics": dynamics(),
    }
    OUT.write_text(json.dumps(golden))
    print(OUT, OUT.stat().st_size, [e["condition"] for e in golden["exact"]])


if __name__ == "__main__":
    main()
