"""Functions of JAX as ONNX files: parameters go through the converter as inputs, so that none is folded, merged or renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
import onnx
from jax import export
from jax2onnx import to_onnx

from ..errors import ExportError
from . import choice, graphs
from .model_file import ModelFile
from .reference import Reference

# Rows that outputs are compared at, and at most so many outputs the kernel.
_ROWS, _OUTPUTS = 3, 4


def convert(
    function: Any, parameters: Any, example: Any, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> tuple[ModelFile, Reference]:
    """Export ``function(parameters, *inputs)``, and say what JAX says of it.

    See `Network.from_jax` for the parameters and errors.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(parameters)
    arrays = {_name(path): np.asarray(leaf) for path, leaf in leaves}
    inputs = [np.asarray(one) for one in (example if isinstance(example, tuple) else (example,))]
    if not inputs or any(one.ndim == 0 or len(one) != len(inputs[0]) or not len(one) for one in inputs):
        raise ExportError("samples along the first axis of each input expected, as many in all of them")

    def call(*values: Any) -> Any:
        return function(jax.tree_util.tree_unflatten(structure, values[: len(arrays)]), *values[len(arrays) :])

    try:
        scope = export.SymbolicScope()
        specifications = [jax.ShapeDtypeStruct(one.shape, one.dtype) for one in arrays.values()]
        specifications += [jax.ShapeDtypeStruct(_any_number(one.shape, scope), one.dtype) for one in inputs]
        model = to_onnx(call, specifications)
    except Exception as error:
        raise ExportError(f"jax2onnx does not export the function: {type(error).__name__}: {error}") from error
    labels = tuple(f"x{index}" for index in range(len(inputs)))
    _bind(model.graph, arrays, labels)
    reals = [name for name, array in arrays.items() if array.dtype.kind == "f"]
    counted = choice.chosen(reals, include, exclude, known=arrays) & graphs.real_initializers(model.graph)
    choice.write(model, counted)
    return ModelFile(bytes(model.SerializeToString())), _reference(call, arrays, inputs, labels, counted)


def _any_number(shape: tuple[int, ...], scope: Any) -> Any:
    """Return the shape of any number of samples, the same in every input of a scope."""
    return export.symbolic_shape(",".join(["samples", *(str(extent) for extent in shape[1:])]) + ",", scope=scope)


def _name(path: Any) -> str:
    """Return a leaf's place in its tree, its keys joined by dots."""
    return ".".join(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in path)


def _bind(graph: onnx.GraphProto, arrays: Mapping[str, npt.NDArray[Any]], labels: tuple[str, ...]) -> None:
    """Give the first inputs their values, and the others their names."""
    names = [one.name for one in graph.input]
    if len(names) != len(arrays) + len(labels):
        raise ExportError(f"{len(arrays) + len(labels)} inputs of the graph expected, parameters among them; it has {len(names)}")
    graphs.rename(graph, dict(zip(names, [*arrays, *labels], strict=True)))
    graphs.remove_inputs(graph, frozenset(arrays))
    used = graphs.value_names(graph)
    graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in arrays.items() if name in used)


def _reference(
    call: Any, arrays: Mapping[str, npt.NDArray[Any]], inputs: list[npt.NDArray[Any]], labels: tuple[str, ...], counted: frozenset[str]
) -> Reference:
    """Evaluate the function and its derivatives at the example, in double precision."""
    with jax.enable_x64(True):
        precise = {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in arrays.items()}
        points = [(one.astype(np.float64) if one.dtype.kind == "f" else one)[:_ROWS] for one in inputs]
        rows = min(2, len(points[0]))

        def outputs(chosen: dict[str, Any], count: int) -> Any:
            values = call(*(precise | chosen).values(), *(one[:count] for one in points))
            while isinstance(values, tuple | list):
                values = values[0]
            return values.reshape(count, -1)

        start = {name: one for name, one in precise.items() if name in counted}
        expected = outputs(start, len(points[0]))
        chosen = tuple(sorted({place * (expected.shape[1] - 1) // (_OUTPUTS - 1) for place in range(_OUTPUTS)}))
        jacobian = jax.jacrev(lambda values: outputs(values, rows)[:, np.array(chosen)])(start)
        kernel = {}
        for name, one in jacobian.items():
            flat = np.asarray(one, dtype=np.float64).reshape(rows, len(chosen), -1)
            kernel[name] = np.einsum("iap,jbp->ijab", flat, flat)
    precision = 2e-6 if expected.dtype == np.float64 else 1e-4
    named = dict(zip(labels, points, strict=True))
    return Reference(named if len(named) > 1 else points[0], np.asarray(expected, dtype=np.float64), rows, chosen, kernel, precision)
