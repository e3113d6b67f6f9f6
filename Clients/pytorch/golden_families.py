"""Writes networks of further families as `Network.from_torch` exports them, with points, and PyTorch's outputs and full kernels in double precision.

usage: golden_families.py FOLDER

For each family `NAME.onnx` and `NAME.json`, without what the exporter says of the code. Needs ntk-client[torch] and onnx.
"""

from __future__ import annotations

import copy
import json
import pathlib
import sys

import onnx
import torch
from compare_families import first, jacobian
from families import settle
from further_families import FURTHER

from ntk_client.networks.pytorch import convert


def plain(content: bytes) -> bytes:
    """Return a model file without stack traces and shapes of values in between."""
    model = onnx.load_model_from_string(content)
    del model.graph.value_info[:]
    for part in [*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""
    return model.SerializeToString()


def array(tensor: torch.Tensor) -> dict[str, object]:
    return {"shape": list(tensor.shape), "integers" if not tensor.is_floating_point() else "reals": tensor.flatten().tolist()}


def main(folder: pathlib.Path) -> None:
    torch.set_default_dtype(torch.float64)
    for name, family in FURTHER.items():
        torch.manual_seed(0)
        module = settle(family.make(0)).eval()
        example, x = family.points(3, 0), family.points(2, 0)
        content = convert(module, example, output=None, include=None, exclude=None).file.content
        points = x if isinstance(x, dict) else {"": x}
        precise = copy.deepcopy(module)
        outputs = first(precise(*points.values())).detach()
        rows = jacobian(precise, list(points.values()), list(range(outputs.shape[1])))
        kernel = torch.einsum("iap,jbp->ijab", rows, rows).detach()
        stem = folder / name.lower()
        stem.with_suffix(".onnx").write_bytes(plain(bytes(content)))
        record = {"inputs": {key: array(one) for key, one in points.items()}, "outputs": array(outputs), "kernel": array(kernel)}
        stem.with_suffix(".json").write_text(json.dumps(record), encoding="utf-8")
        print(f"{name:12} {stem.with_suffix('.onnx').stat().st_size:>8} bytes", flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
