"""The server's endpoints as methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from . import _codec
from ._transport import Transport
from .architectures import Layer
from .errors import Estimate
from .jobs import Job
from .networks import DataFormat, Network
from .results import (
    Convergence,
    Diagnostics,
    Dynamics,
    EmpiricalKernels,
    Floats,
    Kernels,
    Prediction,
    Spectrum,
    Training,
    floats,
)
from .server import LocalServer, shared_address

Kind: TypeAlias = Literal["ntk", "nngp"]
Precision: TypeAlias = Literal["float64", "float32"]
Covariance: TypeAlias = Literal["none", "diagonal", "full"]
NetworkLike: TypeAlias = "Network | StoredNetwork | str"
Pattern: TypeAlias = "npt.ArrayLike | Mapping[str, npt.ArrayLike] | None"
Result = TypeVar("Result")


class StoredNetwork:
    """A network that the server keeps.

    Attributes
    ----------
    id : str
        ``net_`` and the SHA-256 of the network.
    description : dict
        What the server says of it, with the shape of each parameter.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.id = str(description["id"])
        self.description = dict(description)

    def __repr__(self) -> str:
        return f"StoredNetwork({self.id!r})"


class Regressor:
    """A fit that the server keeps.

    Attributes
    ----------
    id : str
        The SHA-256 of what was fitted.
    description : dict
        What the server says of it.
    """

    def __init__(self, client: Client, description: Mapping[str, Any]) -> None:
        self._client = client
        self.id = str(description["id"])
        self.description = dict(description)

    @property
    def diagnostics(self) -> Diagnostics:
        """What the fit says of itself: ridge, rank, leave-one-out error and more."""
        return dict(self.description["diagnostics"])

    def predict(
        self,
        x: npt.ArrayLike,
        *,
        covariance: Covariance = "none",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Prediction:
        """Predict at points [m, …]; see `Client.predict`."""
        fields = {"x": _points(x), "covariance": covariance, "pattern": _pattern(pattern)}
        return self._client._compute(f"/v1/regressors/{self.id}/predictions", fields, Prediction.read, timeout)

    def delete(self) -> None:
        """Delete it at the server."""
        self._client._transport.ask("DELETE", f"/v1/regressors/{self.id}")

    def __repr__(self) -> str:
        return f"Regressor({self.id!r})"


def kernel_of(architecture: Layer, kind: Kind = "ntk", *, data_format: DataFormat = "channels_last") -> dict[str, Any]:
    """Return the kernel source of an infinitely wide network, for predictions, dynamics and spectra."""
    return {"architecture": architecture, "kind": kind, "data_format": data_format}


def kernel_matrices(
    train_train: npt.ArrayLike, test_train: npt.ArrayLike | None = None, test_test: npt.ArrayLike | None = None
) -> dict[str, Any]:
    """Return a kernel source of matrices: K [n, n], k(x, x_train) [m, n], and k(x, x') [m, m] or its diagonal [m]."""
    given = {"train_train": train_train, "test_train": test_train, "test_test": test_test}
    return {"matrices": {name: _codec.as_array(value) for name, value in given.items() if value is not None}}


KernelSource: TypeAlias = "Mapping[str, Any] | NetworkLike"
"""An architecture, a kernel source from `kernel_of` or `kernel_matrices`, or a network (its empirical NTK)."""


def _points(x: npt.ArrayLike | None) -> npt.NDArray[Any] | None:
    return None if x is None else _codec.as_array(x)


def _pattern(pattern: Pattern) -> Any:
    if isinstance(pattern, Mapping):
        return {name: _codec.as_array(value) for name, value in pattern.items()}
    return _points(pattern)


def _network(network: NetworkLike) -> Any:
    if isinstance(network, Network):
        return network.fields()
    return network.id if isinstance(network, StoredNetwork) else network


def _source(kernel: KernelSource) -> dict[str, Any]:
    if isinstance(kernel, Network | StoredNetwork | str):
        return {"network": _network(kernel)}
    return {"architecture": kernel} if "type" in kernel else dict(kernel)


def _labels(labels: Any) -> list[Any] | None:
    return None if labels is None else np.asarray(labels).tolist()


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


class Client:
    """A server's client. Safe to share between threads, and picklable.

    Parameters
    ----------
    address
        Such as ``http://127.0.0.1:8080``; if absent, what NTK_ADDRESS says, or a local server that this process shares.
    api_key
        Sent as ``Authorization: Bearer``; if absent, what NTK_API_KEY says.
    timeout
        Seconds after which a request is given up, here and at the server, if a method does not say otherwise; None for no limit.
    retries
        How often a request is sent again when the connection fails, or the server has no capacity.
    progress
        Whether computations run as jobs, with a bar that shows how far they are.
    connections
        Connections that are kept open at the most.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float | None = None,
        retries: int = 5,
        progress: bool = False,
        connections: int = 8,
    ) -> None:
        self._transport = Transport(
            address or shared_address(),
            api_key=api_key or os.environ.get("NTK_API_KEY"),
            retries=retries,
            connections=connections,
        )
        self.timeout = timeout
        self.progress = progress
        self._server: LocalServer | None = None

    @classmethod
    def local(
        cls,
        binary: str | os.PathLike[str] | None = None,
        *,
        data_dir: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
        **settings: Any,
    ) -> Self:
        """Start a server and return its client; the server ends with the client. See `LocalServer` and `Client`."""
        server = LocalServer(binary, data_dir=data_dir, arguments=arguments)
        client = cls(server.address, **settings)
        client._server = server
        return client

    @property
    def address(self) -> str:
        """The server's address."""
        return self._transport.address

    def close(self) -> None:
        """Close the connections, and end the server if this client started it."""
        self._transport.close()
        if self._server is not None:
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_server": None}

    def __repr__(self) -> str:
        return f"Client({self.address!r})"

    # Requests

    def _compute(
        self,
        path: str,
        fields: Mapping[str, Any],
        read: Callable[[dict[str, Any]], Result],
        timeout: float | None = None,
        *,
        only_array: str | None = None,
    ) -> Result:
        if self.progress:
            begun = self._begin(path, fields, read, only_array)
            return begun.wait(progress=True, label=path.removeprefix("/v1/")) if isinstance(begun, Job) else begun
        limit = self.timeout if timeout is None else timeout
        answer = self._transport.ask("POST", path, fields=_given(fields), timeout=limit, only_array=only_array)[2]
        return read(answer)

    def _begin(
        self, path: str, fields: Mapping[str, Any], read: Callable[[dict[str, Any]], Result], only_array: str | None
    ) -> Job[Result] | Result:
        status, headers, answer = self._transport.ask(
            "POST", path, fields=_given(fields), headers={"Prefer": "respond-async"}, only_array=only_array
        )
        if status != 202:
            return read(answer)  # a server need not honour a preference
        return Job(self._transport, headers["Location"].rpartition("/")[2], read, only_array=only_array)

    def submit(self, path: str, **fields: Any) -> Job[dict[str, Any]]:
        """Begin a computation as a job, and return at once.

        Parameters
        ----------
        path
            The endpoint, such as ``"kernels"`` or ``"spectra"``.
        **fields
            The request's fields, as the server's openapi.yaml has them; numpy arrays travel as ``.npy``.

        Returns
        -------
        Job
            Its result is the answer's fields.
        """
        begun = self._begin(f"/v1/{path}", fields, lambda answer: answer, None)
        if not isinstance(begun, Job):
            raise RuntimeError("the server answered at once, it knows no jobs")
        return begun

    def job(self, id: str) -> Job[dict[str, Any]]:  # noqa: A002
        """Return a job by its id."""
        return Job(self._transport, id, lambda answer: answer)

    def jobs(self) -> list[dict[str, Any]]:
        """Return the state of each job that the server knows."""
        return list(self._pages("/v1/jobs", "jobs"))

    def estimate(self, path: str, **fields: Any) -> Estimate:
        """Return what a request would cost, and compute nothing.

        Parameters
        ----------
        path
            The endpoint, such as ``"kernels"``.
        **fields
            The request's fields, as the server's openapi.yaml has them; numpy arrays travel as ``.npy``.
        """
        answer = self._transport.ask("POST", f"/v1/{path}", fields=_given(fields), query={"estimate_only": "true"})[2]
        return Estimate(**answer["estimate"])

    def version(self) -> dict[str, Any]:
        """Return the server's version."""
        return self._transport.ask("GET", "/version")[2]

    def _pages(self, path: str, member: str) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            query = {"limit": "100"} | ({"after": after} if after else {})
            page = self._transport.ask("GET", path, query=query, headers={"Accept": _codec.JSON})[2]
            yield from page[member]
            after = page.get("next")
            if after is None:
                return

    # Kernels

    def kernel(
        self,
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
        *,
        kind: Kind = "ntk",
        precision: Precision = "float64",
        diagonal: bool = False,
        data_format: DataFormat = "channels_last",
        pattern1: Pattern = None,
        pattern2: Pattern = None,
        timeout: float | None = None,
    ) -> Floats:
        """Return the kernel matrix of an infinitely wide network.

        Parameters
        ----------
        architecture
            See `ntk_client.architectures`.
        x1, x2
            Points, [n1, …] and [n2, …], channels last unless `data_format` says otherwise; x1 alone if x2 is absent. NaN is a masked entry.
        kind
            "ntk", the neural tangent kernel, or "nngp", the covariance of the outputs at initialization.
        precision
            What is computed in, and the type of the result.
        diagonal
            Whether to return k(x, x) for each x of x1 only.
        data_format
            Where the channels stand.
        pattern1, pattern2
            For `aggregate`, the adjacency of each point's graph, [n, V, V], or ``{"edges": [n, E, 2]}``.
        timeout
            Seconds after which to give up.

        Returns
        -------
        ndarray
            [n1, n2], symmetric bit for bit where x2 is absent; [n1] with `diagonal`.
        """
        fields = self._kernel_fields(architecture, x1, x2, [kind], precision, diagonal, data_format, pattern1, pattern2)
        dtype = np.dtype(precision)
        return self._compute(
            "/v1/kernels",
            fields,
            lambda answer: floats(answer[kind]).astype(dtype, copy=False),
            timeout,
            only_array=kind,
        )

    def kernels(
        self,
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
        *,
        kinds: Sequence[Kind] = ("ntk", "nngp"),
        precision: Precision = "float64",
        diagonal: bool = False,
        data_format: DataFormat = "channels_last",
        pattern1: Pattern = None,
        pattern2: Pattern = None,
        timeout: float | None = None,
    ) -> Kernels:
        """Return both kernels of an infinitely wide network, in one computation; see `kernel`."""
        fields = self._kernel_fields(architecture, x1, x2, list(kinds), precision, diagonal, data_format, pattern1, pattern2)

        def read(answer: dict[str, Any]) -> Kernels:
            found = {kind: floats(answer[kind]).astype(precision, copy=False) for kind in ("ntk", "nngp") if kind in answer}
            return Kernels(found.get("ntk"), found.get("nngp"))

        return self._compute("/v1/kernels", fields, read, timeout)

    @staticmethod
    def _kernel_fields(
        architecture: Layer,
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None,
        kinds: list[Kind],
        precision: Precision,
        diagonal: bool,
        data_format: DataFormat,
        pattern1: Pattern,
        pattern2: Pattern,
    ) -> dict[str, Any]:
        return {
            "architecture": architecture,
            "x1": _points(x1),
            "x2": _points(x2),
            "kinds": kinds,
            "precision": precision,
            "diagonal": diagonal,
            "data_format": data_format,
            "pattern1": _pattern(pattern1),
            "pattern2": _pattern(pattern2),
        }

    # Networks

    def store_network(self, network: Network) -> StoredNetwork:
        """Keep a network at the server, to be named by its id from then on."""
        return StoredNetwork(self._transport.ask("POST", "/v1/networks", fields=network.fields(), headers={"Accept": _codec.JSON})[2])

    def networks(self) -> Iterator[StoredNetwork]:
        """Yield the networks that the server keeps, in ascending order of their ids."""
        return (StoredNetwork(one) for one in self._pages("/v1/networks", "networks"))

    def network(self, id: str) -> StoredNetwork:  # noqa: A002
        """Return a network that the server keeps."""
        return StoredNetwork(self._transport.ask("GET", f"/v1/networks/{id}")[2])

    def delete_network(self, network: StoredNetwork | str) -> None:
        """Delete a network at the server."""
        self._transport.ask("DELETE", f"/v1/networks/{_network(network)}")

    def outputs(
        self,
        network: NetworkLike,
        x: npt.ArrayLike,
        *,
        precision: Precision = "float64",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Floats:
        """Return a network's outputs f(x), [n, outputs]."""
        fields = {"network": _network(network), "x": _points(x), "precision": precision, "pattern": _pattern(pattern)}
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
        x1: npt.ArrayLike,
        x2: npt.ArrayLike | None = None,
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
            "network": _network(network),
            "x1": _points(x1),
            "x2": _points(x2),
            "kinds": list(kinds),
            "outputs": outputs if isinstance(outputs, str) else list(outputs),
            "layerwise": layerwise,
            "include": None if include is None else list(include),
            "precision": precision,
            "pattern1": _pattern(pattern1),
            "pattern2": _pattern(pattern2),
        }

        def read(answer: dict[str, Any]) -> EmpiricalKernels:
            shares = answer.get("layerwise")
            kernels = {kind: floats(answer[kind]).astype(precision, copy=False) for kind in ("ntk", "nngp") if kind in answer}
            if shares is not None:
                shares = {name: floats(share).astype(precision, copy=False) for name, share in shares.items()}
            return EmpiricalKernels(kernels.get("ntk"), kernels.get("nngp"), shares, answer.get("algorithms"))

        return self._compute("/v1/empirical-kernels", fields, read, timeout)

    def convergence(
        self,
        architecture: Layer,
        x: npt.ArrayLike,
        widths: Sequence[int],
        *,
        samples: int = 8,
        seed: int = 0,
        precision: Precision = "float64",
        data_format: DataFormat = "channels_last",
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Convergence:
        """Return how far the kernels of finite networks of each width, drawn `samples` times, are from the infinite one."""
        fields = {
            "architecture": architecture,
            "x": _points(x),
            "widths": list(widths),
            "samples": samples,
            "seed": seed,
            "precision": precision,
            "data_format": data_format,
            "pattern": _pattern(pattern),
        }
        return self._compute("/v1/convergence", fields, Convergence.read, timeout)

    # Regression

    @staticmethod
    def _fit_fields(
        kernel: KernelSource,
        x_train: npt.ArrayLike | None,
        y_train: npt.ArrayLike | None,
        labels: Any,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        if (y_train is None) == (labels is None):
            raise ValueError("either y_train, for regression, or labels, for classification, expected")
        pattern = options.get("pattern_train")
        return {
            "kernel": _source(kernel),
            "x_train": _points(x_train),
            "y_train": _points(y_train),
            "labels": _labels(labels),
            **options,
            "pattern_train": _pattern(pattern),
        }

    def predict(
        self,
        kernel: KernelSource,
        x_train: npt.ArrayLike | None,
        y_train: npt.ArrayLike | None = None,
        x_test: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        ridge: float | Mapping[str, Any] = 0.0,
        ridge_scale: Literal["absolute", "relative"] = "absolute",
        posterior: Literal["gp", "ensemble"] = "gp",
        covariance: Covariance = "none",
        timeout: float | None = None,
        **options: Any,
    ) -> Prediction:
        """Predict by kernel ridge regression, which is what infinitely wide networks come to when they are trained to the end.

        Parameters
        ----------
        kernel
            An architecture (its NTK), what `kernel_of` or `kernel_matrices` returns, or a network (linearized at its weights).
        x_train, x_test
            Points, [n, …] and [m, …]; None where the kernel is given as matrices.
        y_train
            Targets, [n] or [n, k].
        labels
            Instead of targets: the class of each training point, strings or integers.
        ridge
            λ, added to the kernel's diagonal, or ``{"select": "leave_one_out" | "gcv" | "marginal_likelihood", "candidates": […]}``.
        ridge_scale
            "relative": times the mean of the kernel's diagonal.
        posterior
            Which distribution the covariance is of: a Gaussian process, or infinitely wide networks trained to convergence.
        covariance
            "diagonal" for the variance at each test point, "full" for the covariance among them.
        timeout
            Seconds after which to give up.
        **options
            ``on_singular``, ``diagnostics``, ``solver``, ``pattern_train``, ``pattern_test``, as the server's openapi.yaml has them.
        """
        options |= {"ridge": ridge, "ridge_scale": ridge_scale, "posterior": posterior}
        fields = self._fit_fields(kernel, x_train, y_train, labels, options)
        fields |= {
            "x_test": _points(x_test),
            "pattern_test": _pattern(options.get("pattern_test")),
            "covariance": covariance,
        }
        return self._compute("/v1/predictions", fields, Prediction.read, timeout)

    def fit(
        self,
        kernel: KernelSource,
        x_train: npt.ArrayLike | None,
        y_train: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        ridge: float | Mapping[str, Any] = 0.0,
        ridge_scale: Literal["absolute", "relative"] = "absolute",
        posterior: Literal["gp", "ensemble"] = "gp",
        timeout: float | None = None,
        **options: Any,
    ) -> Regressor:
        """Fit once and keep the fit at the server; the parameters are those of `predict`."""
        options |= {"ridge": ridge, "ridge_scale": ridge_scale, "posterior": posterior}
        fields = self._fit_fields(kernel, x_train, y_train, labels, options)
        return self._compute("/v1/regressors", fields, lambda answer: Regressor(self, answer), timeout)

    def regressors(self) -> Iterator[Regressor]:
        """Yield the fits that the server keeps, in ascending order of their ids."""
        return (Regressor(self, one) for one in self._pages("/v1/regressors", "regressors"))

    def regressor(self, id: str) -> Regressor:  # noqa: A002
        """Return a fit that the server keeps."""
        return Regressor(self, self._transport.ask("GET", f"/v1/regressors/{id}")[2])

    # Dynamics

    def dynamics(
        self,
        kernel: KernelSource,
        x_train: npt.ArrayLike | None,
        y_train: npt.ArrayLike | None,
        times: Sequence[float] | Floats,
        x_test: npt.ArrayLike | None = None,
        *,
        y_test: npt.ArrayLike | None = None,
        labels: Any = None,
        optimizer: Mapping[str, Any] | None = None,
        initial_outputs: Mapping[str, npt.ArrayLike] | None = None,
        covariance: Covariance = "none",
        target_loss: float | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Dynamics:
        """Return infinitely wide networks' outputs while they are trained, in closed form.

        Parameters
        ----------
        kernel, x_train, y_train, x_test, labels, covariance, timeout
            See `predict`.
        times
            Times of gradient flow, or numbers of steps.
        y_test
            For the test loss.
        optimizer
            Such as ``{"type": "heavy_ball", "learning_rate": 0.1, "momentum": 0.9}``; gradient flow if absent.
        initial_outputs
            The function before training, ``{"train": …, "test": …}``; 0 if absent.
        target_loss
            The result's `time_to_loss` is when the training loss is first at most this.
        **options
            ``pattern_train`` and ``pattern_test``.
        """
        fields = {
            "kernel": _source(kernel),
            "x_train": _points(x_train),
            "y_train": _points(y_train),
            "labels": _labels(labels),
            "times": [float(time) for time in times],
            "x_test": _points(x_test),
            "y_test": _points(y_test),
            "optimizer": optimizer,
            "initial_outputs": _pattern(initial_outputs),
            "covariance": covariance,
            "target_loss": target_loss,
            **{name: _pattern(value) for name, value in options.items()},
        }
        return self._compute("/v1/dynamics", fields, Dynamics.read, timeout)

    def spectrum(
        self,
        kernel: KernelSource,
        x: npt.ArrayLike | None,
        y: npt.ArrayLike | None = None,
        *,
        labels: Any = None,
        ridge: float = 0.0,
        noise: float = 0.0,
        learning_rate: float | None = None,
        sample_sizes: Sequence[float] | None = None,
        pattern: Pattern = None,
        timeout: float | None = None,
    ) -> Spectrum:
        """Return a kernel's modes at the points, and what they say of learning the targets.

        Parameters
        ----------
        kernel, labels, timeout
            See `predict`.
        x, y
            Points [n, …] and targets [n] or [n, k].
        ridge, noise
            Of the effective dimension and of eigenlearning.
        learning_rate
            Of the half-lives.
        sample_sizes
            Sizes of training sets to predict the test error for.
        pattern
            For `aggregate`.
        """
        fields = {
            "kernel": _source(kernel),
            "x": _points(x),
            "y": _points(y),
            "labels": _labels(labels),
            "ridge": ridge,
            "noise": noise,
            "learning_rate": learning_rate,
            "sample_sizes": None if sample_sizes is None else list(sample_sizes),
            "pattern": _pattern(pattern),
        }
        return self._compute("/v1/spectra", fields, Spectrum.read, timeout)

    def train(
        self,
        network: NetworkLike,
        x_train: npt.ArrayLike,
        y_train: npt.ArrayLike | None,
        steps: Sequence[int],
        x_test: npt.ArrayLike | None = None,
        *,
        y_test: npt.ArrayLike | None = None,
        labels: Any = None,
        learning_rate: float | None = None,
        momentum: float = 0.0,
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
        """
        fields = {
            "network": _network(network),
            "x_train": _points(x_train),
            "y_train": _points(y_train),
            "labels": _labels(labels),
            "steps": [int(step) for step in steps],
            "x_test": _points(x_test),
            "y_test": _points(y_test),
            "learning_rate": learning_rate,
            "momentum": momentum,
            **{name: _pattern(value) for name, value in options.items()},
        }
        return self._compute("/v1/trainings", fields, Training.read, timeout)
