"""Every method against identities, other methods, and formulas."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import ntk_client as ntk
from ntk_client import Client, DeadlineExceededError, InvalidInputError, NotFoundError, dense, mlp, relu, serial

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


def test_client_travels(client: Client) -> None:
    copy = pickle.loads(pickle.dumps(client))
    assert copy.version() == client.version()
    copy.close()
    assert client.version()["name"] == "ntk-server"


def test_numpy_alone_is_enough() -> None:
    """The package imports without scikit-learn, matplotlib, Dask and torch."""
    code = "import ntk_client, sys; print([m for m in ('sklearn', 'matplotlib', 'dask', 'torch', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
