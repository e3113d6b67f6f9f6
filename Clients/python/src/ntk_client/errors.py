"""What can go wrong, as exceptions.

An error answer of the server (RFC 9457, ``application/problem+json``) becomes a `ProblemError`, or the subclass of its
status. `ProblemError.errors` points into the request with JSON pointers (RFC 6901).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class NTKError(Exception):
    """Everything that this package raises on its own account."""


class ServerStartError(NTKError):
    """A local server did not start, or there is no binary to start."""


class UnreachableError(NTKError, ConnectionError):
    """No answer came, after all retries."""


class ExportError(NTKError, ValueError):
    """A module cannot become a file whose kernel is the module's, and why."""


class MismatchError(ExportError):
    """The server computes other numbers of a module's file than PyTorch does of the module."""


class JobFailedError(NTKError):
    """A job ended without a result."""


@dataclass(frozen=True)
class Estimate:
    """What a request would cost.

    Attributes
    ----------
    flops
        Floating-point operations, to within a small factor.
    peak_bytes
        Bytes of its matrices at the most.
    seconds
        At the speed of what the server has computed so far.
    """

    flops: int
    peak_bytes: int
    seconds: float


@dataclass(frozen=True)
class Fault:
    """One fault in a request: where, as a JSON pointer, and what was expected and what came."""

    pointer: str
    detail: str


class ProblemError(NTKError):
    """An error answer of the server.

    Attributes
    ----------
    status : int
        HTTP status.
    type : str
        What kind of error it is, a stable URI reference such as ``/problems/invalid-input``.
    title, detail : str
        Its kind in words, and what was expected and what came.
    errors : tuple of Fault
        The places in the request.
    request_id : str or None
        What the server's log calls the request.
    estimate : Estimate or None
        What the request would have cost, where that is why it was refused.
    retry_after : float or None
        Seconds after which the server would like to be asked again.
    """

    _by_status: ClassVar[dict[int, type[ProblemError]]] = {}

    def __init_subclass__(cls, *, status: int, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        ProblemError._by_status[status] = cls

    def __init__(self, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.problem = dict(problem)
        self.retry_after = retry_after
        self.status = int(problem.get("status", 0))
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.request_id: str | None = problem.get("request_id")
        self.errors = tuple(Fault(fault["pointer"], fault["detail"]) for fault in problem.get("errors", ()))
        estimate = problem.get("estimate")
        self.estimate = Estimate(**estimate) if estimate else None
        super().__init__(self.problem, retry_after)

    def __str__(self) -> str:
        text = f"{self.status} {self.title}: {self.detail or 'no detail'}"
        if self.request_id:
            text += f" (request {self.request_id})"
        return text

    @classmethod
    def from_answer(cls, status: int, body: bytes, retry_after: str | None = None) -> ProblemError:
        """Read an error answer, a problem or whatever a proxy has put in its place."""
        try:
            problem = json.loads(body)
            if not isinstance(problem, dict):
                raise ValueError
        except ValueError:
            problem = {"title": "no problem details came", "detail": body[:300].decode(errors="replace")}
        problem["status"] = status
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
        return cls._by_status.get(status, ProblemError)(problem, seconds)


class BadRequestError(ProblemError, ValueError, status=400):
    """The body is not JSON that can be read."""


class UnauthorizedError(ProblemError, PermissionError, status=401):
    """No API key came, or one that the server does not know."""


class ForbiddenError(ProblemError, PermissionError, status=403):
    """The API key does not allow this."""


class NotFoundError(ProblemError, LookupError, status=404):
    """There is no such thing, or no more."""


class NotAcceptableError(ProblemError, status=406):
    """The resource is not served in the form that was asked for."""


class ConflictError(ProblemError, status=409):
    """The state of the resource does not allow this."""


class ContentTooLargeError(ProblemError, status=413):
    """The body is over the server's limit."""


class InvalidInputError(ProblemError, ValueError, status=422):
    """The request is well-formed and cannot be computed as it stands."""


class TooManyRequestsError(ProblemError, status=429):
    """The API key has asked too much, after all retries."""


class UnavailableError(ProblemError, status=503):
    """No capacity, after all retries."""


class DeadlineExceededError(ProblemError, TimeoutError, status=504):
    """The time that `timeout` gave is over; the server has stopped computing."""
