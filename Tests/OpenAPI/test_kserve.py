"""Fitted regressors by the Open Inference Protocol v2, as its own client asks, against NumPy."""
import json
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.http as triton

from conftest import Server

RNG = np.random.default_rng(7)
X, Y, POINTS = RNG.standard_normal((40, 5)), RNG.standard_normal((40, 3)), RNG.standard_normal((6, 5))
RIDGE, B_VARIANCE = 1e-3, 0.25
JSON = {"Content-Type": "application/json"}


def linear_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The NTK of one dense layer: its NNGP kernel, w² x·x'/d + b²."""
    return a @ b.T / a.shape[1] + B_VARIANCE


def expected(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of kernel ridge regression."""
    gram = linear_kernel(X, X) + RIDGE * np.eye(len(X))
    cross = linear_kernel(points, X)
    variance = np.diag(linear_kernel(points, points)) - np.einsum("ij,ji->i", cross, np.linalg.solve(gram, cross.T))
    return cross @ np.linalg.solve(gram, Y), variance


def fitted(server: Server, body: dict) -> str:
    architecture = {"type": "serial", "layers": [{"type": "dense", "b_std": B_VARIANCE**0.5}]}
    answer = server.send("POST", "/v1/regressors", JSON, json.dumps({"kernel": {"architecture": architecture}, "ridge": RIDGE} | body).encode())
    assert answer.status in (200, 201), answer.body
    return json.loads(answer.body)["id"]


@pytest.fixture(scope="session")
def regressor(server: Server) -> str:
    return fitted(server, {"x_train": X.tolist(), "y_train": Y.tolist()})


@pytest.fixture
def client(server: Server):
    with triton.InferenceServerClient(f"{server.host}:{server.port}", concurrency=8) as client:
        yield client


def ask(client, model: str, points: np.ndarray, is_binary: bool, datatype: str = "FP64", **options):
    tensor = triton.InferInput("x", list(points.shape), datatype)
    tensor.set_data_from_numpy(points, binary_data=is_binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("mean", "variance")]
    return client.infer(model, [tensor], outputs=outputs, **options)


def test_health_and_metadata(client, regressor: str):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(regressor) and client.is_model_ready(regressor, "1")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data", "statistics"]
    model = client.get_model_metadata(regressor)
    assert model["name"] == regressor and model["versions"] == ["1"]
    assert model["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1, 5]}]
    assert {"name": "mean", "datatype": "FP64", "shape": [-1, 3]} in model["outputs"]
    assert not client.is_model_ready("0" * 64) and not client.is_model_ready(regressor, "2")


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_client_gets_numpys_numbers(client, regressor: str, is_binary: bool):
    mean, variance = expected(POINTS)
    result = ask(client, regressor, POINTS, is_binary, request_id="seven")
    assert result.get_response()["id"] == "seven" and result.get_response()["model_name"] == regressor
    np.testing.assert_allclose(result.as_numpy("mean"), mean, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(result.as_numpy("variance"), variance, rtol=1e-7, atol=1e-11)


@pytest.mark.parametrize("is_binary", [True, False])
def test_through_gzip_both_ways(client, regressor: str, is_binary: bool):
    points = np.random.default_rng(3).standard_normal((200, 5))
    result = ask(client, regressor, points, is_binary, request_compression_algorithm="gzip", response_compression_algorithm="gzip")
    plain = ask(client, regressor, points, is_binary)
    np.testing.assert_allclose(result.as_numpy("mean"), expected(points)[0], rtol=1e-9, atol=1e-10)
    assert np.array_equal(result.as_numpy("mean"), plain.as_numpy("mean"))


def test_from_eight_threads(server: Server, regressor: str):
    batches = [np.random.default_rng(seed).standard_normal((1 + seed % 4, 5)) for seed in range(32)]

    def one(points: np.ndarray) -> np.ndarray:
        # A client is made for one thread.
        with triton.InferenceServerClient(f"{server.host}:{server.port}") as client:
            return ask(client, regressor, points, True).as_numpy("mean")

    with ThreadPoolExecutor(8) as pool:
        for points, mean in zip(batches, pool.map(one, batches)):
            np.testing.assert_allclose(mean, expected(points)[0], rtol=1e-9, atol=1e-11)


def test_binary_and_json_are_the_same_bit_for_bit(client, regressor: str):
    assert np.array_equal(ask(client, regressor, POINTS, True).as_numpy("mean"), ask(client, regressor, POINTS, False).as_numpy("mean"))


@pytest.mark.parametrize("datatype,kind", [
    ("FP32", np.float32), ("FP16", np.float16), ("INT8", np.int8), ("INT16", np.int16), ("INT32", np.int32), ("INT64", np.int64),
    ("UINT8", np.uint8), ("UINT16", np.uint16), ("UINT32", np.uint32), ("UINT64", np.uint64)])
def test_every_datatype(client, regressor: str, datatype: str, kind):
    points = (np.abs(POINTS) * 9 if datatype.startswith("UINT") else POINTS * 9).astype(kind)
    mean = expected(points.astype(np.float64))[0]
    np.testing.assert_allclose(ask(client, regressor, points, True, datatype).as_numpy("mean"), mean, rtol=1e-9, atol=1e-10)


def test_without_named_outputs_all_but_the_variance_come(client, regressor: str):
    tensor = triton.InferInput("x", [6, 5], "FP64")
    tensor.set_data_from_numpy(POINTS)
    result = client.infer(regressor, [tensor])
    assert [output["name"] for output in result.get_response()["outputs"]] == ["mean"]
    np.testing.assert_allclose(result.as_numpy("mean"), expected(POINTS)[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("labels", [["ham", "späm"] * 20, [3, -4] * 20])
def test_classes(server: Server, client, labels: list):
    model = fitted(server, {"x_train": X.tolist(), "labels": labels})
    plain = json.loads(server.send("POST", f"/v1/regressors/{model}/predictions", JSON, json.dumps({"x": POINTS.tolist()}).encode()).body)
    for is_binary in (True, False):
        tensor = triton.InferInput("x", [6, 5], "FP64")
        tensor.set_data_from_numpy(POINTS, binary_data=is_binary)
        outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("scores", "labels")]
        result = client.infer(model, [tensor], outputs=outputs)
        given = result.as_numpy("labels").tolist()
        assert [label.decode() if isinstance(label, bytes) else label for label in given] == plain["labels"]
        assert np.array_equal(result.as_numpy("scores"), np.array(plain["scores"]))


def tensor(**changes) -> dict:
    return {"name": "x", "shape": [1, 5], "datatype": "FP64", "data": [1, 2, 3, 4, 5]} | changes


@pytest.mark.parametrize("inputs,status", [
    ([tensor()], 200), ([tensor(data=[[1, 2, 3, 4, 5]])], 200), ([tensor(data=[1, 2, 3, 4])], 400), ([tensor(shape=[5])], 422),
    ([tensor(datatype="FP65")], 422), ([tensor(datatype="BYTES")], 422), ([tensor(name="y")], 422), ([tensor(), tensor()], 400), ([], 422),
    ([tensor(shape=[1, -1])], 422), ([tensor(shape=[2**31 - 1] * 9)], 400), ([tensor(data=None)], 400), ([tensor(data=["a"] * 5)], 400),
    ([tensor(parameters={"binary_data_size": 40})], 400), ([tensor(parameters={"shared_memory_region": "a"})], 422), ([7], 422), (None, 422)])
def test_faults_are_told(server: Server, regressor: str, inputs, status: int):
    answer = server.send("POST", f"/v2/models/{regressor}/infer", JSON, json.dumps({"inputs": inputs}).encode())
    assert answer.status == status, answer.body
    if status != 200:
        assert list(json.loads(answer.body)) == ["error"]


@pytest.mark.parametrize("length,size,data,status", [
    (None, 40, 40, 200), (None, 40, 39, 400), (None, 40, 41, 400), (None, 39, 39, 400), ("x", 40, 40, 400), ("+9", 40, 40, 400),
    ("99999999", 40, 40, 400), ("0", 40, 40, 400), ("-1", 40, 40, 400), (None, -40, 40, 422), (None, 2**63, 40, 422)])
def test_binary_tensors_are_checked(server: Server, regressor: str, length, size: int, data: int, status: int):
    request = {"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP64", "parameters": {"binary_data_size": size}}]}
    head, numbers = json.dumps(request).encode(), struct.pack("<5d", 1, 2, 3, 4, 5) + b"\0"
    fields = {"Inference-Header-Content-Length": length or str(len(head))}
    assert server.send("POST", f"/v2/models/{regressor}/infer", fields, head + numbers[:data]).status == status


def test_what_is_not_there(server: Server, regressor: str):
    for path in (f"/v2/models/{'0' * 64}", "/v2/models/x/ready", f"/v2/models/{regressor}/versions/2", "/v2/nothing"):
        answer = server.send("GET", path)
        assert answer.status == 404 and list(json.loads(answer.body)) == ["error"]
    answer = server.send("GET", f"/v2/models/{regressor}/infer")
    assert answer.status == 405 and list(json.loads(answer.body)) == ["error"]
    answer = server.send("POST", f"/v2/models/{regressor}/infer", {"Content-Type": "text/plain"}, b"{}")
    assert answer.status == 415 and list(json.loads(answer.body)) == ["error"]
    for path in ("/v2", "/v2/", f"/v2/models/{regressor}/versions/1", f"/v2/models/{regressor}/versions/1/ready"):
        assert server.send("GET", path).status == 200


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_400(server: Server, regressor: str, value: float):
    request = {"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP64", "parameters": {"binary_data_size": 40}}]}
    head = json.dumps(request).encode()
    fields = {"Inference-Header-Content-Length": str(len(head))}
    answer = server.send("POST", f"/v2/models/{regressor}/infer", fields, head + struct.pack("<5d", 1, value, 3, 4, 5))
    assert answer.status == 400 and list(json.loads(answer.body)) == ["error"], answer.body
    # As MLServer writes them in JSON, and as null.
    for data in (json.dumps([1, value, 3, 4, 5]), "[1, null, 3, 4, 5]"):
        body = b'{"inputs": [{"name": "x", "shape": [1, 5], "datatype": "FP64", "data": ' + data.encode() + b"}]}"
        answer = server.send("POST", f"/v2/models/{regressor}/infer", JSON, body)
        assert answer.status == 400 and list(json.loads(answer.body)) == ["error"], answer.body


# What mlserver 1.7.1 writes: InferenceRequest(inputs=[NumpyCodec.encode_input("x", x)]).model_dump_json(), and the same by
# NumpyRequestCodec.encode_request, which names its tensor input-0; and with all that a client may set.
CODEC = [
    '{"id":null,"parameters":null,"inputs":[{"name":"x","shape":[1,5],"datatype":"FP64","parameters":{"content_type":"np","headers":null},'
    '"data":[1.0,2.0,3.0,4.0,5.0]}],"outputs":null}',
    '{"id":"a","parameters":{"content_type":"np","headers":{"a":"b"}},"inputs":[{"name":"x","shape":[1,5],"datatype":"FP64","parameters":'
    '{"content_type":"np","headers":null,"anything":[1,{"else":null}]},"data":[[1.0,2.0,3.0,4.0,5.0]]}],'
    '"outputs":[{"name":"mean","parameters":{"content_type":"np","headers":null}}]}',
]


@pytest.mark.parametrize("body", CODEC)
def test_mlservers_codec_is_understood(server: Server, regressor: str, body: str):
    answer = server.send("POST", f"/v2/models/{regressor}/infer", JSON, body.encode())
    assert answer.status == 200, answer.body
    output = json.loads(answer.body)["outputs"][0]
    assert (output["name"], output["datatype"], output["shape"]) == ("mean", "FP64", [1, 3])
    np.testing.assert_allclose(np.array(output["data"]).reshape(1, 3), expected(np.array([[1.0, 2, 3, 4, 5]]))[0], rtol=1e-9)


def test_the_repository_index(server: Server, client, regressor: str):
    assert {"name": regressor, "version": "1", "state": "READY", "reason": ""} in client.get_model_repository_index()
    for body, status in ((b"", 200), (b"{}", 200), (b'{"ready": true}', 200), (b'{"ready": null}', 200), (b'{"ready": 1}', 422), (b"[]", 422), (b"x", 400)):
        answer = server.send("POST", "/v2/repository/index", JSON if body else {}, body)
        assert answer.status == status, answer.body
        if status == 200:
            assert {model["name"] for model in json.loads(answer.body)} >= {regressor}


def test_statistics_count_what_was_asked(server: Server, client):
    model = fitted(server, {"x_train": X.tolist(), "y_train": Y[:, 0].tolist()})
    fresh = client.get_inference_statistics(model)["model_stats"]
    assert [(entry["name"], entry["inference_count"], entry["last_inference"]) for entry in fresh] == [(model, 0, 0)]
    for rows in (1, 2):
        ask(client, model, POINTS[:rows], True)
    with pytest.raises(triton.InferenceServerException if hasattr(triton, "InferenceServerException") else Exception):
        ask(client, model, POINTS[:, :4], True)
    (counted,) = client.get_inference_statistics(model, "1")["model_stats"]
    assert counted["inference_count"] == 3 and counted["execution_count"] == 2 and counted["last_inference"] > 1_700_000_000_000
    stats = counted["inference_stats"]
    assert stats["success"]["count"] == 2 and stats["fail"]["count"] == 1
    parts = ("queue", "compute_input", "compute_infer", "compute_output")
    assert all(stats[part]["count"] == 2 for part in parts)
    assert 0 < sum(stats[part]["ns"] for part in parts) <= stats["success"]["ns"]
    assert counted in client.get_inference_statistics()["model_stats"]
    server.send("DELETE", f"/v1/regressors/{model}")
    assert server.send("GET", f"/v2/models/{model}/stats").status == 404
