"""Points that a module is called with: the inputs' names, and rows enough to see samples apart."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...errors import ExportError

# Rows that outputs are compared at.
_ROWS = 3


@dataclass(frozen=True)
class Example:
    """Inputs of a module, samples along the first axis of each.

    Attributes
    ----------
    names
        Of the inputs, as the module calls them.
    labels
        As the server calls them: the same, unless a parameter has the name.
    tensors
        In the order of the names, two to three samples each.
    by_keyword
        Whether the module takes them by their names.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    tensors: tuple[torch.Tensor, ...]
    by_keyword: bool

    @classmethod
    def read(cls, module: torch.nn.Module, example: Any) -> Example:
        """Return what `module` is called with: one array or tensor, a tuple of them in order, or a mapping by keyword.

        Floating-point arrays become of the module's type, and everything goes to its device. Of one sample a second one is made, so that
        a network whose outputs depend on the other samples shows itself.

        Raises
        ------
        ExportError
            Where there are no samples, or different numbers of them.
        """
        by_keyword = isinstance(example, Mapping)
        given = list(example.values()) if by_keyword else list(example) if isinstance(example, tuple) else [example]
        if not given:
            raise ExportError("an example of the inputs expected; it is empty")
        like = next((tensor for tensor in (*module.parameters(), *module.buffers()) if tensor.is_floating_point()), torch.zeros(0))
        tensors = [_tensor(value, like) for value in given]
        names = [str(name) for name in example] if by_keyword else _positional_names(module, len(tensors))
        counts = {tensor.shape[0] if tensor.dim() else 0 for tensor in tensors}
        if len(counts) != 1 or 0 in counts:
            shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in zip(names, tensors, strict=True))
            raise ExportError(f"samples along the first axis of each input expected, as many in all of them; shapes {shapes} came")
        taken = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        labels = tuple(f"{name}_input" if name in taken else name for name in names)
        return cls(tuple(names), labels, tuple(_several(tensor) for tensor in tensors), by_keyword)

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return int(self.tensors[0].shape[0])

    def of_type(self, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
        """Return the inputs with their floating-point ones in another type."""
        return tuple(tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in self.tensors)

    def points(self, without: frozenset[str] = frozenset()) -> Any:
        """Return the samples as a request has them, less some inputs: an array or, of several inputs, arrays by name."""
        arrays = {name: _array(tensor) for name, tensor in zip(self.labels, self.tensors, strict=True) if name not in without}
        return arrays if len(arrays) > 1 else next(iter(arrays.values()))


def _tensor(value: Any, like: torch.Tensor) -> torch.Tensor:
    tensor = value.detach() if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))
    return tensor.to(like.device, like.dtype) if tensor.is_floating_point() else tensor.to(like.device)


def _several(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.shape[0] > 1:
        return tensor[:_ROWS].clone()
    # Another sample of the same kind of numbers: integers may be indices, and flipped they still are.
    second = tensor.flip(tuple(range(1, tensor.dim())))
    return torch.cat([tensor, second * 0.5 if tensor.is_floating_point() else second])


def _array(tensor: torch.Tensor) -> Any:
    return (tensor.double() if tensor.is_floating_point() else tensor).cpu().numpy()


def _positional_names(module: torch.nn.Module, count: int) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, one in inspect.signature(module.forward).parameters.items() if one.kind in kinds][:count]
    return names + [f"x{index}" for index in range(len(names), count)]
