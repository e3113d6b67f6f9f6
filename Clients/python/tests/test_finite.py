"""Finite networks against formulas and PyTorch."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

import ntk_client as ntk
from ntk_client import Client, Network, NotFoundError, dense, relu, serial

GOLDEN = pathlib.Path(__file__).resolve().parents[3] / "Tests/NTKServiceTests/Golden/pytorch"


def test_stored_networks(client: Client, rng: np.random.Generator) -> None:
    network = Network.drawn(serial(dense(8, b_std=0.1), ntk.tanh(), dense(2)), seed=3, input_shape=(4,))
    stored = client.store_network(network)
    assert client.network(stored.id).description == stored.description
    assert stored.id in {one.id for one in client.networks()}
    x = rng.normal(size=(5, 4))
    assert np.array_equal(client.outputs(stored, x), client.outputs(network, x))
    client.delete_network(stored)
    with pytest.raises(NotFoundError):
        client.network(stored.id)


def test_gradients_as_features(client: Client, rng: np.random.Generator) -> None:
    network = Network.drawn(serial(dense(8, b_std=0.1), ntk.tanh(), dense(2)), seed=3)
    x = rng.normal(size=(5, 4))
    kernel = client.empirical_kernels(network, x, outputs=[1]).ntk
    assert kernel is not None
    gradients = client.gradient_features(network, x, outputs=[1], projection="none")
    np.testing.assert_allclose(gradients @ gradients.T, kernel[..., 0, 0], rtol=1e-10)
    features = client.gradient_features(network, x, outputs=[1], dimension=20000, seed=1, precision="float32")
    assert features.shape == (5, 20000)
    assert features.dtype == np.float32
    sizes = np.sqrt(np.diag(kernel[..., 0, 0]))
    assert np.abs(features @ features.T - kernel[..., 0, 0]).max() < 0.08 * sizes.max() ** 2


def test_empirical_kernel_is_that_of_the_jacobian(client: Client, rng: np.random.Generator) -> None:
    w0, b0, w1 = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(2, 6))
    network = Network.from_state_dict(serial(dense(6), ntk.tanh(), dense(2)), {"0.weight": w0, "0.bias": b0, "2.weight": w1})
    x = rng.normal(size=(4, 3))
    hidden = np.tanh(x @ w0.T + b0)
    np.testing.assert_allclose(client.outputs(network, x), hidden @ w1.T, rtol=1e-12)
    slope = 1 - hidden**2
    back = np.einsum("oh,nh->noh", w1, slope)
    inner = np.einsum("noh,mph->nmop", back, back)
    expected = {
        "0.weight": inner * (x @ x.T)[..., None, None],
        "0.bias": inner,
        "2.weight": (hidden @ hidden.T)[..., None, None] * np.eye(2),
    }
    answer = client.empirical_kernels(network, x, outputs="full", layerwise=True)
    np.testing.assert_allclose(answer.ntk, sum(expected.values()), rtol=1e-11, atol=1e-12)
    assert answer.layerwise is not None
    assert answer.layerwise.keys() == expected.keys()
    for name, share in expected.items():
        np.testing.assert_allclose(answer.layerwise[name], share, rtol=1e-11, atol=1e-12)
    frozen = client.empirical_kernels(network, x, outputs="full", include=["2.*"])
    np.testing.assert_allclose(frozen.ntk, expected["2.weight"], rtol=1e-11, atol=1e-12)
    mean = client.empirical_kernels(network, x)
    np.testing.assert_allclose(mean.ntk, np.trace(answer.ntk, axis1=2, axis2=3) / 2, rtol=1e-11)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_network_that_pytorch_trained(client: Client, name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    described = golden["network"]
    network = Network.from_state_dict(
        described["architecture"], GOLDEN / f"{name}.safetensors", input_shape=tuple(described["input_shape"])
    )
    x = np.array(golden["x"])
    np.testing.assert_allclose(client.outputs(network, x), golden["outputs"], rtol=1e-10, atol=1e-10)
    full = client.empirical_kernels(network, x, outputs="full").ntk
    np.testing.assert_allclose(full, golden["full"], rtol=1e-9, atol=1e-9 * np.abs(golden["full"]).max())


def test_state_dict_of_npz(client: Client, rng: np.random.Generator, tmp_path: pathlib.Path) -> None:
    parameters = {"0.weight": rng.normal(size=(3, 2)).astype("f4"), "2.weight": rng.normal(size=(1, 3)).astype("f4")}
    np.savez(tmp_path / "model.npz", **parameters)
    architecture = serial(dense(3), relu(), dense(1))
    x = rng.normal(size=(4, 2))
    from_file = client.outputs(Network.from_state_dict(architecture, tmp_path / "model.npz"), x)
    assert np.array_equal(from_file, client.outputs(Network.from_state_dict(architecture, parameters), x))
