"""What one writes to serve predictions of a fitted kernel regression with NumPy: FastAPI, uvicorn, orjson, one process a core.

    REGRESSOR=train.npz uvicorn fastapi_predictions:app --workers 2

train.npz holds x_train [n, d] and coefficients [n, k]; the kernel is the NTK of a relu network of DEPTH hidden layers with w_std = √2. The
training points are normalised once; a prediction is one product with them, the arc-cosine recursion in NumPy, and one product more.
"""
import os

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response

from fastapi_predictions_kernel import ntk

_arrays = np.load(os.environ["REGRESSOR"])
_norms = np.linalg.norm(_arrays["x_train"], axis=1)
_units = np.ascontiguousarray(_arrays["x_train"] / _norms[:, None])
_coefficients = _arrays["coefficients"]


app = FastAPI()


@app.post("/predictions")
async def predict(request: Request) -> Response:
    x = np.array(orjson.loads(await request.body())["x"])
    return Response(orjson.dumps({"mean": (ntk(x, _units, _norms) @ _coefficients)}, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
