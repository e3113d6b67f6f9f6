"""The part of the corpus that makes things and asks for them: networks, regressors, jobs, lists, the Open Inference Protocol, conditions, and targets."""
import json
import struct
from dataclasses import replace

import numpy

from forms import JSON, Request, get, multipart, npy, npz, post
from work import COMPUTING, DOCUMENT, example, examples

ABSENT = "0" * 64
LIMITS = ["0", "1", "2", "1000", "1001", "-1", "+5", "%2B5", "5.0", "1e2", "", "%20 5", "05", "99999999999999999999", "five"]
ARCHITECTURE = {"type": "mlp", "depth": 1, "b_std": 0.1}


def delete(name: str, target: str, **fields: str) -> Request:
    return replace(get(name, target, **fields), method="DELETE")


def lists(path: str, cursor: str) -> list[Request]:
    requests = [get(f"list {path}", path)]
    requests += [get(f"list {path} limit={limit}", f"{path}?limit={limit}") for limit in LIMITS]
    first = get(f"list {path} first", f"{path}?limit=2")
    first.captures = {cursor: "next"}
    requests += [first, get(f"list {path} next", f"{path}?limit=2&after=<<{cursor}>>"), get(f"list {path} after nothing", f"{path}?after=nothing")]
    requests += [get(f"list {path} {query}", f"{path}?{query}") for query in (
        "after=", "limit=1&limit=2", "after=<<" + cursor + ">>&after=x", "limit", "estimate_only=true", "format=json", "status=running", "more=1", "limit=1&&", "%6Cimit=1", "limit=%zz")]
    requests.append(replace(get(f"head {path}", path), method="HEAD"))
    return requests + [get(f"list {path} if none match", path, If_None_Match="*")]


def networks() -> list[Request]:
    requests = []
    for seed in range(5):
        layers = [{"type": "dense", "width": 5, "b_std": 0.1}, {"type": "tanh"}, {"type": "dense", "width": 2}]
        made = post(f"network {seed}", "/v1/networks", {"architecture": {"type": "serial", "layers": layers}, "initialization": {"seed": seed}, "input_shape": [3]})
        made.captures = {f"network {seed}": "id"}
        requests += [made, replace(made, name=f"network {seed} again", captures={})]
    own = "/v1/networks/<<network 0>>"
    requests += [get("network", own), get("network, if none match", own, If_None_Match="*"), get("network, if match", own, If_Match='"other"'), get("no network", f"/v1/networks/net_{ABSENT}"),
                 get("network of a bad id", "/v1/networks/x"), get("network with a query", own + "?limit=1"), replace(get("network head", own), method="HEAD")]
    points = [[1, 2, 3], [0, 1, 0], [-1, 0.5, 2]]
    for outputs in ("mean", "sum", "diagonal", "full", [1], [2], []):
        requests.append(post(f"stored network's kernel {outputs}", "/v1/empirical-kernels", {"network": "<<network 1>>", "x1": points, "outputs": outputs, "layerwise": outputs == "sum"}))
    for include in (["0.*"], ["*.bias"], ["none"], []):
        requests.append(post(f"stored network's kernel of {include}", "/v1/empirical-kernels", {"network": "<<network 1>>", "x1": points, "include": include}))
    requests += [post("stored network's outputs", "/v1/network-outputs", {"network": "<<network 2>>", "x": points}),
                 post("no network's outputs", "/v1/network-outputs", {"network": f"net_{ABSENT}", "x": points}),
                 post("stored network's outputs, npy", "/v1/network-outputs?format=npy", {"network": "<<network 2>>", "x": points}),
                 post("stored network's prediction", "/v1/predictions", {"kernel": {"network": "<<network 3>>"}, "x_train": points, "y_train": [[1, 0], [0, 1], [1, 1]], "x_test": [[1, 1, 1]], "ridge": 0.1, "covariance": "diagonal"})]
    requests += lists("/v1/networks", "after network")
    requests += [post("networks, a query of lists", "/v1/networks?limit=abc", {}), post("networks, limit", "/v1/networks?limit=1", example("/v1/networks"))]
    return requests + [delete("network deleted if", "/v1/networks/<<network 4>>", If_Match='"other"'), delete("network deleted", "/v1/networks/<<network 4>>"),
                       delete("network deleted again", "/v1/networks/<<network 4>>"), get("network that is gone", "/v1/networks/<<network 4>>")]


