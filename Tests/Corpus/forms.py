"""A request of the corpus, and the forms in which its body can come."""
import io
import json
import struct
import zipfile
from dataclasses import dataclass, field

import numpy

JSON = "application/json"


@dataclass
class Request:
    """One request; `<<name>>` in its target and body stands for what an earlier answer gave.

    - `captures`: by name, the key of a member of the answer that later requests use;
    - `until_ended`: it is repeated until the job that it shows has ended;
    - `is_document`: its content is written by people and may change: only status and fields are compared.
    """

    name: str
    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    captures: dict[str, str] = field(default_factory=dict)
    until_ended: bool = False
    is_document: bool = False

    def filled(self, known: dict[str, str]) -> tuple[str, bytes]:
        target, body = self.target, self.body
        for name, value in known.items():
            target = target.replace(f"<<{name}>>", value)
            body = body.replace(f"<<{name}>>".encode(), value.encode())
        return target, body


def get(name: str, target: str, **fields: str) -> Request:
    return Request(name, "GET", target, named(fields))


def named(fields: dict[str, str]) -> list[tuple[str, str]]:
    """Keyword arguments as header fields: `if_none_match` is If-None-Match."""
    return [(name.replace("_", "-"), value) for name, value in fields.items()]


def post(name: str, target: str, body: object, **fields: str) -> Request:
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields.setdefault("Content_Type", JSON)
    return Request(name, "POST", target, named(fields), content)


def npy(values: object, dtype: str = "<f8", order: str = "C") -> bytes:
    file = io.BytesIO()
    numpy.save(file, numpy.array(values, dtype=dtype, order=order), allow_pickle=False)
    return file.getvalue()


def npz(arrays: dict[str, object], rest: dict | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as members:
        if rest is not None:
            members.writestr(zipfile.ZipInfo("meta.json"), json.dumps(rest))
        for name, values in arrays.items():
            members.writestr(zipfile.ZipInfo(f"{name}.npy"), values if isinstance(values, bytes) else npy(values))
    return file.getvalue()


def safetensors(arrays: dict[str, object], metadata: dict[str, str] | None = None) -> bytes:
    header, content = {"__metadata__": metadata} if metadata else {}, b""
    for name, values in arrays.items():
        data = numpy.array(values, dtype="<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(numpy.shape(values)), "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[str, bytes]:
    """Content-Type and body; a part is its name, its type and its content."""
    body = b""
    for name, kind, content in parts:
        head = f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n' + (f"Content-Type: {kind}\r\n" if kind else "")
        body += head.encode() + b"\r\n" + content + b"\r\n"
    return "multipart/form-data; boundary=cut", body + b"--cut--\r\n"


def without(body: dict, *fields: str) -> dict:
    return {name: value for name, value in body.items() if name not in fields}
