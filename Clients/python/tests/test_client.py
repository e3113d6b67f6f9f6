"""Every method against identities, other methods, and formulas."""

from __future__ import annotations

import json
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import ntk_client as ntk
from ntk_client import Client, DeadlineExceededError, InvalidInputError, Network, NotFoundError, dense, mlp, relu, serial

GOLDEN = pathlib.Path(__file__).resolve().parents[3] / "Tests/NTKServiceTests/Golden/pytorch"
RELU = serial(dense(w_std=2**0.5), relu(), dense())


def relu_ntk(x: np.ndarray) -> np.ndarray:
    """The NTK of one hidden relu layer with He's variance (Cho, Saul 2009; Jacot et al. 2018)."""
    norms = np.linalg.norm(x, axis=1)
    cosine = np.clip(x @ x.T / np.outer(norms, norms), -1, 1)
    angle = np.arccos(cosine)
    scale = np.outer(norms, norms) / x.shape[1]
    nngp = scale * (np.sin(angle) + (np.pi - angle) * cosine) / np.pi
    return nngp + scale * cosine * (np.pi - angle) / np.pi


def test_kernel_is_the_closed_form(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 4))
    kernel = client.kernel(RELU, x)
    np.testing.assert_allclose(kernel, relu_ntk(x), rtol=1e-6, atol=1e-9)
    assert np.array_equal(kernel, kernel.T)


def test_forms_of_a_kernel_agree(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(30, 5))
    both = client.kernels(RELU, x)
    assert np.array_equal(both.ntk, client.kernel(RELU, x))
    assert np.array_equal(both.nngp, client.kernel(RELU, x, kind="nngp"))
    across = client.kernel(RELU, x, x[:7])
    others = ~np.eye(30, 7, dtype=bool)
    assert np.array_equal(both.ntk[:, :7][others], across[others])
    np.testing.assert_allclose(both.ntk[:, :7], across, rtol=1e-14)
    assert np.array_equal(np.diagonal(both.ntk), client.kernel(RELU, x, diagonal=True))
    single = client.kernel(RELU, x, precision="float32")
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, both.ntk, rtol=1e-5, atol=1e-5)
    assert client.kernels(RELU, x, kinds=["nngp"]).ntk is None


def test_the_error_estimate_stands_beside_the_pair(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3))
    assert client.kernels(RELU, x).error_estimate is None
    numerical = client.kernels(mlp(depth=1, activation="tanh"), x)
    _, nngp = numerical
    assert np.array_equal(nngp, client.kernel(mlp(depth=1, activation="tanh"), x, kind="nngp"))
    assert numerical.error_estimate is not None
    assert 0 < numerical.error_estimate < 1e-6
    assert pickle.loads(pickle.dumps(numerical)).error_estimate == numerical.error_estimate


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f8", "i4", "i8", "u1", "?"])
def test_any_type_of_number(client: Client, rng: np.random.Generator, dtype: str) -> None:
    x = rng.integers(0, 2, size=(6, 3)) + (0.5 if "f" in dtype else 0)
    expected = client.kernel(RELU, x.astype(float) + 0.0)
    for form in (x.astype(dtype), np.asfortranarray(x.astype(dtype)), x.astype(dtype)[::1]):
        assert np.array_equal(client.kernel(RELU, form), expected, equal_nan=True)


def test_images_graphs_and_masks(client: Client, rng: np.random.Generator) -> None:
    cnn = serial(ntk.conv(filter_shape=(3, 3), padding="same"), relu(), ntk.global_avg_pool(), dense())
    images = rng.normal(size=(3, 4, 4, 2))
    first = np.moveaxis(images, -1, 1)
    assert np.array_equal(client.kernel(cnn, images), client.kernel(cnn, first, data_format="channels_first"))
    masked = images.copy()
    masked[0, 0, 0] = np.nan
    assert not np.array_equal(client.kernel(cnn, masked), client.kernel(cnn, images))
    graph = serial(ntk.aggregate(), dense(), relu(), ntk.global_sum_pool(), dense())
    nodes, edges = rng.normal(size=(2, 3, 2)), np.array([[[0, 1], [1, 0]], [[1, 2], [2, 1]]])
    adjacency = np.zeros((2, 3, 3))
    for one, pairs in enumerate(edges):
        adjacency[one][tuple(pairs.T)] = 1
    by_matrix = client.kernel(graph, nodes, pattern1=adjacency)
    np.testing.assert_allclose(client.kernel(graph, nodes, pattern1={"edges": edges}), by_matrix, rtol=1e-12)


