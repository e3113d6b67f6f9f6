"""Random requests to every endpoint: sound ones, sound but for one absurd number, and ones that are only nearly of the right form.

What the document describes is generated from it, so that a new endpoint, field or layer is met without a change here; networks whose shapes fit
each other, which a schema cannot say, are put together by hand.
"""
import gzip
import io
import json
import random
import struct
import zipfile
from dataclasses import dataclass, field

import numpy

POWERS = [1 << k for k in range(64)]
ABSURD = [0, -1, *POWERS, *[power - 1 for power in POWERS], *[power + 1 for power in POWERS], 1 << 64, -(1 << 63), 1e308, -1e308, 5e-324, 1e-300, 0.5, -0.0, 1e15,
          1e-9, 1e19]
WORDS = ["", "x", "a.b", "relu", "\u00e9", "\ud7ff", "x" * 300, "0", "null"]
ACTIVATIONS = ["relu", "erf", "gelu", "sin", "cos", "exp", "gaussian", "gabor", "sign", "abs", "tanh", "sigmoid", "softplus", "swish", "elu", "selu", "mish", "rbf",
               "exp_normalized", "leaky_relu"]
# What answers at once or streams without an end, and what would end what is tested.
LEFT_OUT = {"/v1/jobs/{id}/events"}


@dataclass
class Request:
    method: str
    target: str
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def message(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in self.fields.items())]
        if self.body or self.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    @property
    def timeout(self) -> float:
        """Seconds within which an answer must come."""
        return float(self.fields.get("Request-Timeout", 35))


