"""Eigenvalues, norms and learning curves of /v1/spectra."""

from mpmath import mp, mpf

from regression.system import EPS, SMALLEST, System, Wrong, column, compare, refusal, tame


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
