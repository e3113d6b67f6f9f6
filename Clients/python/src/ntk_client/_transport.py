"""Requests over kept connections, with retries."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.util import Retry

from . import _codec
from .errors import ProblemError, UnreachableError


class Transport:
    """One server's connections. Safe to share between threads; a pickled one opens connections of its own.

    Parameters
    ----------
    address
        Such as ``http://127.0.0.1:8080``.
    api_key
        Sent as ``Authorization: Bearer``.
    retries
        How often a request is sent again when the connection fails or the answer is 429, 502 or 503. ``Retry-After`` is
        honoured, and all tries have one ``Idempotency-Key``, so that nothing is computed twice.
    connections
        Connections that are kept open at the most.
    """

    def __init__(self, address: str, *, api_key: str | None, retries: int, connections: int) -> None:
        self.address = address.rstrip("/")
        self._api_key = api_key
        self._retries = retries
        self._connections = connections
        self._pool = self._open()

    def _open(self) -> urllib3.PoolManager:
        self._owner = os.getpid()
        return urllib3.PoolManager(num_pools=2, maxsize=self._connections, block=False)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_pool"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pool = self._open()

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _retry(self, method: str) -> Retry:
        # A POST whose connection broke may still be at work: its key is in use then (409), and soon has an answer.
        statuses = (409, 429, 502, 503) if method == "POST" else (429, 502, 503)
        return Retry(
            total=self._retries,
            status_forcelist=statuses,
            allowed_methods=None,
            backoff_factor=0.1,
            backoff_max=10,
            backoff_jitter=0.1,
            respect_retry_after_header=True,
            raise_on_status=False,
            redirect=0,
        )

    def _headers(self, extra: Mapping[str, str]) -> dict[str, str]:
        headers = {"User-Agent": "ntk-client", **extra}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        return headers

    def send(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, Any] | _codec.File | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request and return its answer, whatever it may be.

        Raises
        ------
        UnreachableError
            Where no answer came, after all retries.
        """
        sent = dict(headers or {})
        body: Any = None
        if fields is not None:
            body, sent["Content-Type"] = _codec.encode(fields)
            sent["Content-Length"] = str(sum(len(piece) for piece in body))
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        if timeout is not None:
            sent["Request-Timeout"] = f"{timeout:g}"
        target = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        if self._owner != os.getpid():
            self._pool = self._open()  # a forked child must not speak on its parent's connections
        try:
            return self._pool.request(
                method,
                target,
                body=body,
                headers=self._headers(sent),
                retries=self._retry(method),
                timeout=urllib3.Timeout(connect=10, read=None if timeout is None else timeout + 30),
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise UnreachableError(f"{method} {target}: {reason}") from error

    def ask(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, Any] | _codec.File | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        only_array: str | None = None,
    ) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        """Send a request and return its status, header fields and decoded answer.

        Raises
        ------
        ProblemError
            Where the status is 400 or more.
        """
        sent = {"Accept": _codec.accept(only_array), **(headers or {})}
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        failures = 0
        while True:
            answer = self.send(method, path, fields=fields, query=query, headers=sent, timeout=timeout, stream=True)
            try:
                if answer.status >= 400:
                    raise ProblemError.from_answer(answer.status, answer.read(), answer.headers.get("Retry-After"))
                media_type = answer.headers.get("Content-Type", _codec.JSON)
                decoded = _codec.decode(answer, media_type, only_array)
                answer.drain_conn()
                return answer.status, answer.headers, decoded
            except urllib3.exceptions.HTTPError as error:
                # The answer broke off.
                answer.close()
                failures += 1
                if failures > self._retries:
                    raise UnreachableError(f"{method} {self.address}{path}: {error}") from error
                time.sleep(min(0.1 * 2**failures, 10))

    def lines(self, path: str, headers: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of a streamed answer as they come."""
        answer = self.send("GET", path, headers=headers, stream=True)
        try:
            if answer.status >= 400:
                raise ProblemError.from_answer(answer.status, answer.read())
            rest = b""
            for chunk in answer.stream(1024, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.decode().rstrip("\r")
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"GET {self.address}{path}: {error}") from error
        finally:
            answer.release_conn()
