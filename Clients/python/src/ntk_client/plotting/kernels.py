"""Pictures of kernels, posteriors, spectra and trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..results import Convergence, Prediction, Spectrum, Training
from ._axes import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def kernel_heat_map(
    kernel: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    correlation: bool = False,
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw a kernel matrix.

    Parameters
    ----------
    kernel
        [n1, n2].
    labels
        The class of each point; the points of a square matrix are then sorted by it, with lines between the classes.
    correlation
        Whether to draw k(x, x')/√(k(x, x) k(x', x')) of a square matrix.
    ax
        Where to draw.
    **options
        For ``Axes.imshow``.
    """
    ax = axes_of(ax)
    matrix = np.asarray(kernel, dtype=np.float64)
    if correlation:
        scale = np.sqrt(np.diagonal(matrix))
        matrix = matrix / np.outer(scale, scale)
    if labels is not None:
        order = np.argsort(np.asarray(labels), kind="stable")
        matrix = matrix[np.ix_(order, order)]
        names, starts = np.unique(np.asarray(labels)[order], return_index=True)
        ends = np.append(starts[1:], len(order))
        for start in starts[1:]:
            ax.axhline(start - 0.5, color="white", linewidth=0.5)
            ax.axvline(start - 0.5, color="white", linewidth=0.5)
        middles = (starts + ends - 1) / 2
        ax.set_xticks(middles, [str(name) for name in names])
        ax.set_yticks(middles, [str(name) for name in names])
    image = ax.imshow(matrix, **{"interpolation": "nearest", "cmap": "viridis"} | options)
    ax.figure.colorbar(image, ax=ax, label="correlation" if correlation else "kernel")
    return ax


def posterior_band(
    x: npt.ArrayLike,
    prediction: Prediction,
    x_train: npt.ArrayLike | None = None,
    y_train: npt.ArrayLike | None = None,
    *,
    deviations: float = 2.0,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw predictions of one output over one-dimensional points, with a band of so many standard deviations.

    Parameters
    ----------
    x
        Points, [m] or [m, 1].
    prediction
        At those points, with a variance.
    x_train, y_train
        What was fitted.
    deviations
        Half the width of the band.
    label
        For the legend.
    ax
        Where to draw.
    """
    ax = axes_of(ax)
    points = np.ravel(x)
    order = np.argsort(points, kind="stable")
    if prediction.mean is None:
        raise ValueError("a prediction of regression expected")
    mean, std = np.ravel(prediction.mean)[order], np.ravel(prediction.std)[order]
    (line,) = ax.plot(points[order], mean, label=label or "mean")
    band = f"± {deviations:g} standard deviations" if label is None else None
    ax.fill_between(
        points[order], mean - deviations * std, mean + deviations * std, color=line.get_color(), alpha=0.2, linewidth=0, label=band
    )
    if x_train is not None and y_train is not None:
        ax.plot(np.ravel(x_train), np.ravel(y_train), "o", color="black", markersize=4, label="training points" if label is None else None)
    ax.set_xlabel("x")
    ax.set_ylabel("f(x)")
    ax.legend()
    return ax


def spectrum(result: Spectrum, *, label: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the eigenvalues above working precision, and, where there are targets, the share of the targets in the modes up to each."""
    ax = axes_of(ax)
    values = result.eigenvalues[: result.rank]
    modes = np.arange(1, len(values) + 1)
    (line,) = ax.loglog(modes, values, ".-", markersize=3, label=label or "eigenvalues")
    ax.set_xlabel("mode")
    ax.set_ylabel("eigenvalue")
    if result.coefficients is not None:
        power = np.square(result.coefficients).reshape(len(result.coefficients), -1).sum(axis=1)
        other = ax.twinx()
        share = np.cumsum(power)[: len(values)] / power.sum()
        (second,) = other.semilogx(modes, share, "--", color="tab:orange", label="share of the targets up to the mode")
        other.set_ylim(0, 1.05)
        other.set_ylabel("share of ‖y‖²")
        ax.legend(handles=[line, second], loc="lower left")
    elif label is not None:
        ax.legend()
    return ax


def training_curves(result: Training, *, axes: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
    """Draw the losses of a network and of its kernel's prediction, and beside them how far kernel and parameters moved.

    Parameters
    ----------
    result
        From `Client.train`.
    axes
        Two axes.

    Returns
    -------
    ndarray
        The two axes.
    """
    if axes is None:
        from matplotlib import pyplot as plt

        axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")[1]
    losses, moves = axes
    pairs = [("training", result.train_loss, result.kernel_train_loss), ("test", result.test_loss, result.kernel_test_loss)]
    for name, network, kernel in pairs:
        if network is None or kernel is None:
            continue
        (line,) = losses.plot(result.steps, network, "o-", markersize=3, label=f"{name}, network")
        losses.plot(result.steps, kernel, "--", color=line.get_color(), label=f"{name}, its kernel")
    losses.set_yscale("log")
    losses.set_ylabel("½ · mean squared error")
    moves.plot(result.steps, result.kernel_drift, "o-", markersize=3, label="kernel, ‖Θ − Θ₀‖ / ‖Θ₀‖")
    moves.plot(result.steps, result.relative_parameter_distance, "o-", markersize=3, label="parameters, ‖θ − θ₀‖ / ‖θ₀‖")
    moves.set_ylabel("relative distance from the start")
    for ax in (losses, moves):
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xlim(left=0)
        ax.set_xlabel("step")
        ax.legend()
    return axes


def convergence(result: Convergence, *, ax: Axes | None = None) -> Axes:
    """Draw the relative error of finite networks' kernels over their width, with standard errors, beside 1/√width."""
    ax = axes_of(ax)
    widths = np.array([one.width for one in result.widths], dtype=np.float64)
    means = np.array([one.mean for one in result.widths])
    rate = "" if result.rate is None else f", falls with width^{result.rate:.2f}"
    ax.errorbar(widths, means, [one.standard_error for one in result.widths], fmt="o-", capsize=3, label=f"finite networks{rate}")
    ax.plot(widths, means[0] * np.sqrt(widths[0] / widths), "--", color="gray", label="1/√width")
    predicted = [one.predicted for one in result.widths if one.predicted is not None]
    if len(predicted) == len(widths):
        ax.plot(widths, predicted, ":", color="black", label="predicted to order 1/width")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("width")
    ax.set_ylabel("‖Θ̂ − Θ‖ / ‖Θ‖")
    ax.legend()
    return ax
