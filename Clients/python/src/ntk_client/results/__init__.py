"""What the server answers, as numpy arrays with names."""

from ._base import Diagnostics, Floats, Labels, floats
from .attribution import Attribution, Posterior
from .finite import Convergence, Evolution, Training, WidthError
from .kernels import EmpiricalKernels, Kernels
from .learning import Dynamics, Learning, Spectrum
from .predictions import Prediction

__all__ = [
    "Attribution",
    "Convergence",
    "Diagnostics",
    "Dynamics",
    "EmpiricalKernels",
    "Evolution",
    "Floats",
    "Kernels",
    "Labels",
    "Learning",
    "Posterior",
    "Prediction",
    "Spectrum",
    "Training",
    "WidthError",
    "floats",
]
