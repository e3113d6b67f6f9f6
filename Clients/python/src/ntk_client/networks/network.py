"""A finite network, and the places that it comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _codec
from .. import architectures as a
from ..errors import ExportError
from . import optional
from .model_file import MEDIA_TYPE, ModelFile
from .parameters import DataFormat, Floats, load, to_numpy
from .reference import Asked, compare, default_client

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Network:
    """A finite network: an architecture with its parameters, or a model of any framework.

    Attributes
    ----------
    architecture
        See `ntk_client.architectures`; the parameterization of a network is "standard" unless a layer states another.
    parameters
        Arrays by name: a layer's index path with ``.weight`` or ``.bias``, in PyTorch's shapes. Empty if `seed` draws them.
    seed
        Draws the parameters, bit for bit the same each time.
    data_format
        Where the channels of points stand: "channels_first" is PyTorch's, "channels_last" the server's.
    input_shape
        The extents of a point, so that the parameters can be checked before points come.
    file
        A model of any framework, in the place of all of these.
    """

    architecture: a.Layer | None = None
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    seed: int | None = None
    data_format: DataFormat = "channels_last"
    input_shape: tuple[int, ...] | None = None
    file: ModelFile | None = None

    def __post_init__(self) -> None:
        if (self.architecture is None) == (self.file is None):
            raise ValueError("either an architecture or a model's file expected")
        if self.file is None and bool(self.parameters) == (self.seed is not None):
            raise ValueError("either parameters or a seed that draws them expected")
        if self.file is not None and (self.parameters or self.seed is not None):
            raise ValueError("a model's file has its parameters inside")

    @classmethod
    def drawn(
        cls,
        architecture: a.Layer,
        seed: int = 0,
        *,
        data_format: DataFormat = "channels_last",
        input_shape: tuple[int, ...] | None = None,
    ) -> Network:
        """Return a network whose parameters the server draws from a seed; every layer needs a `width`."""
        return cls(architecture, seed=seed, data_format=data_format, input_shape=input_shape)

    @classmethod
    def from_state_dict(
        cls,
        architecture: a.Layer,
        state_dict: Mapping[str, Any] | str | os.PathLike[str],
        *,
        data_format: DataFormat = "channels_first",
        input_shape: tuple[int, ...] | None = None,
    ) -> Network:
        """Return a network with the parameters of a ``state_dict``.

        Parameters
        ----------
        architecture
            Its layers' index paths are the names of the parameters, less ``.weight`` and ``.bias``.
        state_dict
            Arrays or tensors by name, or the path of a ``.npz`` or ``.safetensors`` file (the latter needs safetensors).
        data_format, input_shape
            See `Network`.
        """
        if isinstance(state_dict, str | os.PathLike):
            state_dict = load(os.fspath(state_dict))
        parameters = {name: to_numpy(value) for name, value in state_dict.items()}
        return cls(architecture, parameters, data_format=data_format, input_shape=input_shape)

    @classmethod
    def from_torch(
        cls,
        module: torch.nn.Module,
        example: Any,
        *,
        output: str | int | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        client: Asked | None = None,
    ) -> Network:
        """Return the network that a module of PyTorch is, with its weights as they are now.

        The module is exported to ONNX in a form that keeps every parameter, and its outputs and derivatives at the example are
        compared with the server's. Parameters that take gradients count (``requires_grad``), each once however often it is used;
        buffers never do.

        Parameters
        ----------
        module
            Any ``torch.nn.Module``, in evaluation mode if that makes a difference.
        example
            What it is called with, samples along the first axis: an array or tensor, a tuple of them in order, or a mapping by
            keyword. Extents of all other axes are the network's from then on.
        output
            A key, an attribute or an index of what the module returns, if that is not a tensor; its first tensor if absent.
        include, exclude
            Patterns of the names of the parameters that count, and of those that do not; a star stands for any characters.
        client
            Whose server is asked for the comparison; a local one if absent.

        Raises
        ------
        ExportError
            Where the module is no function of each point by itself, or no export keeps its parameters.
        MismatchError
            Where the server's outputs or derivatives are others than PyTorch's.
        InvalidInputError
            Where the server does not serve an operator of the file; it names the node.
        ImportError
            Where PyTorch or its exporter is not installed.
        """
        optional.require("torch", "onnx", "onnxscript", extra="torch")
        from .pytorch import convert

        conversion = convert(module, example, output=output, include=include, exclude=exclude)
        network = cls(file=conversion.file)
        compare(client or default_client(), network, conversion.reference)
        return network

    @classmethod
    def from_onnx(
        cls,
        file: str | os.PathLike[str] | bytes,
        *,
        output: str | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
    ) -> Network:
        """Return the network of an ONNX file, given its path or its bytes.

        Parameters
        ----------
        file
            Opset 11 to 23, data inside.
        output
            Which of its outputs; the first if absent.
        include, exclude
            Patterns of the names of the parameters that count, and of those that do not: a file does not tell a table of frequencies from a
            parameter. Exporters fold and merge parameters unless they are told not to; `from_torch` tells them.
        """
        model = ModelFile.read(file)
        if output is not None or include is not None or exclude is not None:
            optional.require("onnx", extra="onnx")
            from .choice import rewritten

            model = ModelFile(rewritten(model.content, output, include, exclude))
        return cls(file=model)

    @classmethod
    def from_jax(
        cls,
        function: Any,
        parameters: Any,
        example: Any,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        client: Asked | None = None,
    ) -> Network:
        """Return the network that a function of JAX is, by jax2onnx.

        Parameters
        ----------
        function
            Is called as ``function(parameters, x)``, or with several inputs; samples along the first axis of each and of its output.
        parameters
            A tree of arrays. Their names are its keys, joined by dots.
        example
            An array, or a tuple of them.
        include, exclude, client
            See `from_torch`.

        Raises
        ------
        ExportError
            Where the converter does not know the function.
        MismatchError
            Where the server's outputs or derivatives are others than JAX's.
        ImportError
            Where jax2onnx is not installed.
        """
        optional.require("jax", "jax2onnx", "onnx", extra="jax")
        from .jax_functions import convert

        file, reference = convert(function, parameters, example, include, exclude)
        network = cls(file=file)
        compare(client or default_client(), network, reference)
        return network

    @classmethod
    def from_keras(
        cls,
        model: Any,
        example: Any,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        client: Asked | None = None,
    ) -> Network:
        """Return the network that a model of Keras 3 is, on the backend jax (by `from_jax`) or torch (by `from_torch`).

        Trainable variables count, under their paths (of jax) or their names in the module (of torch).

        Raises
        ------
        ExportError
            Where the backend is another one, and what `from_jax` and `from_torch` raise.
        """
        optional.require("keras", extra="keras")
        import keras

        backend = keras.backend.backend()
        if backend == "torch":
            return cls.from_torch(model, example, include=include, exclude=exclude, client=client)
        if backend != "jax":
            raise ExportError(f"Keras on the backend jax or torch expected, KERAS_BACKEND=jax; it is on {backend}, whose models both load")
        trained = {one.path: np.asarray(one) for one in model.trainable_variables}
        others = [np.asarray(one) for one in model.non_trainable_variables]

        def function(parameters: Mapping[str, Any], *inputs: Any) -> Any:
            given = inputs[0] if len(inputs) == 1 else list(inputs)
            return model.stateless_call([parameters[name] for name in trained], others, given, training=False)[0]

        return cls.from_jax(function, trained, example, include=include, exclude=exclude, client=client)

    def fields(self) -> dict[str, Any]:
        """Return the network as a request has it."""
        if self.file is not None:
            return {"onnx": _codec.File(self.file.content, MEDIA_TYPE)}
        result: dict[str, Any] = {"architecture": self.architecture, "data_format": self.data_format}
        if self.seed is not None:
            result["initialization"] = {"seed": self.seed}
        else:
            result["parameters"] = dict(self.parameters)
        if self.input_shape is not None:
            result["input_shape"] = list(self.input_shape)
        return result