def test_masks_of_numpy_are_not_lost(client: Client, rng: np.random.Generator) -> None:
    cnn = serial(ntk.conv(filter_shape=(3, 3), padding="same"), relu(), ntk.global_avg_pool(), dense())
    images = rng.normal(size=(3, 4, 4, 2))
    filled = images.copy()
    filled[0, 1, 2] = np.nan
    masked = np.ma.masked_invalid(filled)
    assert np.array_equal(client.kernel(cnn, masked), client.kernel(cnn, filled))
    assert np.array_equal(client.kernel(cnn, list(masked)), client.kernel(cnn, filled))
    for dtype in (np.int64, np.float32):
        whole = np.round(filled * 4)
        typed = np.ma.array(np.nan_to_num(whole).astype(dtype), mask=np.isnan(whole))
        assert np.array_equal(client.kernel(cnn, typed), client.kernel(cnn, whole))
    assert np.array_equal(client.kernel(cnn, np.ma.array(images)), client.kernel(cnn, images))
    # Targets, labels and parameters have no masked entries.
    x, y = rng.normal(size=(3, 2)), np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    with pytest.raises(InvalidInputError, match="y_train"):
        client.predict(RELU, x, y, x, ridge=0.1)
    with pytest.raises(ValueError, match="masked"):
        client.predict(RELU, x, labels=np.ma.array(["a", "b", "a"], mask=[True, False, False]), x_test=x, ridge=0.1)


def test_every_builder_is_known_to_the_server(client: Client) -> None:
    layers = [
        ntk.leaky_relu(0.1), ntk.ab_relu(-0.5, 1), ntk.erf(1, 2, 0.5), ntk.gelu(), ntk.sin(), ntk.cos(b=2), ntk.rbf(0.5), ntk.tanh(),
        ntk.sigmoid(), ntk.softplus(), ntk.swish(), ntk.elu(), ntk.selu(), ntk.mish(), ntk.polynomial(0, 1, 0.5),
        ntk.elementwise("x*tanh(x)"), ntk.layer("abs"), ntk.layer("hermite", degree=2),
    ]  # fmt: skip
    x = [[1.0, 0.5], [-0.25, 2.0]]
    for one in layers:
        assert client.kernel(serial(dense(b_std=0.1), one, dense()), x).shape == (2, 2), one
    branches = serial(
        dense(), ntk.fan_out(2), ntk.parallel(serial(relu(), dense()), ntk.identity()), ntk.fan_in_sum(), relu(), dense(trainable=False)
    )
    residual = serial(dense(), ntk.residual(relu(), dense()), relu(), dense(trainable=False))
    assert np.array_equal(client.kernel(branches, x), client.kernel(residual, x))
    repeated = serial(dense(), ntk.repeat(serial(relu(), dense()), 2))
    np.testing.assert_allclose(client.kernel(repeated, x), client.kernel(mlp(2), x), rtol=1e-13)
    images = np.ones((2, 4, 4, 1))
    spatial = [
        ntk.conv_local(filter_shape=(2, 2)), ntk.conv_transpose(filter_shape=(2, 2), strides=(2, 2)),
        serial(ntk.conv(), ntk.avg_pool((2, 2), strides=(2, 2))), serial(ntk.conv(), ntk.sum_pool((2, 2))),
        serial(ntk.conv(), relu(), ntk.conv(padding="same"), ntk.layer_norm()),
        ntk.global_self_attention(heads=2, positional_embedding="sum"),
    ]  # fmt: skip
    for one in spatial:
        assert client.kernel(serial(one, ntk.flatten(), dense()), images).shape == (2, 2), one


