"""The corpus: requests to every endpoint, of every layer, in every form, good ones and bad ones, always the same."""
import json
import pathlib
import random
import sys
import zipfile

import yaml

from forms import JSON, Request, get, multipart, npy, npz, post, safetensors, without

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("OpenAPI", "Estimates", "Reference"):
    sys.path.append(str(ROOT / "Tests" / folder))

import architectures  # noqa: E402
import examples  # noqa: E402
import random_requests  # noqa: E402

DOCUMENT = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
GOLDEN = ROOT / "Tests" / "NTKServiceTests" / "Golden"
COMPUTING = ["kernels", "predictions", "dynamics", "spectra", "empirical-kernels", "network-outputs", "gradient-features", "convergence", "trainings"]


def example(path: str, name: str | None = None) -> dict:
    """A request of the document: the first one that is sound."""
    [operation] = [o for o in examples.operations(DOCUMENT) if o.path == path and o.method == "post"]
    for key, (media_type, node) in examples.request_examples(DOCUMENT, operation).items():
        if media_type == JSON and not node.get("x-invalid") and name in (None, key):
            return node["value"]
    raise KeyError(path)


def described() -> list[Request]:
    """The examples of the document that need nothing that was made before."""
    requests = []
    for case in examples.paired_cases(DOCUMENT) + examples.error_cases(DOCUMENT):
        if "{" in case.target:
            continue
        body = b"" if case.body is None else case.body.encode() if isinstance(case.body, str) else json.dumps(case.body).encode()
        # A job's id follows from its key.
        headers = list(case.headers.items())
        if any(name.lower() == "prefer" for name, _ in headers) and "Idempotency-Key" not in case.headers:
            headers.append(("Idempotency-Key", f"example {len(requests)}"))
        documents = ("/openapi", "/docs", "/page")
        requests.append(Request(
            f"document: {case.name}", case.method, case.target, headers, body, is_document=case.target == "/" or case.target.startswith(documents)))
    return requests


def random_work() -> list[Request]:
    """Of every kind that computes, in every form of an answer."""
    requests = []
    for number in range(190):
        kind, make = random_requests.maker(number)
        rng = random.Random(f"corpus {number}")
        path, body = make(rng, rng.randint(3, 8))
        if path.endswith("/{}/predictions"):
            fit = body.pop("fit")
            few = fit | {"x_train": fit["x_train"][:12], "y_train": fit["y_train"][:12]}
            made = post(f"random {number}: regressor", "/v1/regressors", few)
            made.captures = {"random": "id"}
            requests.append(made)
            path = path.format("<<random>>")
        if path == "/v1/trainings":
            body["steps"] = sorted({min(step, 40) for step in body["steps"]})
        fields = rng.choice([{}, {}, {"Accept": "application/x-npz"}, {"Accept": "application/x-npy, application/json;q=0.5"}])
        query = rng.choice(["", "", "", "?format=json", "?format=npz", "?estimate_only=true"]) if path != "/v1/regressors" else ""
        requests.append(post(f"random {number}: {kind}", path + query, body, **fields))
    return requests


def random_architectures() -> list[Request]:
    """Any order of layers, most of which have a kernel and some of which have none."""
    requests = []
    for number in range(150):
        rng = random.Random(f"architecture {number}")
        shape = [rng.randint(1, 4) for _ in range(rng.choice([0, 0, 1, 1, 2]))]
        channels = rng.randint(1, 3)
        drawing = architectures.Drawing(rng, shape, channels, 0.3)
        body = {"architecture": drawing.architecture, "x1": random_requests.points(rng, 3, *shape, channels), "kinds": ["nngp", "ntk"]}
        if drawing.nodes:
            nodes = drawing.nodes
            body["pattern1"] = [[[rng.randint(0, 1) for _ in range(nodes)] for _ in range(nodes)] for _ in range(3)]
        if rng.random() < 0.2:
            body["precision"] = "float32"
        requests.append(post(f"architecture {number}", "/v1/kernels", body))
    return requests


def golden() -> list[Request]:
    requests = []
    for file in ("kernels", "positions", "architectures", "empirical", "numeric_cases"):
        cases = json.loads((GOLDEN / f"{file}.json").read_text())
        for number, case in enumerate(cases["cases"] if isinstance(cases, dict) else cases):
            if file == "empirical":
                path, body = "/v1/empirical-kernels", {"network": case["network"], "x1": case["x1"], "x2": case["x2"], "outputs": "full"}
            elif "body" in case:
                path, body = case.get("path", "/v1/kernels"), case["body"]
            else:
                fields = ("architecture", "x1", "x2", "pattern1", "pattern2", "data_format", "diagonal")
                path, body = "/v1/kernels", {"kinds": ["nngp", "ntk"]} | {name: case[name] for name in fields if name in case}
            requests.append(post(f"golden {file} {number}", path, body))
    return requests


