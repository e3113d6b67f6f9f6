"""Answers of every route and every kind of error, coded and uncoded, as a client sees them; httplint has nothing bad to say about them."""
import gzip
import json
import re
import time

import pytest
import yaml
from httplint import HttpRequestLinter, HttpResponseLinter
from httplint.note import levels
from running import ROOT, Server

DOCUMENT = yaml.safe_load((ROOT / "openapi.yaml").read_text())
KERNEL = {"architecture": {"type": "mlp", "depth": 1}, "x1": [[1, 2], [3, 4]]}
LARGE = {"architecture": {"type": "mlp", "depth": 1}, "x1": [[index, 1] for index in range(40)]}
VERY_LARGE = {"architecture": {"type": "mlp", "depth": 1}, "x1": [[index, 1] for index in range(150)]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    server = Server(tmp_path_factory.mktemp("messages"))
    yield server
    server.stop()


class Answer:
    def __init__(self, head: bytes, content: bytes):
        self.topline, *lines = head.split(b"\r\n")
        self.status = int(self.topline.split(b" ")[1])
        self.lines = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines]
        self.content = content

    def field(self, name: str) -> str | None:
        values = [value.decode() for key, value in self.lines if key.lower() == name.lower().encode()]
        return ", ".join(values) if values else None

    def whole(self) -> bytes:
        """The content without its codings."""
        content = self.content
        if self.field("Transfer-Encoding") == "chunked":
            content, rest = b"", content
            while (size := int(rest.split(b"\r\n", 1)[0], 16)) > 0:
                rest = rest.split(b"\r\n", 1)[1]
                content, rest = content + rest[:size], rest[size + 2:]
            assert rest == b"0\r\n\r\n"
        return gzip.decompress(content) if self.field("Content-Encoding") == "gzip" else content


def ask(server: Server, method: str, path: str, body: bytes = b"", **fields: str) -> Answer:
    lines = {"Host": "localhost", "Connection": "close", "User-Agent": "test"} | {name.replace("_", "-"): value for name, value in fields.items()}
    if body or method == "POST":
        lines = {"Content-Type": "application/json", "Content-Length": str(len(body))} | lines
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    answer = Answer(*server.exchange(head.encode() + body))
    answer.request = (method, path, lines)
    return answer


def lint(answer: Answer) -> list[str]:
    """What httplint finds bad, or warns of."""
    method, path, lines = answer.request
    request = HttpRequestLinter(start_time=time.time())
    request.process_request_topline(method.encode(), f"http://localhost{path}".encode(), b"HTTP/1.1")
    request.process_headers([(name.encode(), value.encode()) for name, value in lines.items()])
    response = HttpResponseLinter(start_time=time.time())
    response.request = request
    response.is_head_response = method == "HEAD"
    _, status, phrase = (answer.topline + b" ").split(b" ", 2)
    response.process_response_topline(b"HTTP/1.1", status, phrase.strip())
    response.process_headers(answer.lines)
    content = answer.content
    if answer.field("Transfer-Encoding") == "chunked":
        # The framing is taken off before; whole() has checked it.
        answer.whole()
        content = b""
    response.feed_content(content)
    response.finish_content(True)
    # That an error is an error is no fault of the answer.
    notes = [note for note in response.notes if not (answer.status >= 400 and type(note).__module__ == "httplint.status")]
    found = [f"{note.level.value}: {note.summary}" for note in notes if note.level in (levels.BAD, levels.WARN)]
    # RFC 9110 §12.5.1 and §12.5.3 have them in a 415; httplint does not know that yet.
    known = [f"bad: \"{name}\" isn't valid in a response." for name in ("Accept", "Accept-Encoding")] if answer.status == 415 else []
    return [note for note in found if note not in known]


def body(value: object) -> bytes:
    return json.dumps(value).encode()


ASKED = {
    "kernel": (200, "POST", "/v1/kernels", body(KERNEL), {}),
    "kernel, in gzip": (200, "POST", "/v1/kernels", body(LARGE), {"Accept-Encoding": "gzip"}),
    "kernel, streamed": (200, "POST", "/v1/kernels", body(VERY_LARGE), {}),
    "kernel, streamed in gzip": (200, "POST", "/v1/kernels", body(VERY_LARGE), {"Accept-Encoding": "gzip, br"}),
    "kernel of a request in gzip": (200, "POST", "/v1/kernels", gzip.compress(body(KERNEL)), {"Content-Encoding": "gzip"}),
    "estimate": (200, "POST", "/v1/kernels?estimate_only=true", body(KERNEL), {}),
    "document": (200, "GET", "/openapi.yaml", b"", {}),
    "document, in gzip": (200, "GET", "/openapi.yaml", b"", {"Accept-Encoding": "gzip"}),
    "malformed JSON": (400, "POST", "/v1/kernels", b"{", {}),
    "unknown parameter": (400, "GET", "/livez?a=b", b"", {}),
    "not gzip": (400, "POST", "/v1/kernels", b"{}", {"Content-Encoding": "gzip"}),
    "nothing there": (404, "GET", "/nothing", b"", {}),
    "another method": (405, "DELETE", "/v1/kernels", b"", {}),
    "not acceptable": (406, "GET", "/livez", b"", {"Accept": "image/png"}),
    "no acceptable coding": (406, "GET", "/livez", b"", {"Accept-Encoding": "identity;q=0, *;q=0"}),
    "too large": (413, "POST", "/v1/kernels", gzip.compress(b"0" * 2_000_000), {"Content-Encoding": "gzip"}),
    "too large a length": (413, "POST", "/v1/kernels", b"", {"Content-Length": "99999999999"}),
    "too long a target": (414, "GET", "/" + "a" * 9_000, b"", {}),
    "another type": (415, "POST", "/v1/kernels", b"a,b", {"Content-Type": "text/csv"}),
    "another coding": (415, "POST", "/v1/kernels", b"{}", {"Content-Encoding": "br"}),
    "an expectation": (417, "POST", "/v1/kernels", b"{}", {"Expect": "more"}),
    "meaningless": (422, "POST", "/v1/kernels", body(KERNEL | {"x1": [[1], [1, 2]]}), {}),
    "too many fields": (431, "GET", "/livez", b"", {f"X-{index}": "a" for index in range(100)}),
    "unknown method": (501, "BREW", "/livez", b"", {}),
}


