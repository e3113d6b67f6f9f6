"""Import this before `neural_tangents` to use it where TensorFlow is not installed.

The package's `__init__` imports `neural_tangents.experimental`, whose only content is a front end for TensorFlow models; nothing in
`stax`, `predict` or the empirical kernels uses it. An empty module takes its place, so everything that is timed is the original code.
"""
import importlib.util
import sys
import types

if importlib.util.find_spec("tensorflow") is None:
    sys.modules.setdefault("neural_tangents.experimental", types.ModuleType("neural_tangents.experimental"))
