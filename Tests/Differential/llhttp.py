#!/usr/bin/env python3
"""Mutated requests, parsed by the server's parser and by llhttp (httptools): what ours takes, llhttp takes too, and sees the same in it.

    Tests/Differential/llhttp.py [--count 50000] [--seed N] [--driver .build/debug/http1-echo]

To be stricter is allowed, and counted. Where we take what llhttp does not, RFC 9112 says so: HTTP/1.2 to 1.9 is taken as 1.1 (§2.3), whitespace
may stand before a chunk extension (§7.1.1) and a tab behind any field's value (§5), Proxy-Connection means nothing (§C.2.2); an offer to upgrade is
not taken up (RFC 9110 §7.8). Of a target in absolute form the path is kept and the authority replaces Host (§3.2.2).
"""
import argparse
import base64
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import corpus
import httptools

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b":", b",", b";", b"\"", b"\\", b"%", b"\x7f", b"\x80", b"\xff", b"0", b"5", b"f",
    b"+", b"-", b"0x", b"_", b"chunked", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n", b"Host: x\r\n", b"X: y\r\n", b" folded\r\n", b"HTTP/1.0", b"HTTP/1.1", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"0\r\n\r\n",
    b"5\r\nhello\r\n", b"5;a=b\r\nhello\r\n", b"*", b"http://x/", b"/", b"?", b"#", b"\xe2\x84\xaa", b"\xc2\xa0", b"\xc2\x85", b"identity", b"gzip, chunked",
]
USUAL = [
    b"GET /v1/regressors?limit=7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
    b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: 13\r\n\r\n{\"x1\":[[1,2]]",
    b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n7\r\n{\"x1\":[\r\n6\r\n[1,2]]\r\n1;last\r\n}\r\n0\r\n\r\n",
    b"HEAD /openapi.yaml HTTP/1.1\r\nhost: a.example\r\nif-none-match: \"a\", W/\"b\"\r\naccept-encoding: gzip;q=0.5, br\r\n\r\n",
    b"DELETE /v1/regressors/0a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: h\r\nOrigin: null\r\n\r\nGET http://h/a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"PUT /x%20y;z HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length:2\r\nX-Empty:\r\nX-Text:  a b \t c  \r\n\r\nokPATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
]


@dataclass
class Request:
    method: str = ""
    target: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    version: str = ""


class LLHTTP:
    """What llhttp makes of a message, up to an error, an upgrade, or a request that ends the connection."""

    def __init__(self, message: bytes):
        self.requests: list[Request] = []
        self.is_upgrade = False
        self.error: str | None = None
        self.over = False
        self.parser = httptools.HttpRequestParser(self)
        try:
            self.parser.feed_data(message)
        except httptools.HttpParserUpgrade:
            self.is_upgrade = True
        except httptools.HttpParserError as error:
            self.error = str(error)

    def on_message_begin(self):
        self.current = Request()
        self.has_head = False

    def on_url(self, url: bytes):
        self.current.target += url

    def on_header(self, name: bytes, value: bytes):
        # What comes behind the content is a trailer, which we drop.
        if not self.has_head:
            self.current.fields.append((name, value))

    def on_headers_complete(self):
        self.has_head = True
        self.current.method = self.parser.get_method().decode()
        self.current.version = self.parser.get_http_version()
        self.keeps_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes):
        self.current.body += body

    def on_message_complete(self):
        if not self.over:
            self.requests.append(self.current)
        self.over = self.over or not self.keeps_alive


def seeds() -> list[bytes]:
    """As many good messages as bad ones, so that mutation leaves enough of them good."""
    messages = [message for message in corpus.read() if len(message.octets) < 4_000]
    good = [message.octets for message in messages if message.outcome.startswith("ok:")] + USUAL
    bad = [message.octets for message in messages if not message.outcome.startswith("ok:")]
    return bad + good * (2 * len(bad) // len(good))


def mutated(rng: random.Random, known: list[bytes]) -> bytes:
    message = bytearray(rng.choice(known))
    if rng.random() < 0.3:
        message += rng.choice(known)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 5])):
        place = rng.randrange(len(message) + 1)
        match rng.randrange(6):
            case 0:
                message[place:place] = rng.choice(PIECES)
            case 1:
                del message[place:place + rng.choice([1, 1, 2, 5, 20])]
            case 2:
                message[place:place + 1] = bytes([rng.randrange(256)])
            case 3:
                message[place:place + rng.choice([1, 1, 2])] = rng.choice(PIECES)
            case 4:
                lines = bytes(message).split(b"\r\n")
                line = rng.randrange(len(lines))
                lines.insert(rng.randrange(len(lines) + 1), lines[line])
                message = bytearray(b"\r\n".join(lines))
            case 5:
                if place < len(message):
                    message[place] ^= 1 << rng.randrange(8)
    return bytes(message)


