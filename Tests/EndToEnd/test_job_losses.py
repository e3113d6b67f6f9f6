"""A job whose server dies whenever it works on it is not tried forever; one whose server ends in order goes on."""
import json
import signal
import threading
import time

from fault_injection import send


def asked(server, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    status, answer = send(server.port, method, path, body, Prefer="respond-async")
    return status, json.loads(answer)


def until(server, path: str, is_reached) -> dict:
    deadline = time.monotonic() + 60
    while True:
        _, job = asked(server, "GET", path)
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
            status, submitted = asked(server, "POST", "/v1/trainings", LONG)
            assert status == 202, submitted
            job = f"/v1/jobs/{submitted['id']}"
        until(server, job, lambda view: view["status"] == "running" and view["attempts"] == attempt)
        server.process.kill()
        server.process.wait()
    server = start(*options)
    assert until(server, job, lambda view: view["finished_at"] is not None)["status"] == "failed"
    status, problem = asked(server, "GET", job + "/result")
    assert status == 500 and problem["type"] == "/problems/job-lost" and problem["detail"].startswith("2 attempts in a row ")


def test_a_server_that_ends_in_order_is_not_counted(start, tmp_path):
    options = ("--data-dir", str(tmp_path / "data"), "--job-attempts", "1", "--max-job-seconds", "1e9")
    job = None
    for attempt in (1, 2, 3):
        server = start(*options)
        if job is None:
            job = f"/v1/jobs/{asked(server, 'POST', '/v1/trainings', LONG)[1]['id']}"
        until(server, job, lambda view: view["status"] == "running" and view["attempts"] == attempt)
        if attempt == 3:
            assert asked(server, "DELETE", job)[0] in (200, 202, 204)
        server.process.terminate()
        assert server.process.wait(60) == 0


def test_a_killer_takes_each_server_once(start, tmp_path):
    """Of two servers on a directory each dies once of a job that kills; then it has failed, and both live."""
    options = ("--data-dir", str(tmp_path / "data"), "--max-job-seconds", "1e9")
    front = start(*options, "--job-workers", "0")
    status, job = send(front.port, "POST", "/v1/trainings", LONG, Prefer="respond-async")
    assert status == 202, job
    path = f"/v1/jobs/{json.loads(job)['id']}"
    for attempt in (1, 2):
        victim = start.unchecked(*options)
        until(front, path, lambda view: view["status"] == "running" and view["attempts"] == attempt)
        victim.process.kill()
        victim.process.wait()
    survivor = start(*options)
    assert until(survivor, path, lambda view: view["finished_at"] is not None)["status"] == "failed"
    status, problem = send(survivor.port, "GET", path + "/result")
    assert status == 500 and json.loads(problem)["type"] == "/problems/job-lost"


def test_the_drain_timeout_holds(start, tmp_path):
    """Whatever the workers are inside of: a job that takes minutes, and a request that does."""
    server = start("--data-dir", str(tmp_path / "data"), "--drain-timeout", "1", "--max-job-seconds", "1e9", "--max-request-seconds", "1e9")
    status, job = send(server.port, "POST", "/v1/trainings", LONG, Prefer="respond-async")
    assert status == 202
    path = f"/v1/jobs/{json.loads(job)['id']}"
    until(server, path, lambda view: view["status"] == "running")

    def ask() -> None:
        try:
            send(server.port, "POST", "/v1/trainings", LONG)
        except OSError:
            pass
        except Exception as error:  # The connection ends before the answer does.
            assert "IncompleteRead" in repr(error) or "RemoteDisconnected" in repr(error), error

    client = threading.Thread(target=ask)
    client.start()
    time.sleep(1)
    server.process.send_signal(signal.SIGTERM)
    # Minutes would be the work's own time.
    assert server.process.wait(30) == 0
    client.join()
    # Its end is not laid at the job's door.
    state = json.loads((tmp_path / "data" / "jobs" / path.rpartition("/")[2] / "state.json").read_text())
    assert state["status"] == "queued", state
