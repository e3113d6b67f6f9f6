"""A result too large to be read before it is sent: damage ends the transfer, and is known from then on.

Run by `make flip-test` with a release build: a debug build computes the result for minutes.
"""
import http.client
import json
import pathlib
import socket
import time

import pytest
from fault_injection import send

# 269 MB in float32; up to 256 MiB are read first.
COUNT = 8_200
KERNEL = {"architecture": {"type": "dense"}, "x1": [[i % 7 - 3.5] for i in range(COUNT)], "precision": "float32"}


def submit(port: int) -> str:
    status, job = send(port, "POST", "/v1/kernels", KERNEL, Prefer="respond-async", Idempotency_Key="large")
    assert status == 202, job
    path = f"/v1/jobs/{json.loads(job)['id']}"
    deadline = time.monotonic() + 300
    while json.loads(send(port, "GET", path)[1])["finished_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return path


def transfer(port: int, target: str, **fields: str) -> tuple[int, int, bool]:
    """Status, bytes that came, and whether that was all."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", target, headers=fields)
        response = connection.getresponse()
        count = 0
        try:
            while piece := response.read(1 << 20):
                count += len(piece)
        except (http.client.IncompleteRead, ConnectionResetError):
            return response.status, count, False
        return response.status, count, response.length in (0, None)
    finally:
        connection.close()


def old_transfer(port: int, target: str) -> bool:
    """Whether HTTP/1.0, where the end of the connection is that of the answer, tells a broken transfer from a whole one."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        try:
            while connection.recv(1 << 20):
                pass
        except ConnectionResetError:
            return True
    return False


def flip(file: pathlib.Path, place: int) -> None:
    with open(file, "r+b") as content:
        content.seek(place)
        octet = content.read(1)[0]
        content.seek(place)
        content.write(bytes([octet ^ 4]))


def test_damage_in_a_large_result(start, tmp_path):
    data = tmp_path / "data"
    server = start("--data-dir", str(data))
    path = submit(server.port)
    target = path + "/result?format=npy"
    (array,) = data.glob("jobs/*/0.npy")
    size = array.stat().st_size
    assert transfer(server.port, target) == (200, size, True)
    flip(array, size - 1_000)
    # What is sound is sent; the block that is not never is.
    status, count, is_whole = transfer(server.port, target)
    assert status == 200 and not is_whole and size - 64 * 16_384 < count <= size - 1_000
    # From now on it is known: before a byte is sent.
    for fields in ({}, {"Range": "bytes=0-9"}):
        assert transfer(server.port, target, **fields)[0] == 500
    status, problem = send(server.port, "GET", path + "/result")
    assert status == 500 and json.loads(problem)["type"] == "/problems/damaged-artifact"
    assert json.loads(send(server.port, "GET", path)[1])["status"] == "damaged"
    assert 'ntk_damaged_artifacts_total{kind="job"} 1\n' in send(server.port, "GET", "/metrics")[1].decode()
    # Mended by its owner, or by doing it again.
    flip(array, size - 1_000)
    assert transfer(server.port, target) == (200, size, True)
    assert json.loads(send(server.port, "GET", path)[1])["status"] == "succeeded"
    flip(array, size // 2)
    assert submit(server.port) == path
    assert transfer(server.port, target) == (200, size, True)


@pytest.mark.parametrize("fields", [{"Range": "bytes=-100"}, {}])
def test_a_broken_transfer_is_none_that_ended(start, tmp_path, fields):
    data = tmp_path / "data"
    server = start("--data-dir", str(data))
    path = submit(server.port)
    (array,) = data.glob("jobs/*/0.npy")
    flip(array, array.stat().st_size - 10)
    if fields:
        assert not transfer(server.port, path + "/result?format=npy", **fields)[2]
    else:
        assert old_transfer(server.port, path + "/result?format=npy")
