"""Memory that the system does not give: a request is refused, or does with what is held, and the process lives."""
import concurrent.futures
import errno
import json
import resource
import subprocess

import pytest
from conftest import BINARY
from faults import FaultyServer
from fault_injection import send

POINTS = [[float(i % 17), float(i), 1.0] for i in range(1_100)]
MLP = {"type": "mlp", "depth": 2}
NETWORK = {"architecture": {"type": "serial", "layers": [{"type": "dense", "width": 1_500}, {"type": "relu"}, {"type": "dense", "width": 1_500}]},
           "initialization": {"seed": 1}}
# Each makes blocks of more than 8 MiB.
REQUESTS = {
    "/v1/kernels": {"architecture": MLP, "x1": POINTS, "kinds": ["ntk", "nngp"]},
    "/v1/predictions": {"kernel": {"architecture": MLP}, "x_train": POINTS, "y_train": [point[0] for point in POINTS], "ridge": 0.1, "x_test": POINTS[:3]},
    "/v1/regressors": {"kernel": {"architecture": MLP}, "x_train": POINTS, "y_train": [point[0] for point in POINTS], "ridge": 0.1},
    "/v1/networks": NETWORK | {"input_shape": [3]},
    "/v1/network-outputs": {"network": NETWORK, "x": POINTS},
    "/v1/empirical-kernels": {"network": NETWORK, "x1": POINTS[:40]},
    "/v1/gradient-features": {"network": NETWORK, "x": POINTS[:2], "outputs": [0], "dimension": 64},
}


def is_refused(status: int, answer: bytes) -> bool:
    return status in (422, 503) and json.loads(answer)["type"] in ("/problems/over-limit", "/problems/unavailable")


def finished(port: int, path: str, body: dict) -> tuple[int, bytes]:
    """As a job."""
    status, answer = send(port, "POST", path, body, Prefer="respond-async")
    assert status == 202, answer
    job = json.loads(answer)["id"]
    while json.loads(send(port, "GET", f"/v1/jobs/{job}")[1])["finished_at"] is None:
        pass
    return send(port, "GET", f"/v1/jobs/{job}/result")


@pytest.mark.parametrize("is_a_job", [False, True], ids=["answered", "as a job"])
@pytest.mark.parametrize("path", REQUESTS)
def test_blocks_that_the_system_refuses(tmp_path, path, is_a_job):
    server = FaultyServer(BINARY, tmp_path, tmp_path / "data")
    try:
        server.faults.fail_always(errno.ENOMEM, ["memory"])
        ask = finished if is_a_job and path not in ("/v1/networks", "/v1/network-outputs") else lambda port, path, body: send(port, "POST", path, body)
        status, answer = ask(server.port, path, REQUESTS[path])
        server.faults.stop()
        assert server.process.poll() is None, "the process died"
        assert status in (200, 201) or is_refused(status, answer), answer
        status, answer = send(server.port, "POST", path, REQUESTS[path])
        assert status in (200, 201), answer
    finally:
        server.process.terminate()
        assert server.process.wait(60) == 0


def limited(tmp_path, bytes_: int, *options: str) -> subprocess.Popen:
    command = [str(BINARY), "serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--event-loops", "2", "--workers", "2", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_)))


def test_a_limit_of_addresses(tmp_path):
    """Beside each other, requests that together want more than a process may have: what fits is answered, the rest is refused."""
    process = limited(tmp_path, 3 << 30, "--memory-wait", "1")
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])

        def ask(number: int) -> tuple[int, bytes]:
            body = {"architecture": MLP, "x1": [[float(i), float(number)] for i in range(2_500)], "kinds": ["ntk", "nngp"]}
            return send(port, "POST", "/v1/kernels?format=npz", body)

        with concurrent.futures.ThreadPoolExecutor(24) as clients:
            answers = list(clients.map(ask, range(72)))
        assert process.poll() is None
        assert all(status == 200 or is_refused(status, answer) for status, answer in answers)
        assert any(status == 200 for status, _ in answers)
        # More than there is, by itself.
        status, answer = send(port, "POST", "/v1/kernels", {"architecture": MLP, "x1": [[float(i)] for i in range(16_000)]})
        assert is_refused(status, answer), answer
        assert send(port, "GET", "/readyz")[0] == 200
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_budget_beyond_the_limit(tmp_path):
    process = limited(tmp_path, 3 << 30, "--memory-budget", str(2 << 30))
    _, message = process.communicate(timeout=60)
    assert process.returncode != 0 and "--memory-budget of 2147483648 bytes" in message, message
