"""Which training points made a prediction, how sure a network is, and what training did to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy.typing as npt

from ..networks import Network
from ..results import Attribution, Evolution, Posterior
from . import fields as of
from .fields import KernelSource, NetworkLike, Pattern, Points
from .networks import NetworkMethods
from .regression import Regressor


class AttributionMethods(NetworkMethods):
    """`attributions`, `classifier_attributions`, `posterior`, `evolution`."""

    def _ids(self, networks: Sequence[NetworkLike]) -> list[str]:
        """Name networks by ids; those that are not stored yet are."""
        return [str(of.network(self.store_network(one) if isinstance(one, Network) else one)) for one in networks]

    def attributions(
        self,
        kernel: KernelSource | Regressor,
        x_train: Points | None = None,
        y_train: npt.ArrayLike | None = None,
        x_test: Points | None = None,
        *,
        labels: Any = None,
        ridge: float | Mapping[str, Any] = 0.0,
        kind: Literal["leave_one_out", "weights", "group", "self"] = "leave_one_out",
        groups: Mapping[str, Sequence[int]] | None = None,
        top: int | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Attribution:
        """Return what each training point of a kernel regression does to predictions, exactly and without refits.

        Parameters
        ----------
        kernel, x_train, y_train, labels, ridge, timeout
            See `predict`; or a `Regressor` in place of a kernel and a training set.
        x_test
            Points to predict at; None for the kind "self".
        kind
            "leave_one_out": what predictions lose without each training point. "group": without the points of each group. "weights": what
            the target of each training point contributes. "self": what is said of the training points alone.
        groups
            Lists of training points by name, counted from 0.
        top
            So many training points with the largest influence at each test point; all if absent.
        **options
            ``ridge_scale``, ``on_singular``, ``pattern_train``, ``pattern_test``, and ``test_train`` for a regressor of matrices.
        """
        fields: dict[str, Any] = {
            "x_test": of.points(x_test),
            "kind": kind,
            "groups": None if groups is None else {name: [int(point) for point in points] for name, points in groups.items()},
            "top": top,
            **options,
            "pattern_test": of.pattern(options.get("pattern_test")),
        }
        if isinstance(kernel, Regressor):
            fields["regressor"] = kernel.id
        else:
            fields |= {
                "kernel": of.source(kernel),
                "x_train": of.points(x_train),
                "y_train": of.points(y_train),
                "labels": of.labels(labels),
                "ridge": ridge,
                "pattern_train": of.pattern(options.get("pattern_train")),
            }
        return self._compute("/v1/attributions", fields, Attribution.read, timeout)

    def classifier_attributions(
        self,
        networks: Sequence[NetworkLike],
        x_train: Points,
        labels: npt.ArrayLike,
        x_test: Points,
        *,
        labels_test: npt.ArrayLike | None = None,
        kind: Literal["trak", "gauss_newton"] = "trak",
        ridge: float = 0.0,
        top: int | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Attribution:
        """Return which training points speak for a classifier's predictions, from the exact tangent kernels at its checkpoints.

        Parameters
        ----------
        networks
            Checkpoints, over which results are averaged. Those that are not stored are stored first.
        x_train, labels
            What they were trained on; labels are places of outputs.
        x_test, labels_test
            Points, and the classes asked about; those that are predicted if absent.
        kind
            "trak": TRAK without its random projection. "gauss_newton": influence functions with the full generalized Gauss–Newton matrix.
        ridge
            λ of TRAK; what is added to the Gauss–Newton matrix.
        top, timeout
            See `attributions`.
        include, exclude
            Names of the parameters whose gradients are taken; a star stands for any characters.
        """
        fields = {
            "networks": self._ids(networks),
            "x_train": of.points(x_train),
            "labels": of.labels(labels),
            "x_test": of.points(x_test),
            "labels_test": of.labels(labels_test),
            "kind": kind,
            "ridge": ridge,
            "top": top,
            "include": of.listed(include),
            "exclude": of.listed(exclude),
        }
        return self._compute("/v1/attributions", fields, Attribution.read, timeout)

    def posterior(
        self,
        network: NetworkLike,
        x_train: Points,
        y_train: npt.ArrayLike | None = None,
        x_test: Points | None = None,
        *,
        labels: npt.ArrayLike | None = None,
        noise: float | None = None,
        prior_precision: float | None = None,
        link: Literal["probit", "samples"] = "probit",
        samples: int | None = None,
        seed: int | None = None,
        labels_test: npt.ArrayLike | None = None,
        y_test: npt.ArrayLike | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Posterior:
        """Return how sure a trained network is: the Laplace approximation with the full generalized Gauss–Newton matrix, exactly.

        Parameters
        ----------
        network
            At its trained weights.
        x_train
            What it was trained on.
        y_train, noise
            In regression the targets [n, k] and the variance of their noise.
        labels
            In classification the class of each point, as the place of an output.
        x_test, labels_test, y_test
            Points to predict at; with their classes or targets, figures of calibration.
        prior_precision
            δ, where the prior of each weight is N(0, 1/δ); None for the one of the largest marginal likelihood.
        link
            How probabilities come from logits that are normally distributed.
        samples, seed
            Of the link "samples".
        include, exclude
            Names of the parameters that are uncertain, such as those of the last layer; a star stands for any characters.
        timeout
            Seconds after which to give up.
        **options
            ``pattern_train``, ``pattern_test`` and ``output``.
        """
        fields = {
            "network": of.network(network),
            "x_train": of.points(x_train),
            "y_train": of.points(y_train),
            "labels": of.labels(labels),
            "noise": noise,
            "prior_precision": prior_precision,
            "x_test": of.points(x_test),
            "labels_test": of.labels(labels_test),
            "y_test": of.points(y_test),
            "link": link,
            "samples": samples,
            "seed": seed,
            "include": of.listed(include),
            "exclude": of.listed(exclude),
            **{name: of.pattern(value) if name.startswith("pattern") else value for name, value in options.items()},
        }
        return self._compute("/v1/posteriors", fields, Posterior.read, timeout)

    def evolution(
        self,
        networks: Sequence[NetworkLike],
        x: Points,
        y: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        outputs: Literal["mean", "sum", "full"] = "mean",
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Evolution:
        """Return how the tangent kernel moves over the checkpoints of a training.

        Parameters
        ----------
        networks
            In the order of the training. Those that are not stored are stored first.
        x
            Points of the kernel.
        y, labels
            Targets or classes, for the alignment of the kernel with them.
        outputs
            "mean" or "sum": of each pair of points the trace over outputs. "full": of all outputs of all points.
        include, exclude
            Names of the parameters whose gradients are taken; a star stands for any characters.
        pattern
            For `aggregate`.
        timeout
            Seconds after which to give up.
        """
        fields = {
            "networks": self._ids(networks),
            "x": of.points(x),
            "y": of.points(y),
            "labels": of.labels(labels),
            "outputs": outputs,
            "include": of.listed(include),
            "exclude": of.listed(exclude),
            "pattern": of.pattern(pattern),
        }
        return self._compute("/v1/kernel-evolutions", fields, Evolution.read, timeout)
