"""Networks that people use, with random weights, as plain PyTorch modules in evaluation mode: subjects of `real_networks.py`.

usage: torch_networks.py SUBJECT FILE.onnx: exports it, and its points to FILE.onnx.npy

Every weight is in a Linear, Conv2d, Embedding or norm, so that hooks see its inputs and outputs.
"""
import math
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first, self.second = conv(inputs, outputs, 3, stride), conv(outputs, outputs, 3)
        self.shortcut = conv(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else nn.Identity()

    def forward(self, x):
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


def resnet18(classes: int = 10) -> nn.Module:
    """He et al. 2016, the form for images of 32×32: 11.2 million parameters."""
    layers = [conv(3, 64, 3), nn.ReLU()]
    width = 64
    for outputs, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        layers += [BasicBlock(width, outputs, stride), BasicBlock(outputs, outputs, 1)]
        width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        width = inputs * expansion
        layers = [conv(inputs, width, 1), nn.ReLU6()] if expansion != 1 else []
        self.layers = nn.Sequential(*layers, conv(width, width, 3, stride, width), nn.ReLU6(), conv(width, outputs, 1))
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.is_residual else self.layers(x)


def mobilenet_v2(classes: int = 10) -> nn.Module:
    """Sandler et al. 2018 for images of 32×32, with the first strides 1: 2.2 million parameters."""
    layers, width = [conv(3, 32, 3), nn.ReLU6()], 32
    for expansion, outputs, count, stride in [
            (1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for index in range(count):
            layers.append(InvertedResidual(width, outputs, stride if index == 0 else 1, expansion))
            width = outputs
    layers += [conv(width, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes)]
    return nn.Sequential(*layers)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, is_causal: bool):
        super().__init__()
        self.heads, self.is_causal = heads, is_causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads)
        if self.is_causal:
            scores = scores + torch.full((t, t), -1e9, dtype=x.dtype).triu(1)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, width))


class TransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int, is_causal: bool):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, is_causal)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Dosovitskiy et al. 2021, Tiny: 12 layers of width 192, 3 heads, patches of 16×16 of images of 224×224: 5.5 million parameters."""

    def __init__(self, classes: int = 10, image: int = 224, patch: int = 16, width: int = 192, depth: int = 12, heads: int = 3):
        super().__init__()
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.positions = nn.Embedding((image // patch) ** 2, width)
        self.blocks = nn.Sequential(*[TransformerBlock(width, heads, False) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        places = torch.arange(x.shape[1]).expand(x.shape[0], -1)
        return self.head(self.norm(self.blocks(x + self.positions(places))).mean(1))


class GPT2(nn.Module):
    """Radford et al. 2019, with two of the twelve layers: logits of the last token, embedding and readout tied: 53 million parameters."""

    def __init__(self, tokens: int = 50_257, length: int = 64, width: int = 768, depth: int = 2, heads: int = 12):
        super().__init__()
        self.embed, self.positions = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[TransformerBlock(width, heads, True) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens, bias=False)
        self.head.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, ids):
        places = torch.arange(ids.shape[1]).expand(ids.shape[0], -1)
        return self.head(self.norm(self.blocks(self.embed(ids) + self.positions(places)))[:, -1])


class LSTM(nn.Module):
    """One layer of 128 cells over 32 times of 32 features: torch.func has no batching rule for nn.LSTM, so its steps are written out."""

    def __init__(self, features: int = 32, width: int = 128, classes: int = 10):
        super().__init__()
        self.width = width
        self.input, self.recurrence = nn.Linear(features, 4 * width), nn.Linear(width, 4 * width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], self.width)
        drive = self.input(x)
        for t in range(x.shape[1]):
            i, f, g, o = (drive[:, t] + self.recurrence(h)).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return self.head(h)


class FusedLSTM(nn.Module):
    """The same function by nn.LSTM, for export."""

    def __init__(self, other: LSTM):
        super().__init__()
        self.cells = nn.LSTM(other.input.in_features, other.width, batch_first=True)
        self.cells.weight_ih_l0, self.cells.bias_ih_l0 = other.input.weight, other.input.bias
        self.cells.weight_hh_l0, self.cells.bias_hh_l0 = other.recurrence.weight, other.recurrence.bias
        self.head = other.head

    def forward(self, x):
        return self.head(self.cells(x)[0][:, -1])


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def cnn() -> nn.Module:
    """3-32-64-64 channels on 32×32, halved twice."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 1, 1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(32, 64, 3, 1, 1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def images(n: int, size: int = 32) -> torch.Tensor:
    return torch.randn(n, 3, size, size)


# Name, network, points, form of the kernel.
SUBJECTS = {
    "resnet18 full": (resnet18, lambda: images(8), "full"),
    "resnet18 trace": (resnet18, lambda: images(64), "trace"),
    "vit-tiny trace": (ViT, lambda: images(16, 224), "trace"),
    "gpt2 label": (GPT2, lambda: torch.randint(50_257, (16, 64)), "label"),
    "mobilenetv2 full": (mobilenet_v2, lambda: images(8), "full"),
    "lstm full": (LSTM, lambda: torch.randn(64, 32, 32), "full"),
    "mlp 128 full": (mlp, lambda: torch.randn(128, 784), "full"),
    "mlp 128 trace": (mlp, lambda: torch.randn(128, 784), "trace"),
    "mlp 512 full": (mlp, lambda: torch.randn(512, 784), "full"),
    "mlp 512 trace": (mlp, lambda: torch.randn(512, 784), "trace"),
    "cnn 128 full": (cnn, lambda: images(128), "full"),
    "cnn 128 trace": (cnn, lambda: images(128), "trace"),
    "cnn 512 full": (cnn, lambda: images(512), "full"),
    "cnn 512 trace": (cnn, lambda: images(512), "trace"),
}


def subject(name: str) -> tuple[nn.Module, torch.Tensor, str]:
    """The network in evaluation mode with statistics that are not trivial, its points, and the form."""
    make, points, form = SUBJECTS[name]
    torch.manual_seed(0)
    module = make().eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.1)
    return module, points(), form


def export(name: str, file: str) -> None:
    """Writes the subject as an ONNX file that keeps every parameter, and its points beside it."""
    module, x, _ = subject(name)
    if isinstance(module, LSTM):
        module = FusedLSTM(module).eval()
    torch.onnx.export(
        module, (x[:2],), file, dynamo=True, optimize=False, dynamic_shapes=({0: torch.export.Dim("n")},), external_data=False, verbose=False)
    numpy.save(f"{file}.npy", x.numpy())


if __name__ == "__main__":
    export(*sys.argv[1:])
