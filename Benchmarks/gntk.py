#!/usr/bin/env python3
"""Graph neural tangent kernels (Du et al. 2019, arXiv 1905.13192) on the published ten folds, through the API.

    ntk-server serve &
    python3 Benchmarks/gntk.py FOLDER MUTAG            # FOLDER holds MUTAG.txt and MUTAG-10fold/
    python3 Benchmarks/gntk.py FOLDER PTC

Kernels of a grid of architectures are computed by POST /v1/kernels, normalized to unit diagonal, and a support vector machine is trained
on each fold's training part. Two figures: with the architecture and C chosen by the mean accuracy on the test folds, as the published
tables are, and, honestly, chosen in each fold by cross-validation on its training part.
"""
import argparse
import itertools
import json
import time
import urllib.request
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC


def load(path):
    """Graphs in the text format of GIN: (adjacency with self-loops, node tags, degrees), and the labels."""
    lines = iter(Path(path).read_text().splitlines())
    graphs, labels, tags = [], [], {}
    for _ in range(int(next(lines))):
        nodes, label = map(int, next(lines).split())
        adjacency, own = np.eye(nodes), []
        for node in range(nodes):
            tag, _, *neighbours = map(int, next(lines).split())
            own.append(tags.setdefault(tag, len(tags)))
            adjacency[node, neighbours] = 1
        adjacency = np.maximum(adjacency, adjacency.T)
        graphs.append((adjacency, own))
        labels.append(label)
    return graphs, np.unique(labels, return_inverse=True)[1], len(tags)


def arrays(graphs, tags, scale):
    """One-hot tags [n, V, tags] and adjacencies [n, V, V], padded with nodes of zeros; `scale`: divided by degree."""
    size = max(len(own) for _, own in graphs)
    x, patterns = np.zeros((len(graphs), size, tags)), np.zeros((len(graphs), size, size))
    for index, (adjacency, own) in enumerate(graphs):
        nodes = len(own)
        x[index, np.arange(nodes), own] = 1
        patterns[index, :nodes, :nodes] = adjacency / adjacency.sum(0) if scale else adjacency
    return x, patterns


def architecture(blocks, layers, jumping):
    """Blocks of an aggregation and some dense layers, then the sum over nodes; `jumping`: of all blocks' outputs, not of the last one's."""
    def block():
        return [{"type": "aggregate"}] + [{"type": "dense", "w_std": 2 ** 0.5, "width": 1}, {"type": "relu"}] * layers

    body = block()
    for _ in range(blocks - 1):
        # Side by side with what follows; equal widths give every block the same weight.
        body = block() + ([{"type": "fan_out", "count": 2},
                           {"type": "parallel", "branches": [{"type": "serial", "layers": body}, {"type": "identity"}]},
                           {"type": "fan_in_concat", "axis": "channel"}] if jumping else body)
    return {"type": "serial", "layers": body + [{"type": "global_sum_pool"}, {"type": "dense"}]}


def kernel(url, shape, x, patterns):
    body = json.dumps({"architecture": architecture(*shape), "x1": x.tolist(), "pattern1": patterns.tolist()}).encode()
    request = urllib.request.Request(url + "/v1/kernels", body, {"Content-Type": "application/json"})
    k = np.array(json.loads(urllib.request.urlopen(request).read())["ntk"])
    scale = np.sqrt(np.diag(k))
    return k / np.outer(scale, scale)


def accuracy(k, y, train, test, c):
    machine = SVC(kernel="precomputed", C=c, max_iter=2_000_000).fit(k[np.ix_(train, train)], y[train])
    return (machine.predict(k[np.ix_(test, train)]) == y[test]).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", choices=["MUTAG", "PTC"])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--blocks", type=int, nargs="+", default=[2, 4, 6])
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    graphs, y, tags = load(options.folder / f"{options.name}.txt")
    folds = [(np.loadtxt(options.folder / f"{options.name}-10fold" / f"train_idx-{k}.txt", dtype=int),
              np.loadtxt(options.folder / f"{options.name}-10fold" / f"test_idx-{k}.txt", dtype=int)) for k in range(1, 11)]
    # As many as the published search has; a tenth of them where folds within folds are searched.
    penalties = np.logspace(-2, 4, 120)
    fewer = set(penalties[::10])
    kernels, start = {}, time.time()
    for scale in (False, True):
        x, patterns = arrays(graphs, tags, scale)
        for blocks, layers, jumping in itertools.product(options.blocks, options.layers, (False, True)):
            name = f"{blocks} blocks of {layers}, {'mean' if scale else 'sum'} of neighbours{', all blocks' if jumping else ''}"
            kernels[name] = kernel(options.url, (blocks, layers, jumping), x, patterns)
    print(f"{options.name}: {len(y)} graphs, {len(kernels)} kernels in {time.time() - start:.1f} s", flush=True)
    table = {(name, c): np.array([accuracy(k, y, *fold, c) for fold in folds]) for name, k in kernels.items() for c in penalties}
    best = max(table, key=lambda key: table[key].mean())
    print(f"chosen on the test folds: {100 * table[best].mean():.1f} ± {100 * table[best].std():.1f} % ({best[0]}, C = {best[1]:g})", flush=True)
    honest = []
    for index, (train, _) in enumerate(folds):
        inner = list(StratifiedKFold(5, shuffle=True, random_state=0).split(train, y[train]))
        chosen = max((key for key in table if key[1] in fewer), key=lambda key: np.mean([accuracy(kernels[key[0]], y, train[a], train[b], key[1]) for a, b in inner]))
        honest.append(table[chosen][index])
    print(f"chosen within each fold:  {100 * np.mean(honest):.1f} ± {100 * np.std(honest):.1f} %")


if __name__ == "__main__":
    main()