def regressors() -> list[Request]:
    x = [[0.5, 1], [-1, 2], [0.25, -3], [2, 2]]
    fits = {
        "vector": {"y_train": [1, -1, 0.5, 2]}, "columns": {"y_train": [[1, 0], [0, 1], [2, 1], [1, 1]]}, "labels": {"labels": ["cat", "dog", "cat", "bird"]},
        "integers": {"labels": [3, 1, 3, 1]}, "iterative": {"y_train": [1, -1, 0.5, 2], "solver": "conjugate_gradient", "ridge": 0.1}, "singular": {"y_train": [1, 2, 3, 4], "x_train": [[1, 1]] * 4, "ridge": 0},
    }
    requests = []
    for name, fit in fits.items():
        body = {"kernel": {"architecture": ARCHITECTURE}, "x_train": x, "ridge": 0.01} | fit
        made = post(f"regressor {name}", "/v1/regressors", body)
        made.captures = {name: "id"}
        requests += [post(f"regressor {name} estimate", "/v1/regressors?estimate_only=true", body), made, replace(made, name=f"regressor {name} again", captures={})]
        if name == "singular":
            continue
        own = f"/v1/regressors/<<{name}>>"
        requests.append(get(f"regressor {name} shown", own))
        for covariance in ("none", "diagonal", "full", "some"):
            requests.append(post(f"regressor {name} {covariance}", own + "/predictions", {"x": [[0, 1], [1, 1]], "covariance": covariance}))
        requests += [post(f"regressor {name} {form}", f"{own}/predictions?format={form}", {"x": [[0, 1]]}) for form in ("json", "npz", "npy")]
        requests += [post(f"regressor {name} from npy", own + "/predictions", npy([[0, 1], [2, 1]]), Content_Type="application/x-npy"),
                     post(f"regressor {name} from npz", own + "/predictions", npz({"x": [[0, 1]]}), Content_Type="application/x-npz"),
                     post(f"regressor {name} estimate of a prediction", own + "/predictions?estimate_only=true", {"x": [[0, 1]]}),
                     post(f"regressor {name} wrong points", own + "/predictions", {"x": [[0, 1, 2]]}), post(f"regressor {name} no points", own + "/predictions", {})]
        kind, body = multipart(("x", None, npy([[1, 2]])))
        requests.append(post(f"regressor {name} from parts", own + "/predictions", body, Content_Type=kind))
        requests += inferences(name)
    own = "/v1/regressors/<<vector>>"
    requests += [get("regressor, if none match", own, If_None_Match="*"), get("regressor, if match", own, If_Match='"other"'), get("no regressor", f"/v1/regressors/{ABSENT}"), get("regressor of a bad id", "/v1/regressors/x"),
                 post("no regressor's prediction", f"/v1/regressors/{ABSENT}/predictions", {"x": [[1]]}), get("regressor, its predictions got", own + "/predictions"), get("regressor with a query", own + "?estimate_only=true")]
    requests += lists("/v1/regressors", "after regressor")
    requests += [post(f"regressors?{query}", f"/v1/regressors?{query}", example("/v1/regressors")) for query in ("limit=abc", "limit=1", "format=json", "estimate_only=maybe", "estimate_only=true&estimate_only=false", "after=x")]
    requests += [get(f"protocol {path or '/'}", f"/v2{path}") for path in ("", "/", "/health/live", "/health/ready", "/models/stats", "/models/x", f"/models/{ABSENT}", f"/models/{ABSENT}/ready", "/health", "/models", "?x=1")]
    requests += [post(f"protocol index {body}", "/v2/repository/index", body) for body in ("", "{}", '{"ready":true}', '{"ready":1}', "x")]
    return requests + [delete("regressor deleted if", "/v1/regressors/<<integers>>", If_Match='"other"'), delete("regressor deleted", "/v1/regressors/<<integers>>"),
                       delete("regressor deleted again", "/v1/regressors/<<integers>>"), get("regressor that is gone", "/v1/regressors/<<integers>>")]


