"""Retries, keys and connections, against a server that fails as it is told."""

from __future__ import annotations

import http.server
import io
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ntk_client import Client, ProblemError, TooManyRequestsError, UnauthorizedError, UnavailableError, UnreachableError, _codec

Answer = tuple[int, dict[str, str], bytes] | None
OK: Answer = (200, {"Content-Type": "application/json"}, b'{"ntk":[[1.0]],"shape":[1,1],"precision":"float64"}')


class Scripted(http.server.ThreadingHTTPServer):
    """Gives the answers of a script one after the other; None closes the connection instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Answer] = []
        self.seen: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append({"headers": dict(self.headers), "body": body, "peer": self.client_address})
        answer = self.server.script.pop(0)
        if answer is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(server: Scripted, **settings: Any) -> np.ndarray:
    with Client(server.address, **settings) as client:
        return client.kernel({"type": "dense"}, [[1.0]])


def busy(status: int = 503, retry_after: str = "0") -> Answer:
    problem = json.dumps({"type": "/problems/no-capacity", "title": "No capacity", "status": status, "detail": "later"}).encode()
    return (status, {"Content-Type": "application/problem+json", "Retry-After": retry_after}, problem)


@pytest.mark.parametrize("failure", [busy(503), busy(429), busy(502), None], ids=["503", "429", "502", "closed connection"])
def test_what_fails_is_asked_again_with_the_same_key(scripted: Scripted, failure: Answer) -> None:
    scripted.script = [failure, failure, OK]
    assert np.array_equal(ask(scripted), [[1.0]])
    keys = {one["headers"]["Idempotency-Key"] for one in scripted.seen}
    assert len(scripted.seen) == 3
    assert len(keys) == 1
    assert {one["body"] for one in scripted.seen} == {scripted.seen[0]["body"]}


@pytest.mark.parametrize("kind", ["application/json", "application/x-npy"])
def test_an_answer_that_breaks_off_is_asked_for_again(scripted: Scripted, kind: str) -> None:
    whole = _codec.npy(np.ones((1, 1))) if kind == "application/x-npy" else OK[2]
    cut: Answer = (200, {"Content-Type": kind, "Content-Length": str(len(whole)), "Connection": "close"}, whole[:-3])
    scripted.script = [cut, (200, {"Content-Type": kind}, whole)]
    assert np.array_equal(ask(scripted), [[1.0]])
    assert len({one["headers"]["Idempotency-Key"] for one in scripted.seen}) == 1
    scripted.script = [cut, cut]
    with pytest.raises(UnreachableError):
        ask(scripted, retries=1)
    assert len(scripted.seen) == 4


def test_two_requests_have_two_keys(scripted: Scripted) -> None:
    scripted.script = [OK, OK]
    ask(scripted)
    ask(scripted)
    assert len({one["headers"]["Idempotency-Key"] for one in scripted.seen}) == 2


def test_retry_after_is_waited_for(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    scripted.script = [busy(503, "7"), OK]
    ask(scripted)
    assert 7 in waited


@pytest.mark.parametrize(("status", "kind"), [(503, UnavailableError), (429, TooManyRequestsError)])
def test_after_all_retries_the_problem_is_raised(scripted: Scripted, status: int, kind: type[ProblemError]) -> None:
    scripted.script = [busy(status)] * 3
    with pytest.raises(kind, match="later") as caught:
        ask(scripted, retries=2)
    assert caught.value.retry_after == 0
    assert len(scripted.seen) == 3


def test_what_is_at_fault_is_not_asked_again(scripted: Scripted) -> None:
    scripted.script = [(401, {}, b'{"title": "No key", "detail": "an API key expected"}')]
    with pytest.raises(UnauthorizedError, match="an API key expected"):
        ask(scripted)
    assert len(scripted.seen) == 1


def test_whatever_a_proxy_says(scripted: Scripted) -> None:
    scripted.script = [(418, {"Content-Type": "text/html"}, b"<h1>teapot</h1>")]
    with pytest.raises(ProblemError, match="teapot") as caught:
        ask(scripted)
    assert caught.value.status == 418


def test_key_of_the_api(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.script = [OK, OK, OK]
    ask(scripted, api_key="secret")
    ask(scripted)
    monkeypatch.setenv("NTK_API_KEY", "from the environment")
    ask(scripted)
    keys = [one["headers"].get("Authorization") for one in scripted.seen]
    assert keys == ["Bearer secret", None, "Bearer from the environment"]


def test_connection_is_kept(scripted: Scripted) -> None:
    scripted.script = [OK] * 5
    with Client(scripted.address) as client:
        for _ in range(5):
            client.kernel({"type": "dense"}, [[1.0]])
    assert len({one["peer"] for one in scripted.seen}) == 1


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", retries=1) as client, pytest.raises(UnreachableError, match=str(port)):
        client.kernel({"type": "dense"}, [[1.0]])


def test_timeout_goes_to_the_server(scripted: Scripted) -> None:
    scripted.script = [OK, OK]
    with Client(scripted.address, timeout=12.5) as client:
        client.kernel({"type": "dense"}, [[1.0]])
        client.kernel({"type": "dense"}, [[1.0]], timeout=3)
    assert [one["headers"]["Request-Timeout"] for one in scripted.seen] == ["12.5", "3"]


@pytest.fixture
def encoded(scripted: Scripted) -> Callable[..., dict[str, Any]]:
    def send(**fields: Any) -> dict[str, Any]:
        scripted.script = [(200, {}, b'{"estimate": {"flops": 1, "peak_bytes": 2, "seconds": 3}}')]
        with Client(scripted.address) as client:
            client.estimate("kernels", **fields)
        return scripted.seen[-1]

    return send


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "i8", "u1"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_read_as_numpy_reads_it(dtype: str, shape: tuple[int, ...], order: Any) -> None:
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype), order=order)
    read = _codec.decode(io.BytesIO(_codec.npy(array)), "application/x-npy", "x")["x"]
    assert np.array_equal(read, array)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.flags.writeable


def test_archive_of_arrays_and_scalars() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("meta.json", '{"precision": "float64", "diagnostics": {"rank": 2}}')
        for name, array in {"mean": np.ones(2), "layerwise.0.weight": np.zeros((1, 1))}.items():
            archive.writestr(f"{name}.npy", _codec.npy(array))
    answer = _codec.decode(io.BytesIO(file.getvalue()), "application/x-npz")
    assert answer["precision"] == "float64"
    assert answer["diagnostics"] == {"rank": 2}
    assert np.array_equal(answer["mean"], [1, 1])
    assert list(answer["layerwise"]) == ["0.weight"]


def test_arrays_are_parts_and_the_rest_is_json(encoded: Callable[..., dict[str, Any]]) -> None:
    plain = encoded(architecture={"type": "dense"}, absent=None)
    assert plain["headers"]["Content-Type"] == "application/json"
    assert json.loads(plain["body"]) == {"architecture": {"type": "dense"}}
    parameters = {"0.weight": np.ones((1, 2)), "0.bias": np.zeros(1)}
    parts = encoded(network={"architecture": {"type": "dense"}, "parameters": parameters}, x1=np.ones((3, 2)), empty={})
    assert parts["headers"]["Content-Type"].startswith("multipart/form-data")
    for name in (b"network.parameters.0.weight", b"network.parameters.0.bias", b"x1", b"request"):
        assert b'name="' + name + b'"' in parts["body"]
    assert b'{"network":{"architecture":{"type":"dense"}},"empty":{}}' in parts["body"]
