"""What the methods of all endpoints stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .. import _codec
from .._transport import Transport
from ..jobs import Job
from . import fields as of

Result = TypeVar("Result")


class Requests:
    """A connection to a server, and how it is asked for a computation."""

    _transport: Transport
    timeout: float | None
    progress: bool

    def _compute(
        self,
        path: str,
        fields: Mapping[str, Any],
        read: Callable[[dict[str, Any]], Result],
        timeout: float | None = None,
        *,
        only_array: str | None = None,
    ) -> Result:
        if self.progress:
            begun = self._begin(path, fields, read, only_array)
            return begun.wait(progress=True, label=path.removeprefix("/v1/")) if isinstance(begun, Job) else begun
        limit = self.timeout if timeout is None else timeout
        answer = self._transport.ask("POST", path, fields=of.given(fields), timeout=limit, only_array=only_array)[2]
        return read(answer)

    def _begin(
        self, path: str, fields: Mapping[str, Any], read: Callable[[dict[str, Any]], Result], only_array: str | None
    ) -> Job[Result] | Result:
        status, headers, answer = self._transport.ask(
            "POST", path, fields=of.given(fields), headers={"Prefer": "respond-async"}, only_array=only_array
        )
        if status != 202:
            return read(answer)  # a server need not honour a preference
        return Job(self._transport, headers["Location"].rpartition("/")[2], read, only_array=only_array)

    def _pages(self, path: str, member: str) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            query = {"limit": "100"} | ({"after": after} if after else {})
            page = self._transport.ask("GET", path, query=query, headers={"Accept": _codec.JSON})[2]
            yield from page[member]
            after = page.get("next")
            if after is None:
                return
