"""openapi.yaml is valid, its examples are true, and the server has what it describes.

Needs a built server: NTK_SERVER, or .build/debug/ntk-server.
"""
import copy
import json
import re
import time

import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

import examples
from comparison import differences, missing
from conftest import BINARY, DOCUMENT_PATH, ROOT, Answer, Server

DOCUMENT = yaml.safe_load(DOCUMENT_PATH.read_text(encoding="utf-8"))
PAIRED = examples.paired_cases(DOCUMENT)
ERRORS = examples.error_cases(DOCUMENT)
OPERATIONS = examples.operations(DOCUMENT)


def validator(schema: dict) -> jsonschema.Draft202012Validator:
    """OpenAPI 3.1 schemas are JSON Schema 2020-12; references go to the document's components."""
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, format_checker=jsonschema.FormatChecker())


def strict_json(text: bytes) -> object:
    def refuse(name: str):
        raise ValueError(f"{name} in an answer")

    def unique(pairs: list[tuple[str, object]]) -> dict:
        assert len({key for key, _ in pairs}) == len(pairs), f"a key twice in {[key for key, _ in pairs]}"
        return dict(pairs)

    return json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)


def encoded(body: object) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def target(server: Server, path: str, makers: dict[str, dict]) -> str:
    """The path with its parameters filled in by what their requests make."""
    for name, request in makers.items():
        if isinstance(request, str):
            path = path.replace("{" + name + "}", request)
            continue
        headers = {"Content-Type": "application/json"} | request.get("headers", {})
        made = server.send(request["method"], request["target"], headers, encoded(request["body"]))
        identifier = strict_json(made.body)["id"]
        path = path.replace("{" + name + "}", identifier)
        for _ in range(600 if "x-until-ended" in request else 0):
            job = strict_json(server.send("GET", f"{request['x-until-ended']}/{identifier}").body)
            if job["finished_at"] is not None:
                break
            time.sleep(0.05)
    return path


def error_schema(path: str) -> dict:
    """Below /v2 errors are as the Open Inference Protocol has them."""
    return {"$ref": "#/components/schemas/" + ("InferenceFault" if path.startswith("/v2") else "Problem")}


def check(case: examples.Case, answer: Answer) -> None:
    assert answer.status == case.status, answer.body[:1000]
    assert answer.media_type == case.media_type
    content = strict_json(answer.body)
    validator(case.schema).validate(content)
    varying = case.example.get("x-varying", [])
    found = differences(case.example["value"], content, case.example.get("x-tolerance", 1e-12), varying)
    assert not found, "\n".join(found)


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_generators_of_clients_are_told_types():
    """What some of them drop, or make of it what does not compile."""
    faults = []

    def look(node: object, path: str, is_schema: bool) -> None:
        if isinstance(node, list):
            for index, item in enumerate(node):
                look(item, f"{path}/{index}", is_schema)
        if not isinstance(node, dict):
            return
        if is_schema:
            if node.get("type") == "array" and "items" not in node and not path.endswith("/if"):
                faults.append(f"{path}: an array without items")
            if ("const" in node or "enum" in node) and "type" not in node:
                faults.append(f"{path}: values without a type")
            for union in ("anyOf", "oneOf"):
                if union in node and "default" in node:
                    faults.append(f"{path}: a default beside a union")
                if union in node and all(set(each) <= {"required", "not", "description"} for each in node[union]) and not path.endswith("/if"):
                    faults.append(f"{path}: a union of nothing but what is required")
        if list(node.get("content", ["application/json"]))[0] != "application/json" and "application/json" in node["content"]:
            faults.append(f"{path}: another type before JSON")
        for key, value in node.items():
            if key in ("example", "examples"):
                continue
            # The names of properties are no keywords.
            if is_schema and key == "properties":
                for name, schema in value.items():
                    look(schema, f"{path}/properties/{name}", True)
            else:
                look(value, f"{path}/{key}", is_schema or key == "schema")

    document = yaml.safe_load(DOCUMENT_PATH.read_text())
    for name, schema in document["components"]["schemas"].items():
        look(schema, f"#/components/schemas/{name}", True)
    for part in ("paths", *(f"components/{name}" for name in document["components"] if name != "schemas")):
        node = document
        for step in part.split("/"):
            node = node[step]
        look(node, f"#/{part}", False)
    assert not faults, "\n".join(faults)


def test_there_are_examples():
    with_body = [operation.name for operation in OPERATIONS if "requestBody" in operation.node]
    covered = {case.name.rsplit(" ", 1)[0] for case in PAIRED}
    assert with_body and set(with_body) <= covered
    assert len(ERRORS) >= 8


@pytest.mark.parametrize("case", PAIRED + ERRORS, ids=lambda case: case.name)
def test_an_example_conforms_to_its_schema(case: examples.Case):
    value = case.example["value"]
    validator(case.schema).validate(value)
    assert not missing(value, case.example.get("x-varying", []))
    if case.status >= 400:
        assert value["status"] == case.status


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_request_examples_conform_to_the_schema(operation: examples.Operation):
    content = examples.resolve(DOCUMENT, operation.node.get("requestBody", {})).get("content", {})
    for key, (media_type, example) in examples.request_examples(DOCUMENT, operation).items():
        is_valid = validator(content[media_type]["schema"]).is_valid(example["value"])
        assert is_valid != example.get("x-invalid", False), f"{key} is {'valid' if is_valid else 'invalid'}"


