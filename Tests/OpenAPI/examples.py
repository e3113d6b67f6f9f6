"""What openapi.yaml holds to be tested: operations, and examples paired with their answers.

Extensions beside an example's `value`:
- `x-varying`: JSON pointers to what differs from run to run; it must be there and of the same type;
- `x-tolerance`: the relative difference of numbers that is allowed, 1e-12 otherwise;
- `x-invalid` on a request: the schema refuses it, as the server must;
- `x-from` on a parameter of the path: the request whose answer's `id` takes its place; `x-value`: what takes its place; with
  `x-until-ended` the job that it makes is waited for, below that path;
- `x-request` on an answer that operations share: the request that gets it (`x-repeat-target` and `x-repeat-header` say how many characters to add).
"""
from collections.abc import Iterator
from dataclasses import dataclass, field

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


@dataclass
class Operation:
    path: str
    method: str
    node: dict

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass
class Response:
    """A response's content in one media type."""

    status: str
    is_shared: bool
    media_type: str
    schema: dict
    examples: dict[str, dict]


@dataclass
class Case:
    """A request, and the answer that the document promises."""

    name: str
    method: str
    target: str
    headers: dict[str, str]
    body: object | None
    status: int
    media_type: str
    schema: dict
    example: dict
    # By the name of a parameter of the path, the request that makes what it names.
    makers: dict[str, dict] = field(default_factory=dict)


class UnpairedExample(Exception):
    """An example that cannot be executed."""


def resolve(document: dict, node: dict) -> dict:
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def makers(document: dict, path: str) -> dict[str, dict]:
    parameters = [resolve(document, parameter) for parameter in document["paths"][path].get("parameters", [])]
    return {parameter["name"]: parameter.get("x-from") or parameter["x-value"] for parameter in parameters if parameter["in"] == "path"}


def operations(document: dict) -> list[Operation]:
    return [Operation(path, method, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item]


def responses(document: dict, operation: Operation) -> Iterator[Response]:
    for status, response in operation.node["responses"].items():
        for media_type, content in resolve(document, response).get("content", {}).items():
            yield Response(status, "$ref" in response, media_type, content.get("schema", {}), content.get("examples", {}))


def request_examples(document: dict, operation: Operation) -> dict[str, tuple[str, dict]]:
    """Media type and example by key."""
    content = resolve(document, operation.node.get("requestBody", {})).get("content", {})
    return {key: (media_type, example) for media_type, form in content.items() for key, example in form.get("examples", {}).items()}


def paired_cases(document: dict) -> list[Case]:
    """Each operation's request examples with the answers of the same key; without a request body, its good answer's examples.

    Raises UnpairedExample for a request without an answer, or with two, and for an answer that nothing asks for.
    """
    cases = []
    for operation in operations(document):
        requests = request_examples(document, operation)
        if "requestBody" not in operation.node:
            requests = {key: (None, {}) for r in responses(document, operation) if r.status == "200" for key in r.examples}
        answers: dict[str, list[tuple[Response, dict]]] = {}
        for response in responses(document, operation):
            for key, example in response.examples.items():
                if not (response.is_shared and "x-request" in example):
                    answers.setdefault(key, []).append((response, example))
        for key in requests.keys() | answers.keys():
            if key not in requests:
                raise UnpairedExample(f"{operation.name}: the answer {key} has no request and no x-request")
            if len(answers.get(key, [])) != 1:
                raise UnpairedExample(f"{operation.name}: the request {key} has {len(answers.get(key, []))} answers, 1 expected")
            media_type, request = requests[key]
            response, example = answers[key][0]
            headers = {"Content-Type": media_type} if media_type else {}
            cases.append(Case(
                f"{operation.name} {key}", operation.method.upper(), operation.path, headers, request.get("value"),
                int(response.status), response.media_type, response.schema, example, makers(document, operation.path)))
    return cases


# The status of each shared response, for those that no operation refers to.
STATUS_OF_RESPONSE = {
    "BadRequest": 400, "NotFound": 404, "MethodNotAllowed": 405, "NotAcceptable": 406, "ContentTooLarge": 413, "URITooLong": 414,
    "UnsupportedMediaType": 415, "Accepted": 202, "RequestHeaderFieldsTooLarge": 431,
}


def error_cases(document: dict) -> list[Case]:
    """The examples in shared responses that say how they are asked for: of errors all must, each with the request that gets it."""
    cases = []
    for name, response in document["components"]["responses"].items():
        for media_type, content in response.get("content", {}).items():
            for key, example in content.get("examples", {}).items():
                if media_type != "application/problem+json" and "x-request" not in example:
                    continue
                if "x-request" not in example:
                    raise UnpairedExample(f"{name}: the error {key} has no x-request")
                request = example["x-request"]
                headers = dict(request.get("headers", {}))
                if "x-repeat-header" in request:
                    headers["X-Long"] = "a" * request["x-repeat-header"]
                target = request["target"] + "a" * request.get("x-repeat-target", 0)
                cases.append(Case(
                    f"{name} {key}", request["method"], target, headers, request.get("body"), STATUS_OF_RESPONSE[name], media_type,
                    content["schema"], example))
    return cases
