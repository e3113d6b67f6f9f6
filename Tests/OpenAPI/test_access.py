"""Who may ask, how often, from which pages, and what is counted and logged of it: on a real server."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import BINARY, ROOT, Server, running
from test_openapi import DOCUMENT, OPERATIONS

KERNEL = b'{"architecture":{"type":"dense"},"x1":[[1,2]]}'
JSON = {"Content-Type": "application/json"}


def made_key(name: str, *options: str) -> tuple[str, str]:
    """A line for the file, and the key."""
    made = subprocess.run([BINARY, "hash-key", name, "--generate", *options], capture_output=True, text=True, check=True)
    return made.stdout, made.stderr.strip()


def bearer(key: str) -> dict[str, str]:
    return JSON | {"Authorization": f"Bearer {key}"}


def until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def lines(directory: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "log").read_text().splitlines()]


def refused(*options: str) -> str:
    """What a server says that does not start."""
    run = subprocess.run([BINARY, "serve", "--port", "0", *options], capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and run.stdout == ""
    return run.stderr


def test_what_is_open_is_what_the_document_says(tmp_path: pathlib.Path):
    line, key = made_key("alice")
    (tmp_path / "keys").write_text(line)
    said = " ".join(DOCUMENT["info"]["description"].split())
    guide = (ROOT / "Docs/security.md").read_text(encoding="utf-8")
    with running(tmp_path, "--api-keys", str(tmp_path / "keys")) as server:
        for operation in OPERATIONS:
            path = operation.path.replace("{file}", "main.js").replace("{version}", "1").replace("{id}", "0" * 64).replace("{type}", "not-found")
            is_open = operation.node.get("security") == []
            answer = server.send(operation.method.upper(), path, {"Content-Type": "application/json"}, b"{}" if operation.method == "post" else b"")
            assert (answer.status != 401) == is_open, f"{operation.name} {answer.status}"
            if is_open:
                name = operation.path.replace("{file}", "…").replace("{type}", "…")
                assert f"`{name}`" in said and f"`{name}`" in guide


def test_keys_from_the_file_to_the_answer(tmp_path: pathlib.Path):
    line, key = made_key("alice")
    old_line, old = made_key("old", "--expires", "2020-01-01")
    assert line.split() == [hashlib.sha256(key.encode()).hexdigest(), "alice"]
    keys = tmp_path / "keys"
    keys.write_text("# who may ask\n" + line + old_line)
    with running(tmp_path, "--api-keys", str(keys)) as server:
        assert server.send("POST", "/v1/kernels", bearer(key), KERNEL).status == 200
        missing = server.send("POST", "/v1/kernels", JSON, KERNEL)
        assert missing.status == 401 and missing.headers["WWW-Authenticate"] == 'Bearer realm="ntk-server"'
        assert json.loads(missing.body)["type"] == "/problems/unauthorized"
        assert server.send("POST", "/v1/kernels", bearer("x" + key), KERNEL).status == 401
        assert server.send("POST", "/v1/kernels", bearer(old), KERNEL).status == 403
        assert server.send("GET", "/metrics").status == 401 and server.send("GET", "/metrics", bearer(key)).status == 200
        for path in ("/livez", "/readyz", "/healthz", "/version", "/openapi.yaml", "/v2/health/ready"):
            assert server.send("GET", path).status == 200
        # The challenge comes instead of 100 (Continue).
        waiting = JSON | {"Expect": "100-continue", "Content-Length": "1000000"}
        assert server.send("POST", "/v1/kernels", waiting).status == 401

        # A bad file changes nothing and is told; a good one counts from then on.
        keys.write_text(line + "nonsense\n")
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: any("not reread" in line["message"] for line in lines(tmp_path)))
        assert "line 2" in next(line["error"] for line in lines(tmp_path) if "not reread" in line["message"])
        assert server.send("POST", "/v1/kernels", bearer(key), KERNEL).status == 200
        new_line, new = made_key("bob")
        keys.write_text(new_line)
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: server.send("POST", "/v1/kernels", bearer(new), KERNEL).status == 200)
        assert server.send("POST", "/v1/kernels", bearer(key), KERNEL).status == 401
    text = (tmp_path / "log").read_text()
    assert key not in text and new not in text and old not in text
    assert {line.get("key") for line in lines(tmp_path)} >= {"alice", "bob"}


def test_a_bad_file_of_keys_is_an_error_that_names_the_line(tmp_path: pathlib.Path):
    keys = tmp_path / "keys"
    keys.write_text("\n# fine\nsecret-in-the-wrong-place alice\n")
    said = refused("--api-keys", str(keys))
    assert "line 3" in said and "secret" not in said
    assert str(tmp_path / "none") in refused("--api-keys", str(tmp_path / "none"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ntk.example", "127.0.0.1.example"])
def test_beyond_loopback_only_with_keys_or_a_word(host: str):
    assert "--no-auth" in refused("--host", host)


def test_beyond_loopback_with_a_word(tmp_path: pathlib.Path):
    with running(tmp_path, "--host", "0.0.0.0", "--no-auth") as server:
        assert Server("127.0.0.1", server.port, server.pid).send("GET", "/livez").status == 200


def test_the_rate_limit_is_told_and_kept(tmp_path: pathlib.Path):
    with running(tmp_path, "--rate-limit", "3/h") as server:
        answers = [server.send("POST", "/v1/kernels", JSON, KERNEL) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
        assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"default";q=3;w=3600'}
        assert 3500 < int(answers[3].headers["Retry-After"]) <= 3600
        assert server.send("GET", "/livez").status == 200
    assert "N/s" in refused("--rate-limit", "fast") or "rate-limit" in refused("--rate-limit", "fast")


def test_pages_of_an_origin(tmp_path: pathlib.Path):
    keys = tmp_path / "keys"
    line, key = made_key("page")
    keys.write_text(line)
    with running(tmp_path, "--api-keys", str(keys), "--cors-origin", "https://a.example", "--cors-origin", "http://localhost:3000") as server:
        for origin in ("https://a.example", "http://localhost:3000"):
            preflight = server.send(
                "OPTIONS", "/v1/kernels",
                {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
            assert preflight.status == 204 and preflight.headers["Access-Control-Allow-Origin"] == origin
            assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
            for headers, status in ((bearer(key), 200), (JSON, 401)):
                answer = server.send("POST", "/v1/kernels", headers | {"Origin": origin}, KERNEL)
                assert answer.status == status and answer.headers["Access-Control-Allow-Origin"] == origin
                assert "Origin" in answer.headers["Vary"] and "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
                assert "Access-Control-Allow-Credentials" not in answer.headers
        other = server.send("POST", "/v1/kernels", bearer(key) | {"Origin": "https://b.example"}, KERNEL)
        assert "Access-Control-Allow-Origin" not in other.headers and "Origin" in other.headers["Vary"]
    assert "origin" in refused("--cors-origin", "https://a.example/path")


def test_metrics_are_whole_and_bounded(tmp_path: pathlib.Path):
    with running(tmp_path) as server:
        for _ in range(3):
            server.send("POST", "/v1/kernels", JSON, KERNEL)
        for number in range(50):
            server.send("GET", f"/made/up/{number}?q={number}")
        server.send("BREW", "/livez")
        text = server.send("GET", "/metrics").body.decode()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        values = {(s.name, *sorted(s.labels.items())): s.value for family in families.values() for s in family.samples}
        route = ("route", "/v1/kernels")
        assert values["ntk_http_requests_total", ("method", "POST"), route, ("status", "200")] == 3
        assert values["ntk_http_requests_total", ("method", "GET"), ("route", "none"), ("status", "404")] == 50
        assert values["ntk_http_request_duration_seconds_count", route] == 3
        assert "made" not in text and "BREW" not in text
        for name in (
                "process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds", "ntk_build_info",
                "ntk_batch_size", "ntk_batch_queue_delay_seconds", "ntk_batch_queue_depth", "ntk_jobs", "ntk_memory_budget_bytes",
                "ntk_connections", "ntk_network_received_bytes"):
            assert name in families, name
            assert families[name].documentation


def test_one_line_a_request_and_none_forged(tmp_path: pathlib.Path):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with running(tmp_path) as server:
        server.send("POST", "/v1/kernels", JSON | {"X-Request-Id": "one", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}, KERNEL)
        server.send("GET", '/x%0a%7b%22level%22:%22error%22%7d', {"User-Agent": 'a"},{"b', "traceparent": f"00-{trace.upper()}-00f067aa0ba902b7-01"})
        server.send("GET", "/version")
        # What is asked every few seconds says nothing at this level.
        server.send("GET", "/livez")
    requests = [line for line in lines(tmp_path) if line["message"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [("/v1/kernels", 200), ("none", 404), ("/version", 200)]
    first = requests[0]
    assert first["request_id"] == "one" and first["trace_id"] == trace and first["method"] == "POST"
    assert first["bytes_in"] == len(KERNEL) and first["remote"] == "127.0.0.1"
    assert {"duration_ms", "queue_ms", "parse_ms", "compute_ms", "encode_ms"} <= first.keys()
    assert "trace_id" not in requests[1] and requests[1]["user_agent"] == 'a"},{"b'


def test_logs_as_text(tmp_path: pathlib.Path):
    with running(tmp_path, "--log-format", "text", "--log-level", "debug") as server:
        server.send("GET", "/livez")
        server.send("GET", "/version")
    text = (tmp_path / "log").read_text()
    assert 'debug request' in text and 'route="/livez"' in text
    assert 'info request' in text and 'route="/version"' in text
