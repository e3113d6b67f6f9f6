"""Finite networks: an architecture with its parameters, from PyTorch, from a file, or drawn from a seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import architectures as a
from .errors import UnsupportedLayerError

if TYPE_CHECKING:
    import torch

DataFormat: TypeAlias = Literal["channels_last", "channels_first"]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Network:
    """A finite network.

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
    """

    architecture: a.Layer
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    seed: int | None = None
    data_format: DataFormat = "channels_last"
    input_shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if bool(self.parameters) == (self.seed is not None):
            raise ValueError("either parameters or a seed that draws them expected")

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
            state_dict = _load(os.fspath(state_dict))
        parameters = {name: _to_numpy(value) for name, value in state_dict.items()}
        return cls(architecture, parameters, data_format=data_format, input_shape=input_shape)

    @classmethod
    def from_torch(cls, module: torch.nn.Module, *, input_shape: tuple[int, ...] | None = None) -> Network:
        """Return the network that a ``torch.nn.Sequential`` is, with its weights as they are now.

        Parameters
        ----------
        module
            A ``torch.nn.Sequential``, nested ones within it, or a single layer, in evaluation mode if that makes a difference.
        input_shape
            The extents of a point, channels first.

        Raises
        ------
        UnsupportedLayerError
            Where a layer has no counterpart, with its place and what could be done.
        """
        parameters: dict[str, Floats] = {}
        architecture = _Conversion(parameters).convert(module)
        return cls(architecture, parameters, data_format="channels_first", input_shape=input_shape)

    def fields(self) -> dict[str, Any]:
        """Return the network as a request has it."""
        result: dict[str, Any] = {"architecture": self.architecture, "data_format": self.data_format}
        if self.seed is not None:
            result["initialization"] = {"seed": self.seed}
        else:
            result["parameters"] = dict(self.parameters)
        if self.input_shape is not None:
            result["input_shape"] = list(self.input_shape)
        return result


def _load(path: str) -> Mapping[str, Any]:
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    from safetensors.numpy import load_file

    return dict(load_file(path))


def _to_numpy(value: Any) -> Floats:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # numpy has no bfloat16.
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    if np.ma.is_masked(value):
        raise ValueError("a number in every place of a parameter expected; some are masked")
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class _Conversion:
    """Turns modules into layers, and collects their parameters under the layers' index paths."""

    def __init__(self, parameters: dict[str, Floats]) -> None:
        self.parameters = parameters
        # Whether there are positions beside the channels, as far as the layers so far tell.
        self.spatial = False

    def convert(self, module: torch.nn.Module) -> a.Architecture:
        """Convert the whole network; a single layer becomes a network of one."""
        if type(module).__name__ == "Sequential":
            return self._sequential(module, "")
        return a.serial(self._layer(module, "0"))

    def _sequential(self, module: torch.nn.Module, prefix: str) -> a.Architecture:
        return a.serial(*(self._layer(child, f"{prefix}{index}") for index, child in enumerate(module.children())))

    def _layer(self, module: torch.nn.Module, path: str) -> a.Architecture:
        name = type(module).__name__
        if name == "Sequential":
            return self._sequential(module, f"{path}.")
        convert = _LAYERS.get(name)
        if convert is None:
            hint = _HINTS.get(
                name,
                "give the architecture yourself and the weights by Network.from_state_dict, if it can be written so",
            )
            raise UnsupportedLayerError(f"layer {path}: {name} has no counterpart on the server: {hint}")
        return convert(self, module, path)

    def take(self, module: Any, path: str) -> None:
        """Keep a layer's weight and bias under its path."""
        for name in ("weight", "bias"):
            value = getattr(module, name, None)
            if value is not None:
                self.parameters[f"{path}.{name}"] = _to_numpy(value)


def _require(condition: bool, module: Any, path: str, expected: str) -> None:
    if not condition:
        raise UnsupportedLayerError(f"layer {path}: {module}: {expected} expected")


def _linear(state: _Conversion, module: Any, path: str) -> a.Architecture:
    _require(not state.spatial, module, path, "a Flatten or a global pooling before a Linear")
    state.take(module, path)
    return a.dense(module.out_features)


def _pair(value: Any, count: int) -> list[int]:
    return [int(value)] * count if isinstance(value, int) else [int(one) for one in value]


