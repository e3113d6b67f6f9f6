"""Several servers that answer alike, as one: faster ones get more, and one that fails is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy.typing as npt

from .architectures import Layer
from .client import Client
from .errors import DeadlineExceededError, ProblemError, UnreachableError
from .results import Floats

# A guess of a replica's speed that is this old counts half: one that was slow gets its chances.
_HALF_LIFE = 60.0
# A server that is this many times slower than the fastest gets one block at a time; and none at the end, so that no other waits for it.
_SLOW, _TOO_SLOW = 2.0, 10.0
_CAPACITY_STATUSES = frozenset({429, 500, 502, 503})


@dataclass
class _Replica:
    """One server; the fields change under the lock of its `Replicas`."""

    client: Client
    in_flight: int = 0
    blocks: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    # Seconds for an entry of the kernel, and when that was learned.
    pace: float = 0.0
    learned: float = 0.0
    down_until: float = 0.0

    def current_pace(self, now: float) -> float:
        """Return the seconds for an entry as far as is known; none for a server that has not been asked yet."""
        return self.pace * float(0.5 ** ((now - self.learned) / _HALF_LIFE))


class Replicas:
    """A pool of servers.

    A block goes to the server, of those that have room, that is expected to be done with it first, by the pace of what it has
    computed so far and by what it already has to do. A server that is slow beside the others gets one block at a time, a very slow
    one none until its pace has been forgotten. A server that does not answer, or has no capacity, is left alone for a second, then
    two, four, up to thirty, and its block goes to another. Every thread of a process shares the same pool, pickled or not.

    Parameters
    ----------
    addresses
        Of servers of the same version.
    api_key
        See `Client`.
    in_flight
        Blocks that a server has at a time, at the most: one to compute, one on its way.
    patience
        Seconds without any server before giving up.
    timeout
        Seconds after which a block is asked of another server; if None, a minute or twenty times what it should take.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        api_key: str | None = None,
        in_flight: int = 2,
        patience: float = 120.0,
        timeout: float | None = None,
    ) -> None:
        if not addresses:
            raise ValueError("the address of at least one server expected")
        self._settings = (tuple(addresses), api_key, in_flight, patience, timeout)
        self.in_flight = in_flight
        self.patience = patience
        self.timeout = timeout
        self._turn = threading.Condition()
        self._replicas = [
            _Replica(Client(address, api_key=api_key, retries=0, connections=in_flight)) for address in dict.fromkeys(addresses)
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        return _shared, self._settings

    def __len__(self) -> int:
        return len(self._replicas)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return ("ntk_client.Replicas", *self._settings)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return for each address how many blocks it computed, how often it failed, and its seconds for an entry."""
        with self._turn:
            return {
                one.client.address: {"blocks": one.blocks, "failures": one.failures, "seconds_per_entry": one.pace}
                for one in self._replicas
            }

    def kernel(self, architecture: Layer, x1: npt.ArrayLike, x2: npt.ArrayLike | None = None, **options: Any) -> Floats:
        """Return a kernel block by whichever server; the parameters are those of `Client.kernel`.

        Raises
        ------
        UnreachableError
            Where for `patience` seconds no server could be had.
        ProblemError
            Where the request is at fault.
        """
        last = time.monotonic()
        while True:
            replica = self._take(last)
            begun = time.monotonic()
            entries = 0
            failure: Exception | None = None
            try:
                block = replica.client.kernel(architecture, x1, x2, timeout=self._limit(replica, len_of(x1) * len_of(x2, x1)), **options)
                entries = block.size
            except (UnreachableError, DeadlineExceededError) as error:
                failure = error
            except ProblemError as error:
                if error.status not in _CAPACITY_STATUSES:
                    raise
                failure = error
            finally:
                self._give_back(replica, entries, time.monotonic() - begun, failure)
            if failure is None:
                return block

    def _limit(self, replica: _Replica, entries: int) -> float:
        if self.timeout is not None:
            return self.timeout
        return max(60.0, 20 * self.in_flight * replica.pace * entries) if replica.pace else 3600.0

    def _take(self, since: float) -> _Replica:
        """Wait for a server that has room for a block: of several, the one that would be done with it first."""
        with self._turn:
            while True:
                now = time.monotonic()
                up = [one for one in self._replicas if one.down_until <= now]
                if up:
                    fastest = min(one.current_pace(now) for one in up)
                    free = [one for one in up if one.in_flight < self._room(one.current_pace(now), fastest)]
                    if free:
                        best = min(free, key=lambda one: ((one.in_flight + 1) * one.current_pace(now), one.in_flight))
                        best.in_flight += 1
                        return best
                    self._turn.wait(1)
                    since = now
                    continue
                if now - since > self.patience:
                    names = ", ".join(one.client.address for one in self._replicas)
                    raise UnreachableError(f"none of {names} has answered for {self.patience:g} s")
                self._turn.wait(min(1.0, min(one.down_until for one in self._replicas) - now))

    def _room(self, pace: float, fastest: float) -> int:
        if fastest == 0:
            return 1 if pace > 0 else self.in_flight
        return self.in_flight if pace <= _SLOW * fastest else 1 if pace <= _TOO_SLOW * fastest else 0

    def _give_back(self, replica: _Replica, entries: int, seconds: float, failure: Exception | None) -> None:
        with self._turn:
            now = time.monotonic()
            # What others had it compute meanwhile took its share of the time.
            shared = max(1, replica.in_flight)
            replica.in_flight -= 1
            if failure is not None:
                replica.failures += 1
                replica.failures_in_a_row += 1
                pause = min(30.0, 2.0 ** (replica.failures_in_a_row - 1))
                replica.down_until = now + max(pause, getattr(failure, "retry_after", None) or 0)
            elif entries:
                replica.blocks += 1
                replica.failures_in_a_row = 0
                pace = seconds / shared / entries
                replica.pace = pace if replica.pace == 0 else 0.7 * replica.pace + 0.3 * pace
                replica.learned = now
            self._turn.notify_all()


def len_of(x: npt.ArrayLike | None, otherwise: npt.ArrayLike = ()) -> int:
    """Return the number of points."""
    return len(otherwise if x is None else x)  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def _shared(addresses: tuple[str, ...], api_key: str | None, in_flight: int, patience: float, timeout: float | None) -> Replicas:
    """Return the process's pool of these servers, so that all tasks of a Dask worker share one."""
    return Replicas(addresses, api_key=api_key, in_flight=in_flight, patience=patience, timeout=timeout)
