"""Pictures of what is predicted without sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results import FiniteWidth, LearningCurve
from ._axes import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def finite_width(result: FiniteWidth, widths: Sequence[float], *, entry: tuple[int, int] = (0, 0), ax: Axes | None = None) -> Axes:
    """Draw an entry of the tangent kernel over the width: mean of finite networks with two standard deviations, and its limit."""
    ax = axes_of(ax)
    if result.ntk is None:
        raise ValueError("an answer with the kind ntk expected")
    means = np.array([result.ntk.mean(width)[entry] for width in widths])
    spreads = np.array([result.ntk.std(width)[entry] for width in widths])
    ax.plot(widths, means, "o-", label="mean")
    ax.fill_between(widths, means - 2 * spreads, means + 2 * spreads, alpha=0.2, label="two standard deviations")
    ax.axhline(result.ntk.limit[entry], ls="--", color="gray", label="infinite width")
    ax.set_xscale("log", base=2)
    ax.set_xlabel("width")
    ax.set_ylabel("Θ̂")
    ax.legend()
    return ax


def learning_curve(result: LearningCurve, *, target_error: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw predicted test errors over the number of samples, with their interval, and what was measured."""
    ax = axes_of(ax)
    ax.plot(result.samples, result.test_error, "-", label="predicted")
    if np.isfinite(result.low).any():
        ax.fill_between(result.samples, result.low, result.high, alpha=0.2, label="two standard deviations")
    if result.measured:
        ax.errorbar(
            [one["samples"] for one in result.measured],
            [one["error"] for one in result.measured],
            [one["standard_error"] for one in result.measured],
            fmt="o",
            capsize=3,
            label="leave-one-out",
        )
    if target_error is not None:
        ax.axhline(target_error, ls="--", color="gray", label="target")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("samples")
    ax.set_ylabel("mean squared error")
    ax.legend()
    return ax
