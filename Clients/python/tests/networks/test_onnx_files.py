"""Networks from ONNX files: what is sent, and what counts as a parameter."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from ntk_client import Client, Network, _codec, dense


def test_a_file_is_the_body_or_a_part() -> None:
    file = _codec.File(b"\x08\x0a", "application/onnx")
    pieces, media_type = _codec.encode(file)
    assert b"".join(pieces) == b"\x08\x0a"
    assert media_type == "application/onnx"
    pieces, media_type = _codec.encode({"kernel": {"network": {"onnx": file}}, "x": {"ids": np.ones((1, 2), dtype=np.int64)}, "n": 1})
    body = b"".join(pieces)
    assert media_type.startswith("multipart/form-data")
    assert b'name="kernel.network.onnx"' in body
    assert b"Content-Type: application/onnx\r\n\r\n\x08\x0a\r\n" in body
    assert b'name="x.ids"' in body
    assert b'\r\n\r\n{"n":1}\r\n' in body


def test_what_a_network_is() -> None:
    with pytest.raises(ValueError, match="either an architecture or a model's file"):
        Network()
    with pytest.raises(ValueError, match="it is empty"):
        Network.from_onnx(b"")
    with pytest.raises(ValueError, match="either an architecture"):
        Network(dense(1), seed=0, file=Network.from_onnx(b"x").file)
    with pytest.raises(ValueError, match="has its parameters inside"):
        Network(seed=0, file=Network.from_onnx(b"x").file)


@pytest.fixture
def content() -> Any:
    """A file: y = tanh(x Wᵀ + b) F with F no parameter but in its writer's eyes, and z = x Wᵀ + b; b of one number."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'ntk-client[onnx]'")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node("Tanh", ["z"], ["h"]),
        helper.make_node("MatMul", ["h", "f"], ["y"]),
    ]
    arrays = {"w": np.array([[0.5, -1.0]]), "b": np.array([0.25]), "f": np.array([[2.0, 3.0]])}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, ["n", 2])],
        [helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["n", extent]) for name, extent in (("y", 2), ("z", 1))],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


X = np.array([[1.0, 2.0], [0.5, -1.0]])


def expected(*names: str) -> np.ndarray:
    """The kernel, [n, n, 2, 2], for the parameters named."""
    w, b, f = np.array([0.5, -1.0]), 0.25, np.array([2.0, 3.0])
    h = np.tanh(X @ w + b)
    slope = (1 - h * h)[:, None] * f
    result = np.zeros((2, 2, 2, 2))
    if "w" in names:
        result += np.einsum("ia,jb,ij->ijab", slope, slope, X @ X.T)
    if "b" in names:
        result += np.einsum("ia,jb->ijab", slope, slope)
    if "f" in names:
        result += np.einsum("i,j,ab->ijab", h, h, np.eye(2))
    return result


@pytest.mark.parametrize(
    ("choice", "names"),
    [({}, "wf"), ({"exclude": ["f"]}, "w"), ({"include": ["*"]}, "wbf"), ({"include": ["w", "b"]}, "wb"), ({"include": ["b"]}, "b")],
)
def test_what_counts(client: Client, content: Any, tmp_path: pathlib.Path, choice: Any, names: str) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    network = Network.from_onnx(tmp_path / "model.onnx", **choice)
    np.testing.assert_allclose(client.empirical_kernels(network, X, outputs="full").ntk, expected(*names), rtol=1e-12)


def test_outputs(client: Client, content: Any) -> None:
    assert client.outputs(Network.from_onnx(content), X).shape == (2, 2)
    np.testing.assert_allclose(client.outputs(Network.from_onnx(content, output="z"), X), (X @ [0.5, -1.0] + 0.25)[:, None])
    with pytest.raises(ValueError, match="y, z; 'u' came"):
        Network.from_onnx(content, output="u")
    with pytest.raises(ValueError, match="none is like 'u'"):
        Network.from_onnx(content, include=["u"])


def test_wherever_a_network_goes(client: Client, content: Any) -> None:
    """As it is, stored, and by its id; in a kernel's source, too."""
    network = Network.from_onnx(content, include=["w", "b"], output="z")
    stored = client.store_network(network)
    targets = np.array([1.0, -1.0])
    for one in (network, stored, stored.id):
        np.testing.assert_allclose(client.outputs(one, X), (X @ [0.5, -1.0] + 0.25)[:, None])
        np.testing.assert_allclose(client.empirical_kernels(one, X).ntk, X @ X.T + 1)
        np.testing.assert_allclose(client.predict(one, X, targets, X).mean.reshape(-1), targets)
    client.delete_network(stored)
