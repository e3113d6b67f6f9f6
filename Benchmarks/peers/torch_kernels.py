"""The empirical tangent kernel in PyTorch, in three ways, each as its writer would make it fast.

usage: torch_kernels.py SUBJECT jacrev|gradients|hooks FILE.npy

For each line of the standard input the kernel is computed once; one JSON line answers, with seconds and memory. FILE takes the first kernel.

jacrev     torch.func.jacrev under vmap, the Jacobian of the points contracted parameter by parameter
gradients  one vmapped vector-Jacobian product for each output, contracted parameter by parameter
hooks      inputs of layers by hooks, derivatives by their outputs by autograd, and for each layer the cheaper of Hadamard products of Gram
           matrices and of gradients
"""
import json
import os
import pathlib
import sys
import time

THREADS = 2
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)
import numpy
import torch
from torch import nn
from torch.func import functional_call, jacrev, vjp, vmap
from torch.nn import functional
from torch_networks import subject

torch.set_num_threads(THREADS)
CHUNK_BYTES = 1 << 30


def labels(n: int) -> torch.Tensor:
    return torch.arange(n) * 37 + 1


def outputs(module: nn.Module, form: str):
    """f(parameters, one point, its label) → its outputs, or its one functional."""
    def f(parameters, x, label):
        y = functional_call(module, parameters, (x[None],))[0]
        return y.gather(0, label[None]) if form == "label" else y
    return f


def contract(a: torch.Tensor, form: str) -> torch.Tensor:
    """K of Jacobian rows [n, k, p]."""
    n, k = a.shape[:2]
    if form == "trace":
        rows = a.reshape(n, -1)
        return rows @ rows.T
    rows = a.reshape(n * k, -1)
    return rows @ rows.T


def by_jacrev(module, x, form):
    f, parameters = outputs(module, form), dict(module.named_parameters())
    one = lambda x, label: jacrev(f, chunk_size=None)(parameters, x, label)  # noqa: E731
    jacobian = vmap(one, (0, 0), chunk_size=chunk(module, x, form))(x, labels(len(x)))
    return sum(contract(j.flatten(2), form) for j in jacobian.values())


