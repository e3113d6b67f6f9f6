"""Loops over pairs: each level against the formulas, and every count against a longer one."""
import ctypes

import numpy as np
import pytest

from levels import Buffer, Loops

COUNTS = [*range(1, 36), 47, 48, 49, 63, 64, 65]
MOST = 80
long = np.longdouble


def cosine(gap: np.ndarray) -> np.ndarray:
    gap = gap.astype(long)
    return np.where(np.signbit(gap), -(1 + gap), 1 - gap)


def decoded(gap: np.ndarray) -> np.ndarray:
    """1 − c."""
    gap = gap.astype(long)
    return np.where(np.signbit(gap), 2 + gap, gap)


def gaps(loops: Loops, random: np.random.Generator, least: float = -1) -> np.ndarray:
    z = random.uniform(least, 1, MOST)
    z[:6] = [0, 1, 1e-7, 0.5, 1e-3, 1] if least >= 0 else [0, -0.0, 1e-7, -1e-3, 1, -1]
    return loops.array(z)


def arc_cosine(z: np.ndarray, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """1 − c' and κ̇ of a min(u, 0) + b max(u, 0) at unit variances."""
    angle = np.arccos(np.clip(cosine(z), -1, 1))
    # Near the poles the angle comes from the gap.
    small = 2 * np.arcsin(np.sqrt(np.abs(z).astype(long) / 2))
    angle = np.where(np.signbit(z), np.pi * long(1) - small, small)
    c = cosine(z)
    kappa = ((a - b) ** 2 * (np.sin(angle) + (np.pi - angle) * c) / (2 * long(np.pi)) + a * b * c)
    power = long(a * a + b * b) / 2
    return 1 - kappa / power, ((a - b) ** 2 * (np.pi - angle) / (2 * long(np.pi)) + a * b)


def run(loops: Loops, name: str, count: int, arrays: list[np.ndarray], order: str, *scalars: object, result: object = None):
    """Calls with the first `count` elements; `order` has a letter for each argument: a an array, c the count, s a scalar, 0 a null pointer."""
    buffers, arguments, left = [], [], list(scalars)
    rest = list(arrays)
    for letter in order:
        if letter == "a":
            buffers.append(Buffer(rest.pop(0)[:count]))
            arguments.append(buffers[-1])
        else:
            arguments.append(count if letter == "c" else ctypes.c_void_p(0) if letter == "0" else left.pop(0))
    value = loops.call(name, *arguments, result=result)
    return [buffer.values for buffer in buffers], value


def every_count(loops: Loops, name: str, arrays: list[np.ndarray], order: str, *scalars: object) -> list[np.ndarray]:
    """What comes of all elements; of fewer come the same bits, so that none depends on its place in a vector or behind the last whole one."""
    whole, _ = run(loops, name, MOST, arrays, order, *scalars)
    for count in COUNTS:
        some, _ = run(loops, name, count, arrays, order, *scalars)
        for one, other in zip(some, whole):
            assert one.tobytes() == other[:count].tobytes(), f"{name} of {count}"
    return whole


def close(values: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    assert np.max(np.abs(values.astype(long) - expected)) <= tolerance, np.max(np.abs(values.astype(long) - expected))


def test_gaps_of_cosines(loops, random):
    c = loops.array(random.uniform(-1.1, 1.1, MOST))
    (z,) = every_count(loops, "gap_from_cosine", [c], "ac")
    close(z, np.copysign(np.maximum(1 - np.abs(c.astype(long)), 0), c), loops.eps)


@pytest.mark.parametrize("a, b", [(0, 1), (0.1, 1), (-1, 1), (0.5, 0.5)])
def test_rectifiers(loops, random, a, b):
    z, theta = gaps(loops, random), loops.array(random.uniform(0.5, 2, MOST))
    asymmetry, power = (a - b) ** 2 / (a * a + b * b), (a * a + b * b) / 2
    scalars = (loops.real(asymmetry), loops.real(power))
    after, slopes = every_count(loops, "ab_relu", [z, theta], "aacss", *scalars)
    distance, slope = arc_cosine(z, a, b)
    close(decoded(after), distance, 16 * loops.eps)
    close(slopes / theta.astype(long), slope, 16 * loops.eps)
    (alone,) = every_count(loops, "ab_relu", [z], "a0css", *scalars)
    assert alone.tobytes() == after.tobytes(), "whether Θ is asked for changes no bit"


def test_rectifiers_of_positive_cosines(loops, random):
    z, theta = gaps(loops, random, 0), loops.array(random.uniform(0.5, 2, MOST))
    near = every_count(loops, "near_relu", [z, theta], "aacs", loops.real(0.5))
    both = every_count(loops, "ab_relu", [z, theta], "aacss", loops.real(1), loops.real(0.5))
    assert [each.tobytes() for each in near] == [each.tobytes() for each in both]


@pytest.mark.parametrize("near", [0, 1])
def test_affine_layers_before_rectifiers(loops, random, near):
    z, theta, others = gaps(loops, random, 0 if near else -1), loops.array(random.uniform(0, 3, MOST)), loops.array(random.uniform(0.5, 2, MOST))
    weight, bias, constant, own = (loops.real(value) for value in (1.9, 2.1, 0.3, 1.7))
    changed, _, _ = every_count(loops, "affine_theta", [theta, z, others], "aacssssa", weight, bias, constant, own)
    close(changed, 1.9 * theta.astype(long) + 2.1 * 1.7 * others.astype(long) * cosine(z) + 0.3, 64 * loops.eps)
    after, slopes = every_count(loops, "ab_relu", [z, changed], "aacss", loops.real(1), loops.real(0.5))
    at_once = every_count(
        loops, "affine_then_relu", [z, theta, others], "aacssssass", weight, bias, constant, own, loops.real(0.5), ctypes.c_int(near))
    assert at_once[0].tobytes() == after.tobytes() and at_once[1].tobytes() == slopes.tobytes()


def test_constants(loops, random):
    """A feature that all points share: c' = s s' c + e e'."""
    z, shares = gaps(loops, random), loops.array(random.uniform(0.1, 1, MOST))
    rest = loops.array(np.sqrt(1 - shares.astype(long) ** 2))
    scalars = (loops.real(0.6), loops.real(0.8))
    after, _, _ = every_count(loops, "add_constant", [z, shares, rest], "acssaa", *scalars)
    close(cosine(after), 0.6 * shares.astype(long) * cosine(z) + 0.8 * rest.astype(long), 8 * loops.eps)
    positive = gaps(loops, random, 0)
    near = every_count(loops, "near_constant", [positive, shares, rest], "acssaa", *scalars)[0]
    assert near.tobytes() == every_count(loops, "add_constant", [positive, shares, rest], "acssaa", *scalars)[0].tobytes()


def test_covariances(loops, random):
    z, others = gaps(loops, random), loops.array(random.uniform(0, 2, MOST))
    out, _, _ = every_count(loops, "covariance", [loops.array(np.zeros(MOST)), z, others], "aacsa", loops.real(1.5))
    close(out, 1.5 * others.astype(long) * cosine(z), 8 * loops.eps)


def test_error_functions(loops, random):
    """E[erf u erf v] = 2/π asin(2K / √((1 + 2q)(1 + 2q')))."""
    z = gaps(loops, random)
    variances = np.concatenate([[0.7], random.uniform(0.2, 4, MOST - 1)]).astype(long)

    def constants(q):
        p2 = 2 * q / (1 + 2 * q)
        angle = np.arcsin(p2)
        return [np.sqrt(p2), np.sqrt(1 / (1 + 2 * q)), (1 - p2) / (1 + np.sqrt(p2)), np.cos(angle), np.sqrt(angle), 1 / np.sqrt(angle)]

    point = loops.array(constants(long(0.7)))
    theta = loops.array(np.ones(MOST))
    after, slopes, *_ = every_count(
        loops, "erf", [z, theta, *(loops.array(each) for each in constants(variances))], "aacssaaaaaa", loops.real(1), ctypes.c_void_p(point.ctypes.data))
    product = np.sqrt(2 * long(0.7) / (1 + 2 * long(0.7))) * np.sqrt(2 * variances / (1 + 2 * variances))
    scale = np.sqrt(np.arcsin(1.4 / long(2.4)) * np.arcsin(2 * variances / (1 + 2 * variances)))
    close(cosine(after), np.arcsin(product * cosine(z)) / scale, 16 * loops.eps)
    expected = np.sqrt(1 / (1 + 2 * long(0.7)) / (1 + 2 * variances)) / np.sqrt(1 - (product * cosine(z)) ** 2)
    close(slopes / expected, np.ones(MOST), 32 * loops.eps)


@pytest.mark.parametrize("dimension", [1, 2, 7, 8, 9, 16, 17, 31, 33, 100])
def test_unit_vectors(loops, random, dimension):
    for scale in (1, 1e-150, 1e200):
        x = random.normal(size=dimension) * scale
        unit = Buffer(loops.array(np.zeros(dimension)))
        norm = loops.call("normalize", x, unit, dimension, result=ctypes.c_double)
        expected = np.sqrt(np.sum((x / scale).astype(long) ** 2))
        assert abs(norm / scale - expected) < 1e-14 * expected
        close(unit.values, (x / scale).astype(long) / expected, 4 * loops.eps)
    assert loops.call("normalize", np.zeros(dimension), unit, dimension, result=ctypes.c_double) == 0 and not unit.values.any()


@pytest.mark.parametrize("dimension", [1, 3, 8, 13, 40])
def test_gaps_from_points(loops, random, dimension):
    """Of nearly coincident points, and nearly opposite ones, each alone as among others."""
    x = random.normal(size=dimension)
    apart = 1e-3 * random.normal(size=(MOST, dimension)) * (np.arange(MOST)[:, None] % 3 > 0)
    others = np.where(np.arange(MOST) % 2, -1, 1)[:, None] * (x + apart) * random.uniform(0.5, 2, (MOST, 1))
    norms = np.sqrt((others**2).sum(axis=1))
    norm = float(np.sqrt((x**2).sum()))
    z = loops.array(np.where(np.arange(MOST) % 2, -1e-4, 1e-4))
    exact = others.astype(long) / np.sqrt((others.astype(long) ** 2).sum(axis=1))[:, None]
    unit = x.astype(long) / np.sqrt((x.astype(long) ** 2).sum())
    expected = np.where(np.arange(MOST) % 2, -((exact + unit) ** 2).sum(axis=1), ((exact - unit) ** 2).sum(axis=1)) / 2
    results = {}
    for count in [*COUNTS, MOST]:
        buffer = Buffer(z[:count])
        loops.call(
            "refine_gaps", buffer, count, x, ctypes.c_double(norm), np.ascontiguousarray(others[:count]), np.ascontiguousarray(norms[:count]), dimension,
            loops.real(0.01), result=ctypes.c_int)
        results[count] = buffer.values
    for count, values in results.items():
        assert values.tobytes() == results[MOST][:count].tobytes()
    assert np.all(np.abs(results[MOST] - expected) <= 64 * loops.eps * np.abs(expected) + 1e-30)