def changed_examples() -> list[Request]:
    """Each field of each example left out, made null, of another type, and one too many."""
    requests = []
    for operation in examples.operations(DOCUMENT):
        if operation.method != "post" or "{" in operation.path or operation.path.startswith("/v2"):
            continue
        body = example(operation.path)
        for name in body:
            values = {"null": None, "word": "word", "empty": [], "number": -1}
            for kind, value in values.items():
                requests.append(post(f"changed {operation.path} {name} {kind}", operation.path, body | {name: value}))
            requests.append(post(f"changed {operation.path} {name} missing", operation.path, without(body, name)))
        requests.append(post(f"changed {operation.path} one too many", operation.path, body | {"one_too_many": 1}))
    return requests


def bad_layers() -> list[Request]:
    """Layers with fields that they do not have, or whose values mean nothing."""
    layers = [
        {}, {"type": "none"}, {"type": 1}, {"type": None}, {"type": "dense", "width": 0}, {"type": "dense", "width": 1.5}, {"type": "dense", "w_std": "1"},
        {"type": "dense", "parameterization": "other"}, {"type": "dense", "bias": True}, {"type": "dense", "bias": False, "b_std": 1}, {"type": "dense", "b_std": -1},
        {"type": "dense", "trainable": 1}, {"type": "serial"}, {"type": "serial", "layers": {}}, {"type": "serial", "layers": []}, {"type": "serial", "layers": [1]},
        {"type": "repeat", "layer": {"type": "dense"}}, {"type": "repeat", "layer": {"type": "dense"}, "count": -1}, {"type": "fan_out", "count": 0},
        {"type": "fan_in_concat", "axis": "rows"}, {"type": "conv"}, {"type": "conv", "filter_shape": [0]}, {"type": "conv", "filter_shape": [2], "padding": "none"},
        {"type": "conv", "filter_shape": 2}, {"type": "avg_pool", "window_shape": [2], "strides": [0]}, {"type": "sum_pool", "window_shape": [1], "normalize_edges": True},
        {"type": "layer_norm", "axes": "channel"}, {"type": "layer_norm", "axes": ["rows"]}, {"type": "layer_norm", "eps": -1}, {"type": "dropout"},
        {"type": "dropout", "keep_probability": 0}, {"type": "dropout", "keep_probability": 0.5, "mode": "never"}, {"type": "global_self_attention", "heads": 0},
        {"type": "aggregate", "axes": [100]}, {"type": "image_resize", "shape": [1]}, {"type": "image_resize", "method": "linear", "shape": [-2]},
        {"type": "index"}, {"type": "index", "idx": [None, "all"]}, {"type": "index", "idx": [None, {"step": 0}]}, {"type": "dot_general"},
        {"type": "dot_general", "lhs": [[1]], "rhs": [[1]]}, {"type": "mlp"}, {"type": "mlp", "depth": 1, "activation": "none"}, {"type": "mlp", "depth": 1.5},
        {"type": "mlp", "depth": 1, "activation": {"type": "elu", "beta": 1}}, {"type": "mlp", "depth": 2, "outputs": 3, "bias": True, "parameterization": "standard"},
        {"type": "hermite"}, {"type": "hermite", "degree": 31}, {"type": "rbf", "gamma": -1}, {"type": "polynomial", "coefficients": []},
        {"type": "polynomial", "coefficients": [[1]]}, {"type": "elementwise", "expression": "x+"}, {"type": "elementwise"}, {"type": "elementwise", "expression": 1},
        {"type": "ab_relu", "a": 1}, {"type": "gelu", "approximate": "yes"}, {"type": "leaky_relu", "beta": 1}, {"type": "erf", "a": None},
    ]
    requests = []
    for number, layer in enumerate(layers):
        serial = {"type": "serial", "layers": [{"type": "dense", "width": 4}, layer]}
        requests.append(post(f"bad layer {number}", "/v1/kernels", {"architecture": serial, "x1": [[1, 2], [0.5, -1]]}))
        requests.append(post(f"bad layer {number} of a network", "/v1/networks", {"architecture": serial, "initialization": {"seed": 1}, "input_shape": [2]}))
    return requests


