"""Bodies that come at once, each of which fits into the memory alone: all are answered, one after another."""
import gzip
import json
import pathlib
import random
import threading

import pytest
from running import Server

# Half of 60 MB are for bodies.
BUDGET = 64 << 20


def points(count: int) -> list[list[float]]:
    generator = random.Random(1)
    return [[generator.random() for _ in range(1_000)] for _ in range(count)]


def kernel(x: list[list[float]], spaces: int) -> bytes:
    request = {"architecture": {"type": "mlp", "depth": 1}, "x1": x, "diagonal": True}
    return json.dumps(request).encode() + b" " * spaces


def statuses(server: Server, body: bytes, count: int, *fields: str) -> list[int]:
    found: list[int] = []

    def send() -> None:
        found.append(server.post("/v1/kernels", body, "application/json", *fields)[0])

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    server = Server(tmp_path_factory.mktemp("turns"), "--memory-budget", str(BUDGET), "--memory-wait", "120")
    yield server
    server.stop()


@pytest.mark.parametrize("members", [1, 3])
def test_bodies_that_are_inflated(server: Server, members: int):
    text = kernel(points(450), 6_000_000)
    assert 14_000_000 < len(text) < 18_000_000
    parts = [text[index * len(text) // members:(index + 1) * len(text) // members] for index in range(members)]
    body = b"".join(gzip.compress(part, 1) for part in parts)
    assert statuses(server, body, 8, "Content-Encoding: gzip") == [200] * 8


def test_bodies_that_are_read_into_more_than_half_of_the_memory(server: Server):
    x = [[n % 10 for n in range(1_000)]] * 2_700
    text = json.dumps({"architecture": {"type": "mlp", "depth": 1}, "x1": x, "diagonal": True}, separators=(",", ":")).encode()
    assert 5_300_000 < len(text) < 5_600_000
    assert statuses(server, text, 10) == [200] * 10
