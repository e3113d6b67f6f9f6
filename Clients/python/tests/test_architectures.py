"""The functions that make layers, against the layers that the server has."""

from __future__ import annotations

import inspect
import json
import urllib.request
from typing import Any

import numpy as np
import pytest

import ntk_client as ntk
from ntk_client import Client, architectures

# What is no layer.
_OTHERS = {"Architecture", "Layer", "Padding", "Parameterization", "layer", "with_defaults"}
_REQUIRED: dict[str, Any] = {
    "groups": 2,
    "layer": {"type": "dense"}, "count": 2, "axis": 1, "depth": 1, "filter_shape": [2], "window_shape": [2], "keep_probability": 0.5,
    "shape": [-1, 2, -1], "method": "linear", "idx": [None, 0], "a": 1.0, "b": 2.0, "degree": 2, "expression": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def layers(client: Client) -> dict[str, dict[str, Any]]:
    """Every layer of the server's, by its name: its fields by theirs."""
    with urllib.request.urlopen(f"{client.address}/v1/layers") as answer:
        listed = json.load(answer)["layers"]
    return {layer["type"]: {field["name"]: field for field in layer["fields"]} for layer in listed}


def test_there_is_a_function_for_every_layer(layers: dict[str, dict[str, Any]]) -> None:
    assert set(architectures.__all__) - _OTHERS == set(layers)
    assert set(architectures.__all__) - {"Layer", "Padding", "Parameterization"} <= set(ntk.__all__)


def test_the_document_has_the_same_layers(client: Client, layers: dict[str, dict[str, Any]]) -> None:
    with urllib.request.urlopen(f"{client.address}/openapi.json") as answer:
        schemas = json.load(answer)["components"]["schemas"]
    mapping = schemas["Architecture"]["discriminator"]["mapping"]
    assert set(mapping) == set(layers)
    for name, reference in mapping.items():
        schema = schemas[reference.rsplit("/", 1)[1]]
        assert set(schema["properties"]) - {"type"} == set(layers[name]), name


def test_a_function_has_the_fields_of_its_layer(layers: dict[str, dict[str, Any]]) -> None:
    for name, fields in layers.items():
        signature = inspect.signature(getattr(architectures, name))
        assert set(signature.parameters) == set(fields), name
        for field, parameter in signature.parameters.items():
            is_free = parameter.default is not inspect.Parameter.empty or parameter.kind is inspect.Parameter.VAR_POSITIONAL
            assert is_free or fields[field]["required"], f"{name}({field})"


def test_what_is_given_is_what_is_sent(layers: dict[str, dict[str, Any]]) -> None:
    for name, fields in layers.items():
        function = getattr(architectures, name)
        parameters = inspect.signature(function).parameters.values()
        given = {p.name: _REQUIRED[p.name] for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}
        made = function(**given)
        assert made["type"] == name
        assert made == {"type": name} | made | given
        for field in set(fields) - set(given):
            if any(p.kind is p.VAR_POSITIONAL for p in parameters):
                continue
            value = _REQUIRED.get(field, [1] if fields[field]["type"] in ("integers", "axes", "array") else 1)
            assert function(**given, **{field: value})[field] == value, f"{name}({field})"


def test_the_server_reads_them(client: Client) -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    body = ntk.serial(
        ntk.conv(filter_shape=[2], padding="same"),
        ntk.abs(),
        ntk.image_resize([-1, 4, -1], "linear", antialias=False),
        ntk.index([None, slice(0, 4, 2)]),
        ntk.dot_general(rhs=[[1, 2], [3, 4]], lhs_contracting=[1], rhs_contracting=[0]),
        ntk.global_avg_pool(),
        ntk.dense(),
    )
    assert client.kernel(body, x).shape == (2, 2)
    for activation in (
        ntk.sign(),
        ntk.exp(b=0.1),
        ntk.gaussian(),
        ntk.gabor(),
        ntk.monomial(2),
        ntk.rectified_monomial(1),
        ntk.exp_normalized(),
        ntk.sigmoid_like(),
    ):
        assert client.kernel(ntk.serial(ntk.dense(), activation, ntk.dense()), x[:, 0]).shape == (2, 2)
    hermite = ntk.serial(ntk.dense(), ntk.layer_norm(), ntk.hermite(2), ntk.dense())
    assert client.kernel(hermite, x[:, 0]).shape == (2, 2)
    frozen = ntk.mlp(1, w_std=1.2, b_std=0.1, trainable=False)
    assert not client.kernel(frozen, x[:, 0]).any()
