"""Trains an MLP and a small CNN on handwritten digits in PyTorch, sends their state_dict as .safetensors by curl, and compares the server's
outputs and empirical tangent kernels with torch.func in float64.

usage: empirical_ntk.py SERVER-ADDRESS [--save FOLDER]

Needs torch, safetensors, scikit-learn and curl. --save writes the trained networks and what torch.func says of them into FOLDER, where
the Swift tests read them (Tests/NTKServiceTests/Golden/pytorch).
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import nn
from torch.func import functional_call, jacrev, vmap

TOLERANCE = 1e-10


def mlp() -> tuple[nn.Module, dict]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, 10))
    layers = [{"type": "flatten"}, {"type": "dense", "width": 24}, {"type": "relu"}, {"type": "dense", "width": 16}, {"type": "tanh"},
              {"type": "dense", "width": 10}]
    return model, {"architecture": {"type": "serial", "layers": layers}, "data_format": "channels_first", "input_shape": [1, 8, 8]}


def cnn() -> tuple[nn.Module, dict]:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding="same"), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3, stride=1), nn.GELU(), nn.Flatten(),
        nn.LayerNorm(32), nn.Linear(32, 10))
    layers = [{"type": "conv", "width": 6, "filter_shape": [3, 3], "padding": "same"}, {"type": "relu"},
              {"type": "avg_pool", "window_shape": [2, 2], "strides": [2, 2]}, {"type": "conv", "width": 8, "filter_shape": [3, 3]},
              {"type": "gelu"}, {"type": "flatten"}, {"type": "layer_norm", "eps": 1e-5}, {"type": "dense", "width": 10}]
    return model, {"architecture": {"type": "serial", "layers": layers}, "data_format": "channels_first", "input_shape": [1, 8, 8]}


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return (model(x).argmax(1) == y).double().mean().item()


def kernel(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Θ_oo'(x, x') by the Jacobian: [n, n, outputs, outputs]."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    jacobian = vmap(jacrev(lambda p, one: functional_call(model, p, (one[None],))[0]), (None, 0))(parameters, x)
    flat = torch.cat([value.reshape(*value.shape[:2], -1) for value in jacobian.values()], -1)
    return torch.einsum("iap,jbp->ijab", flat, flat)


def curl(*arguments: str) -> dict:
    text = subprocess.run(["curl", "--silent", "--show-error", *arguments], check=True, capture_output=True, text=True).stdout
    answer = json.loads(text)
    if "status" in answer:
        raise SystemExit(f"{answer['status']}: {answer['detail']}")
    return answer


def difference(name: str, computed: list, expected: torch.Tensor) -> float:
    reference = expected.detach().numpy()
    error = np.abs(np.asarray(computed) - reference).max() / np.abs(reference).max()
    print(f"{name}: {error:.1e}")
    return error


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("address")
    arguments.add_argument("--save", type=pathlib.Path)
    options = arguments.parse_args()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    digits = load_digits()
    x = torch.tensor(digits.images[:, None] / 16)
    y = torch.tensor(digits.target)
    worst = 0.0
    for name, make in {"mlp": mlp, "cnn": cnn}.items():
        model, network = make()
        accuracy = train(model, x[:1000], y[:1000])
        model.eval()
        points = x[1000:1006]
        theta, outputs = kernel(model, points), model(points)
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, training accuracy {accuracy:.3f}")
        folder = options.save or pathlib.Path(tempfile.mkdtemp())
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / f"{name}.safetensors"
        save_file(model.state_dict(), weights)
        if options.save:
            (folder / f"{name}.json").write_text(json.dumps({
                "network": network, "x": points.tolist(), "outputs": outputs.tolist(), "full": theta.tolist()}))
        request = json.dumps({"network": network, "x1": points.tolist(), "outputs": "full"})
        answer = curl("-F", f"request={request};type=application/json", "-F", f"network.parameters=@{weights}",
                      f"{options.address}/v1/empirical-kernels")
        worst = max(worst, difference(f"{name}, kernel in one multipart request", answer["ntk"], theta))
        stored = curl("-F", f"request={json.dumps(network)};type=application/json", "-F", f"parameters=@{weights}",
                      f"{options.address}/v1/networks")
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            np.save(file, points.numpy())
            file.flush()
            answer = curl("-F", f'request={json.dumps({"network": stored["id"]})};type=application/json', "-F", f"x=@{file.name}",
                          f"{options.address}/v1/network-outputs")
        worst = max(worst, difference(f"{name}, outputs of the stored network at points from .npy", answer["outputs"], outputs))
    if worst > TOLERANCE:
        raise SystemExit(f"differences of at most {TOLERANCE} expected; {worst} came")


if __name__ == "__main__":
    main()
