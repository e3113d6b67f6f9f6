"""Networks of the families that are used, small and in the size that they have, each with points for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Family:
    """How a network is made (of a size, 0 for small and 1 for real), and points for it."""

    make: Callable[[int], nn.Module]
    points: Callable[[int, int], Any]  # how many, and the size


def images(channels: int, small: int, real: int) -> Callable[[int, int], torch.Tensor]:
    return lambda count, size: torch.randn(count, channels, *((small, small) if size == 0 else (real, real)))


def words(vocabulary: tuple[int, int], length: tuple[int, int]) -> Callable[[int, int], torch.Tensor]:
    return lambda count, size: torch.randint(0, vocabulary[size], (count, length[size]))


def settle(module: nn.Module) -> nn.Module:
    """Give normalizations scales, shifts and statistics that are not those of their start."""
    for one in module.modules():
        for name, tensor in [*one.named_parameters(recurse=False), *one.named_buffers(recurse=False)]:
            if name in {"running_mean", "running_var"} or (tensor.dim() == 1 and name in {"weight", "bias"}):
                with torch.no_grad():
                    tensor.add_(0.2 * torch.rand_like(tensor))
    return module


class Residual(nn.Module):
    """relu(g(x) + h(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Any) -> Any:
        return functional.relu(self.body(x) + self.shortcut(x))


def resnet(size: int) -> nn.Module:
    """ResNet-18 for 32 × 32 (He et al. 2015, the stem of its CIFAR form)."""

    def block(inner: int, outer: int, stride: int) -> nn.Module:
        body = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True),
            nn.Conv2d(outer, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer),
        )  # fmt: skip
        if stride == 1 and inner == outer:
            return Residual(body, nn.Identity())
        return Residual(body, nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)))

    widths = [64, 128, 256, 512] if size else [4, 6]
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    for inner, outer in zip([widths[0], *widths], widths, strict=False):
        layers += [block(inner, outer, 1 if inner == outer else 2), block(outer, outer, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10 if size else 3))


class InvertedResidual(nn.Module):
    """A block of MobileNetV2 (Sandler et al. 2018)."""

    def __init__(self, inner: int, outer: int, stride: int, factor: int) -> None:
        super().__init__()
        hidden = inner * factor
        self.skips = stride == 1 and inner == outer
        widening = [nn.Conv2d(inner, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()] if factor > 1 else []
        self.layers = nn.Sequential(
            *widening, nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(),
            nn.Conv2d(hidden, outer, 1, bias=False), nn.BatchNorm2d(outer),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        return x + self.layers(x) if self.skips else self.layers(x)


def mobile_net(size: int) -> nn.Module:
    plan = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)] if size else [
        (1, 4, 1, 1), (3, 6, 2, 2)]  # fmt: skip
    width, last = (32, 1280) if size else (4, 8)
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU6()]
    for factor, outer, count, stride in plan:
        for index in range(count):
            layers.append(InvertedResidual(width, outer, stride if index == 0 else 1, factor))
            width = outer
    layers += [nn.Conv2d(width, last, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(last, 10 if size else 3))


class Attention(nn.Module):
    """Multi-head attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Any, mask: Any = None) -> Any:
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=self.causal)
        return self.out(y.transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    """A transformer's block, normalized before its parts."""

    def __init__(self, width: int, heads: int, *, causal: bool = False, approximate: str = "none") -> None:
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(width, heads, causal), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate), nn.Linear(4 * width, width))

    def forward(self, x: Any, mask: Any = None) -> Any:
        x = x + self.attention(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """ViT (Dosovitskiy et al. 2020) with a class token; ViT-Tiny in its real size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        width, heads, depth, patches = (192, 3, 12, 64) if size else (8, 2, 2, 4)
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token, self.places = nn.Parameter(torch.randn(1, 1, width) * 0.1), nn.Parameter(torch.randn(1, patches + 1, width) * 0.1)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10 if size else 3)

    def forward(self, x: Any) -> Any:
        h = self.patches(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.token.expand(len(h), -1, -1), h], 1) + self.places
        return self.head(self.norm(self.blocks(h))[:, 0])


class LanguageModel(nn.Module):
    """GPT-2 (Radford et al. 2019): the embedding is the head, too. Gives the last position's logits."""

    def __init__(self, size: int) -> None:
        super().__init__()
        vocabulary, length, width, heads, depth = (50257, 32, 768, 12, 2) if size else (11, 6, 8, 2, 2)
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, causal=True, approximate="tanh") for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.words.weight, std=0.2)
        self.head.weight = self.words.weight

    def forward(self, ids: Any) -> Any:
        h = self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h)[:, -1])


