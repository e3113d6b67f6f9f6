"""Functions of JAX, where it is installed: their outputs and kernels at the server beside JAX's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntk_client import Client, MismatchError, Network

from .oracle import distance

jax = pytest.importorskip("jax", reason="jax is not installed: pip install 'ntk-client[jax]'")
pytest.importorskip("jax2onnx", reason="jax2onnx is not installed: pip install 'ntk-client[jax]'")
jnp = jax.numpy


def parameters() -> dict[str, Any]:
    """Two layers with equal biases, one of which is used twice, and a scale of one number."""
    rng = np.random.default_rng(0)
    return {
        "first": {"w": rng.normal(size=(5, 4)).astype("f4"), "b": np.zeros(4, "f4")},
        "block": {"w": rng.normal(size=(4, 4)).astype("f4"), "b": np.zeros(4, "f4")},
        "scale": np.float32(0.7),
    }


def function(p: Any, x: Any) -> Any:
    h = jnp.tanh(x @ p["first"]["w"] + p["first"]["b"])
    for _ in range(2):
        h = h + p["scale"] * jnp.tanh(h @ p["block"]["w"] + p["block"]["b"])
    return h


def kernel(p: Any, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        jacobian = jax.jacrev(function)(jax.tree.map(lambda one: np.asarray(one, "f8"), p), x)
        flat = np.concatenate([np.asarray(one).reshape(*one.shape[:2], -1) for one in jax.tree.leaves(jacobian)], -1)
    return np.einsum("iap,jbp->ijab", flat, flat)


def test_outputs_and_kernels(client: Client) -> None:
    p, x = parameters(), np.random.default_rng(1).normal(size=(3, 5)).astype("f4")
    network = Network.from_jax(function, p, x, client=client)
    assert distance(client.outputs(network, x.astype("f8")), function(p, x)) < 1e-5
    answer = client.empirical_kernels(network, x.astype("f8"), outputs="full", layerwise=True)
    assert set(answer.layerwise or {}) == {"first.w", "first.b", "block.w", "block.b", "scale"}
    assert distance(client.empirical_kernels(network, x.astype("f8"), outputs="full").ntk, kernel(p, x.astype("f8"))) < 1e-6
    chosen = Network.from_jax(function, p, x, include=["*.w"], exclude=["block.*"], client=client)
    share = client.empirical_kernels(chosen, x.astype("f8"), outputs="full").ntk
    assert distance(share, (answer.layerwise or {})["first.w"]) < 1e-9


def test_gradients_that_are_stopped(client: Client) -> None:
    p, x = parameters(), np.ones((2, 5), "f4")
    with pytest.raises(MismatchError, match=r"first\.w"):
        Network.from_jax(lambda p, x: function(p, x) + jax.lax.stop_gradient(function(p, x)), p, x, client=client)
