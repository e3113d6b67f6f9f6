"""The C loops compiled for one level of instructions at a time, to be called from here."""
import ctypes
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = {
    "CSupport": [], "CCompensatedSums": ["-ffp-contract=off"], "CThinProducts": ["-ffp-contract=on", "-fno-trapping-math"],
    "CDualActivations": ["-ffp-contract=on", "-fno-trapping-math"],
}
# x86-64-v4 with and without units of its own for additions, which decides between two forms of the cosines.
LEVELS = {"baseline": (1, 0), "v3": (3, 0), "v4": (4, 0), "v4 with adders": (4, 1)}
# What a level needs, by the names of /proc/cpuinfo.
NEEDED = {1: set(), 3: {"avx2", "fma", "bmi2"}, 4: {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}
SUFFIX = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32"}
# Elements beside every buffer, which no function may touch.
GUARD, UNTOUCHED = 64, -12345.0


def is_there(level: int) -> bool:
    flags = re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return flags is not None and NEEDED[level] <= set(flags[1].split())


def compiler() -> str:
    """Swift's clang, which makes the binary's C, too."""
    swift = shutil.which("swift")
    beside = pathlib.Path(swift).resolve().parent / "clang" if swift else None
    return str(beside) if beside and beside.exists() else shutil.which("clang") or "clang"


def compile_level(directory: pathlib.Path, level: int, adders: int) -> ctypes.CDLL:
    objects = []
    for target, options in SOURCES.items():
        for source in sorted((ROOT / "Sources" / target).glob("*.c")):
            objects.append(directory / f"{target}-{source.stem}.o")
            command = [compiler(), "-c", "-fPIC", "-O3", "-fno-math-errno", *options, f"-DNTK_INSTRUCTION_LEVEL={level}", f"-DNTK_SEPARATE_ADDERS={adders}"]
            command += [f"-I{ROOT}/Sources/{each}/include" for each in SOURCES]
            subprocess.run([*command, source, "-o", objects[-1]], check=True)
    library = directory / "loops.so"
    subprocess.run([compiler(), "-shared", "-o", library, *objects, "-lm"], check=True)
    return ctypes.CDLL(str(library))


class Buffer:
    """An array with elements on both sides that must stay as they are."""

    def __init__(self, values: np.ndarray):
        self.whole = np.full(values.size + 2 * GUARD, UNTOUCHED, values.dtype)
        self.values = self.whole[GUARD:GUARD + values.size].reshape(values.shape)
        self.values[...] = values

    def check(self) -> None:
        assert (self.whole[:GUARD] == UNTOUCHED).all() and (self.whole[GUARD + self.values.size:] == UNTOUCHED).all(), "written beside a buffer"


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@dataclass
class Loops:
    """A library's functions for one type of numbers."""

    library: ctypes.CDLL
    dtype: np.dtype

    @property
    def eps(self) -> float:
        return float(np.finfo(self.dtype).eps)

    def array(self, values: object) -> np.ndarray:
        return np.ascontiguousarray(values, self.dtype)

    def real(self, value: float) -> object:
        return ctypes.c_double(value) if self.dtype == np.float64 else ctypes.c_float(value)

    def call(self, name: str, *arguments: object, result: object = None, plain: bool = False) -> object:
        """Arrays by pointer, with guards around those of `Buffer`; integers as sizes; the rest as it is."""
        function = getattr(self.library, f"ntk_{name}" + ("" if plain else f"_{SUFFIX[np.dtype(self.dtype)]}"))
        function.restype = result
        given = [pointer(each.values) if isinstance(each, Buffer) else pointer(each) if isinstance(each, np.ndarray)
                 else ctypes.c_size_t(each) if isinstance(each, int) else each for each in arguments]
        value = function(*given)
        for each in arguments:
            if isinstance(each, Buffer):
                each.check()
        return value
