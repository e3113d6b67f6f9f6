"""A request and the bytes that it is sent as."""
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    target: str
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def message(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in self.fields.items())]
        if self.body or self.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    @property
    def timeout(self) -> float:
        """Seconds within which an answer must come."""
        return float(self.fields.get("Request-Timeout", 35))
