"""Requests to every operation of the document."""
import gzip
import json
import random

from .bodies import Bodies
from .forms import Forms
from .instances import Instances
from .numbers import ABSURD, Numbers
from .request import Request

# What answers at once or streams without an end, and what would end what is tested.
LEFT_OUT = {"/v1/jobs/{id}/events"}


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
        self.rng, numbers = rng, Numbers(rng)
        self.instances, self.bodies, self.forms = Instances(self.document, numbers), Bodies(numbers), Forms(numbers)
        method, path, operation = rng.choice(self.posts) if rng.random() < 0.93 else rng.choice(self.operations)
        query, fields = self.parameters(operation, path)
        target = self.filled(path) + ("?" + "&".join(query) if query else "")
        if method != "POST":
            return Request(method, target, fields)
        content = operation.get("requestBody", {}).get("content", {})
        value = self.value(path, content)
        if rng.random() < 0.3:
            value = self.instances.mutated(value)
        kind, body = self.forms.encoded(value, path)
        fields["Content-Type"] = kind
        if rng.random() < 0.03:
            body = self.forms.damaged(body)
        if rng.random() < 0.05:
            body, fields["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        return Request(method, target, fields, body)

    def parameters(self, operation: dict, path: str) -> tuple[list[str], dict[str, str]]:
        rng, query, fields = self.rng, [], {}
        for parameter in map(self.instances.resolved, operation.get("parameters", [])):
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
                value = self.instances.instance(parameter.get("schema", {}), 4)
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

    def value(self, path: str, content: dict) -> object:
        rng = self.rng
        if rng.random() < 0.6:
            made = self.bodies.fitting(path)
            if made is not None:
                return made
        media = content.get("application/json", {})
        examples = [entry["value"] for entry in media.get("examples", {}).values() if "value" in entry]
        if examples and rng.random() < 0.3:
            return json.loads(json.dumps(rng.choice(examples)))
        return self.instances.instance(media.get("schema", {}), 0)