@pytest.mark.parametrize("case", PAIRED + ERRORS, ids=lambda case: case.name)
def test_an_example_is_what_the_server_answers(server: Server, case: examples.Case):
    check(case, server.send(case.method, target(server, case.target, case.makers), case.headers, encoded(case.body)))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_exists(server: Server, operation: examples.Operation):
    """With nothing asked of it, it gives an answer that is described: never 404, 405 or 5xx."""
    path = target(server, operation.path, examples.makers(DOCUMENT, operation.path))
    answer = server.send(operation.method.upper(), path)
    assert answer.status not in (404, 405) and answer.status < 500
    assert str(answer.status) in operation.node["responses"]
    if answer.status >= 400:
        validator(error_schema(path)).validate(strict_json(answer.body))
    options = server.send("OPTIONS", path)
    assert options.status == 204
    assert operation.method.upper() in options.headers["Allow"].split(", ")


@pytest.mark.parametrize("path", list(DOCUMENT["paths"]))
def test_a_path_has_no_other_methods(server: Server, path: str):
    described = {method.upper() for method in examples.METHODS if method in DOCUMENT["paths"][path]}
    path = target(server, path, examples.makers(DOCUMENT, path))
    allowed = set(server.send("OPTIONS", path).headers["Allow"].split(", "))
    implied = {"OPTIONS"} | ({"HEAD"} if "GET" in described else set())
    assert allowed == described | implied
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if method not in allowed:
            answer = server.send(method, path)
            assert answer.status == 405
            assert set(answer.headers["Allow"].split(", ")) == allowed
            validator(error_schema(path)).validate(strict_json(answer.body))


@pytest.mark.parametrize("path", [o.path for o in OPERATIONS if o.method == "get"])
def test_head_is_get_without_content(server: Server, path: str):
    described = path
    path = target(server, path, examples.makers(DOCUMENT, path))
    get, head = server.send("GET", path), server.send("HEAD", path)
    assert head.status == get.status == 200
    assert head.body == b""
    is_changing = DOCUMENT["paths"][described]["get"].get("x-changing", False)
    for name in ("Content-Type", *(() if is_changing else ("Content-Length",))):
        assert head.headers[name] == get.headers[name]


def test_every_problem_that_is_named_is_in_the_list(server: Server):
    """In the document's examples and texts, the guides and the client; and each of the list has a page in two forms."""
    listed = DOCUMENT["components"]["schemas"]["ProblemType"]["enum"]
    for path in [DOCUMENT_PATH, *ROOT.glob("*.md"), *ROOT.glob("Docs/*.md"), *ROOT.glob("Clients/python/src/**/*.py")]:
        named = set(re.findall(r"/problems/[a-z-]+", path.read_text(encoding="utf-8")))
        assert named <= set(listed), path
    for reference in listed:
        for media_type in ("text/plain", "text/html"):
            answer = server.send("GET", reference, {"Accept": media_type})
            assert (answer.status, answer.media_type) == (200, media_type)
            assert reference.encode() in answer.body


def test_the_server_has_this_document(server: Server):
    answer = server.send("GET", "/openapi.yaml")
    assert answer.media_type == "application/yaml"
    assert answer.body == DOCUMENT_PATH.read_bytes(), f"{BINARY} was built with another openapi.yaml"


def test_the_document_as_json_is_the_same(server: Server):
    answer = server.send("GET", "/openapi.json")
    assert answer.media_type == "application/json"
    assert strict_json(answer.body) == DOCUMENT


@pytest.mark.parametrize("path", ["/openapi.yaml", "/openapi.json", "/", "/docs", "/page/main.js"])
def test_a_document_is_not_sent_twice(server: Server, path: str):
    first = server.send("GET", path)
    again = server.send("GET", path, {"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert server.send("GET", path, {"If-None-Match": '"another"'}).body == first.body


def test_the_request_id_is_echoed(server: Server):
    for method, path, status in (("GET", "/livez", 200), ("GET", "/nothing", 404), ("POST", "/v1/kernels", 415)):
        answer = server.send(method, path, {"X-Request-Id": "chosen-by-the-client"})
        assert answer.status == status
        assert answer.headers["X-Request-Id"] == "chosen-by-the-client"
        if status >= 400:
            assert strict_json(answer.body)["request_id"] == "chosen-by-the-client"


def test_a_request_without_an_answer_is_noticed():
    changed = copy.deepcopy(DOCUMENT)
    forms = changed["paths"]["/v1/kernels"]["post"]["requestBody"]["content"]["application/json"]
    forms["examples"]["without_answer"] = {"value": {}}
    with pytest.raises(examples.UnpairedExample, match="without_answer"):
        examples.paired_cases(changed)


def test_an_answer_without_a_request_is_noticed():
    changed = copy.deepcopy(DOCUMENT)
    forms = changed["paths"]["/v1/kernels"]["post"]["responses"]["200"]["content"]["application/json"]
    forms["examples"]["without_request"] = {"value": {}}
    with pytest.raises(examples.UnpairedExample, match="without_request"):
        examples.paired_cases(changed)


def test_a_wrong_number_is_noticed():
    expected = {"ntk": [[1.0, 2.0]], "name": "a", "id": "x"}
    assert not differences(expected, {"ntk": [[1.0, 2.0 + 1e-13]], "name": "a", "id": "y"}, varying=["/id"])
    for other in ({"ntk": [[1.0, 2.0 + 1e-11]]}, {"ntk": [[1.0]]}, {"ntk": [["1.0", 2.0]]}, {"name": "b"}, {"id": 1}, {"more": 1}):
        assert differences(expected, {**expected, **other}, varying=["/id"])
