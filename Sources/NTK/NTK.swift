// Kernels of infinitely wide and of finite neural networks, and regression with them: what a program that imports NTK sees.

@_exported public import Activations
@_exported public import AnalyticKernels
@_exported public import Architecture
@_exported public import EmpiricalKernels
@_exported public import KernelLoops
@_exported public import Regression
