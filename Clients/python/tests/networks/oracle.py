"""PyTorch's own kernel of a module: by reverse mode, an output at a time, over the module itself."""

from __future__ import annotations

from typing import Any

import numpy as np


def outputs_of(returned: Any) -> Any:
    """Return what a module returned, or the first of it, [points, outputs]."""
    if isinstance(returned, dict):
        returned = tuple(returned.values())
    while isinstance(returned, tuple | list):
        returned = returned[0]
    return returned.reshape(len(returned), -1)


def tangent_kernel(module: Any, *x: Any, names: list[str] | None = None) -> np.ndarray:
    """K[i, j, a, b] = Σ over parameters of ∂f_a(x_i)/∂θ · ∂f_b(x_j)/∂θ."""
    import torch

    parameters = [one for name, one in module.named_parameters() if one.requires_grad and (names is None or name in names)]
    rows = []
    for point in range(len(x[0])):
        outputs = outputs_of(module(*(one[point : point + 1] for one in x)))[0]
        for output in outputs:
            found = torch.autograd.grad(output, parameters, retain_graph=True, allow_unused=True)
            pairs = zip(parameters, found, strict=True)
            rows.append(torch.cat([(torch.zeros_like(p) if g is None else g.to_dense()).reshape(-1) for p, g in pairs]))
    jacobian = torch.stack(rows).reshape(len(x[0]), -1, len(rows[0]))
    return np.asarray(torch.einsum("iap,jbp->ijab", jacobian, jacobian).detach().double())


def distance(a: Any, b: Any) -> float:
    """Largest difference relative to the largest entry."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(np.asarray(b)).max())
