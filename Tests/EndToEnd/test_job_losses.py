"""A job whose server dies whenever it works on it is not tried forever."""
import http.client
import json
import time


def send(server, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json", "Prefer": "respond-async"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def until(server, path: str, is_reached) -> dict:
    deadline = time.monotonic() + 60
    while True:
        _, job = send(server, "GET", path)
        if is_reached(job):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


# It would take minutes, and keeps nothing before its end.
LONG = {
    "network": {"architecture": {"type": "serial", "layers": [
        {"type": "dense", "width": 256, "parameterization": "ntk"}, {"type": "relu"}, {"type": "dense", "width": 1, "parameterization": "ntk"}]},
        "initialization": {"seed": 0}},
    "x_train": [[float(n), 1.0] for n in range(100)], "y_train": [float(n % 2) for n in range(100)], "steps": [100_000], "learning_rate": 1e-6,
}


def test_a_job_that_kills_its_server_fails_in_the_end(start, tmp_path):
    options = ("--data-dir", str(tmp_path / "data"), "--job-attempts", "2", "--max-job-seconds", "1e9")
    job = None
    for attempt in (1, 2):
        server = start.unchecked(*options)
        if job is None:
            status, submitted = send(server, "POST", "/v1/trainings", LONG)
            assert status == 202, submitted
            job = f"/v1/jobs/{submitted['id']}"
        until(server, job, lambda view: view["status"] == "running" and view["attempts"] == attempt)
        server.process.kill()
        server.process.wait()
    server = start(*options)
    assert until(server, job, lambda view: view["finished_at"] is not None)["status"] == "failed"
    status, problem = send(server, "GET", job + "/result")
    assert status == 500 and problem["type"] == "/problems/job-lost" and problem["detail"].startswith("2 attempts in a row ")


def test_a_server_that_ends_in_order_is_not_counted(start, tmp_path):
    options = ("--data-dir", str(tmp_path / "data"), "--job-attempts", "1", "--max-job-seconds", "1e9")
    job = None
    for attempt in (1, 2, 3):
        server = start(*options)
        if job is None:
            job = f"/v1/jobs/{send(server, 'POST', '/v1/trainings', LONG)[1]['id']}"
        until(server, job, lambda view: view["status"] == "running" and view["attempts"] == attempt)
        if attempt == 3:
            assert send(server, "DELETE", job)[0] in (200, 202, 204)
        server.process.terminate()
        assert server.process.wait(60) == 0
