"""What a module must not do for its kernel to be that of a function of each point by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ExportError
from .call import Call, evaluation_mode
from .evaluation import Evaluation
from .example import Example


def check_behaviour(call: Call, example: Example, evaluation: Evaluation) -> None:
    """Evaluate a call in several ways that must come to the same.

    Raises
    ------
    ExportError
        Where outputs are random, depend on the other samples, are not finite, or are others in the mode that the module is in.
    """
    with evaluation_mode(call):
        outputs = evaluation.outputs()
        if not np.isfinite(outputs).all():
            raise ExportError("finite outputs at the example expected; some are infinite or not a number")
        if not outputs.size:
            raise ExportError("an output expected; the module's has no elements")
        if _distance(evaluation.outputs(), outputs) > evaluation.precision:
            raise ExportError("the module's outputs are random: a second call gave others")
        for row in range(example.rows):
            distance = _distance(evaluation.outputs(slice(row, row + 1)), outputs[row : row + 1])
            if distance > evaluation.precision:
                raise ExportError(
                    f"outputs of a sample that do not depend on the others expected; alone sample {row} has others ({distance:.1e} apart)"
                )
    if any(module.training for module in call.module.modules()):
        _check_training_mode(evaluation, outputs)


def _check_training_mode(evaluation: Evaluation, expected: npt.NDArray[np.float64]) -> None:
    """Check that the mode makes no difference; dropout and normalization by the batch do."""
    with torch.random.fork_rng():
        distance = max(_distance(evaluation.outputs(), expected) for _ in range(3))
    if distance > evaluation.precision:
        raise ExportError(
            f"evaluation mode expected; the module is in training mode, where its outputs are others ({distance:.1e} apart): "
            "call module.eval() before"
        )


def _distance(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a - b).max(initial=0) / (np.abs(b).max(initial=0) or 1))
