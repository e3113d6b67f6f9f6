"""What all answers are read with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Labels: TypeAlias = npt.NDArray[Any]
Diagnostics: TypeAlias = dict[str, Any]
"""What a fit says of itself: ``method``, ``ridge``, ``rank``, ``leave_one_out_error`` and more; see the server's openapi.yaml."""


def floats(value: Any) -> Floats:
    """Return numbers as an array of floats; JSON's null, where a number has no value, is NaN."""
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class Answer:
    """A dataclass whose fields are an answer's; all but those named in `_plain` are arrays."""

    _plain: frozenset[str] = frozenset()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Pick the fields from an answer; what is absent is None."""
        values = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            value = answer.get(field.name)
            values[field.name] = value if value is None or field.name in cls._plain else floats(value)
        return cls(**values)
