import numpy as np
import pytest

from levels import LEVELS, Loops, compile_level, is_there


@pytest.fixture(scope="session", params=LEVELS)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    level, adders = LEVELS[request.param]
    if not is_there(level):
        pytest.skip(f"this machine has no {request.param}")
    return compile_level(tmp_path_factory.mktemp("loops"), level, adders)


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def loops(library, request: pytest.FixtureRequest) -> Loops:
    return Loops(library, np.dtype(request.param))


@pytest.fixture
def loops64(library) -> Loops:
    return Loops(library, np.dtype(np.float64))


@pytest.fixture
def random(request: pytest.FixtureRequest) -> np.random.Generator:
    """By the test's name without the level, so that all levels get the same numbers."""
    return np.random.default_rng(sum(map(ord, request.node.originalname)))
