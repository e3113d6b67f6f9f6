"""Networks of PyTorch, where it is installed: their outputs and kernels beside torch.func."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntk_client import Client, Network, UnsupportedLayerError

torch = pytest.importorskip("torch")
nn = torch.nn

VECTORS = {
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(5, 7), nn.Tanh()), nn.Linear(7, 3)),
    "activations": lambda: nn.Sequential(
        nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 6), nn.GELU(), nn.Linear(6, 6), nn.GELU("tanh"), nn.Linear(6, 6), nn.SiLU(),
        nn.Linear(6, 6), nn.ELU(0.7), nn.Linear(6, 6), nn.SELU(), nn.Linear(6, 6), nn.Mish(), nn.Linear(6, 6), nn.Softplus(),
        nn.Linear(6, 6), nn.Sigmoid(), nn.Linear(6, 6), nn.LeakyReLU(0.2), nn.Identity(), nn.Dropout(0.5), nn.Linear(6, 2, bias=False)),
    "layer norm": lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 2)),
    "a layer": lambda: nn.Linear(5, 2),
}  # fmt: skip
IMAGES = {
    "same": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding="same"), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 5, 3, padding=1), nn.Tanh(), nn.Flatten(),
        nn.Linear(5 * 9, 3)),
    "strides": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
    "circular": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), nn.GELU(), nn.AvgPool2d((2, 3), stride=(1, 2)), nn.Flatten(),
        nn.Linear(3 * 5 * 2, 2)),
}  # fmt: skip


def jacobian_kernel(module: Any, x: Any) -> np.ndarray:
    from torch.func import functional_call, jacrev, vmap

    parameters = {name: value.detach() for name, value in module.named_parameters()}
    jacobian = vmap(jacrev(lambda p, one: functional_call(module, p, (one[None],))[0]), (None, 0))(parameters, x)
    flat = torch.cat([value.reshape(*value.shape[:2], -1) for value in jacobian.values()], -1)
    return np.asarray(torch.einsum("iap,jbp->ijab", flat, flat))


@pytest.mark.parametrize(("name", "shape"), [*((n, (5,)) for n in VECTORS), *((n, (2, 6, 6)) for n in IMAGES)])
def test_outputs_and_kernels(client: Client, name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module = (VECTORS | IMAGES)[name]().double().eval()
    x = torch.randn(4, *shape, dtype=torch.float64)
    network = Network.from_torch(module, input_shape=shape)
    np.testing.assert_allclose(client.outputs(network, x.numpy()), module(x).detach().numpy(), rtol=1e-8, atol=1e-9)
    expected = jacobian_kernel(module, x)
    kernel = client.empirical_kernels(network, x.numpy(), outputs="full").ntk
    np.testing.assert_allclose(kernel, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "layer 1: BatchNorm1d has no counterpart.*fold"),
        (lambda: nn.Sequential(nn.Sequential(nn.MaxPool2d(2))), "layer 0.0: MaxPool2d.*AvgPool2d"),
        (lambda: nn.Sequential(nn.Conv2d(2, 2, 3, dilation=2)), "dilation=1"),
        (lambda: nn.Sequential(nn.Conv2d(2, 2, 3, groups=2)), "groups=1"),
        (lambda: nn.Sequential(nn.Conv2d(2, 2, 3, stride=2, padding=1)), "kernel_size // 2"),
        (lambda: nn.Sequential(nn.Dropout(0.5)), r"module.eval\(\)"),
        (lambda: nn.Sequential(nn.Conv2d(2, 2, 3), nn.Linear(2, 2)), "Flatten"),
        (lambda: nn.Transformer(8, 1, 1, 1, 8), "Transformer"),
    ],
)
def test_what_has_no_counterpart(make: Any, says: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=says):
        Network.from_torch(make())


def test_half_precision_and_devices(client: Client) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).to(torch.bfloat16)
    network = Network.from_torch(module)
    x = torch.randn(2, 3)
    expected = module.double()(x.double()).detach().numpy()
    np.testing.assert_allclose(client.outputs(network, x.numpy().astype("f8")), expected, rtol=1e-6, atol=1e-7)
