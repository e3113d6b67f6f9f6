#!/usr/bin/env python3
"""Asks two servers the same hundreds of requests and compares their answers bit for bit: status, fields and content.

    Tests/Corpus/compare.py --old BINARY --new BINARY [--only TEXT] [--except TEXT ...]

What differs from run to run is masked: dates, durations, identities of requests, cursors of jobs. Both programs must be built alike (debug or
release): the compiler's optimisation changes the last bits of a float. Exits with 1 and a list if anything differs.
"""
import argparse
import gzip
import hashlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace

import stored
import work
from forms import Request

VARYING_FIELDS = {"date", "server-timing", "last-modified", "retry-after"}
VARYING_MEMBERS = {"request_id", "seconds", "created_at", "started_at", "finished_at", "eta_seconds", "ns", "last_inference", "attempts"}
VARYING_TEXT = [(re.compile(rb"takes about [0-9.e+]+ s"), b"takes about * s"), (re.compile(rb"to take [0-9.e+-]+ s"), b"to take * s"),
                (re.compile(rb'holds of \\"[0-9a-f]{32}\\"'), b"holds of *")]


KEY = "a key of the corpus, of some length".replace(" ", "-")


def corpora() -> list[tuple[tuple[str, ...], list[Request]]]:
    """Requests with the options of the server that they are for; {keys} stands for a file of keys."""
    guarded = ("--api-keys", "{keys}", "--rate-limit", "1000000/day", "--cors-origin", "https://page.example")
    own = [("Authorization", f"Bearer {KEY}")]
    targets = stored.targets()[::3]
    preflights = [replace(request, name=f"preflight {request.name}", method="OPTIONS", headers=[
        ("Origin", "https://page.example"), ("Access-Control-Request-Method", request.method)]) for request in targets]
    foreign = [replace(request, name=f"from elsewhere {request.name}", headers=[*request.headers, ("Origin", "https://other.example")]) for request in targets[::5]]
    known = [replace(request, name=f"with a key {request.name}", headers=[*request.headers, *own, ("Origin", "https://page.example")]) for request in targets]
    return [((), plain()), (guarded, [*targets, *known, *preflights, *foreign])]


def plain() -> list[Request]:
    return [
        *work.described(), *work.random_work(), *work.random_architectures(), *work.golden(), *work.changed_examples(), *work.bad_layers(), *work.forms(), *stored.networks(),
        *stored.regressors(), *stored.described_below(), *stored.jobs(), *stored.again(), *stored.targets()]


def masked(value: object, is_of_jobs: bool) -> object:
    if isinstance(value, dict):
        varying = VARYING_MEMBERS | ({"next"} if is_of_jobs else set())
        return {key: "*" if key in varying and member is not None else masked(member, is_of_jobs) for key, member in value.items()}
    return [masked(member, is_of_jobs) for member in value] if isinstance(value, list) else value


def content(request: Request, kind: str, body: bytes) -> str:
    """The content, without what varies. The order of members and the digits of numbers count."""
    if request.is_document:
        return "*"
    for pattern, replacement in VARYING_TEXT:
        body = pattern.sub(replacement, body)
    if kind == "text/event-stream":
        # How many steps are seen depends on time.
        return body.decode().split("\n\n")[0]
    if kind == "text/plain":
        return "\n".join(sorted({line.rsplit(" ", 1)[0] for line in body.decode().splitlines() if not line.startswith("#")}))
    if kind in ("application/json", "application/problem+json") and body:
        exact = json.loads(body, parse_float=lambda text: f"number {text}", parse_int=lambda text: f"number {text}")
        text = json.dumps(masked(exact, "/v1/jobs" in request.target))
        return text if len(text) < 4_000 else text[:4_000] + " " + hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(body).hexdigest() + f" {len(body)} bytes"


def fields(request: Request, headers: http.client.HTTPMessage, content: str) -> list[str]:
    """The fields in order of their names. A tag of content that varies varies."""
    sent = {value for name, value in request.headers if name == "X-Request-Id"}
    varying = set(VARYING_FIELDS) | ({"etag", "content-length"} if request.is_document else set())
    kind = headers.get_content_type() if headers.get("Content-Type") else ""
    # What is said of a regressor says when it was fitted.
    if '"*"' in content or request.target.startswith("/v1/regressors"):
        varying.add("etag")
    # What is masked has another length each time.
    if kind.endswith("json") or kind in ("text/plain", "text/event-stream"):
        varying.add("content-length")
    if headers["X-Request-Id"] not in sent:
        varying.add("x-request-id")
    return sorted(f"{name}: {'*' if name.lower() in varying else re.sub(';([rt])=[0-9]+', ';*', value)}" for name, value in headers.items())


