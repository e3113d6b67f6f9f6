"""Modules of PyTorch, where it is installed: their outputs and kernels at the server beside PyTorch's own, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ntk_client import Client, Network

from .oracle import distance, outputs_of, tangent_kernel

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'ntk-client[torch]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'ntk-client[torch]'")
prune = pytest.importorskip("torch.nn.utils.prune")
nn, functional, parametrizations = torch.nn, torch.nn.functional, torch.nn.utils.parametrizations


class Tied(nn.Module):
    """A decoder that is the encoder transposed, a parameter of one number, and a block that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(5, 4)
        self.block = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.tensor(1.3))
        self.bias = nn.Parameter(torch.randn(5))

    def forward(self, x: Any) -> Any:
        h = torch.tanh(self.encoder(x))
        for _ in range(2):
            h = h + self.scale * torch.tanh(self.block(h))
        return functional.linear(h, self.encoder.weight.t(), self.bias)


class Linear(nn.Module):
    """Has a layer's name, and is another."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, features))
        self.bias = nn.Parameter(torch.randn(features))

    def forward(self, x: Any) -> Any:
        return torch.sin(x @ self.weight) + self.bias


class GELU(nn.Module):
    """Has an activation's name, and is another."""

    def forward(self, x: Any) -> Any:
        return x * x


class Sequential(nn.Sequential):
    """Has a container's name, and adds what its layers give."""

    def forward(self, x: Any) -> Any:
        return sum(layer(x) for layer in self)


class Frequencies(nn.Module):
    """A buffer of real numbers, persistent or not, which is no parameter."""

    def __init__(self, persistent: bool) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(5, 4), persistent=persistent)
        self.read_out = nn.Linear(8, 1)

    def forward(self, x: Any) -> Any:
        phase = x @ self.frequencies
        return self.read_out(torch.cat([phase.sin(), phase.cos()], -1))


def used_twice() -> nn.Module:
    activation = nn.ReLU()
    return nn.Sequential(nn.Linear(5, 6), activation, nn.Linear(6, 4), activation)


def linear_used_twice() -> nn.Module:
    layer = nn.Linear(5, 5)
    return nn.Sequential(layer, nn.Tanh(), layer)


def one_weight() -> nn.Module:
    module = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5))
    module[2].weight = module[0].weight
    return module


def shared_memory() -> nn.Module:
    """Two parameters in the same memory are two parameters."""
    module = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5))
    module[2].weight.data = module[0].weight.data
    return module


def equal_biases() -> nn.Module:
    module = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    for layer in module[::2]:
        nn.init.zeros_(layer.bias)
    return module


def frozen() -> nn.Module:
    module = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    module[0].requires_grad_(False)
    module[2].bias.requires_grad_(False)
    return module


def pruned() -> nn.Module:
    module = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    prune.l1_unstructured(module[0], "weight", 0.4)
    prune.random_unstructured(module[2], "bias", 0.5)
    return module


def old_spectral_norm() -> nn.Module:
    module = nn.Sequential(torch.nn.utils.spectral_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3))
    for _ in range(3):
        module(torch.randn(4, 5))
    return module


def old_weight_norm() -> nn.Module:
    module = nn.Sequential(torch.nn.utils.weight_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3))
    with torch.no_grad():
        module[0].weight_g.mul_(1.7)  # the plain weight is stale from here to the next evaluation
    return module


def hooks() -> nn.Module:
    module = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    module.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
    module[0].register_forward_hook(lambda _, inputs, output: output.abs())
    module.register_forward_hook(lambda _, inputs, output: output + 1)
    return module


def batch_norm() -> nn.Module:
    module = nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    for _ in range(3):
        module(torch.randn(8, 2, 6, 6))
    nn.init.uniform_(module[1].weight, 0.5, 2)
    return module


def padding(tied: bool) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        class Words(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.words = nn.Embedding(7, 4, padding_idx=2)
                self.plain = nn.Embedding(7, 4)

            def forward(self, i: Any) -> Any:
                h = torch.tanh(self.words(i) * self.plain(i)).mean(1)
                return h @ self.words.weight.t() if tied else h

        module = Words()
        nn.init.normal_(module.words.weight)
        return module

    return make


RIGHT: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...] | Any]] = {
    "an activation used twice": (used_twice, (5,)),
    "a layer used twice": (linear_used_twice, (5,)),
    "two layers with one weight": (one_weight, (5,)),
    "two parameters in the same memory": (shared_memory, (5,)),
    "equal biases": (equal_biases, (5,)),
    "frozen parameters": (frozen, (5,)),
    "pruned": (pruned, (5,)),
    "spectral norm, old": (old_spectral_norm, (5,)),
    "spectral norm": (lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3)), (5,)),
    "weight norm, old": (old_weight_norm, (5,)),
    "weight norm": (lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3)), (5,)),
    "hooks": (hooks, (5,)),
    "own classes": (lambda: Sequential(nn.Sequential(Linear(5), GELU()), Linear(5), GELU()), (5,)),
    "tied, transposed, one number": (Tied, (5,)),
    "a buffer": (lambda: Frequencies(True), (5,)),
    "a buffer that is not saved": (lambda: Frequencies(False), (5,)),
    "batch normalization": (batch_norm, (2, 6, 6)),
    "one output": (lambda: nn.Sequential(nn.Linear(5, 6), nn.PReLU(), nn.Linear(6, 1)), (5,)),
    "a layer": (lambda: nn.Linear(5, 2), (5,)),
    "layer norm over sequences": (
        lambda: nn.Sequential(nn.LayerNorm([3, 5]), nn.Linear(5, 4), nn.LayerNorm(4), nn.GELU(), nn.Flatten()), (3, 5)),
    "a stem": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU6(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 2, groups=2),
                              nn.Hardtanh(), nn.Flatten()), (2, 7, 7)),
    "a decoder": (
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 3, 1), nn.ConvTranspose2d(3, 2, 2, 2), nn.CELU(), nn.Flatten()),
        (2, 4, 4)),
    "padding index": (padding(False), "words"),
    "padding index, tied": (padding(True), "words"),
}  # fmt: skip


