"""Embeddings with a row that takes no gradient: what the exporters' Gather does not say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ...errors import ExportError
from .. import graphs


class Lookups(TorchFunctionMode):  # type: ignore[misc]
    """While active, notes the row without gradient of each lookup, by its table; -1 for none."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[torch.Tensor, int]] = []

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, arguments: tuple[Any, ...] = (), keywords: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of PyTorch."""
        keywords = dict(keywords or {})
        # A function that is intercepted calls the one below without its being intercepted.
        if function is functional.embedding:
            given = inspect.signature(functional.embedding).bind(*arguments, **keywords).arguments
            row = given.get("padding_idx")
            weight = given["weight"]
            self._note(weight, -1 if row is None else row % weight.shape[0], given.get("scale_grad_by_freq", False))
        elif function is torch.embedding:
            self._note_plain(*arguments, **keywords)
        return function(*arguments, **keywords)

    def _note_plain(
        self, weight: torch.Tensor, indices: Any, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
    ) -> None:
        self._note(weight, padding_idx, scale_grad_by_freq)

    def _note(self, weight: torch.Tensor, row: int, scale_grad_by_freq: bool) -> None:
        if scale_grad_by_freq:
            raise ExportError("an embedding with scale_grad_by_freq: its gradient is not that of a function, and depends on other samples")
        self.rows.append((weight, row))


def hold_rows(graph: onnx.GraphProto, table: str, rows: list[int]) -> None:
    """Let no gradient pass from lookups at their rows.

    ``y = Gather(W, i)`` becomes ``y = Where(i = row, W[row], Gather(W, i))`` with W[row] a constant: the same numbers, and lookups stay
    lookups.

    Parameters
    ----------
    graph
        Is changed.
    table
        Name of W.
    rows
        Of the lookups in W, in the order in which they are made; -1 for none.

    Raises
    ------
    ExportError
        Where it cannot be told which node has which row.
    """
    places = [place for place, node in enumerate(graph.node) if node.op_type == "Gather" and node.input[0] == table]
    if len(places) != len(rows):
        raise ExportError(
            f"parameter {table} is looked up {len(rows)} times with a padding_idx, and the graph has {len(places)} lookups of it"
        )
    weight = numpy_helper.to_array(next(one for one in graph.initializer if one.name == table))
    for nth, place in reversed(list(enumerate(places))):
        if rows[nth] >= 0:
            _hold_row(graph, place, weight[rows[nth]], rows[nth])


def _hold_row(graph: onnx.GraphProto, place: int, values: Any, row: int) -> None:
    node = graph.node[place]
    output, prefix = node.output[0], f"{node.output[0]}::padding"
    node.output[0] = f"{prefix}.looked_up"
    added = [
        helper.make_node("Constant", [], [f"{prefix}.row"], value=numpy_helper.from_array(values.copy(), f"{prefix}.row")),
        helper.make_node("Constant", [], [f"{prefix}.index"], value_int=row),
        helper.make_node("Cast", [node.input[1]], [f"{prefix}.indices"], to=onnx.TensorProto.INT64),
        helper.make_node("Equal", [f"{prefix}.indices", f"{prefix}.index"], [f"{prefix}.equal"]),
        helper.make_node("Constant", [], [f"{prefix}.axis"], value_ints=[-1]),
        helper.make_node("Unsqueeze", [f"{prefix}.equal", f"{prefix}.axis"], [f"{prefix}.mask"]),
        helper.make_node("Where", [f"{prefix}.mask", f"{prefix}.row", node.output[0]], [output]),
    ]
    graphs.replace_nodes(graph, [*graph.node[: place + 1], *added, *graph.node[place + 1 :]])