def _conv(state: _Conversion, module: Any, path: str) -> a.Architecture:
    _require(module.groups == 1, module, path, "groups=1")
    _require(all(one == 1 for one in module.dilation), module, path, "dilation=1")
    kernel, strides = list(module.kernel_size), list(module.stride)
    if module.padding == "same":
        padding: a.Padding = "same"
    elif module.padding == "valid" or all(one == 0 for one in module.padding):
        padding = "valid"
    else:
        # PyTorch pads both sides alike; only so does "same" without a stride.
        same = all(extent % 2 == 1 and pad == extent // 2 for extent, pad in zip(kernel, module.padding, strict=True))
        _require(
            same and all(one == 1 for one in strides),
            module,
            path,
            "no padding, or stride 1 and an odd kernel_size padded by kernel_size // 2",
        )
        padding = "same"
    if padding == "same" and module.padding_mode != "zeros":
        _require(
            module.padding_mode == "circular" and all(extent % 2 == 1 for extent in kernel),
            module,
            path,
            "padding_mode 'zeros' or 'circular'",
        )
        padding = "circular"
    state.take(module, path)
    state.spatial = True
    return a.conv(module.out_channels, kernel, strides=strides, padding=padding)


def _avg_pool(state: _Conversion, module: Any, path: str) -> a.Architecture:
    count = int(type(module).__name__[-2])
    _require(all(one == 0 for one in _pair(module.padding, count)), module, path, "padding=0")
    _require(not module.ceil_mode, module, path, "ceil_mode=False")
    _require(getattr(module, "divisor_override", None) is None, module, path, "divisor_override=None")
    state.spatial = True
    return a.avg_pool(_pair(module.kernel_size, count), strides=_pair(module.stride, count))


def _global_pool(state: _Conversion, module: Any, path: str) -> a.Architecture:
    size = module.output_size
    _require(all(one == 1 for one in (size if isinstance(size, tuple | list) else (size,))), module, path, "output_size=1")
    # One position is left, which a Flatten after it takes away; here it is gone at once.
    state.spatial = False
    return a.global_avg_pool()


def _flatten(state: _Conversion, module: Any, path: str) -> a.Architecture:
    _require(module.start_dim == 1 and module.end_dim == -1, module, path, "start_dim=1 and end_dim=-1")
    state.spatial = False
    return a.flatten()


def _layer_norm(state: _Conversion, module: Any, path: str) -> a.Architecture:
    _require(
        len(module.normalized_shape) == 1 and not state.spatial,
        module,
        path,
        "a LayerNorm over the features of vectors",
    )
    state.take(module, path)
    return a.layer_norm(eps=module.eps)


def _dropout(state: _Conversion, module: Any, path: str) -> a.Architecture:
    _require(
        not module.training or module.p == 0,
        module,
        path,
        "evaluation mode (module.eval()), in which dropout is the identity",
    )
    return a.identity()


def _softplus(state: _Conversion, module: Any, path: str) -> a.Architecture:
    # Beyond PyTorch's threshold of 20 the two differ by less than 3e-9.
    _require(module.beta == 1 and module.threshold >= 20, module, path, "beta=1 and a threshold of 20 or more")
    return a.softplus()


def _plain(make: Callable[[], a.Architecture]) -> Callable[[_Conversion, Any, str], a.Architecture]:
    return lambda state, module, path: make()


_LAYERS: dict[str, Callable[[_Conversion, Any, str], a.Architecture]] = {
    "Linear": _linear,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "Conv3d": _conv,
    "AvgPool1d": _avg_pool,
    "AvgPool2d": _avg_pool,
    "AvgPool3d": _avg_pool,
    "AdaptiveAvgPool1d": _global_pool,
    "AdaptiveAvgPool2d": _global_pool,
    "AdaptiveAvgPool3d": _global_pool,
    "Flatten": _flatten,
    "LayerNorm": _layer_norm,
    "Dropout": _dropout,
    "Dropout1d": _dropout,
    "Dropout2d": _dropout,
    "Dropout3d": _dropout,
    "AlphaDropout": _dropout,
    "Identity": _plain(a.identity),
    "ReLU": _plain(a.relu),
    "LeakyReLU": lambda state, module, path: a.leaky_relu(module.negative_slope),
    "GELU": lambda state, module, path: a.gelu(approximate=module.approximate == "tanh"),
    "Tanh": _plain(a.tanh),
    "Sigmoid": _plain(a.sigmoid),
    "Softplus": _softplus,
    "SiLU": _plain(a.swish),
    "ELU": lambda state, module, path: a.elu(module.alpha),
    "SELU": _plain(a.selu),
    "Mish": _plain(a.mish),
}

_HINTS = {
    "BatchNorm1d": "fold its scale and shift into the layer before it",
    "BatchNorm2d": "fold its scale and shift into the convolution before it",
    "MaxPool1d": "AvgPool1d has one",
    "MaxPool2d": "AvgPool2d has one",
    "Softmax": "leave it out, the kernel is that of the logits",
    "LogSoftmax": "leave it out, the kernel is that of the logits",
    "Hardswish": "give the architecture with layer elementwise",
    "ModuleList": "put the layers into a torch.nn.Sequential",
}
