"""The ways of writing a module as an ONNX file, each with the options that leave parameters as they are."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import onnx
import torch

from .call import Call
from .example import Example

# The newest operator set that both exporters write without converting what they have written.
_OPSET = 18


def by_program(call: Call, example: Example) -> onnx.ModelProto:
    """Export what torch.export captures, for any number of samples.

    Without optimization nothing is folded: batch normalization stays, equal initializers stay apart, and shared ones shared.
    """
    samples = {0: torch.export.Dim("samples")}
    return _program(call, example.tensors, example, (tuple(samples for _ in example.tensors),))


def by_program_of_one_sample(call: Call, example: Example) -> onnx.ModelProto:
    """Export what torch.export captures for a single sample; the server compiles graphs for one."""
    return _program(call, tuple(tensor[:1] for tensor in example.tensors), example, None)


def _program(call: Call, inputs: tuple[torch.Tensor, ...], example: Example, dynamic_shapes: Any) -> onnx.ModelProto:
    program = torch.onnx.export(
        call,
        inputs,
        dynamo=True,
        optimize=False,
        verbose=False,
        opset_version=_OPSET,
        input_names=_input_names(example),
        output_names=["output"],
        dynamic_shapes=dynamic_shapes,
    )
    model: onnx.ModelProto = program.model_proto
    return model


def by_tracing(call: Call, example: Example) -> onnx.ModelProto:
    """Export the operations of one sample's evaluation, with the exporter of before torch.export, without folding of constants."""
    file = io.BytesIO()
    names = _input_names(example)
    torch.onnx.export(
        call,
        tuple(tensor[:1] for tensor in example.tensors),
        file,
        dynamo=False,
        opset_version=_OPSET,
        do_constant_folding=False,
        keep_initializers_as_inputs=True,
        input_names=names,
        output_names=["output"],
        dynamic_axes={name: {0: "samples"} for name in (*names, "output")},
    )
    return onnx.load_model_from_string(file.getvalue())


EXPORTERS: tuple[Callable[[Call, Example], onnx.ModelProto], ...] = (by_program, by_program_of_one_sample, by_tracing)
"""In the order in which they are tried."""


def _input_names(example: Example) -> list[str]:
    # Other names than any parameter's; they are renamed afterwards.
    return [f"input::{index}" for index in range(len(example.names))]


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what exporters print and warn of from the user, who gets an error if no way works."""
    loggers = [
        logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch.onnx._internal.exporter._registration", "onnxscript")
    ]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