class Server:
    def __init__(self, binary: str, directory: pathlib.Path, options: tuple[str, ...]):
        keys = directory / "keys"
        keys.write_text(f"{hashlib.sha256(KEY.encode()).hexdigest()} corpus\n")
        self.log = open(directory / "log", "wb")
        command = [binary, "serve", "--port", "0", "--data-dir", str(directory / "data"), "--workers", "2", *(option.format(keys=keys) for option in options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        # Where nothing was fitted before.
        self.known: dict[str, str] = {"vector": stored.ABSENT}

    def send(self, request: Request) -> tuple[int, http.client.HTTPMessage, bytes]:
        target, body = request.filled(self.known)
        lines = [f"{request.method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *(f"{name}: {value}" for name, value in request.headers)]
        if body or request.method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            try:
                connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            except (BrokenPipeError, ConnectionResetError):
                pass
            response = http.client.HTTPResponse(connection, method=request.method)
            response.begin()
            return response.status, response.headers, response.read()

    def answer(self, request: Request) -> dict[str, object]:
        status, headers, body = self.send(request)
        while request.until_ended and status == 200 and json.loads(body)["finished_at"] is None:
            time.sleep(0.05)
            status, headers, body = self.send(request)
        for name, member in request.captures.items():
            value = json.loads(body).get(member) if status < 300 else None
            self.known[name] = value if isinstance(value, str) else "none"
        kind = headers.get_content_type() if headers.get("Content-Type") else ""
        if headers.get("Content-Encoding") == "gzip" and body:
            body = gzip.decompress(body)
        shown = content(request, kind, body)
        return {"status": status, "fields": fields(request, headers, shown), "content": shown}

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, "the server did not stop cleanly"
        self.log.close()


def difference(old: dict[str, object], new: dict[str, object]) -> list[str]:
    lines = []
    for part in old:
        if old[part] == new[part]:
            continue
        if part == "content" and "\n" in str(old[part]):
            first, second = set(str(old[part]).splitlines()), set(str(new[part]).splitlines())
            lines += [f"  - {line[:200]}" for line in sorted(first - second)] + [f"  + {line[:200]}" for line in sorted(second - first)]
        elif part == "fields":
            first, second = set(old[part]), set(new[part])
            lines += [f"  - {line}" for line in sorted(first - second)] + [f"  + {line}" for line in sorted(second - first)]
        else:
            lines += [f"  {part} was {str(old[part])[:400]}", f"  {part} is  {str(new[part])[:400]}"]
    return lines


def compared(old: str, new: str, options: tuple[str, ...], requests: list[Request], statuses: Counter) -> list[str]:
    """The names of the requests that two programs answer differently; their statuses are counted."""
    found = []
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        servers = [Server(old, pathlib.Path(first), options), Server(new, pathlib.Path(second), options)]
        try:
            for request in requests:
                before, after = (server.answer(request) for server in servers)
                statuses[before["status"]] += 1
                if lines := difference(before, after):
                    found.append(request.name)
                    print("\n".join([f"{request.name}: {request.method} {request.target[:200]}", *lines]))
        finally:
            for server in servers:
                server.stop()
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--old", required=True)
    options.add_argument("--new", required=True)
    options.add_argument("--only", default="", help="requests whose name has this text, and those that make what others ask for")
    options.add_argument("--except", dest="excepted", nargs="*", default=[], help="texts in the names of requests that may differ")
    given = options.parse_args()
    start, statuses, found = time.monotonic(), Counter(), []
    for server_options, requests in corpora():
        chosen = [request for request in requests if given.only in request.name or request.captures]
        found += compared(given.old, given.new, server_options, chosen, statuses)
    counts = ", ".join(f"{count} of {status}" for status, count in sorted(statuses.items()))
    print(f"{statuses.total()} requests in {time.monotonic() - start:.0f} s: {counts}; {len(found)} differ")
    sys.exit(any(not any(text in name for text in given.excepted) for name in found))


if __name__ == "__main__":
    main()