class MaskedEncoder(nn.Module):
    """BERT (Devlin et al. 2018) for sentences of different lengths, which a mask tells; the word 0 pads."""

    def __init__(self, size: int) -> None:
        super().__init__()
        vocabulary, length, width, heads, depth = (30522, 32, 384, 12, 4) if size else (13, 6, 8, 2, 2)
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.places, self.kinds = nn.Embedding(length, width), nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        h = self.norm(self.words(input_ids) + self.places(places) + self.kinds(torch.zeros_like(input_ids)))
        h = self.encoder(h, src_key_padding_mask=attention_mask == 0)
        return {"logits": self.head(torch.tanh(self.pooler(h[:, 0]))), "hidden": h}


def sentences(count: int, size: int) -> Mapping[str, torch.Tensor]:
    ids = words((13, 30522), (6, 32))(count, size).clamp(min=1)
    lengths = torch.randint(2, ids.shape[1] + 1, (count, 1))
    mask = (torch.arange(ids.shape[1])[None] < lengths).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


class Recurrent(nn.Module):
    """A recurrent network over words, read out at the end."""

    def __init__(self, kind: Any, size: int, **options: Any) -> None:
        super().__init__()
        vocabulary, width, hidden = (5000, 128, 256) if size else (9, 4, 5)
        self.words = nn.Embedding(vocabulary, width)
        self.cells = kind(width, hidden, batch_first=True, **options)
        self.head = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), 2)

    def forward(self, ids: Any) -> Any:
        return self.head(self.cells(self.words(ids))[0][:, -1])


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) of two levels; gives the mean of each class."""

    def __init__(self, size: int) -> None:
        super().__init__()
        w = 32 if size else 3

        def twice(inner: int, outer: int) -> nn.Module:
            return nn.Sequential(
                nn.Conv2d(inner, outer, 3, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True),
                nn.Conv2d(outer, outer, 3, padding=1, bias=False), nn.GroupNorm(1, outer), nn.ReLU(inplace=True),
            )  # fmt: skip

        self.top, self.down, self.bottom = twice(3, w), twice(w, 2 * w), twice(2 * w, 4 * w)
        self.up1, self.side1 = nn.ConvTranspose2d(4 * w, 2 * w, 2, 2), twice(4 * w, 2 * w)
        self.up2, self.side2 = nn.Upsample(scale_factor=2, mode="nearest"), twice(3 * w, w)
        self.head = nn.Conv2d(w, 2, 1)

    def forward(self, x: Any) -> Any:
        a = self.top(x)
        b = self.down(functional.max_pool2d(a, 2))
        h = self.bottom(functional.max_pool2d(b, 2))
        h = self.side1(torch.cat([b, self.up1(h)], 1))
        return self.head(self.side2(torch.cat([a, self.up2(h)], 1))).mean((2, 3))


def mlp(size: int) -> nn.Module:
    a, b, c = (784, 512, 10) if size else (6, 5, 3)
    return nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Linear(b, b), nn.SiLU(), nn.Linear(b, c))


def cnn(size: int) -> nn.Module:
    a, b, e = (32, 64, 8) if size else (3, 4, 2)
    return nn.Sequential(
        nn.Conv2d(3, a, 3, padding=1), nn.BatchNorm2d(a), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(a, b, 3, padding="same"), nn.BatchNorm2d(b),
        nn.LeakyReLU(0.1), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(b * e * e, 10 if size else 3),
    )  # fmt: skip


FAMILIES: dict[str, Family] = {
    "MLP": Family(mlp, lambda count, size: torch.randn(count, 784 if size else 6)),
    "CNN": Family(cnn, images(3, 8, 32)),
    "ResNet-18": Family(resnet, images(3, 8, 32)),
    "MobileNetV2": Family(mobile_net, images(3, 8, 32)),
    "ViT": Family(VisionTransformer, images(3, 8, 32)),
    "GPT-2": Family(LanguageModel, words((11, 50257), (6, 32))),
    "BERT": Family(MaskedEncoder, sentences),
    "LSTM": Family(lambda size: Recurrent(nn.LSTM, size, num_layers=2), words((9, 5000), (5, 32))),
    "GRU": Family(lambda size: Recurrent(nn.GRU, size, bidirectional=True), words((9, 5000), (5, 32))),
    "U-Net": Family(UNet, images(3, 8, 32)),
}
"""By name; ``families.FAMILIES["ViT"].make(1)`` is ViT-Tiny."""


def network(name: str, size: int) -> nn.Module:
    """Return a network of a family in evaluation mode, as if it had been trained."""
    return settle(FAMILIES[name].make(size)).eval()
