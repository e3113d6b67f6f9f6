"""Long computations at the server, with and without a bar."""

from __future__ import annotations

import numpy as np
import pytest

from ntk_client import Client, InvalidInputError, JobFailedError, NotFoundError, dense, mlp, relu, serial

ARCHITECTURE = mlp(2, b_std=0.1)


@pytest.fixture(autouse=True)
def _server_with_jobs(client: Client) -> None:
    try:
        client.jobs()
    except NotFoundError:
        pytest.skip("this server knows no jobs")


def test_result_is_that_of_the_request(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 3))
    job = client.submit("kernels", architecture=ARCHITECTURE, x1=x, kinds=["ntk", "nngp"])
    answer = job.wait()
    expected = client.kernels(ARCHITECTURE, x)
    assert np.array_equal(answer["ntk"], expected.ntk)
    assert np.array_equal(answer["nngp"], expected.nngp)
    assert job.state()["status"] == "succeeded"
    assert job.state()["progress"] == 1
    assert np.array_equal(client.job(job.id).result()["ntk"], expected.ntk)
    assert job.id in {one["id"] for one in client.jobs()}


def test_progress_of_every_method(client: Client, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    with Client(client.address, progress=True) as patient:
        assert np.array_equal(patient.kernel(ARCHITECTURE, x), client.kernel(ARCHITECTURE, x))
        assert np.array_equal(patient.predict(ARCHITECTURE, x, y, x).mean, client.predict(ARCHITECTURE, x, y, x).mean)
        assert patient.spectrum(ARCHITECTURE, x).rank == client.spectrum(ARCHITECTURE, x).rank
        patient.convergence(ARCHITECTURE, x[:3], [8, 16], samples=2)
    written = capsys.readouterr().err
    assert "kernels: 100%" in written
    assert "convergence: 100%" in written


def test_events_end_with_the_job(client: Client, rng: np.random.Generator) -> None:
    job = client.submit("kernels", architecture=ARCHITECTURE, x1=rng.normal(size=(1500, 50)))
    states = list(job.events())
    assert states[-1]["status"] == "succeeded"
    progress = [one["progress"] for one in states]
    assert progress == sorted(progress)
    assert list(job.events())[-1]["status"] == "succeeded"  # once more, after the end


def test_cancelled(client: Client, rng: np.random.Generator) -> None:
    job = client.submit("kernels", architecture=mlp(8, "gelu"), x1=rng.normal(size=(8000, 500)))
    job.cancel()
    with pytest.raises(JobFailedError, match="cancelled"):
        job.wait()


def test_failed(client: Client) -> None:
    with pytest.raises(InvalidInputError, match="layers"), Client(client.address, progress=True) as patient:
        patient.kernel(serial(dense(), relu(), relu()), [[1.0]])
    with pytest.raises(NotFoundError):
        client.job("job_" + "0" * 32).wait()
