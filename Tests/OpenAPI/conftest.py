"""A server to test, and the document that it is tested against."""
import contextlib
import http.client
import os
import pathlib
import socket
import subprocess
from dataclasses import dataclass

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("NTK_SERVER", ROOT / ".build/debug/ntk-server"))
DOCUMENT_PATH = ROOT / "openapi.yaml"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get_content_type()


@dataclass
class Server:
    host: str
    port: int
    pid: int

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """One request on a connection of its own, with the fields as they are given: nothing is mended on the way."""
        fields = {"Host": f"{self.host}:{self.port}", "Connection": "close"}
        if body:
            fields["Content-Length"] = str(len(body))
        fields |= headers or {}
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
        with socket.create_connection((self.host, self.port), timeout=60) as connection:
            try:
                connection.sendall(head.encode() + body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # A message over a limit may be answered before all of it was sent.
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return Answer(response.status, response.headers, response.read())


@contextlib.contextmanager
def running(directory: pathlib.Path, *options: str):
    """A server with options, its log in `directory`; it must end cleanly."""
    with open(directory / "log", "wb") as log:
        command = [str(BINARY), "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(directory / "data"), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline().strip()
        prefix = "listening on http://"
        assert line.startswith(prefix), f"{line!r} came; {(directory / 'log').read_text()}"
        host, _, port = line.removeprefix(prefix).rpartition(":")
        yield Server(host, int(port), process.pid)
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0, "the server did not stop cleanly"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server
