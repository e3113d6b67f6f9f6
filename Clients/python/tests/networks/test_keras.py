"""Models of Keras on JAX, where both are installed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ntk_client import Client, Network

from .oracle import distance

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("jax2onnx", reason="jax2onnx is not installed: pip install 'ntk-client[keras]'")
keras = pytest.importorskip("keras", reason="keras is not installed: pip install 'ntk-client[keras]'")


def test_a_model(client: Client) -> None:
    if keras.backend.backend() != "jax":
        pytest.skip("Keras is on another backend")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(6, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[1].moving_mean.assign(np.linspace(-1, 1, 6))
    x = np.random.default_rng(0).normal(size=(3, 5))
    network = Network.from_keras(model, x.astype("f4"), client=client)
    assert distance(client.outputs(network, x), np.asarray(model(x.astype("f4"), training=False))) < 1e-5
    shares = client.empirical_kernels(network, x, outputs="full", layerwise=True).layerwise
    assert shares is not None
    assert set(shares) == {one.path for one in model.trainable_variables}
    # The last bias is in each output once.
    np.testing.assert_allclose(shares[model.trainable_variables[-1].path], np.broadcast_to(np.eye(2), (3, 3, 2, 2)))