@pytest.mark.parametrize("name", ASKED)
def test_answers_are_clean(server: Server, name: str):
    status, method, path, content, fields = ASKED[name]
    answer = ask(server, method, path, content, **fields)
    assert answer.status == status, answer.content
    assert lint(answer) == []
    assert answer.field("Cache-Control") is not None and answer.field("X-Request-Id") is not None or status in (204, 304)
    if status >= 400:
        assert answer.field("Content-Type") == "application/problem+json"
        assert answer.field("Cache-Control") == "no-store"
        assert json.loads(answer.content)["status"] == status


READ = [path for path, item in DOCUMENT["paths"].items() if "get" in item and "{" not in path]


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_is_get_without_content(server: Server, path: str, coding: str):
    """RFC 9110 §9.3.2."""
    got, head = ask(server, "GET", path, Accept_Encoding=coding), ask(server, "HEAD", path, Accept_Encoding=coding)
    volatile = {b"date", b"x-request-id", b"server-timing", b"content-length"}
    kept = [[line for line in answer.lines if line[0].lower() not in volatile] for answer in (got, head)]
    assert head.content == b"" and head.status == got.status and kept[0] == kept[1]
    if path != "/metrics":  # which counts the requests between
        assert head.field("Content-Length") == got.field("Content-Length")
    assert lint(got) == [] and lint(head) == []


@pytest.mark.parametrize("path", [*DOCUMENT["paths"], "*"])
def test_options_says_what_is_allowed(server: Server, path: str):
    """RFC 9110 §9.3.7, §15.5.6: Allow lists the methods of the document, and HEAD and OPTIONS."""
    answer = ask(server, "OPTIONS", re.sub(r"\{\w+\}", "0" * 64, path))
    assert answer.status == 204 and answer.content == b"" and answer.field("Content-Length") is None
    assert lint(answer) == []
    if path != "*":
        allowed = set(answer.field("Allow").split(", "))
        described = {method.upper() for method in DOCUMENT["paths"][path] if method in ("get", "post", "put", "patch", "delete")}
        assert allowed == described | {"OPTIONS"} | ({"HEAD"} if "GET" in described else set())


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_not_modified(server: Server, coding: str):
    """RFC 9110 §13.1.2, §15.4.5: the tag of either representation is answered with 304 and that tag."""
    first = ask(server, "GET", "/openapi.yaml", Accept_Encoding=coding)
    tag = first.field("ETag")
    assert tag.endswith('-gzip"') == (coding == "gzip")
    for condition in [tag, f'"x", {tag}', f"W/{tag}", "*"]:
        again = ask(server, "GET", "/openapi.yaml", Accept_Encoding=coding, If_None_Match=condition)
        assert again.status == 304 and again.content == b"" and again.field("Content-Length") is None
        assert again.field("Vary") == first.field("Vary") and again.field("Cache-Control") == first.field("Cache-Control")
        assert condition == "*" or again.field("ETag") == tag
        assert lint(again) == []
    assert ask(server, "GET", "/openapi.yaml", If_None_Match='"x"').status == 200


@pytest.mark.parametrize("value", [LARGE, VERY_LARGE], ids=["whole", "streamed"])
def test_gzip_is_the_same_content(server: Server, value: dict):
    plain = ask(server, "POST", "/v1/kernels", body(value))
    coded = ask(server, "POST", "/v1/kernels", body(value), Accept_Encoding="gzip;q=0.5")
    assert coded.field("Content-Encoding") == "gzip" and plain.field("Content-Encoding") is None
    assert coded.field("Vary") == plain.field("Vary") == "Accept, Accept-Encoding"
    assert coded.whole() == plain.whole()
    assert len(coded.content) < 0.7 * len(plain.content)


def test_codings_are_said_when_they_are_the_reason(server: Server):
    """RFC 9110 §12.5.3."""
    coding = ask(server, "POST", "/v1/kernels", b"{}", Content_Encoding="br")
    assert coding.field("Accept-Encoding") == "gzip, deflate, identity" and coding.field("Accept") is None
    media = ask(server, "POST", "/v1/kernels", b"{}", Content_Type="text/csv")
    assert media.field("Accept-Encoding") is None and "application/json" in media.field("Accept")


def test_without_gzip(tmp_path):
    server = Server(tmp_path, "--gzip", "false")
    try:
        answer = ask(server, "GET", "/openapi.yaml", Accept_Encoding="gzip")
        assert answer.field("Content-Encoding") is None and answer.field("Vary") is None
        assert ask(server, "POST", "/v1/kernels", gzip.compress(b"{}"), Content_Encoding="gzip").status == 415
    finally:
        server.stop()
