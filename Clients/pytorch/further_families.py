"""Networks of further families, small: windows that shift, experts, graphs, grids that are sampled, separable convolutions, mixers, cells."""

from __future__ import annotations

from typing import Any

import torch
from families import Family, images
from torch import nn
from torch.nn import functional


class ConvNeXtBlock(nn.Module):
    """A block of ConvNeXt (Liu et al. 2022): a depthwise convolution, and a scale of each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.wide, self.narrow = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.rand(width))

    def forward(self, x: Any) -> Any:
        h = self.depthwise(x).permute(0, 2, 3, 1)
        return x + (self.scale * self.narrow(functional.gelu(self.wide(self.norm(h))))).permute(0, 3, 1, 2)


def conv_next(_: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 2, 2), ConvNeXtBlock(4), nn.Conv2d(4, 6, 2, 2), ConvNeXtBlock(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))


class Excitation(nn.Module):
    """Scales of channels from their means (Hu et al. 2018), as EfficientNet has them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: Any) -> Any:
        return x * torch.sigmoid(self.expand(functional.silu(self.reduce(functional.adaptive_avg_pool2d(x, 1)))))


def efficient_net(_: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.SiLU(), nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.SiLU(),
        nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False), nn.BatchNorm2d(8), nn.SiLU(), Excitation(8, 2), nn.Conv2d(8, 5, 1, bias=False),
        nn.BatchNorm2d(5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(5, 3),
    )  # fmt: skip


