"""What the server answers for is its own name: a web page that has its own name lead to this machine (DNS rebinding) gets nothing."""
import json
import subprocess

import pytest
from conftest import BINARY

KERNEL = b'{"architecture":{"type":"dense"},"x1":[[1,2]]}'
KEY_LINE = ["hash-key", "alice", "--generate"]


def ask(server, host: str, method: str = "POST", path: str = "/v1/kernels", *fields: str, body: bytes = KERNEL) -> tuple[int, str, bytes]:
    """Status, type of the problem and head."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    with server.connect() as connection:
        connection.sendall("\r\n".join([*lines, *fields, "", ""]).encode() + body)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    return status, json.loads(content).get("type", "") if status >= 400 else "", head


def page_of(host: str) -> list[str]:
    """What a browser sends for a page of that host, to which the server is the page's own origin."""
    return [f"Origin: http://{host}", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", f"Referer: http://{host}/"]


def test_a_page_whose_name_was_made_to_lead_here(start):
    server = start()
    evil = f"evil.example:{server.port}"
    for method, path in [
            ("POST", "/v1/kernels"), ("GET", "/v1/regressors"), ("DELETE", "/v1/jobs/x"), ("GET", "/"), ("GET", "/livez"), ("GET", "/metrics"),
            ("GET", "/openapi.json"), ("OPTIONS", "/v1/kernels"), ("HEAD", "/"), ("POST", "/v2/models/x/infer"), ("GET", "/none")]:
        with server.connect() as connection:
            lines = [f"{method} {path} HTTP/1.1", f"Host: {evil}", *page_of(evil), "Connection: close", "Content-Length: 0", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            head = connection.recv(65_536)
        assert head.startswith(b"HTTP/1.1 421 "), (method, path, head)
        assert b"access-control" not in head.lower()
    status, kind, _ = ask(server, evil)
    assert (status, kind) == (421, "/problems/foreign-host")
    for host in (f"localhost:{server.port}", f"127.0.0.1:{server.port}", f"[::1]:{server.port}", "localhost", "ntk.localhost"):
        assert ask(server, host, "POST", "/v1/kernels", *page_of(host))[0] == 200, host
    # The target in absolute form counts, not the field.
    assert ask(server, "localhost", "POST", f"http://{evil}/v1/kernels")[0] == 421


def test_no_body_is_asked_for(start):
    server = start()
    with server.connect() as connection:
        connection.sendall(
            b"POST /v1/kernels HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 421 ")


def test_names_that_are_allowed(start, monkeypatch: pytest.MonkeyPatch):
    server = start("--allowed-host", "ntk.example", "--allowed-host", "*.pages.example")
    for host, status in [("ntk.example", 200), ("NTK.example:80", 200), ("a.pages.example", 200), ("localhost", 200), ("evil.example", 421)]:
        assert ask(server, host)[0] == status, host
    assert ask(start("--allowed-host", "*"), "evil.example")[0] == 200
    monkeypatch.setenv("NTK_ALLOWED_HOSTS", "one.example, two.example")
    server = start()
    assert [ask(server, host)[0] for host in ("one.example", "two.example", "three.example")] == [200, 200, 421]
    for bad in ("http://ntk.example", "ntk.example:80", "a b", ""):
        run = subprocess.run([str(BINARY), "serve", "--port", "0", "--allowed-host", bad], capture_output=True, text=True, timeout=60)
        assert run.returncode != 0 and "--allowed-host" in run.stderr, bad


def test_beyond_loopback_addresses_are_this_server(start):
    server = start("--host", "0.0.0.0", "--no-auth")
    assert [ask(server, host)[0] for host in ("10.1.2.3:8080", "[2001:db8::1]", "localhost", "evil.example")] == [200, 200, 200, 421]


def test_with_keys_names_count_where_they_are_given(start, tmp_path):
    made = subprocess.run([str(BINARY), *KEY_LINE], capture_output=True, text=True, check=True)
    (tmp_path / "keys").write_text(made.stdout)
    bearer = f"Authorization: Bearer {made.stderr.strip()}"
    assert ask(start("--api-keys", str(tmp_path / "keys")), "any.example", "POST", "/v1/kernels", bearer)[0] == 200
    server = start("--api-keys", str(tmp_path / "keys"), "--allowed-host", "ntk.example")
    assert [ask(server, host, "POST", "/v1/kernels", bearer)[0] for host in ("ntk.example", "evil.example")] == [200, 421]


def test_over_tls(start, authority, trust):
    certificate, key = authority.issue("ntk.example")
    server = start("--tls-certificate", str(certificate), "--tls-key", str(key), "--allowed-host", "ntk.example")
    for host, status in [("ntk.example", b"200"), ("localhost", b"200"), ("evil.example", b"421")]:
        with trust().wrap_socket(server.connect(), server_hostname="localhost") as connection:
            connection.sendall(f"GET /livez HTTP/1.1\r\nHost: {host}:{server.port}\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(65_536).split(b" ")[1] == status, host
