#!/usr/bin/env python3
"""Memory of idle keep-alive connections: 10,000 in the clear, then through TLS.

    Benchmarks/hold/idle.py [--connections 10000]

Two processes of 5,000 connections each, from addresses 127.0.0.x; each connection has had one answer.
"""
import argparse
import multiprocessing
import socket

from serving import GoodClient, Server, identity, quantile, temporary_directory, untrusting

REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def hold(port: int, first: int, count: int, isSecure: bool, ready, done) -> None:
    context = untrusting() if isSecure else None
    sockets = []
    for number in range(first, first + count):
        connection = socket.create_connection(("127.0.0.1", port), 60, (f"127.0.0.{2 + number // 500}", 0))
        if context:
            connection = context.wrap_socket(connection)
        connection.sendall(REQUEST)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        sockets.append(connection)
    ready.release()
    done.wait()


def measure(connections: int, isSecure: bool, options: tuple[str, ...]) -> None:
    with Server("--idle-timeout", "600", *options) as server:
        client = GoodClient(server.port, untrusting() if isSecure else None)
        client.times(1)
        before = server.resident
        ready, done = multiprocessing.Semaphore(0), multiprocessing.Event()
        half = connections // 2
        holders = [multiprocessing.Process(target=hold, args=(server.port, half * n, half, isSecure, ready, done)) for n in range(2)]
        for holder in holders:
            holder.start()
        for _ in holders:
            ready.acquire()
        times = client.times(3)
        each = (server.resident - before) / connections
        print(f"| {'TLS' if isSecure else 'plain'} | {connections:,} | {each / 1000:.1f} | {server.resident / 1e6:.0f} | "
              f"{1e3 * quantile(times, .5):.2f} | {1e3 * quantile(times, .99):.2f} |", flush=True)
        done.set()
        for holder in holders:
            holder.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    connections = parser.parse_args().connections
    print("| | idle connections | kB each | server, MB | a good client's p50, ms | p99, ms |\n|---|---:|---:|---:|---:|---:|")
    measure(connections, False, ())
    with temporary_directory() as directory:
        measure(connections, True, identity(directory))
