"""Products and sums: each level against numpy in more digits, for sizes that fill no vector."""
import ctypes
from fractions import Fraction

import numpy as np
import pytest

from levels import Buffer, Loops

long = np.longdouble
CHUNK = 264


class Points(ctypes.Structure):
    _fields_ = [("units", ctypes.c_void_p), ("pair_sums", ctypes.c_void_p), ("stride", ctypes.c_size_t)]


class Matrix(ctypes.Structure):
    _fields_ = [("elements", ctypes.c_void_p), ("rows", ctypes.c_size_t), ("columns", ctypes.c_size_t), ("stride", ctypes.c_size_t)]


class Vectors(ctypes.Structure):
    _fields_ = [("elements", ctypes.c_void_p), ("stride", ctypes.c_size_t)]


def packed(loops: Loops, points: np.ndarray, panel: int) -> Buffer:
    """The points in panels, by the loops' own packing."""
    count, dimension = points.shape
    buffer = Buffer(loops.array(np.zeros(count * dimension)))
    for start in range(0, count, panel):
        part = buffer.values[start * dimension:(start + panel) * dimension]
        loops.call("pack_panel", part, np.ascontiguousarray(points[start:start + panel]), dimension, panel)
        assert (part.reshape(dimension, panel).T == points[start:start + panel]).all()
    buffer.check()
    return buffer