def chunk(module, x, form):
    count = sum(p.numel() for p in module.parameters()) * (1 if form == "label" else 10)
    return max(1, min(len(x), CHUNK_BYTES // (4 * count)))


def by_gradients(module, x, form):
    f, parameters = outputs(module, form), dict(module.named_parameters())
    k = 1 if form == "label" else 10

    def row(x, label, seed):
        return vjp(lambda p: f(p, x, label), parameters)[1](seed)[0]

    seeds = torch.eye(k)
    rows = [vmap(row, (0, 0, None), chunk_size=chunk(module, x, form))(x, labels(len(x)), seed) for seed in seeds]
    return sum(contract(torch.stack([r[name].flatten(1) for r in rows], 1), form) for name in parameters)


class Uses:
    """Inputs and outputs of every layer with weights, by hooks; a layer that is called several times has as many uses."""

    def __init__(self, module):
        self.uses = []
        self.handles = [
            part.register_forward_hook(lambda part, inputs, output: self.uses.append((part, inputs[0].detach(), output)))
            for part in module.modules() if list(part.parameters(recurse=False))]

    def close(self):
        for handle in self.handles:
            handle.remove()


def factors(part, x, delta):
    """u [n, t, fan-in] and v [n, k, t, fan-out] of a dense weight, or None; delta [k, n, …]."""
    if isinstance(part, nn.Linear):
        u = x.reshape(x.shape[0], -1, x.shape[-1])
        return u, delta.reshape(delta.shape[0], delta.shape[1], -1, delta.shape[-1]).transpose(0, 1)
    if isinstance(part, nn.Conv2d) and part.groups == 1:
        u = functional.unfold(x, part.kernel_size, part.dilation, part.padding, part.stride) if part.kernel_size != (1, 1) or part.stride != (1, 1) \
            else x.flatten(2)
        return u.transpose(1, 2), delta.flatten(3).permute(1, 0, 3, 2)
    return None


def share(uses, form):
    """K of one parameter set: all uses of one weight (and its bias, scale or shift)."""
    part = uses[0][0]
    n, k = uses[0][1].shape[0], uses[0][2].shape[0]
    total = 0
    if factors(part, uses[0][1], uses[0][2]) is not None:
        both = [factors(*use) for use in uses]
        u, v = torch.cat([a for a, _ in both], 1), torch.cat([b for _, b in both], 2)
        t, area = u.shape[1], u.shape[2] * v.shape[3]
        pairs = n * n * k * (k if form != "trace" else 1)
        grams = t * t * (n * n * u.shape[2] + pairs * (v.shape[3] + 2))
        if form == "trace":
            grams = t * t * (n * n * u.shape[2] + n * n * k * v.shape[3] + 2 * pairs)
        if t == 1:
            rows, a = v.reshape(n, k, -1), u[:, 0]
            if form == "trace":
                total = (a @ a.T) * (rows.reshape(n, -1) @ rows.reshape(n, -1).T)
            else:
                gram = rows.reshape(n * k, -1) @ rows.reshape(n * k, -1).T
                total = ((a @ a.T)[:, None, :, None] * gram.view(n, k, n, k)).view(n * k, n * k)
        elif grams < n * k * t * area + pairs * area and t * t * pairs * 4 < 2 << 30:
            a = torch.einsum("itf,jsf->ijts", u, u)
            if form == "trace":
                total = sum(torch.einsum("ijts,ijts->ij", a, torch.einsum("itc,jsc->ijts", v[:, o], v[:, o])) for o in range(k))
            else:
                total = torch.einsum("ijts,iojpts->iojp", a, torch.einsum("iotc,jpsc->iojpts", v, v)).reshape(n * k, n * k)
        else:
            gradients = torch.matmul(v.transpose(2, 3), u[:, None]).flatten(2)
            total = contract(gradients, form)
        if part.bias is not None:
            total = total + contract(v.sum(2), form)
        return total
    for index, (_, x, delta) in enumerate(uses):
        if isinstance(part, nn.Embedding):
            gradient = torch.zeros(n, k, *part.weight.shape)
            gradient.index_put_(
                (torch.arange(n)[:, None, None], torch.arange(k)[None, :, None], x[:, None, :]), delta.transpose(0, 1), accumulate=True)
            parts = [gradient]
        elif isinstance(part, nn.BatchNorm2d):
            shape = (1, -1, 1, 1)
            normal = (x - part.running_mean.view(shape)) / (part.running_var.view(shape) + part.eps).sqrt()
            parts = [torch.einsum("nchw,knchw->nkc", normal, delta), delta.sum((3, 4)).transpose(0, 1)]
        elif isinstance(part, nn.LayerNorm):
            normal = functional.layer_norm(x, part.normalized_shape, eps=part.eps)
            parts = [torch.einsum("ntc,kntc->nkc", normal, delta), delta.sum(2).transpose(0, 1)]
        else:
            u = functional.unfold(x, part.kernel_size, part.dilation, part.padding, part.stride)
            u = u.view(n, part.groups, -1, u.shape[-1])
            parts = [torch.einsum("nct,ncft->ncf", d.flatten(2), u).flatten(1) for d in delta]
            parts = [torch.stack(parts, 1)]
        for gradient in parts:
            total = total + contract(gradient.flatten(2), form)
    return total


def by_hooks(module, x, form):
    uses = Uses(module)
    y = module(x)
    if form == "label":
        y = y.gather(1, labels(len(x))[:, None])
    uses.close()
    values = [output for _, _, output in uses.uses]
    deltas = [torch.autograd.grad(y[:, o].sum(), values, retain_graph=True) for o in range(y.shape[1])]
    of_part: dict = {}
    for index, (part, inputs, _) in enumerate(uses.uses):
        of_part.setdefault(id(part.weight), []).append((part, inputs, torch.stack([d[index] for d in deltas])))
    with torch.no_grad():
        total = 0
        for used in of_part.values():
            embeddings = [use for use in used if isinstance(use[0], nn.Embedding)]
            if embeddings and len(embeddings) < len(used):
                total = total + tied_share(embeddings, [use for use in used if not isinstance(use[0], nn.Embedding)], form)
            else:
                total = total + share(used, form)
    return total


def tied_share(embeddings, heads, form):
    """One matrix as embedding and readout, one row a point: by indices, never dense."""
    (_, ids, delta), (_, h, out) = embeddings[0], heads[0]
    n, t = ids.shape
    delta, h, out = delta[0], h.reshape(n, -1), out[0].reshape(n, -1)
    same = (ids.reshape(-1)[:, None] == ids.reshape(-1)[None]).to(delta.dtype)
    flat = delta.reshape(n * t, -1)
    first = ((flat @ flat.T) * same).view(n, t, n, t).sum((1, 3))
    second = (h @ h.T) * (out @ out.T)
    # ⟨out_j[id_it] h_j, δ_it⟩
    cross = (out[:, ids.reshape(-1)].view(n, n, t) * (h @ flat.T).view(n, n, t)).sum(2)
    return first + second + cross + cross.T


WAYS = {"jacrev": by_jacrev, "gradients": by_gradients, "hooks": by_hooks}


def peak_bytes() -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    name, way, file = sys.argv[1:]
    module, x, form = subject(name)
    for index, _ in enumerate(sys.stdin):
        start, used = time.perf_counter(), time.process_time()
        kernel = WAYS[way](module, x, form)
        row = {"seconds": time.perf_counter() - start, "processor": time.process_time() - used, "peak": peak_bytes()}
        if index == 0:
            n = len(x)
            k = kernel.shape[0] // n
            numpy.save(file, (kernel.view(n, k, n, k).permute(0, 2, 1, 3) if form == "full" else kernel).detach().numpy())
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
