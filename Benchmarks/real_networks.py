"""Kernels of networks from ONNX files by the server, beside the best of three ways in PyTorch, in one run by turns.

usage: real_networks.py --server .build/release/ntk-server [--rounds 5] [--only TEXT] [--results RESULTS.md]

Two threads and float32 for all. Seconds are of the whole request at the client, and of the server's computation alone. Processor seconds beside
them tell more where the machine is shared. Prints its table, and with --results writes it between the markers "real networks" of that file.
Run it with a Python that has torch, onnx and onnxscript.
"""
import argparse
import io
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
sys.path.insert(0, str(PEERS))
from torch_networks import SUBJECTS  # noqa: E402

WAYS = ["jacrev", "gradients", "hooks"]
TICKS = os.sysconf("SC_CLK_TCK")


def form_data(parts: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    pieces = []
    for name, (media_type, content) in parts.items():
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
        pieces += [head.encode(), content, b"\r\n"]
    return b"".join([*pieces, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"


class Server:
    """A server of its own, so that its peak of memory is that of one subject."""

    def __init__(self, binary: str, model: pathlib.Path, form: str):
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().removeprefix("listening on ").strip()
        stored = json.loads(self.send("/v1/networks", model.read_bytes(), "application/onnx")[0])
        points = pathlib.Path(f"{model}.npy").read_bytes()
        count = len(numpy.load(io.BytesIO(points)))
        labels = [37 * index + 1 for index in range(count)]
        outputs = {"full": "full", "trace": "sum", "label": {"functional": "label_logit", "labels1": labels}}[form]
        request = {"network": stored["id"], "outputs": outputs, "precision": "float32"}
        self.body = form_data({"request": ("application/json", json.dumps(request).encode()), "x1": ("application/x-npy", points)})

    def send(self, path: str, body: bytes, media_type: str) -> tuple[bytes, str]:
        request = urllib.request.Request(self.address + path, body, {"Content-Type": media_type})
        with urllib.request.urlopen(request, timeout=3600) as answer:
            return answer.read(), answer.headers.get("Server-Timing", "")

    def status(self, pattern: str) -> int:
        return int(re.search(pattern, pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def ticks(self) -> int:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def run(self) -> dict:
        start, used = time.perf_counter(), self.ticks()
        answer, timing = self.send("/v1/empirical-kernels?format=npy", *self.body)
        seconds, processor = time.perf_counter() - start, (self.ticks() - used) / TICKS
        engine = re.search(r"compute;dur=([0-9.]+)", timing)
        self.kernel = answer
        return {"seconds": seconds, "processor": processor, "engine": float(engine[1]) / 1e3 if engine else seconds,
                "peak": self.status(r"VmHWM:\s+(\d+)") * 1024}

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


class Torch:
    def __init__(self, name: str, way: str, file: pathlib.Path):
        self.file = file
        self.process = subprocess.Popen(
            [sys.executable, str(PEERS / "torch_kernels.py"), name, way, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self) -> dict:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def median(rows: list[dict], key: str) -> float:
    # The first run of each warms up.
    return statistics.median(row[key] for row in rows[1:] or rows)


def compare(binary: str, name: str, rounds: int, folder: pathlib.Path) -> str:
    model = folder / "model.onnx"
    subprocess.run([sys.executable, str(PEERS / "torch_networks.py"), name, str(model)], check=True, stdout=subprocess.DEVNULL)
    server = Server(binary, model, SUBJECTS[name][2])
    peers = {way: Torch(name, way, folder / f"{way}.npy") for way in WAYS}
    ours: list[dict] = []
    theirs: dict[str, list[dict]] = {way: [] for way in WAYS}
    for _ in range(rounds + 1):
        ours.append(server.run())
        for way, peer in peers.items():
            theirs[way].append(peer.run())
    best = min(WAYS, key=lambda way: median(theirs[way], "seconds"))
    kernel = numpy.load(io.BytesIO(server.kernel)).astype(float)
    expected = numpy.load(peers[best].file).reshape(kernel.shape)
    apart = abs(kernel - expected).max() / abs(expected).max()
    for each in (server, *peers.values()):
        each.close()
    own, peer = {key: median(ours, key) for key in ours[0]}, {key: median(theirs[best], key) for key in theirs[best][0]}
    others = ", ".join(f"{way} {median(theirs[way], 'seconds'):.3f}" for way in WAYS if way != best)
    return (f"| {name} | {own['seconds']:.3f} | {own['engine']:.3f} | {own['processor']:.2f} | {own['peak'] / 1e6:.0f} | "
            f"{best} {peer['seconds']:.3f} | {peer['processor']:.2f} | {peer['peak'] / 1e6:.0f} | {peer['seconds'] / own['seconds']:.2f} | "
            f"{peer['processor'] / own['processor']:.2f} | {others} | {apart:.0e} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--results", type=pathlib.Path)
    options = parser.parse_args()
    lines = ["| network, points, form | request, s | engine, s | processor, s | peak, MB | best torch, s | processor, s | peak, MB | "
             "torch / ours | by processor | other ways, s | difference |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|"]
    for name in SUBJECTS:
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            lines.append(compare(options.server, name, options.rounds, pathlib.Path(folder)))
        print(lines[-1], flush=True)
    if options.results:
        begin, end = "<!-- begin: real networks -->", "<!-- end: real networks -->"
        before, rest = options.results.read_text().split(begin)
        options.results.write_text(f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