class ShiftedWindows(nn.Module):
    """Attention within windows of 2 × 2 that are shifted by one, with a bias for each distance (Liu et al. 2021, Swin)."""

    def __init__(self, width: int, heads: int, shift: int) -> None:
        super().__init__()
        self.heads, self.shift = heads, shift
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.randn(9, heads) * 0.2)
        places = torch.stack(torch.meshgrid(torch.arange(2), torch.arange(2), indexing="ij")).flatten(1)
        distance = (places[:, :, None] - places[:, None]).permute(1, 2, 0) + 1
        self.register_buffer("index", (distance[..., 0] * 3 + distance[..., 1]).flatten())

    def forward(self, x: Any) -> Any:
        n, side, _, d = x.shape
        h = torch.roll(self.norm(x), (-self.shift, -self.shift), (1, 2))
        h = h.view(n, side // 2, 2, side // 2, 2, d).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, d)
        q, k, v = self.qkv(h).reshape(-1, 4, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5 + self.bias[self.index].view(4, 4, self.heads).permute(2, 0, 1)
        h = self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, 4, d))
        h = h.view(n, side // 2, side // 2, 2, 2, d).permute(0, 1, 3, 2, 4, 5).reshape(n, side, side, d)
        return x + torch.roll(h, (self.shift, self.shift), (1, 2))


class Swin(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches, self.windows = nn.Conv2d(3, 4, 2, 2), nn.Sequential(ShiftedWindows(4, 2, 0), ShiftedWindows(4, 2, 1))
        self.norm, self.head = nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        return self.head(self.norm(self.windows(self.patches(x).permute(0, 2, 3, 1))).mean((1, 2)))


class Experts(nn.Module):
    """Two of four experts for each point, by the largest scores (Shazeer et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.experts = nn.Linear(5, 4), nn.ModuleList(nn.Linear(5, 3) for _ in range(4))

    def forward(self, x: Any) -> Any:
        scores = self.gate(x)
        values, places = torch.topk(scores, 2, -1)
        weights = torch.zeros_like(scores).scatter(1, places, values.softmax(-1))
        return (weights[:, :, None] * torch.stack([torch.tanh(one(x)) for one in self.experts], 1)).sum(1)


class GraphNetwork(nn.Module):
    """Messages along the edges that come with a point: attention by sums at their ends, then the largest (Veličković et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.source, self.target = nn.Linear(4, 5), nn.Linear(5, 1), nn.Linear(5, 1)
        self.second, self.head = nn.Linear(5, 4), nn.Linear(4, 2)

    def forward(self, x: Any, edges: Any) -> Any:
        start, end = edges[:, 0], edges[:, 1]

        def at(values: Any, places: Any) -> Any:
            return torch.gather(values, 1, places[:, :, None].expand(-1, -1, values.shape[2]))

        h = self.first(x)
        scores = functional.leaky_relu(at(self.source(h), start) + at(self.target(h), end)).squeeze(-1).exp()
        sums = torch.zeros_like(x[:, :, 0]).scatter_add(1, end, scores)
        messages = at(h, start) * (scores / torch.gather(sums, 1, end))[:, :, None]
        h = self.second(functional.elu(torch.zeros_like(h).scatter_add(1, end[:, :, None].expand(-1, -1, 5), messages)))
        index = end[:, :, None].expand(-1, -1, 4)
        return self.head(torch.zeros_like(h).scatter_reduce(1, index, at(h, start), "amax", include_self=False).mean(1))


def graphs(count: int, _: int) -> dict[str, torch.Tensor]:
    ends = torch.stack([torch.cat([torch.randperm(5), torch.randint(0, 5, (3,))]) for _ in range(count)])
    return {"x": torch.randn(count, 5, 4), "edges": torch.stack([torch.randint(0, 5, (count, 8)), ends], 1)}


class SampledGrid(nn.Module):
    """A convolution's output read at places that another layer gives (Jaderberg et al. 2015, spatial transformers)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.places, self.head = nn.Conv2d(2, 3, 3, padding=1), nn.Linear(32, 8), nn.Linear(12, 2)

    def forward(self, x: Any) -> Any:
        grid = torch.tanh(self.places(x.flatten(1))).view(-1, 2, 2, 2) * 1.2
        return self.head(functional.grid_sample(self.convolution(x), grid, align_corners=False, padding_mode="border").flatten(1))


class Mixer(nn.Module):
    """One block of an MLP-Mixer (Tolstikhin et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm1, self.norm2 = nn.Conv2d(3, 5, 4, 4), nn.LayerNorm(5), nn.LayerNorm(5)
        self.tokens = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4))
        self.channels = nn.Sequential(nn.Linear(5, 7), nn.GELU(), nn.Linear(7, 5))
        self.head = nn.Linear(5, 3)

    def forward(self, x: Any) -> Any:
        h = self.patches(x).flatten(2).transpose(1, 2)
        h = h + self.tokens(self.norm1(h).transpose(1, 2)).transpose(1, 2)
        return self.head((h + self.channels(self.norm2(h))).mean(1))


class Waves(nn.Module):
    """Convolutions over a wave with a weight-normed positional one, as wav2vec 2.0 has them (Baevski et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 4, 10, 5, bias=False), nn.GroupNorm(4, 4), nn.GELU(), nn.Conv1d(4, 6, 3, 2, bias=False), nn.GELU())
        self.norm, self.head = nn.LayerNorm(6), nn.Linear(6, 3)
        self.places = nn.utils.parametrizations.weight_norm(nn.Conv1d(6, 6, 4, padding=2, groups=2), dim=2)

    def forward(self, x: Any) -> Any:
        h = self.norm(self.layers(x).transpose(1, 2))
        return self.head((h + functional.gelu(self.places(h.transpose(1, 2))[:, :, :-1]).transpose(1, 2)).mean(1))


FURTHER: dict[str, Family] = {
    "ConvNeXt": Family(conv_next, images(3, 8, 8)),
    "EfficientNet": Family(efficient_net, images(3, 8, 8)),
    "Swin": Family(lambda _: Swin(), images(3, 8, 8)),
    "Experts": Family(lambda _: Experts(), lambda count, _: torch.randn(count, 5)),
    "Graphs": Family(lambda _: GraphNetwork(), graphs),
    "Grids": Family(lambda _: SampledGrid(), images(2, 4, 4)),
    "Mixer": Family(lambda _: Mixer(), images(3, 8, 8)),
    "Waves": Family(lambda _: Waves(), lambda count, _: torch.randn(count, 1, 60)),
}
