#!/usr/bin/env python3
"""Three thousand slow clients at once, and one good client beside them.

    Benchmarks/hold/slow.py [--each 1000] [--seconds 20]

A thousand send a header section, a thousand a body, an octet a second each; a thousand read an answer of 0.1 MB times 200, 32 octets a second.
Those that the server lets go come again at once.
"""
import argparse
import multiprocessing
import random
import selectors
import socket
import time

from serving import GoodClient, Server, quantile

KINDS = ("header", "body", "reader")
BEGINNINGS = {
    "header": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n",
    "body": b"POST /v1/kernels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
    "reader": b"GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200,
}


def attack(port: int, kind: str, count: int, stop) -> None:
    def connect(number: int) -> socket.socket | None:
        connection = socket.socket()
        try:
            if kind == "reader":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.settimeout(5)
            connection.bind((f"127.0.{1 + KINDS.index(kind)}.{1 + number // 100}", 0))
            connection.connect(("127.0.0.1", port))
            connection.sendall(BEGINNINGS[kind])
            connection.setblocking(False)
            return connection
        except OSError:
            connection.close()
            return None

    connections = [connect(number) for number in range(count)]
    while not stop.is_set():
        start = time.monotonic()
        for number, connection in enumerate(connections):
            try:
                if connection is None:
                    raise OSError
                if kind == "reader":
                    if not connection.recv(32):
                        raise OSError
                else:
                    connection.send(b"X-A: b\r\n"[random.randrange(8):][:1] if kind == "body" else b"a")
            except BlockingIOError:
                pass
            except OSError:
                if connection:
                    connection.close()
                connections[number] = connect(number)
        time.sleep(max(0, 1 - (time.monotonic() - start)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with Server() as server:
        client = GoodClient(server.port)
        alone = client.times(3)
        stop = multiprocessing.Event()
        attackers = [multiprocessing.Process(target=attack, args=(server.port, kind, options.each, stop)) for kind in KINDS]
        for attacker in attackers:
            attacker.start()
        times, most = [], 0
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            times += client.times(1)
            most = max(most, server.resident)
        times.sort()
        stop.set()
        for attacker in attackers:
            attacker.join()
        print("| slow clients | requests of the good client | p50, ms | p99, ms | longest, ms | server's memory at most, MB |")
        print("|---|---:|---:|---:|---:|---:|")
        print(f"| none | {len(alone)} | {1e3 * quantile(alone, .5):.2f} | {1e3 * quantile(alone, .99):.2f} | {1e3 * alone[-1]:.1f} | |")
        print(f"| 3 × {options.each} | {len(times)} | {1e3 * quantile(times, .5):.2f} | {1e3 * quantile(times, .99):.2f} | "
              f"{1e3 * times[-1]:.1f} | {most / 1e6:.0f} |")
