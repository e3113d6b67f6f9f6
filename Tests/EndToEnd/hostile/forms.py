"""The forms in which a body is sent: JSON, archives, safetensors, multipart, and damaged bytes of each."""
import io
import json
import struct
import zipfile

import numpy

from .numbers import POWERS, Numbers


class Forms:
    def __init__(self, numbers: Numbers):
        self.numbers, self.rng = numbers, numbers.rng

    def encoded(self, value: object, path: str) -> tuple[str, bytes]:
        form = self.rng.random()
        if isinstance(value, dict) and form < 0.08:
            arrays, rest = {}, dict(value)
            for name, part in value.items():
                array = self.array(part)
                if array is not None:
                    arrays[name] = array
                    rest.pop(name)
            return "application/x-npz", self.archive(arrays, rest)
        if isinstance(value, dict) and form < 0.14:
            return self.multipart(value)
        if form < 0.16 and isinstance(value, dict):
            return "application/x-safetensors", self.safetensors(value)
        if form < 0.17:
            return "application/x-npy" if "regressors/" in path else "application/octet-stream", self.npy(numpy.zeros((2, 1)))
        text = json.dumps(value, allow_nan=True)
        return "application/json", text.encode()

    def array(self, value: object) -> numpy.ndarray | None:
        if not isinstance(value, list):
            return None
        try:
            with numpy.errstate(all="ignore"):
                array = numpy.array(value, dtype=self.rng.choice(["<f8", "<f8", ">f8", "<f4", "<i4", "|u1", "<f2"]))
        except (ValueError, TypeError, OverflowError):
            return None
        return numpy.asfortranarray(array) if self.rng.random() < 0.1 else array

    def npy(self, array: numpy.ndarray) -> bytes:
        file = io.BytesIO()
        numpy.save(file, array, allow_pickle=False)
        content = file.getvalue()
        if self.rng.random() < self.numbers.absurdity:  # A header that promises another shape.
            content = content.replace(b"'shape': (", b"'shape': (%d, " % self.rng.choice(POWERS), 1)
        return content

    def archive(self, arrays: dict, rest: dict) -> bytes:
        file = io.BytesIO()
        method = self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(file, "w", method) as members:
            members.writestr("meta.json", json.dumps(rest))
            for name, array in arrays.items():
                members.writestr(f"{name}.npy", self.npy(array))
            if self.rng.random() < self.numbers.absurdity:
                for k in range(self.rng.choice([1, 100])):
                    members.writestr("." * self.rng.choice([1, 100, 20_000]) + f"{k}.npy", self.npy(numpy.zeros(1)))
        return file.getvalue()

    def safetensors(self, value: dict) -> bytes:
        network = value.get("network") if isinstance(value.get("network"), dict) else value
        header = {"__metadata__": {"architecture": json.dumps(network.get("architecture", {}))},
                  "0.weight": {"dtype": "F64", "shape": [self.numbers.integer(1, 2), 1], "data_offsets": [0, self.rng.choice([8, 16, self.numbers.integer()])]}}
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + bytes(16)

    def multipart(self, value: dict) -> tuple[str, bytes]:
        parts, rest = [], dict(value)
        for name, part in value.items():
            array = self.array(part) if self.rng.random() < 0.7 else None
            if array is not None:
                parts.append((name, "application/octet-stream", self.npy(array)))
                rest.pop(name)
        parts.insert(0, ("request", "application/json", json.dumps(rest).encode()))
        body = b"".join(
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + content + b"\r\n" for name, kind, content in parts)
        return "multipart/form-data; boundary=cut", body + b"--cut--\r\n"

    def damaged(self, body: bytes) -> bytes:
        rng, changed = self.rng, bytearray(body)
        for _ in range(rng.choice([1, 1, 3])):
            if changed:
                changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed[:rng.randrange(len(changed) + 1)] if rng.random() < 0.3 else changed)
