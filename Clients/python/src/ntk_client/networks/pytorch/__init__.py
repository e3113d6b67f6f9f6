"""Modules of PyTorch as ONNX files that keep every parameter's name and value, and what the server must say of them."""

from .convert import Conversion, convert

__all__ = ["Conversion", "convert"]
