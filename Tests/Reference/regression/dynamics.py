"""Means of /v1/dynamics by the modes of the kernel."""

from mpmath import mp, mpf

from regression.system import LARGEST, System, column, compare, refusal, tame


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
