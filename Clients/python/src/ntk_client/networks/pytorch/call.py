"""A module as a function of its inputs with one output, and the state in which it is evaluated."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ...errors import ExportError

PREFIX = "module."
"""What the names of a module's parameters have in front of them in its `Call`."""


class Call(torch.nn.Module):  # type: ignore[misc]
    """Calls a module, hooks included, and picks one tensor of what it returns.

    Parameters
    ----------
    module
        Is called.
    keywords
        Names by which it takes its inputs; None for inputs in order.
    output
        A key, an attribute or an index of what it returns; None for the first tensor.
    """

    def __init__(self, module: torch.nn.Module, keywords: tuple[str, ...] | None, output: str | int | None) -> None:
        super().__init__()
        self.module = module
        self._keywords = keywords
        self._output = output

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return the chosen output, samples along its first axis."""
        returned = self.module(*inputs) if self._keywords is None else self.module(**dict(zip(self._keywords, inputs, strict=True)))
        chosen = _first(returned if self._output is None else _chosen(returned, self._output))
        if not isinstance(chosen, torch.Tensor) or not chosen.is_floating_point():
            kind = f"a tensor of {chosen.dtype}" if isinstance(chosen, torch.Tensor) else type(chosen).__name__
            raise ExportError(f"a tensor of real numbers expected as the module's output; {kind} came: choose one with output=")
        return chosen


def _first(returned: Any) -> Any:
    """Return the first tensor of what a module returns."""
    if isinstance(returned, Mapping):
        returned = tuple(returned.values())
    while isinstance(returned, tuple | list) and returned:
        returned = returned[0]
    return returned


def _chosen(returned: Any, output: str | int) -> Any:
    try:
        if isinstance(output, int) or isinstance(returned, Mapping):
            return returned[output]
        return getattr(returned, output)
    except (KeyError, IndexError, AttributeError, TypeError) as error:
        raise ExportError(f"output {output!r}: the module returns {type(returned).__name__}, which has none such") from error


@contextlib.contextmanager
def evaluation_mode(module: torch.nn.Module) -> Iterator[None]:
    """Put a module and all within it into evaluation mode while the context lasts."""
    modes = [(one, one.training) for one in module.modules()]
    # The fast path of attention is one operator that exporters do not know.
    fast_path = torch.backends.mha.get_fastpath_enabled()
    try:
        for one, _ in modes:
            one.training = False
        torch.backends.mha.set_fastpath_enabled(False)
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for one, mode in modes:
            one.training = mode


@contextlib.contextmanager
def parameters_apart(module: torch.nn.Module) -> Iterator[None]:
    """Give parameters that share memory memory of their own while the context lasts, so that an exporter does not take them for one."""
    shared: dict[int, list[torch.nn.Parameter]] = {}
    for parameter in module.parameters():
        shared.setdefault(parameter.untyped_storage().data_ptr(), []).append(parameter)
    kept = [(parameter, parameter.data) for group in shared.values() if len(group) > 1 for parameter in group]
    try:
        for parameter, data in kept:
            parameter.data = data.clone()
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data


@contextlib.contextmanager
def other_parameters(module: torch.nn.Module, dtype: torch.dtype) -> Iterator[dict[str, torch.nn.Parameter]]:
    """Put copies of another type in the place of a module's parameters and buffers while the context lasts, and yield those by name.

    A parameter has one copy, wherever it is used. ``torch.func.functional_call`` loses parameters of modules that are used twice.
    """
    copies: dict[int, torch.Tensor] = {}
    kept: list[tuple[torch.nn.Module, str, torch.Tensor]] = []
    try:
        for one in module.modules():
            for name, tensor in [*one.named_parameters(recurse=False), *one.named_buffers(recurse=False)]:
                if id(tensor) not in copies:
                    copy = tensor.detach().clone()
                    copy = copy.to(dtype) if copy.is_floating_point() else copy
                    is_parameter = isinstance(tensor, torch.nn.Parameter)
                    copies[id(tensor)] = torch.nn.Parameter(copy, requires_grad=tensor.requires_grad) if is_parameter else copy
                kept.append((one, name, tensor))
                setattr(one, name, copies[id(tensor)])
        yield dict(module.named_parameters())
    finally:
        for one, name, tensor in reversed(kept):
            setattr(one, name, tensor)
