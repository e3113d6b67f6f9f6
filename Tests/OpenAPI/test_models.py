"""Networks from ONNX files by HTTP: the reference networks' outputs and kernels, what a stored one is told to be, and what is refused."""
import io
import json
import pathlib
import time
import uuid

import numpy as np
import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "FiniteNetworksTests/Golden"
MODELS = json.loads((GOLDEN / "manifest.json").read_text(encoding="utf-8"))["models"]
CASES = [(name, form) for name in sorted(MODELS) for form in ("faithful", "default")]


def form(request: dict, files: dict[str, bytes]) -> tuple[dict[str, str], bytes]:
    boundary = uuid.uuid4().hex
    body = b""
    for name, content in {"request": json.dumps(request).encode(), **files}.items():
        kind = "application/json" if name == "request" else "application/octet-stream"
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + content + b"\r\n"
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body + f"--{boundary}--\r\n".encode()


def points(model: dict, field: str) -> dict[str, bytes]:
    return {f"{field}.{each['onnx']}": (GOLDEN / each["file"]).read_bytes() for each in model["inputs"]}


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max() / np.abs(other).max())


@pytest.mark.parametrize("name, kind", CASES, ids=["-".join(case) for case in CASES])
def test_outputs_and_kernels(server, name, kind):
    model, entry = MODELS[name], MODELS[name]["files"][kind]
    file = (GOLDEN / entry["file"]).read_bytes()
    stored = server.send("POST", f"/v1/networks?name={name}", {"Content-Type": "application/onnx"}, file)
    assert stored.status in (200, 201), stored.body
    network = json.loads(stored.body)
    parameters = {each["name"] for each in network["parameters"] if each["differentiable"]}
    assert set(entry["initializers_that_count"]) <= parameters
    outputs = server.send("POST", "/v1/network-outputs?format=npy", *form({"network": network["id"]}, points(model, "x")))
    assert outputs.status == 200, outputs.body
    expected = np.load(GOLDEN / model["outputs"]["file"])
    assert distance(np.load(io.BytesIO(outputs.body)), expected) <= max(1e-12, 2 * entry["outputs_float64_of_file"])
    request = {"outputs": "full", "include": entry["initializers_that_count"]}
    kernel = server.send(
        "POST", "/v1/empirical-kernels?format=npy", *form(request, {"network.onnx": file, **points(model, "x1")}))
    assert kernel.status == 200, kernel.body
    reference = np.load(GOLDEN / entry.get("ntk", model["ntk"])["file"])
    assert distance(np.load(io.BytesIO(kernel.body)), reference) <= max(1e-12, 2 * entry.get("ntk_of_file_against_torch", 0))


def test_single_precision_shares_and_estimates(server):
    file, model = (GOLDEN / "resnet_cifar.onnx").read_bytes(), MODELS["resnet_cifar"]
    request = {"precision": "float32", "layerwise": True, "outputs": "sum"}
    answer = server.send("POST", "/v1/empirical-kernels", *form(request, {"network.onnx": file, **points(model, "x1")}))
    assert answer.status == 200, answer.body
    kernel = json.loads(answer.body)
    assert distance(sum(np.array(share) for share in kernel["layerwise"].values()), np.array(kernel["ntk"])) < 1e-5
    assert distance(np.array(kernel["ntk"]), np.einsum("ijkk->ij", np.load(GOLDEN / model["ntk"]["file"]))) < 1e-4
    assert set(kernel["algorithms"].values()) <= {"structured", "gradients"} and set(kernel["algorithms"]) == set(kernel["layerwise"])
    estimate = server.send(
        "POST", "/v1/empirical-kernels?estimate_only=true", *form(request, {"network.onnx": file, **points(model, "x1")}))
    assert json.loads(estimate.body)["estimate"]["flops"] > 1e6


def test_a_broken_file_is_told_at_once(server):
    start = time.monotonic()
    file = (GOLDEN / "vit.onnx").read_bytes()
    for broken in (b"", file[:1000], b"not a model", bytes(1000)):
        answer = server.send("POST", "/v1/networks", {"Content-Type": "application/onnx"}, broken)
        assert 400 <= answer.status < 500 and answer.media_type == "application/problem+json"
    assert time.monotonic() - start < 10
