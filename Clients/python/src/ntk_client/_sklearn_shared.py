"""What estimators and kernels for scikit-learn share: the client of an address, and architectures by their parameters."""

from __future__ import annotations

from . import architectures
from .architectures import Architecture, Layer
from .client import Client

_clients: dict[tuple[str | None, str | None], Client] = {}


def client_of(address: str | None, api_key: str | None) -> Client:
    """Return the client of an address that this process shares; a local server that has ended is replaced."""
    from .server import shared_address

    resolved = address or shared_address()
    key = (resolved, api_key)
    if key not in _clients:
        _clients[key] = Client(resolved, api_key=api_key)
    return _clients[key]


def architecture_of(template: Layer | None, depth: int, activation: str | Layer, w_std: float | None, b_std: float | None) -> Architecture:
    """Return the architecture of an estimator's parameters: `template`, or a network of `depth` hidden layers where that is None."""
    if template is None:
        return architectures.mlp(depth, activation, w_std=w_std, b_std=b_std)
    return architectures.with_defaults(template, w_std=w_std, b_std=b_std)
