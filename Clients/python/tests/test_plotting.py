"""What is drawn is what was computed."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from ntk_client import Client, Network, dense, mlp, plotting, serial, tanh

mpl.use("Agg")
ARCHITECTURE = mlp(2, b_std=0.1)


@pytest.fixture(autouse=True)
def _close() -> object:
    from matplotlib import pyplot as plt

    yield None
    plt.close("all")


def test_heat_map_is_sorted_by_class(client: Client, rng: np.random.Generator) -> None:
    x, labels = rng.normal(size=(6, 2)), np.array([1, 0, 1, 0, 2, 0])
    kernel = client.kernel(ARCHITECTURE, x)
    ax = plotting.kernel_heat_map(kernel, labels, correlation=True)
    drawn = ax.images[0].get_array()
    order = np.argsort(labels, kind="stable")
    np.testing.assert_allclose(np.diagonal(drawn), 1)
    np.testing.assert_allclose(drawn[0, 1], kernel[order[0], order[1]] / np.sqrt(kernel[order[0], order[0]] * kernel[order[1], order[1]]))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2"]


def test_posterior_band(client: Client) -> None:
    x, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 0.0])
    at = np.linspace(3, -1, 9)[:, None]
    prediction = client.predict(ARCHITECTURE, x, y, at, ridge=1e-6, covariance="diagonal")
    ax = plotting.posterior_band(at, prediction, x, y)
    line = ax.lines[0]
    assert np.all(np.diff(line.get_xdata()) > 0)
    assert np.array_equal(line.get_ydata(), prediction.mean[::-1])
    low, high = ax.collections[0].get_datalim(ax.transData).intervaly
    assert low == pytest.approx(np.min(prediction.mean - 2 * prediction.std))
    assert high == pytest.approx(np.max(prediction.mean + 2 * prediction.std))
    with pytest.raises(ValueError, match="covariance"):
        plotting.posterior_band(at, client.predict(ARCHITECTURE, x, y, at))


def test_spectrum_training_and_convergence(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    spectrum = client.spectrum(ARCHITECTURE, x, y)
    ax = plotting.spectrum(spectrum)
    assert np.array_equal(ax.lines[0].get_ydata(), spectrum.eigenvalues)
    training = client.train(Network.drawn(serial(dense(32), tanh(), dense(1))), x, y, [0, 1, 10])
    axes = plotting.training_curves(training)
    assert np.array_equal(axes[0].lines[0].get_ydata(), training.train_loss)
    assert np.array_equal(axes[1].lines[0].get_ydata(), training.kernel_drift)
    convergence = client.convergence(mlp(1), x, [8, 16], samples=2)
    ax = plotting.convergence(convergence)
    assert np.array_equal(ax.lines[0].get_xdata(), [8, 16])


def test_attributions_and_evolutions(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    found = client.attributions(ARCHITECTURE, x, y, rng.normal(size=(4, 3)), ridge=0.1)
    assert found.influence is not None
    ax = plotting.influences(found, 1, top=3)
    assert len(ax.patches) == 3
    assert abs(ax.patches[0].get_width()) == np.abs(found.influence[1]).max()
    ax = plotting.reliability([[0.9, 0.1], [0.4, 0.6]], [0, 0], label="all")
    np.testing.assert_allclose(ax.lines[1].get_xdata(), [0.6, 0.9])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [0, 1])
    networks = [Network(serial(dense(5), tanh(), dense(3)), seed=seed) for seed in (1, 2)]
    evolution = client.evolution(networks, x, y)
    ax = plotting.kernel_evolution(evolution, [0, 10])
    assert np.array_equal(ax.lines[0].get_ydata(), evolution.distance_to_first)
