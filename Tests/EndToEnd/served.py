"""A server on a port of its own, for campaigns that need nothing but Python's standard library."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time


class Served:
    """A server that was started for whoever makes this, and listens."""

    def __init__(self, binary: pathlib.Path | str, *options: str, environment: dict[str, str] | None = None, log=None):
        start = time.perf_counter()
        command = [str(binary), "serve", "--port", "0", *map(str, options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | (environment or {}))
        line = self.process.stdout.readline()
        assert line.startswith("listening on http"), f"{line!r} came from a server that was to listen"
        self.port = int(line.rsplit(":", 1)[1])
        # Seconds from its start until it listens.
        self.start = time.perf_counter() - start

    def send(self, method: str, path: str, body: bytes | str | None = None, headers: dict | None = None) -> tuple[int, dict, bytes]:
        """Status, fields and content of the answer."""
        return send(self.port, method, path, body, headers)

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
        """Status and content of the answer to JSON."""
        status, _, answer = self.send(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"} if body else {})
        return status, answer

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ends it in order."""
        self.process.terminate()
        assert self.process.wait(60) == 0, "the server did not stop cleanly"


def send(port: int, method: str, path: str, body: bytes | str | None = None, headers: dict | None = None) -> tuple[int, dict, bytes]:
    """Status, fields and content of the answer of the server at a port, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def on_directory(binary: pathlib.Path | str, data: pathlib.Path | str, *options: str) -> Served:
    """A server on a data directory, which is not blamed for the deaths of those that are killed there."""
    return Served(binary, "--data-dir", data, "--log-level", "error", *options, environment={"NTK_JOB_ATTEMPTS": "1000"})
