"""scikit-learn's own checks, and its tools on real data beside the server's own predictions."""

from __future__ import annotations

import json
import pickle
import urllib.request
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import WhiteKernel
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from ntk_client import Client, LocalServer, dense, erf, kernel_of, mlp, serial
from ntk_client.sklearn import NTKClassifier, NTKKernel, NTKRegressor


@parametrize_with_checks([NTKRegressor(), NTKClassifier(), NTKRegressor(kind="nngp", posterior="ensemble", b_std=0.1)])
def test_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


def server_accuracy(client: Client, x: np.ndarray, y: np.ndarray, folds: StratifiedKFold) -> list[float]:
    """The same protocol in JSON through the API alone."""
    scores = []
    for train, test in folds.split(x, y):
        request = {
            "kernel": {"architecture": {"type": "mlp", "depth": 3, "activation": "relu", "w_std": 2**0.5}, "kind": "ntk"},
            "x_train": x[train].tolist(),
            "labels": y[train].tolist(),
            "x_test": x[test].tolist(),
            "ridge": 1e-3,
            "ridge_scale": "relative",
        }
        sent = urllib.request.Request(
            f"{client.address}/v1/predictions", json.dumps(request).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(sent) as answer:
            scores.append(float(np.mean(np.array(json.load(answer)["labels"]) == y[test])))
    return scores


@pytest.mark.parametrize(("load", "least"), [(load_digits, 0.98), (load_breast_cancer, 0.94)], ids=["digits", "breast_cancer"])
def test_cross_validation_is_the_servers(client: Client, load: Any, least: float) -> None:
    x, y = load(return_X_y=True)
    x = MinMaxScaler().fit_transform(x)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_score(NTKClassifier(), x, y, cv=folds)
    np.testing.assert_allclose(scores, server_accuracy(client, x, y, folds), atol=0.005)
    assert np.mean(scores) > least


def test_grid_search_in_a_pipeline() -> None:
    x, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NTKRegressor(b_std=0.1))
    grid = {"ntkregressor__depth": [1, 3], "ntkregressor__ridge": [0.1, 1.0], "ntkregressor__kind": ["ntk", "nngp"]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(x[:200], y[:200] - y.mean())
    assert search.best_score_ > 0.3
    assert len(search.cv_results_["params"]) == 8
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


def test_estimators_have_the_servers_answers(client: Client) -> None:
    x, y = load_diabetes(return_X_y=True)
    train, test = slice(0, 300), slice(300, None)
    architecture = serial(dense(b_std=0.1), erf(), dense())
    regressor = NTKRegressor(architecture, w_std=1.5, b_std=None, ridge={"select": "gcv"}, ridge_scale="absolute").fit(x[train], y[train])
    filled = serial(dense(w_std=1.5, b_std=0.1), erf(), dense(w_std=1.5))
    expected = client.predict(kernel_of(filled), x[train], y[train], x[test], ridge={"select": "gcv"}, covariance="full")
    mean, std = regressor.predict(x[test], return_std=True)
    np.testing.assert_allclose(mean, expected.mean, rtol=1e-12)
    ridge = regressor.diagnostics_["ridge"]
    assert ridge == expected.diagnostics["ridge"]
    # In units of the targets: of a Gaussian process whose kernel has the most probable factor, yᵀ(K + ridge I)⁻¹y / n, and with its noise.
    noisy = client.kernel(filled, x[train]) + ridge * np.eye(300)
    factor = y[train] @ np.linalg.solve(noisy, y[train]) / 300
    covariance = factor * (expected.covariance + ridge * np.eye(len(x[test])))
    np.testing.assert_allclose(std, np.sqrt(np.diagonal(covariance)), rtol=1e-7)
    np.testing.assert_allclose(regressor.predict(x[test], return_cov=True)[1], covariance, rtol=1e-7, atol=1e-7 * factor)
    assert 0.9 < np.mean(np.abs(y[test] - mean) < 1.96 * std) < 1
    with pytest.raises(ValueError, match="at most one"):
        regressor.predict(x[test], return_std=True, return_cov=True)


def test_classes_of_any_type() -> None:
    x, y = load_digits(n_class=3, return_X_y=True)
    names = np.array(["zero", "one", "two"])
    classifier = NTKClassifier().fit(x[:200], names[y[:200]])
    assert classifier.classes_.tolist() == ["one", "two", "zero"]
    assert classifier.score(x[200:], names[y[200:]]) > 0.95
    probabilities = classifier.predict_proba(x[200:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(classifier.classes_[probabilities.argmax(axis=1)], classifier.predict(x[200:]))
    fast = clone(classifier).set_params(diagnostics="fast").fit(x[:50], y[:50])
    with pytest.raises(ValueError, match="complete"):
        fast.predict_proba(x)


def test_pickled_estimator_at_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = load_diabetes(return_X_y=True)
    fitted = NTKRegressor().fit(x[:100], y[:100])
    expected = fitted.predict(x[100:])
    with LocalServer() as other:
        monkeypatch.setenv("NTK_ADDRESS", other.address)
        assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(x[100:]), expected)
        # Fitted there now.
        with Client(other.address) as client:
            assert [one.id for one in client.regressors()] == [fitted.regressor_id_]


def test_address_is_a_parameter(client: Client) -> None:
    with LocalServer() as other, Client(other.address) as its_client:
        NTKRegressor(address=other.address).fit([[1.0], [2.0]], [1.0, 2.0])
        assert len(list(its_client.regressors())) == 1
        assert NTKRegressor(address=other.address).get_params()["address"] == other.address


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_kernel_of_gaussian_processes(client: Client, kind: Any) -> None:
    x, y = load_diabetes(return_X_y=True)
    x, y = x[:80] * 10, (y[:80] - y.mean()) / y.std()
    kernel = NTKKernel(depth=2, kind=kind)
    assert np.array_equal(kernel(x), client.kernel(mlp(2, w_std=2**0.5, b_std=0.1), x, kind=kind))
    assert np.array_equal(kernel.diag(x), np.diagonal(kernel(x)))
    np.testing.assert_allclose(kernel(x, x[:3]), kernel(x)[:, :3], rtol=1e-14)
    process = GaussianProcessRegressor(kernel + WhiteKernel(0.1), optimizer=None).fit(x, y)
    mean, std = process.predict(x, return_std=True)
    ours = client.predict(kernel_of(mlp(2, w_std=2**0.5, b_std=0.1), kind), x, y, x, ridge=0.1, covariance="diagonal")
    np.testing.assert_allclose(mean, ours.mean, rtol=1e-7, atol=1e-9)
    # scikit-learn counts the noise in.
    np.testing.assert_allclose(std**2, ours.variance + 0.1, rtol=1e-6)
    tuned = GaussianProcessRegressor(kernel + WhiteKernel(0.1)).fit(x, y)
    assert tuned.log_marginal_likelihood_value_ > process.log_marginal_likelihood_value_
    assert len(tuned.kernel_.theta) == 3


def test_derivatives_by_scales(rng: np.random.Generator) -> None:
    x = rng.normal(size=(7, 3))
    # Without biases every one of L + 1 layers multiplies by w_std².
    matrix, gradient = NTKKernel(depth=2, b_std=None, w_std=1.3)(x, eval_gradient=True)
    assert gradient.shape == (7, 7, 1)
    np.testing.assert_allclose(gradient[..., 0], 6 * matrix, rtol=1e-8, atol=1e-8)
    kernel = NTKKernel(depth=1, w_std_bounds="fixed")
    assert kernel(x, eval_gradient=True)[1].shape == (7, 7, 1)
    assert NTKKernel(w_std_bounds="fixed", b_std_bounds="fixed")(x, eval_gradient=True)[1].shape == (7, 7, 0)
    # Of a linear network K = (w²)ᴸ⁺¹·x·x'/d + …: its bias adds b²·(1 + w²) to the NNGP kernel of one hidden identity layer.
    linear = NTKKernel(serial(dense(), dense()), w_std=1.5, b_std=0.5, kind="nngp")
    gradient = linear(x, eval_gradient=True)[1]
    np.testing.assert_allclose(gradient[..., 0], np.full((7, 7), 2 * 0.25 * (1 + 1.5**2)), rtol=1e-8)
    with pytest.raises(ValueError, match="Y is None"):
        kernel(x, x, eval_gradient=True)


def test_kernel_is_cloned_and_pickled(rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 2))
    kernel = NTKKernel(depth=1, activation="erf", w_std=1.1)
    changed = kernel.clone_with_theta(np.log([0.2, 2.0]))
    assert (changed.b_std, changed.w_std) == pytest.approx((0.2, 2.0))
    assert np.array_equal(pickle.loads(pickle.dumps(kernel))(x), clone(kernel)(x))
    assert not kernel.is_stationary()
    assert "erf" in repr(kernel)


def test_gaussian_process_classifier() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = StandardScaler().fit_transform(x)[:150]
    process = GaussianProcessClassifier(NTKKernel(depth=1), optimizer=None).fit(x[:100], y[:100])
    assert process.score(x[100:], y[100:150]) > 0.9
