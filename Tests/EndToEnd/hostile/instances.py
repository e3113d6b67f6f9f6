"""Values that a schema describes, more or less, and values changed in one place."""
from .numbers import ABSURD, Numbers

WORDS = ["", "x", "a.b", "relu", "\u00e9", "\ud7ff", "x" * 300, "0", "null"]


class Instances:
    def __init__(self, document: dict, numbers: Numbers):
        self.document, self.numbers, self.rng = document, numbers, numbers.rng

    def resolved(self, schema: dict) -> dict:
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema

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
            count = rng.choice([0, 1, 2, 3]) if rng.random() > self.numbers.absurdity else rng.choice([17, 64, 300])
            return [self.instance(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind == "object":
            return {rng.choice(["0.weight", "a", "b"]): self.instance(schema.get("additionalProperties") or {}, depth + 1)} if rng.random() < 0.5 else {}
        if kind == "integer":
            return self.numbers.integer()
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "string":
            return rng.choice(WORDS)
        if kind == "null":
            return None
        return self.numbers.number()

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
