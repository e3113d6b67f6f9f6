"""A server's client."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from ._transport import Transport
from .endpoints.attribution import AttributionMethods
from .endpoints.dynamics import DynamicsMethods
from .endpoints.fields import Kind, Precision, StoredNetwork, kernel_matrices, kernel_of
from .endpoints.jobs import JobMethods
from .endpoints.kernels import KernelMethods
from .endpoints.regression import RegressionMethods, Regressor
from .server import LocalServer, shared_address

__all__ = ["Client", "Kind", "Precision", "Regressor", "StoredNetwork", "kernel_matrices", "kernel_of"]


class Client(KernelMethods, AttributionMethods, RegressionMethods, DynamicsMethods, JobMethods):
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

    def version(self) -> dict[str, Any]:
        """Return the server's version."""
        return self._transport.ask("GET", "/version")[2]
