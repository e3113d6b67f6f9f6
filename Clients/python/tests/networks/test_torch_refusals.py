"""Modules whose kernel no file has: each is an error that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ntk_client import Client, ExportError, MismatchError, Network

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'ntk-client[torch]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'ntk-client[torch]'")
nn = torch.nn


def function(forward: Callable[[Any, Any], Any], features: int = 3) -> Callable[[], nn.Module]:
    """A module with one layer, and a function of that layer and its input."""

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(features, features)

        def forward(self, x: Any) -> Any:
            return forward(self.layer, x)

    return lambda: Module().eval()


class StraightThrough(torch.autograd.Function):
    """A step whose derivative is said to be 1."""

    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x.round()

    @staticmethod
    def backward(context: Any, gradient: Any) -> Any:
        return gradient


def with_gradient_hook() -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    module[1].register_full_backward_hook(lambda _, inputs, outputs: tuple(2 * one for one in inputs))
    return module.eval()


def training(layer: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(3, 8), layer, nn.Linear(8, 2)).train()


REFUSED: dict[str, tuple[Callable[[], nn.Module], type[ValueError], str]] = {
    "detach": (function(lambda layer, x: layer(torch.tanh(layer(x).detach()))), MismatchError, "layer.weight .*detach"),
    "no_grad": (function(lambda layer, x: layer(x) * torch.no_grad()(layer)(x)), MismatchError, "layer.weight"),
    "a backward pass of its own": (function(lambda layer, x: StraightThrough.apply(layer(x))), ExportError, "layer.weight"),
    "a hook on gradients": (with_gradient_hook, MismatchError, "0.weight.*hooks on gradients"),
    "dropout in training mode": (training(nn.Dropout(0.5)), ExportError, r"training mode.*module.eval\(\)"),
    "batch normalization in training mode": (training(nn.BatchNorm1d(8)), ExportError, r"do not depend on the others|training mode"),
    "the batch's mean": (function(lambda layer, x: layer(x - x.mean(0))), ExportError, "do not depend on the others"),
    "no samples": (function(lambda layer, x: layer(x).sum()), ExportError, "samples along the first axis of the output"),
    "randomness": (function(lambda layer, x: layer(x + torch.rand_like(x))), ExportError, "random"),
    "integers": (function(lambda layer, x: layer(x).argmax(-1)), ExportError, "real numbers"),
    "infinity": (function(lambda layer, x: layer(x) / 0), ExportError, "finite"),
    "an operator that no exporter has": (
        function(lambda layer, x: torch.linalg.matrix_exp(layer.weight) @ x[..., None]), ExportError, "no way of exporting"),
    "nothing of the input": (function(lambda layer, x: layer(torch.zeros_like(x))), ValueError, "depends? on the inputs"),
    "scaling by frequency": (
        lambda: nn.Sequential(nn.Embedding(5, 3, scale_grad_by_freq=True)), ExportError, "scale_grad_by_freq"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_function_of_a_point(client: Client, name: str) -> None:
    torch.manual_seed(0)
    make, kind, says = REFUSED[name]
    module = make()
    example = torch.randint(0, 5, (4, 2)) if name == "scaling by frequency" else torch.randn(4, 3)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    modes = [one.training for one in module.modules()]
    with pytest.raises(kind, match=says):
        Network.from_torch(module, example, client=client)
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
    assert [one.training for one in module.modules()] == modes


def test_one_sample_of_an_example_is_enough_to_see_samples_mixed(client: Client) -> None:
    with pytest.raises(ExportError, match="do not depend on the others"):
        Network.from_torch(function(lambda layer, x: layer(x - x.mean(0)))(), torch.randn(1, 3), client=client)


@pytest.mark.parametrize("example", [(), torch.tensor(1.0), (torch.zeros(2, 3), torch.zeros(3, 3)), torch.zeros(0, 3)])
def test_examples(client: Client, example: Any) -> None:
    with pytest.raises(ExportError, match=r"example of the inputs|samples along the first axis of each input"):
        Network.from_torch(nn.Linear(3, 3), example, client=client)


def test_outputs_that_are_not_there(client: Client) -> None:
    for module in (nn.Linear(3, 3), function(lambda layer, x: {"y": layer(x)})()):
        with pytest.raises(ExportError, match="'logits'"):
            Network.from_torch(module, torch.randn(2, 3), output="logits", client=client)


class Another:
    """A server that computes another thing."""

    def __init__(self, client: Client, *, outputs: float = 1.0, kernel: float = 1.0, more: bool = False) -> None:
        self._client, self._outputs, self._kernel, self._more = client, outputs, kernel, more

    def outputs(self, network: Any, x: Any, /) -> Any:
        return self._outputs * self._client.outputs(network, x)

    def empirical_kernels(self, network: Any, x1: Any, /, *, outputs: Any, layerwise: bool) -> Any:
        answer = self._client.empirical_kernels(network, x1, outputs=outputs, layerwise=layerwise)
        for name in answer.layerwise:
            answer.layerwise[name] = answer.layerwise[name] * self._kernel
        if self._more:
            answer.layerwise["buffer"] = answer.layerwise["weight"]
        return answer


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"outputs": 1.001}, "output . of point . .* 6 of 6 outputs differ"),
        ({"outputs": float("nan")}, "nan at the server"),
        ({"kernel": 1.001}, r"derivatives do not: .*bias \(1\.0e-03\)|weight \(1\.0e-03\)"),
        ({"more": True}, "does not: buffer"),
    ],
)
def test_a_server_that_computes_something_else(client: Client, wrong: Any, says: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(MismatchError, match=says):
        Network.from_torch(nn.Linear(3, 2), torch.randn(3, 3), client=Another(client, **wrong))
