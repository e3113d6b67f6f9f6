"""Pictures of kernels, posteriors, spectra and trainings, with matplotlib.

Every function draws into `ax`, or into a new figure where it is None, and returns the axes.
"""

from .attribution import influences, kernel_evolution, reliability
from .kernels import convergence, kernel_heat_map, posterior_band, spectrum, training_curves
from .theory import finite_width, learning_curve

__all__ = [
    "convergence",
    "finite_width",
    "influences",
    "kernel_evolution",
    "kernel_heat_map",
    "learning_curve",
    "posterior_band",
    "reliability",
    "spectrum",
    "training_curves",
]
