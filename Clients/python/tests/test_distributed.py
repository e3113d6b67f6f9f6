"""Kernels over several servers: the same bits as one, whoever fails on the way."""

from __future__ import annotations

import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import dask
import numpy as np
import pytest

from ntk_client import Client, InvalidInputError, LocalServer, UnreachableError, dense, mlp, relu, serial
from ntk_client.distributed import DistributedKernelRidge, Replicas, kernel_array

ARCHITECTURE = mlp(3, w_std=2**0.5, b_std=0.1)


@pytest.fixture
def servers() -> Iterator[list[LocalServer]]:
    started = [LocalServer(arguments=["--workers", "1"]) for _ in range(3)]
    yield started
    for one in started:
        one._process.kill()  # no need to wait for the connections that the pools keep
        one.stop()


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    with dask.config.set(scheduler="threads", num_workers=6), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def of(servers: list[LocalServer], **settings: Any) -> Replicas:
    return Replicas([one.address for one in servers], **settings)


@pytest.mark.parametrize("n", [1, 99, 100, 250])
def test_same_bits_as_one_server(client: Client, servers: list[LocalServer], rng: np.random.Generator, n: int) -> None:
    x, other = rng.normal(size=(n, 5)), rng.normal(size=(37, 5))
    replicas = of(servers)
    lazy = kernel_array(replicas, ARCHITECTURE, x, chunk=100)
    assert np.array_equal(lazy.compute(), client.kernel(ARCHITECTURE, x))
    blocks = -(-n // 100)
    assert sum(one["blocks"] for one in replicas.statistics().values()) == blocks * (blocks + 1) // 2
    across = kernel_array(replicas, ARCHITECTURE, x, other, chunk=100, kind="nngp").compute()
    assert np.array_equal(across, client.kernel(ARCHITECTURE, x, other, kind="nngp"))
    single = kernel_array(replicas, ARCHITECTURE, x, chunk=100, precision="float32")
    assert single.dtype == np.float32
    assert np.array_equal(single.compute(), client.kernel(ARCHITECTURE, x, precision="float32"))


def test_images(client: Client, servers: list[LocalServer], rng: np.random.Generator) -> None:
    images = rng.normal(size=(9, 4, 4, 2))
    cnn = serial({"type": "conv", "filter_shape": [3, 3]}, relu(), {"type": "global_avg_pool"}, dense())
    assert np.array_equal(kernel_array(of(servers), cnn, images, chunk=4).compute(), client.kernel(cnn, images))


def test_killed_replica(client: Client, servers: list[LocalServer], rng: np.random.Generator) -> None:
    x = rng.normal(size=(1500, 20))
    replicas = of(servers)

    def kill() -> None:
        while replicas.statistics()[servers[0].address]["blocks"] < 3:
            time.sleep(0.001)
        servers[0]._process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    kernel = kernel_array(replicas, ARCHITECTURE, x, chunk=75).compute()
    killer.join()
    assert np.array_equal(kernel, client.kernel(ARCHITECTURE, x))
    statistics = replicas.statistics()
    assert statistics[servers[0].address]["failures"] > 0
    assert sum(one["blocks"] for one in statistics.values()) == 20 * 21 // 2


def test_all_dead(servers: list[LocalServer], rng: np.random.Generator) -> None:
    replicas = of(servers[:2], patience=0.5)
    for one in servers:
        one.stop()
    with pytest.raises(UnreachableError, match=servers[1].address):
        kernel_array(replicas, ARCHITECTURE, rng.normal(size=(10, 2)), chunk=5).compute()


def test_fault_of_the_request_is_raised_at_once(servers: list[LocalServer]) -> None:
    with pytest.raises(InvalidInputError, match="architecture/layers/0"):
        kernel_array(of(servers), serial(relu()), np.ones((4, 2)), chunk=2).compute()


class SlowedReplicas(Replicas):
    """Waits before the answers of the first server."""

    def _give_back(self, replica: Any, entries: int, seconds: float, failure: Exception | None) -> None:
        pause = 0.2 if replica is self._replicas[0] else 0.01
        time.sleep(pause)
        super()._give_back(replica, entries, seconds + pause, failure)


def test_slow_replica_gets_less(servers: list[LocalServer], rng: np.random.Generator) -> None:
    replicas = SlowedReplicas([one.address for one in servers])
    x = rng.normal(size=(400, 3))
    kernel_array(replicas, ARCHITECTURE, x, chunk=20).compute()
    slow, *fast = (one["blocks"] for one in replicas.statistics().values())
    assert slow * 3 < min(fast)


def test_pool_is_shared_by_a_process() -> None:
    replicas = Replicas(["http://127.0.0.1:1", "http://127.0.0.1:2"], in_flight=3)
    once, again = pickle.loads(pickle.dumps(replicas)), pickle.loads(pickle.dumps(replicas))
    assert once is again
    assert once.in_flight == 3
    assert len(once) == 2
    with pytest.raises(ValueError, match="at least one"):
        Replicas([])


@pytest.mark.parametrize("solver", ["cholesky", "conjugate_gradient"])
@pytest.mark.parametrize("outputs", [None, 3])
def test_regression_is_the_servers(
    client: Client, servers: list[LocalServer], rng: np.random.Generator, solver: Any, outputs: int | None
) -> None:
    x, at = rng.normal(size=(230, 6)), rng.normal(size=(41, 6))
    y = rng.normal(size=230 if outputs is None else (230, outputs))
    expected = client.predict(ARCHITECTURE, x, y, at, ridge=0.01, ridge_scale="relative")
    model = DistributedKernelRidge(of(servers), ARCHITECTURE, ridge=0.01, solver=solver, chunk=50, rank=60).fit(x, y)
    np.testing.assert_allclose(model.predict(at), expected.mean, rtol=1e-7, atol=1e-8)
    assert model.ridge_ == pytest.approx(expected.diagnostics["ridge"])
    assert (model.iterations_ is None) == (solver == "cholesky")


def test_cluster_that_spills(client: Client, servers: list[LocalServer], rng: np.random.Generator) -> None:
    from distributed import Client as DaskClient
    from distributed import LocalCluster

    warnings.simplefilter("ignore")
    x = rng.normal(size=(300, 5))
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        DaskClient(cluster),
    ):
        assert np.array_equal(kernel_array(of(servers), ARCHITECTURE, x, chunk=60).compute(), client.kernel(ARCHITECTURE, x))
