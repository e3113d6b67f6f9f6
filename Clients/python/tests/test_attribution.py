"""Attributions, posteriors and evolutions against refits and numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ntk_client import Client, Network, dense, mlp, serial, tanh

ARCHITECTURE = mlp(depth=2, b_std=0.1)


@pytest.fixture
def points(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.standard_normal((8, 3)), rng.standard_normal(8), rng.standard_normal((4, 3))


def network(seed: int) -> Network:
    return Network(serial(dense(width=5), tanh(), dense(width=3)), seed=seed)


def test_leave_one_out_and_groups_are_refits(client: Client, points: tuple[np.ndarray, ...]) -> None:
    x, y, test = points

    def prediction(kept: np.ndarray) -> np.ndarray:
        return client.predict(ARCHITECTURE, x[kept], y[kept], test, ridge=0.1).mean

    whole = prediction(np.arange(8))
    found = client.attributions(ARCHITECTURE, x, y, test, ridge=0.1)
    assert found.influence.shape == (4, 8)
    for point in range(8):
        rest = prediction(np.delete(np.arange(8), point))
        assert np.abs(whole - rest - found.influence[:, point]).max() < 1e-12
    groups = client.attributions(ARCHITECTURE, x, y, test, ridge=0.1, kind="group", groups={"a": [0, 3], "b": [5, 6, 7]})
    assert groups.groups == ["a", "b"]
    assert np.abs(whole - prediction(np.array([1, 2, 4, 5, 6, 7])) - groups.influence[:, 0]).max() < 1e-12
    weights = client.attributions(ARCHITECTURE, x, y, test, ridge=0.1, kind="weights")
    assert np.abs(weights.weights @ y - whole).max() < 1e-12
    top = client.attributions(ARCHITECTURE, x, y, test, ridge=0.1, top=2)
    order = np.argsort(-np.abs(found.influence), axis=1)[:, :2]
    assert np.array_equal(top.indices, order)
    assert np.array_equal(top.influence, np.take_along_axis(found.influence, order, axis=1))


def test_regressors_and_labels(client: Client, points: tuple[np.ndarray, ...]) -> None:
    x, y, test = points
    regressor = client.fit(ARCHITECTURE, x, y, ridge=0.1)
    stored = client.attributions(regressor, x_test=test)
    direct = client.attributions(ARCHITECTURE, x, y, test, ridge=0.1)
    assert np.abs(stored.influence - direct.influence).max() < 1e-12
    own = client.attributions(ARCHITECTURE, x, labels=["a", "b"] * 4, ridge=0.1, kind="self")
    assert own.influence is None
    assert own.mislabel_log_probability.shape == (8,)
    assert (own.mislabel_log_probability <= 0).all()


def test_classifiers(client: Client, points: tuple[np.ndarray, ...]) -> None:
    x, _, test = points
    labels = np.arange(8) % 3
    networks = [network(1), client.store_network(network(2))]
    for kind in ("trak", "gauss_newton"):
        found = client.classifier_attributions(networks, x, labels, test, kind=kind, ridge=0.1)
        assert found.influence.shape == (4, 8)
        both = [client.classifier_attributions([one], x, labels, test, labels_test=found.labels, kind=kind, ridge=0.1) for one in networks]
        if kind == "gauss_newton":
            assert np.allclose(found.influence, (both[0].influence + both[1].influence) / 2, rtol=1e-12)


def test_posterior_is_that_of_the_weights(client: Client, points: tuple[np.ndarray, ...]) -> None:
    x, _, test = points
    own = Network(dense(width=2), {"weight": np.array([[1.0, 0, 0.5], [0, 1, -0.2]]), "bias": np.array([0.1, -0.3])})
    labels = np.arange(8) % 2
    precision = 0.7
    found = client.posterior(own, x, x_test=test, labels=labels, labels_test=[0, 1, 0, 1], prior_precision=precision)

    def jacobian(points: np.ndarray) -> np.ndarray:
        ones = np.hstack([points, np.ones((len(points), 1))])
        return np.stack([np.kron(np.eye(2), row) for row in ones])

    logits = client.outputs(own, x)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    curvature = np.stack([np.diag(p) - np.outer(p, p) for p in probabilities])
    hessian = np.einsum("nap,nab,nbq->pq", jacobian(x), curvature, jacobian(x)) + precision * np.eye(8)
    expected = np.einsum("nap,pq,nbq->nab", jacobian(test), np.linalg.inv(hessian), jacobian(test))
    assert np.abs(found.covariance - expected).max() < 1e-12
    theta = np.concatenate([np.ravel(own.parameters["weight"]), own.parameters["bias"]])
    evidence = (
        np.log(probabilities[np.arange(8), labels]).sum()
        - (precision * theta @ theta + np.linalg.slogdet(hessian)[1] - 8 * np.log(precision)) / 2
    )
    assert abs(found.log_marginal_likelihood - evidence) < 1e-12
    assert set(found.calibration) == {"network", "posterior"}
    assert found.std.shape == (4, 2)


def test_evolution_is_that_of_the_kernels(client: Client, points: tuple[np.ndarray, ...]) -> None:
    x, _, _ = points
    labels = np.arange(8) % 2
    found = client.evolution([network(1), network(2)], x, labels=labels)
    kernels = [client.empirical_kernels(network(seed), x).ntk for seed in (1, 2)]
    for place, kernel in enumerate(kernels):
        values = np.linalg.eigvalsh(kernel)
        share = values[values > 0] / values.sum()
        assert abs(found.trace[place] - np.trace(kernel)) < 1e-12 * np.trace(kernel)
        assert abs(found.largest_eigenvalue[place] - values[-1]) < 1e-12 * values[-1]
        assert abs(found.entropy[place] + (share * np.log(share)).sum()) < 1e-10
        codes = np.eye(2)[labels] - 0.5
        alignment = np.sum(kernel * (codes @ codes.T)) / np.linalg.norm(kernel) / np.linalg.norm(codes @ codes.T)
        assert abs(found.alignment[place] - alignment) < 1e-12
    distance = 1 - np.sum(kernels[0] * kernels[1]) / np.linalg.norm(kernels[0]) / np.linalg.norm(kernels[1])
    assert abs(found.distance_to_first[1] - distance) < 1e-12
    assert np.isnan(found.distance_to_previous[0])
    assert np.array_equal(found.classes, [0, 1])
