"""What the server answers, as numpy arrays with names."""

from ._base import Diagnostics, Floats, Labels, floats
from .attribution import Attribution, Posterior
from .finite import Convergence, DiagonalMean, Evolution, FiniteMoments, FiniteWidth, Training, WidthError
from .kernels import EmpiricalKernels, Kernels
from .learning import Dynamics, Learning, LearningCurve, Spectrum
from .predictions import Prediction

__all__ = [
    "Attribution",
    "Convergence",
    "Diagnostics",
    "DiagonalMean",
    "Dynamics",
    "EmpiricalKernels",
    "Evolution",
    "FiniteMoments",
    "FiniteWidth",
    "Floats",
    "Kernels",
    "Labels",
    "Learning",
    "LearningCurve",
    "Posterior",
    "Prediction",
    "Spectrum",
    "Training",
    "WidthError",
    "floats",
]
