"""The data directory fails, fills, vanishes and comes back: the server says so, refuses what it cannot keep, and goes on."""
import errno
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import pytest
from conftest import BINARY
from fault_injection import Campaign, Fits, Jobs, Networks, Refused, send


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
    hits = 0
    for number, error in enumerate([errno.ENOSPC, errno.EROFS, errno.EIO]):
        identifier = jobs.make(server.port, number)
        server.faults.fail_always(error)
        time.sleep(0.5)
        status = json.loads(send(server.port, "GET", f"/v1/jobs/{identifier}")[1])["status"]
        assert status in ("queued", "running", "succeeded"), status
        hits += server.faults.stop()
        assert len(jobs.ask(server.port, identifier, number)) > 1000
    # A fast server may have done one of them before.
    assert hits > 0


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


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can give a directory to another user, and take it back")
@pytest.mark.parametrize("part", ["", "jobs", "networks", "regressors"])
def test_a_directory_of_another_user(part):
    """The server is nobody, who loses the directory, or a part of it, to root for a time."""
    nobody = 65_534
    with tempfile.TemporaryDirectory(dir="/tmp") as scratch:
        # Where nobody finds them.
        os.chmod(scratch, 0o755)
        binary, data = shutil.copy(BINARY, scratch), pathlib.Path(scratch, "data")
        data.mkdir()
        os.chown(data, nobody, nobody)
        command = ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", binary, "serve", "--port", "0", "--data-dir", str(data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                port = int(server.stdout.readline().rsplit(":", 1)[1])
                kinds = [Fits(), Networks(), Jobs()]
                made = {kind.name: kind.make(port, 1) for kind in kinds}
                answers = {kind.name: kind.ask(port, made[kind.name], 1) for kind in kinds}
                assert send(port, "GET", "/readyz")[0] == 200
                lost = data / part
                os.chown(lost, 0, 0)
                os.chmod(lost, 0o700)
                time.sleep(0.2)
                status, answer = send(port, "GET", "/readyz")
                assert status == 503 and part.encode() in answer and b"Permission denied" in answer, answer
                for kind in kinds:
                    if part in ("", kind.name):
                        with pytest.raises(Refused, match="Permission denied"):
                            kind.make(port, 2)
                os.chown(lost, nobody, nobody)
                time.sleep(0.2)
                assert send(port, "GET", "/readyz")[0] == 200
                for kind in kinds:
                    assert kind.ask(port, kind.make(port, 1), 1) == answers[kind.name]
                    kind.ask(port, kind.make(port, 2), 2)
            finally:
                server.terminate()
                assert server.wait(60) == 0


def test_faults_one_after_another(tmp_path):
    """The short form of `make fault-test`."""
    campaign = Campaign(BINARY, tmp_path, random.Random(0))
    try:
        campaign.run(120)
        assert campaign.hits >= 120 and campaign.refused > 20
    finally:
        campaign.close()
