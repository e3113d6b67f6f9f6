"""Pictures of what training points and weights do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..results import Attribution, Evolution
from ._axes import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def influences(result: Attribution, test: int = 0, *, top: int = 20, output: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the training points with the largest influence on one prediction, as bars in descending order.

    Parameters
    ----------
    result
        From `Client.attributions` or `Client.classifier_attributions`.
    test
        The test point.
    top
        Training points to draw at the most.
    output
        Of several outputs the one that is drawn; the class or output with the largest prediction if absent.
    ax
        Where to draw.
    """
    if result.influence is None:
        raise ValueError("influences at test points expected")
    ax = axes_of(ax)
    values = np.asarray(result.influence[test], dtype=np.float64)
    if values.ndim == 2:
        prediction = result.scores if result.mean is None else result.mean
        chosen = output if output is not None or prediction is None else int(np.argmax(prediction[test]))
        values = values[:, chosen or 0]
    if result.groups is not None:
        names = np.asarray(result.groups)
    else:
        names = np.arange(len(values)) if result.indices is None else np.asarray(result.indices[test])
    order = np.argsort(-np.abs(values), kind="stable")[:top]
    ax.barh(np.arange(len(order)), values[order], color=["tab:blue" if value >= 0 else "tab:red" for value in values[order]])
    ax.set_yticks(np.arange(len(order)), [str(name) for name in names[order]])
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.5)
    ax.set_xlabel("what the prediction loses without it")
    ax.set_ylabel("group" if result.groups is not None else "training point")
    return ax


def reliability(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = 10, label: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often classes are right over the confidence in them, beside the diagonal of a calibrated classifier.

    Parameters
    ----------
    probabilities
        [m, k], such as a posterior's.
    labels
        The class of each point, as the place of its column.
    bins
        Of confidence.
    label
        For the legend.
    ax
        Where to draw.
    """
    ax = axes_of(ax)
    matrix = np.asarray(probabilities, dtype=np.float64)
    confidence, hit = matrix.max(axis=1), matrix.argmax(axis=1) == np.asarray(labels)
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    used = np.unique(places)
    ax.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    ax.plot(
        [confidence[places == one].mean() for one in used], [hit[places == one].mean() for one in used], "o-", markersize=4, label=label
    )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("confidence")
    ax.set_ylabel("accuracy")
    if label is not None:
        ax.legend()
    return ax


def kernel_evolution(result: Evolution, steps: npt.ArrayLike | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw the distance of the kernel from its start, its alignment with the targets, and its effective rank over the checkpoints.

    Parameters
    ----------
    result
        From `Client.evolution`.
    steps
        Of the checkpoints; their places if absent.
    ax
        Where to draw.
    """
    ax = axes_of(ax)
    places = np.arange(len(result.trace)) if steps is None else np.asarray(steps)
    lines = ax.plot(places, result.distance_to_first, "o-", markersize=3, label="distance from the first kernel")
    if result.alignment is not None:
        lines += ax.plot(places, result.alignment, "o-", markersize=3, label="alignment with the targets")
    ax.set_ylim(0, 1)
    ax.set_xlabel("checkpoint" if steps is None else "step")
    other = ax.twinx()
    lines += other.plot(places, result.effective_rank, "s--", markersize=3, color="gray", label="effective rank")
    other.set_ylabel("effective rank")
    ax.legend(handles=lines)
    return ax