def inferences(name: str) -> list[Request]:
    """Of one regressor by the Open Inference Protocol."""
    model = f"/v2/models/<<{name}>>"
    tensor = {"name": "x", "datatype": "FP64", "shape": [2, 2]}
    sound = {"id": "7", "inputs": [tensor | {"data": [0, 1, 1, 1]}]}
    binary = tensor | {"datatype": "FP32", "parameters": {"binary_data_size": 16}}
    head = json.dumps({"inputs": [binary], "outputs": [{"name": "mean", "parameters": {"binary_data": True}}]}).encode()
    octets = {"Content_Type": "application/octet-stream", "Inference_Header_Content_Length": str(len(head))}
    bodies = {
        "sound": sound, "nested": {"inputs": [tensor | {"data": [[0, 1], [1, 1]]}]}, "binary out": sound | {"parameters": {"binary_data_output": True}}, "outputs": sound | {"outputs": [{"name": "variance"}]},
        "no such output": sound | {"outputs": [{"name": "none"}]}, "output twice": sound | {"outputs": [{"name": "mean"}] * 2}, "no inputs": {}, "input twice": {"inputs": sound["inputs"] * 2},
        "wrong shape": {"inputs": [tensor | {"data": [1]}]}, "wrong type": {"inputs": [tensor | {"datatype": "FP1", "data": [1]}]}, "timeout": sound | {"parameters": {"timeout": 60_000_000}},
    }
    requests = [get(f"protocol {name} {path or 'model'}", model + path) for path in ("", "/ready", "/versions/1", "/versions/2", "/versions/1/ready", "/stats", "/versions/1/stats")]
    requests += [post(f"protocol {name} {kind}", model + "/infer", body) for kind, body in bodies.items()]
    return requests + [post(f"protocol {name} version", model + "/versions/1/infer", sound), post(f"protocol {name} binary", model + "/infer", head + numpy.array([0, 1, 1, 1], "<f4").tobytes(), **octets),
                       post(f"protocol {name} too short", model + "/infer", head + struct.pack("<f", 1), **octets), Request(f"protocol {name} no type", "POST", model + "/infer", [], json.dumps(sound).encode())]


def jobs() -> list[Request]:
    requests = []
    works = [(path, example(f"/v1/{path}"), "") for path in COMPUTING] + [
        ("regressors", example("/v1/regressors"), ""), ("kernels", example("/v1/kernels") | {"kinds": ["ntk", "nngp"]}, "?format=npz"),
        ("regressors/<<vector>>/predictions", {"x": [[0.5, 0.5]]}, ""), (f"regressors/{ABSENT}/predictions", {"x": [[0.5, 0.5]]}, ""), ("predictions", {"kernel": {"architecture": ARCHITECTURE}, "x_train": [[1, 1]] * 2, "y_train": [1, 2], "x_test": [[1, 1]], "ridge": 0}, ""),
        ("kernels", {"architecture": {"type": "dense", "w_std": 1e300}, "x1": [[1e300]]}, "")]
    for number, (path, body, query) in enumerate(works):
        own = f"/v1/jobs/<<job {number}>>"
        made = post(f"job {number}: {path}", f"/v1/{path}{query}", body, Prefer="respond-async", Idempotency_Key=f'"job {number}"')
        made.captures = {f"job {number}": "id"}
        requests += [made, replace(get(f"job {number} ended", own), until_ended=True), get(f"job {number} events", own + "/events"), replace(made, name=f"job {number} again", captures={})]
        requests += [get(f"job {number} result {form}", f"{own}/result{form}") for form in ("", "?format=json", "?format=npz", "?format=npy", "?format=xml", "?estimate_only=true")]
    own = "/v1/jobs/<<job 0>>"
    requests += [get(f"job's range {field}", own + "/result?format=npy", Range=field) for field in ("bytes=0-9", "bytes=-5", "bytes=5-", "bytes=100000-", "rows=1-2", "bytes=0-1,4-5")]
    requests += [get("job's result, if none match", own + "/result", If_None_Match="*"), get("job's result, if match", own + "/result", If_Match='"other"'), get("job's result, accept", own + "/result", Accept="application/x-npz"),
                 replace(get("job's result, head", own + "/result"), method="HEAD"), get("job's events, last", own + "/events", Last_Event_ID="99-99"), get("no job", f"/v1/jobs/job_{ABSENT}"),
                 get("no job's result", f"/v1/jobs/job_{ABSENT}/result"), get("no job's events", f"/v1/jobs/job_{ABSENT}/events"), get("job of a bad id", "/v1/jobs/x"), get("job with a query", own + "?format=json"),
                 post("job whose key is another's", "/v1/kernels", example("/v1/kernels"), Prefer="respond-async", Idempotency_Key='"job 1"'), post("job of nonsense", "/v1/kernels", {"x1": 1}, Prefer="respond-async", Idempotency_Key="nonsense"),
                 post("job's estimate", "/v1/kernels?estimate_only=true", example("/v1/kernels"), Prefer="respond-async"), post("network, async", "/v1/networks", example("/v1/networks"), Prefer="respond-async"),
                 post("inference, async", "/v2/models/<<vector>>/infer", {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [0, 1]}]}, Prefer="respond-async")]
    requests += lists("/v1/jobs", "after job") + [get(f"jobs of {status}", f"/v1/jobs?status={status}") for status in ("succeeded", "failed", "cancelled", "queued", "done", "")]
    return requests + [delete("job deleted", own), delete("job deleted again", own), get("job that is gone", own)]


