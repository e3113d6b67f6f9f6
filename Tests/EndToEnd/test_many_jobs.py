"""With many jobs in a directory a new one, a list and a result cost what they cost with few."""
import os
import pathlib
import shutil
import time

from fault_injection import Jobs, send
from faults import KINDS, FaultyServer


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
