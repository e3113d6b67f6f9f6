"""Edits of ONNX graphs that leave the function as it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import onnx
from onnx import helper

REALS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


def subgraphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield a graph and those within its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else attribute.graphs:
                yield from subgraphs(inner)


def real_initializers(graph: onnx.GraphProto, least: int = 1) -> frozenset[str]:
    """Return the names of the initializers of real numbers, of at least so many."""
    return frozenset(one.name for one in graph.initializer if one.data_type in REALS and math.prod(one.dims) >= least)


def value_names(graph: onnx.GraphProto) -> set[str]:
    """Return the names of all values of a graph and of those within it."""
    names: set[str] = set()
    for inner in subgraphs(graph):
        names.update(one.name for one in (*inner.input, *inner.output, *inner.initializer))
        for node in inner.node:
            names.update((*node.input, *node.output))
    return names - {""}


def unused_inputs(graph: onnx.GraphProto) -> frozenset[str]:
    """Return the names of the inputs that no output depends on."""
    needed = {one.name for one in graph.output}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            for inner in (graph for attribute in node.attribute for graph in (attribute.g, *attribute.graphs)):
                needed.update(value_names(inner))
    return frozenset(one.name for one in graph.input) - needed


def remove_inputs(graph: onnx.GraphProto, names: frozenset[str]) -> None:
    """Take inputs out that no output depends on."""
    copy = onnx.GraphProto(input=[one for one in graph.input if one.name not in names])
    del graph.input[:]
    graph.input.extend(copy.input)


def rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Rename values; others that have one of the new names get another."""
    taken = value_names(graph)
    changes = {old: new for old, new in names.items() if old != new}
    for new in set(changes.values()) & taken - set(changes):
        other = next(f"{new}::{index}" for index in range(len(taken) + 1) if f"{new}::{index}" not in taken)
        changes[new] = other
        taken.add(other)
    for inner in subgraphs(graph):
        for one in (*inner.input, *inner.output, *inner.initializer):
            one.name = changes.get(one.name, one.name)
        for node in inner.node:
            node.input[:] = [changes.get(name, name) for name in node.input]
            node.output[:] = [changes.get(name, name) for name in node.output]


def as_constants(graph: onnx.GraphProto, names: frozenset[str]) -> None:
    """Make nodes of initializers, so that no reader takes them for parameters."""
    constants = []
    kept = []
    for tensor in graph.initializer:
        if tensor.name in names:
            constants.append(helper.make_node("Constant", [], [tensor.name], value=tensor))
        else:
            kept.append(tensor)
    replace_nodes(graph, [*constants, *graph.node])
    replace_initializers(graph, kept)


def replace_nodes(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Give a graph other nodes, its own among them."""
    copy = onnx.GraphProto(node=nodes)
    del graph.node[:]
    graph.node.extend(copy.node)


def replace_initializers(graph: onnx.GraphProto, initializers: Iterable[onnx.TensorProto]) -> None:
    """Give a graph other initializers, its own among them."""
    copy = onnx.GraphProto(initializer=initializers)
    del graph.initializer[:]
    graph.initializer.extend(copy.initializer)


def strip(model: onnx.ModelProto) -> None:
    """Take out what says nothing of the function: stack traces, shapes between nodes, initializers among the inputs."""
    model.doc_string = ""
    del model.metadata_props[:]
    for inner in subgraphs(model.graph):
        del inner.value_info[:]
        del inner.metadata_props[:]
        inner.doc_string = ""
        initializers = {one.name for one in inner.initializer}
        inputs = [one for one in inner.input if one.name not in initializers]
        del inner.input[:]
        inner.input.extend(inputs)
        for node in inner.node:
            node.doc_string = ""
            del node.metadata_props[:]
        for one in (*inner.input, *inner.output):
            one.doc_string = ""
            del one.metadata_props[:]
