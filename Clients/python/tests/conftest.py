"""A server for all tests, and servers that misbehave."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

# scikit-learn's checks skip one without it; SciPy reads it when it is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest

from ntk_client import Client

ROOT = pathlib.Path(__file__).resolve().parents[3]
os.environ.setdefault("NTK_SERVER", str(ROOT / ".build/release/ntk-server"))


@pytest.fixture(scope="session", autouse=True)
def client() -> Iterator[Client]:
    """A client of a server that all tests share, estimators without an address included."""
    with Client.local() as client:
        os.environ["NTK_ADDRESS"] = client.address
        yield client
        del os.environ["NTK_ADDRESS"]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers, the same in every run of a test."""
    return np.random.default_rng(list(request.node.name.encode()))
