"""A server to test with messages that are sent as they are."""
import json
import os
import pathlib
import re
import socket

from served import Served

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("NTK_SERVER", ROOT / ".build/debug/ntk-server"))


class Server:
    def __init__(self, directory: pathlib.Path, *options: str):
        with open(directory / "log", "wb") as log:
            served = Served(BINARY, "--data-dir", directory / "data", *options, log=log)
        self.process, self.port = served.process, served.port

    def peak(self) -> int:
        """The most resident memory so far, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, "the server did not stop cleanly"

    def exchange(self, *pieces: bytes) -> tuple[bytes, bytes]:
        """Head and content of the answer to a message that is sent as it is, as far as the server takes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        head, _, content = answer.partition(b"\r\n\r\n")
        return head, content

    def send(self, *pieces: bytes) -> tuple[int, dict]:
        """Status and JSON of the answer."""
        head, content = self.exchange(*pieces)
        return int(head.split(b" ")[1]), json.loads(content)

    def post(self, path: str, body: bytes, content_type: str = "application/json", *fields: str) -> tuple[int, dict]:
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields]
        return self.send("\r\n".join([*lines, "", ""]).encode(), body)
