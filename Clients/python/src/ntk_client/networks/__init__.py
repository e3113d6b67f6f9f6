"""Finite networks: an architecture with its parameters, or a model of any framework as an ONNX file."""

from .model_file import ModelFile
from .network import Network
from .parameters import DataFormat, Floats

__all__ = ["DataFormat", "Floats", "ModelFile", "Network"]