def test_defaults_of_scales() -> None:
    given = serial(dense(w_std=3), ntk.residual(relu(), dense()), ntk.repeat(dense(b_std=0.5), 2))
    filled = ntk.with_defaults(given, w_std=2, b_std=0.1)
    assert filled["layers"][0] == {"type": "dense", "w_std": 3, "b_std": 0.1}
    assert filled["layers"][1]["layers"] == [relu(), {"type": "dense", "w_std": 2, "b_std": 0.1}]
    assert filled["layers"][2]["layer"] == {"type": "dense", "b_std": 0.5, "w_std": 2}
    assert given == serial(dense(w_std=3), ntk.residual(relu(), dense()), ntk.repeat(dense(b_std=0.5), 2))


def test_estimate_costs_nothing(client: Client) -> None:
    estimate = client.estimate("kernels", architecture=RELU, x1=np.ones((50, 3)))
    assert estimate.flops > 0
    assert estimate.peak_bytes >= 50 * 50 * 8


def test_errors_point_into_the_request(client: Client) -> None:
    with pytest.raises(InvalidInputError) as caught:
        client.kernel(serial(dense(), relu(), relu()), [[1.0]])
    assert caught.value.status == 422
    assert caught.value.type == "/problems/invalid-input"
    assert caught.value.errors[0].pointer == "/architecture/layers/2"
    assert caught.value.request_id in str(caught.value)
    assert isinstance(caught.value, ValueError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is InvalidInputError
    assert copy.errors == caught.value.errors
    with pytest.raises(NotFoundError):
        client.regressor("0" * 64)
    with pytest.raises(ValueError, match="either y_train"):
        client.predict(RELU, [[1.0]], None, [[1.0]])
    with pytest.raises(TypeError, match="real numbers"):
        client.kernel(RELU, np.ones((2, 2)) * 1j)


def test_deadline(client: Client, rng: np.random.Generator) -> None:
    with pytest.raises(DeadlineExceededError):
        client.kernel(mlp(3), rng.normal(size=(6000, 200)), timeout=0.05)


def test_stored_networks(client: Client, rng: np.random.Generator) -> None:
    network = Network.drawn(serial(dense(8, b_std=0.1), ntk.tanh(), dense(2)), seed=3, input_shape=(4,))
    stored = client.store_network(network)
    assert client.network(stored.id).description == stored.description
    assert stored.id in {one.id for one in client.networks()}
    x = rng.normal(size=(5, 4))
    assert np.array_equal(client.outputs(stored, x), client.outputs(network, x))
    client.delete_network(stored)
    with pytest.raises(NotFoundError):
        client.network(stored.id)


def test_gradients_as_features(client: Client, rng: np.random.Generator) -> None:
    network = Network.drawn(serial(dense(8, b_std=0.1), ntk.tanh(), dense(2)), seed=3)
    x = rng.normal(size=(5, 4))
    kernel = client.empirical_kernels(network, x, outputs=[1]).ntk
    assert kernel is not None
    gradients = client.gradient_features(network, x, outputs=[1], projection="none")
    np.testing.assert_allclose(gradients @ gradients.T, kernel[..., 0, 0], rtol=1e-10)
    features = client.gradient_features(network, x, outputs=[1], dimension=20000, seed=1, precision="float32")
    assert features.shape == (5, 20000)
    assert features.dtype == np.float32
    sizes = np.sqrt(np.diag(kernel[..., 0, 0]))
    assert np.abs(features @ features.T - kernel[..., 0, 0]).max() < 0.08 * sizes.max() ** 2


def test_empirical_kernel_is_that_of_the_jacobian(client: Client, rng: np.random.Generator) -> None:
    w0, b0, w1 = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(2, 6))
    network = Network.from_state_dict(serial(dense(6), ntk.tanh(), dense(2)), {"0.weight": w0, "0.bias": b0, "2.weight": w1})
    x = rng.normal(size=(4, 3))
    hidden = np.tanh(x @ w0.T + b0)
    np.testing.assert_allclose(client.outputs(network, x), hidden @ w1.T, rtol=1e-12)
    slope = 1 - hidden**2
    back = np.einsum("oh,nh->noh", w1, slope)
    inner = np.einsum("noh,mph->nmop", back, back)
    expected = {
        "0.weight": inner * (x @ x.T)[..., None, None],
        "0.bias": inner,
        "2.weight": (hidden @ hidden.T)[..., None, None] * np.eye(2),
    }
    answer = client.empirical_kernels(network, x, outputs="full", layerwise=True)
    np.testing.assert_allclose(answer.ntk, sum(expected.values()), rtol=1e-11, atol=1e-12)
    assert answer.layerwise is not None
    assert answer.layerwise.keys() == expected.keys()
    for name, share in expected.items():
        np.testing.assert_allclose(answer.layerwise[name], share, rtol=1e-11, atol=1e-12)
    frozen = client.empirical_kernels(network, x, outputs="full", include=["2.*"])
    np.testing.assert_allclose(frozen.ntk, expected["2.weight"], rtol=1e-11, atol=1e-12)
    mean = client.empirical_kernels(network, x)
    np.testing.assert_allclose(mean.ntk, np.trace(answer.ntk, axis1=2, axis2=3) / 2, rtol=1e-11)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_network_that_pytorch_trained(client: Client, name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    described = golden["network"]
    network = Network.from_state_dict(
        described["architecture"], GOLDEN / f"{name}.safetensors", input_shape=tuple(described["input_shape"])
    )
    x = np.array(golden["x"])
    np.testing.assert_allclose(client.outputs(network, x), golden["outputs"], rtol=1e-10, atol=1e-10)
    full = client.empirical_kernels(network, x, outputs="full").ntk
    np.testing.assert_allclose(full, golden["full"], rtol=1e-9, atol=1e-9 * np.abs(golden["full"]).max())


def test_state_dict_of_npz(client: Client, rng: np.random.Generator, tmp_path: pathlib.Path) -> None:
    parameters = {"0.weight": rng.normal(size=(3, 2)).astype("f4"), "2.weight": rng.normal(size=(1, 3)).astype("f4")}
    np.savez(tmp_path / "model.npz", **parameters)
    architecture = serial(dense(3), relu(), dense(1))
    x = rng.normal(size=(4, 2))
    from_file = client.outputs(Network.from_state_dict(architecture, tmp_path / "model.npz"), x)
    assert np.array_equal(from_file, client.outputs(Network.from_state_dict(architecture, parameters), x))


def test_predictions_are_the_formula(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(25, 3)), rng.normal(size=(25, 2)), rng.normal(size=(6, 3))
    system = client.kernel(RELU, x) + 0.1 * np.eye(25)
    across, own = client.kernel(RELU, at, x), client.kernel(RELU, at)
    prediction = client.predict(RELU, x, y, at, ridge=0.1, covariance="full")
    np.testing.assert_allclose(prediction.mean, across @ np.linalg.solve(system, y), rtol=1e-10)
    covariance = own - across @ np.linalg.solve(system, across.T)
    np.testing.assert_allclose(prediction.covariance, covariance, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(prediction.std, np.sqrt(np.diagonal(covariance)), rtol=1e-9)
    given = ntk.kernel_matrices(client.kernel(RELU, x), across)
    np.testing.assert_allclose(client.predict(given, None, y, ridge=0.1).mean, prediction.mean, rtol=1e-10)
    nngp = client.predict(ntk.kernel_of(RELU, "nngp"), x, y, at, ridge=0.1)
    assert not np.allclose(nngp.mean, prediction.mean)


def test_classification(client: Client, rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 2))
    labels = np.where(x[:, 0] > 0, "right", "left")
    prediction = client.predict(RELU, x, labels=labels, x_test=x, ridge=1e-4)
    assert np.array_equal(prediction.labels, labels)
    assert prediction.classes.tolist() == ["left", "right"]
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1)


