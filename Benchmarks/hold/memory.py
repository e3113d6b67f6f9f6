#!/usr/bin/env python3
"""What the process takes while clients send at once what is much larger once it is read, beside the budget for all of that.

    Benchmarks/hold/memory.py [--budget 256] [--clients 16] [--seconds 5]
"""
import argparse
import collections
import gzip
import http.client
import io
import json
import random
import struct
import threading
import time
import zipfile

from serving import Server, temporary_directory

MEGABYTE = 1 << 20
REQUEST = b'{"architecture":{"type":"dense"},"diagonal":true'
POINTS = (100, 80_000)


def numpy_file(content: bytes, shape: tuple[int, ...]) -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def archive(content: bytes, method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as members:
        members.writestr("meta.json", REQUEST + b"}")
        members.writestr("x1.npy", numpy_file(content, POINTS))
    return file.getvalue()


def weights(content: bytes) -> bytes:
    rows, columns = POINTS
    header = json.dumps({
        "__metadata__": {"architecture": json.dumps({"type": "dense", "width": rows})},
        "weight": {"dtype": "I8", "shape": [rows, columns], "data_offsets": [0, rows * columns]}}).encode()
    return struct.pack("<Q", len(header)) + header + content


def uploads() -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """Path, body and fields by kind."""
    rng = random.Random(0)
    rows, columns = POINTS
    few = bytes(rng.choices(range(1, 5), k=rows * columns))
    row = b"[" + ",".join(rng.choices("0123456789", k=columns)).encode() + b"]"
    text = REQUEST + b',"x1":[' + b",".join([row] * (rows // 2)) + b"]}"
    kernels, npz, plain = "/v1/kernels", {"Content-Type": "application/x-npz"}, {"Content-Type": "application/json"}
    return {
        ".npz of u1, stored": (kernels, archive(few, zipfile.ZIP_STORED), npz),
        ".npz of u1, deflated": (kernels, archive(few, zipfile.ZIP_DEFLATED), npz),
        "JSON, numbers of a digit": (kernels, text, plain),
        "the same in gzip": (kernels, gzip.compress(text, 1), plain | {"Content-Encoding": "gzip"}),
        "JSON, objects": (kernels, REQUEST + b',"x1":[' + b",".join([b"{}"] * 900_000) + b"]}", plain),
        "JSON, one string": (kernels, REQUEST + b',"x1":"' + b"7" * (24 * MEGABYTE) + b'"}', plain),
        ".safetensors of I8": ("/v1/networks", weights(few), {"Content-Type": "application/x-safetensors"}),
    }


def send(port: int, kinds: list, number: int, end: float, answers: collections.Counter) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    while time.monotonic() < end:
        path, body, fields = kinds[number % len(kinds)]
        number += 1
        try:
            connection.request("POST", path, body, fields)
            response = connection.getresponse()
            response.read()
            answers[response.status] += 1
        except (OSError, http.client.HTTPException):
            # Refused before all was sent.
            answers["cut"] += 1
        connection.close()


def measure(kinds: list, arguments: argparse.Namespace) -> tuple[float, float, collections.Counter]:
    """Megabytes resident before and at the most, and answers by status."""
    with temporary_directory() as directory, Server(
            "--data-dir", directory, "--cache-bytes", "1", "--memory-budget", str(arguments.budget * MEGABYTE), "--memory-wait", "10") as server:
        answers: collections.Counter = collections.Counter()
        before = most = server.resident
        end = time.monotonic() + arguments.seconds
        threads = [threading.Thread(target=send, args=(server.port, kinds, number, end, answers)) for number in range(arguments.clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, server.resident)
            time.sleep(0.002)
        return before / MEGABYTE, most / MEGABYTE, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default=256, type=int, help="megabytes")
    parser.add_argument("--clients", default=16, type=int)
    parser.add_argument("--seconds", default=5.0, type=float)
    arguments = parser.parse_args()
    kinds = uploads()
    print(f"| {arguments.clients} clients send | MB of a body | answers | MB resident, before | at the most | more, to the budget of {arguments.budget} MB |")
    print("|---|---:|---|---:|---:|---:|")
    for name, group in [*((name, [kind]) for name, kind in kinds.items()), ("all of these", list(kinds.values()))]:
        before, most, answers = measure(group, arguments)
        counts = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items(), key=str))
        size = max(len(body) for _, body, _ in group) / MEGABYTE
        print(f"| {name} | {size:.1f} | {counts} | {before:.0f} | {most:.0f} | {(most - before) / arguments.budget:.2f} × |", flush=True)


if __name__ == "__main__":
    main()
