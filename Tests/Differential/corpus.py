"""The messages of Tests/HTTP1Tests/Corpus/messages.tsv, whose head explains its form."""
import pathlib
import re
from dataclasses import dataclass

PATH = pathlib.Path(__file__).resolve().parents[1] / "HTTP1Tests/Corpus/messages.tsv"


@dataclass
class Message:
    name: str
    rule: str
    outcome: str
    octets: bytes


def unescape(text: bytes) -> bytes:
    def one(match: re.Match) -> bytes:
        escape = match.group(1)
        if escape[:1] == b"x":
            return bytes([int(escape[1:], 16)])
        if escape[:1] == b"{":
            return unescape(match.group(2)) * int(match.group(3))
        return {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0"}.get(escape, escape)

    return re.sub(rb"\\(x[0-9a-f]{2}|\{(.*?)\*(\d+)\}|.)", one, text, flags=re.S)


def read() -> list[Message]:
    lines = [line for line in PATH.read_text().splitlines() if line and not line.startswith("#")]
    return [Message(name, rule, outcome, unescape(text.encode())) for name, rule, outcome, text in (line.split("\t") for line in lines)]
