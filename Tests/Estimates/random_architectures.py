"""Random architectures: any activation, any layer, on vectors and on points with positions."""
SIMPLE = ["relu", "leaky_relu", "abs", "sign", "erf", "sigmoid_like", "gelu", "sin", "cos", "rbf", "exp_normalized", "gabor"]
NUMERICAL = ["tanh", "sigmoid", "softplus", "swish", "elu", "selu", "mish"]
PARAMETERS = {
    "ab_relu": lambda rng: {"a": rng.uniform(-1, 1), "b": rng.uniform(-1, 1)},
    "exp": lambda rng: {"a": 0.5, "b": 0.3},
    "gaussian": lambda rng: {"a": 1, "b": -0.5},
    "hermite": lambda rng: {"degree": rng.randint(1, 6)},
    "monomial": lambda rng: {"degree": rng.randint(1, 3)},
    "rectified_monomial": lambda rng: {"degree": rng.randint(0, 3)},
    "polynomial": lambda rng: {"coefficients": [round(rng.uniform(-0.3, 0.3), 3) for _ in range(rng.randint(2, 4))]},
    "elementwise": lambda rng: {"expression": rng.choice(["x*tanh(log(1+exp(x)))", "max(x,0.3*x)", "sin(x)+0.1*x", "1/(1+exp(-x))", "abs(x-1)"])},
}
ACTIVATIONS = SIMPLE + NUMERICAL + list(PARAMETERS)


def activation(rng, name=None) -> dict:
    name = name or rng.choice(ACTIVATIONS)
    return {"type": name} | PARAMETERS.get(name, lambda _: {})(rng)


def points(rng, count, *shape) -> list:
    if not shape:
        return [round(rng.gauss(0, 1), 4) for _ in range(count)]
    return [points(rng, shape[0], *shape[1:]) for _ in range(count)]


def dense(rng, width=None) -> dict:
    layer = {"type": "dense", "w_std": round(rng.uniform(0.8, 1.5), 3)}
    if rng.random() < 0.5:
        layer["b_std"] = 0.1
    return layer | ({"width": width} if width else {})


def block(rng, width=None) -> list:
    """Some layers from vectors to a Gaussian."""
    kind = rng.randrange(6)
    own = [activation(rng), dense(rng, width)]
    if kind == 0:
        return [{"type": "residual", "layers": own}]
    if kind == 1:
        fan_in = rng.choice(["fan_in_sum", "fan_in_prod"] if width is None else ["fan_in_sum"])
        branches = [{"type": "serial", "layers": [activation(rng), dense(rng, width)]}, {"type": "identity"}]
        return [{"type": "fan_out", "count": 2}, {"type": "parallel", "branches": branches}, {"type": fan_in}, dense(rng, width)]
    if kind == 2 and width is None:
        return [{"type": "layer_norm"}, *own]
    if kind == 3 and width is None:
        return [own[0], {"type": "dropout", "keep_probability": 0.8}, own[1]]
    return own


def vectors(rng, width=None, name=None, depth=None) -> dict:
    """An architecture on vectors."""
    if name is None and width is None and rng.random() < 0.3:
        return {"type": "mlp", "depth": rng.randint(1, 8), "activation": activation(rng), "w_std": 1.2, "b_std": 0.1}
    layers = [dense(rng, width)]
    for _ in range(depth or rng.randint(1, 3)):
        layers += [activation(rng, name), dense(rng, width)] if name else block(rng, width)
    return {"type": "serial", "layers": layers}


def conv(rng, axes, width=None, type="conv") -> dict:
    layer = {"type": type, "filter_shape": [rng.randint(2, 3)] * axes, "w_std": 1.2, "padding": "same" if type == "conv" else "valid"}
    return layer | ({"width": width} if width else {})


def images(rng, width=None, name=None) -> tuple[dict, tuple]:
    """An architecture on points with positions, and their shape."""
    axes = rng.choice([1, 2])
    extent = rng.randint(8, 20) if axes == 1 else rng.randint(4, 9)
    shape = (extent,) * axes + (rng.randint(1, 3),)
    layers = [conv(rng, axes, width)]
    for _ in range(rng.randint(1, 2)):
        layers += [activation(rng, name), conv(rng, axes, width)]
    kind = rng.randrange(9)
    if kind == 0:
        layers += [activation(rng, name), conv(rng, axes, width, "conv_local")]
    elif kind == 1:
        layers += [{"type": rng.choice(["avg_pool", "sum_pool"]), "window_shape": [2] * axes, "strides": [2] * axes}]
    elif kind == 2:
        attention = {"type": "global_self_attention", "linear_scaling": rng.random() < 0.5, "w_out_std": 1.1}
        layers += [attention | ({"width": width, "heads": 1} if width else {})]
    elif kind == 3:
        layers += [activation(rng, name), conv(rng, axes, width, "conv_transpose")]
    elif kind == 4:
        layers += [{"type": "image_resize", "shape": [-1, *[extent + 3] * axes, -1], "method": rng.choice(["nearest", "linear"])}]
    elif kind == 5:
        layers = [conv(rng, axes, width), {"type": "residual", "layers": [activation(rng, name), conv(rng, axes, width)]}]
    elif kind == 6:
        layers += [{"type": "layer_norm"}]
    elif kind == 7:
        idx = [None, *[{"start": 0, "stop": extent, "step": 2}] * axes, None]
        layers += [{"type": "index", "idx": idx}]
    layers += [{"type": rng.choice(["flatten", "global_avg_pool", "global_avg_pool"])}, dense(rng, 1 if width else None)]
    return {"type": "serial", "layers": layers}, shape


def architecture(rng, name=None) -> tuple[dict, tuple]:
    if rng.random() < 0.3:
        return images(rng, name=name)
    return vectors(rng, name=name), (rng.choice([1, 1, 2, 3, 10, 60]),)


def network(rng, outputs=1) -> tuple[dict, tuple]:
    width = rng.choice([8, 32, 128, 256])
    if rng.random() < 0.3:
        tree, shape = images(rng, width=min(width, 16), name=finite(rng))
        tree["layers"][-1]["width"] = outputs
    else:
        tree, shape = vectors(rng, width=width, name=finite(rng)), (rng.choice([1, 3, 20]),)
        tree["layers"].append({"type": "dense", "width": outputs} if tree["layers"][-1]["type"] != "dense" else {"type": "identity"})
        last = [layer for layer in tree["layers"] if layer["type"] == "dense"][-1]
        last["width"] = outputs
    return {"architecture": tree, "initialization": {"seed": rng.randrange(1000)}}, shape


def finite(rng) -> str:
    return rng.choice([name for name in ACTIVATIONS if name not in ("exp_normalized", "monomial", "polynomial", "exp", "gaussian", "hermite")])
