"""The malformed and smuggling messages over sockets, to the bare HTTP server: whole, and octet by octet."""
import os
import pathlib
import socket
import subprocess
import sys

import pytest
from running import ROOT

sys.path.append(str(ROOT / "Tests/Differential"))
import corpus  # noqa: E402

BINARY = pathlib.Path(os.environ.get("HTTP1_ECHO", ROOT / ".build/debug/http1-echo"))
BEHIND = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture(scope="module")
def port():
    process = subprocess.Popen([str(BINARY), "0"], stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline().rsplit(":", 1)[1])
    process.kill()
    process.wait()


def statuses(answers: bytes) -> list[int]:
    """Of final answers one behind another, each with a length or without content."""
    found = []
    while answers:
        head, separator, answers = answers.partition(b"\r\n\r\n")
        assert separator, "an answer is cut"
        status = int(head.split(b" ")[1])
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        assert len(lengths) == (status != 204 and status >= 200), head
        answers = answers[sum(lengths):]
        if status >= 200:
            found.append(status)
    return found


def exchange(port: int, pieces: list[bytes]) -> list[int]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The connection was closed before everything was sent, as it may be.
        answers = b""
        while piece := connection.recv(65_536):
            answers += piece
        return statuses(answers)


@pytest.mark.parametrize("message", corpus.read(), ids=lambda message: message.name)
def test_message(port: int, message: corpus.Message):
    octets = message.octets
    ways = [[octets]] + ([[octets[index:index + 1] for index in range(len(octets))]] if len(octets) < 1_000 else [])
    for pieces in ways:
        if message.outcome.isdecimal():
            # Nothing behind a refused message is served.
            *before, last = exchange(port, [*pieces, BEHIND])
            assert last == int(message.outcome) and all(status == 200 for status in before)
            assert b"/smuggled" not in octets or len(before) == 0
        else:
            expected = 0 if message.outcome == "wait" else int(message.outcome.removeprefix("ok:"))
            found = exchange(port, pieces)
            assert len(found) == expected and all(status in (200, 204, 404) for status in found)
