"""The server's expressions in x, for mpmath and for numpy, each with its derivative and the places where it has kinks."""

import ast
import math

import numpy as np
from mpmath import mp, mpf

NAMES = {"exp", "log", "tanh", "sin", "cos", "sqrt", "abs", "erf", "max", "min"}


class Dual:
    """A value with its derivative; `lib` has the functions of the numbers in it."""

    def __init__(self, value, slope, lib):
        self.value, self.slope, self.lib = value, slope, lib

    def of(self, other):
        return other if isinstance(other, Dual) else Dual(self.lib.constant(other, self.value), self.lib.constant(0, self.value), self.lib)

    def __add__(self, other):
        other = self.of(other)
        return Dual(self.value + other.value, self.slope + other.slope, self.lib)

    def __sub__(self, other):
        other = self.of(other)
        return Dual(self.value - other.value, self.slope - other.slope, self.lib)

    def __mul__(self, other):
        other = self.of(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope, self.lib)

    def __truediv__(self, other):
        other = self.of(other)
        value = self.value / other.value
        return Dual(value, (self.slope - value * other.slope) / other.value, self.lib)

    def power(self, exponent):
        """To a constant power, which is all that the campaign draws."""
        return Dual(self.value**exponent, exponent * self.value ** (exponent - 1) * self.slope, self.lib)

    def __neg__(self):
        return Dual(-self.value, -self.slope, self.lib)

    def where(self, condition, other):
        return Dual(self.lib.where(condition, self.value, other.value), self.lib.where(condition, self.slope, other.slope), self.lib)

    def apply(self, name):
        lib, x, d = self.lib, self.value, self.slope
        if name == "exp":
            return Dual(lib.exp(x), lib.exp(x) * d, lib)
        if name == "log":
            return Dual(lib.log(x), d / x, lib)
        if name == "tanh":
            return Dual(lib.tanh(x), d / lib.cosh(x) ** 2, lib)
        if name == "sin":
            return Dual(lib.sin(x), lib.cos(x) * d, lib)
        if name == "cos":
            return Dual(lib.cos(x), -lib.sin(x) * d, lib)
        if name == "sqrt":
            return Dual(lib.sqrt(x), d / (2 * lib.sqrt(x)), lib)
        if name == "erf":
            return Dual(lib.erf(x), 2 / lib.sqrt(lib.pi) * lib.exp(-x * x) * d, lib)
        return self.where(x >= 0, -self)  # abs


class Arbitrary:
    """mpmath."""

    pi = mp.pi
    exp, log, tanh, cosh, sin, cos, sqrt, erf = mp.exp, mp.log, mp.tanh, mp.cosh, mp.sin, mp.cos, mp.sqrt, mp.erf

    @staticmethod
    def constant(number, like):
        return mpf(number)

    @staticmethod
    def where(condition, a, b):
        return a if condition else b


class Long:
    """Arrays of numpy's extended precision: 64 bits of mantissa on x86."""

    pi = np.longdouble("3.14159265358979323846264338327950288")
    exp, log, tanh, sin, cos, sqrt = np.exp, np.log, np.tanh, np.sin, np.cos, np.sqrt

    @staticmethod
    def cosh(x):
        return np.cosh(np.clip(x, -5000, 5000))

    @staticmethod
    def erf(x):
        """numpy has none: the series inside, the continued fraction outside, each to 64 bits."""
        flat = np.abs(np.asarray(x, np.longdouble)).ravel()
        result = np.empty_like(flat)
        inner = flat < 3
        z = flat[inner]
        term, total = z.copy(), z.copy()
        for n in range(1, 90):
            term = term * 2 * z * z / (2 * n + 1)
            total += term
        result[inner] = 2 / np.sqrt(Long.pi) * np.exp(-z * z) * total
        z = flat[~inner]
        fraction = np.zeros_like(z)
        for n in range(80, 0, -1):
            fraction = (np.longdouble(n) / 2) / (z + fraction)
        result[~inner] = 1 - np.exp(-z * z) / np.sqrt(Long.pi) / (z + fraction)
        return np.sign(x) * result.reshape(np.shape(x))

    @staticmethod
    def constant(number, like):
        return np.longdouble(number)

    where = staticmethod(np.where)


def compile(text):
    """(function of a Dual, kinks): the places where max, min and abs of linear arguments change branch."""
    tree = ast.parse(text.replace("^", "**"), mode="eval").body
    kinks = []

    def crossings(node):
        """Where a condition changes its sign, looked for between 10^-3 and 10^3."""
        at = lambda x: evaluate(node, Dual(mpf(x), mpf(1), Arbitrary)).value
        spots = sorted({sign * mpf(step) / 40 for step in range(0, 481) for sign in (-1, 1)} | {sign * mpf(12) * mpf(1.1) ** k for k in range(48) for sign in (-1, 1)})
        try:
            values = [at(x) for x in spots]
        except (ValueError, ZeroDivisionError, TypeError):
            return
        for (x, fx), (y, fy) in zip(zip(spots, values), zip(spots[1:], values[1:])):
            if fx == 0 and fy != 0 or fy == 0 and fx != 0:
                yield x if fx == 0 else y
            elif fx * fy < 0:
                for _ in range(240):
                    middle = (x + y) / 2
                    if at(middle) * fx > 0:
                        x = middle
                    else:
                        y = middle
                yield x

    def visit(node):
        for child in ast.iter_child_nodes(node):
            visit(child)
        if isinstance(node, ast.Call) and node.func.id in ("abs", "max", "min"):
            argument = node.args[0] if node.func.id == "abs" else ast.BinOp(node.args[0], ast.Sub(), node.args[1])
            kinks.extend(crossings(argument))

    def evaluate(node, x):
        if isinstance(node, ast.Constant):
            return x.of(node.value)
        if isinstance(node, ast.Name):
            return x if node.id == "x" else x.of(math.pi if node.id == "pi" else math.e)
        if isinstance(node, ast.UnaryOp):
            value = evaluate(node.operand, x)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Call):
            arguments = [evaluate(argument, x) for argument in node.args]
            if node.func.id not in ("max", "min"):
                return arguments[0].apply(node.func.id)
            a, b = arguments
            return a.where(a.value >= b.value if node.func.id == "max" else a.value <= b.value, b)
        a = evaluate(node.left, x)
        if isinstance(node.op, ast.Pow):
            return a.power(ast.literal_eval(node.right))
        b = evaluate(node.right, x)
        operations = {ast.Add: a.__add__, ast.Sub: a.__sub__, ast.Mult: a.__mul__, ast.Div: a.__truediv__}
        return operations[type(node.op)](b)

    visit(tree)
    apart = [x for i, x in enumerate(sorted(kinks)) if i == 0 or x - sorted(kinks)[i - 1] > mpf(10) ** -40]
    return (lambda x: evaluate(tree, x)), apart
