"""Which initializers of a file are parameters: a file does not tell a buffer from one."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

import onnx

from . import graphs

# Under this key the file's metadata names its parameters for the server, one a line.
_KEY = "ntk.parameters"


def chosen(
    names: Iterable[str], include: Sequence[str] | None, exclude: Sequence[str] | None, *, known: Iterable[str] | None = None
) -> frozenset[str]:
    """Return those of the names that are like a pattern of `include`, if there are any, and like none of `exclude`.

    Raises
    ------
    ValueError
        Where a pattern is like none of the known names.
    """
    names = list(names)
    known = names if known is None else list(known)
    for pattern in (*(include or ()), *(exclude or ())):
        if not fnmatch.filter(known, pattern):
            raise ValueError(f"a pattern of parameters' names expected; none is like {pattern!r}, there are {', '.join(known)}")
    return frozenset(name for name in names if (include is None or _like(name, include)) and not _like(name, exclude or ()))


def _like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def write(model: onnx.ModelProto, counted: frozenset[str]) -> None:
    """Leave of the initializers of real numbers only those that count, as they are, and name them; others become constants."""
    reals = graphs.real_initializers(model.graph)
    graphs.as_constants(model.graph, reals - counted)
    onnx.helper.set_model_props(model, {_KEY: "\n".join(sorted(reals & counted))})


def rewritten(content: bytes, output: str | None, include: Sequence[str] | None, exclude: Sequence[str] | None) -> bytes:
    """Return a file with the chosen output as its first, and with the choice of its parameters.

    Without `include`, those that count without a word of the file are chosen from: initializers of more than one number.

    Raises
    ------
    ValueError
        Where there is no such output, or a pattern is like no name.
    """
    model = onnx.load_model_from_string(content)
    if output is not None:
        names = [one.name for one in model.graph.output]
        if output not in names:
            raise ValueError(f"one of the file's outputs expected, {', '.join(names)}; {output!r} came")
        outputs = onnx.GraphProto(output=sorted(model.graph.output, key=lambda one: one.name != output))
        del model.graph.output[:]
        model.graph.output.extend(outputs.output)
    if include is not None or exclude is not None:
        reals = graphs.real_initializers(model.graph)
        several = reals if include is not None else graphs.real_initializers(model.graph, least=2)
        write(model, chosen(sorted(several), include, exclude, known=sorted(reals)))
    return bytes(model.SerializeToString())
