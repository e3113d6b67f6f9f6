"""Sends networks of many families to a server, and compares its outputs and kernels with PyTorch's in double precision.

usage: compare_families.py SERVER-ADDRESS [--real] [FAMILY ...]

The kernel is the full one of two points by reverse mode, an output at a time; of networks in their real size (--real; the further ones are small always) that of
four outputs.
Needs ntk-client[torch].
"""

from __future__ import annotations

import argparse
import copy
import time
from typing import Any

import numpy as np
import torch
from families import FAMILIES, network, settle
from further_families import FURTHER

from ntk_client import Client, Network


def first(returned: Any) -> torch.Tensor:
    """Return the first tensor of what a module returns, [points, outputs]."""
    returned = next(iter(returned.values())) if isinstance(returned, dict) else returned
    return returned.reshape(len(returned), -1)


def jacobian(module: torch.nn.Module, inputs: list[torch.Tensor], chosen: list[int]) -> torch.Tensor:
    """Return the derivatives of the chosen outputs, [points, chosen, parameters]."""
    outputs = first(module(*inputs))
    rows = []
    for point in range(len(outputs)):
        for output in chosen:
            found = torch.autograd.grad(outputs[point, output], list(module.parameters()), retain_graph=True, allow_unused=True)
            pairs = zip(module.parameters(), found, strict=True)
            rows.append(torch.cat([torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1) for p, g in pairs]))
    return torch.stack(rows).reshape(len(outputs), len(chosen), -1)


def distance(a: Any, b: Any) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(np.asarray(b)).max())


def compare(client: Client, name: str, size: int) -> tuple[float, float]:
    """Print a line on a family; return the differences of outputs and kernel."""
    torch.manual_seed(0)
    family = {**FAMILIES, **FURTHER}[name]
    module = network(name, size) if name in FAMILIES else settle(family.make(size)).eval()
    example, x = family.points(3, size), family.points(2, size)
    start = time.perf_counter()
    sent = client.store_network(Network.from_torch(module, example, client=client))
    seconds = time.perf_counter() - start
    tensors = list(x.values()) if isinstance(x, dict) else [x]
    points = {key: one.numpy() for key, one in x.items()} if isinstance(x, dict) else x.numpy()
    precise = copy.deepcopy(module).double()
    inputs = [one.double() if one.is_floating_point() else one for one in tensors]
    expected = first(precise(*inputs)).detach()
    outputs = distance(client.outputs(sent, points).reshape(2, -1), expected)
    count = expected.shape[1]
    chosen = sorted({0, count // 3, 2 * count // 3, count - 1})
    rows = jacobian(precise, inputs, chosen)
    kernel = client.empirical_kernels(sent, points, outputs=chosen).ntk
    client.delete_network(sent)
    difference = distance(kernel, torch.einsum("iap,jbp->ijab", rows, rows).detach())
    numbers = sum(one.numel() for one in module.parameters())
    print(f"{name:12} {numbers:>10,} {outputs:9.1e} {difference:9.1e} {seconds:8.1f}", flush=True)
    return outputs, difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("families", nargs="*", default=[*FAMILIES, *FURTHER], metavar="FAMILY")
    parser.add_argument("--real", action="store_true")
    arguments = parser.parse_args()
    torch.set_default_dtype(torch.float32)
    print(f"{'family':12} {'parameters':>10} {'outputs':>9} {'kernel':>9} {'seconds to send':>15}")
    failed = []
    with Client(arguments.address) as client:
        for name in arguments.families:
            try:
                outputs, kernel = compare(client, name, int(arguments.real))
                # Files hold 1/√2, epsilons and scales in single precision.
                if outputs > 2e-6 or kernel > 2e-5:
                    failed.append(name)
            except Exception as error:
                failed.append(name)
                print(f"{name:12} {type(error).__name__}: {error}", flush=True)
    if failed:
        raise SystemExit(f"not as PyTorch has them: {', '.join(failed)}")


if __name__ == "__main__":
    main()
