"""Jobs and estimates of any endpoint."""

from __future__ import annotations

from typing import Any

from ..errors import Estimate
from ..jobs import Job
from . import fields as of
from .requests import Requests


class JobMethods(Requests):
    """`submit`, `job`, `jobs`, `estimate`."""

    def submit(self, path: str, **fields: Any) -> Job[dict[str, Any]]:
        """Begin a computation as a job, and return at once.

        Parameters
        ----------
        path
            The endpoint, such as ``"kernels"`` or ``"spectra"``.
        **fields
            The request's fields, as the server's openapi.yaml has them; numpy arrays travel as ``.npy``.

        Returns
        -------
        Job
            Its result is the answer's fields.
        """
        begun = self._begin(f"/v1/{path}", fields, lambda answer: answer, None)
        if not isinstance(begun, Job):
            raise RuntimeError("the server answered at once, it knows no jobs")
        return begun

    def job(self, id: str) -> Job[dict[str, Any]]:  # noqa: A002
        """Return a job by its id."""
        return Job(self._transport, id, lambda answer: answer)

    def jobs(self) -> list[dict[str, Any]]:
        """Return the state of each job that the server knows."""
        return list(self._pages("/v1/jobs", "jobs"))

    def estimate(self, path: str, **fields: Any) -> Estimate:
        """Return what a request would cost, and compute nothing.

        Parameters
        ----------
        path
            The endpoint, such as ``"kernels"``.
        **fields
            The request's fields, as the server's openapi.yaml has them; numpy arrays travel as ``.npy``.
        """
        answer = self._transport.ask("POST", f"/v1/{path}", fields=of.given(fields), query={"estimate_only": "true"})[2]
        return Estimate(**answer["estimate"])
