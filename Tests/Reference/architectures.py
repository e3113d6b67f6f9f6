"""Random architectures without habits: any order of layers that has a kernel, several activations in a row, parameters of any size."""

import math

CLOSED = [
    "relu", "leaky_relu", "ab_relu", "abs", "sign", "erf", "sigmoid_like", "gelu", "sin", "cos", "rbf", "exp", "exp_normalized", "gaussian",
    "gabor", "hermite", "monomial", "rectified_monomial", "polynomial",
]
NUMERICAL = ["tanh", "sigmoid", "softplus", "swish", "mish", "elu", "selu", "elementwise"]
EXPRESSIONS = ["x*tanh(x)", "sin(3*x)", "x*exp(-x^2)", "x/(1+x^2)", "max(x-0.3,0)", "min(max(x,-1),1)", "erf(x)*x", "abs(x-1)"]


class Drawing:
    """One architecture for inputs of a shape, drawn layer by layer while it is known what may follow."""

    def __init__(self, random, shape, channels, numerical):
        self.random, self.numerical = random, numerical
        self.nodes = None
        self.shape = shape
        state = {"shape": list(shape), "width": channels, "gaussian": False, "raw": True}
        layers, state = self.layers(state, random.randint(1, 9), depth=0)
        if state["shape"]:
            layers += [{"type": random.choice(["flatten", "global_avg_pool", "global_sum_pool"])}]
            gaussian = state["gaussian"] and layers[-1]["type"] != "flatten"
            state = state | {"shape": [], "gaussian": gaussian, "width": None if layers[-1]["type"] == "flatten" else state["width"]}
            more, state = self.layers(state, random.choice([0, 0, 1, 2, 3]), depth=0)
            layers += more
        if random.random() < 0.6 or not layers:
            layers += [self.dense(state)]
        self.architecture = {"type": "serial", "layers": layers}

    # Numbers.

    def std(self):
        r = self.random
        return r.choice([1, 1.4142135623730951, round(r.uniform(0.3, 2), 2), r.uniform(0.1, 3), 10 ** r.uniform(-3, 3) if r.random() < 0.3 else 1.2])

    def bias(self):
        r = self.random
        return r.choice([None, None, 0, r.uniform(0.05, 1), 10 ** r.uniform(-9, 1)])

    def weights(self, state, names=("w_std", "b_std")):
        layer = {names[0]: self.std()}
        bias = self.bias()
        if bias is not None:
            layer[names[1]] = bias
        if self.random.random() < 0.25:
            layer["width"] = self.random.randint(1, 64)
        if self.random.random() < 0.12 and state["width"]:
            layer["parameterization"] = "standard"
        if self.random.random() < 0.06:
            layer["trainable"] = False
        return layer

    def dense(self, state):
        return {"type": "dense"} | self.weights(state)

    # Layers.

    def layers(self, state, count, depth):
        result = []
        for _ in range(count):
            layer, after = self.layer(state, depth)
            if layer is not None:
                result.append(layer)
                # Dropout of the input has no kernel.
                state = after if layer["type"] == "identity" else after | {"raw": False}
        return result, state

    def layer(self, state, depth):
        r = self.random
        spatial = bool(state["shape"])
        choices = [("dense", 4), ("identity", 0.2), ("flatten", 0.15)]
        if state["gaussian"]:
            choices += [("activation", 7), ("layer_norm", 1)]
        if not state["raw"]:
            choices += [("dropout", 0.5)]
        if depth < 2:
            choices += [("residual", 0.8 if state["gaussian"] else 0), ("branches", 1), ("repeat", 0.4 if state["gaussian"] else 0)]
        if spatial:
            choices += [
                ("conv", 4), ("conv_local", 0.5), ("conv_transpose", 0.5), ("pool", 1), ("attention", 1), ("image_resize", 0.5), ("index", 0.4),
                ("dot_general", 0.4), ("aggregate", 0.6)]
        name = r.choices([name for name, _ in choices], [weight for _, weight in choices])[0]
        return getattr(self, "draw_" + name)(state, depth)

    def draw_dense(self, state, depth):
        layer = self.dense(state)
        return layer, state | {"gaussian": True, "width": layer.get("width")}

    def draw_identity(self, state, depth):
        return {"type": "identity"}, state

    def draw_flatten(self, state, depth):
        size = math.prod(state["shape"])
        return {"type": "flatten"}, state | {"shape": [], "gaussian": False, "width": state["width"] and state["width"] * size}

    def activation(self):
        r = self.random
        name = r.choice(NUMERICAL) if r.random() < self.numerical else r.choice(CLOSED + ["relu", "erf", "gelu"])
        layer = {"type": name}
        number = lambda low, high: round(r.uniform(low, high), 3)
        parameters = {
            "leaky_relu": {"alpha": number(-0.5, 1.2)}, "ab_relu": {"a": number(-2, 2), "b": number(-2, 2)},
            "erf": {"a": number(0.3, 2), "b": r.choice([1, number(0.1, 3)]), "c": r.choice([0, number(-1, 1)])},
            "sin": {"a": number(0.3, 2), "b": number(0.1, 3), "c": r.choice([0, number(-2, 2)])},
            "cos": {"a": number(0.3, 2), "b": number(0.1, 3), "c": r.choice([0, number(-2, 2)])},
            "rbf": {"gamma": number(0.05, 2)}, "exp": {"a": number(0.3, 2), "b": number(-0.7, 0.7)},
            "exp_normalized": {"gamma": number(0.1, 2), "shift": number(-1, 0)}, "gaussian": {"a": number(0.3, 2), "b": number(-2, -0.1)},
            "hermite": {"degree": r.randint(0, 5)}, "monomial": {"degree": r.randint(0, 5)}, "rectified_monomial": {"degree": r.randint(0, 5)},
            "polynomial": {"coefficients": [number(-1, 1) for _ in range(r.randint(1, 5))]}, "elu": {"alpha": number(0.3, 2)},
            "elementwise": {"expression": r.choice(EXPRESSIONS)},
        }
        return layer | parameters.get(name, {})

    def draw_activation(self, state, depth):
        return self.activation(), state | {"gaussian": False}

    def draw_layer_norm(self, state, depth):
        r = self.random
        layer = {"type": "layer_norm"}
        if r.random() < 0.6:
            layer["eps"] = r.choice([0, 1e-12, 1e-5, 0.1])
        axes = [axis + 1 for axis in range(len(state["shape"])) if r.random() < 0.3]
        if axes:
            layer["axes"] = axes + ["channel"]
        return layer, state

    def draw_dropout(self, state, depth):
        return {"type": "dropout", "keep_probability": round(self.random.uniform(0.3, 1), 2)}, state | {"gaussian": False}

    def block(self, state, depth):
        """Layers that keep the shape and end with weights."""
        layers = []
        inner = state
        for _ in range(self.random.randint(0, 2)):
            layer, after = self.layer(inner, depth + 1)
            if layer is not None and after["shape"] == state["shape"]:
                layers.append(layer)
                inner = after if layer["type"] == "identity" else after | {"raw": False}
        last = self.dense(inner) | ({"width": state["width"]} if state["width"] else {})
        if not state["width"]:
            last.pop("width", None)
        return layers + [last], inner | {"gaussian": True, "width": last.get("width")}

    def draw_residual(self, state, depth):
        layers, _ = self.block(state, depth)
        return {"type": "residual", "layers": layers}, state

    def draw_repeat(self, state, depth):
        layers, after = self.block(state | {"width": None}, depth)
        if any("parameterization" in str(layer) for layer in layers):
            return None, state
        return {"type": "repeat", "layer": {"type": "serial", "layers": layers}, "count": self.random.randint(1, 3)}, after

    def draw_branches(self, state, depth):
        r = self.random
        count = r.randint(2, 3)
        kind = r.choice(["fan_in_sum", "fan_in_prod", "fan_in_concat"])
        width = r.choice([None, r.randint(1, 9)])
        branches, states = [], []
        for _ in range(count):
            layers, inner = self.block(state | {"width": state["width"]}, depth)
            layers[-1].pop("width", None)
            if width:
                layers[-1]["width"] = width if kind != "fan_in_concat" else r.randint(1, 9)
            if kind != "fan_in_sum" and r.random() < 0.4:
                layers.append(self.activation())
            branches.append({"type": "serial", "layers": layers})
            states.append(layers[-1].get("width"))
        axis = r.randint(0, len(state["shape"]))
        join = {"type": kind}
        shape = list(state["shape"])
        ends = all(branch["layers"][-1]["type"] == "dense" for branch in branches)
        gaussian = kind == "fan_in_sum"
        if kind == "fan_in_concat":
            if axis > 0 and ends and math.prod(shape) * count <= 16:
                join["axis"] = axis
                shape[axis - 1] *= count
                for branch in branches:
                    branch["layers"][-1].pop("width", None)
                gaussian, width = True, None
            else:
                # The widths of activations are those before them.
                widths = [next(layer for layer in reversed(branch["layers"]) if layer["type"] == "dense").get("width") for branch in branches]
                width = sum(widths) if all(widths) else None
        layer = {"type": "serial", "layers": [{"type": "fan_out", "count": count}, {"type": "parallel", "branches": branches}, join]}
        return layer, state | {"gaussian": gaussian, "width": width, "shape": shape}

    # Positions.

    def window(self, state, largest=3):
        r = self.random
        filters = [r.randint(1, min(largest, n)) for n in state["shape"]]
        strides = [r.choice([1, 1, 2]) for _ in filters]
        padding = r.choice(["valid", "same", "circular"])
        return filters, strides, padding

    @staticmethod
    def extents(shape, filters, strides, padding):
        if padding == "valid":
            return [(n - w) // s + 1 for n, w, s in zip(shape, filters, strides)]
        return [-(-n // s) for n, s in zip(shape, strides)]

    def draw_conv(self, state, depth, name="conv"):
        filters, strides, padding = self.window(state)
        layer = {"type": name, "filter_shape": filters, "padding": padding} | self.weights(state)
        if any(s > 1 for s in strides):
            layer["strides"] = strides
        return layer, state | {"shape": self.extents(state["shape"], filters, strides, padding), "gaussian": True, "width": layer.get("width")}

    def draw_conv_local(self, state, depth):
        return self.draw_conv(state, depth, "conv_local")

    def draw_conv_transpose(self, state, depth):
        filters, strides, padding = self.window(state)
        if padding == "valid":
            shape = [(n - 1) * s + 1 + w + s - 2 + max(w - s, 0) - w + 1 for n, w, s in zip(state["shape"], filters, strides)]
        else:
            shape = [n * s for n, s in zip(state["shape"], strides)]
        if math.prod(shape) > 16:
            return None, state
        layer = {"type": "conv_transpose", "filter_shape": filters, "strides": strides, "padding": padding} | self.weights(state)
        return layer, state | {"shape": shape, "gaussian": True, "width": layer.get("width")}

    def draw_pool(self, state, depth):
        filters, strides, padding = self.window(state, 2)
        layer = {"type": self.random.choice(["avg_pool", "sum_pool"]), "window_shape": filters, "strides": strides, "padding": padding}
        if layer["type"] == "avg_pool" and self.random.random() < 0.3:
            layer["normalize_edges"] = True
        return layer, state | {"shape": self.extents(state["shape"], filters, strides, padding)}

    def draw_attention(self, state, depth):
        r = self.random
        layer = {"type": "global_self_attention", "heads": r.randint(1, 3)}
        for name in ("w_key_std", "w_query_std", "w_value_std", "w_out_std"):
            if r.random() < 0.4:
                layer[name] = round(r.uniform(0.3, 1.5), 2)
        if r.random() < 0.4:
            layer["b_std"] = round(r.uniform(0, 1), 2)
        if r.random() < 0.35:
            layer |= {"linear_scaling": False, "mechanism": "identity"}
        else:
            layer["mechanism"] = r.choice(["softmax", "softmax", "identity", "abs", "relu"])
        kind = r.choice(["none", "none", "sum", "concat"])
        if kind != "none" and (kind == "sum" or state["width"]):
            layer["positional_embedding"] = kind
            if r.random() < 0.5:
                layer["value_positional_embedding"] = True
            if r.random() < 0.5:
                layer |= {"positional_decay": round(r.uniform(0.01, 1), 2), "positional_p_norm": r.choice([1, 2])}
            if r.random() < 0.3:
                layer["w_positional_std"] = round(r.uniform(0.2, 2), 2)
        return layer, state | {"gaussian": True, "width": None}

    def draw_image_resize(self, state, depth):
        r = self.random
        shape = [r.randint(1, 4) if r.random() < 0.7 else -1 for _ in state["shape"]]
        after = [old if new == -1 else new for old, new in zip(state["shape"], shape)]
        if math.prod(after) > 16:
            return None, state
        layer = {"type": "image_resize", "shape": [-1, *shape, -1], "method": r.choice(["nearest", "linear"])}
        if r.random() < 0.3:
            layer["antialias"] = False
        return layer, state | {"shape": after}

    def draw_index(self, state, depth):
        r = self.random
        entries, shape = [], []
        for n in state["shape"]:
            kind = r.random()
            if kind < 0.2:
                entries.append(r.randint(-n, n - 1))
            elif kind < 0.6:
                step = r.choice([1, 2, -1])
                entries.append({"step": step} | ({"start": r.randint(0, n - 1)} if r.random() < 0.5 else {}))
                shape.append(len(range(n)[slice(entries[-1].get("start"), None, step)]))
            else:
                entries.append(None)
                shape.append(n)
        return {"type": "index", "idx": [None, *entries]}, state | {"shape": shape}

    def draw_dot_general(self, state, depth):
        r = self.random
        axis = r.randint(1, len(state["shape"]))
        free = r.randint(1, 3)
        size = state["shape"][axis - 1]
        shape = [n for i, n in enumerate(state["shape"]) if i != axis - 1] + [free]
        if math.prod(shape) > 16:
            return None, state
        matrix = [[round(r.gauss(0, 1), 2) for _ in range(free)] for _ in range(size)]
        return {"type": "dot_general", "rhs": matrix, "lhs_contracting": [axis], "rhs_contracting": [0]}, state | {"shape": shape}

    def draw_aggregate(self, state, depth):
        nodes = math.prod(state["shape"])
        # Two nodes' adjacencies look like lists of edges unless the input has an axis of two.
        if self.nodes not in (None, nodes) or nodes == 2 and 2 not in self.shape:
            return None, state
        self.nodes = nodes
        return {"type": "aggregate"}, state