class Generator:
    def __init__(self, document: dict):
        self.document = document
        self.operations = [
            (method.upper(), path, operation) for path, operations in document["paths"].items() if path not in LEFT_OUT
            for method, operation in operations.items() if method in ("get", "post", "delete", "put")]
        self.posts = [entry for entry in self.operations if entry[0] == "POST"]
        # Ids that the server has told, by the path that gives them.
        self.known: dict[str, list[str]] = {}

    def request(self, rng: random.Random) -> Request:
        self.rng = rng
        # One number in so many is absurd.
        self.absurdity = rng.choice([0, 0.003, 0.02, 0.1])
        method, path, operation = rng.choice(self.posts) if rng.random() < 0.93 else rng.choice(self.operations)
        query, fields = self.parameters(operation, path)
        target = self.filled(path) + ("?" + "&".join(query) if query else "")
        if method != "POST":
            return Request(method, target, fields)
        content = operation.get("requestBody", {}).get("content", {})
        value = self.value(path, content)
        if rng.random() < 0.3:
            value = self.mutated(value)
        kind, body = self.encoded(value, path)
        fields["Content-Type"] = kind
        if rng.random() < 0.03:
            body = self.damaged(body)
        if rng.random() < 0.05:
            body, fields["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        return Request(method, target, fields, body)

    # Around the body.

    def parameters(self, operation: dict, path: str) -> tuple[list[str], dict[str, str]]:
        rng, query, fields = self.rng, [], {}
        for parameter in map(self.resolved, operation.get("parameters", [])):
            name = parameter["name"]
            if name == "Request-Timeout":
                fields[name] = rng.choice(["0.02", "0.1", "0.3", "1"])
            elif name == "estimate_only":
                if rng.random() < 0.3:
                    query.append("estimate_only=true")
            elif name == "Prefer":
                if rng.random() < 0.01:
                    fields[name] = "respond-async"
            elif name == "Idempotency-Key":
                if rng.random() < 0.01:
                    fields[name] = f'"{rng.randrange(20)}"'
            elif rng.random() < 0.15 and parameter["in"] in ("query", "header"):
                value = self.instance(parameter.get("schema", {}), 4)
                text = str(value if rng.random() < 0.7 else rng.choice(ABSURD)).encode("ascii", "replace").decode().translate(str.maketrans("\r\n &#?%+", "________"))
                (query.append(f"{name}={text[:200]}") if parameter["in"] == "query" else fields.update({name: text[:200] or "x"}))
        if path.startswith("/v1/") and "Request-Timeout" not in fields and operation.get("requestBody"):
            fields["Request-Timeout"] = "1"
        if rng.random() < 0.1:
            fields["Accept-Encoding"] = "gzip"
        return query, fields

    def filled(self, path: str) -> str:
        for name in ("{id}", "{version}", "{file}"):
            if name in path:
                kind = next((kind for kind in ("regressors", "networks", "jobs", "models") if f"/{kind}/" in path), "")
                known = self.known.get("regressors" if kind == "models" else kind, [])
                value = self.rng.choice(known) if known and self.rng.random() < 0.9 else self.rng.choice(["0" * 64, "net_" + "0" * 64, "x", "1"])
                path = path.replace(name, value if name == "{id}" else "1")
        return path

    def learn(self, request: Request, status: int, answer: bytes) -> None:
        """Keeps the ids that an answer tells, so that later requests ask for what there is."""
        if request.method == "POST" and status in (200, 201, 202) and len(answer) < 100_000 and b'"id"' in answer[:200]:
            try:
                value = json.loads(answer)["id"]
            except (ValueError, KeyError, TypeError):
                return
            kind = "jobs" if status == 202 else "networks" if value.startswith("net_") else "regressors"
            ids = self.known.setdefault(kind, [])
            ids.append(value)
            del ids[:-20]

    # Values.

    def value(self, path: str, content: dict) -> object:
        rng = self.rng
        if rng.random() < 0.6:
            made = self.fitting(path)
            if made is not None:
                return made
        media = content.get("application/json", {})
        examples = [entry["value"] for entry in media.get("examples", {}).values() if "value" in entry]
        if examples and rng.random() < 0.3:
            return json.loads(json.dumps(rng.choice(examples)))
        return self.instance(media.get("schema", {}), 0)

    def resolved(self, schema: dict) -> dict:
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema

    def number(self) -> float:
        if self.rng.random() < self.absurdity:
            return self.rng.choice(ABSURD)
        return self.rng.choice([0, 1, 2, 0.5, -1, 0.1, 3.25, round(self.rng.gauss(0, 1), 3)])

    def integer(self, low: int = 1, high: int = 4) -> int:
        if self.rng.random() < self.absurdity:
            return int(self.rng.choice(ABSURD))
        return self.rng.randint(low, high)

    def instance(self, schema: dict, depth: int) -> object:
        """A value that a schema describes, more or less."""
        rng, schema = self.rng, self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        for word in ("oneOf", "anyOf"):
            if word in schema and not schema.get("properties"):
                return self.instance(rng.choice(schema[word]), depth)
        if depth > 7:
            return None
        parts = [self.resolved(part) for part in schema.get("allOf", [])]
        properties = {name: value for part in [*parts, schema] for name, value in part.get("properties", {}).items()}
        required = {name for part in [*parts, schema] for name in part.get("required", [])}
        if properties:
            return {name: self.instance(value, depth + 1) for name, value in properties.items() if name in required or rng.random() < 0.15}
        if parts:
            return self.instance(parts[0], depth)
        kind = schema.get("type")
        kind = rng.choice(kind) if isinstance(kind, list) else kind
        if kind == "array":
            count = rng.choice([0, 1, 2, 3]) if rng.random() > self.absurdity else rng.choice([17, 64, 300])
            return [self.instance(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind == "object":
            return {rng.choice(["0.weight", "a", "b"]): self.instance(schema.get("additionalProperties") or {}, depth + 1)} if rng.random() < 0.5 else {}
        if kind == "integer":
            return self.integer()
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "string":
            return rng.choice(WORDS)
        if kind == "null":
            return None
        return self.number()

    def mutated(self, value: object) -> object:
        """One place changed: a number for an absurd one, a value for one of another kind, an element twice or not at all."""
        rng = self.rng
        if isinstance(value, dict) and value and rng.random() < 0.9:
            key = rng.choice(list(value))
            if rng.random() < 0.1:
                value.pop(key)
            elif rng.random() < 0.05:
                value[rng.choice(WORDS)] = value[key]
            else:
                value[key] = self.mutated(value[key])
            return value
        if isinstance(value, list) and value and rng.random() < 0.9:
            place = rng.randrange(len(value))
            if rng.random() < 0.1:
                del value[place]
            elif rng.random() < 0.1:
                value *= rng.choice([2, 3, 30])
            else:
                value[place] = self.mutated(value[place])
            return value
        if rng.random() < 0.75:
            return rng.choice(ABSURD)
        return rng.choice([None, True, "", [], {}, [[]], [[1, 2], [3]], "x" * 40, {"type": "dense"}, [1e308] * 3])

    # Networks whose shapes fit.

    def fitting(self, path: str) -> object:
        rng = self.rng
        extents = [rng.choice([1, 2, 3, 4, 6]) for _ in range(rng.choice([0, 0, 0, 1, 2, 2, 3]))]
        channels = rng.choice([1, 1, 2, 3])
        points = lambda: self.array([rng.choice([1, 2, 3, 5]), *extents, channels])
        infinite = lambda: self.architecture(list(extents), False)
        network = lambda: {"architecture": self.architecture(list(extents), True), "initialization": {"seed": rng.randrange(5)}}
        train = points()
        targets = {"y_train": self.array([len(train)])} if rng.random() < 0.8 else {"labels": [rng.choice(["a", "b", 1]) for _ in train]}
        source = {"architecture": infinite()} if rng.random() < 0.8 else {"network": network()}
        fit = {"kernel": source, "x_train": train, **targets, "ridge": rng.choice([0, 1e-6, 0.1, self.number()])}
        match path:
            case "/v1/kernels":
                return {"architecture": infinite(), "x1": train, **self.some(x2=points(), kinds=["nngp", "ntk"], precision="float32", diagonal=True)}
            case "/v1/predictions":
                return {**fit, "x_test": points(), **self.some(
                    covariance=rng.choice(["diagonal", "full"]), posterior="ensemble", solver="conjugate_gradient", on_singular=rng.choice(["jitter", "refuse"]),
                    ridge={"select": rng.choice(["leave_one_out", "gcv", "marginal_likelihood"])})}
            case "/v1/regressors":
                return fit
            case "/v1/dynamics":
                fit.pop("ridge")
                return {**fit, "x_test": points(), "times": [self.number() for _ in range(3)], **self.some(
                    target_loss=self.number(), covariance="diagonal", optimizer={"type": rng.choice(["gradient_descent", "gradient_flow", "heavy_ball"]),
                                                                               "learning_rate": self.number()})}
            case "/v1/spectra":
                return {"kernel": source, "x": train, **self.some(y=self.array([len(train)]), ridge=self.number(), sample_sizes=[self.integer(1, 100)],
                                                                  noise=self.number())}
            case "/v1/networks":
                return {**network(), **self.some(input_shape=[*extents, channels])}
            case "/v1/empirical-kernels":
                return {"network": network(), "x1": train, **self.some(x2=points(), outputs=rng.choice(["sum", "full", "diagonal", [0]]), layerwise=True)}
            case "/v1/network-outputs":
                return {"network": network(), "x": train}
            case "/v1/convergence":
                return {"architecture": infinite(), "x": train, "widths": [self.integer(1, 8)], "samples": self.integer(2, 3)}
            case "/v1/trainings":
                return {"network": network(), "x_train": train, "y_train": self.array([len(train)]), "steps": sorted({self.integer(0, 9) for _ in range(3)}),
                        **self.some(learning_rate=self.number(), momentum=0.5)}
            case "/v1/regressors/{id}/predictions":
                return {"x": points(), **self.some(covariance="diagonal")}
        return None

    def some(self, **fields: object) -> dict:
        return {name: value for name, value in fields.items() if self.rng.random() < 0.25}

    def array(self, shape: list[int]) -> object:
        return [self.array(shape[1:]) for _ in range(shape[0])] if shape else self.number()

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
            layer["width"] = 1 if last else self.integer(1, 6)
        return {**layer, **self.some(w_std=self.number(), b_std=self.number(), parameterization=self.rng.choice(["ntk", "standard"]))}

    def block(self, extents: list[int], is_network: bool, depth: int) -> list[dict]:
        """Some layers; `extents` become those after them."""
        rng = self.rng
        activation = {"type": rng.choice(ACTIVATIONS)}
        if depth < 2 and rng.random() < 0.15:
            inner = self.block(list(extents), is_network, depth + 1) if rng.random() < 0.3 else [activation, self.linear({"type": "dense"}, is_network)]
            return [self.linear({"type": "dense"}, is_network), rng.choice([
                {"type": "residual", "layers": inner}, {"type": "repeat", "count": self.integer(0, 3), "layer": {"type": "serial", "layers": inner}}])]
        if depth < 2 and rng.random() < 0.1:
            branches = [{"type": "serial", "layers": [activation, self.linear({"type": "dense"}, is_network)]} for _ in range(rng.choice([2, 3]))]
            return [self.linear({"type": "dense"}, is_network), {"type": "fan_out", "count": len(branches)}, {"type": "parallel", "branches": branches},
                    {"type": rng.choice(["fan_in_sum", "fan_in_prod", "fan_in_concat"])}, self.linear({"type": "dense"}, is_network)]
        if not extents or rng.random() < 0.3:
            extra = [{"type": "dropout", "keep_probability": 0.5}] if rng.random() < 0.1 else []
            norm = [{"type": "layer_norm", "axes": ["channel"]}] if rng.random() < 0.1 else []
            return [self.linear({"type": "dense"}, is_network), *norm, activation, *extra]
        sizes = [self.integer(1, 3) for _ in extents]
        padding = rng.choice(["same", "circular", "valid"])
        match rng.choice(["conv", "conv", "conv_local", "conv_transpose", "avg_pool", "sum_pool", "image_resize", "global_self_attention", "dot_general", "index"]):
            case "conv" | "conv_local" | "conv_transpose" as name:
                layer = self.linear({"type": name, "filter_shape": sizes, "padding": padding, **self.some(strides=[self.integer(1, 2) for _ in extents])}, is_network)
                return [layer, activation]
            case "avg_pool" | "sum_pool" as name:
                return [{"type": name, "window_shape": sizes, "padding": padding, **self.some(strides=sizes)}]
            case "image_resize":
                return [{"type": "image_resize", "shape": [-1, *[self.integer(1, 8) for _ in extents], -1], "method": rng.choice(["linear", "nearest"])}]
            case "global_self_attention":
                return [self.linear({"type": "global_self_attention", **self.some(
                    linear_scaling=False, mechanism="identity", positional_embedding="sum", heads=self.integer(1, 2))}, is_network)]
            case "dot_general":
                return [{"type": "dot_general", "rhs": self.array([extents[0], self.rng.choice([1, 2, 3])]), "lhs_contracting": [1], "rhs_contracting": [0]}]
            case _:
                return [{"type": "index", "idx": [None, {"start": self.integer(0, 1), "stop": self.integer(1, 5)}]}]

    # Forms.

    def encoded(self, value: object, path: str) -> tuple[str, bytes]:
        form = self.rng.random()
        if isinstance(value, dict) and form < 0.08:
            arrays, rest = {}, dict(value)
            for name, part in value.items():
                array = self.numbers(part)
                if array is not None:
                    arrays[name] = array
                    rest.pop(name)
            return "application/x-npz", self.archive(arrays, rest)
        if isinstance(value, dict) and form < 0.14:
            return self.multipart(value)
        if form < 0.16 and isinstance(value, dict):
            return "application/x-safetensors", self.safetensors(value)
        if form < 0.17:
            return "application/x-npy" if "regressors/" in path else "application/octet-stream", self.npy(numpy.zeros((2, 1)))
        text = json.dumps(value, allow_nan=True)
        return "application/json", text.encode()

    def numbers(self, value: object) -> numpy.ndarray | None:
        if not isinstance(value, list):
            return None
        try:
            with numpy.errstate(all="ignore"):
                array = numpy.array(value, dtype=self.rng.choice(["<f8", "<f8", ">f8", "<f4", "<i4", "|u1", "<f2"]))
        except (ValueError, TypeError, OverflowError):
            return None
        return numpy.asfortranarray(array) if self.rng.random() < 0.1 else array

    def npy(self, array: numpy.ndarray) -> bytes:
        file = io.BytesIO()
        numpy.save(file, array, allow_pickle=False)
        content = file.getvalue()
        if self.rng.random() < self.absurdity:  # A header that promises another shape.
            content = content.replace(b"'shape': (", b"'shape': (%d, " % self.rng.choice(POWERS), 1)
        return content

    def archive(self, arrays: dict, rest: dict) -> bytes:
        file = io.BytesIO()
        method = self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(file, "w", method) as members:
            members.writestr("meta.json", json.dumps(rest))
            for name, array in arrays.items():
                members.writestr(f"{name}.npy", self.npy(array))
            if self.rng.random() < self.absurdity:
                for k in range(self.rng.choice([1, 100])):
                    members.writestr("." * self.rng.choice([1, 100, 20_000]) + f"{k}.npy", self.npy(numpy.zeros(1)))
        return file.getvalue()

    def safetensors(self, value: dict) -> bytes:
        network = value.get("network") if isinstance(value.get("network"), dict) else value
        header = {"__metadata__": {"architecture": json.dumps(network.get("architecture", {}))},
                  "0.weight": {"dtype": "F64", "shape": [self.integer(1, 2), 1], "data_offsets": [0, self.rng.choice([8, 16, self.integer()])]}}
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + bytes(16)

    def multipart(self, value: dict) -> tuple[str, bytes]:
        parts, rest = [], dict(value)
        for name, part in value.items():
            array = self.numbers(part) if self.rng.random() < 0.7 else None
            if array is not None:
                parts.append((name, "application/octet-stream", self.npy(array)))
                rest.pop(name)
        parts.insert(0, ("request", "application/json", json.dumps(rest).encode()))
        body = b"".join(
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + content + b"\r\n" for name, kind, content in parts)
        return "multipart/form-data; boundary=cut", body + b"--cut--\r\n"

    def damaged(self, body: bytes) -> bytes:
        rng, changed = self.rng, bytearray(body)
        for _ in range(rng.choice([1, 1, 3])):
            if changed:
                changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed[:rng.randrange(len(changed) + 1)] if rng.random() < 0.3 else changed)
