#!/usr/bin/env python3
"""A load of everything at once on two servers that share a data directory, one of them over TLS, until SIGTERM ends them under it.

    Tests/EndToEnd/load.py --server .build-tsan/debug/ntk-server [--seconds 20] [--seed 0]

Meant for a server that was built with a sanitizer: fails if that reports anything, if a server ends with another status than 0, if an answer is
one that nobody could expect, or if a kind of load got no answers. Only Python's standard library and the openssl tool are needed.
"""
import argparse
import collections
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from certificates import self_signed, untrusting

KEY = "a-key-for-the-load-test"
FIELDS = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
# What a sanitizer, or Swift itself, writes when something is wrong.
REPORTS = ("ThreadSanitizer", "AddressSanitizer", "runtime error", "Fatal error", "SUMMARY:")
MLP = {"type": "mlp", "depth": 2, "b_std": 0.1}
NETWORK = {"architecture": {"type": "serial", "layers": [{"type": "dense", "width": 16}, {"type": "relu"}, {"type": "dense", "width": 1}]},
           "initialization": {"seed": 1}}


class Server:
    def __init__(self, binary: pathlib.Path, directory: pathlib.Path, name: str, *options: str):
        self.log = directory / f"{name}.log"
        (directory / "keys").write_text(f"{hashlib.sha256(KEY.encode()).hexdigest()} load\n")
        command = [
            str(binary), "serve", "--port", "0", "--data-dir", str(directory / "data"), "--api-keys", str(directory / "keys"),
            "--max-connections-per-address", "0", "--memory-budget", str(32 << 20), "--memory-wait", "2", "--idle-timeout", "2",
            "--job-retention", "5", *options]
        with open(self.log, "wb") as log:
            # LeakSanitizer does not know where Swift keeps its references.
            environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        line = self.process.stdout.readline().strip()
        assert line.startswith("listening on "), self.log.read_text()
        self.port = int(line.rpartition(":")[2])
        self.tls = untrusting() if line.startswith("listening on https") else None

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return self.tls.wrap_socket(connection) if self.tls else connection

    def client(self) -> http.client.HTTPConnection:
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


