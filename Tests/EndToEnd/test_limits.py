"""How many connections, and how slow: over a limit a status that says so, or a close, never a hang."""
import contextlib
import socket
import time

import pytest


def rest(connection) -> bytes:
    octets = b""
    try:
        while received := connection.recv(65536):
            octets += received
    except ConnectionResetError:
        pass
    return octets


def ask(connection) -> bytes:
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection.recv(65536)


@pytest.mark.parametrize("option", ["--max-connections", "--max-connections-per-address"])
def test_one_connection_too_many_is_503(start, option):
    server = start(option, "3")
    kept = [server.connect() for _ in range(3)]
    assert all(ask(connection).startswith(b"HTTP/1.1 200 ") for connection in kept)
    with server.connect() as connection:
        answer = rest(connection)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in answer and b"Connection: close\r\n" in answer
    # Those that were first are not touched, and one that ends makes room.
    assert all(ask(connection).startswith(b"HTTP/1.1 200 ") for connection in kept)
    kept.pop().close()
    deadline = time.monotonic() + 60
    while True:
        with server.connect() as connection:
            try:
                if ask(connection).startswith(b"HTTP/1.1 200 "):
                    break
            except (ConnectionResetError, BrokenPipeError):
                pass
        assert time.monotonic() < deadline
    for connection in kept:
        connection.close()


def test_other_addresses_are_not_affected(start):
    server = start("--max-connections-per-address", "1")
    with server.connect() as first, socket.create_connection(("127.0.0.1", server.port), 60, ("127.0.0.2", 0)) as second:
        assert ask(first).startswith(b"HTTP/1.1 200 ") and ask(second).startswith(b"HTTP/1.1 200 ")


def test_a_flood_over_the_limit_is_dropped_and_the_server_goes_on(start):
    server = start("--max-connections", "2")
    with server.connect() as first:
        assert ask(first).startswith(b"HTTP/1.1 200 ")
        flood = []
        for _ in range(200):
            # A reset may come as early as the connection.
            with contextlib.suppress(ConnectionResetError):
                flood.append(server.connect())
        assert ask(first).startswith(b"HTTP/1.1 200 ")
        for connection in flood:
            connection.close()


def test_a_body_that_trickles_is_408(start):
    """It always makes progress, so that no limit on silence alone would end it."""
    server = start("--body-timeout", "0.4", "--min-body-rate", "1000")
    with server.connect() as connection:
        connection.sendall(b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        start_time = time.monotonic()
        connection.settimeout(0.02)
        answer = b""
        while not answer:
            assert time.monotonic() < start_time + 60
            connection.sendall(b" ")
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_at_the_rate_is_served(start):
    server = start("--body-timeout", "2", "--min-body-rate", "100")
    body = b'{"architecture":{"type":"mlp","depth":1},"x1":[[1,2]]}' + b" " * 1000
    with server.connect() as connection:
        connection.sendall(b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        for index in range(0, len(body), 50):
            connection.sendall(body[index:index + 50])
            time.sleep(0.05)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_reader_that_trickles_is_reset(start):
    server = start("--answer-timeout", "0.5", "--min-answer-rate", "1000000")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", server.port))
        # Answers of 100 KB and more each, so that they do not fit the system's buffers.
        connection.sendall(b"GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        start_time = time.monotonic()
        with pytest.raises(ConnectionResetError):
            while connection.recv(1000):
                assert time.monotonic() < start_time + 60
                time.sleep(0.01)
