"""A model of any framework, as the bytes of its ONNX file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

MEDIA_TYPE = "application/onnx"


@dataclass(frozen=True, eq=False)
class ModelFile:
    """An ONNX file, opset 11 to 23, with its data inside.

    Attributes
    ----------
    content
        The file. Its initializers of more than one number are parameters, or those that its metadata names.
    """

    content: bytes

    @classmethod
    def read(cls, file: str | os.PathLike[str] | bytes) -> Self:
        """Return a file, given its path or its bytes.

        Raises
        ------
        ValueError
            Where it is empty.
        """
        if isinstance(file, str | os.PathLike):
            with open(file, "rb") as opened:
                file = opened.read()
        if not file:
            raise ValueError("an ONNX file expected; it is empty")
        return cls(bytes(file))

    def __repr__(self) -> str:
        return f"ModelFile({len(self.content)} bytes)"
