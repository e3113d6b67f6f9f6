"""The NTK of a relu network with w_std = √2 in NumPy, as one writes it."""
import numpy as np

DEPTH = 3


def ntk(x: np.ndarray, units: np.ndarray, norms: np.ndarray) -> np.ndarray:
    own = np.linalg.norm(x, axis=1)
    scale = np.outer(own, norms) / x.shape[1] * 2
    cosine = np.clip((x / own[:, None]) @ units.T, -1, 1)
    theta = cosine.copy()
    for _ in range(DEPTH):
        angle = np.arccos(cosine)
        derivative = (np.pi - angle) / np.pi
        cosine = (np.sqrt(1 - cosine * cosine) + (np.pi - angle) * cosine) / np.pi
        theta = theta * derivative + cosine
    return scale * theta
