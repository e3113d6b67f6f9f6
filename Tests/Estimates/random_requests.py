"""Random requests of every kind that computes: any activation, any layer, any endpoint, of a size that can be chosen.

A request is a pair of a path and a body; each maker gets a random generator and a size, and makes about the same request in every size.
"""
import random

from random_architectures import ACTIVATIONS, activation, architecture, dense, finite, images, network, points, vectors


def kernels(rng, size, name=None) -> tuple[str, dict]:
    tree, shape = architecture(rng, name)
    body = {"architecture": tree, "precision": rng.choice(["float64", "float64", "float32"]), "kinds": rng.choice([["ntk"], ["nngp"], ["ntk", "nngp"]])}
    kind = rng.randrange(5)
    body["x1"] = points(rng, size, *shape)
    if kind == 0:
        body["x2"] = points(rng, max(1, size // 2), *shape)
    return "/v1/kernels", body


def graphs(rng, size) -> tuple[str, dict]:
    nodes = rng.randint(5, 30)
    tree = {"type": "serial", "layers": [dense(rng), activation(rng), {"type": "aggregate"}, dense(rng), {"type": "global_avg_pool"}, dense(rng)]}
    pattern = [[[rng.randint(0, 1) for _ in range(nodes)] for _ in range(nodes)] for _ in range(size)]
    return "/v1/kernels", {"architecture": tree, "x1": points(rng, size, nodes, 2), "pattern1": pattern}


def diagonals(rng, size) -> tuple[str, dict]:
    tree, shape = architecture(rng)
    return "/v1/kernels", {"architecture": tree, "x1": points(rng, 4 * size, *shape), "diagonal": True}


def source(rng, size) -> tuple[dict, dict]:
    """A kernel source with its training points."""
    kind = rng.randrange(6)
    if kind == 0:
        own, shape = network(rng)
        return {"network": own}, {"x_train": points(rng, size, *shape)}
    tree, shape = architecture(rng)
    if kind == 1:
        shape = (10,)
        tree = vectors(rng)
    return {"architecture": tree, "kind": rng.choice(["ntk", "nngp"])}, {"x_train": points(rng, size, *shape)}


def like(rng, first, count) -> list:
    shape, inner = [], first[0]
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0]
    return points(rng, count, *shape)


def ridge(rng):
    return rng.choice([1e-3, 1e-3, 0.1, 1e-6, {"select": "leave_one_out"}, {"select": "gcv"}, {"select": "marginal_likelihood"}])


def predictions(rng, size) -> tuple[str, dict]:
    kernel, body = source(rng, size)
    body |= {"kernel": kernel, "y_train": points(rng, size), "x_test": like(rng, body["x_train"], max(1, size // 4)), "ridge": ridge(rng)}
    body["covariance"] = rng.choice(["none", "none", "diagonal", "full"])
    if "architecture" in kernel and rng.random() < 0.2:
        body["posterior"] = "ensemble"
    return "/v1/predictions", body


def classes(rng, size) -> tuple[str, dict]:
    kernel, body = {"architecture": vectors(rng)}, {"x_train": points(rng, size, 3)}
    body |= {"kernel": kernel, "labels": [rng.randrange(10) for _ in range(size)], "x_test": points(rng, size, 3), "ridge": 1e-3}
    return "/v1/predictions", body


def iterative(rng, size) -> tuple[str, dict]:
    size *= 2
    body = {"kernel": {"architecture": vectors(rng)}, "x_train": points(rng, size, 5), "y_train": points(rng, size), "x_test": points(rng, 10, 5)}
    return "/v1/predictions", body | {"ridge": 0.1, "solver": "conjugate_gradient"}


def matrices(rng, size) -> tuple[str, dict]:
    x = points(rng, size, 4)
    gram = [[sum(a * b for a, b in zip(u, v)) + 5 * (u is v) for v in x] for u in x]
    return "/v1/predictions", {"kernel": {"matrices": {"train_train": gram, "test_train": gram[:5]}}, "y_train": points(rng, size), "ridge": 0.1}


def regressors(rng, size) -> tuple[str, dict]:
    kernel, body = source(rng, size)
    return "/v1/regressors", body | {"kernel": kernel, "y_train": points(rng, size), "ridge": ridge(rng)}


def dynamics(rng, size) -> tuple[str, dict]:
    kernel, body = source(rng, size)
    body |= {"kernel": kernel, "y_train": points(rng, size), "x_test": like(rng, body["x_train"], max(1, size // 4))}
    body["times"] = [float(10**rng.randint(-1, 4)) for _ in range(rng.choice([1, 5, 60]))]
    if "architecture" in kernel:
        body["covariance"] = rng.choice(["none", "none", "diagonal", "full"])
    if rng.random() < 0.3:
        body["target_loss"] = 0.1
    if rng.random() < 0.3:
        body["optimizer"] = {"type": "heavy_ball", "learning_rate": 0.01}
    return "/v1/dynamics", body


def spectra(rng, size) -> tuple[str, dict]:
    kernel, body = source(rng, size)
    body = {"kernel": kernel, "x": body["x_train"]}
    if rng.random() < 0.7:
        body |= {"y": points(rng, size), "sample_sizes": [float(rng.randint(1, 1000)) for _ in range(rng.choice([1, 20, 300]))], "ridge": 0.01}
    return "/v1/spectra", body


def empirical(rng, size) -> tuple[str, dict]:
    outputs = rng.choice([1, 1, 10])
    own, shape = network(rng, outputs)
    body = {"network": own, "x1": points(rng, size, *shape), "precision": rng.choice(["float64", "float32"])}
    body["outputs"] = rng.choice(["mean", "sum", "diagonal", "full"])
    body["kinds"] = rng.choice([["ntk"], ["ntk"], ["ntk", "nngp"]])
    if rng.random() < 0.3:
        body["x2"] = points(rng, max(1, size // 2), *shape)
    return "/v1/empirical-kernels", body


def outputs(rng, size) -> tuple[str, dict]:
    own, shape = network(rng, rng.choice([1, 10]))
    return "/v1/network-outputs", {"network": own, "x": points(rng, 8 * size, *shape), "precision": rng.choice(["float64", "float32"])}


def trainings(rng, size) -> tuple[str, dict]:
    own, shape = network(rng)
    count = rng.choice([3, 10, 40])
    steps = sorted({0, *(rng.randint(1, 4 * size) for _ in range(rng.choice([0, 4, 20]))), 4 * size})
    body = {"network": own, "x_train": points(rng, count, *shape), "y_train": points(rng, count), "steps": steps, "learning_rate": 1e-3}
    if rng.random() < 0.3:
        body["momentum"] = 0.9
    if rng.random() < 0.3:
        body["x_test"] = points(rng, 5, *shape)
    return "/v1/trainings", body


def convergence(rng, size) -> tuple[str, dict]:
    tree, shape = (vectors(rng, name=finite(rng)), (3,)) if rng.random() < 0.7 else images(rng, name=finite(rng))
    if tree["layers"][-1]["type"] != "dense":
        tree["layers"].append(dense(rng))
    widths = rng.choice([[16], [8, 64], [32, 128, 256]])
    return "/v1/convergence", {"architecture": tree, "x": points(rng, rng.choice([3, 10]), *shape), "widths": widths, "samples": max(2, size // 2)}


def finite_width(rng, size) -> tuple[str, dict]:
    tree = {"type": "mlp", "depth": rng.randint(1, 4), "activation": rng.choice(["relu", "erf", "tanh", "gelu"]), "w_std": 1.4, "b_std": 0.1}
    return "/v1/finite-width", {"architecture": tree, "x1": points(rng, size, 5), "kinds": ["ntk", "nngp"]}


def learning_curve(rng, size) -> tuple[str, dict]:
    kernel = {"architecture": {"type": "mlp", "depth": 2, "b_std": 0.1}}
    if rng.random() < 0.5:
        return "/v1/learning-curves", {"kernel": kernel, "x": points(rng, size + 16, 5), "y": points(rng, size + 16), "ridge": 0.1, "sample_sizes": [10, 1000]}
    target = [{"components": [0], "coefficient": 1}]
    variances = [1 / (index + 1) for index in range(50)]
    return "/v1/learning-curves", {"method": "hermite", "kernel": kernel, "covariance_eigenvalues": variances, "target_coefficients": target,
                                   "modes": 100 * size, "ridge": 0.1, "sample_sizes": [10, 1000]}


def stored(rng, size) -> tuple[str, dict]:
    """A prediction of the regressor that the path names by what it is made from."""
    kernel, body = source(rng, 300)
    fit = body | {"kernel": kernel, "y_train": points(rng, 300), "ridge": 1e-2}
    own = {"x": like(rng, body["x_train"], size), "covariance": rng.choice(["none", "none", "diagonal"])}
    return "/v1/regressors/{}/predictions", own | {"fit": fit}


MAKERS = {
    "kernels": (kernels, 6), "graphs": (graphs, 1), "diagonals": (diagonals, 1), "predictions": (predictions, 4), "classes": (classes, 1),
    "iterative": (iterative, 1), "matrices": (matrices, 1), "regressors": (regressors, 2), "dynamics": (dynamics, 2), "spectra": (spectra, 2),
    "empirical": (empirical, 3), "outputs": (outputs, 1), "trainings": (trainings, 2), "convergence": (convergence, 2), "stored": (stored, 1),
    "finite width": (finite_width, 2), "learning curves": (learning_curve, 2),
}


def line(count) -> list:
    return [[round(-3 + 6 * place / (count - 1), 4)] for place in range(count)]


def mlp(depth, name) -> dict:
    return {"type": "mlp", "depth": depth, "activation": name, "w_std": 1.4, "b_std": 0.1}


def tiny_training(steps) -> tuple[str, dict]:
    layers = [{"type": "dense", "width": 4}, {"type": "relu"}, {"type": "dense", "width": 1}]
    own = {"architecture": {"type": "serial", "layers": layers}, "initialization": {"seed": 1}}
    body = {"network": own, "x_train": [[0.1], [0.7], [-1]], "y_train": [0, 1, 0], "steps": [0, steps], "learning_rate": 0.01}
    return "/v1/trainings", body


def small_images(name) -> tuple[str, dict]:
    layers = [{"type": "conv", "filter_shape": [3, 3], "padding": "same"}, {"type": name}] * 2 + [{"type": "global_avg_pool"}, {"type": "dense"}]
    return "/v1/kernels", {"architecture": {"type": "serial", "layers": layers}, "x1": points(random.Random(1), 2, 12, 12, 1)}


def posterior(name) -> tuple[str, dict]:
    """What the page asks while a slider moves."""
    body = {"x_train": [[-2], [-1.2], [-0.3], [0.4], [1.5], [2.2]], "y_train": [0, 1, -1, 0.5, 0.2, 1], "x_test": line(121), "ridge": 1e-3}
    return "/v1/predictions", body | {"kernel": {"architecture": mlp(2, name), "kind": "ntk"}, "covariance": "diagonal", "posterior": "ensemble"}


EXAMPLES = {
    **{f"depth 12 {name} on a line": ("/v1/kernels", {"architecture": mlp(12, name), "x1": line(121)}) for name in ("softplus", "erf", "tanh", "elu")},
    **{f"two images of 12 by 12, {name}": small_images(name) for name in ("elu", "selu", "relu", "tanh")},
    **{f"a posterior with {name}": posterior(name) for name in ("tanh", "gelu", "mish")},
    "a tiny network's training": tiny_training(20_000),
}


def maker(number: int):
    """The maker of a request by its number: each activation in its turn, then every kind as often as its weight says."""
    if number < len(ACTIVATIONS):
        name = ACTIVATIONS[number]
        return f"kernels of {name}", lambda rng, size: kernels(rng, size, name)
    rng = random.Random(number)
    kind = rng.choices(list(MAKERS), [weight for _, weight in MAKERS.values()])[0]
    return kind, MAKERS[kind][0]