class Load:
    """One kind of load on one connection after another, each in a thread of its own."""

    def __init__(self, servers: list[Server], seed: int):
        self.servers = servers
        self.seed = seed
        self.answers: collections.Counter[tuple[str, int]] = collections.Counter()
        self.unexpected: list[str] = []
        self.has_ended = threading.Event()

    def run(self, kind: str, number: int) -> None:
        rng = random.Random(f"{self.seed} {kind} {number}")
        action = getattr(self, kind)
        while not self.has_ended.is_set():
            server = self.servers[(number + rng.randrange(2)) % len(self.servers)]
            client = server.client()
            try:
                for _ in range(20):
                    action(rng, server, client)
                    if self.has_ended.is_set():
                        break
            except (OSError, http.client.HTTPException) as error:
                # Kept alive for too long, or cut by the client itself; not while the servers live, otherwise.
                if server.process.poll() is not None and not self.has_ended.is_set():
                    self.unexpected.append(f"{kind}: {error!r}, and the server has ended")
                    return
            except Exception as error:  # Anything else is a fault of the server or of this test.
                self.unexpected.append(f"{kind}: {error!r}")
                return
            finally:
                client.close()

    def ask(self, kind: str, client, method: str, path: str, body: object = None, fields: dict | None = None, good=(200,)) -> bytes:
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        client.request(method, path, content, FIELDS | (fields or {}))
        response = client.getresponse()
        answer = response.read()
        # 503: the memory, a queue, or the end.
        if response.status not in (*good, 503):
            self.unexpected.append(f"{kind}: {method} {path}: {response.status} {answer[:300]!r}")
        self.answers[kind, response.status] += 1
        return answer if response.status in good else b""

    def points(self, rng: random.Random, n: int, d: int = 3) -> list:
        return [[rng.gauss(0, 1) for _ in range(d)] for _ in range(n)]

    def kernels(self, rng, server, client) -> None:
        body = {"architecture": MLP, "x1": self.points(rng, 8), "x2": self.points(rng, 20), "precision": rng.choice(["float32", "float64"])}
        assert (answer := self.ask("kernels", client, "POST", "/v1/kernels", body)) == b"" or json.loads(answer)["shape"] == [8, 20]

    def equal(self, rng, server, client) -> None:
        x = self.points(random.Random(int(time.time() * 20)), 60)
        self.ask("equal", client, "POST", "/v1/kernels", {"architecture": MLP, "x1": x})

    def compressed(self, rng, server, client) -> None:
        body = gzip.compress(json.dumps({"architecture": MLP, "x1": self.points(rng, 120), "kinds": ["nngp", "ntk"]}).encode(), 1)
        answer = self.ask("compressed", client, "POST", "/v1/kernels", body, {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
        assert not answer or len(json.loads(gzip.decompress(answer))["ntk"]) == 120

    def predictions(self, rng, server, client) -> None:
        train = self.points(random.Random(5), 200)
        fit = {"kernel": {"architecture": MLP}, "x_train": train, "y_train": [point[0] for point in train], "ridge": 1e-3}
        answer = self.ask("fits", client, "POST", "/v1/regressors", fit, good=(200, 201))
        for _ in range(20 if answer else 0):
            body = {"x": self.points(rng, 1), "covariance": rng.choice(["none", "none", "diagonal"])}
            self.ask("predictions", client, "POST", f"/v1/regressors/{json.loads(answer)['id']}/predictions", body)

    def fits(self, rng, server, client) -> None:
        train = self.points(rng, 30)
        fit = {"kernel": {"architecture": MLP}, "x_train": train, "y_train": [point[0] for point in train], "ridge": 1e-3}
        if answer := self.ask("fits", client, "POST", "/v1/regressors", fit, good=(200, 201)):
            path = f"/v1/regressors/{json.loads(answer)['id']}"
            self.ask("fits", client, "GET", path)
            self.ask("fits", client, "DELETE", path, good=(204,))

    def networks(self, rng, server, client) -> None:
        self.ask("networks", client, "POST", "/v1/empirical-kernels", {"network": NETWORK, "x1": self.points(rng, 10)})
        self.ask("networks", client, "POST", "/v1/network-outputs", {"network": NETWORK, "x": self.points(rng, 10)})

    def jobs(self, rng, server, client) -> None:
        body = {"architecture": MLP, "x1": self.points(rng, rng.choice([50, 600]), 20)}
        answer = self.ask("jobs", client, "POST", "/v1/kernels", body, {"Prefer": "respond-async"}, good=(202,))
        if not answer:
            time.sleep(0.2)
            return
        path = f"/v1/jobs/{json.loads(answer)['id']}"
        client.request("GET", path + "/events", headers=FIELDS)
        events = client.getresponse()
        self.answers["events", events.status] += 1
        if rng.random() < 0.3:
            events.readline()
            client.close()
            self.ask("jobs", client, "DELETE", path, good=(200, 202, 204, 404, 409))
            return
        events.read()
        self.ask("results", client, "GET", path + "/result", None, {"Range": "bytes=10-99", "Accept": "application/x-npy"}, good=(206, 404, 409))
        self.ask("jobs", client, "GET", "/v1/jobs?limit=5")

    def cancels(self, rng, server, client) -> None:
        body = json.dumps({"architecture": {"type": "mlp", "depth": 6, "activation": "gelu"}, "x1": self.points(rng, 400)}).encode()
        client.request("POST", "/v1/kernels", body, FIELDS | {"Request-Timeout": rng.choice(["0.05", "30"])})
        client.sock.settimeout(rng.uniform(0.01, 0.3))
        try:
            status = client.getresponse().status
        except TimeoutError:
            status = 0
        finally:
            client.close()
        self.answers["cancels", status] += 1

    def uploads(self, rng, server, client) -> None:
        with server.connect() as connection:
            isWhole, count = rng.random() < 0.6, rng.randrange(1, 12)
            head = ["POST /v1/kernels HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in FIELDS.items())]
            chunk = b" " * (1 << 19)
            if rng.random() < 0.5:
                connection.sendall("\r\n".join([*head, "Transfer-Encoding: chunked", "", ""]).encode())
                for _ in range(count):
                    connection.sendall(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
                if isWhole:
                    connection.sendall(b"2\r\n{}\r\n0\r\n\r\n")
            else:
                connection.sendall("\r\n".join([*head, f"Content-Length: {count * len(chunk) + 2}", "", ""]).encode())
                for _ in range(count):
                    connection.sendall(chunk)
                if isWhole:
                    connection.sendall(b"{}")
            if isWhole:
                self.answers["uploads", int(connection.recv(65536).split(b" ")[1])] += 1

    def malformed(self, rng, server, client) -> None:
        message = rng.choice([
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x00\x05",
            b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", b"GET / HTTP/1.1\r\n", bytes(40)])
        with server.connect() as connection:
            connection.sendall(message)
            connection.settimeout(0.3)
            with contextlib.suppress(OSError):
                connection.recv(65536)
        self.answers["malformed", 0] += 1

    def looks(self, rng, server, client) -> None:
        for path in ("/metrics", "/readyz", "/openapi.json", "/", "/v1/regressors", "/v2/health/ready"):
            self.ask("looks", client, "GET", path, None, {"Accept-Encoding": "gzip"})
        time.sleep(0.02)


KINDS = {"kernels": 3, "equal": 3, "compressed": 2, "predictions": 4, "fits": 1, "networks": 1, "jobs": 2, "cancels": 2, "uploads": 3, "malformed": 1,
         "looks": 1}


def certificate(directory: pathlib.Path) -> None:
    """Replaces both files; a server that reads them in between keeps what it has."""
    self_signed(directory / "new.pem", directory / "new.key")
    for suffix in ("key", "pem"):
        os.replace(directory / f"new.{suffix}", directory / f"tls.{suffix}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", default=20, type=float)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        certificate(directory)
        servers = [
            Server(arguments.server, directory, "plain"),
            Server(arguments.server, directory, "tls", "--tls-certificate", str(directory / "tls.pem"), "--tls-key", str(directory / "tls.key"))]
        load = Load(servers, arguments.seed)
        threads = [threading.Thread(target=load.run, args=(kind, number), daemon=True) for kind, count in KINDS.items() for number in range(count)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + arguments.seconds
        while time.monotonic() < end and not load.unexpected:
            time.sleep(0.5)
            certificate(directory)
            for server in servers:
                server.process.send_signal(signal.SIGHUP)
        start = time.monotonic()
        load.has_ended.set()  # What is cut from now on is cut by the end.
        for server in servers:
            server.process.terminate()
        for server in servers:
            try:
                status = server.process.wait(60)
            except subprocess.TimeoutExpired:
                server.process.kill()
                status = "no"
            if status != 0:
                faults.append(f"a server ended with status {status}")
        print(f"ended in {time.monotonic() - start:.1f} s")
        for thread in threads:
            thread.join(60)
        for server in servers:
            log = server.log.read_text(errors="replace")
            if any(report in log for report in REPORTS):
                faults.append("".join(line for line in log.splitlines(keepends=True) if not line.startswith("{"))[:20_000])
    answers = load.answers
    for kind in sorted({kind for kind, _ in answers}):
        print(f"{kind:12}", ", ".join(f"{count} × {status or 'none'}" for (other, status), count in sorted(answers.items()) if other == kind))
    faults += load.unexpected[:10]
    wanted = {"kernels": 200, "equal": 200, "compressed": 200, "predictions": 200, "fits": 201, "networks": 200, "jobs": 202, "events": 200,
              "results": 206, "cancels": 0, "uploads": 422, "malformed": 0, "looks": 200}
    faults += [f"no {kind} with {status}" for kind, status in wanted.items() if answers[kind, status] == 0]
    print("\n".join(faults) or "nothing to report")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
