"""Builds a neural-tangents stax network from this project's architecture JSON.

The architecture grammar is the one of openapi.yaml. Needs the versions pinned in
requirements.txt: neural-tangents 0.6.5 does not import with a current JAX.
"""
import neural_tangents_without_tensorflow  # noqa: F401  (first)
import numpy as np
from neural_tangents import stax


def _axis(layer):
    return {"channel": -1}.get(layer.get("axis", "channel"), layer.get("axis"))


def _strides(layer):
    return tuple(layer["strides"]) if layer.get("strides") else None


def _weights(layer):
    p = layer.get("parameterization", "ntk")
    return dict(W_std=layer.get("w_std", 1.0), b_std=layer.get("b_std"), parameterization=p)


def build(layer, width=16):
    """Returns (init_fn, apply_fn, kernel_fn) for one architecture node.

    `width` is the finite width given to layers that state none; the analytic kernel ignores it
    in the 'ntk' parameterization. In the 'standard' one, dense and conv pass s = (s_in, s_out).
    """
    t = layer["type"]
    w = layer.get("width", width)
    if t == "serial":
        return stax.serial(*[build(l, width) for l in layer["layers"]])
    if t == "parallel":
        return stax.parallel(*[build(l, width) for l in layer["branches"]])
    if t == "repeat":
        return stax.repeat(build(layer["layer"], width), layer["count"])
    if t == "residual":
        return stax.serial(
            stax.FanOut(2),
            stax.parallel(stax.serial(*[build(l, width) for l in layer["layers"]]), stax.Identity()),
            stax.FanInSum())
    if t == "fan_out":
        return stax.FanOut(layer["count"])
    if t == "fan_in_sum":
        return stax.FanInSum()
    if t == "fan_in_prod":
        return stax.FanInProd()
    if t == "fan_in_concat":
        return stax.FanInConcat(layer.get("axis", -1))
    if t == "identity":
        return stax.Identity()
    if t == "dense":
        return stax.Dense(w, **_weights(layer))
    if t == "mlp":
        hidden = [{"type": "dense", "w_std": layer.get("w_std", 1.0), "b_std": layer.get("b_std")},
                  {"type": layer["activation"]}] * layer["depth"]
        last = {"type": "dense", "w_std": layer.get("last_w_std", layer.get("w_std", 1.0)), "b_std": layer.get("b_std")}
        return build({"type": "serial", "layers": hidden + [last]}, width)
    if t in ("conv", "conv_local", "conv_transpose"):
        f = {"conv": stax.Conv, "conv_local": stax.ConvLocal, "conv_transpose": stax.ConvTranspose}[t]
        return f(w, tuple(layer["filter_shape"]), strides=_strides(layer),
                 padding=layer.get("padding", "valid").upper(), **_weights(layer))
    if t == "avg_pool":
        return stax.AvgPool(tuple(layer["window_shape"]), _strides(layer),
                            layer.get("padding", "valid").upper(),
                            normalize_edges=layer.get("normalize_edges", False))
    if t == "sum_pool":
        return stax.SumPool(tuple(layer["window_shape"]), _strides(layer),
                            layer.get("padding", "valid").upper())
    if t == "global_avg_pool":
        return stax.GlobalAvgPool()
    if t == "global_sum_pool":
        return stax.GlobalSumPool()
    if t == "flatten":
        return stax.Flatten()
    if t == "layer_norm":
        a = layer.get("axes", ["channel"])
        return stax.LayerNorm(tuple(-1 if x == "channel" else x for x in a), eps=layer.get("eps", 1e-12))
    if t == "dropout":
        return stax.Dropout(layer["keep_probability"], mode=layer.get("mode", "train"))
    if t == "image_resize":
        return stax.ImageResize(tuple(layer["shape"]), method=layer["method"],
                                antialias=layer.get("antialias", True))
    if t == "global_self_attention":
        return stax.GlobalSelfAttention(
            w, w, w, layer.get("heads", 1), linear_scaling=layer.get("linear_scaling", True),
            W_key_std=layer.get("w_key_std", 1.0), W_value_std=layer.get("w_value_std", 1.0),
            W_query_std=layer.get("w_query_std", 1.0), W_out_std=layer.get("w_out_std", 1.0),
            b_std=layer.get("b_std"), attention_mechanism=layer.get("mechanism", "softmax").upper(),
            pos_emb_type=layer.get("positional_embedding", "none").upper(),
            pos_emb_p_norm=layer.get("positional_p_norm", 2),
            W_pos_emb_std=layer.get("w_positional_std", 1.0),
            val_pos_emb=layer.get("value_positional_embedding", False))
    g = layer.get
    activations = {
        "relu": lambda: stax.Relu(),
        "leaky_relu": lambda: stax.LeakyRelu(g("alpha", 0.01)),
        "ab_relu": lambda: stax.ABRelu(layer["a"], layer["b"]),
        "abs": lambda: stax.Abs(),
        "sign": lambda: stax.Sign(),
        "erf": lambda: stax.Erf(g("a", 1.0), g("b", 1.0), g("c", 0.0)),
        "sigmoid_like": lambda: stax.Sigmoid_like(),
        "gelu": lambda: stax.Gelu(g("approximate", False)),
        "sin": lambda: stax.Sin(g("a", 1.0), g("b", 1.0), g("c", 0.0)),
        "cos": lambda: stax.Cos(g("a", 1.0), g("b", 1.0), g("c", 0.0)),
        "rbf": lambda: stax.Rbf(g("gamma", 1.0)),
        "exp": lambda: stax.Exp(g("a", 1.0), g("b", 1.0)),
        "exp_normalized": lambda: stax.ExpNormalized(g("gamma", 1.0), g("shift", -1.0)),
        "gaussian": lambda: stax.Gaussian(g("a", 1.0), g("b", -1.0)),
        "gabor": lambda: stax.Gabor(),
        "hermite": lambda: stax.Hermite(layer["degree"]),
        "monomial": lambda: stax.Monomial(layer["degree"]),
        "rectified_monomial": lambda: stax.RectifiedMonomial(layer["degree"]),
        "polynomial": lambda: stax.Polynomial(layer["coefficients"]),
    }
    if t in activations:
        return activations[t]()
    raise ValueError(f"no stax layer for {t!r}")


def kernel(architecture, x1, x2=None, get=("nngp", "ntk")):
    """NNGP and NTK of `architecture` on float64 inputs; dict of arrays of shape (n1, n2)."""
    _, _, kernel_fn = build(architecture)
    k = kernel_fn(np.asarray(x1, np.float64), None if x2 is None else np.asarray(x2, np.float64), get)
    return {name: np.asarray(getattr(k, name)) for name in get}
