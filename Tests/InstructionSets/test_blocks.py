"""Loops over blocks of positions: windows and rectifiers against plain sums and the formulas, for widths that fill no vector."""
import ctypes

import numpy as np
import pytest

from levels import Buffer, Loops

long = np.longdouble
RUN = 16


def stride(width: int) -> int:
    return -(-width // RUN) * RUN


def window_type(real: type) -> type:
    class Window(ctypes.Structure):
        _fields_ = [
            ("blocks", ctypes.c_void_p), ("count", ctypes.c_size_t), ("first_alone", ctypes.c_void_p), ("second_alone", ctypes.c_void_p),
            ("first", ctypes.c_void_p), ("second", ctypes.c_void_p), ("width", ctypes.c_size_t), ("stride", ctypes.c_size_t), ("low", ctypes.c_size_t),
            ("high", ctypes.c_size_t), ("extended_stride", ctypes.c_size_t), ("wraps", ctypes.c_int)]
    return Window


@pytest.mark.parametrize("wraps", [0, 1])
@pytest.mark.parametrize("width, taps, count", [(4, 3, 3), (16, 3, 3), (17, 3, 3), (32, 3, 3), (5, 2, 1), (9, 5, 2), (33, 4, 4)])
def test_windows_of_blocks(loops, random, width, taps, count, wraps):
    """out[r][c] = scale Σ_k of the sum of the blocks at (r + k, c + k), what is beyond the edges from the margins or from the other side."""
    low, high = (taps - 1) // 2, taps - 1 - (taps - 1) // 2
    if wraps and max(low, high) > width:
        return
    length, extended = stride(width), stride(width) + stride(low + high)
    blocks = [loops.array(random.normal(size=(width, length))) for _ in range(count)]
    first, second = loops.array(random.normal(size=width)), loops.array(random.normal(size=width))
    alone = [loops.array(random.normal(size=width)) for _ in range(2)]
    pointers = (ctypes.c_void_p * count)(*(block.ctypes.data for block in blocks))
    window = window_type(loops.dtype)(
        ctypes.addressof(pointers), count, alone[0].ctypes.data, alone[1].ctypes.data, first.ctypes.data, second.ctypes.data, width, length, low, high,
        extended, wraps)
    whole = Buffer(loops.array(np.zeros((width + low + high + 1, extended))))
    loops.call("extend_block", whole, ctypes.byref(window))
    out = Buffer(loops.array(np.zeros((width, length))))
    loops.call("slide_block", out, width, length, whole, extended, taps, loops.real(0.5))
    inner = sum(block[:, :width].astype(long) for block in blocks) + alone[0].astype(long)[:, None] + alone[1].astype(long)
    expected = np.zeros((width, width), long)
    for tap in range(taps):
        for row in range(width):
            for column in range(width):
                r, c = row + tap - low, column + tap - low
                is_row, is_column = 0 <= r < width, 0 <= c < width
                if wraps:
                    expected[row, column] += inner[r % width, c % width]
                elif is_row and is_column:
                    expected[row, column] += inner[r, c]
                elif is_row:
                    expected[row, column] += first[r]
                elif is_column:
                    expected[row, column] += second[c]
    assert np.max(np.abs(out.values[:, :width] - expected / 2)) <= 64 * loops.eps


def moments(loops: Loops, random: np.random.Generator, width: int) -> list[np.ndarray]:
    """Variances, their roots and inverses, in padded planes."""
    values = random.uniform(0.2, 3, width)
    planes = [Buffer(loops.array(np.full(stride(width), 9))) for _ in range(3)]
    loops.call("variance_planes", values, 1, width, stride(width), *planes)
    for plane, expected in zip(planes, (values, np.sqrt(values), 1 / np.sqrt(values))):
        assert np.max(np.abs(plane.values[:width] - expected)) <= 4 * loops.eps * 3 and not plane.values[width:].any()
    return [plane.values for plane in planes]


@pytest.mark.parametrize("aligned", [0, 1])
@pytest.mark.parametrize("width", [1, 5, 15, 16, 17, 33, 48])
def test_affine_layers_and_rectifiers(loops, random, width, aligned):
    """Pairs by squared distances: K = (q + q' − D)/2; and in one pass what is done in two."""
    length, rows = stride(width), 1 if aligned else width
    (q1, a1, i1), (q2, a2, i2) = moments(loops, random, width), moments(loops, random, width)
    correlation = random.uniform(-0.95, 0.95, (rows, length))
    row = (lambda plane: plane[None, :]) if aligned else (lambda plane: plane[:width, None])
    distance = loops.array(row(q1) + q2 - 2 * correlation * row(a1) * a2)
    theta = loops.array(random.uniform(0, 2, (rows, length)))
    weight, bias, constant = 1.7, 0.9, 0.2
    for is_zero in (0, 1):
        after, slopes = Buffer(distance), Buffer(theta)
        loops.call(
            "affine_block", after, slopes, ctypes.c_int(is_zero), rows, length, ctypes.c_int(aligned), loops.real(weight), loops.real(bias),
            loops.real(constant), q1, q2)
        covariance = (row(q1).astype(long) + q2 - distance) / 2
        assert np.max(np.abs(after.values - weight * distance.astype(long))) <= 32 * loops.eps
        expected = (0 if is_zero else weight * theta.astype(long)) + bias * covariance + constant
        assert np.max(np.abs(slopes.values - expected)) <= 64 * loops.eps

    def rectified(values: np.ndarray, tangents: np.ndarray, asymmetry: float, power: float) -> tuple[Buffer, Buffer]:
        after, slopes = Buffer(values), Buffer(tangents)
        loops.call(
            "ab_relu_block", after, slopes, rows, length, ctypes.c_int(aligned), loops.real(asymmetry), loops.real(power), a1, i1, a2, i2)
        return after, slopes

    used = (slice(None), slice(0, width))
    c = np.clip(((row(q1).astype(long) + q2 - distance) / 2 * row(i1) * i2)[used], -1, 1)
    angle = np.arccos(c)
    after, slopes = rectified(distance, theta, 1, 0.5)
    kappa = (row(a1).astype(long) * a2)[used] * (np.sin(angle) + (np.pi - angle) * c) / (2 * long(np.pi))
    expected = (row(q1).astype(long) + q2)[used] / 2 - 2 * kappa
    assert np.max(np.abs(after.values[used] - expected)) <= 100 * loops.eps
    assert np.max(np.abs(slopes.values[used] - theta[used] * (np.pi - angle) / (2 * long(np.pi)))) <= 400 * loops.eps
    # Without Θ to the same bits; of an identity the distance stays.
    alone = Buffer(distance)
    loops.call(
        "ab_relu_block", alone, ctypes.c_void_p(0), rows, length, ctypes.c_int(aligned), loops.real(1), loops.real(0.5), a1, i1, a2, i2)
    assert alone.values[used].tobytes() == after.values[used].tobytes()
    same, _ = rectified(distance, theta, 0, 1)
    assert np.max(np.abs(same.values[used] - distance[used])) <= 32 * loops.eps


@pytest.mark.parametrize("aligned", [0, 1])
@pytest.mark.parametrize("width, channels", [(1, 1), (7, 3), (16, 3), (33, 5)])
def test_distances_of_inputs(loops, random, width, channels, aligned):
    """The mean over channels of (x − y)², channel by channel in padded rows."""
    length, rows = stride(width), 1 if aligned else width
    x, y = (loops.array(random.normal(size=(channels, length))) for _ in range(2))
    out = Buffer(loops.array(np.zeros((rows, length))))
    loops.call("input_distances", out, length, x, rows, y, channels, ctypes.c_int(aligned))
    own = x.astype(long)[:, None, :] if aligned else x.astype(long)[:, :width, None]
    assert np.max(np.abs(out.values - ((own - y.astype(long)[:, None, :]) ** 2).mean(axis=0))) <= 64 * loops.eps
