"""Architectures whose shapes fit each other."""
from .numbers import Numbers

ACTIVATIONS = ["relu", "erf", "gelu", "sin", "cos", "exp", "gaussian", "gabor", "sign", "abs", "tanh", "sigmoid", "softplus", "swish", "elu", "selu", "mish", "rbf",
               "exp_normalized", "leaky_relu"]


class Architectures:
    """Layers for points of given extents: infinite ones, or those of networks, which have widths."""

    def __init__(self, numbers: Numbers):
        self.numbers, self.rng = numbers, numbers.rng

    def architecture(self, extents: list[int], is_network: bool) -> dict:
        rng, layers = self.rng, []
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            layers += self.block(extents, is_network, 0)
        if extents:
            layers.append({"type": rng.choice(["flatten", "global_avg_pool", "global_sum_pool"])})
        layers.append(self.linear({"type": "dense"}, is_network, last=True))
        return {"type": "serial", "layers": layers}

    def linear(self, layer: dict, is_network: bool, last: bool = False) -> dict:
        if is_network or self.rng.random() < 0.1:
            layer["width"] = 1 if last else self.numbers.integer(1, 6)
        return {**layer, **self.numbers.some(w_std=self.numbers.number(), b_std=self.numbers.number(), parameterization=self.rng.choice(["ntk", "standard"]))}

    def block(self, extents: list[int], is_network: bool, depth: int) -> list[dict]:
        """Some layers; `extents` become those after them."""
        rng = self.rng
        activation = {"type": rng.choice(ACTIVATIONS)}
        if depth < 2 and rng.random() < 0.15:
            inner = self.block(list(extents), is_network, depth + 1) if rng.random() < 0.3 else [activation, self.linear({"type": "dense"}, is_network)]
            return [self.linear({"type": "dense"}, is_network), rng.choice([
                {"type": "residual", "layers": inner}, {"type": "repeat", "count": self.numbers.integer(0, 3), "layer": {"type": "serial", "layers": inner}}])]
        if depth < 2 and rng.random() < 0.1:
            branches = [{"type": "serial", "layers": [activation, self.linear({"type": "dense"}, is_network)]} for _ in range(rng.choice([2, 3]))]
            return [self.linear({"type": "dense"}, is_network), {"type": "fan_out", "count": len(branches)}, {"type": "parallel", "branches": branches},
                    {"type": rng.choice(["fan_in_sum", "fan_in_prod", "fan_in_concat"])}, self.linear({"type": "dense"}, is_network)]
        if not extents or rng.random() < 0.3:
            extra = [{"type": "dropout", "keep_probability": 0.5}] if rng.random() < 0.1 else []
            norm = [{"type": "layer_norm", "axes": ["channel"]}] if rng.random() < 0.1 else []
            return [self.linear({"type": "dense"}, is_network), *norm, activation, *extra]
        sizes = [self.numbers.integer(1, 3) for _ in extents]
        padding = rng.choice(["same", "circular", "valid"])
        match rng.choice(["conv", "conv", "conv_local", "conv_transpose", "avg_pool", "sum_pool", "image_resize", "global_self_attention", "dot_general", "index"]):
            case "conv" | "conv_local" | "conv_transpose" as name:
                layer = self.linear({"type": name, "filter_shape": sizes, "padding": padding, **self.numbers.some(strides=[self.numbers.integer(1, 2) for _ in extents])}, is_network)
                return [layer, activation]
            case "avg_pool" | "sum_pool" as name:
                return [{"type": name, "window_shape": sizes, "padding": padding, **self.numbers.some(strides=sizes)}]
            case "image_resize":
                return [{"type": "image_resize", "shape": [-1, *[self.numbers.integer(1, 8) for _ in extents], -1], "method": rng.choice(["linear", "nearest"])}]
            case "global_self_attention":
                return [self.linear({"type": "global_self_attention", **self.numbers.some(
                    linear_scaling=False, mechanism="identity", positional_embedding="sum", heads=self.numbers.integer(1, 2))}, is_network)]
            case "dot_general":
                return [{"type": "dot_general", "rhs": self.numbers.array([extents[0], self.rng.choice([1, 2, 3])]), "lhs_contracting": [1], "rhs_contracting": [0]}]
            case _:
                return [{"type": "index", "idx": [None, {"start": self.numbers.integer(0, 1), "stop": self.numbers.integer(1, 5)}]}]