def difference(ours: dict, theirs: LLHTTP) -> str | None:
    """Why our reading of a message is not llhttp's; None if it is, or is stricter."""
    for index, mine in enumerate(ours["requests"]):
        if index >= len(theirs.requests):
            return f"request {index} is none to llhttp: {theirs.error}"
        other = theirs.requests[index]
        target = other.target
        absolute = re.match(rb"(?i)http://([^/?]*)(.*)$", target, re.S)
        hosts = [value.rstrip(b" \t") for name, value in other.fields if name.lower() == b"host"]
        if absolute:
            rest = absolute.group(2)
            target = rest if rest.startswith(b"/") else (b"/" + rest if rest or mine["method"] != "OPTIONS" else b"*")
            hosts = [absolute.group(1)]
        fields = [[base64.b64decode(part) for part in pair] for pair in mine["fields"]]
        expected = [[name, value.rstrip(b" \t")] for name, value in other.fields if name.lower() != b"host"]
        for what, a, b in [
            ("method", mine["method"], other.method), ("target", mine["path"].encode(), target), ("version", mine["version"], other.version),
            ("authority", (mine.get("authority") or "").encode(), hosts[0] if hosts else b""), ("fields", fields, expected),
            ("body", base64.b64decode(mine["body"]), other.body),
        ]:
            if a != b:
                return f"{what} of request {index}: {a!r} to us, {b!r} to llhttp"
    if ours.get("status") is None and not theirs.is_upgrade and len(theirs.requests) > len(ours["requests"]):
        return f"{len(ours['requests'])} requests to us, {len(theirs.requests)} to llhttp, and no refusal"
    return None


def is_meant(message: bytes, theirs: LLHTTP) -> bool:
    """Whether llhttp stopped at one of the differences that are meant."""
    error = theirs.error or ""
    return (
        theirs.is_upgrade
        or ("Connection: close" in error and re.search(rb"(?i)\nproxy-connection[ \t]*:[^\r\n]*close", message) is not None)
        or ("version" in error.lower() and re.search(rb"HTTP/1\.[2-9]\r\n", message) is not None)
        or ("chunk size" in error and re.search(rb"(?i)\n[0-9a-f]+[ \t]+;", message) is not None)
        or ("`Transfer-Encoding`" in error and re.search(rb"(?i)transfer-encoding:[^\r\n]*\t\r\n", message) is not None)
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=50_000)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--driver", default=str(ROOT / ".build/debug/http1-echo"))
    given = options.parse_args()
    print(f"seed {given.seed}, {given.count} messages")
    rng, known = random.Random(given.seed), seeds()
    driver = subprocess.Popen([given.driver, "--parse"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counts, faults = Counter(), 0
    for number in range(given.count):
        message = mutated(rng, known)
        driver.stdin.write(struct.pack("<I", len(message)) + message)
        driver.stdin.flush()
        ours, theirs = json.loads(driver.stdout.readline()), LLHTTP(message)
        if fault := difference(ours, theirs):
            if is_meant(message, theirs):
                counts["meant difference"] += 1
                continue
            faults += 1
            print(f"message {number} of seed {given.seed}: {message!r}\n  {fault}")
        elif ours.get("status") is not None:
            counts["refused by both" if theirs.error else "refused by us alone"] += 1
        else:
            counts["refused by llhttp alone, before we have seen enough" if theirs.error else "the same"] += 1
    driver.stdin.close()
    driver.wait()
    print(", ".join(f"{name}: {count}" for name, count in counts.most_common()) + f", faults: {faults}")
    sys.exit(1 if faults or counts["the same"] == 0 or counts["refused by both"] == 0 else 0)


if __name__ == "__main__":
    main()