def again() -> list[Request]:
    """Keys of requests, fields that may come once, deadlines, and identities."""
    body = example("/v1/kernels")
    keyed = post("key", "/v1/kernels", body, Idempotency_Key='"a"')
    requests = [keyed, replace(keyed, name="key again"), replace(keyed, name="key of another body", body=b"{}"), replace(keyed, name="key elsewhere", target="/v1/spectra"), replace(keyed, name="key with a query", target="/v1/kernels?format=json")]
    requests += [post(f"key {key[:9]}", "/v1/kernels", body, Idempotency_Key=key) for key in ('""', "", "a" * 256, '"b', "c d", 'd"e')]
    requests += [post(f"deadline {seconds}", "/v1/kernels", body, Request_Timeout=seconds) for seconds in ("60", "0", "-1", "1e3", "soon", "1e-9", "")]
    requests += [post(f"identity {name[:20]!r}", "/v1/kernels", body, X_Request_Id=name) for name in ("chosen", "with a space", "a" * 129, "")]
    for name, value in (("Content-Type", JSON), ("Request-Timeout", "60"), ("Idempotency-Key", "z"), ("X-Request-Id", "z"), ("Range", "bytes=0-1"), ("Last-Event-ID", "1-1"), ("Accept", "*/*"), ("Prefer", "wait=1")):
        twice = post(f"field twice {name}", "/v1/kernels", body)
        twice.headers = [(name, value), (name, value)] + [pair for pair in twice.headers if pair[0] != name]
        requests.append(twice)
    return requests


def targets() -> list[Request]:
    """Every method on every path, and paths and queries that are none."""
    requests = []
    for path in DOCUMENT["paths"]:
        real = path.replace("{file}", "main.js").replace("{version}", "1").replace("{id}", "<<vector>>")
        is_document = real in ("/", "/docs", "/openapi.yaml", "/openapi.json") or real.startswith("/page")
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if method == "DELETE" and "<<" in real:
                continue
            requests.append(Request(f"{method} {path}", method, real, [], b"", is_document=is_document and method in ("GET", "HEAD")))
        requests += [Request(f"{method} {path}?{query}", method, f"{real}?{query}", [("Content-Type", JSON)], b"{}" if method == "POST" else b"", is_document=is_document)
                     for method in ("GET", "POST") for query in ("unknown=1", "format=json", "estimate_only=true", "limit=1", "after=x", "status=failed")]
    for path in ("/nothing", "/v1", "/v1/", "/v1/kernels/", "/V1/kernels", "/v1/%6bernels", "/v1/kernels%2f", "/v1/regressors//predictions", "/v1/regressors/a/b/c", "/page/none", "/page/../etc", "/problems", "/problems/none", "/%", "/%ff", "//", "/v1/layers/x", "/v3"):
        requests += [get(f"path {path}", path), post(f"path {path} posted", path, {})]
    options = Request("OPTIONS *", "OPTIONS", "*")
    return requests + [options] + [get(f"accept {accept} of {path}", path, Accept=accept) for path in ("/livez", "/version", "/v1/networks", "/metrics", "/docs", "/v2") for accept in ("text/plain", "*/*", "application/json;q=0")]


def described_below(known: str = "<<vector>>") -> list[Request]:
    """The examples of the document whose path has a regressor's id."""
    return [post(f"document: {case.name}", case.target.replace("{id}", known).replace("{version}", "1"), case.body or b"", Content_Type=case.headers.get("Content-Type", JSON))
            for case in examples.paired_cases(DOCUMENT) if "{id}" in case.target and case.method == "POST"]
