"""A client that leaves messages as they are."""
import socket
import time


class Connection:
    """Sends messages as they are, and reads whole answers."""

    def __init__(self, port: int):
        self.port, self.socket, self.rest = port, None, bytearray()

    def exchange(self, message: bytes, seconds: float) -> tuple[int, dict[str, str], bytes, float]:
        """Status, fields, body, and the seconds until the head came: how fast a body comes is the reader's affair."""
        start = time.monotonic()
        if self.socket is None:
            self.socket, self.rest = socket.create_connection(("127.0.0.1", self.port), timeout=seconds), bytearray()
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.settimeout(seconds)
            self.socket.sendall(message)
            while True:
                head = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
                status = int(head[0].split(" ")[1])
                if status != 100:
                    break
            passed = time.monotonic() - start
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = bytearray()
            if fields.get("transfer-encoding") == "chunked":
                while size := int(self.until(b"\r\n"), 16):
                    body += self.take(size)
                    self.take(2)
                self.until(b"\r\n")
            elif status not in (204, 304):
                body = self.take(int(fields.get("content-length", 0)))
            if fields.get("connection") == "close":
                self.close()
            return status, fields, bytes(body), passed
        except BaseException:
            self.close()
            raise

    def until(self, end: bytes) -> bytearray:
        while (place := self.rest.find(end)) < 0:
            self.receive()
        return self.take(place + len(end))[:place]

    def take(self, count: int) -> bytearray:
        while len(self.rest) < count:
            self.receive()
        taken = self.rest[:count]
        del self.rest[:count]
        return taken

    def receive(self) -> None:
        received = self.socket.recv(1 << 16)
        if not received:
            raise ConnectionError("closed without a whole answer")
        self.rest += received

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None