def forms() -> list[Request]:
    """One prediction and one network in each form of a body and of an answer."""
    rest = {"kernel": {"architecture": {"type": "mlp", "depth": 1, "b_std": 0.1}}, "ridge": 0.01}
    arrays = {"x_train": [[0.5, 1], [-1, 2], [0.25, -3]], "y_train": [1, -1, 0.5], "x_test": [[0, 1], [1, 1]]}
    whole = rest | arrays
    bodies = {
        "json": (JSON, json.dumps(whole).encode()),
        "shape and data": (JSON, json.dumps(whole | {"x_test": {"shape": [2, 2], "data": [0, 1, 1, 1]}}).encode()),
        "charset": ("Application/JSON; charset=utf-8", json.dumps(whole).encode()),
        "npz": ("application/x-npz", npz(arrays, rest)),
        "npz deflated": ("application/x-npz", npz(arrays, rest, zipfile.ZIP_DEFLATED)),
        "npz without meta": ("application/x-npz", npz(arrays)),
        "npz damaged": ("application/x-npz", npz(arrays, rest)[:-30]),
        "no npz": ("application/x-npz", b"PK"),
        "npy": ("application/x-npy", npy(arrays["x_test"])),
        "safetensors": ("application/x-safetensors", safetensors(arrays)),
        "text": ("text/plain", b"x"),
        "nothing": (JSON, b""),
        "no json": (JSON, b"{"),
        "twice": (JSON, json.dumps(whole)[:-1].encode() + b', "ridge": 1}'),
        "nan": (JSON, json.dumps(whole | {"ridge": float("nan")}).encode()),
        "array": (JSON, b"[1]"),
        "utf-16": (JSON, json.dumps(whole).encode("utf-16")),
    }
    parts = [(name, None, npy(values)) for name, values in arrays.items()]
    request = ("request", JSON, json.dumps(rest).encode())
    for name, chosen in {
        "multipart": [request, *parts], "multipart unordered": [*parts, request], "multipart without request": parts, "multipart, a field twice": [request, *parts, parts[0]],
        "multipart, request twice": [request, request, *parts], "multipart, in both": [("request", JSON, json.dumps(whole).encode()), *parts],
        "multipart, an array as JSON": [request, *parts[:2], ("x_test", JSON, b"[[0,1],[1,1]]")], "multipart, float32": [request, *parts[:2], ("x_test", None, npy(arrays["x_test"], ">f4"))],
        "multipart, Fortran order": [request, *parts[:2], ("x_test", None, npy(arrays["x_test"], "<i8", "F"))], "multipart, text": [request, *parts[:2], ("x_test", None, b"0,1")],
        "multipart, an unknown part": [request, *parts, ("more", None, npy([1]))], "multipart, empty": [], "multipart, kernel in parts": [*parts, ("kernel.architecture", JSON, b'{"type":"dense"}')],
    }.items():
        bodies[name] = multipart(*chosen)
    requests = [post(f"form {name}", "/v1/predictions", body, Content_Type=kind) for name, (kind, body) in bodies.items()]
    for path in COMPUTING:
        sound = example(f"/v1/{path}")
        for form in ("json", "npy", "npz", "NPZ", "xml", ""):
            requests.append(post(f"answer {path} format={form}", f"/v1/{path}?format={form}", sound))
        for accept in ("application/x-npy", "application/x-npz", "*/*;q=0.1", "text/html", "application/*", "application/x-npz;q=0, */*"):
            requests.append(post(f"answer {path} {accept}", f"/v1/{path}", sound, Accept=accept))
        requests.append(post(f"estimate {path}", f"/v1/{path}?estimate_only=true", sound))
        requests.append(post(f"gzip {path}", f"/v1/{path}", sound, Accept_Encoding="gzip"))
    weights = {"0.weight": [[1, 2], [3, 4], [5, 6]], "0.bias": [0.1, 0.2, 0.3]}
    architecture = {"type": "serial", "layers": [{"type": "dense", "width": 3}]}
    whole = {"architecture": architecture, "parameters": weights}
    bodies = {
        "json": (JSON, json.dumps(whole).encode()), "npz": ("application/x-npz", npz(weights, {"architecture": architecture})),
        "safetensors": ("application/x-safetensors", safetensors(weights, {"architecture": json.dumps(architecture)})),
        "octets": ("application/octet-stream", safetensors(weights, {"architecture": json.dumps(architecture), "input_shape": "[2]"})),
        "multipart": multipart(("request", JSON, json.dumps({"architecture": architecture}).encode()), ("parameters", None, safetensors(weights))),
        "multipart of arrays": multipart(("request", JSON, json.dumps({"architecture": architecture}).encode()), *[(f"parameters.{name}", None, npy(value)) for name, value in weights.items()]),
        "octets without an architecture": ("application/octet-stream", safetensors(weights)), "octets that are nothing": ("application/octet-stream", b"nothing"),
    }
    return requests + [post(f"network form {name}", "/v1/networks", body, Content_Type=kind) for name, (kind, body) in bodies.items()]
