#!/usr/bin/env python3
"""SIGTERM under load: requests that failed, of many connections.

    Benchmarks/hold/ending.py [--connections 200] [--repeats 5] [--tls]

Each connection asks again at once. A client that finds its connection ended by an announced close connects anew, and goes home when the port
is closed; anything else that is no answer counts as a failure.
"""
import argparse
import asyncio
import signal
import time

from serving import GoodClient, Server, identity, temporary_directory, untrusting


async def client(port: int, context, counts: dict) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        except ConnectionRefusedError:
            return
        except OSError as error:
            counts["failed"].append(f"connecting: {error!r}")
            return
        try:
            while True:
                writer.write(GoodClient.REQUEST)
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                await reader.readexactly(int(fields[b"Content-Length"]))
                assert head.startswith(b"HTTP/1.1 200 "), head
                counts["served"] += 1
                if fields.get(b"Connection") == b"close":
                    break
        except Exception as error:
            counts["failed"].append(repr(error))
            return
        finally:
            writer.close()


async def once(connections: int, options: tuple[str, ...], context) -> None:
    with Server("--drain-delay", "0.5", "--max-connections-per-address", "0", *options) as server:
        counts = {"served": 0, "failed": []}
        clients = [asyncio.create_task(client(server.port, context, counts)) for _ in range(connections)]
        await asyncio.sleep(2)
        server.process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        await asyncio.gather(*clients)
        status = await asyncio.to_thread(server.process.wait, 60)
        print(f"| {connections} | {counts['served']:,} | {len(counts['failed'])} | {time.monotonic() - start:.2f} | {status} |", flush=True)
        for failure in counts["failed"][:3]:
            print("  ", failure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tls", action="store_true")
    arguments = parser.parse_args()
    print("| connections | answered | failed | seconds from SIGTERM (0.5 of delay) to the end | status |\n|---:|---:|---:|---:|---:|")
    with temporary_directory() as directory:
        for _ in range(arguments.repeats):
            options, context = (identity(directory), untrusting()) if arguments.tls else ((), None)
            asyncio.run(once(arguments.connections, options, context))
