"""Means, variances and diagnostics of /v1/predictions."""

import math

from mpmath import mp, mpf

from regression.system import EPS, LARGEST, System, Wrong, column, compare, tame


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
            loose = max(parts / energy, mpf(1))
            if not diagnostics["duplicates_merged"]:
                # Merged points have a kernel of their own, whose rounding counts in full.
                loose = mp.sqrt(loose)
            compare("rkhs_norm", diagnostics["rkhs_norm"], root, root, condition * loose, 1000)
    dimension = mp.fsum(
        system.inverse[i][j] * mpf(kernel[i][j]) / system.roots[i] / system.roots[j] for i in range(system.n) for j in range(system.n))
    if diagnostics["effective_dimension"] is not None and diagnostics["duplicates_merged"] == 0 and diagnostics["method"] == "cholesky":
        # Above a hundredth of the whole it is a difference.
        compare("effective_dimension", diagnostics["effective_dimension"], dimension, max(dimension, mpf("1e-250")), condition, 10**4)
        errors = [
            (alpha[i] * system.roots[i] ** 2 / system.inverse[i][i]) for alpha in solutions for i in range(system.n)]
        error = mp.fsum(e * e for e in errors) / len(errors)
        if tame(error):
            # As of the mean, errors of the solution are relative to its largest element.
            wholes = [max(abs(b) * r for b, r in zip(alpha, system.roots)) for alpha in solutions]
            sizes = [
                (wholes[output] + mp.fsum(abs(system.inverse[i][j] * v[output] / system.roots[j]) for j, v in enumerate(y)))
                * system.roots[i] / system.inverse[i][i] for output in range(k) for i in range(system.n)]
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
    shape = [mpf(kernel[i][i]) / unit**2 for i in range(n)]

    def size_of(vector):
        return mp.fsum(mp.sqrt(shape[i]) * abs(v) for i, v in enumerate(vector))

    def modes_of(vector):
        return [mp.fsum(mpf(vector[i]) * vectors[i, j] for i in range(n)) for j in range(n)]

    def from_modes(coordinates):
        return [mp.fsum(c * vectors[i, j] for j, c in enumerate(coordinates)) for i in range(n)]

    def inverse(coordinates, power):
        return [c / values[j] ** power if j in keep else mpf(0) for j, c in enumerate(coordinates)]

    def missed(coordinates):
        return [mpf(0) if j in keep else c for j, c in enumerate(coordinates)]

    for test, row in enumerate(cross):
        left = modes_of([mpf(v) / unit for v in row])
        for output in range(len(y[0])):
            right = modes_of(column(y, output))
            total = mp.fsum(a * b for a, b in zip(left, inverse(right, 1))) / unit
            # What K⁺ becomes where each K_ij is off by ε√(K_ii K_jj): −K⁺EK⁺ + K⁺K⁺EP₀ + P₀EK⁺K⁺ (Golub & Pereyra 1973).
            size = sum(
                size_of(from_modes(a)) * size_of(from_modes(b))
                for a, b in ((inverse(left, 1), inverse(right, 1)), (inverse(left, 2), missed(right)), (missed(left), inverse(right, 2)))) / unit
            if tame(total, size):
                compare(f"mean[{test}][{output}] of least squares", answer["mean"][test][output], total, size, condition, 100)
    return "least squares"