@pytest.mark.parametrize("dimension", [1, 2, 3, 8, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 2])
@pytest.mark.parametrize("rows", [4, 8, 12, 20])
def test_inner_products(loops, random, dimension, rows):
    panel = 24 if loops.dtype == np.float64 else 48
    points = loops.array(random.normal(size=(2 * panel, dimension)))
    out = Buffer(loops.array(np.zeros((rows, 2 * panel))))
    loops.call("inner_products", out, 2 * panel, points, rows, packed(loops, points, panel), 2, dimension, ctypes.c_int(0))
    expected = points[:rows].astype(long) @ points.astype(long).T
    scale = np.sqrt((points.astype(long) ** 2).sum(axis=1))
    assert np.all(np.abs(out.values - expected) <= 4 * np.sqrt(dimension) * loops.eps * scale[:rows, None] * scale)
    # Of a pair the places do not matter.
    assert (out.values[:, :rows] == out.values[:, :rows].T).all()
    upper = Buffer(loops.array(np.zeros((rows, 2 * panel))))
    loops.call("inner_products", upper, 2 * panel, points, rows, packed(loops, points, panel), 2, dimension, ctypes.c_int(1))
    assert all((upper.values[row, row:] == out.values[row, row:]).all() for row in range(rows))


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 2])
@pytest.mark.parametrize("rows", [4, 10, 14])
def test_cosines(loops, random, dimension, rows):
    panel = loops.call("cosine_panel", result=ctypes.c_size_t)
    count = 2 * panel
    x = random.normal(size=(count, dimension))
    x[1] = 0
    lengths = np.sqrt((x**2).sum(axis=1))[:, None]
    units = loops.array(np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0))
    sums = Buffer(loops.array(np.zeros((-(-dimension // CHUNK), count))))
    for point in range(count):
        loops.call("pair_sums", sums.values[:, point:], count, units[point], dimension)
    sums.check()
    panels = packed(loops, units, panel)
    given = Points(units.ctypes.data, sums.values.ctypes.data, count)
    columns = Points(panels.values.ctypes.data, sums.values.ctypes.data, count)
    out = Buffer(loops.array(np.zeros((rows + 2, count))))
    blocks = -(-rows // 4) * 4 if panel in (24, 48) else rows
    out = Buffer(loops.array(np.zeros((blocks, count))))
    loops.call("cosines", out, count, given, blocks, columns, 2, dimension, ctypes.c_int(0))
    expected = units[:blocks].astype(long) @ units.astype(long).T
    assert np.max(np.abs(out.values - expected)) <= 24 * loops.eps
    assert (out.values[:, :blocks] == out.values[:, :blocks].T).all()


@pytest.mark.parametrize("rows, columns, vectors", [(8, 64, 5), (16, 64, 10), (24, 192, 5), (40, 128, 15)])
def test_thin_products(loops, random, rows, columns, vectors):
    matrix = loops.array(random.normal(size=(rows, columns + 7)))
    right, left = loops.array(random.normal(size=(vectors, columns + 3))), loops.array(random.normal(size=(vectors, rows + 5)))

    def products(has_right: bool, has_left: bool) -> tuple[Buffer, Buffer]:
        from_right, from_left = Buffer(loops.array(np.full((vectors, rows + 2), 7))), Buffer(loops.array(np.full((vectors, columns + 4), 7)))
        loops.call(
            "thin_products", Vectors(from_right.values.ctypes.data if has_right else None, rows + 2),
            Vectors(from_left.values.ctypes.data if has_left else None, columns + 4), Matrix(matrix.ctypes.data, rows, columns, columns + 7),
            Vectors(right.ctypes.data, columns + 3), Vectors(left.ctypes.data, rows + 5), vectors)
        from_right.check()
        from_left.check()
        assert (from_right.values[:, rows:] == 7).all() and (from_left.values[:, columns:] == 7).all(), "between the vectors nothing is written"
        return from_right, from_left

    from_right, from_left = products(True, True)
    a = matrix[:, :columns].astype(long)
    assert np.max(np.abs(from_right.values[:, :rows] - right[:, :columns].astype(long) @ a.T)) <= 40 * np.sqrt(columns) * loops.eps
    assert np.max(np.abs(from_left.values[:, :columns] - left[:, :rows].astype(long) @ a)) <= 40 * np.sqrt(rows) * loops.eps
    assert (products(True, False)[0].values == from_right.values).all() and (products(True, False)[1].values == 7).all()
    assert (products(False, True)[1].values == from_left.values).all()


@pytest.mark.parametrize("count", [*range(0, 40), 63, 64, 65, 500])
def test_compensated_sums(loops64, random, count):
    """Products that cancel to a part in 10^20 of their size keep their digits, since sums and products have twice as many."""
    a, x = random.normal(size=count) * 10.0 ** random.uniform(-10, 10, count), random.normal(size=count)
    high, low = Buffer(np.array([0.5])), Buffer(np.array([0.0]))
    loops64.call("dot2", a, x, count, high, low, plain=True)
    exact = Fraction(1, 2) + sum((Fraction(p) * Fraction(q) for p, q in zip(a.tolist(), x.tolist())), Fraction())
    size = Fraction(1, 2) + sum((abs(Fraction(p) * Fraction(q)) for p, q in zip(a.tolist(), x.tolist())), Fraction())
    assert abs(Fraction(high.values[0]) + Fraction(low.values[0]) - exact) <= Fraction(count + 1) ** 2 * size / 2**104


@pytest.mark.parametrize("columns", [*range(1, 19), 31, 32, 33])
def test_sums_of_blocks(loops, random, columns):
    block = loops.array(random.normal(size=(5, 48)))
    total = loops.call("block_sum", block, 5, columns, 48, result=ctypes.c_double)
    assert abs(total - block[:, :columns].astype(long).sum()) < 1e-13


@pytest.mark.parametrize("terms", [8, 16, 64])
def test_hermite_series(loops64, random, terms):
    a, s, b, t = (random.normal(size=terms) / np.arange(1, terms + 1) for _ in range(4))
    tail = random.normal(size=8) / 100
    order = np.arange(terms)
    for h in (0.0, 1e-9, 0.3, 1.0):
        for far in (0, 1):
            out = Buffer(np.zeros(4))
            loops64.call(
                "hermite_pair", out, a, s, b, t, terms, ctypes.c_double(h), ctypes.c_int(far), tail, 8, plain=True)
            turned, slopes = (b * (-1.0) ** order, t * (-1.0) ** order) if far else (b, t)
            power = (1 - long(h)) ** order
            expected = [
                np.sum(a * turned * power), np.sum(s * slopes * power),
                (np.sum((a + turned if far else a - turned) ** 2) + np.sum(tail**2)) / 2 if far else (np.sum((a - b) ** 2) + np.sum(tail**2)) / 2,
                np.sum(a * turned * -np.expm1(order * np.log1p(-long(h)) if h < 1 else np.where(order > 0, -np.inf, 0))),
            ]
            assert np.max(np.abs(out.values - np.array(expected, long))) < 1e-14, (h, far)
            swapped = Buffer(np.zeros(4))
            loops64.call("hermite_pair", swapped, b, t, a, s, terms, ctypes.c_double(h), ctypes.c_int(far), tail, 8, plain=True)
            assert swapped.values.tobytes() == out.values.tobytes()


def test_squared_distances_and_sines(loops64, random):
    for count in (8, 16, 24, 80):
        a, b = random.normal(size=count), random.normal(size=count)
        for side in (1.0, -1.0):
            distance = loops64.call("squared_distance", a, b, ctypes.c_double(side), count, result=ctypes.c_double, plain=True)
            assert abs(distance - np.sum((a - side * b) ** 2)) < 1e-12
    x = np.linspace(0, 0.75 * np.pi, 67)
    for count in range(1, 68):
        out = Buffer(np.zeros(count))
        loops64.call("sines", out, x, ctypes.c_double(1.5), count, plain=True)
        assert np.max(np.abs(out.values - 1.5 * np.sin(x[:count].astype(long)))) < 1e-15
