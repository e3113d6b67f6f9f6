"""Whether an exported graph holds a module's parameters as they are; what can be put right is."""

from __future__ import annotations

from dataclasses import dataclass

import onnx
import torch
from onnx import numpy_helper

from .. import graphs
from .call import PREFIX, Call


class UnfaithfulError(Exception):
    """The graph's parameters are not the module's, and why."""


@dataclass(frozen=True)
class Parameters:
    """A module's parameters by name, the first where one has several.

    Attributes
    ----------
    tensors
        By name.
    first_names
        The first name by each name, that of the module's `Call` included.
    """

    tensors: dict[str, torch.nn.Parameter]
    first_names: dict[str, str]

    @classmethod
    def of(cls, call: Call) -> Parameters:
        """Read them off a call."""
        names: dict[int, str] = {}
        tensors: dict[str, torch.nn.Parameter] = {}
        first_names: dict[str, str] = {}
        for name, tensor in call.named_parameters(remove_duplicate=False):
            first = names.setdefault(id(tensor), name.removeprefix(PREFIX))
            tensors[first] = tensor
            first_names[name] = first
        return cls(tensors, first_names)


def make_faithful(model: onnx.ModelProto, parameters: Parameters, used: frozenset[str]) -> None:
    """Give each parameter one initializer, under its first name, and check that it holds the parameter's numbers.

    Parameters
    ----------
    model
        Is changed.
    parameters, used
        The module's, and the names of those that the output depends on differentiably.

    Raises
    ------
    UnfaithfulError
        Where the graph lost, changed, merged or copied one, or is for another number of samples than one or any.
    """
    graph = model.graph
    _check_sample_axes(graph)
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    others: list[onnx.TensorProto] = []
    for tensor in graph.initializer:
        first = parameters.first_names.get(tensor.name)
        if first is None:
            others.append(tensor)
            continue
        if not _same(tensor, parameters.tensors[first]):
            raise UnfaithfulError(f"initializer {first} holds other numbers than the parameter of that name")
        names[tensor.name] = first
        found.setdefault(first, tensor.name)
    for missing in sorted(used - set(found)):
        name = _renamed(missing, others, parameters, found)
        names[name] = missing
        found[missing] = name
    graphs.strip(model)
    # Copies of one parameter under several of its names become one.
    kept = [tensor for tensor in graph.initializer if tensor.name not in names or found[names[tensor.name]] == tensor.name]
    graphs.replace_initializers(graph, kept)
    graphs.rename(graph, names)


def _check_sample_axes(graph: onnx.GraphProto) -> None:
    initializers = {tensor.name for tensor in graph.initializer}
    for one in graph.input:
        axes = one.type.tensor_type.shape.dim
        # An exporter may replace an axis of any extent by the example's, where the module looks at it.
        if one.name not in initializers and axes and axes[0].dim_value > 1:
            raise UnfaithfulError(f"the graph is for {axes[0].dim_value} samples at a time")


def _renamed(missing: str, others: list[onnx.TensorProto], parameters: Parameters, found: dict[str, str]) -> str:
    """Return the name of the one initializer that can only be the missing parameter."""
    tensor = parameters.tensors[missing]
    same = [other for other in others if other.name not in found.values() and _same(other, tensor)]
    rivals = [name for name, other in parameters.tensors.items() if name != missing and name not in found and _equal(other, tensor)]
    if len(same) != 1 or rivals:
        raise UnfaithfulError(f"parameter {missing} is not in the graph" + (" by itself" if same else ""))
    return str(same[0].name)


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())


def _bytes(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def _same(tensor: onnx.TensorProto, parameter: torch.Tensor) -> bool:
    return (
        tensor.data_type in graphs.REALS
        and tuple(tensor.dims) == tuple(parameter.shape)
        and numpy_helper.to_array(tensor).tobytes() == _bytes(parameter)
    )
