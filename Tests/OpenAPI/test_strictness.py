"""What a schema forbids the server refuses: every place of every request example, made null, of another type, or given one field too many."""
import copy
import json
from collections.abc import Iterator

import pytest

import examples
from conftest import Server
from test_openapi import DOCUMENT, OPERATIONS, strict_json, target, validator

Place = tuple[str | int, ...]


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Of all members, and of the first elements of arrays: the others are like them."""
    if at:
        yield at
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*at, key))


def find(value, place: Place):
    for key in place:
        value = value[key]
    return value


def changed(body: object) -> Iterator[tuple[str, object]]:
    """The body with one change each, and what that is."""
    for place in places(body):
        pointer = "".join(f"/{key}" for key in place)
        before = find(body, place)
        values = [None, "word", []] + ([{**before, "one_too_many": 1}] if isinstance(before, dict) else [])
        for value in values:
            after = copy.deepcopy(body)
            find(after, place[:-1])[place[-1]] = value
            yield f"{pointer}: {json.dumps(value)[:60]}", after
    if isinstance(body, dict):
        yield "one field too many", {**body, "one_too_many": None}


WITH_JSON = [
    operation for operation in OPERATIONS
    if any(media_type == "application/json" for media_type, _ in examples.request_examples(DOCUMENT, operation).values())]


@pytest.mark.parametrize("operation", WITH_JSON, ids=lambda operation: operation.name)
def test_what_the_schema_forbids_is_refused(server: Server, operation: examples.Operation):
    schema = validator(examples.resolve(DOCUMENT, operation.node["requestBody"])["content"]["application/json"]["schema"])
    path = target(server, operation.path, examples.makers(DOCUMENT, operation.path))
    tried, taken = set(), []
    for media_type, example in examples.request_examples(DOCUMENT, operation).values():
        if media_type != "application/json" or not isinstance(example["value"], dict) or example.get("x-invalid"):
            continue
        for change, body in changed(example["value"]):
            text = json.dumps(body)
            if text in tried or schema.is_valid(body):
                continue
            tried.add(text)
            answer = server.send("POST", path, {"Content-Type": "application/json"}, text.encode())
            if answer.status not in (400, 404, 422):
                taken.append(f"{answer.status}: {change}")
            else:
                strict_json(answer.body)
    assert tried
    assert not taken, "\n".join(taken)
