"""Small requests that mean to cost much: each is refused with the right status, and takes no memory to speak of."""
import gzip
import io
import json
import struct
import time
import zipfile

import numpy
import pytest
from running import Server

# What a bomb may add to the most memory that the server ever had. Its own bytes are up to 6 MB.
MEMORY = 96 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    server = Server(tmp_path_factory.mktemp("bombs"))
    # The first request of a kind makes what later ones share.
    assert server.post("/v1/kernels", b"[")[0] == 400
    assert server.post("/v1/kernels", gzip.compress(b"["), "application/json", "Content-Encoding: gzip")[0] == 400
    yield server
    server.stop()


def npy(shape: str, content: bytes = b"\0" * 8) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def form(**parts: bytes) -> bytes:
    return b"".join(
        b'--b\r\nContent-Disposition: form-data; name="' + name.replace("_", ".").encode() + b'"\r\n\r\n' + content + b"\r\n"
        for name, content in parts.items()) + b"--b--\r\n"


def npz(content: bytes, claim: int | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.weight.npy", content)
    packed = bytearray(file.getvalue())
    if claim is not None:
        place = packed.rindex(b"PK\x01\x02") + 24
        packed[place:place + 4] = struct.pack("<I", claim)
    return bytes(packed)


def safetensors(entries: dict, content: bytes) -> bytes:
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + content


def overlapping() -> bytes:
    entry = {"dtype": "F32", "shape": [250_000], "data_offsets": [0, 1_000_000]}
    return safetensors({f"{index}.weight": entry for index in range(20_000)}, bytes(1_000_000))


MULTIPART = "multipart/form-data; boundary=b"
SAFETENSORS = "application/x-safetensors"
ZEROS = b"0" * (1 << 20)
BOMBS = {
    "gzip of 20 MB in 20 kB": (413, "/v1/kernels", lambda: gzip.compress(ZEROS * 20), "application/json", "Content-Encoding: gzip"),
    "gzip of 500 MB in 500 kB": (413, "/v1/kernels", lambda: gzip.compress(ZEROS * 500), "application/json", "Content-Encoding: gzip"),
    "gzip in gzip": (400, "/v1/kernels", lambda: gzip.compress(gzip.compress(ZEROS * 20)), "application/json", "Content-Encoding: gzip"),
    "two codings": (415, "/v1/kernels", lambda: gzip.compress(b"{}"), "application/json", "Content-Encoding: gzip, gzip"),
    "100,000 levels": (400, "/v1/kernels", lambda: b'{"x1":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json"),
    "100,000 levels, open": (400, "/v1/kernels", lambda: b"[" * 100_000, "application/json"),
    "100,000 levels of objects": (400, "/v1/kernels", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json"),
    "100,000 levels in gzip": (
        400, "/v1/kernels", lambda: gzip.compress(b"[" * 100_000 + b"]" * 100_000), "application/json", "Content-Encoding: gzip"),
    "two million values": (400, "/v1/kernels", lambda: b'{"x1":[' + b"{}," * 2_000_000 + b"{}]}", "application/json"),
    "a shape of 10^15": (422, "/v1/kernels", lambda: json.dumps(
        {"architecture": {"type": "mlp", "depth": 1}, "x1": {"shape": [10**9, 10**6], "data": [1]}}).encode(), "application/json"),
    "an input shape of 2^96": (422, "/v1/networks", lambda: json.dumps(
        {"architecture": {"type": "dense"}, "initialization": {"seed": 0}, "input_shape": [2**32, 2**32, 2**32]}).encode(), "application/json"),
    "npy of 10^15 elements": (400, "/v1/kernels", lambda: form(x1=npy("1000000000, 1000000")), MULTIPART),
    "npy of 10^40 elements": (400, "/v1/kernels", lambda: form(x1=npy("10000000000, 10000000000, 10000000000, 10000000000")), MULTIPART),
    "npy of 2^61 elements, whose bytes are 2^64": (400, "/v1/kernels", lambda: form(x1=npy("2305843009213693952,", b"")), MULTIPART),
    "npz of 100 MB in 100 kB": (400, "/v1/networks", lambda: npz(npy("13107200,", bytes(100 << 20))), "application/x-npz"),
    "npz that claims 4 GB": (400, "/v1/networks", lambda: npz(npy("1,"), claim=0xFFFF_FFF0), "application/x-npz"),
    "safetensors with 20,000 times the same bytes": (400, "/v1/networks", overlapping, SAFETENSORS),
    "safetensors that overlap": (400, "/v1/networks", lambda: safetensors(
        {"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}, "b": {"dtype": "F64", "shape": [2], "data_offsets": [8, 24]}},
        bytes(24)), SAFETENSORS),
    "safetensors of 10^15 elements": (400, "/v1/networks", lambda: safetensors(
        {"a": {"dtype": "F64", "shape": [10**9, 10**6], "data_offsets": [0, 8]}}, bytes(8)), SAFETENSORS),
    "safetensors with a header of 2^63": (400, "/v1/networks", lambda: struct.pack("<Q", 1 << 63) + b"{}", SAFETENSORS),
    "100,000 parts": (400, "/v1/kernels", lambda: b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 100_000 + b"--b--", MULTIPART),
    "a part with a head of 5 MB": (400, "/v1/kernels", lambda: b"--b\r\nX: " + b"a" * 5_000_000 + b"\r\n\r\n\r\n--b--", MULTIPART),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(server: Server, name: str):
    status, path, body, *fields = BOMBS[name]
    content = body()
    before, start = server.peak(), time.monotonic()
    answer, problem = server.post(path, content, *fields)
    print(f"{len(content)} bytes, {time.monotonic() - start:.3f} s, {(server.peak() - before) / 1e6:.1f} MB more: {problem['detail'][:160]}")
    assert answer == status and problem["status"] == status, problem
    assert server.peak() - before < MEMORY


MESSAGES = {
    "a million fields": (431, lambda: b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 1_000_000 + b"\r\n"),
    "a field of 5 MB": (431, lambda: b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 5_000_000 + b"\r\n\r\n"),
    "a target of 5 MB": (414, lambda: b"GET /" + b"a" * 5_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a declared body of 4 GB": (
        413, lambda: b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4294967296\r\n\r\n{"),
    "a chunk of 4 GB": (413, lambda: (
        b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100000000\r\n{")),
    "100,000 chunks": (400, lambda: (
        b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 100_000)),
    "a chunk extension of 5 MB": (400, lambda: (
        b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;"
        + b"a" * 5_000_000 + b"\r\n \r\n")),
    "a million trailers": (431, lambda: (
        b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"X: a\r\n" * 1_000_000 + b"\r\n")),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(server: Server, name: str):
    status, message = MESSAGES[name]
    content = message()
    before, start = server.peak(), time.monotonic()
    answer, problem = server.send(content)
    print(f"{len(content)} bytes, {time.monotonic() - start:.3f} s, {(server.peak() - before) / 1e6:.1f} MB more: {problem['detail'][:160]}")
    assert answer == status and problem["status"] == status, problem
    assert server.peak() - before < MEMORY


def test_the_server_goes_on(server: Server):
    status, answer = server.post("/v1/kernels", gzip.compress(b'{"architecture":{"type":"mlp","depth":1},"x1":[[1,2]]}'), "application/json", "Content-Encoding: gzip")
    assert status == 200 and numpy.shape(answer["ntk"]) == (1, 1)
