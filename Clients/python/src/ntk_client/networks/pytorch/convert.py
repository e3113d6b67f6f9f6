"""From a module to an ONNX file with every parameter under its own name, and what the server must say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import torch

from ...errors import ExportError
from .. import choice, graphs
from ..model_file import ModelFile
from ..reference import Reference
from .behaviour import check_behaviour
from .call import Call, evaluation_mode, other_parameters, parameters_apart
from .embeddings import Lookups, hold_rows
from .evaluation import Evaluation, reference
from .example import Example
from .exporters import EXPORTERS, quietly
from .faithful import Parameters, UnfaithfulError, make_faithful

# Of a message of protocol buffers, and so of a file that holds its data.
_LARGEST_FILE = (1 << 31) - 1


@dataclass(frozen=True)
class Conversion:
    """A module's file, and what PyTorch says of the module."""

    file: ModelFile
    reference: Reference


def convert(
    module: torch.nn.Module,
    example: Any,
    *,
    output: str | int | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> Conversion:
    """Export a module such that every parameter keeps its name and its value.

    See `Network.from_torch` for the parameters and errors. The module is left as it is.
    """
    with torch.inference_mode(False), torch.enable_grad():
        return _convert(module, Example.read(module, example), output, include, exclude)


def _convert(
    module: torch.nn.Module, inputs: Example, output: str | int | None, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> Conversion:
    call = Call(module, inputs.names if inputs.by_keyword else None, output)
    parameters = Parameters.of(call)
    evaluation = Evaluation(call, inputs)
    check_behaviour(call, inputs, evaluation)
    trained = [name for name, tensor in parameters.tensors.items() if tensor.requires_grad]
    counted = choice.chosen(trained, include, exclude, known=parameters.tensors)
    try:
        with evaluation_mode(call):
            used = evaluation.used()
            lookups = _lookups(call, inputs, parameters, counted)
            model = _export_precisely(call, inputs, used & counted)
            expected = reference(evaluation, inputs, counted & used, sum(parameters.tensors[name].numel() for name in counted))
    finally:
        # Old forms of normalized weights keep what the last evaluation made of them, which was that of an exporter.
        with evaluation_mode(call):
            call(*inputs.tensors)
    for table, rows in lookups.items():
        hold_rows(model.graph, table, rows)
    choice.write(model, used & counted)
    _name_inputs(model.graph, inputs.labels)
    unused = graphs.unused_inputs(model.graph)
    if len(unused) == len(inputs.labels):
        raise ExportError("an output that depends on the inputs expected; the module's does not")
    graphs.remove_inputs(model.graph, unused)
    expected = dataclasses.replace(expected, points=inputs.points(without=unused))
    if model.ByteSize() > _LARGEST_FILE:
        raise ExportError(f"a file of {model.ByteSize()} bytes; an ONNX file with its data inside can have {_LARGEST_FILE}")
    return Conversion(ModelFile(model.SerializeToString()), expected)


def _lookups(call: Call, example: Example, parameters: Parameters, counted: frozenset[str]) -> dict[str, list[int]]:
    """Return, of each table that is looked up with a row without gradient, the rows of its lookups."""
    lookups = Lookups()
    with lookups:
        call(*example.tensors)
    names = {id(tensor): name for name, tensor in parameters.tensors.items()}
    rows: dict[str, list[int]] = {}
    for table, row in lookups.rows:
        name = names.get(id(table))
        if name is not None:
            rows.setdefault(name, []).append(row)
        elif row >= 0 and table.requires_grad:
            raise ExportError(
                "an embedding with padding_idx whose table is computed from parameters: its row's gradient cannot be left out"
            )
    return {name: held for name, held in rows.items() if name in counted and any(row >= 0 for row in held)}


def _export_precisely(call: Call, example: Example, needed: frozenset[str]) -> onnx.ModelProto:
    """Export in single precision what is in half: exporters write constants such as 1/√2 in the module's type."""
    if not any(one.dtype in (torch.float16, torch.bfloat16) for one in call.parameters()):
        return _export(call, example, Parameters.of(call), needed)
    wider = dataclasses.replace(example, tensors=example.of_type(torch.float32))
    with other_parameters(call, torch.float32):
        return _export(call, wider, Parameters.of(call), needed)


def _export(call: Call, example: Example, parameters: Parameters, needed: frozenset[str]) -> onnx.ModelProto:
    """Return the first export that holds the parameters that are needed as they are."""
    failures = []
    for export in EXPORTERS:
        try:
            with quietly(), parameters_apart(call):
                model = export(call, example)
            make_faithful(model, parameters, needed)
            return model
        except ExportError:
            raise
        except Exception as error:
            # Exporters fail in many ways; the first line says which.
            reason = str(error).strip().splitlines()
            failures.append(f"{export.__name__}: {type(error).__name__}: {reason[0] if reason else 'no reason'}")
            if not isinstance(error, UnfaithfulError):
                cause = error.__cause__ or error.__context__
                if cause is not None:
                    failures[-1] += f" ({type(cause).__name__}: {(str(cause).strip().splitlines() or [''])[0]})"
    raise ExportError("no way of exporting the module keeps its parameters: " + "; ".join(failures))


def _name_inputs(graph: onnx.GraphProto, names: tuple[str, ...]) -> None:
    """Give the inputs their names; in a file they are not the parameters'."""
    graphs.rename(graph, {f"input::{index}": name for index, name in enumerate(names)})
