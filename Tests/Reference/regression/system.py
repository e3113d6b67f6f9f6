"""Systems of linear equations in 150 digits, and what an answer may be off."""

import json
import re

from mpmath import mp, mpf

mp.dps = 150
EPS = mpf(2) ** -52
LARGEST = mpf("1.7e308")
SMALLEST = mpf("1e-290")


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


def refusal(answer):
    if re.search("range|overflow", json.dumps(answer)):
        return "refused"
    raise Wrong(f"refused: {answer.get('detail')}")
