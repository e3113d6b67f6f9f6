"""The families of networks that are used, each small: outputs and full kernels at the server beside PyTorch's."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
import pytest

from ntk_client import Client, Network

from .oracle import distance, outputs_of, tangent_kernel

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'ntk-client[torch]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'ntk-client[torch]'")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "pytorch"))
families: Any = pytest.importorskip("families")


@pytest.mark.parametrize("name", families.FAMILIES)
def test_family(client: Client, name: str) -> None:
    torch.manual_seed(0)
    module = families.network(name, 0).double()
    example, x = (families.FAMILIES[name].points(3, 0) for _ in range(2))
    network = Network.from_torch(module, example, client=client)
    tensors = [one.double() if one.is_floating_point() else one for one in (x.values() if isinstance(x, dict) else [x])]
    points = {key: one.numpy() for key, one in x.items()} if isinstance(x, dict) else tensors[0].numpy()
    assert distance(client.outputs(network, points).reshape(3, -1), outputs_of(module(*tensors)).detach()) < 1e-8
    kernel = client.empirical_kernels(network, points, outputs="full").ntk
    assert kernel is not None
    assert np.isfinite(kernel).all()
    assert distance(kernel, tangent_kernel(module, *tensors)) < 1e-7
