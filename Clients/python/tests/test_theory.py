"""Finite widths and learning curves through the client: against networks and regressions that are computed."""

from __future__ import annotations

import gzip
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from ntk_client import Client, dense, elementwise, mlp, plotting, relu, serial

mpl.use("Agg")
DIGITS = Path(__file__).parents[3] / "Examples/data/digits.csv.gz"


def test_finite_width(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    result = client.finite_width(mlp(3, w_std=np.sqrt(2)), x, tolerance=0.1)
    assert result.ntk is not None
    assert result.nngp is not None
    np.testing.assert_allclose(result.ntk.limit, client.kernel(mlp(3, w_std=np.sqrt(2)), x), rtol=1e-12)
    # Without biases relu networks keep the mean of Θ̂(x, x).
    np.testing.assert_allclose(np.diagonal(result.ntk.correction), 0, atol=1e-12)
    assert result.required_width is not None
    # Of both kinds, of which one needs more.
    spreads = [
        max(moments.relative_spread(width) for moments in (result.ntk, result.nngp))
        for width in (result.required_width, result.required_width - 1)
    ]
    assert spreads[0] <= 0.1 < spreads[1]
    one = serial(dense(32), relu(), dense(16), relu(), dense(1))
    assert client.finite_width(one, x).width == 16
    # An expression is averaged by its series, relu in closed form.
    series = client.finite_width(mlp(3, activation=elementwise("x*tanh(x)")), x[:2])
    assert series.error_estimate is not None
    assert series.error_estimate < 1e-9
    ax = plotting.finite_width(result, [16, 64, 256], entry=(0, 1))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [result.ntk.mean(n)[0, 1] for n in (16, 64, 256)])


def test_convergence_is_predicted(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(1, 4))
    result = client.convergence(mlp(2, b_std=0.3, w_std=1.3), x, [64, 128], samples=400, seed=3)
    for one in result.widths:
        assert one.diagonal is not None
        assert one.predicted is not None
        assert one.diagonal.predicted_mean is not None
        # Four standard errors, and a tenth of the correction for the next order.
        correction = one.diagonal.predicted_mean - one.diagonal.infinite
        assert abs(one.diagonal.mean - one.diagonal.predicted_mean) < 4 * one.diagonal.standard_error + 0.1 * abs(correction)
        assert one.diagonal.standard_error * 20 == pytest.approx(one.diagonal.predicted_standard_deviation, rel=0.25)
    assert plotting.convergence(result).lines[-1].get_ydata()[0] == result.widths[0].predicted


def test_features_and_target(client: Client) -> None:
    values = 1 / np.arange(1, 400) ** 2
    spectrum = {"eigenvalues": values, "powers": values}
    whole = client.learning_curve([20, 50, 100], spectrum=spectrum, ridge=1e-3, target_error=0.02)
    many = client.learning_curve([20, 50, 100], spectrum=spectrum, ridge=1e-3, features=1e14)
    few = client.learning_curve([20, 50, 100], spectrum=spectrum, ridge=1e-3, features=60)
    np.testing.assert_allclose(many.test_error, whole.test_error, rtol=1e-11)
    assert np.all(few.test_error > whole.test_error)
    assert whole.required_samples is not None
    at = client.learning_curve([whole.required_samples, whole.required_samples - 1], spectrum=spectrum, ridge=1e-3)
    assert at.test_error[0] <= 0.02 < at.test_error[1]
    best = client.learning_curve([20, 50, 100], spectrum=spectrum, ridge="optimal")
    assert np.all(best.test_error <= whole.test_error)


def test_gaussian_data_of_many_dimensions(client: Client) -> None:
    """The Hermite ansatz at d = 300 within 15 %: the error of one relu layer at a linear target."""
    rng = np.random.default_rng(0)
    d, n = 300, 200
    variances = (np.arange(d) + 30.0) ** -1.0
    variances *= d / variances.sum()
    architecture = mlp(1, b_std=np.sqrt(0.3))
    errors = []
    for _ in range(6):
        x = rng.normal(size=(n + 1000, d)) * np.sqrt(variances)
        y = x[:, 0] / np.sqrt(variances[0])
        mean = client.predict(architecture, x[:n], y[:n], x[n:], ridge=1e-3).mean
        errors.append(np.mean((mean - y[n:]) ** 2))
    curve = client.learning_curve(
        [n],
        architecture,
        method="hermite",
        covariance_eigenvalues=variances,
        target_coefficients=[{"components": [0], "coefficient": 1.0}],
        ridge=1e-3,
    )
    assert curve.effective_dimension is not None
    assert curve.effective_dimension > 150
    assert curve.test_error[0] == pytest.approx(np.mean(errors), rel=0.15)


@pytest.mark.parametrize("task", [(1, 3, 5, 7, 9), (5, 6, 7, 8, 9), (0, 3, 8, 9), (8,), (2, 3, 5, 7)])
def test_digits_from_400_labels(client: Client, task: tuple[int, ...]) -> None:
    """From 400 labels the error at 1,400 within 25 %, on the mean of three draws."""
    with gzip.open(DIGITS) as file:
        table = np.loadtxt(file, delimiter=",")
    x, y = table[:, :-1] / 16, np.where(np.isin(table[:, -1], task), 1.0, -1.0)
    architecture = mlp(2, w_std=np.sqrt(2), b_std=0.3)
    rng = np.random.default_rng(7)
    measured, predicted = [], []
    for draw in range(3):
        order = rng.permutation(len(x))
        train, test = order[:1400], order[1400:]
        mean = client.predict(architecture, x[train], y[train], x[test], ridge=0.1).mean
        measured.append(np.mean((mean - y[test]) ** 2))
        known = order[:400]
        curve = client.learning_curve([1400], architecture, x[known], y[known], ridge=0.1, seed=draw)
        assert curve.extrapolated.all()
        predicted.append(curve.test_error[0])
    assert np.mean(predicted) == pytest.approx(np.mean(measured), rel=0.25)
    ax = plotting.learning_curve(curve, target_error=0.05)
    assert ax.lines[0].get_ydata()[0] == curve.test_error[0]
