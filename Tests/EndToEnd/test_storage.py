"""The data directory: it fails, fills, vanishes and comes back, holds many jobs, and what its files say ends no process."""
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import threading
import time

import pytest
from conftest import BINARY
from faults import KINDS, FaultyServer
from fault_injection import Campaign, Fits, Jobs, Networks, Refused, send
from test_job_losses import LONG, until


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


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_directory_that_cannot_be_written(faulty, tmp_path, error):
    server = faulty(tmp_path / "data")
    port = server.port
    kinds = [Fits(), Networks(), Jobs()]
    before = {kind.name: kind.make(port, 1) for kind in kinds}
    answers = {kind.name: kind.ask(port, before[kind.name], 1) for kind in kinds}
    assert send(port, "GET", "/readyz")[0] == 200
    server.faults.fail_always(error)
    time.sleep(0.2)
    for path in ("/readyz", "/v2/health/ready"):
        status, answer = send(port, "GET", path)
        assert status == 503 and os.strerror(error).encode() in answer, answer
    for kind in kinds:
        with pytest.raises(Refused, match=os.strerror(error)):
            kind.make(port, 2)
        # What is there is answered all the same.
        assert kind.ask(port, before[kind.name], 1) == answers[kind.name]
    server.faults.stop()
    assert send(port, "GET", "/readyz")[0] == 200
    for kind in kinds:
        assert kind.ask(port, kind.make(port, 1), 1) == answers[kind.name]
        kind.ask(port, kind.make(port, 2), 2)


def test_a_running_job_outlives_a_directory_that_fails(faulty, tmp_path):
    server = faulty(tmp_path / "data")
    jobs = Jobs()
    for number, error in enumerate([errno.ENOSPC, errno.EROFS, errno.EIO]):
        identifier = jobs.make(server.port, number)
        server.faults.fail_always(error)
        time.sleep(0.5)
        status = json.loads(send(server.port, "GET", f"/v1/jobs/{identifier}")[1])["status"]
        assert status in ("queued", "running", "succeeded"), status
        assert server.faults.stop() > 0
        assert len(jobs.ask(server.port, identifier, number)) > 1000


def test_a_directory_that_vanishes(faulty, tmp_path):
    data = tmp_path / "data"
    server = faulty(data)
    port = server.port
    kinds = [Fits(), Networks(), Jobs()]
    made = {kind.name: kind.make(port, 1) for kind in kinds}
    answers = {kind.name: kind.ask(port, made[kind.name], 1) for kind in kinds}
    away = tmp_path / "away"
    data.rename(away)
    time.sleep(0.2)
    status, answer = send(port, "GET", "/readyz")
    assert status == 503 and b"is not there" in answer
    for kind in kinds:
        with pytest.raises(Refused):
            kind.make(port, 2)
        # Nobody knows what it held.
        status, answer = send(port, "GET", f"/v1/{kind.name}")
        assert status == 503, answer
        status, _ = send(port, "GET", f"/v1/{kind.name}/{made[kind.name]}")
        assert status == 503
    # What is above it may be a disk that is away: nothing is made there.
    assert not data.exists()
    away.rename(data)
    assert send(port, "GET", "/readyz")[0] == 200
    for kind in kinds:
        assert kind.ask(port, made[kind.name], 1) == answers[kind.name]
    # Empty when it is back.
    shutil.rmtree(data)
    data.mkdir()
    time.sleep(0.2)
    status, answer = send(port, "GET", "/readyz")
    assert status == 503 and b"had vanished, and was made anew" in answer
    assert send(port, "GET", "/readyz")[0] == 200
    for kind in kinds:
        assert send(port, "GET", f"/v1/{kind.name}/{made[kind.name]}")[0] == 404
        assert json.loads(send(port, "GET", f"/v1/{kind.name}")[1])[kind.name] == []
        assert kind.ask(port, kind.make(port, 1), 1) == answers[kind.name]


@pytest.mark.parametrize("part", ["jobs", "networks", "regressors"])
def test_a_part_that_vanishes_is_made_anew(faulty, tmp_path, part):
    data = tmp_path / "data"
    server = faulty(data)
    shutil.rmtree(data / part)
    # By whoever needs it first.
    for kind in (Fits(), Networks(), Jobs()):
        kind.ask(server.port, kind.make(server.port, 1), 1)
    shutil.rmtree(data / part)
    time.sleep(0.2)
    status, answer = send(server.port, "GET", "/readyz")
    assert status == 503 and part.encode() in answer, answer
    assert (data / part).is_dir() and send(server.port, "GET", "/readyz")[0] == 200


def copies(data: pathlib.Path, source: str, count: int) -> None:
    """Ended jobs, as many as are wanted, like one that there is."""
    jobs = data / "jobs"
    for number in range(count):
        copy = jobs / f"job_{number:032x}"
        copy.mkdir()
        for file in (jobs / source).iterdir():
            os.link(file, copy / file.name)


