"""Which positions a layer reads, as jax.lax and jax.image define it: plain index arithmetic, exact."""

import itertools
import math
from fractions import Fraction


def indices(shape):
    return itertools.product(*(range(n) for n in shape))


def flat(index, shape):
    place = 0
    for i, n in zip(index, shape):
        place = place * n + i
    return place


def window_axis(size, window, stride, padding):
    """For each output the input position under each tap, None beyond the edge."""
    if padding == "valid":
        count, low = (size - window) // stride + 1, 0
    else:
        count = -(-size // stride)
        low = max((count - 1) * stride + window - size, 0) // 2
    rows = []
    for output in range(max(count, 0)):
        places = [output * stride + tap - low for tap in range(window)]
        rows.append([p % size if padding == "circular" else p if 0 <= p < size else None for p in places])
    return rows


def transposed_axis(size, window, stride, padding):
    """lax.conv_transpose: the input with stride - 1 zeros between its positions, padded and then convolved."""
    dilated = (size - 1) * stride + 1
    total = window + stride - 2
    if padding == "same":
        low = window - 1 if stride > window - 1 else -(-total // 2)
        count = size * stride
    else:
        total += max(window - stride, 0)
        low, count = window - 1, dilated + total - window + 1
    if padding == "circular":
        # The valid result folded onto a ring of size * stride positions, its middle in place.
        low, count = low - max(count - size * stride, 0) // 2, size * stride
    rows = []
    for output in range(count):
        row = []
        for tap in range(window):
            place = output + tap - low
            if padding == "circular":
                place %= size * stride
            row.append(place // stride if 0 <= place < dilated and place % stride == 0 else None)
        rows.append(row)
    return rows


def windows(shape, window, strides, padding, transposed=False):
    """(shape of the output, for each output its taps' input positions, for each output the one under its middle)."""
    strides = strides or [1] * len(shape)
    axis = transposed_axis if transposed else window_axis
    axes = [axis(n, w, s, padding) for n, w, s in zip(shape, window, strides)]
    output = [len(rows) for rows in axes]
    taps, centres = [], []
    for place in indices(output):
        rows = [rows[i] for rows, i in zip(axes, place)]
        taps.append([None if None in tap else flat(tap, shape) for tap in itertools.product(*rows)])
        middle = [row[(w - 1) // 2] for row, w in zip(rows, window)]
        centres.append(None if None in middle else flat(middle, shape))
    return output, taps, centres


def resize_axis(size, count, method, antialias):
    """The weights of jax.image.scale_and_translate along one axis: [(position, weight)] for each output."""
    if size == count:
        return [[(i, 1)] for i in range(size)]
    ratio = Fraction(size, count)
    if method == "nearest":
        return [[(min(math.floor((i + Fraction(1, 2)) * ratio), size - 1), 1)] for i in range(count)]
    scale = max(ratio, 1) if antialias else Fraction(1)
    rows = []
    for output in range(count):
        sample = (output + Fraction(1, 2)) * ratio - Fraction(1, 2)
        weights = [(i, max(0, 1 - abs(sample - i) / scale)) for i in range(size)]
        total = sum(weight for _, weight in weights)
        rows.append([(i, weight / total) for i, weight in weights if weight > 0])
    return rows


def product_of_axes(axes, shape):
    """A separable map: [(position, weight)] for each output position in row-major order."""
    rows = []
    for combination in itertools.product(*axes):
        rows.append([
            (flat([i for i, _ in entries], shape), math.prod((Fraction(w) for _, w in entries), start=Fraction(1)))
            for entries in itertools.product(*combination)
        ])
    return rows
