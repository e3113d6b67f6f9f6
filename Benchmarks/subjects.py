"""The servers that are measured: started on free ports, stopped at the end."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

PEERS = pathlib.Path(__file__).resolve().parent / "peers"


@dataclass
class Subject:
    name: str
    address: str
    pid: int

    def peak_bytes(self) -> int:
        """The largest resident set so far (VmHWM)."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
        raise RuntimeError(f"{self.name} has no VmHWM: it has stopped")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_live(name: str, address: str, process: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with urllib.request.urlopen(f"{address}/livez", timeout=5):
                return
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start")


@contextlib.contextmanager
def _running(name: str, command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[Subject]:
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_live(name, address, process)
        yield Subject(name, address, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ntk_server(binary: str) -> contextlib.AbstractContextManager[Subject]:
    port = _free_port()
    return _running("NTK Server", [binary, "serve", "--host", "127.0.0.1", "--port", str(port)], port)


def neural_tangents(precision: str) -> contextlib.AbstractContextManager[Subject]:
    port = _free_port()
    command = [sys.executable, str(PEERS / "fastapi_neural_tangents.py"), "--port", str(port)]
    return _running(f"FastAPI + neural-tangents {precision}", command, port, {"NTK_PEER_PRECISION": precision})


def hummingbird(binary: str) -> contextlib.AbstractContextManager[Subject]:
    port = _free_port()
    return _running("Hummingbird", [binary, str(port)], port)
