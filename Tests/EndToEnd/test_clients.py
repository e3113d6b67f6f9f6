"""Clients that do what clients seldom do: end their side early, send far ahead, follow and do not read, come when there is no room."""
import json
import re
import resource
import select
import signal
import socket
import subprocess
import threading
import time

import pytest
from conftest import BINARY

JSON = "Content-Type: application/json"
# A second or so of work, in many tiles.
LONG = json.dumps({
    "architecture": {"type": "mlp", "depth": 6, "activation": "gelu", "b_std": 0.1}, "x1": [[i / 7, (i * i % 11) / 3] for i in range(700)],
    "diagonal": False, "kinds": ["ntk"]}).encode()
LARGE_KEY = [str(BINARY), "hash-key", "alice", "--generate"]


def message(method: str, path: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *fields, "", ""]).encode() + body


def received(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(1 << 20):
        answer += piece
    return answer


def metric(server, name: str) -> float:
    with server.connect() as connection:
        connection.sendall(message("GET", "/metrics", "Connection: close"))
        text = received(connection).decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.parametrize("is_secure", [False, True])
def test_who_has_ended_his_side_gets_the_answer_to_long_work(start, is_secure, authority, trust):
    options = []
    if is_secure:
        certificate, key = authority.issue("half.example")
        options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    server = start(*options)
    with server.connect() as plain:
        connection = trust().wrap_socket(plain, server_hostname="localhost") if is_secure else plain
        connection.sendall(message("POST", "/v1/kernels", JSON, "Connection: close", body=LONG))
        # An end of the connection beneath TLS is no more than that of the octets; the session has no other.
        socket.socket.shutdown(connection, socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(1 << 20):
            answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    assert answer.count(b"HTTP/1.1") == 1 and content.endswith(b'"precision":"float64"}\r\n0\r\n\r\n'), content[-60:]


def test_the_work_of_a_client_that_has_gone_ends(start):
    server = start("--workers", "1")
    body = json.dumps({"architecture": {"type": "mlp", "depth": 60, "activation": "gelu", "b_std": 0.1},
                       "x1": [[i / 7, (i * i % 11) / 3] for i in range(4_000)]}).encode()
    with server.connect() as connection:
        connection.sendall(message("POST", "/v1/kernels", JSON, body=body))
        until(lambda: metric(server, "ntk_memory_reserved_bytes") > 100e6)
    # Its memory comes back when its work has ended.
    until(lambda: metric(server, "ntk_memory_reserved_bytes") < 100e6)


def test_who_sends_far_ahead_does_not_hold_up_others(start):
    server = start("--event-loops", "1")
    count = 100_000
    small = message("POST", "/v1/kernels", JSON, body=b'{"architecture":{"type":"dense"},"x1":[[1,2]]}')
    with server.connect() as ahead:
        waits, answers, left = [], 0, memoryview(small * count)
        is_over = threading.Event()
        ahead.setblocking(False)

        def drive() -> None:
            """Sends as fast as it can, and reads what comes."""
            nonlocal answers, left
            while answers < count and not is_over.is_set():
                readable, writable, _ = select.select([ahead], [ahead] if left else [], [], 60)
                if writable:
                    left = left[ahead.send(left):]
                if readable:
                    answers += ahead.recv(1 << 20).count(b"HTTP/1.1 200")

        reader = threading.Thread(target=drive)
        reader.start()
        while reader.is_alive() and len(waits) < 300:
            begin = time.monotonic()
            with server.connect() as probe:
                probe.sendall(message("GET", "/livez", "Connection: close"))
                assert received(probe).startswith(b"HTTP/1.1 200")
            waits.append(time.monotonic() - begin)
            time.sleep(0.01)
        is_over.set()
        reader.join(60)
    assert answers > 1_000
    # A stall would be as long as a receive buffer's requests take, some hundred milliseconds each time.
    assert sorted(waits)[len(waits) // 2] < 0.1, sorted(waits)[-5:]


def events(server, job: str) -> socket.socket:
    connection = server.connect()
    connection.sendall(message("GET", f"/v1/jobs/{job}/events"))
    connection.recv(1)
    return connection


def long_job(server) -> str:
    body = json.dumps({"architecture": {"type": "mlp", "depth": 60, "activation": "gelu", "b_std": 0.1},
                       "x1": [[i / 7, (i * i % 11) / 3] for i in range(3_000)]}).encode()
    with server.connect() as connection:
        connection.sendall(message("POST", "/v1/kernels", JSON, "Prefer: respond-async", "Connection: close", body=body))
        return json.loads(received(connection).partition(b"\r\n\r\n")[2])["id"]


def cancel(server, job: str) -> None:
    with server.connect() as connection:
        connection.sendall(message("DELETE", f"/v1/jobs/{job}", "Connection: close"))
        received(connection)


def test_events_that_nobody_follows_any_more_end(start, tmp_path):
    server = start("--data-dir", str(tmp_path / "data"))
    job = long_job(server)
    followers = [events(server, job) for _ in range(20)]
    until(lambda: metric(server, "ntk_connections") >= 20)
    for follower in followers:
        follower.close()
    # At once, and not when the next event or comment comes, which can take 15 s.
    until(lambda: metric(server, "ntk_connections") <= 2, seconds=8)
    # Who has only ended his side goes on to follow.
    half = events(server, job)
    half.shutdown(socket.SHUT_WR)
    time.sleep(0.5)
    cancel(server, job)
    half.settimeout(30)
    assert b"event: cancelled" in received(half)


def descriptors(limit: int):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def test_without_descriptors_the_answer_is_503(tmp_path):
    process = subprocess.Popen(
        [str(BINARY), "serve", "--port", "0", "--data-dir", str(tmp_path / "data")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        preexec_fn=descriptors(64))
    try:
        port = int(process.stdout.readline().rpartition(":")[2])
        connections, refused, silent = [], 0, 0
        for _ in range(120):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            try:
                connection.sendall(message("GET", "/livez"))
                answer = connection.recv(65_536)
            except ConnectionError:
                answer = b""
            if answer.startswith(b"HTTP/1.1 503"):
                assert b"Retry-After" in answer
                refused += 1
            elif not answer:
                silent += 1
            else:
                assert answer.startswith(b"HTTP/1.1 200")
            connections.append(connection)
        assert refused >= 60 and silent <= 10, (refused, silent)
        for connection in connections:
            connection.close()
        time.sleep(3)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(message("GET", "/livez"))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_an_empty_file_of_keys_locks_nobody_out(start, tmp_path):
    made = subprocess.run(LARGE_KEY, capture_output=True, text=True, check=True)
    keys = tmp_path / "keys"
    keys.write_text(made.stdout)
    server = start("--api-keys", str(keys))
    asked = message("POST", "/v1/kernels", JSON, f"Authorization: Bearer {made.stderr.strip()}", "Connection: close",
                    body=b'{"architecture":{"type":"dense"},"x1":[[1,2]]}')
    for text in ("", "# none\n\n", '{"keys":[]}'):
        keys.write_text(text)
        before = server.log.read_text().count("keys not reread")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.log.read_text().count("keys not reread") > before)
        with server.connect() as connection:
            connection.sendall(asked)
            assert received(connection).startswith(b"HTTP/1.1 200")


def test_a_content_type_among_trailers_is_ignored(start):
    server = start()
    body = b'{"architecture":{"type":"dense"},"x1":[[1,2]]}'
    with server.connect() as connection:
        connection.sendall(
            b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n%s\r\n0\r\nContent-Type: text/plain\r\n\r\n" % (len(body), body))
        assert received(connection).startswith(b"HTTP/1.1 200")


def unsent(client: socket.socket) -> int:
    """Octets that the system holds for this client and that are not acknowledged: tx_queue of the server's side, from the system's table."""
    port = f"{client.getsockname()[1]:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return next(int(row[4].partition(":")[0], 16) for row in rows if row[2].endswith(":" + port))


def test_the_system_holds_little_for_who_reads_slowly(start):
    server = start()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(message("GET", "/openapi.yaml") * 100)
        assert reader.recv(16).startswith(b"HTTP/1.1 200")
        time.sleep(0.5)
        # Megabytes without a bound; with it, the bound and what is in flight.
        assert 0 < unsent(reader) < 400_000