def test_regressors(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(15, 3)), rng.normal(size=15), rng.normal(size=(4, 3))
    regressor = client.fit(RELU, x, y, ridge={"select": "leave_one_out"})
    assert client.fit(RELU, x, y, ridge={"select": "leave_one_out"}).id == regressor.id
    stateless = client.predict(RELU, x, y, at, ridge={"select": "leave_one_out"}, covariance="diagonal")
    kept = client.regressor(regressor.id).predict(at, covariance="diagonal")
    assert np.array_equal(kept.mean, stateless.mean)
    np.testing.assert_allclose(kept.variance, stateless.variance, rtol=1e-10)
    assert regressor.diagnostics["ridge"] == stateless.diagnostics["ridge"]
    assert regressor.id in {one.id for one in client.regressors()}
    regressor.delete()
    with pytest.raises(NotFoundError):
        regressor.predict(at)


def test_more_regressors_than_a_page(client: Client) -> None:
    ids = {client.fit(RELU, [[1.0, value]], [value], ridge=0.1).id for value in range(103)}
    assert ids <= {one.id for one in client.regressors()}
    for one in ids:
        client.regressor(one).delete()


def test_dynamics_end_at_the_prediction(client: Client, rng: np.random.Generator) -> None:
    x, y, at = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=(3, 3))
    run = client.dynamics(RELU, x, y, [0, 1, 1e9], at, y_test=np.zeros(3), covariance="diagonal", target_loss=1e-3)
    assert run.mean.shape == (3, 3)
    assert np.all(run.mean[0] == 0)
    np.testing.assert_allclose(run.mean[-1], client.predict(RELU, x, y, at).mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(run.train_loss[0], np.mean(y**2) / 2)
    np.testing.assert_allclose(run.test_loss, np.mean(run.mean**2, axis=1) / 2)
    assert run.time_to_loss > 0
    started = client.dynamics(RELU, x, y, [0], at, initial_outputs={"train": y, "test": np.ones(3)})
    assert np.array_equal(started.train_mean[0], y)
    assert np.array_equal(started.mean[0], np.ones(3))
    descent = client.dynamics(RELU, x, y, np.array([3]), optimizer={"type": "gradient_descent", "learning_rate": 0.1})
    step = np.eye(8) - 0.1 * client.kernel(RELU, x) / 8
    np.testing.assert_allclose(descent.train_mean[0], y - np.linalg.matrix_power(step, 3) @ y, rtol=1e-10)


def test_spectrum(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    kernel = client.kernel(RELU, x)
    result = client.spectrum(RELU, x, y, ridge=0.1, sample_sizes=[3, 6])
    np.testing.assert_allclose(result.eigenvalues, np.linalg.eigvalsh(kernel)[::-1], rtol=1e-9)
    np.testing.assert_allclose(result.rkhs_norm, np.sqrt(y @ np.linalg.solve(kernel, y)), rtol=1e-8)
    np.testing.assert_allclose(result.effective_dimension, np.trace(np.linalg.solve(kernel + 0.1 * np.eye(12), kernel)), rtol=1e-9)
    assert [one.samples for one in result.eigenlearning] == [3, 6]
    assert result.eigenlearning[0].learnability.shape == (12,)
    merged = client.spectrum(RELU, np.concatenate([x, x[:2]]))
    assert merged.rank == 12
    assert merged.coefficients is None


def test_training_of_a_wide_network_is_lazy(client: Client, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(6, 3)), rng.normal(size=6)

    def drift(width: int) -> float:
        architecture = serial(dense(width, parameterization="ntk"), ntk.tanh(), dense(1, parameterization="ntk"))
        network = Network.drawn(architecture, seed=1)
        run = client.train(network, x, y, [0, 5, 20])
        assert run.kernel_drift[0] == 0
        assert run.train_loss[-1] < run.train_loss[0]
        assert run.train_outputs.shape == (3, 6)
        return float(run.kernel_drift[-1])

    assert drift(2048) < drift(16) / 3


def test_convergence(client: Client, rng: np.random.Generator) -> None:
    result = client.convergence(mlp(1, b_std=0.1), rng.normal(size=(4, 3)), [16, 256], samples=16)
    assert [one.width for one in result.widths] == [16, 256]
    assert result.widths[0].mean > result.widths[1].mean
    assert -1 < result.rate < -0.2


def test_client_travels(client: Client) -> None:
    copy = pickle.loads(pickle.dumps(client))
    assert copy.version() == client.version()
    copy.close()
    assert client.version()["name"] == "ntk-server"


def test_numpy_alone_is_enough() -> None:
    """The package imports without scikit-learn, matplotlib, Dask and torch."""
    code = "import ntk_client, sys; print([m for m in ('sklearn', 'matplotlib', 'dask', 'torch', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