def test_many_ended_jobs_cost_a_new_one_and_lists_nothing(faulty, tmp_path):
    """What is counted are calls on files: how long they take is the disk's affair."""
    data = tmp_path / "data"
    jobs = Jobs()

    def stop(server: FaultyServer) -> None:
        server.process.terminate()
        assert server.process.wait(60) == 0

    first = faulty(data)
    source = jobs.make(first.port, 1)
    jobs.ask(first.port, source, 1)
    stop(first)

    def cost(server: FaultyServer, act) -> int:
        before = sum(server.faults.calls().values())
        act()
        return sum(server.faults.calls().values()) - before

    def costs(server: FaultyServer) -> dict[str, int]:
        numbers = iter(range(100, 1000))

        def ask(path: str) -> None:
            status, answer = send(server.port, "GET", path)
            assert status == 200, answer

        ask("/v1/jobs?limit=1")
        # What a server does once, when it starts, is not what a request costs.
        for _ in range(60):
            if cost(server, lambda: time.sleep(1)) < 100:
                break
        return {
            "submit": min(cost(server, lambda: jobs.make(server.port, next(numbers))) for _ in range(5)),
            "known key": min(cost(server, lambda: jobs.make(server.port, 100)) for _ in range(3)),
            **{path: min(cost(server, lambda: ask(path)) for _ in range(5)) for path in (
                "/v1/jobs?status=running", "/v1/jobs?status=queued&limit=5", "/v1/jobs?limit=5", "/v1/jobs?status=failed", f"/v1/jobs/{source}",
                f"/v1/jobs/{source}/result")},
        }

    alone = faulty(data, "--job-workers", "0")
    few = costs(alone)
    stop(alone)
    for path in (data / "jobs").iterdir():
        if path.name != source:
            shutil.rmtree(path)
    count = 2_000
    copies(data, source, count)
    many = costs(faulty(data, "--job-workers", "0"))
    # The ticks of a second are among them, which look at the time of the directory.
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name] + 100}
    assert not grown, grown


def test_many_unfinished_jobs_cost_a_new_one_nothing(faulty, tmp_path):
    data = tmp_path / "data"
    jobs = Jobs()
    server = faulty(data, "--job-workers", "0", "--job-queue", "10000")

    def cost(number: int) -> int:
        before = server.faults.calls()
        jobs.make(server.port, number)
        after = server.faults.calls()
        # Without the looks of every second at whether others have ended them.
        return sum(after[kind] - before[kind] for kind in KINDS if kind != "look")

    first = min(cost(number) for number in range(5))
    for number in range(5, 400):
        jobs.make(server.port, number)
    assert min(cost(number) for number in range(400, 405)) <= first + 5
    # And the first of them is begun as soon as one alone: by few looks at the others.
    restarted = faulty(data, "--job-queue", "10000")
    jobs.ask(restarted.port, jobs.make(restarted.port, 0), 0)


ABSURD = [
    '{"attempt":1,"losses":0,"step":9223372036854775807,"status":"running","progress":0.5,"kept":0.5}',
    '{"attempt":9223372036854775807,"losses":0,"step":1,"status":"running","progress":0.5,"kept":0.5}',
    '{"attempt":1,"step":-5,"status":"running","progress":1e300,"kept":-1e300,"eta_seconds":1e300,"started_at":9223372036854775807}',
    "[" * 1_000_000, '{"attempt":' * 100_000, "", "\0" * 1_000, '{"x":"' + "y" * 50_000_000 + '"}',
]


def test_what_a_state_says_ends_no_process(start, tmp_path):
    data = tmp_path / "data"
    jobs = Jobs()
    waiting = start("--data-dir", str(data), "--job-workers", "0")
    ids = [jobs.make(waiting.port, number) for number in range(len(ABSURD))]
    for identifier, text in zip(ids, ABSURD):
        (data / "jobs" / identifier / "state.json").write_text(text)
        assert send(waiting.port, "GET", f"/v1/jobs/{identifier}")[0] == 200
        assert send(waiting.port, "GET", f"/v1/jobs/{identifier}/result")[0] == 409
    working = start("--data-dir", str(data))
    for number, identifier in enumerate(ids):
        assert jobs.ask(working.port, identifier, number) == jobs.ask(waiting.port, identifier, number)


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


def test_damage_on_the_disk_is_counted_and_named(start, tmp_path):
    data = tmp_path / "data"
    first = start("--data-dir", str(data))
    kinds = [Fits(), Networks(), Jobs()]
    made = {kind.name: kind.make(first.port, 1) for kind in kinds}
    answers = {kind.name: kind.ask(first.port, made[kind.name], 1) for kind in kinds}
    for pattern in ("regressors/*/tensors.safetensors", "networks/*/parameters.safetensors", "jobs/*/0.npy"):
        (file,) = data.glob(pattern)
        content = bytearray(file.read_bytes())
        content[-9] ^= 2
        file.write_bytes(content)
    server = start("--data-dir", str(data))
    for kind, path, body in [("regressors", "/v1/regressors/{}/predictions", {"x": [[0.5, 0.25]]}), ("networks", "/v1/networks/{}", None), ("jobs", "/v1/jobs/{}/result", None)]:
        status, answer = send(server.port, "POST" if body else "GET", path.format(made[kind]), body)
        assert status == 500 and json.loads(answer)["type"] == "/problems/damaged-artifact", answer
        listed = json.loads(send(server.port, "GET", f"/v1/{kind}")[1])[kind]
        assert [(entry["id"], entry["status"]) for entry in listed] == [(made[kind], "damaged")]
    metrics = send(server.port, "GET", "/metrics")[1].decode()
    for kind in ("regressor", "network", "job"):
        assert f'ntk_damaged_artifacts_total{{kind="{kind}"}} 1\n' in metrics, metrics
    for kind in kinds:
        assert kind.ask(server.port, kind.make(server.port, 1), 1) == answers[kind.name]


def test_faults_one_after_another(tmp_path):
    """The short form of `make fault-test`."""
    campaign = Campaign(BINARY, tmp_path, random.Random(0))
    try:
        campaign.run(120)
        assert campaign.hits >= 120 and campaign.refused > 20
    finally:
        campaign.close()
