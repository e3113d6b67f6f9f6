#!/usr/bin/env python3
"""Attributions and posteriors on the digits of scikit-learn, and beside laplace-torch where that is installed.

    python Benchmarks/attribution.py --server .build/release/ntk-server

- mislabelled: 10 % of the labels are changed at random; the area under the ROC curve of minus `mislabel_log_probability`, and how many of
  the changed ones are among as many lowest.
- posterior: covariance, evidence and chosen prior precision against laplace-torch's full generalized Gauss–Newton matrix over all weights.
- size: the posterior of a network of a million weights at 5,000 outputs of training points.
"""
import argparse
import sys
import time

import numpy as np
from ntk_client import Client, mlp

SEED = 0


def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    x, labels = load_digits(return_X_y=True)
    return x / 16.0, labels


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The area under the ROC curve, by ranks."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    count = positive.sum()
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def mislabelled(client: Client) -> None:
    rng = np.random.default_rng(SEED)
    x, labels = digits()
    changed = np.zeros(len(labels), dtype=bool)
    changed[rng.choice(len(labels), len(labels) // 10, replace=False)] = True
    noisy = np.where(changed, (labels + rng.integers(1, 10, len(labels))) % 10, labels)
    start = time.perf_counter()
    result = client.attributions(mlp(depth=2, w_std=2**0.5, b_std=0.1), x, labels=noisy, ridge=0.1, kind="self")
    seconds = time.perf_counter() - start
    scores = -np.asarray(result.mislabel_log_probability)
    first = np.argsort(-scores)[: changed.sum()]
    print(f"mislabelled digits: {changed.sum()} of {len(labels)}, area under the ROC curve {area(scores, changed):.4f}, "
          f"{changed[first].sum()} among the {len(first)} first, {seconds:.2f} s")


def network(torch, widths: list[int]):
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    layers: list = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1]).double()


def fields(model) -> dict:
    layers = []
    for module in model:
        layers.append({"type": "dense", "width": module.out_features} if hasattr(module, "out_features") else {"type": "tanh"})
    return {
        "architecture": {"type": "serial", "layers": layers},
        "parameters": {name: value.detach().numpy() for name, value in model.named_parameters()},
    }


def posterior(client: Client) -> None:
    try:
        import torch
        from laplace import Laplace
    except ImportError:
        print("posterior: laplace-torch is not installed")
        return
    from ntk_client import Network

    x, labels = digits()
    x, test, labels = x[:200, ::4], x[200:240, ::4], labels[:200] % 4
    for kind, outputs in (("classification", 4), ("regression", 2)):
        model = network(torch, [16, 24, 16, outputs])
        y = torch.tensor(labels) if kind == "classification" else torch.tensor(np.stack([np.sin(labels), np.cos(labels)], axis=1))
        loss = torch.nn.CrossEntropyLoss() if kind == "classification" else torch.nn.MSELoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-3)
        points = torch.tensor(x)
        for _ in range(300):
            optimizer.zero_grad()
            loss(model(points), y).backward()
            optimizer.step()
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(points, y), batch_size=50)
        noise = 0.09
        options = {} if kind == "classification" else {"sigma_noise": noise**0.5}
        whole = Laplace(model, kind, subset_of_weights="all", hessian_structure="full", prior_precision=0.7, **options)
        whole.fit(loader)
        mean, covariance = whole._glm_predictive_distribution(torch.tensor(test))
        evidence = float(whole.log_marginal_likelihood())
        known = fields(model)
        own = Network(known["architecture"], known["parameters"])
        given = {"labels": labels} if kind == "classification" else {"y_train": y.numpy(), "noise": noise}
        ours = client.posterior(own, x, x_test=test, prior_precision=0.7, **given)
        scale = np.abs(covariance.detach().numpy()).max()
        difference = np.abs(ours.covariance - covariance.detach().numpy()).max() / scale
        chosen = client.posterior(own, x, **given)

        # The precision at which the derivative of laplace-torch's own evidence is 0, by bisection.
        def slope(precision: float) -> float:
            value = torch.tensor([precision], dtype=torch.float64, requires_grad=True)
            whole.prior_precision = value
            (gradient,) = torch.autograd.grad(whole.log_marginal_likelihood(), value)
            return float(gradient.sum())

        low, high = chosen.prior_precision / 2, chosen.prior_precision * 2
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) > 0 else (low, middle)
        count = sum(value.numel() for value in model.parameters())
        print(f"{kind}, {count} weights: covariance off by {difference:.1e} (relative to the largest), mean by "
              f"{np.abs(ours.mean - mean.detach().numpy()).max():.1e}, evidence by {abs(ours.log_marginal_likelihood - evidence):.1e} of "
              f"{evidence:.1f}, prior precision {chosen.prior_precision:.6g} by {abs(low / chosen.prior_precision - 1):.1e}")


def size(client: Client) -> None:
    from ntk_client import Network

    rng = np.random.default_rng(SEED)
    x, labels = digits()
    widths = [64, 960, 960, 10]
    parameters = {}
    for place, (before, after) in enumerate(zip(widths, widths[1:])):
        parameters[f"{2 * place}.weight"] = rng.standard_normal((after, before)) / before**0.5
        parameters[f"{2 * place}.bias"] = np.zeros(after)
    layers = [{"type": "dense", "width": 960}, {"type": "relu"}, {"type": "dense", "width": 960}, {"type": "relu"}, {"type": "dense", "width": 10}]
    own = Network({"type": "serial", "layers": layers}, parameters)
    count = sum(value.size for value in parameters.values())
    for precision in (1.0, None):
        start = time.perf_counter()
        result = client.posterior(own, x[:500], labels=labels[:500], x_test=x[500:600], labels_test=labels[500:600], prior_precision=precision)
        print(f"posterior of {count:,} weights at 500 points of 10 outputs, precision "
              f"{'chosen' if precision is None else 'given'}: {time.perf_counter() - start:.1f} s, "
              f"{result.effective_parameters:.0f} effective parameters")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", help="the server's program")
    parser.add_argument("--url", help="of a server that runs")
    parser.add_argument("--subjects", nargs="*", default=["mislabelled", "posterior", "size"])
    arguments = parser.parse_args()
    with Client(arguments.url) if arguments.url else Client.local(binary=arguments.server) as client:
        for subject in arguments.subjects:
            globals()[subject](client)
    return 0


if __name__ == "__main__":
    sys.exit(main())
