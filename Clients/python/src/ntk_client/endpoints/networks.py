"""Finite networks: kept, evaluated, trained, and their kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy.typing as npt

from .. import _codec
from ..networks import Network
from ..results import EmpiricalKernels, Floats, Training, floats
from . import fields as of
from .fields import Kind, NetworkLike, Pattern, Points, Precision, StoredNetwork
from .requests import Requests


class NetworkMethods(Requests):
    """`store_network` and what it names, `outputs`, `empirical_kernels`, `gradient_features`, `train`."""

    def store_network(self, network: Network) -> StoredNetwork:
        """Keep a network at the server, to be named by its id from then on."""
        fields = network.fields()
        # A file is the whole body.
        body = fields.get("onnx", fields)
        return StoredNetwork(self._transport.ask("POST", "/v1/networks", fields=body, headers={"Accept": _codec.JSON})[2])

    def networks(self) -> Iterator[StoredNetwork]:
        """Yield the networks that the server keeps, in ascending order of their ids."""
        return (StoredNetwork(one) for one in self._pages("/v1/networks", "networks"))

    def network(self, id: str) -> StoredNetwork:  # noqa: A002
        """Return a network that the server keeps."""
        return StoredNetwork(self._transport.ask("GET", f"/v1/networks/{id}")[2])

    def delete_network(self, network: StoredNetwork | str) -> None:
        """Delete a network at the server."""
        self._transport.ask("DELETE", f"/v1/networks/{of.network(network)}")

    def outputs(
        self,
        network: NetworkLike,
        x: Points,
        *,
        precision: Precision = "float64",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Floats:
        """Return a network's outputs f(x), [n, outputs]."""
        fields = {"network": of.network(network), "x": of.points(x), "precision": precision, "pattern": of.pattern(pattern)}
        return self._compute(
            "/v1/network-outputs",
            fields,
            lambda answer: floats(answer["outputs"]).astype(precision, copy=False),
            timeout,
            only_array="outputs",
        )

    def empirical_kernels(
        self,
        network: NetworkLike,
        x1: Points,
        x2: Points | None = None,
        *,
        kinds: Sequence[Kind] = ("ntk",),
        outputs: Literal["mean", "sum", "diagonal", "full"] | Sequence[int] = "mean",
        layerwise: bool = False,
        include: Sequence[str] | None = None,
        precision: Precision = "float64",
        pattern1: Pattern = None,
        pattern2: Pattern = None,
        timeout: float | None = None,
    ) -> EmpiricalKernels:
        """Return the kernels of a finite network's weights, Θ(x, x') = ⟨∇f(x), ∇f(x')⟩.

        Parameters
        ----------
        network
            A `Network`, one that is stored, or its id.
        x1, x2
            Points in the network's data format; x1 alone if x2 is absent.
        kinds
            "ntk" or "nngp" or both.
        outputs
            "mean" or "sum": the trace over outputs, [n1, n2]. "diagonal": each with itself, [n1, n2, k]. "full": each with every one,
            [n1, n2, k, k]. A list: those with every one of them.
        layerwise
            Whether to return the share of each parameter, too.
        include
            The names of the parameters whose gradients count; a star stands for any characters.
        precision
            What is computed in, and the type of the result.
        pattern1, pattern2
            For `aggregate`.
        timeout
            Seconds after which to give up.
        """
        fields = {
            "network": of.network(network),
            "x1": of.points(x1),
            "x2": of.points(x2),
            "kinds": list(kinds),
            "outputs": outputs if isinstance(outputs, str) else list(outputs),
            "layerwise": layerwise,
            "include": of.listed(include),
            "precision": precision,
            "pattern1": of.pattern(pattern1),
            "pattern2": of.pattern(pattern2),
        }

        def read(answer: dict[str, Any]) -> EmpiricalKernels:
            shares = answer.get("layerwise")
            kernels = {kind: floats(answer[kind]).astype(precision, copy=False) for kind in ("ntk", "nngp") if kind in answer}
            if shares is not None:
                shares = {name: floats(share).astype(precision, copy=False) for name, share in shares.items()}
            return EmpiricalKernels(kernels.get("ntk"), kernels.get("nngp"), shares, answer.get("algorithms"))

        return self._compute("/v1/empirical-kernels", fields, read, timeout)

    def gradient_features(
        self,
        network: NetworkLike,
        x: Points,
        *,
        outputs: Sequence[int] | dict[str, Any] | None = None,
        dimension: int | None = None,
        seed: int = 0,
        projection: Literal["rademacher", "gaussian", "none"] = "rademacher",
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        precision: Precision = "float64",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Floats:
        """Return φ(x) = R ∇f(x)/√D with E⟨φ(x), φ(x')⟩ = Θ(x, x'), [n, D], or the gradients themselves, [n, parameters].

        Parameters
        ----------
        network, x, precision, timeout
            See `empirical_kernels`.
        outputs
            The number of each point whose gradient is taken: a list of one output, or a functional of its logits and its label, such as
            ``{"functional": "log_odds", "labels1": labels}``; None where the network has one output.
        dimension
            D, 2048 if None; not with "none".
        seed, projection
            Of the random matrix R: signs, Gaussian numbers, or none.
        include, exclude
            The names of the parameters whose gradients are taken, or are not; a star stands for any characters.
        pattern
            For `aggregate`.
        """
        fields = {
            "network": of.network(network),
            "x": of.points(x),
            "outputs": outputs if outputs is None or isinstance(outputs, dict) else list(outputs),
            "dimension": dimension,
            "seed": seed,
            "projection": projection,
            "include": of.listed(include),
            "exclude": of.listed(exclude),
            "precision": precision,
            "pattern": of.pattern(pattern),
        }
        return self._compute(
            "/v1/gradient-features",
            fields,
            lambda answer: floats(answer["features"]).astype(precision, copy=False),
            timeout,
            only_array="features",
        )

    def train(
        self,
        network: NetworkLike,
        x_train: Points,
        y_train: npt.ArrayLike | None,
        steps: Sequence[int],
        x_test: Points | None = None,
        *,
        y_test: npt.ArrayLike | None = None,
        labels: Any = None,
        learning_rate: float | None = None,
        momentum: float = 0.0,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Training:
        """Train a finite network by gradient descent beside what its kernel predicts, and see how lazy it is.

        Parameters
        ----------
        network, timeout
            See `empirical_kernels`.
        x_train, y_train, x_test, y_test, labels
            See `predict`.
        steps
            Numbers of steps to record, ascending.
        learning_rate, momentum
            Half of the largest that converges, and none, if absent.
        **options
            ``pattern_train`` and ``pattern_test``.
        include, exclude
            Of a network from a file the names of the parameters that are trained, or are not.
        """
        fields = {
            "network": of.network(network),
            "include": of.listed(include),
            "exclude": of.listed(exclude),
            "x_train": of.points(x_train),
            "y_train": of.points(y_train),
            "labels": of.labels(labels),
            "steps": [int(step) for step in steps],
            "x_test": of.points(x_test),
            "y_test": of.points(y_test),
            "learning_rate": learning_rate,
            "momentum": momentum,
            **{name: of.pattern(value) for name, value in options.items()},
        }
        return self._compute("/v1/trainings", fields, Training.read, timeout)
