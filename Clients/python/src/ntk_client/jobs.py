"""Long computations that go on at the server."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from ._transport import Transport
from .errors import JobFailedError, NotAcceptableError, NotFoundError, UnreachableError

Result = TypeVar("Result")
_ENDED = frozenset({"succeeded", "failed", "cancelled", "damaged"})


def _bar(**options: Any) -> Any:
    """Return tqdm's bar for wherever this runs."""
    with warnings.catch_warnings():
        # A notebook without widgets gets a bar in text.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(**options)


class Job(Generic[Result]):
    """A computation at the server, which goes on whether or not anybody waits for it.

    Attributes
    ----------
    id : str
        Its name at the server.
    """

    def __init__(
        self,
        transport: Transport,
        id: str,  # noqa: A002
        read: Callable[[dict[str, Any]], Result],
        *,
        only_array: str | None = None,
    ) -> None:
        self.id = id
        self._transport = transport
        self._read = read
        self._only_array = only_array

    @property
    def _path(self) -> str:
        return f"/v1/jobs/{self.id}"

    def state(self) -> dict[str, Any]:
        """Return ``status``, ``progress`` from 0 to 1, ``eta_seconds`` and what else the server says."""
        return self._transport.ask("GET", self._path, headers={"Accept": "application/json"})[2]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the state at each step of progress until the job ends: as the server sends them, or asked for where it cannot."""
        last_id: str | None = None
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
            data: list[str] = []
            try:
                for line in self._transport.lines(f"{self._path}/events", headers):
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if name == "id":
                        last_id = value
                    elif name == "data":
                        data.append(value)
                    elif not line and data:
                        state = json.loads("\n".join(data))
                        data = []
                        yield state
                        if state.get("status") in _ENDED:
                            return
            except UnreachableError:
                pass  # a connection that broke: the job goes on
            except (NotAcceptableError, NotFoundError):
                break  # no events here, or no such job: the state says which
            state = self.state()
            yield state
            if state.get("status") in _ENDED:
                return
            time.sleep(0.2)
        yield from self._poll()

    def _poll(self) -> Iterator[dict[str, Any]]:
        pause = 0.05
        while True:
            state = self.state()
            yield state
            if state.get("status") in _ENDED:
                return
            time.sleep(pause)
            pause = min(1, pause * 1.5)

    def wait(self, *, progress: bool = False, label: str | None = None) -> Result:
        """Wait for the end, and return the result.

        Parameters
        ----------
        progress
            Whether to show a bar.
        label
            What the bar is called.

        Raises
        ------
        ProblemError
            What the computation came to, if the server says so.
        JobFailedError
            Where the job was cancelled.
        """
        with _bar(
            total=1.0,
            desc=label,
            disable=not progress,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        ) as bar:
            state: dict[str, Any] = {}
            for state in self.events():
                bar.update(max(0.0, float(state.get("progress") or 0) - bar.n))
            status = state.get("status")
            if status == "succeeded":
                bar.update(max(0.0, 1 - bar.n))
        if status == "cancelled":
            raise JobFailedError(f"job {self.id} was cancelled")
        return self.result()

    def result(self) -> Result:
        """Return the result of a job that has succeeded; of one that has failed, raise what it came to."""
        answer = self._transport.ask("GET", f"{self._path}/result", only_array=self._only_array)[2]
        return self._read(answer)

    def cancel(self) -> None:
        """Stop the computation."""
        self._transport.ask("DELETE", self._path)

    def __repr__(self) -> str:
        return f"Job({self.id!r})"
