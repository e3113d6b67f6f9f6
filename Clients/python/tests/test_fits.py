"""Fits, dynamics and spectra against formulas and each other."""

from __future__ import annotations

import numpy as np
import pytest

import ntk_client as ntk
from ntk_client import Client, Network, NotFoundError, dense, mlp, relu, serial

RELU = serial(dense(w_std=2**0.5), relu(), dense())


def test_predictions_are_the_formula(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(25, 3)), rng.normal(size=(25, 2)), rng.normal(size=(6, 3))
    system = client.kernel(RELU, x) + 0.1 * np.eye(25)
    across, own = client.kernel(RELU, at, x), client.kernel(RELU, at)
    prediction = client.predict(RELU, x, y, at, ridge=0.1, covariance="full")
    np.testing.assert_allclose(prediction.mean, across @ np.linalg.solve(system, y), rtol=1e-10)
    covariance = own - across @ np.linalg.solve(system, across.T)
    np.testing.assert_allclose(prediction.covariance, covariance, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(prediction.std, np.sqrt(np.diagonal(covariance)), rtol=1e-9)
    given = ntk.kernel_matrices(client.kernel(RELU, x), across)
    np.testing.assert_allclose(client.predict(given, None, y, ridge=0.1).mean, prediction.mean, rtol=1e-10)
    nngp = client.predict(ntk.kernel_of(RELU, "nngp"), x, y, at, ridge=0.1)
    assert not np.allclose(nngp.mean, prediction.mean)


def test_classification(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 2))
    labels = np.where(x[:, 0] > 0, "right", "left")
    prediction = client.predict(RELU, x, labels=labels, x_test=x, ridge=1e-4)
    assert np.array_equal(prediction.labels, labels)
    assert prediction.classes.tolist() == ["left", "right"]
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1)


def test_regressors(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(15, 3)), rng.normal(size=15), rng.normal(size=(4, 3))
    regressor = client.fit(RELU, x, y, ridge={"select": "leave_one_out"})
    assert client.fit(RELU, x, y, ridge={"select": "leave_one_out"}).id == regressor.id
    stateless = client.predict(RELU, x, y, at, ridge={"select": "leave_one_out"}, covariance="diagonal")
    kept = client.regressor(regressor.id).predict(at, covariance="diagonal")
    assert np.array_equal(kept.mean, stateless.mean)
    np.testing.assert_allclose(kept.variance, stateless.variance, rtol=1e-10)
    assert regressor.diagnostics["ridge"] == stateless.diagnostics["ridge"]
    assert regressor.id in {one.id for one in client.regressors()}
    regressor.delete()
    with pytest.raises(NotFoundError):
        regressor.predict(at)


def test_more_regressors_than_a_page(client: Client) -> None:
    ids = {client.fit(RELU, [[1.0, value]], [value], ridge=0.1).id for value in range(103)}
    assert ids <= {one.id for one in client.regressors()}
    for one in ids:
        client.regressor(one).delete()


def test_dynamics_end_at_the_prediction(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=(3, 3))
    run = client.dynamics(RELU, x, y, [0, 1, 1e9], at, y_test=np.zeros(3), covariance="diagonal", target_loss=1e-3)
    assert run.mean.shape == (3, 3)
    assert np.all(run.mean[0] == 0)
    np.testing.assert_allclose(run.mean[-1], client.predict(RELU, x, y, at).mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(run.train_loss[0], np.mean(y**2) / 2)
    np.testing.assert_allclose(run.test_loss, np.mean(run.mean**2, axis=1) / 2)
    assert run.time_to_loss > 0
    started = client.dynamics(RELU, x, y, [0], at, initial_outputs={"train": y, "test": np.ones(3)})
    assert np.array_equal(started.train_mean[0], y)
    assert np.array_equal(started.mean[0], np.ones(3))
    descent = client.dynamics(RELU, x, y, np.array([3]), optimizer={"type": "gradient_descent", "learning_rate": 0.1})
    step = np.eye(8) - 0.1 * client.kernel(RELU, x) / 8
    np.testing.assert_allclose(descent.train_mean[0], y - np.linalg.matrix_power(step, 3) @ y, rtol=1e-10)


def test_spectrum(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    kernel = client.kernel(RELU, x)
    result = client.spectrum(RELU, x, y, ridge=0.1, sample_sizes=[3, 6])
    np.testing.assert_allclose(result.eigenvalues, np.linalg.eigvalsh(kernel)[::-1], rtol=1e-9)
    np.testing.assert_allclose(result.rkhs_norm, np.sqrt(y @ np.linalg.solve(kernel, y)), rtol=1e-8)
    np.testing.assert_allclose(result.effective_dimension, np.trace(np.linalg.solve(kernel + 0.1 * np.eye(12), kernel)), rtol=1e-9)
    assert [one.samples for one in result.eigenlearning] == [3, 6]
    assert result.eigenlearning[0].learnability.shape == (12,)
    merged = client.spectrum(RELU, np.concatenate([x, x[:2]]))
    assert merged.rank == 12
    assert merged.coefficients is None


def test_training_of_a_wide_network_is_lazy(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(6, 3)), rng.normal(size=6)

    def drift(width: int) -> float:
        architecture = serial(dense(width, parameterization="ntk"), ntk.tanh(), dense(1, parameterization="ntk"))
        network = Network.drawn(architecture, seed=1)
        run = client.train(network, x, y, [0, 5, 20])
        assert run.kernel_drift[0] == 0
        assert run.train_loss[-1] < run.train_loss[0]
        assert run.train_outputs.shape == (3, 6)
        return float(run.kernel_drift[-1])

    assert drift(2048) < drift(16) / 3


def test_convergence(client: Client, rng: np.random.Generator) -> None:
    result = client.convergence(mlp(1, b_std=0.1), rng.normal(size=(4, 3)), [16, 256], samples=16)
    assert [one.width for one in result.widths] == [16, 256]
    assert result.widths[0].mean > result.widths[1].mean
    assert -1 < result.rate < -0.2
