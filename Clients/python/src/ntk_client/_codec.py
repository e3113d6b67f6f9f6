"""Bodies of requests and answers: the one place that knows how arrays travel.

A request goes as JSON where it holds no array, else as ``multipart/form-data`` with a ``.npy`` part for each. An answer comes
as ``.npy``, ``.npz`` or JSON, whichever the server prefers of those that are asked for.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
from urllib3.fields import RequestField
from urllib3.filepost import choose_boundary

JSON = "application/json"
NPY = "application/x-npy"
NPZ = "application/x-npz"


@dataclass(frozen=True, eq=False)
class File:
    """A file among the fields of a request, which travels as a part of its own."""

    content: bytes
    media_type: str


def unmasked(value: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return an array without a mask: what was masked is NaN.

    The server takes it for a masked entry where it knows such, and refuses it elsewhere. ``np.asarray`` gives what is below the
    mask, and so numbers that were declared to be none.
    """
    if not is_masked(value):
        return np.asarray(value)
    array: np.ma.MaskedArray[Any, Any] = np.ma.array(value)
    if not np.any(np.ma.getmaskarray(array)):
        return np.asarray(array)
    floating: np.ma.MaskedArray[Any, Any] = array if array.dtype.kind == "f" else array.astype(np.float64)  # type: ignore[assignment]
    return np.asarray(floating.filled(np.nan))


def is_masked(value: Any) -> bool:
    """Return whether an array, or one of those in a list, has a mask."""
    if isinstance(value, list | tuple):
        return any(is_masked(child) for child in value)
    return isinstance(value, np.ma.MaskedArray)


def as_array(value: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the numbers as an array of a type that the server reads; what is masked is NaN."""
    array = unmasked(value)
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 8:
        return array if array.dtype != np.uint64 else array.astype(np.float64)
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.kind == "c":
        raise TypeError("an array of real numbers expected; complex ones came")
    return array.astype(np.float64)


def npy(array: npt.NDArray[Any]) -> bytes:
    """Return an array as a ``.npy`` file."""
    return b"".join(_npy_pieces(array))


def _npy_pieces(array: npt.NDArray[Any]) -> list[bytes | memoryview]:
    """Return a ``.npy`` file in pieces, its numbers where they stand."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    numbers = np.ravel(array, order="F" if is_fortran else "C")
    return [file.getvalue(), numbers.view(np.uint8).data if numbers.size else b""]


# Bytes that are taken from a connection at once: what stays in a cache until it is where it belongs.
_PIECE = 1 << 18


class Readable(Protocol):
    """What an answer's body is read from; ``read`` returns less than was asked for at the end only."""

    def read(self, amount: int | None = None, /) -> bytes:
        """Return the next bytes, all that are left without an amount."""


def read_npy(file: Readable | BinaryIO) -> npt.NDArray[Any]:
    """Return the array of a ``.npy`` file as it comes, its numbers straight into their place.

    Raises
    ------
    ValueError
        Where it is no such file, or not a whole one.
    """
    version = np.lib.format.read_magic(file)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError(f"a .npy file of version 1.0 or 2.0 expected; {version} came")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = header(file)
    if dtype.hasobject:
        raise ValueError(f"an array of numbers expected; one of {dtype} came")
    flat = np.empty(math.prod(shape), dtype)
    place = flat.view(np.uint8).data if flat.size else memoryview(b"")
    start = 0
    while start < len(place):
        piece = file.read(min(_PIECE, len(place) - start))
        if not piece:
            raise ValueError(f"{len(place)} bytes of numbers expected; {start} came")
        place[start : start + len(piece)] = piece
        start += len(piece)
    return flat.reshape(shape, order="F" if fortran_order else "C")


def _without_arrays(value: Any, path: tuple[str, ...], arrays: dict[str, npt.NDArray[Any] | File]) -> Any:
    """Return `value` as JSON has it, less its arrays and files, which are put into `arrays` by their dotted path."""
    if isinstance(value, Mapping):
        result = {}
        for name, child in value.items():
            if isinstance(child, File):
                arrays[".".join((*path, name))] = child
                continue
            if isinstance(child, np.ndarray):
                arrays[".".join((*path, name))] = as_array(child) if isinstance(child, np.ma.MaskedArray) else child
                continue
            plain = _without_arrays(child, (*path, name), arrays)
            # An object that held nothing but arrays is made anew by its parts.
            if plain != {} or not child:
                result[name] = plain
        return result
    if isinstance(value, list | tuple):
        return [_without_arrays(child, path, arrays) for child in value]
    return value.item() if isinstance(value, np.generic) else value


def encode(fields: Mapping[str, Any] | File) -> tuple[list[bytes | memoryview], str]:
    """Return the body of a request in pieces, and its media type; arrays among the fields travel as ``.npy``, from where they stand."""
    if isinstance(fields, File):
        return [fields.content], fields.media_type
    arrays: dict[str, npt.NDArray[Any] | File] = {}
    plain = _without_arrays(fields, (), arrays)
    text = json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()
    if not arrays:
        return [text], JSON
    boundary = choose_boundary()
    pieces: list[bytes | memoryview] = []
    parts: list[tuple[str, str, list[bytes | memoryview]]] = [("request", JSON, [text])]
    for name, one in arrays.items():
        parts.append((name, one.media_type, [one.content]) if isinstance(one, File) else (name, NPY, _npy_pieces(one)))
    for name, media_type, content in parts:
        field = RequestField(name, b"", filename=name)
        field.make_multipart(content_type=media_type)
        pieces += [f"--{boundary}\r\n{field.render_headers()}".encode(), *content, b"\r\n"]
    return [*pieces, f"--{boundary}--\r\n".encode()], f"multipart/form-data; boundary={boundary}"


def accept(only_array: str | None) -> str:
    """Return the ``Accept`` of a request, of which the answer is one array, or arrays with scalars beside them."""
    return f"{NPY}, {NPZ};q=0.9, {JSON};q=0.5" if only_array else f"{NPZ}, {JSON};q=0.5"


def decode(body: Readable | BinaryIO, media_type: str, only_array: str | None = None) -> dict[str, Any]:
    """Return an answer's fields.

    Parameters
    ----------
    body
        Is read to its end.
    media_type
        As it came.
    only_array
        The name of the one array that a ``.npy`` answer is.
    """
    kind = media_type.partition(";")[0].strip().lower()
    if kind == NPY:
        return {only_array or "array": read_npy(body)}
    content = body.read()
    if kind == NPZ:
        return _decode_npz(content)
    answer = json.loads(content) if content else {}
    return answer if isinstance(answer, dict) else {"value": answer}


def _decode_npz(body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "meta.json":
                answer = json.loads(content)
            else:
                arrays[name.removesuffix(".npy")] = read_npy(io.BytesIO(content))
    for name, array in arrays.items():
        _place(answer, name, array)
    return answer


def _place(answer: dict[str, Any], name: str, array: npt.NDArray[Any]) -> None:
    """Put an array where its dotted name says, below the objects of the answer that are there (parameters' names hold dots too)."""
    head, dot, rest = name.partition(".")
    if dot and isinstance(answer.get(head), dict):
        _place(answer[head], rest, array)
    elif dot and head == "layerwise":
        answer.setdefault(head, {})[rest] = array
    else:
        answer[name] = array
