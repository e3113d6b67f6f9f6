"""What every layer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Architecture: TypeAlias = dict[str, Any]
"""A tree of layers, each a ``dict`` with its ``type``."""
Layer: TypeAlias = Mapping[str, Any]
Parameterization: TypeAlias = Literal["ntk", "standard"]
Padding: TypeAlias = Literal["valid", "same", "circular"]


def layer(type_: str, /, **fields: Any) -> Architecture:
    """Build any other layer of the server's, by its name and fields, such as ``layer("hermite", degree=3)``."""
    return {"type": type_, **fields}


def make(type_: str, /, **fields: Any) -> Architecture:
    """Build a layer of those fields that have a value."""
    return layer(type_, **{name: value for name, value in fields.items() if value is not None})
