"""A module's outputs and derivatives at its example, in double precision where the module can."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ExportError
from ..reference import Reference
from .call import PREFIX, Call, evaluation_mode, other_parameters
from .example import Example

# Numbers that the derivatives of all outputs that are compared may have together.
_DERIVATIVES = 100_000_000


class Evaluation:
    """A call's outputs with parameters of another type in the place of its own, which stay as they are."""

    def __init__(self, call: Call, example: Example) -> None:
        self._call = call
        self._example = example
        self.dtype = torch.float64
        with evaluation_mode(call):
            try:
                self.outputs()
            except ExportError:
                raise
            except Exception:
                # A type is written into the module itself.
                self.dtype = next((one.dtype for one in call.parameters() if one.is_floating_point()), torch.float32)
                self.outputs()

    @property
    def precision(self) -> float:
        """Relative accuracy of an output, with room for sums in another order."""
        # Constants of a file are in the module's own type: 1/√2 in single precision is 2e-8 off.
        own = min((torch.finfo(one.dtype).eps for one in self._call.parameters() if one.is_floating_point()), default=1e-7)
        if self.dtype != torch.float64:
            return float(1e4 * torch.finfo(self.dtype).eps)
        return 1e-9 if own < 1e-12 else 2e-6

    def _evaluate(self, rows: slice) -> torch.Tensor:
        inputs = tuple(tensor[rows] for tensor in self._example.of_type(self.dtype))
        outputs = self._call(*inputs)
        if not outputs.dim() or outputs.shape[0] != inputs[0].shape[0]:
            raise ExportError(
                f"samples along the first axis of the output expected: {inputs[0].shape[0]} came in, {tuple(outputs.shape)} is its shape"
            )
        return outputs.reshape(outputs.shape[0], -1)

    def outputs(self, rows: slice = slice(None)) -> npt.NDArray[np.float64]:
        """Return the outputs, [rows, outputs]."""
        with torch.no_grad(), other_parameters(self._call, self.dtype):
            return np.asarray(self._evaluate(rows).double().cpu().numpy())

    def used(self) -> frozenset[str]:
        """Return the names of the parameters that the outputs depend on differentiably."""
        with other_parameters(self._call, self.dtype) as parameters:
            trained = {name: one for name, one in parameters.items() if one.requires_grad}
            outputs = self._evaluate(slice(None))
            if not trained or not outputs.requires_grad:
                return frozenset()
            gradients = torch.autograd.grad(outputs.sum(), list(trained.values()), allow_unused=True)
            return frozenset(name.removeprefix(PREFIX) for name, one in zip(trained, gradients, strict=True) if one is not None)

    def kernel(self, rows: int, outputs: tuple[int, ...], counted: frozenset[str]) -> dict[str, npt.NDArray[np.float64]]:
        """Return the share of each of the counted parameters, [rows, rows, outputs, outputs], by reverse mode, an output at a time."""
        with other_parameters(self._call, self.dtype) as parameters:
            derived = {name: one for name, one in parameters.items() if name.removeprefix(PREFIX) in counted}
            values = self._evaluate(slice(None))
            gradients: dict[str, list[torch.Tensor]] = {name: [] for name in derived}
            for row in range(rows):
                for output in outputs:
                    found = torch.autograd.grad(values[row, output], list(derived.values()), retain_graph=True, allow_unused=True)
                    for (name, parameter), one in zip(derived.items(), found, strict=True):
                        gradients[name].append((torch.zeros_like(parameter) if one is None else one.to_dense()).reshape(-1))
        shape = (rows, len(outputs), rows, len(outputs))
        result = {}
        for name, one in gradients.items():
            jacobian = torch.stack(one)
            gram = (jacobian @ jacobian.T).double().cpu().numpy()
            result[name.removeprefix(PREFIX)] = np.asarray(gram.reshape(shape).transpose(0, 2, 1, 3))
        return result


def reference(evaluation: Evaluation, example: Example, counted: frozenset[str], numbers: int) -> Reference:
    """Evaluate a call at its example; of `numbers` parameters those that are counted are derived by."""
    outputs = evaluation.outputs()
    affordable = max(1, _DERIVATIVES // max(numbers, 1))
    count = outputs.shape[1]
    chosen = tuple(sorted({0, count // 3, 2 * count // 3, count - 1}))[-min(4, affordable) :]
    rows = 2 if 2 * len(chosen) <= affordable else 1
    kernel = evaluation.kernel(rows, chosen, counted) if counted else {}
    return Reference(example.points(), outputs, rows, chosen, kernel, evaluation.precision)
