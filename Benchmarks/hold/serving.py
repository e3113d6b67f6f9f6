"""A server to measure, its memory, and a client that is not to be hurt."""
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Tests/EndToEnd"))
from certificates import self_signed, untrusting  # noqa: E402, F401


class Server:
    def __init__(self, *options: str, binary=None):
        self.binary = binary or os.environ.get("NTK_SERVER", ROOT / ".build/release/ntk-server")
        self.options = options

    def __enter__(self):
        command = [str(self.binary), "serve", "--port", "0", "--log-level", "error", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    @property
    def resident(self) -> int:
        """Bytes of memory in use."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError


def identity(directory: str) -> tuple[str, ...]:
    """Options for a certificate of its own."""
    certificate, key = f"{directory}/tls.pem", f"{directory}/tls.key"
    self_signed(certificate, key, "localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    return "--tls-certificate", certificate, "--tls-key", key


class GoodClient:
    """Asks for a small kernel again and again, on one connection."""

    BODY = b'{"architecture":{"type":"mlp","depth":3},"x1":[[1,2],[3,4]]}'
    REQUEST = (b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)) + BODY

    def __init__(self, port: int, context: ssl.SSLContext | None = None):
        self.socket = socket.create_connection(("127.0.0.1", port), 60, ("127.0.0.100", 0))
        if context:
            self.socket = context.wrap_socket(self.socket)

    def ask(self) -> float:
        """Seconds for one answer."""
        start = time.perf_counter()
        self.socket.sendall(self.REQUEST)
        answer = self.socket.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return time.perf_counter() - start

    def times(self, seconds: float, pause: float = 0.005) -> list[float]:
        end, times = time.monotonic() + seconds, []
        while time.monotonic() < end:
            times.append(self.ask())
            time.sleep(pause)
        return sorted(times)


def quantile(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(share * len(times)))]


temporary_directory = tempfile.TemporaryDirectory