def points(shape: Any) -> Any:
    return torch.randint(0, 7, (3, 5)) if shape == "words" else torch.randn(3, *shape, dtype=torch.float64)


@pytest.mark.parametrize("name", RIGHT)
def test_outputs_and_kernels(client: Client, name: str) -> None:
    torch.manual_seed(0)
    make, shape = RIGHT[name]
    module = make().double().eval()
    example, x = points(shape), points(shape)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    network = Network.from_torch(module, example, client=client)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert distance(client.outputs(network, x.numpy()).reshape(3, -1), outputs_of(module(x)).detach()) < 1e-9
    answer = client.empirical_kernels(network, x.numpy(), outputs="full", layerwise=True)
    assert answer.layerwise is not None
    assert set(answer.layerwise) == {key for key, one in module.named_parameters() if one.requires_grad}
    for key, share in answer.layerwise.items():
        assert np.abs(share - tangent_kernel(module, x, names=[key])).max() < 1e-8 * np.abs(tangent_kernel(module, x)).max(), key
    assert distance(client.empirical_kernels(network, x.numpy(), outputs="full").ntk, tangent_kernel(module, x)) < 1e-8


def test_include_and_exclude(client: Client) -> None:
    module = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    x = points((5,))
    network = Network.from_torch(module, x, include=["0.*", "2.bias"], exclude=["0.bias"], client=client)
    assert (
        distance(client.empirical_kernels(network, x.numpy(), outputs="full").ntk, tangent_kernel(module, x, names=["0.weight", "2.bias"]))
        < 1e-8
    )
    with pytest.raises(ValueError, match=r"none is like '1\.\*'.*0\.weight"):
        Network.from_torch(module, x, include=["1.*"], client=client)


def test_single_and_half_precision(client: Client) -> None:
    torch.manual_seed(0)
    for dtype, accuracy in ((torch.float32, 1e-6), (torch.bfloat16, 1e-6)):
        module = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 1)).to(dtype)
        x = torch.randn(2, 3).to(dtype).double()
        network = Network.from_torch(module, x, client=client)
        assert module[0].weight.dtype == dtype
        module.double()
        assert distance(client.outputs(network, x.numpy()), module(x).detach()) < accuracy
        assert distance(client.empirical_kernels(network, x.numpy(), outputs="full").ntk, tangent_kernel(module, x)) < accuracy


def test_several_inputs_and_outputs(client: Client) -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(9, 4)
            self.weight = nn.Linear(4, 3)

        def forward(self, words: Any, weight: Any, *, mask: Any = None) -> dict[str, Any]:
            h = (self.words(words) * (1 if mask is None else mask[..., None])).sum(1) * weight
            return {"hidden": h, "logits": (self.weight(torch.tanh(h)), h)}

    torch.manual_seed(0)
    module = Heads().double()
    words, weight, mask = torch.randint(0, 9, (3, 5)), torch.randn(3, 4).double(), torch.randint(0, 2, (3, 5))
    network = Network.from_torch(module, {"words": words, "mask": mask, "weight": weight}, client=client)
    x = {"words": words.numpy(), "weight": weight.numpy(), "mask": mask.numpy()}
    assert distance(client.outputs(network, x), module(words, weight, mask=mask)["hidden"].detach()) < 1e-9
    network = Network.from_torch(module, (words, weight), output="logits", client=client)
    # Only the inputs that the output depends on are the network's.
    del x["mask"]
    assert distance(client.outputs(network, x), module(words, weight)["logits"][0].detach()) < 1e-9


def test_where_it_is_called(client: Client) -> None:
    """Neither a context without gradients nor the module's mode comes into the network, and the mode stays."""
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double().train()
    x = torch.randn(2, 3).double()
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            network = Network.from_torch(module, x, client=client)
        assert module[0].training
        assert distance(client.empirical_kernels(network, x.numpy(), outputs="full").ntk, tangent_kernel(module, x)) < 1e-8
    old = old_weight_norm().double()
    Network.from_torch(old, torch.randn(2, 5), client=client)
    assert type(old[0].weight) is torch.Tensor
    assert old[0].weight.requires_grad


def test_stored(client: Client) -> None:
    """What counts is kept with the network."""
    module = frozen().double()
    x = points((5,))
    stored = client.store_network(Network.from_torch(module, x, client=client))
    assert distance(client.empirical_kernels(stored.id, x.numpy(), outputs="full").ntk, tangent_kernel(module, x)) < 1e-8
    client.delete_network(stored)
