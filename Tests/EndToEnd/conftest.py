"""Real servers with the options that a test chooses, and certificates made by the openssl tool."""
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
from dataclasses import dataclass

import pytest
from certificates import NEW_KEY, openssl, self_signed
from faults import FaultyServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("NTK_SERVER", ROOT / ".build/debug/ntk-server"))


@dataclass
class Server:
    process: subprocess.Popen
    port: int
    log: pathlib.Path

    def connect(self, timeout: float = 60) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def logged(self, text: str) -> bool:
        return text in self.log.read_text()


@pytest.fixture
def start(tmp_path: pathlib.Path):
    """Starts servers, and sees to it that each of them ends cleanly."""
    servers = []

    def unchecked(*options: str) -> Server:
        log = tmp_path / f"log-{len(list(tmp_path.glob('log-*')))}"
        command = [str(BINARY), "serve", "--port", "0", *options]
        with open(log, "wb") as file:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
        line = process.stdout.readline().strip()
        assert line.startswith("listening on http"), f"{line!r} came; {log.read_text()}"
        return Server(process, int(line.rpartition(":")[2]), log)

    def start(*options: str) -> Server:
        servers.append(unchecked(*options))
        return servers[-1]

    # For a test that kills it.
    start.unchecked = unchecked
    yield start
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.process.terminate()
        assert server.process.wait(timeout=60) == 0, server.log.read_text()


@pytest.fixture
def faulty(tmp_path):
    """Starts servers whose data directory can fail."""
    servers = []

    def start(directory: pathlib.Path, *options: str) -> FaultyServer:
        servers.append(FaultyServer(BINARY, tmp_path, directory, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.faults.stop()
        server.process.terminate()
        assert server.process.wait(60) == 0


class Authority:
    """A certificate authority that signs for names."""

    def __init__(self, directory: pathlib.Path, name: str):
        self.directory = directory
        self.certificate = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        self_signed(self.certificate, self.key, name)

    def issue(self, name: str) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate for a host (and 127.0.0.1) or a client, and its key."""
        certificate, key, request = (self.directory / f"{name}{suffix}" for suffix in (".pem", ".key", ".csr"))
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "30",
                "-extfile", extensions, "-out", certificate)
        return certificate, key


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def trust(authority: Authority):
    """A client's context that trusts the authority."""
    return lambda: ssl.create_default_context(cafile=authority.certificate)
