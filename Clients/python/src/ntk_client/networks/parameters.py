"""Arrays of parameters: from files, and from other frameworks' tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

DataFormat: TypeAlias = Literal["channels_last", "channels_first"]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]


def load(path: str) -> Mapping[str, Any]:
    """Return the arrays of a ``.npz`` or ``.safetensors`` file by their names."""
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    from safetensors.numpy import load_file

    return dict(load_file(path))


def to_numpy(value: Any) -> Floats:
    """Return a parameter, an array or a tensor of PyTorch, as an array of floats.

    Raises
    ------
    ValueError
        Where some of its numbers are masked.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # numpy has no bfloat16.
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    if np.ma.is_masked(value):
        raise ValueError("a number in every place of a parameter expected; some are masked")
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)
