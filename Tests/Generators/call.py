"""Calls a server with a client that a generator made: call.py GENERATOR DIRECTORY-OF-THE-CLIENT URL. Fails where any call does."""

import importlib
import json
import sys
import urllib.request

MLP = {"type": "mlp", "depth": 1, "activation": "erf", "b_std": 0.1}
KERNEL = {"architecture": MLP}
SERIAL = {"type": "serial", "layers": [{"type": "dense", "width": 2}, {"type": "relu"}, {"type": "dense", "width": 1}]}
NETWORK = {"architecture": SERIAL, "initialization": {"seed": 1}}
TRAIN = {"kernel": KERNEL, "x_train": [[1], [2]], "y_train": [1, 2]}
QUESTION = {"architecture": MLP, "x1": [[1, 0.5], [2, 3]], "kinds": ["ntk", "nngp"]}
REGRESSOR = "the id of the regressor that was made"
# Tag, operation, parameters of the path, and the body with the name of its schema.
CALLS = [
    ("kernels", "compute_kernels", [], "KernelRequest", QUESTION),
    ("predictions", "predict", [], "PredictionRequest", {**TRAIN, "x_test": [[1.5]], "ridge": 0.1, "covariance": "diagonal"}),
    ("predictions", "predict", [], "PredictionRequest",
     {"kernel": KERNEL, "x_train": [[1], [2]], "labels": ["a", "b"], "x_test": [[1.5]], "ridge": 0.1}),
    ("regressors", "create_regressor", [], "RegressorRequest", {**TRAIN, "ridge": 0.1}),
    ("regressors", "predict_with_regressor", [REGRESSOR], "RegressorPredictionRequest", {"x": [[1.5]]}),
    ("regressors", "get_regressor", [REGRESSOR], None, None),
    ("regressors", "list_regressors", [], None, None),
    ("networks", "compute_empirical_kernel", [], "EmpiricalKernelRequest", {"network": NETWORK, "x1": [[1, 2]]}),
    ("networks", "compute_network_outputs", [], "NetworkOutputsRequest", {"network": NETWORK, "x": [[1, 2]]}),
    ("networks", "store_network", [], "Network", NETWORK),
    ("networks", "list_networks", [], None, None),
    ("networks", "measure_convergence", [], "ConvergenceRequest", {"architecture": MLP, "x": [[1], [2]], "widths": [2, 4]}),
    ("dynamics", "training_dynamics", [], "DynamicsRequest", {**TRAIN, "times": [0, 1]}),
    ("dynamics", "kernel_spectrum", [], "SpectrumRequest", {"kernel": KERNEL, "x": [[1], [2]], "y": [1, 2]}),
    ("dynamics", "train_network", [], "TrainingRequest", {"network": NETWORK, "x_train": [[1, 2], [2, 1]], "y_train": [1, 2], "steps": [0, 1]}),
    ("kserve", "infer", [REGRESSOR], "InferenceRequest",
     {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1.5]}]}),
    ("kserve", "get_inference_statistics", [], None, None),
    ("kserve", "get_inference_index", [], None, None),
    ("jobs", "list_jobs", [], None, None),
    ("operations", "get_version", [], None, None),
]  # fmt: skip


def openapi_generator(url):
    """The generator makes a class for each tag, with a method for each operation, which answers a model or throws."""
    package = importlib.import_module("ntk_generated")
    client = package.ApiClient(package.Configuration(host=url))

    def call(tag, operation, parameters, schema, body):
        method = getattr(getattr(package, f"{tag.capitalize()}Api")(client), operation)
        return method(*parameters, *([getattr(package, schema).from_dict(body)] if schema else []))

    return call


def openapi_python_client(url):
    """The generator makes a module for each operation, whose answer has a status and a model."""
    package = importlib.import_module("ntk_server_client")
    models = importlib.import_module("ntk_server_client.models")
    client = package.Client(base_url=url)

    def call(tag, operation, parameters, schema, body):
        module = importlib.import_module(f"ntk_server_client.api.{tag}.{operation}")
        bodies = {"body": getattr(models, schema).from_dict(body)} if schema else {}
        response = module.sync_detailed(*parameters, client=client, **bodies)
        if response.status_code >= 300:
            raise ValueError(f"{int(response.status_code)}: {response.content[:300]}")
        return response.parsed

    return call


def plain(url, path, body):
    """What the server answers to the same question without a client."""
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def value(answer):
    """An answer's JSON: a union's model is wrapped in some clients."""
    answer = getattr(answer, "actual_instance", answer)
    return answer.to_dict() if hasattr(answer, "to_dict") else answer


generator, directory, url = sys.argv[1:]
sys.path.insert(0, directory)
call = {"openapi-generator": openapi_generator, "openapi-python-client": openapi_python_client}[generator](url)
regressor, failures = None, 0
for tag, operation, parameters, schema, body in CALLS:
    try:
        answer = value(call(tag, operation, [regressor if each is REGRESSOR else each for each in parameters], schema, body))
        if answer is None:
            raise ValueError("no model of the answer")
        if operation == "create_regressor":
            regressor = answer["id"]
        if operation == "compute_kernels":
            expected = plain(url, "/v1/kernels", body)
            if any(answer[kind] != expected[kind] for kind in body["kinds"]):
                raise ValueError(f"{answer} in place of {expected}")
    except Exception as error:  # whatever a generated client throws is a failure of this call alone
        failures += 1
        print(f"{generator}: {operation} failed: {type(error).__name__}: {str(error)[:600]}")
print(f"{generator}: {len(CALLS) - failures} of {len(CALLS)} calls answered")
sys.exit(1 if failures else 0)
